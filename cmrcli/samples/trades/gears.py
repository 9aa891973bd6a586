"""Toothed wheels and racks."""

import math
from random import Random

from cmrcli.samples.annotate import Axis, Leader, Note, Ring, Size, cross_axes, number
from cmrcli.samples.design import (
    TO_FRONT,
    TO_X,
    Design,
    Family,
    Params,
    mm,
    profile_section,
)
from cmrcli.samples.displaylist import Line, Point, Polyline, arc_points
from cmrcli.samples.outline import Outline, pitch_circle
from cmrcli.samples.solid import extrude


def _gear_params(rng: Random) -> Params:
    m = rng.choice((1, 1.5, 2, 2.5, 3, 4))
    return {
        "module": m,
        "teeth": rng.choice((12, 15, 16, 18, 20, 24, 28, 30, 32, 36, 40)),
        "width": m * rng.choice((6, 8, 10)),
        "bore": rng.choice((0.3, 0.35, 0.4)),
        "hub": rng.choice((0, 1, 1)),
        "keyway": rng.choice((0, 1, 1)),
        "lightening": rng.choice((0, 0, 4, 5, 6)),
    }


def gear_outline(m: float, z: int, phase: float = 0.0) -> Outline:
    """An involute-looking tooth form: trapezoids with curved flanks."""
    pitch, tip, root = m * z / 2, m * z / 2 + m, m * z / 2 - 1.25 * m
    points: list[Point] = []
    for k in range(z):
        middle = phase + 2 * math.pi * k / z
        for r, half in ((root, 0.52), (pitch - 0.55 * m, 0.38), (pitch, 0.26), (pitch + 0.55 * m, 0.185), (tip, 0.12)):
            a = middle - half * 2 * math.pi / z
            points.append((r * math.cos(a), r * math.sin(a)))
        for r, half in ((tip, 0.12), (pitch + 0.55 * m, 0.185), (pitch, 0.26), (pitch - 0.55 * m, 0.38)):
            a = middle + half * 2 * math.pi / z
            points.append((r * math.cos(a), r * math.sin(a)))
    return Outline.of(points)


def _bored(b: float, keyway: float) -> Outline:
    if not keyway:
        return Outline.disc(0, 0, b, 36)
    w, h = 0.3 * b, 1.28 * b
    a = math.degrees(math.asin(w / b))
    return Outline.of([*arc_points((0, 0), b, 90 + a, 450 - a, 36), (w, h), (-w, h)])


def _spur_gear(p: Params) -> Design:
    m, z, w = p["module"], int(p["teeth"]), p["width"]
    pitch, tip = m * z / 2, m * (z + 2) / 2
    b = max(pitch * p["bore"] * 0.75, 2 * m)
    bore = _bored(b, p["keyway"])
    holes = [bore]
    hub = min(b * 1.7, pitch - 2.5 * m)
    if p["lightening"] and pitch - 2 * m - hub > 3.5 * m:
        middle = (pitch - 1.5 * m + hub) / 2
        size = (pitch - 2 * m - hub) * 0.36
        holes += [Outline.disc(x, y, size, 22) for x, y in pitch_circle(int(p["lightening"]), middle, 90)]
    solid = extrude(gear_outline(m, z, math.pi / 2), 0, w, holes).moved(turn=TO_X)
    length = w
    if p["hub"]:
        length = w * 1.6
        solid += extrude(Outline.disc(0, 0, hub, 40), w, length, [bore]).moved(turn=TO_X)
    front: list[Note] = [
        Axis((0, 0), (length, 0)),
        Axis((0, pitch), (w, pitch)),
        Axis((0, -pitch), (w, -pitch)),
        Size((0, -tip), (w, -tip), "below", number(round(w, 1))),
        Size((0, -tip), (0, tip), "left", f"Ø{number(2 * tip)}", 1),
    ]
    if p["hub"]:
        front.append(Size((0, -tip), (length, -tip), "below", number(round(length, 1)), 1))
    side: list[Note] = [
        *cross_axes(0, 0, tip),
        Ring(pitch),
        Leader((b * 0.71, -b * 0.71), -45, f"Ø{number(round(2 * b))} H7", 12),
    ]
    loop = [
        (0.0, b),
        (0.0, pitch - 1.25 * m),
        (w, pitch - 1.25 * m),
        *([(w, hub), (length, hub)] if p["hub"] else []),
        (length, b),
    ]

    section = profile_section(loop)
    for s in (1, -1):
        section += [Polyline(((0, s * (pitch - 1.25 * m)), (0, s * tip), (w, s * tip), (w, s * (pitch - 1.25 * m))))]
    section += [Line((0, 0), (0, 0.01))]
    facts = (
        (f"module {number(m)}", f"モジュール{number(m)}"),
        (f"{z} teeth", f"歯数{z}"),
        mm("face width", "歯幅", round(w, 1)),
        mm("pitch diameter", "ピッチ円直径", 2 * pitch),
        ("with a hub", "ボス付き") if p["hub"] else ("without a hub", "ボスなし"),
    )
    views = (("front", "right"), ("front", "right"), ("right",), ("front", "right", "iso"))
    return Design(
        solid, facts, views, {"front": front, "right": side}, {"front": section}, poses=("as_drawn", "x_up", "x_up")
    )


