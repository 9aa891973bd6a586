"""What turns and transmits: pulleys, couplings, keys, crankshafts."""

from random import Random

from cmrcli.samples.annotate import Axis, Note, Ring, Size, cross_axes, number
from cmrcli.samples.design import (
    TO_X,
    Design,
    Family,
    Params,
    count,
    mm,
    profile_section,
)
from cmrcli.samples.displaylist import Point, arc_points
from cmrcli.samples.outline import Outline, pitch_circle
from cmrcli.samples.solid import Solid, extrude, revolve
from cmrcli.samples.trades.axisymmetric import (
    ROUND,
    SIDE_ROUND,
    along_axis,
    bore_flags,
    disc_with_holes,
)


def _pulley_params(rng: Random) -> Params:
    return {
        "outer": rng.choice((63, 71, 80, 90, 100, 112, 125, 150, 180, 200)),
        "grooves": rng.choice((1, 1, 2, 3, 4)),
        "bore": rng.choice((14, 18, 20, 24, 28)),
        "groove": rng.choice((9, 12, 15)),
        "spokes": rng.choice((0, 0, 4, 5, 6)),
    }


def _pulley(p: Params) -> Design:
    r, b, g, n = p["outer"] / 2, p["bore"] / 2, p["groove"], int(p["grooves"])
    width = n * (g + 4) + 6
    rim = r - g - 5
    hub = min(b * 2.0, rim * 0.6)
    depth = g * 0.95
    outside: list[tuple[float, float]] = [(0.0, r)]
    x = 3.0
    for _ in range(n):
        outside += [(x + 2, r), (x + 2 + g * 0.3, r - depth), (x + 2 + g * 0.7, r - depth), (x + 2 + g, r)]
        x += g + 4
    outside.append((width, r))
    web = 0.3 * width
    a, z = width / 2 - web / 2, width / 2 + web / 2
    inner = [
        (width, rim),
        (z, rim),
        (z, hub),
        (width + 4, hub),
        (width + 4, b),
        (-4.0, b),
        (-4.0, hub),
        (a, hub),
        (a, rim),
    ]
    profile = [(0.0, rim), *outside, *inner]
    flags = [False] * (len(profile) - 5) + [True] + [False] * 4
    solid = revolve(profile, hidden=flags)
    if p["spokes"] and rim - hub > 12:
        solid = revolve([(0.0, rim), *outside, (width, rim)])
        solid += revolve([(-4, b), (-4, hub), (width + 4, hub), (width + 4, b)], hidden=[False, False, True, True])
        mid, size = (rim + hub) / 2, (rim - hub) * 0.42
        holes = [
            Outline.disc(u, v, min(size, mid * 2.2 / p["spokes"]), 20)
            for u, v in pitch_circle(int(p["spokes"]), mid, 90)
        ]
        solid += disc_with_holes(a, z, rim + 1, hub - 1, holes)
    front = [
        *along_axis(-4, width + 4),
        Size((0, r), (width, r), "above", number(width)),
        Size((0, -r), (0, r), "left", f"Ø{number(2 * r)}", 1),
        Size((0, -b), (0, b), "left", f"Ø{number(2 * b)} H7"),
    ]
    facts = (
        mm("outer diameter", "外径", p["outer"]),
        count("V groove", "V溝", n),
        mm("bore", "軸穴径", p["bore"]),
        mm("width", "幅", width),
    )
    section = {"front": profile_section(profile)}
    return Design(solid, facts, SIDE_ROUND, {"front": front, "right": cross_axes(0, 0, r)}, section, poses=ROUND)


def _coupling_params(rng: Random) -> Params:
    bore = rng.choice((16, 20, 25, 30, 35, 40, 50))
    return {"bore": bore, "holes": rng.choice((4, 6)), "hole": rng.choice((9, 11, 13)), "length": bore * 2.6}


def _coupling(p: Params) -> Design:
    b, length = p["bore"] / 2, p["length"]
    hub, ring = b * 1.8, b * 1.8 + p["hole"] * 1.1
    r = ring + p["hole"] * 1.2
    t, gap = length * 0.16, length * 0.012
    profile = [
        (0.0, b),
        (0.0, hub),
        (length / 2 - t, hub),
        (length / 2 - t, r),
        (length / 2 - gap, r),
        (length / 2 - gap, b),
    ]
    other = [(length - x, y) for x, y in reversed(profile)]
    solid = revolve(profile, hidden=bore_flags(profile)) + revolve(other, hidden=bore_flags(other))
    for y, z in pitch_circle(int(p["holes"]), ring, 90):
        head = extrude(Outline.regular(0, 0, 6, p["hole"] * 1.5), 0, p["hole"] * 0.6).moved(turn=TO_X)
        solid += head.moved((length / 2 + t, y, z)).toned("black_oxide")
        solid += head.moved((length / 2 - t - p["hole"] * 0.6, y, z)).toned("black_oxide")
    front = [
        *along_axis(0, length),
        Size((0, -r), (length, -r), "below", number(length)),
        Size((0, -hub), (0, hub), "left", f"Ø{number(2 * hub)}"),
        Size((0, -r), (0, r), "left", f"Ø{number(round(2 * r, 1))}", 1),
    ]
    facts = (
        mm("bore", "軸穴径", p["bore"]),
        mm("outer diameter", "外径", round(2 * r, 1)),
        count("bolt", "ボルト", p["holes"]),
        ("two halves bolted together", "2分割ボルト締結"),
    )
    section = {"front": profile_section(profile) + profile_section(other)}
    notes = {"front": front, "right": [*cross_axes(0, 0, r), Ring(ring)]}
    return Design(solid, facts, SIDE_ROUND, notes, section, poses=("as_drawn", "as_drawn", "x_up"))


