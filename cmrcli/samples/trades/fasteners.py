"""Nuts, washers, pins and rings; their axis is the x axis."""

import math
from random import Random

import numpy as np

from cmrcli.samples.annotate import Axis, Leader, Note, Size, cross_axes, number
from cmrcli.samples.design import (
    TO_FRONT,
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
from cmrcli.samples.solid import Curve, Facets, Patch, Solid, extrude, revolve, rotation
from cmrcli.samples.trades.axisymmetric import (
    along_axis,
    bore_flags,
)
from cmrcli.samples.trades.screws import LYING, SIZES

FLAT = ("x_up", "x_up", "x_up", "x_down", "as_drawn")


def _nut_params(rng: Random) -> Params:
    d = rng.choice(SIZES)
    return {"thread": d, "height": round(d * rng.choice((0.5, 0.8, 0.8, 1.0)), 1), "flats": round(1.55 * d + 1)}


def _nut(p: Params) -> Design:
    b, h, flats = p["thread"] / 2, p["height"], p["flats"]
    solid = extrude(Outline.regular(0, 0, 6, flats, 90), 0, h, [Outline.disc(0, 0, b * 0.88, 32)]).moved(turn=TO_X)
    for x, s in ((0.0, -1.0), (h, 1.0)):
        e = s * 0.04 * flats
        rim = [(x, b), (x + e, b * 1.05), (x + e, flats * 0.46), (x, flats * 0.485)]
        solid += revolve(rim if s < 0 else rim[::-1])
    front: list[Note] = [*along_axis(0, h), Size((0, -flats / 2), (h, -flats / 2), "below", number(h))]
    side: list[Note] = [
        *cross_axes(0, 0, flats / 2),
        Size((-flats / 2, 0), (flats / 2, 0), "below", number(flats)),
        Leader((b * 0.7, b * 0.7), 50, f"M{number(p['thread'])}", 14),
    ]
    facts = (
        (f"M{number(p['thread'])}", f"M{number(p['thread'])}"),
        mm("across flats", "二面幅", flats),
        mm("height", "高さ", h),
    )
    views = (("front", "right"), ("right", "front"), ("right",), ("front", "right", "iso"))
    return Design(solid, facts, views, {"front": front, "right": side}, poses=FLAT)


def _washer_params(rng: Random) -> Params:
    d = rng.choice(SIZES)
    return {
        "bore": d + 0.5,
        "outer": round(d * rng.choice((2, 2.2, 3))),
        "thickness": rng.choice((0.8, 1, 1.6, 2, 2.5, 3, 4)),
    }


def _washer(p: Params) -> Design:
    b, r, t = p["bore"] / 2, p["outer"] / 2, p["thickness"]
    profile = [(0.0, b), (0.0, r), (t, r), (t, b)]
    solid = revolve(profile, hidden=bore_flags(profile))
    front: list[Note] = [*along_axis(0, t), Size((0, -r), (t, -r), "below", number(t))]
    side: list[Note] = [
        *cross_axes(0, 0, r),
        Leader((r * 0.71, r * 0.71), 45, f"Ø{number(2 * r)}", 10),
        Leader((-b * 0.71, b * 0.71), 135, f"Ø{number(2 * b)}", 18),
    ]
    facts = (mm("bore", "内径", p["bore"]), mm("outer diameter", "外径", p["outer"]), mm("thickness", "厚さ", t))
    views = (("front", "right"), ("right",), ("front", "right", "iso"))
    section = {"front": profile_section(profile)}
    return Design(solid, facts, views, {"front": front, "right": side}, section, poses=FLAT)


def _spring_washer(p: Params) -> Design:
    b, r, t = p["bore"] / 2, p["bore"] / 2 * 1.7, p["thickness"] + 0.5
    a = np.radians(np.linspace(95, 445, 60))
    rise = np.linspace(0, 0.9 * t, 60)
    corners = [(b, 0.0), (r, 0.0), (r, t), (b, t)]
    ring = [np.stack([rise + h, q * np.cos(a), q * np.sin(a)], axis=1) for q, h in corners]
    solid = Solid()
    radial = np.stack([np.zeros(60), np.cos(a), np.sin(a)], axis=1)
    for k, normal in enumerate((np.tile([-1.0, 0, 0], (60, 1)), radial, np.tile([1.0, 0, 0], (60, 1)), -radial)):
        grid = np.stack([ring[k], ring[(k + 1) % 4]])
        solid += Solid((Patch(grid, np.stack([normal, normal])),))

    for end, s in ((0, -1.0), (-1, 1.0)):
        q = [c[end] for c in ring]
        tangent = s * np.array([0.0, -math.sin(a[end]), math.cos(a[end])])
        solid += Solid(
            (),
            (Facets(np.array([[q[0], q[1], q[2]], [q[0], q[2], q[3]]]), np.tile(tangent, (2, 1))),),
            (Curve(np.array([*q, q[0]])),),
        )
    solid += Solid((), (), tuple(Curve(c) for c in ring))
    side: list[Note] = [*cross_axes(0, 0, r), Leader((r * 0.71, r * 0.71), 45, f"Ø{number(round(2 * r, 1))}", 10)]
    front: list[Note] = [Size((0, -r), (1.9 * t, -r), "below", number(round(1.9 * t, 1)))]
    facts = (mm("bore", "内径", p["bore"]), mm("thickness", "厚さ", t), ("split ring", "切割り付き"))
    views = (("front", "right"), ("right",), ("front", "right", "iso"))
    return Design(solid, facts, views, {"front": front, "right": side}, poses=FLAT, hidden=False)


def _pin_params(rng: Random) -> Params:
    d = rng.choice((3, 4, 5, 6, 8, 10, 12, 16))
    return {"diameter": d, "length": d * rng.choice((2, 3, 4, 5, 6)), "taper": rng.choice((0, 0, 1))}


def _pin(p: Params) -> Design:
    r, n = p["diameter"] / 2, p["length"]
    small = r - (n / 50 if p["taper"] else 0)
    c = 0.25 * r
    ball = [(n - c + x * 0.6, y) for x, y in reversed(arc_points((0, 0), small, 0, 90, 6))][1:]
    solid = revolve([(0, 0), (0, small - c), (c, small), (n - c, r), *[(x, y * r / small) for x, y in ball]])
    end = n - c + small * 0.6
    front: list[Note] = [
        *along_axis(0, end),
        Size((0, -r), (end, -r), "below", number(n)),
        Size((0, -r), (0, r), "left", f"Ø{number(2 * r)} m6"),
    ]
    facts = [mm("diameter", "直径", p["diameter"]), mm("length", "長さ", n)]
    facts.append(("taper 1:50", "テーパ1/50") if p["taper"] else ("tolerance m6", "公差m6"))
    views = (("front",), ("front", "right"), ("front", "iso"))
    return Design(solid, tuple(facts), views, {"front": front, "right": cross_axes(0, 0, r)}, poses=LYING)


def _o_ring_params(rng: Random) -> Params:
    cord = rng.choice((1.9, 2.4, 3.5, 5.7, 8.4))
    return {"cord": cord, "inner": round(cord * rng.choice((4, 6, 8, 12, 16)), 1)}


def _o_ring(p: Params) -> Design:
    c, r = p["cord"] / 2, (p["inner"] + p["cord"]) / 2
    circle = [(c * math.cos(t), r + c * math.sin(t)) for t in -np.linspace(0, 2 * math.pi, 25)[:-1]]
    solid = revolve(circle, segments=56)
    o = r + c
    front: list[Note] = [*along_axis(-c, c), Size((-c, -o), (c, -o), "below", f"Ø{number(p['cord'])}")]
    side: list[Note] = [*cross_axes(0, 0, o), Size((-r + c, 0), (r - c, 0), "below", f"Ø{number(p['inner'])}")]
    facts = (mm("cord diameter", "線径", p["cord"]), mm("inner diameter", "内径", p["inner"]))
    section = {"front": profile_section(circle)}
    views = (("front", "right"), ("right",), ("front", "right", "iso"))
    return Design(solid, facts, views, {"front": front, "right": side}, section, poses=("x_up",))


def _wing_params(rng: Random) -> Params:
    return {"thread": rng.choice((4, 5, 6, 8, 10, 12))}


def _wing(p: Params) -> Design:
    d = p["thread"]
    profile = [(0.0, d * 0.44), (0.0, d), (d, d * 0.8), (d, d * 0.44)]
    solid = revolve(profile, hidden=bore_flags(profile))
    wing = [
        (0.7 * d, 0.15 * d),
        (1.1 * d, 0.2 * d),
        (2.1 * d, 1.3 * d),
        (2.15 * d, 1.75 * d),
        (1.8 * d, 1.95 * d),
        (1.4 * d, 1.75 * d),
        (0.7 * d, 0.95 * d),
    ]
    for s in (0, 180):
        blade = extrude(Outline.of(wing), -0.16 * d, 0.16 * d)
        solid += blade.moved(turn=rotation("x", s) @ np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]))
    front: list[Note] = [
        *along_axis(0, 2 * d),
        Size((0, -2.15 * d), (1.95 * d, -2.15 * d), "below", number(round(1.95 * d, 1))),
        Size((0, -2.15 * d), (0, 2.15 * d), "left", number(round(4.3 * d, 1))),
    ]
    side: list[Note] = [*cross_axes(0, 0, d), Leader((0.3 * d, 0.3 * d), 40, f"M{number(d)}", 14)]
    facts = (
        (f"M{number(d)} thread", f"ねじM{number(d)}"),
        mm("wing span", "羽根の幅", round(4.3 * d, 1)),
        count("wing", "羽根", 2),
    )
    views = (("front", "right"), ("front", "left"), ("front", "right", "iso"), ("front",))
    return Design(solid, facts, views, {"front": front, "right": side}, poses=("x_up", "x_up", "as_drawn"))


