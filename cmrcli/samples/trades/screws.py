"""Screws and bolts; their axis is the x axis, the head on the left."""

import math
from dataclasses import replace
from random import Random

import numpy as np

from cmrcli.samples.annotate import Axis, Leader, Note, Size, cross_axes, number
from cmrcli.samples.design import (
    TO_X,
    Design,
    Family,
    Params,
    count,
    mm,
)
from cmrcli.samples.outline import Outline
from cmrcli.samples.solid import Patch, Solid, extrude, revolve, rotation, sweep
from cmrcli.samples.trades.axisymmetric import (
    along_axis,
)

SIZES = (4, 5, 6, 8, 10, 12, 16, 20, 24)


BOLT_VIEWS = (("front", "left"), ("front", "left"), ("front",), ("front", "left", "iso_left"), ("front", "iso_left"))


LYING = ("as_drawn", "as_drawn", "as_drawn", "x_down", "x_up")


PITCH = {3: 0.5, 4: 0.7, 5: 0.8, 6: 1.0, 8: 1.25, 10: 1.5, 12: 1.75, 16: 2.0, 20: 2.5, 24: 3.0, 30: 3.5}


def thread(x0: float, x1: float, diameter: float) -> Solid:
    """A threaded rod: rings with a V profile (true helices cost more and look the same), a chamfer at the far end."""
    r, pitch = diameter / 2, max(PITCH.get(int(diameter), diameter * 0.13), (x1 - x0) / 40)
    depth = 0.6 * pitch
    n = max(2, int((x1 - x0) / pitch))
    xs = np.linspace(x0, x1, 2 * n + 1)
    rs = np.where(np.arange(2 * n + 1) % 2, r - depth, r)
    rs[-1] = r - depth
    angles = np.linspace(0, 2 * math.pi, 33)
    ring = np.stack([np.zeros(33), np.cos(angles), np.sin(angles)], axis=1)
    grid = rs[:, None, None] * ring[None]
    grid[:, :, 0] += xs[:, None]
    patches = []
    for i in range(2 * n):  # facets of the V keep their own normals, or the thread would shade smooth
        dx, dr = xs[i + 1] - xs[i], rs[i + 1] - rs[i]
        normal = np.array([-dr, dx]) / math.hypot(dx, dr)
        normals = np.broadcast_to(normal[1] * ring[None], (2, 33, 3)).copy()
        normals[:, :, 0] = normal[0]
        patches.append(Patch(grid[i : i + 2], normals, contour="none"))
    # on drawings a thread is its crest cylinder in full lines and its root in thin ones
    crests = revolve([(x0, 0), (x0, r), (x1 - 0.8 * pitch, r), (x1, r - depth), (x1, 0)])
    root = revolve([(x0, 0), (x0, 0.84 * r), (x1 - 0.01, 0.84 * r), (x1 - 0.01, 0)])
    lines = [replace(p, picture=False) for p in crests.patches]
    lines += [replace(p, picture=False, contour="thin") for p in root.patches]
    return Solid((*patches, *lines), (), crests.curves) + _end_disc(x1, r - depth)


def _end_disc(x: float, r: float) -> Solid:
    solid = revolve([(x - 0.01, 0), (x - 0.01, r), (x, r), (x, 0)])
    return Solid(solid.patches)


def hexagon_prism(x0: float, x1: float, flats: float, *, chamfer: bool = True) -> Solid:
    """A hexagonal prism across the x axis, points up and down in the side view."""
    solid = extrude(Outline.regular(0, 0, 6, flats, 90), x0, x1).moved(turn=TO_X)
    if chamfer:
        r = flats / 2 * 0.97
        rim = revolve([(x0 - 0.02 * flats, 0), (x0 - 0.02 * flats, r), (x0, r * 1.01), (x0, 0)])
        solid += rim
    return solid


def _bolt_params(rng: Random) -> Params:
    d = rng.choice(SIZES)
    length = d * rng.choice((2, 3, 4, 5, 6, 8))
    return {"thread": d, "length": length, "threaded": min(length, 2 * d + 6) if rng.random() < 0.7 else length}


def _threaded_shank(p: Params) -> Solid:
    d, n, t = p["thread"], p["length"], p["threaded"]
    solid = thread(n - t, n, d)
    if t < n:
        solid += revolve([(0, 0), (0, d / 2), (n - t, d / 2), (n - t, 0)])
    return solid


def _bolt_notes(p: Params, head: float, wide: float) -> dict[str, list[Note]]:
    d, n, t = p["thread"], p["length"], p["threaded"]
    front: list[Note] = [
        *along_axis(-head, n),
        Size((0, -d / 2), (n, -d / 2), "below", number(n), 1),
        Size((-head, -wide / 2), (0, -wide / 2), "below", number(round(head, 1))),
        Leader((n - t * 0.4, d / 2), 65, f"M{number(d)}", 12),
    ]
    if t < n:
        front.append(Size((n - t, -d / 2), (n, -d / 2), "below", number(t)))
    return {"front": front, "left": [*cross_axes(0, 0, wide / 2)]}


