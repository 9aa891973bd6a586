"""Parts of electrical equipment: circuit boards, heat sinks, enclosures, stepper motors."""

from random import Random

import numpy as np

from cmrcli.samples.annotate import Axis, Leader, Note, Size, cross_axes, number
from cmrcli.samples.design import TO_FRONT, TO_X, Design, Family, Params, count, loop_section, mm
from cmrcli.samples.displaylist import Point
from cmrcli.samples.outline import Outline
from cmrcli.samples.solid import box, extrude, revolve, rotation
from cmrcli.samples.trades.axisymmetric import along_axis


def _heat_sink_params(rng: Random) -> Params:
    return {
        "width": rng.choice((40, 50, 60, 80, 100)),
        "length": rng.choice((40, 50, 75, 100)),
        "height": rng.choice((15, 20, 25, 30, 40)),
        "fins": rng.choice((6, 8, 9, 11, 13, 15)),
    }


def _heat_sink(p: Params) -> Design:
    w, n, h, k = p["width"], p["length"], p["height"], int(p["fins"])
    base, t = max(3.0, 0.15 * h), w / k * 0.32
    points: list[Point] = [(w / 2, 0.0)]
    xs = np.linspace(w / 2 - t, -w / 2, k)
    for x in xs:
        points += [(float(x + t), base), (float(x + t * 0.85), h), (float(x + t * 0.15), h), (float(x), base)]
    points.append((-w / 2, 0.0))
    solid = extrude(Outline.of(points), -n, 0).moved(turn=TO_FRONT)
    front: list[Note] = [
        Size((-w / 2, 0), (w / 2, 0), "below", number(w)),
        Size((w / 2, 0), (w / 2, h), "right", number(h), 1),
        Size((w / 2, 0), (w / 2, base), "right", number(round(base, 1))),
    ]
    side: list[Note] = [Size((0, 0), (n, 0), "below", number(n))]
    facts = (count("fin", "フィン", k), mm("width", "幅", w), mm("height", "高さ", h), mm("length", "長さ", n))
    views = (("front", "right"), ("front",), ("front", "iso"), ("front", "top"))
    return Design(
        solid,
        facts,
        views,
        {"front": front, "right": side},
        {"front": loop_section([points])},
        poses=("as_drawn", "as_drawn", "as_drawn", "upside_down"),
    )


def _box_params(rng: Random) -> Params:
    w = rng.choice((80, 100, 120, 150, 200))
    return {
        "width": w,
        "depth": w * rng.choice((0.6, 0.7, 0.8, 1)),
        "height": w * rng.choice((0.25, 0.35, 0.5)),
        "lid": rng.choice((0, 1)),
        "glands": rng.choice((0, 2, 3)),
    }


def _enclosure(p: Params) -> Design:
    w, d, h = p["width"], round(p["depth"], 1), round(p["height"], 1)
    t, r = 3.0, 6.0
    outer = Outline.rect(-w / 2, -d / 2, w / 2, d / 2, r)
    inner = Outline.rect(-w / 2 + t, -d / 2 + t, w / 2 - t, d / 2 - t, r - t)
    bosses = [(s * (w / 2 - 9), u * (d / 2 - 9)) for s in (1, -1) for u in (1, -1)]
    solid = extrude(outer, t, h, [inner]) + extrude(outer, 0, t)
    for x, y in bosses:
        solid += extrude(Outline.disc(x, y, 5, 20), t, h - 1, [Outline.disc(x, y, 2, 14)])
    top = h
    if p["lid"]:
        holes = [Outline.disc(x, y, 2.6, 16) for x, y in bosses]
        top = h + 5
        solid += extrude(outer, h + 0.4, top, holes)
        for x, y in bosses:
            solid += extrude(Outline.disc(x, y, 2.4, 12), top - 2, top - 1.5).toned("zinc")
    n = int(p["glands"])
    for k in range(n):
        x = (k - (n - 1) / 2) * w / (n + 0.5)
        gland = extrude(Outline.regular(0, 0, 6, 20, 90), 0, 9, [Outline.disc(0, 0, 6, 20)])
        solid += gland.moved(turn=TO_FRONT).moved((x, -d / 2, h / 2)).toned("black_plastic")
    front: list[Note] = [
        Size((-w / 2, 0), (w / 2, 0), "below", number(w)),
        Size((w / 2, 0), (w / 2, top), "right", number(round(top, 1))),
    ]
    above: list[Note] = [
        Size((-w / 2, -d / 2), (-w / 2, d / 2), "left", number(d)),
        *[a for x, y in bosses for a in cross_axes(x, y, 5)],
        Leader((bosses[0][0] + 1.5, bosses[0][1] + 1.5), 45, "4-M4", 14),
    ]
    facts = [mm("width", "幅", w), mm("depth", "奥行", d), mm("height", "高さ", round(top, 1))]
    facts.append(("with a screwed lid", "ねじ止め蓋付き") if p["lid"] else ("open box", "蓋なし"))
    if n:
        facts.append(count("cable gland", "ケーブルグランド", n))
    views = (("front", "top"), ("front", "top", "right"), ("front", "top", "iso"), ("front", "iso"))
    return Design(solid, tuple(facts), views, {"front": front, "top": above}, poses=("as_drawn",))