def _circlip_params(rng: Random) -> Params:
    d = rng.choice((10, 12, 15, 20, 25, 30, 40, 50))
    return {"shaft": d, "thickness": rng.choice((1, 1.2, 1.5, 2))}


def _circlip(p: Params) -> Design:
    r, t = p["shaft"] / 2, p["thickness"]
    w, lug = 0.22 * r, 0.36 * r
    outer = [
        (
            (r + w * (1.1 - 0.45 * abs(a) / 160)) * math.sin(math.radians(a)),
            -(r + w * (1.1 - 0.45 * abs(a) / 160)) * math.cos(math.radians(a)),
        )
        for a in range(-155, 156, 5)
    ]
    inner = [(r * math.sin(math.radians(a)), -r * math.cos(math.radians(a))) for a in range(167, -168, -5)]
    lugs = [[s * (r + lug) * math.sin(math.radians(q)) for q in (155, 158, 166)] for s in (1, -1)]
    heights = [-(r + lug) * math.cos(math.radians(q)) for q in (155, 158, 166)]
    right = list(zip(lugs[0], heights, strict=True))
    left = list(zip(lugs[1], heights, strict=True))[::-1]
    outline = Outline.of([*outer, *right, *inner, *left])
    holes = [
        Outline.disc(
            s * (r + lug * 0.55) * math.sin(math.radians(161)),
            -(r + lug * 0.55) * math.cos(math.radians(161)),
            lug * 0.26,
            14,
        )
        for s in (1, -1)
    ]
    solid = extrude(outline, 0, t, holes).moved(turn=TO_FRONT)
    front: list[Note] = [
        Axis((0, -1.3 * r), (0, 1.3 * r)),
        Axis((-1.3 * r, 0), (1.3 * r, 0)),
        Leader((-r * 0.71, -r * 0.71), 225, f"Ø{number(2 * r)}", 20),
    ]
    side: list[Note] = [Size((-t, -r), (0, -r), "below", number(t))]
    facts = (mm("for shaft diameter", "適用軸径", p["shaft"]), mm("thickness", "厚さ", t), ("two plier holes", "穴2個"))
    views = (("front", "right"), ("front",), ("front", "iso"))
    return Design(solid, facts, views, {"front": front, "right": side}, poses=("on_back", "on_back", "as_drawn"))


