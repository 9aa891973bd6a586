"""Process diagrams: piping and instrumentation, hydraulic circuits, flow charts."""

from random import Random

from cmrcli.samples.design import (
    Design,
    Family,
    Params,
    count,
)
from cmrcli.samples.displaylist import Arc, Circle, Fill, Line, Primitive
from cmrcli.samples.trades.symbols import (
    WIRE,
    arrow,
    bowtie,
    bubble,
    dot,
    label,
    layout,
    loop,
    path,
    vessel,
)


def _pid_params(rng: Random) -> Params:
    return layout(rng) | {
        "vessels": rng.choice((1, 2, 2, 3)),
        "pumps": rng.choice((1, 1, 2)),
        "exchanger": rng.choice((0, 1, 1)),
    }


def _pid(p: Params) -> Design:
    rng = Random(int(p["layout"]))
    out: list[Primitive] = []
    x, y, valves, instruments = 0.0, 0.0, 0, 0

    def pipe(length: float) -> None:
        nonlocal x
        out.append(Line((x, y), (x + length, y), "OUTLINE"))
        x += length

    out.append(loop((-16, -3), (-4, -3), (0, 0), (-4, 3), (-16, 3), layer="THIN"))
    out.append(label(-9, -1, "FEED", "原料", 2.2))
    for k in range(int(p["vessels"])):
        pipe(8)
        out += bowtie(x + 3.2, y, actuator=rng.random() < 0.5)
        valves += 1
        x += 6.4
        pipe(8)
        if k < p["pumps"]:
            out += [
                Circle((x + 5, y), 5),
                path((x + 5, y + 5), (x + 10, y), (x + 5, y - 5), layer="OUTLINE"),
                label(x + 5, y - 10, f"P-10{k + 1}", "", 2.6),
            ]
            x += 10
            pipe(8)
        if k == 0 and p["exchanger"]:
            out += [
                Circle((x + 7, y), 7),
                path((x, y), (x + 4, y), (x + 6, y + 4), (x + 8, y - 4), (x + 10, y), (x + 14, y), layer="THIN"),
                label(x + 7, y - 12, "E-101", "", 2.6),
            ]
            out += [
                path((x + 7, y + 7), (x + 7, y + 16), layer="OUTLINE"),
                path((x + 7, y - 7), (x + 7, y - 9), layer="OUTLINE"),
            ]
            x += 14
            pipe(8)
        w, h = rng.choice((16.0, 20.0, 24.0)), rng.choice((26.0, 34.0, 44.0))
        low = y - h * rng.choice((0.3, 0.5))
        out += vessel(x + w / 2, low, w, h, f"{rng.choice('TVR')}-10{k + 1}")
        for tag in rng.sample(("LT", "PT", "TI", "LIC", "FIC"), 2):
            instruments += 1
            iy = low + h * (0.75 if instruments % 2 else 1.25)
            out += bubble(x + w + 10, iy + 2, tag, 100 + instruments)
            out.append(Line((x + w, min(iy + 2, low + h)), (x + w + 5, iy + 2), "HIDDEN"))
        x += w
        y = low + 4 if rng.random() < 0.5 else y
        pipe(24)
    out.append(loop((x, -3 + y), (x + 12, -3 + y), (x + 16, y), (x + 12, 3 + y), (x, 3 + y), layer="THIN"))
    out.append(label(x + 7, y - 1, "PRODUCT", "製品", 2.0))
    facts = (
        count("vessel", "塔槽", p["vessels"]),
        count("pump", "ポンプ", min(p["pumps"], p["vessels"])),
        count("valve", "弁", valves),
        count("instrument", "計器", instruments),
    )
    return Design(None, facts, diagram=tuple(out))


def _hydraulic_params(rng: Random) -> Params:
    return layout(rng) | {"cylinders": rng.choice((1, 2, 2, 3)), "positions": rng.choice((2, 3, 3))}