def _sprocket(p: Params) -> Design:
    z, w = int(p["teeth"]), 6.0
    pitch = 12.7
    r = pitch / 2 / math.sin(math.pi / z)
    points: list[Point] = []
    for k in range(z):
        a0 = 2 * math.pi * k / z
        seat = (r * math.cos(a0), r * math.sin(a0))
        points += [
            (seat[0] + 4.1 * math.cos(a0 + math.radians(q)), seat[1] + 4.1 * math.sin(a0 + math.radians(q)))
            for q in range(245, 114, -20)
        ]
        tip = a0 + math.pi / z
        points += [
            ((r + 3.4) * math.cos(tip + e), (r + 3.4) * math.sin(tip + e)) for e in (-0.05 * 12 / z, 0.05 * 12 / z)
        ]
    b = max(5.0, r * 0.22)
    bore = _bored(b, p["keyway"])
    holes = [bore]
    if p["lightening"] and r > 32:
        holes += [Outline.disc(x, y, r * 0.14, 22) for x, y in pitch_circle(int(p["lightening"]), r * 0.58, 90)]
    solid = extrude(Outline.of(points), 0, w, holes).moved(turn=TO_X)
    hub = b * 1.75
    solid += extrude(Outline.disc(0, 0, hub, 40), w, 3.2 * w, [bore]).moved(turn=TO_X)
    front: list[Note] = [
        Axis((0, 0), (3.2 * w, 0)),
        Size((0, -r - 3), (w, -r - 3), "below", number(w)),
        Size((0, -r), (0, r), "left", f"Ø{number(round(2 * r, 1))}"),
        Size((w, hub), (3.2 * w, hub), "above", number(round(2.2 * w, 1))),
    ]
    facts = (
        (f"{z} teeth", f"歯数{z}"),
        mm("chain pitch", "チェーンピッチ", pitch),
        mm("pitch diameter", "ピッチ円直径", round(2 * r, 1)),
    )
    side: list[Note] = [*cross_axes(0, 0, r), Ring(r)]
    views = (("front", "right"), ("right",), ("front", "right", "iso"))
    return Design(solid, facts, views, {"front": front, "right": side}, poses=("as_drawn", "x_up", "x_up"))


def _rack_params(rng: Random) -> Params:
    return {
        "module": rng.choice((1, 1.5, 2, 3)),
        "teeth": rng.choice((10, 14, 18, 24)),
        "width": rng.choice((10, 15, 20)),
    }


def _rack(p: Params) -> Design:
    m, z, w = p["module"], int(p["teeth"]), p["width"]
    pitch, h = math.pi * m, 6 * m
    points: list[Point] = [(0.0, 0.0), (z * pitch, 0.0), (z * pitch, h)]
    for k in reversed(range(z)):
        x = k * pitch
        points += [(x + pitch - 0.38 * m, h), (x + pitch - 1.2 * m, h + 2.25 * m), (x + pitch - 1.94 * m, h + 2.25 * m)]
        points += [(x + pitch - 2.76 * m, h)]
    points.append((0.0, h))
    solid = extrude(Outline.of(points), 0, w).moved(turn=TO_FRONT)
    n, top = z * pitch, h + 2.25 * m
    front: list[Note] = [
        Size((0, 0), (n, 0), "below", number(round(n, 1))),
        Size((n, 0), (n, top), "right", number(round(top, 1))),
        Axis((0, h + 1.25 * m), (n, h + 1.25 * m)),
    ]
    facts = (
        (f"module {number(m)}", f"モジュール{number(m)}"),
        (f"{z} teeth", f"歯数{z}"),
        mm("length", "長さ", round(n, 1)),
    )
    side: list[Note] = [Size((-w, 0), (0, 0), "below", number(w))]
    return Design(
        solid,
        facts,
        (("front",), ("front", "right"), ("front", "iso")),
        {"front": front, "right": side},
        poses=("as_drawn", "on_back"),
    )


FAMILIES = (
    Family(
        "spur_gear",
        ("spur gear", "gear", "gear wheel"),
        ("平歯車", "歯車", "スパーギヤ"),
        ("S45C", "SCM435", "POM", "MC901", "C3604"),
        "GR",
        _gear_params,
        _spur_gear,
    ),
    Family(
        "sprocket",
        ("sprocket", "chain wheel", "roller chain sprocket"),
        ("スプロケット", "鎖歯車"),
        ("S45C", "SUS304"),
        "SK",
        _gear_params,
        _sprocket,
    ),
    Family(
        "rack", ("gear rack", "toothed rack"), ("ラック", "歯竿"), ("S45C", "POM", "SUS304"), "RK", _rack_params, _rack
    ),
)