def _pcb_params(rng: Random) -> Params:
    return {
        "width": rng.choice((50, 60, 80, 100, 120)),
        "height": rng.choice((40, 50, 60, 80)),
        "chips": rng.choice((2, 3, 4, 5)),
        "layout": rng.randrange(1, 10_000),
        "connectors": rng.choice((1, 2, 3)),
    }


def _pcb(p: Params) -> Design:
    rng = Random(int(p["layout"]))
    w, h = p["width"], p["height"]
    holes = [Outline.disc(s * (w / 2 - 4), u * (h / 2 - 4), 1.6, 14) for s in (1, -1) for u in (1, -1)]
    solid = extrude(Outline.rect(-w / 2, -h / 2, w / 2, h / 2, 2), 0, 1.6, holes)
    taken: list[tuple[float, float, float, float]] = [
        (x - 4, y - 4, x + 4, y + 4) for x, y in ((s * (w / 2 - 4), u * (h / 2 - 4)) for s in (1, -1) for u in (1, -1))
    ]

    def free(bw: float, bh: float, x: float | None = None, y: float | None = None) -> tuple[float, float] | None:
        for _ in range(30):
            cx = x if x is not None else rng.uniform(-w / 2 + bw / 2 + 2, w / 2 - bw / 2 - 2)
            cy = y if y is not None else rng.uniform(-h / 2 + bh / 2 + 2, h / 2 - bh / 2 - 2)
            b = (cx - bw / 2 - 1, cy - bh / 2 - 1, cx + bw / 2 + 1, cy + bh / 2 + 1)
            if all(b[2] < t[0] or b[0] > t[2] or b[3] < t[1] or b[1] > t[3] for t in taken):
                taken.append(b)
                return cx, cy
        return None

    top: list[Note] = []
    for k in range(int(p["connectors"])):
        at = free(18, 8, None, -h / 2 + 4)
        if at:
            solid += box(at[0] - 9, at[1] - 4, 1.6, at[0] + 9, at[1] + 4, 9).toned(
                ("black_plastic", "white_plastic", "green_paint")[k]
            )
    for k in range(int(p["chips"])):
        s = rng.choice((8, 10, 14, 18))
        long = rng.random() < 0.5
        bw, bh = (s, s) if not long else (s * 1.4, s * 0.6)
        at = free(bw + 3, bh + 3)
        if not at:
            continue
        x, y = at
        solid += box(x - bw / 2, y - bh / 2, 1.7, x + bw / 2, y + bh / 2, 3.4).toned("black_plastic")
        for q in np.arange(-bw / 2 + 1, bw / 2 - 0.5, 2.0):
            for sgn in (1, -1):
                yy = y + sgn * (bh / 2 + 0.6)
                solid += box(x + q - 0.3, yy - 0.7, 1.6, x + q + 0.3, yy + 0.7, 2.0).toned("bright")
        top.append(Leader((x, y), 35 + 60 * (k % 2), f"U{k + 1}", 14) if k < 2 else Axis((x, y), (x, y + 0.01)))
    for _ in range(rng.choice((2, 3, 4))):
        r = rng.choice((2.5, 4, 5))
        at = free(2 * r, 2 * r)
        if at:
            can = revolve([(1.6, 0), (1.6, r), (2.4 * r + 2, r), (2.4 * r + 2, 0)], segments=24).moved(
                turn=rotation("y", -90)
            )
            solid += can.moved((at[0], at[1], 0)).toned(rng.choice(("dark_steel", "aluminium", "blue_paint")))
    for _ in range(rng.choice((8, 12, 16))):
        at = free(3.2, 1.8)
        if at:
            solid += box(at[0] - 1.6, at[1] - 0.8, 1.6, at[0] + 1.6, at[1] + 0.8, 2.3).toned(
                rng.choice(("nylon", "black_plastic"))
            )
    top += [
        Size((-w / 2, -h / 2), (w / 2, -h / 2), "below", number(w), 1),
        Size((-w / 2 + 4, -h / 2 + 4), (w / 2 - 4, -h / 2 + 4), "below", number(w - 8)),
        Size((w / 2, -h / 2), (w / 2, h / 2), "right", number(h)),
    ]
    facts = (
        mm("width", "幅", w),
        mm("height", "高さ", h),
        count("integrated circuit", "IC", p["chips"]),
        count("connector", "コネクタ", p["connectors"]),
    )
    return Design(
        solid,
        facts,
        (("top",), ("front", "top"), ("top", "iso"), ("front", "top", "iso")),
        {"top": top},
        poses=("as_drawn",),
        hidden=False,
    )


