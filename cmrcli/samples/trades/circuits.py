"""Electrical diagrams: electronic circuits, relay ladders, power distribution."""

from random import Random

from cmrcli.samples.design import (
    Design,
    Family,
    Params,
    count,
)
from cmrcli.samples.displaylist import Circle, Fill, Line, Polyline, Primitive, Text
from cmrcli.samples.trades.symbols import (
    WIRE,
    breaker,
    capacitor,
    coil,
    diode,
    dot,
    ground,
    label,
    layout,
    loop,
    path,
    resistor,
    transistor,
    zigzag,
)


def _schematic_params(rng: Random) -> Params:
    return layout(rng) | {
        "branches": rng.choice((4, 5, 6, 7, 8)),
        "chip": rng.choice((0, 1, 1)),
        "zigzag": rng.choice((0, 1)),
    }


def _schematic(p: Params) -> Design:
    rng = Random(int(p["layout"]))
    n, top = int(p["branches"]), 54.0
    out: list[Primitive] = []
    resistors = capacitors = transistors = diodes = 0
    x = 8.0
    for _ in range(n):
        out += [dot(x, top), dot(x, 0)]
        slots = rng.sample((12.0, 27.0, 42.0), rng.choice((1, 2, 3)))
        at: list[float] = []
        if rng.random() < 0.22:
            transistors += 1
            out += [
                *transistor(x - 2.5, 27, f"Q{transistors}"),
                Line((x, 36), (x, top), WIRE),
                Line((x, 0), (x, 18), WIRE),
            ]
            out += [Line((x - 10.5, 27), (x - 13, 27), WIRE), dot(x - 13, 27, 0.6)]
        else:
            for y in sorted(slots):
                kind = rng.choice(("r", "r", "c", "c", "d", "l"))
                at.append(y)
                if kind == "r":
                    resistors += 1
                    value = rng.choice(("1k", "10k", "4.7k", "100", "220"))
                    name = f"R{resistors} {value}"
                    out += zigzag(x, y, name) if p["zigzag"] else resistor(x, y, name, upright=True)
                elif kind == "c":
                    capacitors += 1
                    out += capacitor(x, y, f"C{capacitors} {rng.choice(('100n', '10u', '22p', '1u'))}")
                elif kind == "d":
                    diodes += 1
                    out += diode(x, y, f"D{diodes}", light=rng.random() < 0.4)
                else:
                    out += coil(x, y, "L1")
            y = 0.0
            for q in at:
                out.append(Line((x, y), (x, q - 4.5), WIRE))
                y = q + 4.5
            out.append(Line((x, y), (x, top), WIRE))
        x += rng.choice((20.0, 22.0, 26.0))
    if p["chip"]:
        w, h, pins = 26.0, 32.0, 4
        out += [
            loop((x, 12), (x + w, 12), (x + w, 12 + h), (x, 12 + h)),
            label(x + w / 2, 27, "U1", "", 3.2),
            label(x + w / 2, 22.5, rng.choice(("NE555", "LM358", "74HC04", "MCU")), "", 2.4),
        ]
        for k in range(pins):
            y = 16 + 7.5 * k
            out += [Line((x - 6, y), (x, y), WIRE), Line((x + w, y), (x + w + 6, y), WIRE)]
            out += [
                Text((x + 1, y - 1), str(k + 1), 2.0),
                Text((x + w - 1, y - 1), str(2 * pins - k), 2.0, anchor="right"),
            ]
        out += [path((x - 6, 38.5), (x - 6, top)), path((x - 6, 16), (x - 6, 0)), dot(x - 6, top), dot(x - 6, 0)]
        out += [
            loop(
                (x + w + 6, y - 1.8),
                (x + w + 11, y - 1.8),
                (x + w + 13, y),
                (x + w + 11, y + 1.8),
                (x + w + 6, y + 1.8),
                layer="THIN",
            )
            for y in (16, 23.5)
        ]
        x += w
    out += [
        Line((-6, top), (x, top), WIRE),
        Line((-6, 0), (x, 0), WIRE),
        label(-6, top + 2, "+24V" if n % 2 else "VCC", "", 3.0),
        Circle((-7, top), 1, WIRE),
    ]
    out += [*ground(x * 0.5, -4), Line((x * 0.5, 0), (x * 0.5, -4), WIRE)]
    facts = [count("resistor", "抵抗", resistors), count("capacitor", "コンデンサ", capacitors)]
    if transistors:
        facts.append(count("transistor", "トランジスタ", transistors))
    if p["chip"]:
        facts.append(("with an integrated circuit", "IC使用"))
    return Design(None, tuple(facts), diagram=tuple(out))


def _ladder_params(rng: Random) -> Params:
    return layout(rng) | {"rungs": rng.choice((4, 5, 6, 7, 8))}