def _bolt_facts(p: Params) -> list[tuple[str, str]]:
    d, n = p["thread"], p["length"]
    return [
        (f"M{number(d)} thread", f"ねじの呼びM{number(d)}"),
        (f"M{number(d)}x{number(n)}", f"M{number(d)}×{number(n)}"),
        mm("length", "長さ", n),
        ("partly threaded", "半ねじ") if p["threaded"] < n else ("fully threaded", "全ねじ"),
    ]


def _hex_bolt(p: Params) -> Design:
    d = p["thread"]
    head, flats = 0.65 * d, 1.6 * d
    solid = hexagon_prism(-head, 0, flats) + _threaded_shank(p)
    notes = _bolt_notes(p, head, flats)
    notes["left"].append(Size((-flats / 2, 0), (flats / 2, 0), "below", number(round(flats, 1))))
    facts = (*_bolt_facts(p), mm("across flats", "二面幅", round(flats, 1)))
    return Design(solid, facts, BOLT_VIEWS, notes, poses=LYING, hidden=False)


def _flange_bolt(p: Params) -> Design:
    d = p["thread"]
    head, flats, brim = 0.8 * d, 1.5 * d, 1.05 * d
    solid = hexagon_prism(-head, -0.1 * d, flats) + _threaded_shank(p)
    solid += revolve([(-0.32 * d, 0), (-0.32 * d, 0.8 * d), (-0.12 * d, brim), (0, brim), (0, 0)])
    facts = (*_bolt_facts(p), ("with a flanged head", "フランジ付き頭部"))
    return Design(solid, facts, BOLT_VIEWS, _bolt_notes(p, head, 2 * brim), poses=LYING, hidden=False)


def _socket(p: Params) -> Design:
    d = p["thread"]
    head, r, key = d, 0.75 * d, 0.8 * d
    recess = Outline.regular(0, 0, 6, key, 90)
    solid = extrude(Outline.disc(0, 0, r, 40), -head, -0.55 * head, [recess]).moved(turn=TO_X)
    solid += revolve([(-0.55 * head, 0), (-0.55 * head, r), (0, r), (0, 0)]) + _threaded_shank(p)
    facts = (*_bolt_facts(p), mm("hexagon socket", "六角穴", round(key, 1)), ("cylindrical head", "円筒頭"))
    notes = _bolt_notes(p, head, 2 * r)
    notes["left"].append(Leader((key / 2, 0), 50, f"HEX {number(round(key, 1))}", 12))
    return Design(solid, facts, BOLT_VIEWS, notes, poses=LYING)


def _countersunk(p: Params) -> Design:
    d = p["thread"]
    head = 0.55 * d
    cross = [(0.12, 0.12), (0.12, 0.55), (-0.12, 0.55), (-0.12, 0.12), (-0.55, 0.12), (-0.55, -0.12)]
    cross += [(-0.12, -0.12), (-0.12, -0.55), (0.12, -0.55), (0.12, -0.12), (0.55, -0.12), (0.55, 0.12)]
    recess = Outline.of([(x * d, y * d) for x, y in cross])
    top = extrude(Outline.disc(0, 0, d, 40), -0.14 * d - head, -head, [recess]).moved(turn=TO_X)
    solid = top + revolve([(-head, 0), (-head, d), (0, d * 0.5), (0, 0)]) + _threaded_shank(p)
    facts = (*_bolt_facts(p), ("cross recess", "十字穴付き"), ("countersunk head", "皿頭"))
    return Design(solid, facts, BOLT_VIEWS, _bolt_notes(p, head + 0.14 * d, 2 * d), poses=LYING, hidden=False)


def _eye_params(rng: Random) -> Params:
    d = rng.choice((8, 10, 12, 16, 20, 24))
    return {"thread": d, "length": 2 * d, "threaded": 2 * d, "ring": d * 2.0}