def _motor_params(rng: Random) -> Params:
    return {
        "frame": rng.choice((28, 35, 42, 57, 60, 86)),
        "length": rng.choice((0.8, 1.0, 1.3)),
        "shaft": rng.choice((0.4, 0.5)),
    }


def _stepper(p: Params) -> Design:
    a, n = p["frame"] / 2, p["frame"] * p["length"]
    square = Outline.of(
        [
            (a, -a * 0.8),
            (a, a * 0.8),
            (a * 0.8, a),
            (-a * 0.8, a),
            (-a, a * 0.8),
            (-a, -a * 0.8),
            (-a * 0.8, -a),
            (a * 0.8, -a),
        ]
    )
    holes = [Outline.disc(s * a * 0.74, u * a * 0.74, a * 0.08, 14) for s in (1, -1) for u in (1, -1)]
    cap = n * 0.2
    solid = extrude(square, -cap, 0, holes).moved(turn=TO_X) + extrude(square, -n, -n + cap).moved(turn=TO_X)
    core = Outline.rect(-a * 0.97, -a * 0.97, a * 0.97, a * 0.97, a * 0.35)
    solid += extrude(core, -n + cap, -cap).moved(turn=TO_X).toned("black_oxide")
    r = a * 0.52
    s = a * 0.12
    reach = a * 2 * p["shaft"] + 2
    solid += revolve([(0, 0), (0, r), (2, r), (2, 0)]) + revolve(
        [(2, 0), (2, s), (reach - 0.5, s), (reach, s * 0.8), (reach, 0)]
    ).toned("bright")
    solid += box(-n + 2, -a * 0.45, -a * 1.25, -n + 2 + cap, a * 0.45, -a * 0.95).toned("white_plastic")
    front: list[Note] = [
        *along_axis(-n, reach),
        Size((-n, -a), (0, -a), "below", number(round(n, 1))),
        Size((0, -a), (reach, -a), "below", number(round(reach, 1))),
        Size((reach, -s), (reach, s), "right", f"Ø{number(round(2 * s, 1))}"),
    ]
    right: list[Note] = [
        *cross_axes(0, 0, a),
        Size((-a, a), (a, a), "above", number(2 * a), 1),
        Size((-a * 0.74, a * 0.74), (a * 0.74, a * 0.74), "above", number(round(a * 1.48, 1))),
        Leader((r * 0.71, -r * 0.71), -40, f"Ø{number(round(2 * r, 1))}", 22),
    ]
    facts = (
        mm("frame size", "取付角", p["frame"]),
        mm("body length", "本体長さ", round(n, 1)),
        count("mounting hole", "取付穴", 4),
    )
    views = (("front", "right"), ("front", "right", "iso"), ("right", "front"))
    return Design(
        solid, facts, views, {"front": front, "right": right}, poses=("as_drawn", "x_up", "as_drawn"), hidden=False
    )


FAMILIES = (
    Family(
        "heat_sink",
        ("heat sink", "finned cooler", "cooling fin block"),
        ("ヒートシンク", "放熱器", "放熱フィン"),
        ("A6063",),
        "HS",
        _heat_sink_params,
        _heat_sink,
    ),
    Family(
        "enclosure",
        ("enclosure box", "electronics enclosure", "junction box", "control box"),
        ("ケース", "筐体", "制御ボックス", "端子箱"),
        ("ABS", "ADC12", "SPCC"),
        "EN",
        _box_params,
        _enclosure,
    ),
    Family(
        "pcb",
        ("printed circuit board", "circuit board", "PCB assembly"),
        ("プリント基板", "電子基板", "回路基板"),
        ("FR-4",),
        "PB",
        _pcb_params,
        _pcb,
    ),
    Family(
        "stepper_motor",
        ("stepper motor", "stepping motor"),
        ("ステッピングモータ", "ステップモータ"),
        ("A5052", "SPCC"),
        "SM",
        _motor_params,
        _stepper,
    ),
)
