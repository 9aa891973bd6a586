"""Flat and bent parts: brackets, plates, gaskets, hinges, levers."""

from random import Random

import numpy as np

from cmrcli.samples.annotate import Axis, Leader, Note, Size, cross_axes, number
from cmrcli.samples.design import TO_FRONT, Design, Family, Params, count, drilled, loop_section, mm
from cmrcli.samples.displaylist import arc_points
from cmrcli.samples.outline import Outline, pitch_circle
from cmrcli.samples.solid import Solid, extrude, rotation

PLATE_VIEWS = (("front", "right"), ("front", "top"), ("front",), ("front", "right", "iso"), ("front", "top", "right"))


ON_BENCH = ("on_back", "on_back", "as_drawn", "on_face")


def _bracket_params(rng: Random) -> Params:
    w = rng.choice((30, 40, 50, 60, 80))
    return {
        "width": w,
        "height": rng.choice((40, 50, 60, 80, 100)),
        "depth": rng.choice((40, 50, 60, 80)),
        "thickness": rng.choice((3, 4, 5, 6, 8, 10)),
        "holes": rng.choice((1, 2, 2)),
        "hole": rng.choice((6.6, 9, 11)),
        "rib": rng.choice((0, 0, 1)),
        "slots": rng.choice((0, 0, 1)),
    }


def _hole_row(n: int, span: float, y: float, d: float, slotted: bool) -> list[Outline]:
    xs = [0.0] if n == 1 else [-span / 4, span / 4]
    if slotted:
        return [Outline.slot(x, y, d, d, 90) for x in xs]
    return [Outline.disc(x, y, d / 2, 20) for x in xs]


def _bracket(p: Params) -> Design:
    w, h, d, t, n = p["width"], p["height"], p["depth"], p["thickness"], int(p["holes"])
    back = extrude(Outline.rect(-w / 2, 0, w / 2, h), 0, t, _hole_row(n, w, h * 0.65, p["hole"], False)).moved(
        turn=TO_FRONT
    )
    foot = extrude(
        Outline.rect(-w / 2, -d, w / 2, -t + 0.001), 0, t, _hole_row(n, w, -d * 0.6, p["hole"], bool(p["slots"]))
    )
    solid = back + foot  # the back stands at y 0 .. -t, the foot lies at z 0 .. t
    if p["rib"]:
        web = [(-t, t), (-t, h * 0.6), (-d * 0.65, t)]
        rib = extrude(Outline.of([(y, z) for y, z in web]), -t / 2, t / 2)
        solid += rib.moved(turn=np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]))
    x = 0 if n == 1 else w / 4
    front: list[Note] = [
        Size((-w / 2, 0), (w / 2, 0), "below", number(w)),
        Size((w / 2, 0), (w / 2, h), "right", number(h), 1),
        Size((w / 2, 0), (x, h * 0.65), "right", number(round(h * 0.65, 1))),
        Leader((x + p["hole"] * 0.35, h * 0.65 + p["hole"] * 0.35), 50, drilled(n, p["hole"]), 14),
        *[a for u in ([0] if n == 1 else [-w / 4, w / 4]) for a in cross_axes(u, h * 0.65, p["hole"] * 0.6)],
    ]
    side: list[Note] = [
        Size((-d, 0), (0, 0), "below", number(d)),
        Size((-t, h), (0, h), "above", number(t)),
    ]
    facts = [
        mm("width", "幅", w),
        mm("height", "高さ", h),
        mm("thickness", "板厚", t),
        count("hole", "穴", 2 * n),
    ]
    if p["rib"]:
        facts.append(("with a stiffening rib", "リブ付き"))
    views = (
        ("front", "right"),
        ("front", "right", "top"),
        ("front", "right", "iso"),
        ("right", "front"),
        ("front", "top", "iso"),
    )
    return Design(
        solid,
        tuple(facts),
        views,
        {"front": front, "right": side},
        poses=("as_drawn", "as_drawn", "as_drawn", "on_back"),
    )


