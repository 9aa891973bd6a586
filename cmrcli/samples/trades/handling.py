"""What is gripped, hung, rolled or blown: handwheels, hooks, casters, fans."""

import math
from random import Random

import numpy as np

from cmrcli.samples.annotate import Axis, Leader, Note, Size, cross_axes, number
from cmrcli.samples.design import (
    TO_FRONT,
    UP,
    Design,
    Family,
    Params,
    count,
    mm,
)
from cmrcli.samples.outline import Outline
from cmrcli.samples.solid import Curve, Patch, Solid, box, extrude, revolve, rotation, sweep
from cmrcli.samples.trades.axisymmetric import (
    SIDE_ROUND,
    along_axis,
    ball,
    wheel,
)


def _handwheel_params(rng: Random) -> Params:
    return {
        "diameter": rng.choice((80, 100, 125, 160, 200, 250, 315)),
        "spokes": rng.choice((3, 3, 4, 5)),
        "handle": rng.choice((0, 1)),
        "bore": rng.choice((10, 12, 14, 16, 20)),
    }


def _handwheel(p: Params) -> Design:
    bar = p["diameter"] * 0.05 + 2
    r, b, n = p["diameter"] / 2 - bar, p["bore"] / 2, int(p["spokes"])
    hub = b * 1.9 + 3
    solid = wheel(r, bar, n, hub)
    length = hub * 1.4
    solid += revolve(
        [(-length * 0.6, b), (-length * 0.6, hub), (length * 0.4, hub * 0.85), (length * 0.4, b)],
        hidden=[False, False, False, True],
    )
    end = bar
    if p["handle"]:
        grip = p["diameter"] * 0.28
        shape = [
            (0, 0),
            (0, bar * 0.6),
            (grip * 0.1, bar * 0.75),
            (grip * 0.6, bar * 0.95),
            (grip * 0.95, bar * 0.7),
            (grip, 0),
        ]
        solid += revolve(shape, segments=24).moved((bar * 0.6, 0, r)).toned("black_plastic")
        end = bar * 0.6 + grip
    front: list[Note] = [
        *along_axis(-length * 0.6, length * 0.4),
        Size((-bar, -r - bar), (-bar, r + bar), "left", f"Ø{number(p['diameter'])}"),
        Size(
            (-length * 0.6, -r - bar),
            (max(end, length * 0.4), -r - bar),
            "below",
            number(round(max(end, length * 0.4) + length * 0.6, 1)),
        ),
    ]
    facts = [mm("diameter", "直径", p["diameter"]), count("spoke", "スポーク", n), mm("bore", "軸穴径", p["bore"])]
    if p["handle"]:
        facts.append(("with a handle", "握り付き"))
    right: list[Note] = [*cross_axes(0, 0, r), Leader((b * 0.7, b * 0.7), 45, f"Ø{number(2 * b)} H7", 18)]
    return Design(
        solid,
        tuple(facts),
        SIDE_ROUND,
        {"front": front, "right": right},
        poses=("as_drawn", "x_up", "x_up"),
        hidden=False,
    )


def _hook_params(rng: Random) -> Params:
    return {
        "mouth": rng.choice((25, 32, 40, 50, 63)),
        "load": rng.choice((500, 1000, 2000, 3200)),
        "thread": rng.choice((12, 16, 20, 24)),
    }


