"""Graphic symbols of circuit and process diagrams, drawn around a point, in mm."""

import math
from random import Random

from cmrcli.samples.design import (
    Params,
)
from cmrcli.samples.displaylist import Arc, Circle, Fill, Line, Point, Polyline, Primitive, Text

WIRE = "WIRE"


def label(x: float, y: float, en: str, ja: str = "", size: float = 2.6) -> Text:
    return Text((x, y), ja or en, size, "TEXT", 0.0, "centre", en)


def layout(rng: Random) -> Params:
    return {"layout": rng.randrange(1, 100_000)}


def path(*points: Point, layer: str = WIRE) -> Polyline:
    return Polyline(tuple(points), False, layer)


def loop(*points: Point, layer: str = WIRE) -> Polyline:
    return Polyline(tuple(points), True, layer)


def dot(x: float, y: float, r: float = 0.9) -> Fill:
    return Fill(tuple((x + r * math.cos(a * math.pi / 4), y + r * math.sin(a * math.pi / 4)) for a in range(8)), WIRE)


def arrow(x0: float, y0: float, x1: float, y1: float) -> Polyline:
    d = math.hypot(x1 - x0, y1 - y0)
    u, v = (x1 - x0) / d, (y1 - y0) / d
    a, b = (x1 - 2 * u - 0.9 * v, y1 - 2 * v + 0.9 * u), (x1 - 2 * u + 0.9 * v, y1 - 2 * v - 0.9 * u)
    return path((x0, y0), (x1, y1), a, b, (x1, y1))


def resistor(x: float, y: float, name: str, *, upright: bool) -> list[Primitive]:
    if upright:
        return [
            loop((x - 1.6, y - 4.5), (x + 1.6, y - 4.5), (x + 1.6, y + 4.5), (x - 1.6, y + 4.5)),
            Text((x + 2.6, y - 1), name, 2.4),
        ]
    return [
        loop((x - 4.5, y - 1.6), (x + 4.5, y - 1.6), (x + 4.5, y + 1.6), (x - 4.5, y + 1.6)),
        label(x, y + 2.6, name, "", 2.4),
    ]


def zigzag(x: float, y: float, name: str) -> list[Primitive]:
    points: list[Point] = [(x, y - 4.5)]
    points += [(x + (1.6 if k % 2 else -1.6), y - 3.75 + 1.5 * k) for k in range(6)]
    return [path(*points, (x, y + 4.5)), Text((x + 2.8, y - 1), name, 2.4)]


def capacitor(x: float, y: float, name: str) -> list[Primitive]:
    out: list[Primitive] = [Line((x - 3, y + s * 0.7), (x + 3, y + s * 0.7), WIRE) for s in (1, -1)]
    return [
        *out,
        Line((x, y + 0.7), (x, y + 4.5), WIRE),
        Line((x, y - 0.7), (x, y - 4.5), WIRE),
        Text((x + 3.6, y - 1), name, 2.4),
    ]


def diode(x: float, y: float, name: str, *, light: bool) -> list[Primitive]:
    out: list[Primitive] = [
        loop((x - 2.4, y + 2), (x + 2.4, y + 2), (x, y - 2)),
        Line((x - 2.4, y - 2), (x + 2.4, y - 2), WIRE),
    ]
    out += [
        Line((x, y + 2), (x, y + 4.5), WIRE),
        Line((x, y - 2), (x, y - 4.5), WIRE),
        Text((x + 3.6, y - 1), name, 2.4),
    ]
    if light:
        out += [path((x - 3, y + 1 + 1.5 * k), (x - 5.5, y + 2.5 + 1.5 * k)) for k in range(2)]
    return out


def coil(x: float, y: float, name: str) -> list[Primitive]:
    out: list[Primitive] = [Arc((x, y - 3.375 + 2.25 * k), 1.125, -90, 90, WIRE) for k in range(4)]
    return [*out, Text((x + 2.6, y - 1), name, 2.4)]


def transistor(x: float, y: float, name: str) -> list[Primitive]:
    out: list[Primitive] = [
        Circle((x, y), 5, WIRE),
        Line((x - 1.5, y - 3), (x - 1.5, y + 3), WIRE),
        Line((x - 8, y), (x - 1.5, y), WIRE),
    ]
    out += [
        path((x - 1.5, y + 1.2), (x + 2.5, y + 3.6), (x + 2.5, y + 9)),
        path((x - 1.5, y - 1.2), (x + 2.5, y - 3.6), (x + 2.5, y - 9)),
    ]
    return [
        *out,
        Fill(((x + 2.5, y - 3.6), (x + 0.4, y - 3.2), (x + 1.4, y - 1.6)), WIRE),
        Text((x + 6, y - 1), name, 2.4),
    ]


def ground(x: float, y: float) -> list[Primitive]:
    return [Line((x - 3 + k, y - 1.2 * k), (x + 3 - k, y - 1.2 * k), WIRE) for k in range(3)]


def breaker(x: float, y: float) -> list[Primitive]:
    return [
        loop((x - 2.2, y - 4), (x + 2.2, y - 4), (x + 2.2, y + 4), (x - 2.2, y + 4)),
        Line((x - 2.2, y - 4), (x + 2.2, y + 4), WIRE),
    ]


def bubble(x: float, y: float, tag: str, number: int) -> list[Primitive]:
    return [Circle((x, y), 5, "THIN"), label(x, y + 0.5, tag, "", 2.4), label(x, y - 3, str(number), "", 2.2)]


def bowtie(x: float, y: float, *, actuator: bool, upright: bool = False) -> list[Primitive]:
    a, b = 3.2, 2.2
    if upright:
        out: list[Primitive] = [loop((x - b, y - a), (x + b, y - a), (x - b, y + a), (x + b, y + a))]
    else:
        out = [loop((x - a, y - b), (x - a, y + b), (x + a, y - b), (x + a, y + b))]
    if actuator:
        out += [
            Line((x, y), (x, y + 5), WIRE),
            Arc((x, y + 5), 2.6, 0, 180, WIRE),
            Line((x - 2.6, y + 5), (x + 2.6, y + 5), WIRE),
        ]
    return out


def vessel(x: float, y: float, w: float, h: float, tag: str) -> list[Primitive]:
    r = w / 2
    out: list[Primitive] = [Line((x - r, y), (x - r, y + h)), Line((x + r, y), (x + r, y + h))]
    out += [
        Polyline(
            tuple(
                (x + r * math.cos(a), y + s * r * 0.5 * math.sin(a) + (h if s > 0 else 0))
                for a in [k * math.pi / 12 for k in range(13)]
            )
        )
        for s in (1, -1)
    ]
    return [*out, label(x, y + h / 2, tag, "", 3.0)]
