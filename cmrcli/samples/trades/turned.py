"""Turned parts: shafts, bushes, knobs, rollers, pistons, pipe reducers, hose nipples; their axis is the x axis."""

import math
from random import Random

from cmrcli.samples.annotate import Leader, Note, Size, cross_axes, number
from cmrcli.samples.design import (
    TO_X,
    Design,
    Family,
    Params,
    count,
    mm,
    profile_section,
)
from cmrcli.samples.displaylist import arc_points
from cmrcli.samples.outline import Outline
from cmrcli.samples.solid import extrude, revolve
from cmrcli.samples.trades.axisymmetric import (
    ROUND,
    SIDE_ROUND,
    along_axis,
    bore_flags,
)


def _shaft_params(rng: Random) -> Params:
    big = rng.choice((20, 25, 30, 35, 40, 50, 60))
    steps = rng.choice((3, 4, 5))
    out: Params = {"largest": big, "steps": steps, "keyway": rng.choice((0, 1, 1))}
    peak = rng.randrange(1, steps - 1) if steps > 2 else 0
    for i in range(steps):
        out[f"d{i}"] = max(8, big - abs(i - peak) * rng.choice((5, 6, 8)))
        out[f"l{i}"] = rng.choice((15, 20, 25, 30, 40, 50, 60, 80)) * (1 + (i == peak))
    return out


def _shaft(p: Params) -> Design:
    n = int(p["steps"])
    profile: list[tuple[float, float]] = [(0.0, 0.0)]
    front: list[Note] = []
    x = 0.0
    for i in range(n):
        r, end = p[f"d{i}"] / 2, x + p[f"l{i}"]
        c = 1.0 if i in (0, n - 1) else 0.0
        profile += [(x, r - c), (x + c, r)] if i == 0 else [(x, r)]
        profile += [(end - c, r), (end, r - c)] if i == n - 1 else [(end, r)]
        front += [
            Size((x, -r), (end, -r), "below", number(p[f"l{i}"])),
            Leader((x + 0.6 * p[f"l{i}"], r), 75, f"Ø{number(2 * r)}{('h7', 'h6', '')[i % 3]}", 8 + 6 * (i % 2)),
        ]
        x = end
    profile.append((x, 0.0))
    solid = revolve(profile)
    big = p["largest"] / 2
    front += [*along_axis(0, x), Size((0, -big), (x, -big), "below", number(x), 1)]
    facts = [mm("overall length", "全長", x), mm("largest diameter", "最大径", p["largest"]), count("step", "段", n)]
    if p["keyway"]:
        # a key seat is cut as a dark pocket: a thin slot-shaped tile standing on the first journal
        r, length = p["d0"] / 2, p["l0"] * 0.6
        slot = Outline.slot(p["l0"] * 0.5, 0, length - p["d0"] * 0.25, p["d0"] * 0.25)
        solid += extrude(slot, r * 0.93, r * 1.005).toned("rubber")
        facts.append(("with a keyway", "キー溝付き"))
    arrangements = (("front",), ("front", "right"), ("front", "right", "iso"), ("front", "iso"))
    notes = {"front": front, "right": cross_axes(0, 0, big)}
    return Design(solid, tuple(facts), arrangements, notes, poses=("as_drawn",) * 5 + ("x_up",), hidden=False)


def _bush_params(rng: Random) -> Params:
    bore = rng.choice((6, 8, 10, 12, 16, 20, 25, 30, 40, 50))
    wall = rng.choice((2, 3, 4, 5, 7.5))
    return {
        "bore": bore,
        "outer": bore + 2 * wall,
        "length": bore * rng.choice((0.8, 1, 1.5, 2)),
        "collar": rng.choice((0, 0, 1)),
        "groove": rng.choice((0, 1)),
    }