def _u_bracket(p: Params) -> Design:
    w, h, d, t = p["width"], p["height"] * 0.7, p["depth"] * 0.7, p["thickness"] * 0.7
    loop = [
        (-w / 2, 0),
        (w / 2, 0),
        (w / 2, h),
        (w / 2 - t, h),
        (w / 2 - t, t),
        (-w / 2 + t, t),
        (-w / 2 + t, h),
        (-w / 2, h),
    ]
    base = extrude(Outline.rect(-w / 2, 0, w / 2, d), 0, t, _hole_row(2, w, d / 2, p["hole"], bool(p["slots"])))
    ear = (
        extrude(
            Outline.of([(0, t), (d, t), (d, h - d / 2), *arc_points((d / 2, h - d / 2), d / 2, 0, 180, 14)]),
            0,
            t,
            [Outline.disc(d / 2, h - d / 2, p["hole"] * 0.8, 24)],
        )
        if h > d
        else extrude(Outline.rect(0, t, d, h), 0, t, [Outline.disc(d / 2, (t + h) / 2, p["hole"] / 2, 24)])
    )
    standing = ear.moved(turn=np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]))
    solid = base + standing.moved((w / 2 - t, 0, 0)) + standing.moved((-w / 2, 0, 0))
    front: list[Note] = [
        Axis((0, 0), (0, h)),
        Size((-w / 2, 0), (w / 2, 0), "below", number(w)),
        Size((w / 2, 0), (w / 2, h), "right", number(round(h, 1))),
        Size((-w / 2, h), (-w / 2 + t, h), "above", number(round(t, 1))),
    ]
    side: list[Note] = [Size((0, 0), (d, 0), "below", number(round(d, 1)))]
    facts = (
        mm("width", "幅", w),
        mm("height", "高さ", round(h, 1)),
        mm("thickness", "板厚", round(t, 1)),
        ("two ears", "耳2枚"),
    )
    sections = {"front": loop_section([loop])}
    views = (("front", "right"), ("front", "right", "top"), ("front", "right", "iso"))
    return Design(
        solid, facts, views, {"front": front, "right": side}, sections, poses=("as_drawn", "as_drawn", "on_back")
    )


def _plate_params(rng: Random) -> Params:
    w, h = rng.choice((80, 100, 120, 150, 200)), rng.choice((50, 60, 80, 100, 120))
    return {
        "width": w,
        "height": h,
        "thickness": rng.choice((3, 4.5, 6, 9, 12, 16)),
        "columns": rng.choice((2, 2, 3, 4)),
        "rows": rng.choice((2, 2, 3)),
        "hole": rng.choice((5.5, 6.6, 9, 11)),
        "window": rng.choice((0, 0, 1, 2)),
        "corner": rng.choice((0, 5, 10)),
    }


def _plate(p: Params) -> Design:
    w, h, t, c, r, d = p["width"], p["height"], p["thickness"], int(p["columns"]), int(p["rows"]), p["hole"]
    edge = max(10.0, 1.5 * d)
    xs = np.linspace(-w / 2 + edge, w / 2 - edge, c)
    ys = np.linspace(-h / 2 + edge, h / 2 - edge, r)
    middle = p["window"] > 0
    at = [(float(x), float(y)) for x in xs for y in ys if not middle or x in (xs[0], xs[-1]) or y in (ys[0], ys[-1])]
    holes = [Outline.disc(x, y, d / 2, 20) for x, y in at]
    inner = min(w, h) / 2 - edge - d
    notes: list[Note] = [a for x, y in at for a in cross_axes(x, y, d * 0.6)]
    facts = [mm("width", "幅", w), mm("height", "高さ", h), mm("thickness", "板厚", t), count("hole", "穴", len(at))]
    if middle and inner > 6:
        if p["window"] == 1:
            holes.append(Outline.disc(0, 0, inner * 0.8, 40))
            notes += [
                *cross_axes(0, 0, inner * 0.9),
                Leader((inner * 0.57, inner * 0.57), 30, f"Ø{number(round(inner * 1.6, 1))}", 16),
            ]
            facts.append(("with a large round opening", "中央に丸穴"))
        else:
            holes.append(Outline.rect(-w / 2 + 2.2 * edge, -inner * 0.7, w / 2 - 2.2 * edge, inner * 0.7, 4))
            facts.append(("with a rectangular window", "角窓付き"))
    solid = extrude(Outline.rect(-w / 2, -h / 2, w / 2, h / 2, p["corner"]), 0, t, holes).moved(turn=TO_FRONT)
    x0, x1 = float(xs[0]), float(xs[1])
    notes += [
        Size((-w / 2, -h / 2), (w / 2, -h / 2), "below", number(w), 1),
        Size((x0, -h / 2 + edge), (x1, -h / 2 + edge), "below", number(round(x1 - x0, 1))),
        Size((-w / 2, -h / 2), (-w / 2, h / 2), "left", number(h), 1),
        Size((x0, float(ys[0])), (x0, float(ys[1])), "left", number(round(float(ys[1] - ys[0]), 1))),
        Leader((float(xs[-1]) + d * 0.35, float(ys[-1]) + d * 0.35), 45, drilled(len(at), d), 14),
    ]
    side: list[Note] = [Size((-t, -h / 2), (0, -h / 2), "below", number(t))]
    return Design(solid, tuple(facts), PLATE_VIEWS, {"front": notes, "right": side}, poses=ON_BENCH)