FAMILIES = (
    Family(
        "hex_nut",
        ("hex nut", "hexagon nut", "nut"),
        ("六角ナット", "ナット"),
        ("SWCH", "SUS304", "C3604", "SCM435"),
        "HX",
        _nut_params,
        _nut,
    ),
    Family(
        "washer",
        ("washer", "plain washer", "flat washer"),
        ("平座金", "ワッシャー"),
        ("SWCH", "SUS304", "C3604", "POM"),
        "WA",
        _washer_params,
        _washer,
    ),
    Family(
        "spring_washer",
        ("spring washer", "lock washer", "split washer"),
        ("ばね座金", "スプリングワッシャー"),
        ("SWCH", "SUS304", "SCM435"),
        "SW",
        _washer_params,
        _spring_washer,
    ),
    Family(
        "dowel_pin",
        ("dowel pin", "parallel pin", "taper pin"),
        ("平行ピン", "ダウエルピン", "位置決めピン"),
        ("S45C", "SUS304", "SUJ2"),
        "DP",
        _pin_params,
        _pin,
    ),
    Family(
        "o_ring",
        ("O-ring", "O ring seal", "rubber seal ring"),
        ("Oリング", "オーリング", "ゴムパッキン"),
        ("NBR",),
        "OR",
        _o_ring_params,
        _o_ring,
    ),
    Family(
        "wing_nut",
        ("wing nut", "butterfly nut"),
        ("蝶ナット", "ちょうナット"),
        ("SWCH", "SUS304", "C3604"),
        "WG",
        _wing_params,
        _wing,
    ),
    Family(
        "circlip",
        ("circlip", "retaining ring", "snap ring"),
        ("止め輪", "C形止め輪", "スナップリング"),
        ("S45C", "SUS304", "SWP-B"),
        "CR",
        _circlip_params,
        _circlip,
    ),
)
