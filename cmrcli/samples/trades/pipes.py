"""Pipe fittings and clamps."""

import math
from random import Random

import numpy as np

from cmrcli.samples.annotate import Axis, Leader, Note, Size, cross_axes, number
from cmrcli.samples.design import (
    UP,
    Design,
    Family,
    Params,
    mm,
)
from cmrcli.samples.displaylist import arc_points
from cmrcli.samples.outline import Outline
from cmrcli.samples.solid import Curve, Solid, extrude, revolve, rotation, tube
from cmrcli.samples.trades.axisymmetric import (
    along_axis,
    bolt_circle,
    disc_with_holes,
)


def _pipe_params(rng: Random) -> Params:
    d = rng.choice((21.7, 27.2, 34, 42.7, 48.6, 60.5, 76.3, 89.1, 114.3, 139.8, 165.2))
    return {
        "outer": d,
        "wall": rng.choice((2.8, 3.2, 4.2, 5.0)),
        "angle": rng.choice((90, 90, 90, 45)),
        "bend": rng.choice((1, 1.5, 1.5)),
        "flanged": rng.choice((0, 0, 1)),
    }


def _elbow(p: Params) -> Design:
    r, bend, a = p["outer"] / 2, p["bend"] * p["outer"], p["angle"]
    angle = np.radians(np.linspace(0, a, 22))
    stub = 0.25 * p["outer"]
    arc = np.stack([bend * np.sin(angle), np.zeros(22), bend - bend * np.cos(angle)], axis=1)
    end = np.array([math.cos(angle[-1]), 0, math.sin(angle[-1])])
    path = np.concatenate([[[-stub, 0, 0]], arc, [arc[-1] + stub * end]])
    solid = tube(path, r, r - p["wall"])
    facts = [
        mm("outer diameter", "外径", p["outer"]),
        (f"{number(a)} degrees", f"{number(a)}度"),
        mm("bend radius", "曲げ半径", round(bend, 1)),
    ]
    if p["flanged"]:
        t, big = 0.14 * p["outer"] + 4, 1.75 * r + 6
        ring = disc_with_holes(0, t, big, r - p["wall"], bolt_circle(4, (big + r) / 2 + 1, (big - r) * 0.35))
        solid += ring.moved((-stub - t * 0.5, 0, 0))
        solid += ring.moved((-t * 0.5, 0, 0)).moved(path[-1], rotation("y", -a))
        facts.append(("flanged ends", "フランジ付き"))
    x1, z1 = float(arc[-1, 0]), float(arc[-1, 2])
    front: list[Note] = [
        Axis((-stub, 0), (x1 if a < 90 else bend, 0)),
        Axis((x1, z1), (x1 + 2 * stub * end[0], z1 + 2 * stub * end[2])),
        Leader((bend * math.sin(angle[11]), bend - bend * math.cos(angle[11])), 120, f"R{number(round(bend, 1))}", 16),
        Size((-stub, -r), (-stub, r), "left", f"Ø{number(p['outer'])}"),
        Size((-stub, 0), (x1, z1), "below", number(round(x1 + stub, 1))),
    ]
    views = (("front",), ("front", "left"), ("front", "iso"), ("front", "top"))
    return Design(solid, tuple(facts), views, {"front": front}, poses=("on_back", "as_drawn", "x_up", "on_back"))


def _tee_params(rng: Random) -> Params:
    return _pipe_params(rng) | {"branch": rng.choice((1, 1, 0.75, 0.6)), "run": rng.choice((2.0, 2.4))}


def _tee(p: Params) -> Design:
    r, w, n = p["outer"] / 2, p["wall"], p["outer"] * p["run"]
    b = r * p["branch"]
    run = [(-n / 2, r - w), (-n / 2, r), (n / 2, r), (n / 2, r - w)]
    solid = revolve(run, hidden=[False, False, True, True])
    height = n / 2
    solid += revolve([(0.0, b - w), (0.0, b), (height, b), (height, b - w)], hidden=[False, False, True, True]).moved(
        turn=UP
    )
    collar = 0.16 * p["outer"]
    for x in (-n / 2, n / 2 - collar):
        solid += revolve([(x, r - w), (x, r * 1.12), (x + collar, r * 1.12), (x + collar, r - w)])
    solid += revolve(
        [(height - collar, b - w), (height - collar, b * 1.12), (height, b * 1.12), (height, b - w)]
    ).moved(turn=UP)
    a = np.linspace(0, 2 * math.pi, 49)  # where the branch leaves the run

    saddle = np.stack([b * np.cos(a), b * np.sin(a), np.sqrt(np.maximum(r**2 - (b * np.sin(a)) ** 2, 0))], axis=1)
    solid += Solid((), (), (Curve(saddle * 1.003),))
    front: list[Note] = [
        *along_axis(-n / 2, n / 2),
        Axis((0, -r), (0, height)),
        Size((-n / 2, -r), (n / 2, -r), "below", number(round(n, 1))),
        Size((n / 2, 0), (b, height), "right", number(round(height, 1))),
        Size((-n / 2, -r), (-n / 2, r), "left", f"Ø{number(p['outer'])}"),
        Size((-b, height), (b, height), "above", f"Ø{number(round(2 * b, 1))}"),
    ]
    facts = (
        mm("outer diameter", "外径", p["outer"]),
        mm("branch diameter", "枝管径", round(2 * b, 1)),
        ("equal branches", "同径") if p["branch"] == 1 else ("reducing branch", "径違い"),
    )
    views = (("front",), ("front", "right"), ("front", "top"), ("front", "iso"))
    return Design(solid, facts, views, {"front": front}, poses=("as_drawn", "on_back", "on_back", "upside_down"))


