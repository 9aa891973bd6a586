"""Bearings and what holds them."""

import math
from random import Random

from cmrcli.samples.annotate import Axis, Leader, Note, Ring, Size, cross_axes, number
from cmrcli.samples.design import (
    TO_FRONT,
    TO_X,
    UP,
    Design,
    Family,
    Params,
    count,
    drilled,
    mm,
    profile_section,
)
from cmrcli.samples.displaylist import Circle, Line, Point, Polyline, arc_points
from cmrcli.samples.outline import Outline, pitch_circle
from cmrcli.samples.solid import extrude, revolve, rotation
from cmrcli.samples.trades.axisymmetric import (
    ROUND,
    SIDE_ROUND,
    along_axis,
    ball,
)


def _bearing_params(rng: Random) -> Params:
    bore = rng.choice((8, 10, 12, 15, 17, 20, 25, 30, 35, 40, 50))
    outer = round(bore * rng.choice((1.7, 1.9, 2.1)) + 6)
    return {
        "bore": bore,
        "outer": outer,
        "width": round((outer - bore) * 0.42),
        "balls": rng.choice((7, 8, 9, 10)),
        "shield": rng.choice((0, 0, 1)),
    }


def _bearing(p: Params) -> Design:
    b, r, w, n = p["bore"] / 2, p["outer"] / 2, p["width"], int(p["balls"])
    h, middle = r - b, (r + b) / 2
    inner, outer, q = b + 0.3 * h, r - 0.3 * h, 0.27 * h
    a = math.degrees(math.acos(min(1.0, (middle - inner) / q)))
    groove_in = [
        (w / 2 + q * math.sin(math.radians(t)), middle - q * math.cos(math.radians(t)))
        for t in (-a, -a / 2, 0, a / 2, a)
    ]
    groove_out = [
        (w / 2 + q * math.sin(math.radians(t)), middle + q * math.cos(math.radians(t)))
        for t in (a, a / 2, 0, -a / 2, -a)
    ]
    c = 0.06 * h
    race_in = [(0.0, b + c), (0.0, inner), *groove_in, (w, inner), (w, b + c), (w - c, b), (c, b)]
    race_out = [(0.0, outer), (0.0, r - c), (c, r), (w - c, r), (w, r - c), (w, outer), *groove_out]
    k = len(race_in)
    solid = revolve(race_in, hidden=[False] * (k - 3) + [True] * 3) + revolve(race_out)
    if p["shield"]:
        for x in (0.08 * w, 0.86 * w):
            solid += revolve([(x, inner), (x, outer), (x + 0.06 * w, outer), (x + 0.06 * w, inner)]).toned(
                "rubber" if n % 2 else "zinc"
            )
    else:
        for y, z in pitch_circle(n, middle, 90):
            solid += ball(q).moved((w / 2, y, z)).toned("bright")
        solid += revolve(
            [
                (w * 0.42, middle - 0.25 * q),
                (w * 0.42, middle + 0.25 * q),
                (w * 0.58, middle + 0.25 * q),
                (w * 0.58, middle - 0.25 * q),
            ]
        ).toned("brass")
    front: list[Note] = [
        *along_axis(0, w),
        Axis((w / 2, middle - q), (w / 2, middle + q)),
        Size((0, -r), (w, -r), "below", number(w)),
        Size((0, -r), (0, r), "left", f"Ø{number(2 * r)}", 1),
        Size((0, -b), (0, b), "left", f"Ø{number(2 * b)}"),
    ]
    section = profile_section(race_in) + profile_section(race_out)
    section += [Circle((w / 2, s * middle), q) for s in (1, -1)]
    side: list[Note] = [*cross_axes(0, 0, r)]
    facts = (
        mm("bore", "内径", p["bore"]),
        mm("outer diameter", "外径", p["outer"]),
        mm("width", "幅", w),
        ("with shields", "シールド付き") if p["shield"] else count("ball", "玉", n),
    )
    return Design(
        solid, facts, SIDE_ROUND, {"front": front, "right": side}, {"front": section}, poses=ROUND, hidden=False
    )