def _bush(p: Params) -> Design:
    b, r, n = p["bore"] / 2, p["outer"] / 2, p["length"]
    collar = r * 1.35 if p["collar"] else r
    c = 0.06 * p["outer"]
    start = [(0.0, b), (0.0, collar - c), (c, collar)]
    rim = [(0.18 * n, collar), (0.18 * n, r)] if p["collar"] else []
    middle = [(0.55 * n, r), (0.55 * n, r * 0.93), (0.65 * n, r * 0.93), (0.65 * n, r)] if p["groove"] else []
    profile = [*start, *rim, *middle, (n - c, r), (n, r - c), (n, b)]
    solid = revolve(profile, hidden=bore_flags(profile))
    front = [
        *along_axis(0, n),
        Size((0, -r), (n, -r), "below", number(n)),
        Size((n, -r), (n, r), "right", f"Ø{number(2 * r)} h7", 1),
        Size((n, -b), (n, b), "right", f"Ø{number(2 * b)} H7"),
    ]
    facts = [mm("bore", "内径", p["bore"]), mm("outer diameter", "外径", p["outer"]), mm("length", "長さ", n)]
    if p["collar"]:
        facts.append(("with a collar", "つば付き"))
    notes = {"front": front, "right": cross_axes(0, 0, collar)}
    return Design(solid, tuple(facts), SIDE_ROUND, notes, {"front": profile_section(profile)}, poses=ROUND)


def _knob_params(rng: Random) -> Params:
    return {
        "diameter": rng.choice((20, 25, 32, 40, 50, 63)),
        "lobes": rng.choice((0, 0, 3, 5, 6, 7)),
        "thread": rng.choice((5, 6, 8, 10)),
        "stud": rng.choice((0, 10, 16, 25)),
    }


def _knob(p: Params) -> Design:
    r, m = p["diameter"] / 2, p["thread"] / 2
    h, stem = p["diameter"] * 0.5, p["diameter"] * 0.35
    neck = [(0.0, 0.0), (0.0, max(m * 1.8, r * 0.42)), (stem, max(m * 1.5, r * 0.34))]
    if p["lobes"]:
        n = int(p["lobes"])
        wave = [math.radians(i * 3.0) for i in range(120)]
        points = [
            (r * (0.86 + 0.14 * math.cos(n * a)) * math.sin(a), r * (0.86 + 0.14 * math.cos(n * a)) * math.cos(a))
            for a in wave
        ]
        solid = extrude(Outline.of(points), stem, stem + h).moved(turn=TO_X)
        solid += revolve([*neck, (stem, 0)]) + revolve(
            [(stem + h, 0), (stem + h, r * 0.5), (stem + h * 1.06, r * 0.4), (stem + h * 1.06, 0)]
        )
    else:
        ball = [(x, y) for x, y in reversed(arc_points((stem + h, 0), r, 0, 155, 16))]
        solid = revolve([*neck, *ball[1:-1], (stem + h + r, 0.0)])
    if p["stud"]:
        stud = [(-p["stud"], 0.0), (-p["stud"], m * 0.85), (-p["stud"] + m * 0.3, m), (0.0, m), (0.0, 0.0)]
        solid += revolve(stud).toned("zinc")
    end = stem + h + (0 if p["lobes"] else r)
    front = [
        *along_axis(-p["stud"], end),
        Size((0, -r), (end, -r), "below", number(round(end, 1))),
        Size((end, -r), (end, r), "right", f"Ø{number(2 * r)}"),
        Leader((0 if not p["stud"] else -p["stud"] / 2, m), 110, f"M{number(2 * m)}", 14),
    ]
    facts = [mm("diameter", "直径", p["diameter"]), (f"M{number(2 * m)} thread", f"ねじM{number(2 * m)}")]
    facts.append(count("lobe", "ローブ", p["lobes"]) if p["lobes"] else ("ball shaped", "球形"))
    if p["stud"]:
        facts.append(("with a threaded stud", "おねじ付き"))
    notes = {"front": front, "right": cross_axes(0, 0, r)}
    return Design(solid, tuple(facts), SIDE_ROUND, notes, poses=("as_drawn", "x_up", "x_up"), hidden=False)


def _roller_params(rng: Random) -> Params:
    d = rng.choice((25, 32, 38, 50, 60, 76))
    return {"diameter": d, "length": d * rng.choice((3, 4, 6, 8)), "shaft": rng.choice((8, 10, 12, 15, 20))}