def _hook(p: Params) -> Design:
    m = p["mouth"] / 2
    thick = m * 0.5
    r = m + thick
    # the shank leaves the arc at the top left and bends back over the centre of the load
    angle = np.radians(np.linspace(-60, 200, 44))
    arc = np.stack([r * np.cos(angle + math.pi * 0.95), np.zeros(44), r * np.sin(angle + math.pi * 0.95)], axis=1)
    if arc[0][2] > arc[-1][2]:
        arc = arc[::-1]
    last = arc[-1]
    rise = np.array(
        [[last[0] * 0.72, 0, last[2] + r * 0.55], [0.12 * last[0], 0, r * 1.75], [0, 0, r * 2.05], [0, 0, r * 2.3]]
    )
    path = np.concatenate([arc, rise])
    # a tube of varying thickness: thin at the tip, full at the back
    u = np.linspace(0, 1, len(path))
    width = thick * np.clip(0.45 + 1.5 * np.sqrt(u), 0.45, 1.0)
    width[-4:] = thick * np.array([0.95, 0.85, 0.8, 0.8])
    thin = sweep(path, 1.0, segments=16)
    patch = thin.patches[0]
    grid = path[:, None] + width[:, None, None] * patch.normals
    solid = Solid((Patch(grid, patch.normals),)) + ball(thick * 0.46).moved(tuple(path[0]))
    d = p["thread"] * 0.5 * (m / 20)
    shank = [(0, 0), (0, d * 1.5), (d * 0.8, d * 1.5), (d * 0.8, d), (d * 4, d), (d * 4.3, d * 0.8), (d * 4.3, 0)]
    solid += revolve(shank).moved(turn=UP).moved((0, 0, r * 2.2))
    top, low = r * 2.2 + d * 4.3, -r - thick
    front: list[Note] = [
        Axis((0, low), (0, top)),
        Axis((-r, 0), (r, 0)),
        Size((r, low), (0, top), "right", number(round(top - low, 1)), 1),
        Leader((m * 0.6, -m * 0.75), -40, f"R{number(m)}", 26),
    ]
    facts = (
        mm("throat opening", "口の開き", p["mouth"]),
        (f"working load {number(p['load'])} kg", f"定格荷重{number(p['load'])}kg"),
        ("threaded shank", "ねじ付き"),
    )
    views = (("front", "right"), ("front",), ("front", "iso"))
    return Design(solid, facts, views, {"front": front}, poses=("on_back", "as_drawn", "on_back"), hidden=False)


def _fan_params(rng: Random) -> Params:
    return {
        "diameter": rng.choice((60, 80, 100, 120, 160, 200)),
        "blades": rng.choice((3, 4, 5, 6, 7, 9)),
        "pitch": rng.choice((25, 35, 45)),
    }