def _gasket(p: Params) -> Design:
    w, t, d = p["height"], 2.0, p["hole"]
    n = int(p["columns"]) * 2
    r, bore = w / 2, w * 0.27
    ring = (r + bore) / 2 + d * 0.15
    holes = [Outline.disc(x, y, d / 2, 18) for x, y in pitch_circle(n, ring, 90)]
    outer = Outline.disc(0, 0, r, 48)
    if p["corner"]:
        outer = Outline.rect(-r, -r, r, r, r * 0.35)
        holes = [Outline.disc(x, y, d / 2, 18) for x, y in pitch_circle(4, r * 1.06, 45)]
    solid = extrude(outer, 0, t, [Outline.disc(0, 0, bore, 40), *holes]).moved(turn=TO_FRONT)
    front: list[Note] = [
        *cross_axes(0, 0, r),
        Size((-r, 0), (r, 0), "below", ("" if p["corner"] else "Ø") + number(w)),
        Leader((bore * 0.71, bore * 0.71), 45, f"Ø{number(round(2 * bore, 1))}", 24),
    ]
    facts = (
        mm("outer size", "外形", w),
        mm("bore", "内径", round(2 * bore, 1)),
        count("bolt hole", "ボルト穴", len(holes)),
        mm("thickness", "厚さ", t),
    )
    return Design(
        solid, facts, (("front",), ("front", "right"), ("front", "iso")), {"front": front}, poses=("on_back",)
    )


def _lever_params(rng: Random) -> Params:
    return {
        "length": rng.choice((60, 80, 100, 120, 160)),
        "large": rng.choice((12, 15, 20, 25)),
        "small": rng.choice((8, 10, 12)),
        "thickness": rng.choice((8, 10, 12, 16)),
    }


def _lever(p: Params) -> Design:
    n, a, c, t = p["length"], p["large"] / 2, p["small"] / 2, p["thickness"]
    ra, rc = a * 1.9, c * 1.9
    inset = 0.22 * t
    solid = extrude(
        Outline.of(
            [(ra * 0.9, ra * 0.55), (ra * 0.9, -ra * 0.55), (n - rc * 0.9, -rc * 0.6), (n - rc * 0.9, rc * 0.6)]
        ),
        inset,
        t - inset,
    )
    solid += extrude(Outline.disc(0, 0, ra, 40), 0, t, [Outline.disc(0, 0, a, 32)])
    solid += extrude(Outline.disc(n, 0, rc, 32), 0, t, [Outline.disc(n, 0, c, 26)])
    solid = solid.moved(turn=TO_FRONT)
    front: list[Note] = [
        Axis((-ra, 0), (n + rc, 0)),
        Axis((0, -ra), (0, ra)),
        Axis((n, -rc), (n, rc)),
        Size((0, -ra), (n, -rc), "below", number(n)),
        Leader((a * 0.7, a * 0.7), 60, f"Ø{number(2 * a)} H7", 22),
        Leader((n + c * 0.7, c * 0.7), 45, f"Ø{number(2 * c)} H7", 14),
    ]
    top: list[Note] = [Size((n + rc, -t), (n + rc, 0), "right", number(t))]
    facts = (
        mm("centre distance", "中心距離", n),
        mm("large bore", "大端穴径", p["large"]),
        mm("small bore", "小端穴径", p["small"]),
    )
    views = (("front", "top"), ("front",), ("front", "iso"), ("front", "bottom"))
    return Design(solid, facts, views, {"front": front, "top": top}, poses=("on_back", "on_back", "as_drawn"))