def _eye(p: Params) -> Design:
    d, ring = p["thread"], p["ring"]
    bar = 0.55 * d
    a = np.linspace(0, 2 * math.pi, 41)[:-1]
    centre = -(ring + bar * 1.5)
    path = np.stack([centre + (ring + bar * 0.5) * np.cos(a), np.zeros(40), (ring + bar * 0.5) * np.sin(a)], axis=1)
    solid = sweep(path, bar, closed=True) + thread(0, p["length"], d)
    solid += revolve([(-0.35 * d, 0), (-0.5 * d, 0.7 * d), (-0.18 * d, d), (0, d), (0, 0)])
    r = ring + 1.5 * bar
    front: list[Note] = [
        *along_axis(centre - r, p["length"]),
        Axis((centre, -r), (centre, r)),
        Size((centre, -r), (centre, r), "left", f"Ø{number(round(2 * r, 1))}"),
        Size((0, -d), (p["length"], -d), "below", number(p["length"])),
        Leader((p["length"] * 0.6, d / 2), 60, f"M{number(d)}", 12),
    ]
    facts = (
        (f"M{number(d)} thread", f"ねじM{number(d)}"),
        ("with a lifting ring", "つり輪付き"),
        mm("ring inner diameter", "輪の内径", round(2 * (ring - 0.0), 1)),
    )
    views = (("front", "top"), ("front",), ("front", "iso"), ("front", "left"))
    return Design(
        solid, facts, views, {"front": front}, poses=("x_down", "x_down", "as_drawn", "on_back"), hidden=False
    )


def _u_bolt_params(rng: Random) -> Params:
    pipe = rng.choice((27.2, 34, 42.7, 48.6, 60.5, 76.3, 89.1, 114.3))
    return {"pipe": pipe, "thread": rng.choice((6, 8, 10, 12)), "leg": round(pipe * 0.9)}


def _u_bolt(p: Params) -> Design:
    d, r = p["thread"], p["pipe"] / 2 + p["thread"] / 2
    a = np.radians(np.linspace(0, 180, 25))
    arch = np.stack([r * np.cos(a), np.zeros(25), r * np.sin(a)], axis=1)
    cut = p["leg"] - 3 * d if p["leg"] > 3.4 * d else 0.1
    legs = [np.array([[s * r, 0, -cut * t] for t in ts]) for s, ts in ((1, (1, 0.5)), (-1, (0.5, 1)))]
    solid = sweep(np.concatenate([legs[0], arch, legs[1]]), d / 2)
    for s in (-1, 1):
        end = thread(cut, p["leg"], d).moved(turn=rotation("y", 90))
        solid += end.moved((s * r, 0, 0))
        nut = extrude(Outline.regular(0, 0, 6, 1.6 * d), 0, 0.8 * d)
        solid += nut.moved((s * r, 0, -p["leg"] + 1.2 * d))
    top, low = r + d / 2, -p["leg"]
    front: list[Note] = [
        Axis((0, low), (0, top)),
        Size((-r, low), (r, low), "below", number(round(2 * r, 1))),
        Size((r + d / 2, low), (r + d / 2, top), "right", number(round(top - low, 1))),
        Leader((0, r - d / 2), -90, f"R{number(round(p['pipe'] / 2, 1))}", 8),
    ]
    facts = (
        mm("for pipe diameter", "適用管径", p["pipe"]),
        (f"M{number(d)} threads", f"ねじM{number(d)}"),
        count("nut", "ナット", 2),
    )
    views = (("front", "right"), ("front",), ("front", "iso"))
    return Design(solid, facts, views, {"front": front}, poses=("on_back", "as_drawn", "upside_down"), hidden=False)


FAMILIES = (
    Family(
        "hex_bolt",
        ("hex bolt", "hexagon head bolt", "hexagon bolt"),
        ("六角ボルト", "六角頭ボルト"),
        ("SWCH", "SUS304", "SCM435"),
        "HB",
        _bolt_params,
        _hex_bolt,
    ),
    Family(
        "flange_bolt",
        ("hex flange bolt", "flanged bolt"),
        ("フランジボルト", "フランジ付き六角ボルト"),
        ("SWCH", "SCM435", "SUS304"),
        "FB",
        _bolt_params,
        _flange_bolt,
    ),
    Family(
        "socket_head_screw",
        ("socket head cap screw", "hexagon socket bolt", "Allen bolt"),
        ("六角穴付きボルト", "キャップスクリュー"),
        ("SCM435", "SUS304"),
        "SC",
        _bolt_params,
        _socket,
    ),
    Family(
        "countersunk_screw",
        ("countersunk screw", "flat head screw", "cross recessed screw"),
        ("皿小ねじ", "十字穴付き皿小ねじ"),
        ("SWCH", "SUS304", "C3604"),
        "CS",
        _bolt_params,
        _countersunk,
    ),
    Family(
        "eye_bolt",
        ("eye bolt", "lifting eye bolt"),
        ("アイボルト", "吊りボルト"),
        ("SS400", "SUS304", "SF440A"),
        "EB",
        _eye_params,
        _eye,
    ),
    Family(
        "u_bolt",
        ("U-bolt", "pipe U-bolt"),
        ("Uボルト", "配管用Uボルト"),
        ("SWCH", "SUS304"),
        "UB",
        _u_bolt_params,
        _u_bolt,
    ),
)
