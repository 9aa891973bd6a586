"""Floor plans: rooms, walls, doors, windows, furniture; 1 mm is 100 mm."""

from random import Random

from cmrcli.samples.design import (
    Design,
    Family,
    Params,
    count,
)
from cmrcli.samples.displaylist import Arc, Circle, Fill, Line, Primitive
from cmrcli.samples.trades.symbols import (
    label,
    layout,
    loop,
)

ROOMS = (
    ("OFFICE", "事務室"),
    ("MEETING ROOM", "会議室"),
    ("STORE", "倉庫"),
    ("WORKSHOP", "作業場"),
    ("KITCHEN", "給湯室"),
    ("LABORATORY", "実験室"),
    ("SERVER ROOM", "サーバ室"),
    ("RECEPTION", "受付"),
    ("TOILET", "便所"),
    ("MACHINE ROOM", "機械室"),
    ("ASSEMBLY", "組立室"),
    ("INSPECTION", "検査室"),
)


def _floor_params(rng: Random) -> Params:
    return layout(rng) | {
        "columns": rng.choice((2, 3, 3, 4)),
        "rows": rng.choice((1, 2, 2)),
        "bay": rng.choice((30, 36, 42)),
    }


def _floor_plan(p: Params) -> Design:
    rng = Random(int(p["layout"]))
    nc, nr = int(p["columns"]), int(p["rows"])
    xs, ys = [0.0], [0.0]
    for _ in range(nc):
        xs.append(xs[-1] + p["bay"] * rng.uniform(0.75, 1.4))
    for _ in range(nr):
        ys.append(ys[-1] + p["bay"] * rng.uniform(0.7, 1.1))
    corridor = 9.0 if nr == 2 else 0.0
    if corridor:
        ys = [ys[0], ys[1], ys[1] + corridor, ys[2] + corridor]
    w, h, t = xs[-1], ys[-1], 1.6
    out: list[Primitive] = []
    names = rng.sample(ROOMS, min(len(ROOMS), nc * nr))
    bands = [(ys[0], ys[1])] + ([(ys[2], ys[3])] if corridor else [])
    gaps: list[tuple[float, float, float, str]] = []  # door and window openings: position along the wall
    for j, (low, high) in enumerate(bands):
        for i in range(nc):
            cx, cy = (xs[i] + xs[i + 1]) / 2, (low + high) / 2
            en, ja = names[(j * nc + i) % len(names)]
            area = (xs[i + 1] - xs[i]) * (high - low) / 40
            out += [label(cx, cy + 1, en, ja, 2.8), label(cx, cy - 4, f"{area:.0f} m2", "", 2.2)]
            wall = (high if j == 0 else low) if corridor else low
            door = rng.uniform(xs[i] + 3, xs[i + 1] - 11)
            gaps.append((door, door + 7, wall, "door" if (j == 0 and corridor) else "door_up"))
            outer = low if j == 0 else high
            edge = outer if corridor else high
            a = rng.uniform(xs[i] + 3, xs[i] + 6)
            gaps.append((a, a + (xs[i + 1] - xs[i]) * 0.5, edge, "window"))
            out += _furniture(rng, en, xs[i] + 2, low + 2, xs[i + 1] - 2, high - 2)
    for y in ys:
        if y not in (0.0, h) and not corridor:
            continue
        cuts = sorted(g for g in gaps if g[2] == y)
        x = 0.0
        for a, b, _, kind in [*cuts, (w, w, y, "end")]:
            if a > x:
                out.append(_wall(x, y - t / 2, a, y + t / 2))
            if kind == "window":
                out += [Line((a, y + d), (b, y + d), "THIN") for d in (-0.5, 0.0, 0.5)]
            elif kind.startswith("door"):
                up = -1.0 if kind == "door" else 1.0
                leaf = Line((a, y), (a, y + up * (b - a)), "THIN")
                swing = Arc((a, y), b - a, 0, 90, "THIN") if up > 0 else Arc((a, y), b - a, 270, 360, "THIN")
                out += [leaf, swing]
            x = max(x, b)
    for i, x in enumerate(xs):
        spans = [(0.0, h)] if i in (0, nc) or not corridor else [(ys[0], ys[1]), (ys[2], ys[3])]
        out += [_wall(x - t / 2, a, x + t / 2, b) for a, b in spans]
        out += [Line((x, -4), (x, -14), "CENTER"), Circle((x, -17), 3, "THIN"), label(x, -18.2, chr(65 + i), "", 2.5)]
    for i in range(nc):
        a, b = xs[i], xs[i + 1]
        out += [Line((a, -9), (b, -9), "DIM"), label((a + b) / 2, -8, str(round((b - a) * 10) * 10), "", 2.3)]
        out += [Line((q - 1, -10), (q + 1, -8), "DIM") for q in (a, b)]
    n = nc * len(bands)
    facts = (
        count("room", "室", n),
        ("with a corridor", "廊下付き") if corridor else ("single row of rooms", "一列配置"),
        (names[0][0].lower(), names[0][1]),
    )
    return Design(None, facts, diagram=tuple(out))


def _wall(x0: float, y0: float, x1: float, y1: float) -> Fill:
    return Fill(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), "WALL")


def _furniture(rng: Random, room: str, x0: float, y0: float, x1: float, y1: float) -> list[Primitive]:
    out: list[Primitive] = []
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    if room in ("OFFICE", "RECEPTION", "LABORATORY", "INSPECTION"):
        for k in range(rng.choice((1, 2, 3))):
            x = x0 + 2 + k * 9
            if x + 7 < x1:
                out += [
                    loop((x, y1 - 7), (x + 7, y1 - 7), (x + 7, y1 - 3), (x, y1 - 3), layer="THIN"),
                    Circle((x + 3.5, y1 - 9), 1.3, "THIN"),
                ]
    elif room == "MEETING ROOM":
        out.append(loop((cx - 8, cy - 9), (cx + 8, cy - 9), (cx + 8, cy - 5.5), (cx - 8, cy - 5.5), layer="THIN"))
        out += [
            Circle((cx - 6 + 4 * k, y), 1.1, "THIN") for k in range(4) for y in (cy - 10.6, cy - 3.9) if y < cy - 4.5
        ]
    elif room == "TOILET":
        out += [Circle((x0 + 4 + 6 * k, y1 - 4), 1.8, "THIN") for k in range(2)]
    elif room in ("STORE", "SERVER ROOM"):
        out += [
            loop(
                (x0 + 2 + 5 * k, y0 + 1),
                (x0 + 5 + 5 * k, y0 + 1),
                (x0 + 5 + 5 * k, y0 + 8),
                (x0 + 2 + 5 * k, y0 + 8),
                layer="THIN",
            )
            for k in range(3)
            if x0 + 5 + 5 * k < x1
        ]
    return out


FAMILIES = (
    Family(
        "floor_plan",
        ("floor plan", "building layout", "office layout"),
        ("平面図", "間取図", "建築平面図"),
        (),
        "AR",
        _floor_params,
        _floor_plan,
    ),
)
