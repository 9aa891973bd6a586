"""Valves, cylinders and pumps."""

from random import Random

from cmrcli.samples.annotate import Axis, Note, Size, cross_axes, number
from cmrcli.samples.design import TO_X, UP, Design, Family, Params, mm
from cmrcli.samples.displaylist import arc_points
from cmrcli.samples.outline import Outline, pitch_circle
from cmrcli.samples.solid import Solid, box, extrude, revolve, rotation
from cmrcli.samples.trades.axisymmetric import along_axis, bolt_circle, disc_with_holes, wheel


def _valve_params(rng: Random) -> Params:
    d = rng.choice((15, 20, 25, 32, 40, 50, 65, 80, 100))
    return {"bore": d, "holes": rng.choice((4, 4, 8)) if d >= 50 else 4, "length": d * 1.3 + 70, "wheel": d * 0.9 + 60}


def _gate_valve(p: Params) -> Design:
    b, n, r = p["bore"] / 2, p["length"], p["bore"] / 2 + 32
    t, w = 14.0, p["wheel"] / 2
    solid = Solid()
    holes = bolt_circle(int(p["holes"]), r - 11, 13)
    for x in (-n / 2, n / 2 - t):
        solid += disc_with_holes(x, x + t, r, b, holes)
    belly = [
        (-n / 2 + t, 0),
        (-n / 2 + t, b + 5),
        (-n * 0.22, b + 6),
        (-n * 0.14, b + 14),
        (n * 0.14, b + 14),
        (n * 0.22, b + 6),
        (n / 2 - t, b + 5),
        (n / 2 - t, 0),
    ]
    solid += revolve(belly)
    neck, bonnet, top = b + 10, 1.2 * b + 26, 2.2 * b + 62
    stem = [
        (0, 0),
        (0, neck),
        (bonnet, neck),
        (bonnet, neck + 14),
        (bonnet + 20, neck + 14),
        (bonnet + 20, neck * 0.75),
        (top, neck * 0.42 + 5),
        (top + 12, neck * 0.42 + 5),
        (top + 12, 0),
    ]
    upper = revolve(stem)
    spindle = top + 12 + 0.35 * w + 20
    upper += revolve([(top + 12, 0), (top + 12, 7), (spindle + 12, 7), (spindle + 12, 0)]).toned("bright")
    rim = wheel(w, max(5, w * 0.08), 5, 10) + revolve([(-8, 0), (-8, 13), (8, 13), (8, 0)])
    solid += upper.moved(turn=UP) + rim.toned("red_paint").moved((spindle, 0, 0)).moved(turn=UP)
    height = spindle + 12
    front: list[Note] = [
        *along_axis(-n / 2, n / 2),
        Axis((0, -b - 14), (0, height)),
        Size((-n / 2, -r), (n / 2, -r), "below", number(round(n))),
        Size((n / 2, 0), (0, height), "right", number(round(height))),
        Size((-w, height), (w, height), "above", f"Ø{number(2 * w)}"),
        Size((-n / 2, -r), (-n / 2, r), "left", f"Ø{number(2 * r)}"),
    ]
    facts = (
        (f"nominal size {number(p['bore'])}A", f"呼び径{number(p['bore'])}A"),
        ("flanged ends", "フランジ形"),
        mm("face to face", "面間", round(n)),
        ("with a handwheel", "ハンドル車付き"),
    )
    views = (("front",), ("front", "right"), ("front", "right"), ("front", "iso"), ("front", "right", "top"))
    return Design(solid, facts, views, {"front": front, "right": [Axis((0, -r), (0, height))]}, hidden=False)