def _roller_bearing(p: Params) -> Design:
    b, r, w, n = p["bore"] / 2, p["outer"] / 2, p["width"] * 1.15, int(p["balls"]) + 5
    h, middle = r - b, (r + b) / 2
    c = 0.05 * h
    race_in = [
        (0.0, b + c),
        (0.0, b + 0.34 * h),
        (0.12 * w, b + 0.34 * h),
        (0.12 * w, b + 0.27 * h),
        (0.88 * w, b + 0.27 * h),
        (0.88 * w, b + 0.34 * h),
        (w, b + 0.34 * h),
        (w, b + c),
        (w - c, b),
        (c, b),
    ]
    race_out = [(0.0, r - 0.27 * h), (0.0, r - c), (c, r), (w - c, r), (w, r - c), (w, r - 0.27 * h)]
    solid = revolve(race_in, hidden=[False] * 7 + [True] * 3) + revolve(race_out)
    q = 0.23 * h
    for y, z in pitch_circle(n, middle, 90):
        solid += (
            revolve(
                [(0.14 * w, 0), (0.14 * w, q * 0.9), (0.17 * w, q), (0.83 * w, q), (0.86 * w, q * 0.9), (0.86 * w, 0)],
                segments=16,
            )
            .moved((0, y, z))
            .toned("bright")
        )
    front: list[Note] = [
        *along_axis(0, w),
        Size((0, -r), (w, -r), "below", number(round(w, 1))),
        Size((0, -r), (0, r), "left", f"Ø{number(2 * r)}", 1),
        Size((0, -b), (0, b), "left", f"Ø{number(2 * b)}"),
    ]
    section = profile_section(race_in) + profile_section(race_out)
    for s in (1, -1):
        section.append(
            Polyline(
                (
                    (0.14 * w, s * (middle - q)),
                    (0.86 * w, s * (middle - q)),
                    (0.86 * w, s * (middle + q)),
                    (0.14 * w, s * (middle + q)),
                ),
                True,
            )
        )
        section += [
            Line((0.14 * w, s * (middle - q)), (0.86 * w, s * (middle + q)), "THIN"),
            Line((0.14 * w, s * (middle + q)), (0.86 * w, s * (middle - q)), "THIN"),
        ]
    facts = (mm("bore", "内径", p["bore"]), mm("outer diameter", "外径", p["outer"]), count("roller", "ころ", n))
    return Design(
        solid,
        facts,
        SIDE_ROUND,
        {"front": front, "right": [*cross_axes(0, 0, r)]},
        {"front": section},
        poses=ROUND,
        hidden=False,
    )


def _pillow_params(rng: Random) -> Params:
    return {
        "bore": rng.choice((12, 15, 20, 25, 30, 35, 40, 50)),
        "slots": rng.choice((0, 1)),
        "width": rng.choice((0.9, 1.1, 1.3)),
    }


def _pillow(p: Params) -> Design:
    b = p["bore"] / 2
    r, base, w = b * 2.0 + 8, b * 0.5 + 6, (b * 1.3 + 14) * p["width"]
    h, half = r + base * 0.6, r * 2.1
    hole, at = b * 0.3 + 4, r * 1.6
    foot_holes = [
        Outline.slot(s * at, 0, hole * 0.7, hole) if p["slots"] else Outline.disc(s * at, 0, hole / 2, 20)
        for s in (1, -1)
    ]
    solid = extrude(Outline.rect(-half, -w / 2, half, w / 2, w * 0.2), 0, base, foot_holes)
    tower: list[Point] = [(-r * 1.15, base), (r * 1.15, base), *arc_points((0, h), r, -5, 185, 30)]
    body = extrude(Outline.of(tower), -w * 0.42, w * 0.42, [Outline.disc(0, h, b * 1.55, 40)])
    solid += body.moved(turn=TO_FRONT)
    insert = [
        (-w * 0.5, b),
        (-w * 0.5, b * 1.25),
        (-w * 0.4, b * 1.25),
        (-w * 0.4, b * 1.56),
        (w * 0.4, b * 1.56),
        (w * 0.4, b * 1.25),
        (w * 0.5, b * 1.25),
        (w * 0.5, b),
    ]
    solid += revolve(insert, hidden=[False] * 7 + [True]).moved(turn=rotation("z", 90)).moved((0, 0, h)).toned("bright")
    nipple = revolve([(0, 0), (0, 3), (5, 3), (5, 1.8), (9, 2.4), (10, 0)]).moved(turn=UP).toned("brass")
    solid += nipple.moved((0, 0, h + r - 1))
    top = h + r
    front: list[Note] = [
        Axis((0, 0), (0, top)),
        Axis((-r, h), (r, h)),
        *[Axis((s * at, 0), (s * at, base)) for s in (1, -1)],
        Size((-at, 0), (at, 0), "below", number(round(2 * at))),
        Size((-half, 0), (half, 0), "below", number(round(2 * half)), 1),
        Size((half, 0), (0, h), "right", number(round(h, 1))),
        Leader((b * 0.71, h + b * 0.71), 40, f"Ø{number(2 * b)}", 26),
    ]
    side: list[Note] = [Size((-w / 2, 0), (w / 2, 0), "below", number(round(w, 1)))]
    facts = (
        mm("shaft diameter", "軸径", p["bore"]),
        mm("centre height", "軸心高さ", round(h, 1)),
        ("two slotted holes", "長穴2箇所") if p["slots"] else ("two mounting holes", "取付穴2箇所"),
    )
    views = (("front", "right"), ("front",), ("front", "top"), ("front", "right", "top"), ("front", "iso"))
    return Design(
        solid, facts, views, {"front": front, "right": side}, poses=("as_drawn", "as_drawn", "as_drawn", "on_back")
    )


