"""Rolled and extruded sections: beams, channels, angles, tubes, aluminium frames."""

import math
from random import Random

from cmrcli.samples.annotate import Axis, Leader, Note, Size, number
from cmrcli.samples.design import (
    TO_FRONT,
    Design,
    Family,
    Params,
    loop_section,
    mm,
)
from cmrcli.samples.displaylist import Point, arc_points
from cmrcli.samples.outline import Outline
from cmrcli.samples.solid import extrude


def _section_params(rng: Random) -> Params:
    h = rng.choice((100, 125, 150, 200, 250, 300))
    return {
        "height": h,
        "width": round(h * rng.choice((0.5, 0.6, 0.75, 1.0))),
        "web": rng.choice((5, 6, 7, 8)),
        "flange": rng.choice((7, 8, 9, 11, 13)),
        "length": h * rng.choice((1.5, 2.5, 4)),
    }


def _steel(loops: list[list[Point]], p: Params, facts: tuple[tuple[str, str], ...], extra: list[Note]) -> Design:
    """A rolled section: its profile in the front view, its length along y."""
    outlines = [Outline.of(loop) for loop in loops]
    solid = extrude(outlines[0], -p["length"], 0, outlines[1:]).moved(turn=TO_FRONT)
    xs, ys = [q[0] for q in loops[0]], [q[1] for q in loops[0]]
    front: list[Note] = [
        Size((min(xs), min(ys)), (max(xs), min(ys)), "below", number(round(max(xs) - min(xs), 1))),
        Size((max(xs), min(ys)), (max(xs), max(ys)), "right", number(round(max(ys) - min(ys), 1))),
        *extra,
    ]
    side: list[Note] = [Size((0, min(ys)), (p["length"], min(ys)), "below", number(p["length"]))]
    section = {"front": loop_section(loops)}
    views = (("front",), ("front", "right"), ("front", "iso"), ("front", "right", "iso"))
    facts = (*facts, mm("length", "長さ", p["length"]))
    return Design(
        solid, facts, views, {"front": front, "right": side}, section, poses=("as_drawn", "as_drawn", "on_back")
    )


def _i_beam(p: Params) -> Design:
    h, w, a, b = p["height"], p["width"], p["web"] / 2, p["flange"]
    f, q = p["web"] * 1.2, h - p["flange"]
    loop: list[Point] = [(-w / 2, 0), (w / 2, 0), (w / 2, b), *arc_points((a + f, b + f), f, 270, 180, 5)]
    loop += [*arc_points((a + f, q - f), f, 180, 90, 5), (w / 2, q), (w / 2, h), (-w / 2, h), (-w / 2, q)]
    loop += [*arc_points((-a - f, q - f), f, 90, 0, 5), *arc_points((-a - f, b + f), f, 0, -90, 5), (-w / 2, b)]
    facts = (mm("height", "高さ", h), mm("flange width", "フランジ幅", w), mm("web thickness", "ウェブ厚", p["web"]))
    extra: list[Note] = [Axis((0, 0), (0, h)), Leader((a, h * 0.55), 20, f"t{number(p['web'])}", 20)]
    return _steel([loop], p, facts, extra)


def _channel(p: Params) -> Design:
    h, w, t, b = p["height"], p["width"] * 0.6, p["web"], p["flange"]
    loop = [
        (0.0, 0.0),
        (w, 0.0),
        (w, b),
        *arc_points((t + 8, b + 8), 8, 270, 180, 5),
        *arc_points((t + 8, h - b - 8), 8, 180, 90, 5),
        (w, h - b),
        (w, h),
        (0.0, h),
    ]
    facts = (mm("height", "高さ", h), mm("flange width", "フランジ幅", round(w, 1)), mm("web thickness", "ウェブ厚", t))
    return _steel([loop], p, facts, [])