def _ball_valve(p: Params) -> Design:
    b = p["bore"] / 2
    n, r = 3.4 * b + 36, b + 8
    hexa = extrude(Outline.regular(0, 0, 6, 2 * r * 1.04, 90), 0, 0.16 * n).moved(turn=TO_X)
    solid = hexa.moved((-n / 2, 0, 0)) + hexa.moved((n / 2 - 0.16 * n, 0, 0))
    profile = [
        (-n / 2, b),
        (-n / 2, r * 0.96),
        (-n * 0.3, r * 0.96),
        (-n * 0.2, r * 1.15),
        (n * 0.2, r * 1.15),
        (n * 0.3, r * 0.96),
        (n / 2, r * 0.96),
        (n / 2, b),
    ]
    solid += revolve(profile, hidden=[False] * 7 + [True])
    stem = r * 1.15 + 14
    solid += revolve([(0, 0), (0, 9), (stem - 6, 9), (stem - 6, 5), (stem, 5), (stem, 0)]).moved(turn=UP)
    arm = n * 0.9
    lever = Outline.of(
        [
            (-11, -10),
            (10, -10),
            (0.4 * arm, -7),
            (arm, -8),
            *arc_points((arm, 0), 8, -90, 90, 8),
            (0.4 * arm, 7),
            (10, 10),
            (-11, 10),
        ]
    )
    solid += extrude(lever, stem - 6, stem - 2.5).toned("red_paint" if p["holes"] == 4 else "yellow_paint")
    solid += extrude(Outline.regular(0, 0, 6, 13), stem - 2.5, stem + 3).toned("zinc")
    front: list[Note] = [
        *along_axis(-n / 2, n / 2),
        Axis((0, -r), (0, stem)),
        Size((-n / 2, -r), (n / 2, -r), "below", number(round(n))),
        Size((0, 0), (0, stem), "left", number(round(stem))),
        Size((0, stem), (arm + 8, stem), "above", number(round(arm + 8))),
    ]
    facts = (
        (f"nominal size {number(p['bore'])}A", f"呼び径{number(p['bore'])}A"),
        ("with a lever handle", "レバーハンドル付き"),
        ("threaded ends", "ねじ込み形"),
        mm("length", "面間", round(n)),
    )
    views = (("front",), ("front", "right"), ("front", "top"), ("front", "iso"))
    return Design(solid, facts, views, {"front": front}, poses=("as_drawn", "as_drawn", "on_back"), hidden=False)


def _cylinder_params(rng: Random) -> Params:
    bore = rng.choice((16, 20, 25, 32, 40, 50, 63))
    return {"bore": bore, "stroke": bore * rng.choice((1, 2, 3, 4)), "out": rng.choice((0, 0.4, 1))}


def _cylinder(p: Params) -> Design:
    b, s = p["bore"] / 2, p["stroke"]
    side, cap, n = 1.25 * b + 4, 0.9 * b + 8, s + 0.8 * b + 10
    solid = Solid()
    square = Outline.rect(-side, -side, side, side, side * 0.15)
    for x in (-cap, n):
        solid += extrude(square, x, x + cap).moved(turn=TO_X)
        port = revolve([(0, 0), (0, 0.28 * b + 2), (3, 0.28 * b + 2), (3, 0)]).moved(turn=UP)
        solid += port.moved((x + cap / 2, 0, side - 1)).toned("brass")
    solid += revolve([(0, 0), (0, b * 1.12), (n, b * 1.12), (n, 0)])
    for y, z in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        q = side * 0.8
        rod = revolve([(-cap - 3, 0), (-cap - 3, b * 0.1 + 1), (n + cap + 3, b * 0.1 + 1), (n + cap + 3, 0)])
        solid += rod.moved((0, y * q, z * q)).toned("steel")
    reach = n + cap + 10 + s * p["out"]
    rod_r = 0.22 * b + 2
    solid += revolve(
        [
            (n + cap, 0),
            (n + cap, b * 0.6),
            (n + cap + 5, b * 0.6),
            (n + cap + 5, rod_r),
            (reach, rod_r),
            (reach, rod_r * 0.8),
            (reach + 2.2 * rod_r, rod_r * 0.8),
            (reach + 2.2 * rod_r, 0),
        ]
    ).toned("bright")
    end = reach + 2.2 * rod_r
    front: list[Note] = [
        *along_axis(-cap, end),
        Size((-cap, -side), (n + cap, -side), "below", number(round(n + 2 * cap))),
        Size((-cap, -side), (end, -side), "below", number(round(end + cap)), 1),
        Size((end, -rod_r), (end, rod_r), "right", f"Ø{number(round(2 * rod_r, 1))}"),
    ]
    right: list[Note] = [
        *cross_axes(0, 0, side),
        Size((-side, -side), (side, -side), "below", number(round(2 * side, 1))),
    ]
    facts = (
        mm("bore", "シリンダ内径", p["bore"]),
        mm("stroke", "ストローク", s),
        ("four tie rods", "タイロッド4本"),
        ("two ports", "ポート2箇所"),
    )
    views = (("front", "right"), ("front",), ("front", "iso"), ("front", "right", "top"))
    return Design(
        solid, facts, views, {"front": front, "right": right}, poses=("as_drawn", "as_drawn", "x_up"), hidden=False
    )


def _pump_params(rng: Random) -> Params:
    return {
        "inlet": rng.choice((25, 32, 40, 50, 65)),
        "bolts": rng.choice((6, 8)),
        "motor": rng.choice((1.6, 2.0, 2.4)),
    }