def _housing_params(rng: Random) -> Params:
    return {
        "bore": rng.choice((26, 30, 35, 42, 47, 52, 62, 72)),
        "holes": rng.choice((3, 4, 4)),
        "square": rng.choice((0, 1, 1)),
        "depth": rng.choice((0.5, 0.7, 0.9)),
    }


def _housing(p: Params) -> Design:
    b = p["bore"] / 2
    hub, flange, d = b * 1.35 + 3, b * 1.35 + 22, p["bore"] * p["depth"] + 8
    t, hole, lip = 10.0, 9.0, b * 0.8
    if p["square"]:
        s = flange * 0.86
        at = [(s * 0.74 * u, s * 0.74 * v) for u in (1, -1) for v in (1, -1)]
        outer, n = Outline.rect(-s, -s, s, s, 12), 4
    else:
        n, s = int(p["holes"]), flange
        at, outer = pitch_circle(n, (hub + flange) / 2, 90), Outline.disc(0, 0, flange, 48)
    holes = [Outline.disc(x, y, hole / 2, 18) for x, y in at]
    solid = extrude(outer, 0, t, [Outline.disc(0, 0, b, 40), *holes]).moved(turn=TO_X)
    barrel = [(t, b), (t, hub + 2), (t + 3, hub), (d, hub), (d + 4, hub - 3), (d + 4, lip), (d, lip), (d, b)]
    solid += revolve(barrel, hidden=[False] * 5 + [True, True, True])
    front: list[Note] = [
        *along_axis(0, d + 4),
        Size((0, -s), (d + 4, -s), "below", number(round(d + 4, 1)), 1),
        Size((0, -s), (t, -s), "below", number(t)),
        Size((0, -b), (0, b), "left", f"Ø{number(2 * b)} H7"),
        Size((d + 4, -hub), (d + 4, hub), "right", f"Ø{number(round(2 * hub, 1))}"),
    ]
    right: list[Note] = [
        *([] if p["square"] else [Ring((hub + flange) / 2)]),
        *cross_axes(0, 0, s),
        Leader((at[0][0] + 3, at[0][1] + 3), 40, drilled(n, hole), 14),
        Size((-s, -s if p["square"] else 0), (s, -s if p["square"] else 0), "below", number(round(2 * s, 1))),
    ]
    loop = [(0.0, b), (0.0, s), (t, s), (t, hub + 2), *barrel[2:]]
    section = {"front": profile_section(loop)}
    facts = (
        mm("bearing seat", "軸受穴", p["bore"]),
        count("mounting hole", "取付穴", n),
        ("square flange", "角フランジ") if p["square"] else ("round flange", "丸フランジ"),
    )
    return Design(
        solid,
        facts,
        SIDE_ROUND,
        {"front": front, "right": right},
        section,
        poses=("as_drawn", "x_up", "x_up", "x_down"),
    )


FAMILIES = (
    Family(
        "ball_bearing",
        ("ball bearing", "deep groove ball bearing", "bearing"),
        ("玉軸受", "深溝玉軸受", "ボールベアリング"),
        ("SUJ2",),
        "BB",
        _bearing_params,
        _bearing,
    ),
    Family(
        "roller_bearing",
        ("cylindrical roller bearing", "roller bearing"),
        ("円筒ころ軸受", "ローラベアリング"),
        ("SUJ2",),
        "RB",
        _bearing_params,
        _roller_bearing,
    ),
    Family(
        "pillow_block",
        ("pillow block", "plummer block", "pillow block bearing"),
        ("ピローブロック", "ピロー形軸受ユニット"),
        ("FC250", "FCD450"),
        "PL",
        _pillow_params,
        _pillow,
    ),
    Family(
        "bearing_housing",
        ("bearing housing", "flanged bearing holder", "bearing case"),
        ("軸受箱", "ベアリングハウジング", "軸受ホルダ"),
        ("FC250", "S45C", "A5052", "SS400"),
        "BH",
        _housing_params,
        _housing,
    ),
)