def _angle(p: Params) -> Design:
    a, t = p["height"] * 0.5, p["flange"]
    c = p["width"] * 0.5 if p["width"] < p["height"] else a
    loop = [
        (0.0, 0.0),
        (c, 0.0),
        (c, t * 0.6),
        *arc_points((c - t * 0.4, t * 0.6), t * 0.4, 0, 90, 4),
        *arc_points((t * 2, t * 2), t, 270, 180, 5),
        *arc_points((t * 0.6, a - t * 0.4), t * 0.4, 0, 90, 4),
        (0.0, a),
    ]
    facts = (
        mm("leg", "辺", a),
        mm("thickness", "厚さ", t),
        ("equal legs", "等辺") if a == c else ("unequal legs", "不等辺"),
    )
    return _steel([loop], p, facts, [Size((0, a), (t, a), "above", number(t))])


def _square_tube(p: Params) -> Design:
    a, t = p["height"] * 0.5, p["web"] * 0.6
    b = a if p["width"] > p["height"] * 0.55 else a * 0.6
    loops = [
        list(Outline.rect(-a / 2, -b / 2, a / 2, b / 2, 2 * t).tuple()),
        list(Outline.rect(-a / 2 + t, -b / 2 + t, a / 2 - t, b / 2 - t, t).tuple()),
    ]
    facts = (mm("width", "幅", a), mm("height", "高さ", b), mm("wall thickness", "肉厚", round(t, 1)))
    return _steel(loops, p, facts, [Axis((0, -b / 2), (0, b / 2)), Axis((-a / 2, 0), (a / 2, 0))])


def _frame_params(rng: Random) -> Params:
    return {
        "size": rng.choice((20, 25, 30, 40, 45)),
        "length": rng.choice((60, 100, 150, 200)),
        "slot": rng.choice((6, 8, 10)),
    }


def _frame(p: Params) -> Design:
    a, s, lip = p["size"] / 2, min(p["slot"], p["size"] * 0.3) / 2, p["size"] * 0.06
    wide, deep = a * 0.52, a * 0.52
    quarter = [
        (a, -s),
        (a - lip * 1.4, -s),
        (a - lip * 1.4, -wide),
        (deep + 0.02 * a, -s * 0.7),
        (deep + 0.02 * a, s * 0.7),
        (a - lip * 1.4, wide),
        (a - lip * 1.4, s),
        (a, s),
        (a, a * 0.94),
        (a * 0.94, a),
    ]
    loop: list[Point] = []
    for k in range(4):
        c, q = round(math.cos(k * math.pi / 2)), round(math.sin(k * math.pi / 2))
        loop += [(c * x - q * y, q * x + c * y) for x, y in quarter]
    holes = [list(Outline.disc(0, 0, a * 0.24, 24).tuple())]
    facts = (
        mm("size", "角", p["size"]),
        mm("slot width", "溝幅", round(2 * s, 1)),
        ("T slots on four sides", "4面T溝"),
    )
    return _steel([loop, *holes], p, facts, [Axis((-a, 0), (a, 0)), Axis((0, -a), (0, a))])


FAMILIES = (
    Family(
        "i_beam",
        ("I-beam", "H-section steel", "wide flange beam"),
        ("H形鋼", "I形鋼"),
        ("SS400",),
        "IB",
        _section_params,
        _i_beam,
    ),
    Family(
        "channel",
        ("channel steel", "C-channel", "U-section steel"),
        ("溝形鋼", "チャンネル鋼"),
        ("SS400", "SUS304"),
        "CH",
        _section_params,
        _channel,
    ),
    Family(
        "angle_steel",
        ("angle steel", "L-section steel", "angle iron"),
        ("山形鋼", "アングル材", "L形鋼"),
        ("SS400", "SUS304"),
        "AN",
        _section_params,
        _angle,
    ),
    Family(
        "square_tube",
        ("square tube", "rectangular hollow section", "box section"),
        ("角形鋼管", "角パイプ"),
        ("SS400", "SUS304", "A6063"),
        "SQ",
        _section_params,
        _square_tube,
    ),
    Family(
        "aluminium_frame",
        ("T-slot aluminium extrusion", "aluminium frame profile"),
        ("アルミフレーム", "T溝アルミ押出材"),
        ("A6063",),
        "AF",
        _frame_params,
        _frame,
    ),
)