def _clamp_params(rng: Random) -> Params:
    return {
        "pipe": rng.choice((21.7, 27.2, 34, 42.7, 48.6, 60.5, 89.1)),
        "width": rng.choice((20, 25, 30)),
        "bolt": rng.choice((6, 8, 10)),
    }


def _clamp(p: Params) -> Design:
    r, w, t, d = p["pipe"] / 2, p["width"], 3.0, p["bolt"]
    ear, gap = 2.6 * d, 1.5
    solid = Solid()
    top = math.degrees(math.asin(gap / r))
    for s in (1, -1):
        outer = arc_points((0, 0), r + t, top, 180 - top, 26)
        inner = arc_points((0, 0), r, top, 180 - top, 26)
        loop = [
            (r + t + ear, gap),
            (r + t + ear, gap + t),
            (r + t, gap + t),
            *outer[2:-2],
            (-r - t, gap + t),
            (-r - t - ear, gap + t),
            (-r - t - ear, gap),
            *reversed(inner),
        ]
        band = extrude(Outline.of([(x, s * z) for x, z in loop]), -w / 2, w / 2)
        solid += band.moved(turn=np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]))
    for s in (1, -1):
        x = s * (r + t + ear / 2)
        solid += extrude(Outline.regular(0, 0, 6, 1.6 * d), gap + t, gap + t + 0.65 * d).moved((x, 0, 0)).toned("zinc")
        solid += extrude(Outline.disc(0, 0, d / 2, 16), -gap - t - 1.6 * d, gap + t).moved((x, 0, 0)).toned("zinc")
        solid += extrude(Outline.regular(0, 0, 6, 1.6 * d), -gap - t - 0.8 * d, -gap - t).moved((x, 0, 0)).toned("zinc")
    e = r + t + ear
    front: list[Note] = [
        *cross_axes(0, 0, r + t),
        Size((-e, 0), (e, 0), "below", number(round(2 * e, 1))),
        Leader((-r * 0.71, r * 0.71), 135, f"Ø{number(p['pipe'])}", 20),
        Size((-r - t - ear / 2, 0), (r + t + ear / 2, 0), "above", number(round(2 * (r + t) + ear, 1))),
    ]
    side: list[Note] = [Size((-w / 2, -r), (w / 2, -r), "below", number(w))]
    facts = (
        mm("for pipe diameter", "適用管径", p["pipe"]),
        (f"two M{number(d)} bolts", f"M{number(d)}ボルト2本"),
        mm("width", "幅", w),
    )
    views = (("front", "right"), ("front",), ("front", "top"), ("front", "iso"))
    return Design(solid, facts, views, {"front": front, "right": side}, poses=("as_drawn", "on_back"), hidden=False)


FAMILIES = (
    Family(
        "pipe_elbow",
        ("pipe elbow", "elbow", "pipe bend"),
        ("エルボ", "配管エルボ", "曲管"),
        ("SGP", "SUS304", "PVC-U"),
        "EL",
        _pipe_params,
        _elbow,
    ),
    Family(
        "pipe_tee",
        ("pipe tee", "tee", "T fitting"),
        ("ティー", "チーズ", "T継手"),
        ("SGP", "SUS304", "PVC-U"),
        "TE",
        _tee_params,
        _tee,
    ),
    Family(
        "pipe_clamp",
        ("pipe clamp", "pipe band", "two-piece clamp"),
        ("パイプクランプ", "配管バンド", "Uバンド"),
        ("SS400", "SUS304"),
        "PC",
        _clamp_params,
        _clamp,
    ),
)