def _hinge_params(rng: Random) -> Params:
    return {
        "height": rng.choice((40, 50, 64, 76, 100)),
        "width": rng.choice((20, 25, 32, 40)),
        "knuckles": rng.choice((3, 5, 5, 7)),
        "open": rng.choice((180, 180, 120, 90)),
    }


def _hinge(p: Params) -> Design:
    h, w, n, t = p["height"], p["width"], int(p["knuckles"]), 2.0
    r = 1.6 * t
    solid = Solid()
    holes = [Outline.disc(w * 0.6 + r, h * q, 2.4, 16) for q in (0.18, 0.5, 0.82)]
    leaf = extrude(Outline.rect(r * 0.6, 0, w + r, h, 1), -t / 2, t / 2, holes).moved(turn=TO_FRONT)
    solid += leaf + leaf.moved(turn=rotation("z", p["open"]))
    pitch = h / n
    for k in range(n):
        gap = 0.3
        solid += extrude(Outline.disc(0, 0, r, 22), k * pitch + gap, (k + 1) * pitch - gap)
    solid += extrude(Outline.disc(0, 0, r * 0.55, 16), -1, h + 1).toned("brass")
    e = w + r
    front: list[Note] = [
        Axis((0, 0), (0, h)),
        Size((e, 0), (e, h), "right", number(h)),
        Leader((w * 0.6 + r + 1.7, h * 0.82 + 1.7), 40, "6-Ø4.8", 16),
    ]
    if p["open"] == 180:
        front.append(Size((-e, 0), (e, 0), "below", number(round(2 * e, 1))))
        front += [a for s in (1, -1) for q in (0.18, 0.5, 0.82) for a in cross_axes(s * (w * 0.6 + r), h * q, 3)]
    facts = (
        mm("height", "高さ", h),
        mm("leaf width", "羽根幅", w),
        count("knuckle", "管部", n),
        count("hole", "穴", 6),
    )
    views = (("front", "top"), ("front",), ("front", "top", "iso"))
    return Design(solid, facts, views, {"front": front}, poses=("on_back", "on_back", "as_drawn"), hidden=False)


FAMILIES = (
    Family(
        "l_bracket",
        ("L-bracket", "angle bracket", "mounting bracket"),
        ("L形ブラケット", "取付金具", "アングルブラケット"),
        ("SS400", "SUS304", "A5052"),
        "LB",
        _bracket_params,
        _bracket,
    ),
    Family(
        "u_bracket",
        ("U-bracket", "clevis bracket", "channel bracket"),
        ("U形ブラケット", "コの字金具"),
        ("SS400", "SUS304", "SPCC"),
        "UK",
        _bracket_params,
        _u_bracket,
    ),
    Family(
        "mounting_plate",
        ("mounting plate", "base plate", "plate with holes"),
        ("取付板", "ベースプレート", "穴あきプレート"),
        ("SS400", "SUS304", "A5052", "S45C"),
        "MP",
        _plate_params,
        _plate,
    ),
    Family(
        "gasket",
        ("gasket", "flange gasket", "sheet gasket"),
        ("ガスケット", "フランジガスケット", "シートパッキン"),
        ("NBR",),
        "GK",
        _plate_params,
        _gasket,
    ),
    Family(
        "lever",
        ("lever arm", "link lever", "connecting link"),
        ("レバー", "リンク", "アーム"),
        ("S45C", "SS400", "FCD450", "A5052"),
        "LV",
        _lever_params,
        _lever,
    ),
    Family(
        "hinge",
        ("hinge", "butt hinge", "door hinge"),
        ("蝶番", "ヒンジ"),
        ("SUS304", "C3604", "SPCC"),
        "HG",
        _hinge_params,
        _hinge,
    ),
)