def _fan(p: Params) -> Design:
    r, n = p["diameter"] / 2, int(p["blades"])
    hub, d = r * 0.28, r * 0.3
    solid = revolve(
        [(-d / 2, hub * 0.3), (-d / 2, hub), (d / 2 - 2, hub), (d / 2, hub - 2), (d / 2, hub * 0.3)],
        hidden=[False] * 4 + [True],
    )
    rows, cols = 9, 7
    t = max(0.8, r * 0.015)
    for k in range(n):
        grid = np.empty((rows, cols, 3))
        for i, rad in enumerate(np.linspace(hub * 0.95, r, rows)):
            twist = math.radians(p["pitch"] * (1.25 - 0.5 * i / rows))
            chord = r * (0.30 + 0.28 * i / rows) * (5 / max(n, 5)) * 1.5
            for j, u in enumerate(np.linspace(-0.5, 0.5, cols)):
                arc = 2 * math.pi * k / n + u * chord * math.cos(twist) / rad + 0.25 * i / rows
                x = u * chord * math.sin(twist) * 0.9 + 0.06 * r * (0.25 - u * u)
                grid[i, j] = (x, rad * math.sin(arc), rad * math.cos(arc))
        du, dv = np.gradient(grid, axis=0), np.gradient(grid, axis=1)
        normal = np.cross(du, dv)
        normal /= np.linalg.norm(normal, axis=2)[:, :, None]
        normal *= np.sign(normal[rows // 2, cols // 2, 0]) or 1.0

        front_face, back_face = Patch(grid + normal * t / 2, normal), Patch(grid - normal * t / 2, -normal)
        ring = np.concatenate([grid[0], grid[1:, -1], grid[-1, -2::-1], grid[-2::-1, 0]])
        solid += Solid((front_face, back_face), (), (Curve(ring),))
    front: list[Note] = [*along_axis(-d / 2, d / 2), Size((0, -r), (0, r), "left", f"Ø{number(2 * r)}")]
    facts = (
        mm("diameter", "直径", p["diameter"]),
        count("blade", "羽根", n),
        (f"blade pitch {number(p['pitch'])} degrees", f"羽根角{number(p['pitch'])}度"),
    )
    views = (("front", "right"), ("right",), ("front", "right", "iso"))
    return Design(
        solid,
        facts,
        views,
        {"front": front, "right": [*cross_axes(0, 0, r)]},
        poses=("as_drawn", "x_up", "x_up"),
        hidden=False,
    )


def _caster_params(rng: Random) -> Params:
    return {"wheel": rng.choice((40, 50, 65, 75, 100, 125)), "brake": rng.choice((0, 0, 1))}


def _caster(p: Params) -> Design:
    r = p["wheel"] / 2
    w = r * 0.55
    tyre = [(-w / 2, r * 0.3), (-w / 2, r * 0.9), (-w * 0.35, r), (w * 0.35, r), (w / 2, r * 0.9), (w / 2, r * 0.3)]
    turn = rotation("z", 90)
    solid = revolve(tyre).moved(turn=turn).toned("rubber")
    solid += (
        revolve([(-w * 0.6, 0), (-w * 0.6, r * 0.32), (w * 0.6, r * 0.32), (w * 0.6, 0)])
        .moved(turn=turn)
        .toned("grey_paint")
    )
    off = r * 0.55
    cheek = [(-r * 0.18, -r * 0.2), (r * 0.18, -r * 0.2), (off + r * 0.35, r * 1.25), (off - r * 0.35, r * 1.25)]
    for y in (w * 0.62, -w * 0.62 - 2):
        solid += extrude(Outline.of([(x, z) for x, z in cheek]), 0, 2).moved(turn=TO_FRONT).moved((0, y + 2, 0))
        solid += (
            extrude(Outline.regular(0, 0, 6, r * 0.3), 0, 3)
            .moved(turn=TO_FRONT)
            .moved((0, y if y < 0 else y + 4, 0))
            .toned("zinc")
        )
    solid += extrude(Outline.rect(off - r * 0.4, -w * 0.7, off + r * 0.4, w * 0.7, 2), r * 1.2, r * 1.3)
    solid += (
        revolve([(r * 1.3, 0), (r * 1.3, r * 0.5), (r * 1.5, r * 0.42), (r * 1.62, r * 0.42), (r * 1.62, 0)])
        .moved(turn=UP)
        .moved((off, 0, 0))
    )
    plate, hole = r * 0.85, r * 0.09
    holes = [Outline.slot(off + s * plate * 0.72, u * plate * 0.62, hole, 2 * hole) for s in (1, -1) for u in (1, -1)]
    solid += extrude(
        Outline.rect(off - plate, -plate * 0.8, off + plate, plate * 0.8, r * 0.1), r * 1.62, r * 1.75, holes
    )
    if p["brake"]:
        solid += box(-r * 1.2, -w * 0.5, r * 0.75, -r * 0.5, w * 0.5, r * 0.9).toned("red_paint")
        solid += box(-r * 0.6, -w * 0.2, r * 0.7, off, w * 0.2, r * 1.25)
    top = r * 1.75
    front: list[Note] = [
        *cross_axes(0, 0, r),
        Axis((off, r * 1.2), (off, top)),
        Size((off + plate, -r), (off + plate, top), "right", number(round(top + r, 1))),
        Leader((-r * 0.71, -r * 0.71), 225, f"Ø{number(2 * r)}", 10),
        Size((off - plate, top), (off + plate, top), "above", number(round(2 * plate, 1))),
    ]
    facts = [
        mm("wheel diameter", "車輪径", p["wheel"]),
        mm("overall height", "全高", round(top + r, 1)),
        ("swivelling, plate mounted", "自在、プレート取付"),
    ]
    if p["brake"]:
        facts.append(("with a brake", "ストッパ付き"))
    views = (("front", "right"), ("front",), ("front", "iso"), ("front", "right", "top"))
    return Design(
        solid,
        tuple(facts),
        views,
        {"front": front},
        poses=("as_drawn", "as_drawn", "as_drawn", "on_back"),
        hidden=False,
    )


FAMILIES = (
    Family(
        "handwheel",
        ("handwheel", "hand wheel", "spoked handwheel"),
        ("ハンドル車", "丸ハンドル", "手動ハンドル"),
        ("FC250", "A5052", "PF"),
        "HW",
        _handwheel_params,
        _handwheel,
    ),
    Family(
        "lifting_hook",
        ("lifting hook", "crane hook", "hook"),
        ("フック", "吊りフック", "クレーンフック"),
        ("SF440A", "SCM435"),
        "HK",
        _hook_params,
        _hook,
    ),
    Family(
        "fan_impeller",
        ("fan impeller", "axial fan", "propeller"),
        ("ファン", "軸流羽根車", "プロペラ"),
        ("ABS", "A5052", "SUS304"),
        "FN",
        _fan_params,
        _fan,
    ),
    Family(
        "caster",
        ("caster", "swivel caster", "castor wheel"),
        ("キャスター", "自在キャスター"),
        ("SPCC", "SUS304"),
        "CT",
        _caster_params,
        _caster,
    ),
)
