"""Stage `card`: `CARD.md` of the encoder, its figures taken from the record of the stages that ran.

The words that no stage can know (what the tower is, what it cannot do) are in `card.md`, a template with a few blanks.
"""

import json
from typing import Any

from models.train.workspace import HERE, MODEL, OUT

SETS_SHOWN = {  # measure shown for each set
    "text -> icon": ("success@1", "success@10"), "text -> symbol": ("success@1", "success@10"),
    "text -> stencil": ("success@1", "success@10"), "text -> emoji": ("success@1", "success@10"),
    "ja -> emoji": ("success@1", "success@10"), "text -> photo (unseen classes)": ("success@1", "R-precision"),
    "text -> clothing photo": ("success@1", "R-precision"), "text -> product": ("success@1", "R-precision"),
    "text -> figure (alt text)": ("success@1", "success@10"),
}  # fmt: skip
STAGES = (
    "teacher",
    "prepare-text",
    "prepare-images",
    "label-scores",
    "prepare-parts",
    "distil-text",
    "fit-image",
    "export",
)


def run() -> None:
    """Writes the card."""
    record = json.loads((OUT / "record.json").read_text())
    report = record["evaluate-report"]
    blanks = {
        "pictures_table": _pictures(report["sets"]),
        "parts_table": _parts(report.get("parts", {})),
        "text_table": _text(report["text"]),
        "speed_table": _speed(report["speed"]),
        "time_table": _times(record),
        "text_curve": _curve(record["distil-text"]["curve"]),
        "image_curve": _curve(record["fit-image"]["curve"]),
        "sizes": _sizes(record["export"]["bytes"]),
        "text_cosine": _cosine(record["export"]["text_cosine"]),
        "image_cosine": _cosine(record["export"]["image_cosine"]),
        "families": str(len(record.get("prepare-parts", {}).get("families", []))),
        "held": ", ".join(record.get("prepare-parts", {}).get("held", [])),
        "part_images": f"{record.get('prepare-parts', {}).get('images', 0):,}",
        "vocabulary": f"{record['prepare-text']['vocabulary']:,}",
        "english": f"{record['prepare-text']['english']:,}",
        "pairs": f"{record['prepare-text']['pairs']:,}",
        "lexicon_pairs": f"{record['prepare-text']['lexicon_pairs']:,}",
        "text_steps": f"{record['distil-text']['steps']:,}",
        "image_steps": f"{record['fit-image']['steps']:,}",
        "image_batch": str(record["fit-image"]["batch"]),
    }
    card = (HERE / "card.md").read_text(encoding="utf-8")
    for name, value in blanks.items():
        card = card.replace("{" + name + "}", value)
    (MODEL / "CARD.md").write_text(card, encoding="utf-8")


def _value(triple: list[float]) -> str:
    return f"{triple[0]:.2f} ({triple[1]:.2f}-{triple[2]:.2f})"


def _pictures(sets: dict[str, Any]) -> str:
    towers = ("bundled", "labels as words", "learned part")
    lines = [
        "| set | queries / images | measure | " + " | ".join(towers) + " |",
        "|---|---|---|" + "---|" * len(towers),
    ]
    for name, measures in SETS_SHOWN.items():
        if name not in sets:
            continue
        found = sets[name]
        for key in measures:
            values = " | ".join(_value(found[tower][key]) if tower in found else "-" for tower in towers)
            lines.append(f"| {name} | {found['queries']} / {found['gallery']} | {key} | {values} |")
    return "\n".join(lines)


def _parts(sets: dict[str, Any]) -> str:
    if not sets:
        return "Not measured."
    return _pictures_like(sets)


def _pictures_like(sets: dict[str, Any]) -> str:
    towers = ("bundled", "labels as words", "learned part")
    lines = [
        "| set | queries / images | measure | " + " | ".join(towers) + " |",
        "|---|---|---|" + "---|" * len(towers),
    ]
    for name, found in sets.items():
        for key in ("success@1", "R-precision"):
            values = " | ".join(_value(found[tower][key]) if tower in found else "-" for tower in towers)
            lines.append(f"| {name} | {found['queries']} / {found['gallery']} | {key} | {values} |")
    return "\n".join(lines)


def _text(figures: dict[str, list[float]]) -> str:
    lines = ["| measure | value (95 % interval) |", "|---|---|"]
    lines += [f"| {name} | {v[0]:.3f} ({v[1]:.3f}-{v[2]:.3f}) |" for name, v in figures.items()]
    return "\n".join(lines)


def _speed(figures: dict[str, float]) -> str:
    return "\n".join(["| what | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in figures.items())])


def _times(record: dict[str, Any]) -> str:
    rows = [f"| {name} | {record[name]['seconds'] / 60:.1f} |" for name in STAGES if name in record]
    return "\n".join(["| stage | minutes |", "|---|---|", *rows])


def _curve(points: list[dict[str, float]]) -> str:
    keys = list(points[0])
    shown = points if len(points) <= 12 else [*points[:: max(1, len(points) // 11)], points[-1]]
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += [
        "| " + " | ".join(f"{point[key]:.3f}" if key != "step" else str(point[key]) for key in keys) + " |"
        for point in shown
    ]
    return "\n".join(lines)


def _sizes(sizes: dict[str, int]) -> str:
    listed = ", ".join(f"`{name}` {size / 1e6:.1f} MB" for name, size in sizes.items())
    return f"{listed}; together {sum(sizes.values()) / 1e6:.1f} MB"


def _cosine(cosine: dict[str, float]) -> str:
    return f"mean {cosine['mean']:.4f}, least {cosine['least']:.4f}"


if __name__ == "__main__":
    run()