def _hydraulic(p: Params) -> Design:
    n, k = int(p["cylinders"]), int(p["positions"])
    out: list[Primitive] = []
    rail = 12.0
    for i in range(n):
        x = 50.0 * i
        out += [
            loop((x, 58), (x + 30, 58), (x + 30, 68), (x, 68), layer="OUTLINE"),
            Line((x + 10, 58), (x + 10, 68)),
            Line((x + 12, 58), (x + 12, 68)),
        ]
        out += [
            Line((x + 12, 64), (x + 38, 64)),
            Line((x + 12, 62), (x + 38, 62)),
            label(x + 15, 70, f"CYL-{i + 1}", "", 2.6),
        ]
        b, y = 9.0, 34.0
        x0 = x + 15 - b * k / 2
        for j in range(k):
            q = x0 + b * j
            out.append(loop((q, y), (q + b, y), (q + b, y + b), (q, y + b)))
            if j == 0:
                out += [arrow(q + 2.5, y, q + 2.5, y + b), arrow(q + b - 2.5, y + b, q + b - 2.5, y)]
            elif j == k - 1:
                out += [arrow(q + 2.5, y, q + b - 2.5, y + b), arrow(q + 2.5, y + b, q + b - 2.5, y)]
            else:
                out += [
                    Line((q + c - 1, y + d), (q + c + 1, y + d), WIRE) for c in (2.5, b - 2.5) for d in (2.0, b - 2.0)
                ]
                out += [
                    Line((q + c, y + d), (q + c, y + e), WIRE) for c in (2.5, b - 2.5) for d, e in ((0, 2), (b, b - 2))
                ]
        for s, q in ((-1, x0), (1, x0 + b * k)):
            out += [
                loop((q, y + 1.5), (q + 6 * s, y + 1.5), (q + 6 * s, y + 7.5), (q, y + 7.5)),
                Line((q + s, y + 1.5), (q + 5 * s, y + 7.5), WIRE),
            ]
        mid = x0 + b * (1 if k == 3 else 0)
        out += [
            path((mid + 2.5, y + b), (mid + 2.5, 52), (x + 3, 52), (x + 3, 58)),
            path((mid + b - 2.5, y + b), (mid + b - 2.5, 50), (x + 27, 50), (x + 27, 58)),
        ]
        out += [
            path((mid + 2.5, y), (mid + 2.5, rail)),
            path((mid + b - 2.5, y), (mid + b - 2.5, rail - 6)),
            dot(mid + 2.5, rail),
            dot(mid + b - 2.5, rail - 6),
        ]
        out.append(label(x + 15, y - 5, f"SOL-{i + 1}", "", 2.2))
    w = 50.0 * n
    out += [Line((-14, rail), (w - 10, rail), WIRE), Line((-4, rail - 6), (w - 10, rail - 6), WIRE)]
    px = -14.0
    out += [
        Line((px, rail), (px, -4), WIRE),
        Circle((px, -10), 6, WIRE),
        Fill(((px, -4), (px - 2.4, -8), (px + 2.4, -8)), WIRE),
        label(px - 12, -11, "P", "", 3),
    ]
    out += [
        Circle((px + 20, -10), 5.5, WIRE),
        label(px + 20, -11.2, "M", "", 3.2),
        Line((px + 6, -9.3), (px + 14.5, -9.3), WIRE),
        Line((px + 6, -10.7), (px + 14.5, -10.7), WIRE),
    ]
    out += [Line((px, -16), (px, -22), WIRE), path((px - 6, -20), (px - 6, -25), (px + 6, -25), (px + 6, -20))]
    out += [
        Line((w - 10, rail - 6), (w - 10, -18), WIRE),
        path((w - 16, -16), (w - 16, -21), (w - 4, -21), (w - 4, -16)),
    ]
    out += [
        loop((8, -2), (16, -2), (16, 6), (8, 6)),
        arrow(12, 6, 12, -2),
        Line((12, rail), (12, 6), WIRE),
        Line((12, -2), (12, -8), WIRE),
        label(22, 1, "RV", "", 2.4),
        dot(12, rail),
    ]
    facts = (
        count("cylinder", "シリンダ", n),
        (f"{k}-position solenoid valves", f"{k}位置電磁弁"),
        ("with a pump and a relief valve", "ポンプとリリーフ弁付き"),
    )
    return Design(None, facts, diagram=tuple(out))


_STEPS = (
    ("RECEIVE", "受入"),
    ("INSPECT", "検査"),
    ("CUT", "切断"),
    ("MACHINE", "加工"),
    ("WELD", "溶接"),
    ("HEAT TREAT", "熱処理"),
    ("ASSEMBLE", "組立"),
    ("PAINT", "塗装"),
    ("TEST", "試験"),
    ("PACK", "梱包"),
    ("SHIP", "出荷"),
)


def _flow_params(rng: Random) -> Params:
    return layout(rng) | {"steps": rng.choice((4, 5, 6, 7)), "decisions": rng.choice((1, 1, 2))}


def _flow_chart(p: Params) -> Design:
    rng = Random(int(p["layout"]))
    n = int(p["steps"])
    steps = sorted(rng.sample(range(len(_STEPS)), n))
    decide = set(rng.sample(range(1, n - 1), min(int(p["decisions"]), n - 2)))
    out: list[Primitive] = []
    y = 0.0
    for k, s in enumerate(steps):
        en, ja = _STEPS[s]
        if k in decide:
            h = 9.0
            out.append(loop((-18, y), (0, y + h), (18, y), (0, y - h)))
            out += [label(0, y - 1, f"{en} OK?", f"{ja}合格?", 2.6), label(4, y - h - 3, "YES", "", 2.0)]
            out += [
                path((18, y), (34, y), (34, y + 22), (16, y + 22)),
                label(23, y + 1.5, "NO", "", 2.0),
                arrow(20, y + 22, 16, y + 22),
            ]
        else:
            h = 6.0
            box = [(-16.0, y - h), (16.0, y - h), (16.0, y + h), (-16.0, y + h)]
            if k in (0, n - 1):
                out += [
                    Line((-11, y + h), (11, y + h), WIRE),
                    Line((-11, y - h), (11, y - h), WIRE),
                    Arc((11, y), h, -90, 90, WIRE),
                    Arc((-11, y), h, 90, 270, WIRE),
                ]
            else:
                out.append(loop(*box))
            out.append(label(0, y - 1.2, en, ja, 3.0))
        if k < n - 1:
            gap = 22 - h - (9 if k + 1 in decide else 6)
            out.append(arrow(0, y - h, 0, y - h - gap))
        y -= 22
    facts = (count("step", "工程", n), count("decision", "判定", len(decide)))
    return Design(None, facts, diagram=tuple(out))


FAMILIES = (
    Family(
        "pid",
        ("piping and instrumentation diagram", "P&ID", "process flow diagram"),
        ("配管計装図", "配管系統図", "フローシート"),
        (),
        "PI",
        _pid_params,
        _pid,
    ),
    Family(
        "hydraulic_circuit",
        ("hydraulic circuit diagram", "hydraulic schematic", "pneumatic circuit"),
        ("油圧回路図", "空気圧回路図"),
        (),
        "HC",
        _hydraulic_params,
        _hydraulic,
    ),
    Family(
        "flow_chart",
        ("process flow chart", "flow chart", "work flow diagram"),
        ("工程フロー図", "フローチャート", "作業工程図"),
        (),
        "FC",
        _flow_params,
        _flow_chart,
    ),
)
