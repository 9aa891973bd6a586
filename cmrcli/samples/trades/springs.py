"""Coil springs: compression, extension, torsion."""

import math
from random import Random

import numpy as np

from cmrcli.samples.annotate import Leader, Note, Size, cross_axes, number
from cmrcli.samples.design import (
    Design,
    Family,
    Params,
    count,
    mm,
)
from cmrcli.samples.displaylist import Circle, Hatch, Line, Primitive, arc_points
from cmrcli.samples.solid import Array, sweep
from cmrcli.samples.trades.axisymmetric import (
    along_axis,
)


def _helix(radius: float, length: float, turns: float, ends: float, samples: int = 20) -> Array:
    """A coil along x with closed end turns: (n, 3)."""
    n = int((turns + 2 * ends) * samples)
    t = np.linspace(0, turns + 2 * ends, n)
    rate = np.where((t < ends) | (t > turns + ends), 0.0, 1.0)
    x = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2)])
    x = x / x[-1] * length
    return np.stack([x, radius * np.sin(2 * math.pi * t), radius * np.cos(2 * math.pi * t)], axis=1)


def _spring_params(rng: Random) -> Params:
    wire = rng.choice((1, 1.2, 1.6, 2, 2.5, 3, 4, 5))
    mean = wire * rng.choice((5, 6, 8, 10))
    turns = rng.choice((4, 5, 6, 7, 8, 10))
    return {"wire": wire, "mean": mean, "turns": turns, "length": round(turns * wire * rng.choice((2.2, 2.8, 3.5)), 1)}


def _compression(p: Params) -> Design:
    d, r, n = p["wire"], p["mean"] / 2, p["length"]
    path = _helix(r, n - 2 * d, p["turns"], 1.0)
    path[:, 0] += d / 2 + np.concatenate([np.linspace(0, d, 21), np.full(len(path) - 42, d), np.linspace(d, d, 21)])
    path[-21:, 0] += np.linspace(0, d * 0.5, 21)
    solid = sweep(path, d / 2, segments=10)
    o = r + d / 2
    front: list[Note] = [
        *along_axis(0, n),
        Size((0, -o), (n, -o), "below", number(n)),
        Size((0, -o), (0, o), "left", f"Ø{number(2 * o)}"),
        Leader((n * 0.6, o), 70, f"Ø{number(d)}", 12),
    ]
    turns = int(p["turns"])
    pitch = (n - 2 * d) / turns
    cut: list[Primitive] = []
    for i in range(turns + 1):
        for x, z in ((d + i * pitch, r), (d + (i + 0.5) * pitch if i < turns else n - d / 2, -r)):
            cut += [Circle((x, z), d / 2), Hatch((arc_points((x, z), d / 2, 0, 360, 16),))]
        x = d + i * pitch
        if i < turns:
            cut += [
                Line((x - d / 2, r), (x + pitch / 2 - d / 2, -r)),
                Line((x + d / 2, r), (x + pitch / 2 + d / 2, -r)),
            ]
    facts = (
        mm("wire diameter", "線径", d),
        mm("free length", "自由長", n),
        mm("outer diameter", "外径", 2 * o),
        count("active coil", "有効巻数", turns) if turns == 1 else (f"{turns} active coils", f"有効巻数{turns}"),
    )
    views = (("front",), ("front", "right"), ("front", "iso"))
    notes = {"front": front, "right": cross_axes(0, 0, o)}
    return Design(solid, facts, views, notes, {"front": cut}, poses=("as_drawn", "x_up", "as_drawn"), hidden=False)


def _extension(p: Params) -> Design:
    d, r = p["wire"], p["mean"] / 2
    n = d * p["turns"] * 1.9
    t = np.linspace(0, p["turns"] * 1.75, int(p["turns"] * 1.75 * 20))
    coil = np.stack([t / t[-1] * n, r * np.sin(2 * math.pi * t), r * np.cos(2 * math.pi * t)], axis=1)
    solid = sweep(coil, d / 2, segments=10)
    for s, x0 in ((-1, 0.0), (1, n)):
        a = np.radians(np.linspace(-150, 150, 30))
        hook = np.stack([x0 + s * (r + r * np.cos(a)), np.zeros(30), r * np.sin(a)], axis=1)
        solid += sweep(hook, d / 2, segments=10)
    o, end = r + d / 2, 2 * r + d / 2
    front: list[Note] = [
        *along_axis(-end, n + end),
        Size((-end + d, -o), (n + end - d, -o), "below", number(round(n + 2 * end - 2 * d, 1))),
        Size((n * 0.5, -o), (n * 0.5, o), "left", f"Ø{number(2 * o)}"),
        Leader((n * 0.6, o), 70, f"Ø{number(d)}", 12),
    ]
    facts = (
        mm("wire diameter", "線径", d),
        mm("outer diameter", "外径", 2 * o),
        ("hooks at both ends", "両端フック付き"),
    )
    views = (("front",), ("front", "top"), ("front", "iso"))
    return Design(solid, facts, views, {"front": front}, poses=("as_drawn", "on_back"), hidden=False)


def _torsion(p: Params) -> Design:
    d, r, k = p["wire"], p["mean"] / 2, max(3, int(p["turns"]) - 2)
    t = np.linspace(0, k + 0.25, (4 * k + 1) * 6)
    coil = np.stack([r * np.cos(2 * math.pi * t), d * 1.08 * t, r * np.sin(2 * math.pi * t)], axis=1)
    arm = 3.2 * r
    first = np.array([[r, 0, -arm], [r, 0, -arm * 0.5]])
    last = coil[-1] + np.array([[-arm * 0.5, 0, 0], [-arm, 0, 0]])
    solid = sweep(np.concatenate([first, coil, last]), d / 2, segments=10)
    o, w = r + d / 2, d * 1.08 * (k + 0.25)
    front: list[Note] = [
        *cross_axes(0, 0, o),
        Size((0, 0), (r, -arm), "right", number(round(arm, 1))),
        Size((-arm, r), (0, r), "above", number(round(arm, 1))),
        Leader((-o * 0.7, -o * 0.7), 225, f"Ø{number(2 * o)}", 12),
    ]
    side: list[Note] = [Size((-d / 2, -o), (w + d / 2, -o), "below", number(round(w + d, 1)))]
    facts = (
        mm("wire diameter", "線径", d),
        mm("outer diameter", "外径", 2 * o),
        (f"{k} coils", f"巻数{k}"),
        ("two straight arms", "腕2本"),
    )
    views = (("front", "right"), ("front",), ("front", "iso"))
    return Design(
        solid, facts, views, {"front": front, "right": side}, poses=("as_drawn", "on_back", "on_face"), hidden=False
    )


FAMILIES = (
    Family(
        "compression_spring",
        ("compression spring", "coil spring", "helical spring"),
        ("圧縮コイルばね", "圧縮ばね", "コイルスプリング"),
        ("SWP-B", "SUS304"),
        "SP",
        _spring_params,
        _compression,
    ),
    Family(
        "extension_spring",
        ("extension spring", "tension spring"),
        ("引張コイルばね", "引張ばね"),
        ("SWP-B", "SUS304"),
        "SE",
        _spring_params,
        _extension,
    ),
    Family(
        "torsion_spring",
        ("torsion spring", "helical torsion spring"),
        ("ねじりコイルばね", "トーションばね"),
        ("SWP-B", "SUS304"),
        "ST",
        _spring_params,
        _torsion,
    ),
)