def _key_params(rng: Random) -> Params:
    b = rng.choice((4, 5, 6, 8, 10, 12, 14))
    return {
        "width": b,
        "height": b if b < 8 else b - 2,
        "length": b * rng.choice((2.5, 4, 5, 6)),
        "ends": rng.choice((0, 1, 1)),
    }


def _key(p: Params) -> Design:
    b, h, n = p["width"], p["height"], p["length"]
    outline = Outline.slot(0, 0, n - b, b) if p["ends"] else Outline.rect(-n / 2, -b / 2, n / 2, b / 2, 0.3)
    solid = extrude(outline, 0, h)
    front: list[Note] = [
        Size((n / 2, 0), (n / 2, h), "right", number(h)),
        Size((-n / 2, 0), (n / 2, 0), "below", number(n)),
    ]
    top: list[Note] = [
        Axis((-n / 2, 0), (n / 2, 0)),
        Size((-n / 2, -b / 2), (-n / 2, b / 2), "left", f"{number(b)} h9"),
    ]
    facts = (
        (f"{number(b)}x{number(h)}x{number(n)}", f"{number(b)}×{number(h)}×{number(n)}"),
        ("round ends", "両丸形") if p["ends"] else ("square ends", "両角形"),
        mm("length", "長さ", n),
    )
    return Design(
        solid,
        facts,
        (("front", "top"), ("front", "top", "right"), ("front", "top", "iso")),
        {"front": front, "top": top},
    )


def _crank_params(rng: Random) -> Params:
    return {
        "throws": rng.choice((1, 2, 3, 4)),
        "journal": rng.choice((20, 25, 30, 40)),
        "throw": rng.choice((15, 20, 25, 30)),
    }


def _crank(p: Params) -> Design:
    r, e, n = p["journal"] / 2, p["throw"], int(p["throws"])
    w, web = 1.1 * r, 0.6 * r
    solid, x = Solid(), 0.0

    def journal(length: float, z: float, y: float = 0.0) -> None:
        nonlocal solid, x
        solid += revolve([(x, 0), (x, r * 0.95), (x + length, r * 0.95), (x + length, 0)]).moved((0, y, z))
        x += length

    journal(2.2 * r, 0)
    for k in range(n):
        s = 1 if k % 2 == 0 else -1
        outline: list[Point] = (
            [*arc_points((0, s * e), r * 1.3, 0, 180, 14)] if s > 0 else [*arc_points((0, -e), r * 1.3, 180, 360, 14)]
        )
        outline += (
            [*arc_points((0, -s * r * 0.3), r * 1.75, 180, 360, 14)]
            if s > 0
            else [*arc_points((0, r * 0.3), r * 1.75, 0, 180, 14)]
        )
        cheek = extrude(Outline.of(outline), 0, web).moved(turn=TO_X)
        solid += cheek.moved((x, 0, 0))
        x += web
        journal(w, s * e)
        solid += cheek.moved((x, 0, 0))
        x += web
        if k < n - 1:
            journal(w, 0)
    journal(2.6 * r, 0)
    big = e + 1.3 * r
    front: list[Note] = [
        *along_axis(0, x),
        Size((0, -big), (x, -big), "below", number(round(x, 1))),
        Size((0, -r), (0, r), "left", f"Ø{number(2 * r)}"),
        Size((x, 0), (x, e), "right", number(e)),
    ]
    facts = (
        count("crank throw", "クランク", n),
        mm("journal diameter", "軸径", p["journal"]),
        mm("throw", "偏心量", e),
    )
    views = (("front",), ("front", "right"), ("front", "iso"))
    notes: dict[str, list[Note]] = {"front": front, "right": cross_axes(0, 0, big)}
    return Design(solid, facts, views, notes, poses=("as_drawn", "on_back"), hidden=False)


FAMILIES = (
    Family(
        "pulley",
        ("V-belt pulley", "pulley", "sheave"),
        ("Vプーリ", "プーリ", "ベルト車"),
        ("FC250", "S45C", "A5052"),
        "PU",
        _pulley_params,
        _pulley,
    ),
    Family(
        "coupling",
        ("flange coupling", "shaft coupling", "rigid coupling"),
        ("フランジ形軸継手", "軸継手", "カップリング"),
        ("S45C", "FC250"),
        "CP",
        _coupling_params,
        _coupling,
    ),
    Family(
        "parallel_key",
        ("parallel key", "shaft key", "feather key"),
        ("平行キー", "キー", "沈みキー"),
        ("S45C", "SUS304"),
        "KY",
        _key_params,
        _key,
    ),
    Family(
        "crankshaft",
        ("crankshaft", "crank shaft"),
        ("クランク軸", "クランクシャフト"),
        ("S45C", "SF440A", "FCD450"),
        "CK",
        _crank_params,
        _crank,
    ),
)