def _pump(p: Params) -> Design:
    b = p["inlet"] / 2
    volute, w, n = b * 2.6 + 20, b * 1.1 + 14, b * p["motor"] * 2.2
    solid = revolve([(0, 0), (0, volute * 0.8), (w * 0.2, volute), (w * 0.8, volute), (w, volute * 0.85), (w, 0)])
    ring = b + 16
    solid += revolve([(-w * 0.6, 0), (-w * 0.6, b + 5), (0, b + 9), (0, 0)])
    solid += disc_with_holes(-w * 0.6 - 10, -w * 0.6, ring, b, bolt_circle(4, b + 9, 7))
    up = volute * 1.25
    solid += (
        revolve([(0, 0), (0, b * 0.8 + 6), (up, b * 0.8 + 4), (up, 0)]).moved(turn=UP).moved((w / 2, volute * 0.45, 0))
    )
    outlet = disc_with_holes(up, up + 10, b * 0.8 + 16, b * 0.8, bolt_circle(4, b * 0.8 + 9, 7)).moved(turn=UP)
    solid += outlet.moved((w / 2, volute * 0.45, 0))
    for y, z in pitch_circle(int(p["bolts"]), volute * 0.88, 90):
        solid += extrude(Outline.regular(0, 0, 6, 10), 0, 6).moved(turn=TO_X).moved((w * 0.95, y, z)).toned("zinc")
    m = volute * 0.72
    solid += revolve(
        [
            (w, 0),
            (w, m * 0.8),
            (w + 14, m * 0.8),
            (w + 14, m),
            (w + 14 + n, m),
            (w + 20 + n, m * 0.9),
            (w + 14 + n * 1.25, m * 0.85),
            (w + 14 + n * 1.25, 0),
        ]
    )
    for k in range(18):
        fin = box(w + 18, -0.8, m * 0.97, w + 10 + n, 0.8, m * 1.07)
        solid += fin.moved(turn=rotation("x", 20.0 * k))
    solid += box(w + 14 + n * 0.3, -m * 0.4, m, w + 14 + n * 0.7, m * 0.4, m * 1.4)
    low = -volute * 1.25
    solid += box(w * 0.1, -volute * 0.7, low, w * 0.9, volute * 0.7, low + 8) + box(
        w * 0.3, -volute * 0.35, low, w * 0.7, volute * 0.35, -volute * 0.7
    )
    solid += box(w + 20 + n * 0.3, -m * 0.9, low, w + 10 + n * 0.8, m * 0.9, low + 8) + box(
        w + 20 + n * 0.4, -m * 0.4, low, w + 10 + n * 0.7, m * 0.4, -m * 0.8
    )
    end, left, top = w + 14 + n * 1.25, -w * 0.6 - 10, up + 10
    front: list[Note] = [
        *along_axis(left, end),
        Axis((w / 2, 0), (w / 2, top)),
        Size((left, low), (end, low), "below", number(round(end - left))),
        Size((left, 0), (w / 2, top), "left", number(round(top))),
        Size((end, low), (end, 0), "right", number(round(-low))),
    ]
    facts = (
        (f"inlet {number(p['inlet'])}A", f"吸込口径{number(p['inlet'])}A"),
        ("close coupled motor", "モータ直結"),
        ("flanged ports", "フランジ接続"),
    )
    views = (("front", "left"), ("front",), ("front", "left", "iso_left"), ("front", "iso"))
    return Design(solid, facts, views, {"front": front}, hidden=False)


FAMILIES = (
    Family(
        "gate_valve",
        ("gate valve", "sluice valve", "flanged gate valve"),
        ("ゲートバルブ", "仕切弁"),
        ("FC250", "FCD450", "CAC406", "SC450"),
        "GV",
        _valve_params,
        _gate_valve,
    ),
    Family(
        "ball_valve",
        ("ball valve", "lever ball valve"),
        ("ボールバルブ", "ボール弁"),
        ("C3604", "SUS304", "SUS316"),
        "BV",
        _valve_params,
        _ball_valve,
    ),
    Family(
        "air_cylinder",
        ("pneumatic cylinder", "air cylinder", "tie rod cylinder"),
        ("エアシリンダ", "空気圧シリンダ", "シリンダ"),
        ("A5052", "A6063"),
        "AC",
        _cylinder_params,
        _cylinder,
    ),
    Family(
        "centrifugal_pump",
        ("centrifugal pump", "volute pump", "motor pump"),
        ("渦巻ポンプ", "遠心ポンプ", "モータポンプ"),
        ("FC250", "SUS304"),
        "PM",
        _pump_params,
        _pump,
    ),
)