def _roller(p: Params) -> Design:
    r, n, s = p["diameter"] / 2, p["length"], min(p["shaft"], p["diameter"] * 0.6) / 2
    e = s * 3
    solid = revolve([(0, 0), (0, r - 1.5), (1.5, r), (n - 1.5, r), (n, r - 1.5), (n, 0)]).toned("rubber")
    solid += revolve([(-e, 0), (-e, s - 0.8), (-e + 0.8, s), (0, s), (0, 0)])
    solid += revolve([(n, 0), (n, s), (n + e - 0.8, s), (n + e, s - 0.8), (n + e, 0)])
    front = [
        *along_axis(-e, n + e),
        Size((0, -r), (n, -r), "below", number(n)),
        Size((-e, -r), (n + e, -r), "below", number(n + 2 * e), 1),
        Size((n, -r), (n, r), "right", f"Ø{number(2 * r)}", 1),
        Size((n + e, -s), (n + e, s), "right", f"Ø{number(2 * s)}"),
    ]
    facts = (mm("diameter", "直径", p["diameter"]), mm("face length", "面長", n), ("rubber covered", "ゴム巻き"))
    notes = {"front": front, "right": cross_axes(0, 0, r)}
    return Design(solid, facts, (("front",), ("front", "right"), ("front", "iso")), notes, hidden=False)


def _piston_params(rng: Random) -> Params:
    d = rng.choice((40, 50, 63, 70, 80, 100))
    return {"diameter": d, "height": d * rng.choice((0.8, 0.9, 1.1)), "rings": rng.choice((2, 3)), "pin": d * 0.25}


def _piston(p: Params) -> Design:
    r, h, n = p["diameter"] / 2, p["height"], int(p["rings"])
    outside: list[tuple[float, float]] = [(0.0, r)]
    skirt = h * 0.55
    outside.append((skirt, r))
    x = skirt
    pitch = (h - skirt) / (n + 1)
    for _ in range(n):
        outside += [(x + 0.3 * pitch, r), (x + 0.3 * pitch, r * 0.9), (x + 0.7 * pitch, r * 0.9), (x + 0.7 * pitch, r)]
        x += pitch
    wall = r * 0.82
    profile = [
        (0.0, wall),
        *outside,
        (h - 1, r),
        (h, r - 1),
        (h, 0.0),
        (h * 0.78, 0.0),
        (h * 0.78, wall * 0.85),
        (h * 0.6, wall),
    ]
    flags = [False] * (len(profile) - 4) + [True] * 4
    solid = revolve(profile, hidden=flags)
    for side in (-1, 1):
        boss = revolve([(0, p["pin"] * 0.3), (0, p["pin"] / 2), (1.2, p["pin"] / 2), (1.2, p["pin"] * 0.3)])
        turned = boss.moved(turn=TO_X @ TO_X) if side > 0 else boss.moved((-1.2, 0, 0)).moved(turn=TO_X @ TO_X)
        solid += turned.moved((h * 0.32, 0, side * (r - 0.3)))
    front = [
        *along_axis(0, h),
        Size((0, -r), (h, -r), "below", number(round(h, 1))),
        Size((0, -r), (0, r), "left", f"Ø{number(2 * r)}"),
    ]
    facts = (
        mm("diameter", "直径", p["diameter"]),
        count("ring groove", "リング溝", n),
        mm("height", "高さ", round(h, 1)),
    )
    notes: dict[str, list[Note]] = {"front": front, "right": cross_axes(0, 0, r), "left": cross_axes(0, 0, r)}
    section = {"front": profile_section(profile)}
    return Design(solid, facts, (("front", "left"), ("front", "iso"), ("front",)), notes, section, poses=ROUND)


def _reducer_params(rng: Random) -> Params:
    big = rng.choice((48.6, 60.5, 76.3, 89.1, 114.3, 139.8, 165.2))
    return {
        "large": big,
        "small": round(big * rng.choice((0.5, 0.6, 0.7)), 1),
        "length": big * rng.choice((0.9, 1.2)),
        "wall": 4,
    }


def _reducer(p: Params) -> Design:
    a, c, n, w = p["large"] / 2, p["small"] / 2, p["length"], p["wall"]
    s = [(0.18 * n + 0.64 * n * t / 8, a + (c - a) * (3 * (t / 8) ** 2 - 2 * (t / 8) ** 3)) for t in range(9)]
    inner = [(x, r - w) for x, r in reversed(s)]
    profile = [(0.0, a - w), (0.0, a), *s, (n, c), (n, c - w), *inner]
    flags = [False] * (len(s) + 2) + [True] * (len(s) + 2)
    solid = revolve(profile, hidden=flags[: len(profile)])
    front = [
        *along_axis(0, n),
        Size((0, -a), (n, -a), "below", number(round(n, 1))),
        Size((0, -a), (0, a), "left", f"Ø{number(2 * a)}"),
        Size((n, -c), (n, c), "right", f"Ø{number(2 * c)}"),
    ]
    facts = (
        mm("large end", "大径側", p["large"]),
        mm("small end", "小径側", p["small"]),
        mm("length", "長さ", round(n, 1)),
    )
    notes = {"front": front, "right": cross_axes(0, 0, a)}
    return Design(solid, facts, SIDE_ROUND, notes, {"front": profile_section(profile)}, poses=ROUND)


