"""Pipe flanges, slip-on, blind and weld neck; their axis is the x axis."""

import math
from random import Random

from cmrcli.samples.annotate import Axis, Leader, Note, Ring, Size, cross_axes, number
from cmrcli.samples.design import Design, Family, Params, count, drilled, mm, profile_section
from cmrcli.samples.outline import pitch_circle
from cmrcli.samples.solid import revolve
from cmrcli.samples.trades.axisymmetric import ROUND, SIDE_ROUND, along_axis, bolt_circle, disc_with_holes


def _flange_params(rng: Random) -> Params:
    bore = rng.choice((15, 20, 25, 32, 40, 50, 65, 80, 100, 125, 150, 200))
    n = rng.choice((4, 4, 8, 8, 12)) if bore > 50 else 4
    hole = rng.choice((12, 15, 19, 23)) if bore < 100 else rng.choice((19, 23, 25))
    pitch = bore + 4 * hole + rng.randrange(0, 20, 5)
    return {
        "bore": bore * 1.1,
        "holes": n,
        "hole": hole,
        "pitch": pitch,
        "outer": pitch + 2.6 * hole,
        "thickness": rng.choice((12, 14, 16, 18, 20, 22, 24)),
        "hub": rng.choice((0, 0, 10, 16, 25)),
        "face": rng.choice((0, 1, 2)),
    }


def _flange_notes(p: Params, length: float) -> dict[str, list[Note]]:
    r, n = p["outer"] / 2, int(p["holes"])
    front = along_axis(0, length)
    for s in (1, -1):
        front.append(Axis((0, s * p["pitch"] / 2), (p["thickness"], s * p["pitch"] / 2)))
    front += [
        Size((0, -r), (p["thickness"], -r), "below", number(p["thickness"])),
        Size((0, -r), (0, r), "left", f"Ø{number(p['outer'])}", 1),
    ]
    if p.get("bore"):
        front.append(Size((0, -p["bore"] / 2), (0, p["bore"] / 2), "left", f"Ø{number(p['bore'])}"))
    x, y = pitch_circle(n, p["pitch"] / 2, 90)[n - 1 if n > 2 else 0]
    side = [*cross_axes(0, 0, r), Leader((x * 1.02, y * 1.02), 40, drilled(n, p["hole"]), 16)]
    a = math.radians(215)
    pitch = (p["pitch"] / 2 * math.cos(a), p["pitch"] / 2 * math.sin(a))
    side += [Ring(p["pitch"] / 2), Leader(pitch, 225, f"P.C.D. {number(p['pitch'])}", 30)]
    return {"front": front, "right": side}


def _flange(p: Params) -> Design:
    r, b, t, ring = p["outer"] / 2, p["bore"] / 2, p["thickness"], p["pitch"] / 2
    solid = disc_with_holes(0, t, r, b, bolt_circle(int(p["holes"]), ring, p["hole"]))
    neck = min(b + p["hub"] * 0.5 + 4, ring - p["hole"])
    profile = [(0.0, b), (0.0, r), (t, r)]
    length = t
    if p["hub"]:
        length = t + p["hub"]
        solid += revolve([(t, b), (t, neck), (length, neck - 2), (length, b)], hidden=[False, False, True, True])
        profile += [(t, neck), (length, neck - 2), (length, b)]
    else:
        profile += [(t, b)]
    if p["face"]:
        face = ring - p["hole"] * 0.8
        solid += revolve([(-p["face"], b), (-p["face"], face), (0, face), (0, b)], hidden=[False, False, True, True])
    facts = (
        mm("outer diameter", "外径", p["outer"]),
        mm("bore", "内径", p["bore"]),
        count("bolt hole", "ボルト穴", p["holes"]),
        mm("pitch circle diameter", "ピッチ円直径", p["pitch"]),
        mm("thickness", "厚さ", t),
    )
    notes = _flange_notes(p, length)
    section = {"front": profile_section(profile, [(ring, p["hole"])])}
    return Design(solid, facts, SIDE_ROUND, notes, section, poses=ROUND)


def _blind_params(rng: Random) -> Params:
    return _flange_params(rng) | {"bore": 0, "hub": 0, "face": rng.choice((0, 2, 3))}


def _blind(p: Params) -> Design:
    r, t, ring = p["outer"] / 2, p["thickness"], p["pitch"] / 2
    solid = disc_with_holes(0, t, r, 0, bolt_circle(int(p["holes"]), ring, p["hole"]))
    if p["face"]:
        face = ring - p["hole"] * 0.9
        solid += revolve([(-p["face"], 0), (-p["face"], face), (0, face), (0, 0)])
    facts = (
        mm("outer diameter", "外径", p["outer"]),
        count("bolt hole", "ボルト穴", p["holes"]),
        mm("thickness", "厚さ", t),
        ("without a bore", "穴なし"),
    )
    return Design(solid, facts, SIDE_ROUND, _flange_notes(p, t), {}, poses=ROUND)


def _neck_params(rng: Random) -> Params:
    return _flange_params(rng) | {"hub": rng.choice((35, 45, 60))}


def _neck(p: Params) -> Design:
    r, b, t, ring = p["outer"] / 2, p["bore"] / 2, p["thickness"], p["pitch"] / 2
    length = t + p["hub"]
    wide = min(b + 0.35 * p["hub"], ring - 0.8 * p["hole"])
    thin = b + 4
    solid = disc_with_holes(0, t, r, b, bolt_circle(int(p["holes"]), ring, p["hole"]))
    outside = [(t, wide), (t + 0.6 * p["hub"], thin), (length - 2, thin), (length, thin - 2.5)]
    solid += revolve([(t, b), *outside, (length, b)], hidden=[False] * 4 + [True, True])
    profile = [(0.0, b), (0.0, r), (t, r), *outside, (length, b)]
    facts = (
        mm("outer diameter", "外径", p["outer"]),
        mm("bore", "内径", p["bore"]),
        mm("overall length", "全長", length),
        count("bolt hole", "ボルト穴", p["holes"]),
        ("tapered hub for butt welding", "突合せ溶接用ハブ付き"),
    )
    notes = _flange_notes(p, length)
    notes["front"].append(Size((0, -r), (length, -r), "below", number(length), 1))
    section = {"front": profile_section(profile, [(ring, p["hole"])])}
    return Design(solid, facts, SIDE_ROUND, notes, section, poses=ROUND)


FAMILIES = (
    Family(
        "flange",
        ("flange", "pipe flange", "slip-on flange", "plate flange"),
        ("フランジ", "管フランジ", "差込みフランジ"),
        ("SS400", "SUS304", "SF440A", "FC250"),
        "FL",
        _flange_params,
        _flange,
    ),
    Family(
        "blind_flange",
        ("blind flange", "blank flange", "flange cover"),
        ("閉止フランジ", "ブラインドフランジ", "盲フランジ"),
        ("SS400", "SUS304", "SF440A"),
        "BF",
        _blind_params,
        _blind,
    ),
    Family(
        "weld_neck_flange",
        ("weld neck flange", "welding neck flange", "hubbed flange"),
        ("突合せ溶接フランジ", "ハブフランジ"),
        ("SF440A", "SUS304", "SUS316"),
        "WN",
        _neck_params,
        _neck,
    ),
)