def _ladder(p: Params) -> Design:
    rng = Random(int(p["layout"]))
    n, w, pitch = int(p["rungs"]), 120.0, 13.0
    out: list[Primitive] = [Line((0, 6), (0, -n * pitch + 7), "OUTLINE"), Line((w, 6), (w, -n * pitch + 7), "OUTLINE")]
    for k in range(n):
        y = -k * pitch
        x, xs = 0.0, sorted(rng.sample((18.0, 38.0, 58.0, 78.0), rng.choice((1, 2, 2, 3))))
        for i, c in enumerate(xs):
            out += [
                Line((x, y), (c - 2, y), WIRE),
                Line((c - 2, y - 2.8), (c - 2, y + 2.8), WIRE),
                Line((c + 2, y - 2.8), (c + 2, y + 2.8), WIRE),
            ]
            if rng.random() < 0.35:
                out.append(Line((c - 3, y - 3.2), (c + 3, y + 3.2), WIRE))
            out.append(
                label(
                    c, y + 3.8, f"X{rng.randrange(16):02d}" if i else rng.choice(("PB1", "PB2", "LS1", "CR1")), "", 2.2
                )
            )
            x = c + 2
        out += [Line((x, y), (100, y), WIRE), Circle((103.5, y), 3.5, WIRE), Line((107, y), (w, y), WIRE)]
        out.append(label(103.5, y - 0.9, rng.choice(("M1", "CR1", "Y01", "SOL", "TLR")), "", 2.0))
        out.append(Text((-8, y - 1), f"{k + 1:03d}", 2.2))
        if rng.random() < 0.4 and k < n - 1:
            a, b = xs[0] - 8, xs[0] + 8
            out += [path((a, y), (a, y - 6.5), (xs[0] - 2, y - 6.5)), path((b, y), (b, y - 6.5), (xs[0] + 2, y - 6.5))]
            out += [Line((xs[0] + s, y - 8.6), (xs[0] + s, y - 4.4), WIRE) for s in (-2, 2)]
    facts = (count("rung", "回路", n), ("relay contacts and coils", "リレー接点とコイル"))
    return Design(None, facts, diagram=tuple(out))


def _single_line_params(rng: Random) -> Params:
    return layout(rng) | {
        "feeders": rng.choice((3, 4, 5, 6)),
        "volts": rng.choice((200, 210, 400, 440)),
        "transformer": 1,
    }


def _single_line(p: Params) -> Design:
    rng = Random(int(p["layout"]))
    n = int(p["feeders"])
    w = 22.0 * (n - 1)
    m = w / 2
    out: list[Primitive] = [Line((m, 60), (m, 50), WIRE), label(m, 62, "6.6kV 3PH 50Hz", "6.6kV 三相 50Hz", 2.6)]
    out += [*breaker(m, 46), Line((m, 42), (m, 36), WIRE), Circle((m, 32), 4, WIRE), Circle((m, 26.5), 4, WIRE)]
    out += [
        Text((m + 6, 28), f"TR {rng.choice((50, 75, 100, 150))}kVA 6.6kV/{int(p['volts'])}V", 2.4),
        Line((m, 22.5), (m, 18), WIRE),
    ]
    out += [
        *breaker(m, 14),
        Line((m, 10), (m, 4), WIRE),
        Polyline(((-8, 4), (w + 8, 4)), False, "BORDER"),
        label(-12, 6, f"{int(p['volts'])}V", "", 2.4),
    ]
    motors = 0
    for k in range(n):
        x = 22.0 * k
        out += [Line((x, 4), (x, -2), WIRE), *breaker(x, -6), Line((x, -10), (x, -16), WIRE)]
        if rng.random() < 0.6:
            motors += 1
            out += [
                Circle((x, -21), 5, WIRE),
                label(x, -22.2, "M", "", 3.0),
                label(x, -31, f"{rng.choice((0.75, 1.5, 2.2, 3.7, 5.5, 7.5))}kW", "", 2.2),
            ]
        else:
            out += [
                Fill(((x, -20), (x - 2, -16), (x + 2, -16)), WIRE),
                label(
                    x,
                    -26,
                    rng.choice(("LIGHTING", "SOCKETS", "HEATER")),
                    rng.choice(("照明", "コンセント", "ヒータ")),
                    2.2,
                ),
            ]
    facts = (
        count("feeder", "分岐回路", n),
        count("motor", "電動機", motors),
        (f"{int(p['volts'])} V busbar", f"母線{int(p['volts'])}V"),
        ("with a transformer", "変圧器付き"),
    )
    return Design(None, facts, diagram=tuple(out))


FAMILIES = (
    Family(
        "schematic",
        ("electrical schematic", "circuit diagram", "wiring schematic"),
        ("回路図", "電気回路図", "電子回路図"),
        (),
        "ES",
        _schematic_params,
        _schematic,
    ),
    Family(
        "ladder_diagram",
        ("ladder diagram", "relay ladder logic", "control circuit diagram"),
        ("ラダー図", "シーケンス図", "制御回路図"),
        (),
        "LD",
        _ladder_params,
        _ladder,
    ),
    Family(
        "single_line_diagram",
        ("single-line diagram", "one-line diagram", "power distribution diagram"),
        ("単線結線図", "電源系統図"),
        (),
        "SL",
        _single_line_params,
        _single_line,
    ),
)