def _nipple_params(rng: Random) -> Params:
    return {
        "hose": rng.choice((6, 8, 10, 12, 16, 19, 25)),
        "barbs": rng.choice((3, 4, 5)),
        "thread": rng.choice((10, 13, 17, 21)),
    }


def _nipple(p: Params) -> Design:
    h, n, t = p["hose"] / 2, int(p["barbs"]), p["thread"] / 2
    b, pitch = h * 0.6, h * 0.9
    outside: list[tuple[float, float]] = [(0.0, t * 0.9), (t * 0.15, t), (t * 1.6, t), (t * 1.6, h)]
    hexagon = max(t, h) * 2.5
    x = t * 1.6 + hexagon * 0.4
    outside += [(x, h)]
    for i in range(n):
        outside += [(x + pitch * 0.15, h * 1.18), (x + pitch * (0.95 if i < n - 1 else 1.0), h * 0.95)]
        x += pitch
    profile = [(0.0, b), *outside, (x, b)]
    solid = revolve(profile, hidden=[False] * (len(profile) - 2) + [True, True])
    solid += extrude(Outline.regular(0, 0, 6, hexagon), t * 1.6, t * 1.6 + hexagon * 0.4).moved(turn=TO_X)
    r = hexagon / 2
    front = [
        *along_axis(0, x),
        Size((0, -r), (x, -r), "below", number(round(x, 1))),
        Leader((t, t), 100, f"R{number(round(t / 8, 1))}", 10),
        Leader((x - pitch, h), 60, f"Ø{number(2 * h)}", 10),
    ]
    facts = (
        mm("hose bore", "ホース内径", p["hose"]),
        count("barb", "竹の子", n),
        ("hexagon for the spanner", "六角部付き"),
    )
    notes = {"front": front, "right": cross_axes(0, 0, r)}
    return Design(solid, facts, SIDE_ROUND, notes, poses=("as_drawn", "x_up", "x_down"))


FAMILIES = (
    Family(
        "stepped_shaft",
        ("stepped shaft", "shaft", "drive shaft", "spindle"),
        ("段付き軸", "シャフト", "駆動軸"),
        ("S45C", "SCM435", "SUS304"),
        "SH",
        _shaft_params,
        _shaft,
    ),
    Family(
        "bush",
        ("bush", "bushing", "plain bearing", "sleeve bearing"),
        ("ブッシュ", "すべり軸受", "スリーブ"),
        ("CAC406", "C3604", "POM", "S45C"),
        "BU",
        _bush_params,
        _bush,
    ),
    Family(
        "knob",
        ("knob", "clamping knob", "grip knob"),
        ("ノブ", "つまみ", "グリップ"),
        ("PF", "ABS", "A5052"),
        "KN",
        _knob_params,
        _knob,
    ),
    Family(
        "roller",
        ("roller", "conveyor roller", "rubber roller"),
        ("ローラ", "コンベヤローラ", "ゴムローラ"),
        ("S45C", "SUS304"),
        "RL",
        _roller_params,
        _roller,
    ),
    Family(
        "piston",
        ("piston", "engine piston"),
        ("ピストン", "エンジンピストン"),
        ("A5052", "FC250"),
        "PT",
        _piston_params,
        _piston,
    ),
    Family(
        "reducer",
        ("concentric reducer", "pipe reducer", "reducer"),
        ("レジューサ", "同心レジューサ", "径違い継手"),
        ("SGP", "SUS304"),
        "RD",
        _reducer_params,
        _reducer,
    ),
    Family(
        "hose_nipple",
        ("hose nipple", "hose barb", "barbed fitting"),
        ("ホースニップル", "竹の子継手"),
        ("C3604", "SUS304"),
        "HN",
        _nipple_params,
        _nipple,
    ),
)
