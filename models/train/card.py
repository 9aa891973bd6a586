"""Stage `card`: `CARD.md` of the encoder, its figures taken from the record of the stages that ran.

The words that no stage can know (what the tower is, what it cannot do) are in `card.md`, a template with a few blanks;
the story of one run (what was seen, what went differently) is in `story.md` beside it.
"""

import json
from typing import Any

from models.train import parts
from models.train.distil import ROWS_ONLY
from models.train.tokenizer import ENGLISH_PIECES
from models.train.workspace import HERE, MODEL, OUT

RECORD = HERE / "record.json"
SHOWN = {"R-precision": ("success@1", "R-precision"), "success@1": ("success@1", "success@10")}
STAGES = (
    "teacher",
    "prepare-text",
    "prepare-images",
    "prepare-parts",
    "distil-text",
    "embed-image-texts",
    "fit-labels",
    "fit-image",
    "fit-plain",
    "distil-image",
    "export",
    "evaluate-report",
)


def run() -> None:
    """Writes the card, and `record.json` beside this file: what the next run says of stages that it does not repeat."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for name, figures in json.loads((OUT / "record.json").read_text()).items():
        record[name] = figures if name == "curves" else record.get(name, {}) | figures
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    report, made = record["evaluate-report"], record["prepare-parts"]
    of_parts = {name: found for name, found in report["sets"].items() if name.split()[0] in ("drawing", "rendering")}
    blanks = {
        "pictures_table": _sets({name: found for name, found in report["sets"].items() if name not in of_parts}),
        "parts_table": _sets(of_parts),
        "ahead_table": _ahead(report),
        "text_table": _text(report["text"]),
        "speed_table": _speed(report["speed"]),
        "time_table": _times(record),
        "text_curve": _curve(record["distil-text"]["curve"]),
        "image_curve": _curve(record["fit-image"]["curve"]),
        "dev_curve": _dev_curve(record["curves"]),
        "sizes": _sizes(record["export"]["bytes"]),
        **{name: _cosine(record["export"][name]) for name in record["export"] if "cosine" in name},
        "families": str(len(made["families"])),
        "held": ", ".join(made["held"]),
        "parts": str(parts.PARTS),
        "redrawn": str(parts.HELD_PARTS),
        "part_images": f"{made['images']:,}",
        "vocabulary": f"{record['prepare-text']['vocabulary']:,}",
        "english_pieces": f"{ENGLISH_PIECES:,}",
        "english": f"{record['prepare-text']['english']:,}",
        "pairs": f"{record['prepare-text']['pairs']:,}",
        "lexicon_pairs": f"{record['prepare-text']['lexicon_pairs']:,}",
        "text_steps": f"{record['distil-text']['steps']:,}",
        "rows_only": str(ROWS_ONLY),
        "image_steps": f"{record['fit-image']['steps']:,}",
        "image_batch": f"{record['fit-image']['batch']:,}",
        "label_steps": f"{record['fit-labels']['steps']:,}",
        "label_batch": str(record["fit-labels"]["batch"]),
        "story": (HERE / "story.md").read_text(encoding="utf-8").strip(),
        "other_cpu": _other_cpu(record.get("other-cpu", {})),
    }
    card = (HERE / "card.md").read_text(encoding="utf-8")
    for name, value in blanks.items():
        card = card.replace("{" + name + "}", value)
    (MODEL / "CARD.md").write_text(card, encoding="utf-8")


def _value(triple: list[float]) -> str:
    return f"{triple[0]:.2f} ({triple[1]:.2f}-{triple[2]:.2f})"


def _sets(sets: dict[str, Any]) -> str:
    towers = list(next(iter(sets.values()))["towers"])
    lines = [
        "| set | queries / images | measure | " + " | ".join(towers) + " |",
        "|---|---|---|" + "---|" * len(towers),
    ]
    for name, found in sets.items():
        for key in SHOWN["R-precision" if found["leading"] == "R-precision" else "success@1"]:
            values = " | ".join(_value(found["towers"][tower][key]) for tower in towers)
            lines.append(f"| {name} | {found['queries']} / {found['gallery']} | {key} | {values} |")
    return "\n".join(lines)


def _ahead(report: dict[str, Any]) -> str:
    others = list(report["macro_ahead"])
    lines = [
        "| set | measure | " + " | ".join(f"ahead of {other}" for other in others) + " |",
        "|---|---|" + "---|" * len(others),
    ]
    for name, found in report["sets"].items():
        lines.append(f"| {name} | {found['leading']} | " + " | ".join(_gap(found["ahead"][o]) for o in others) + " |")
    lines.append("| **macro average** | | " + " | ".join(_gap(report["macro_ahead"][other]) for other in others) + " |")
    levels = "; ".join(
        f"{tower} {value[0]:.3f} ({value[1]:.3f}-{value[2]:.3f})" for tower, value in report["macro"].items()
    )
    return "\n".join(lines) + f"\n\nMacro averages themselves: {levels}."


def _gap(triple: list[float]) -> str:
    """A difference; bold where its interval is all on one side of zero."""
    written = f"{triple[0]:+.3f} ({triple[1]:+.3f} to {triple[2]:+.3f})"
    return f"**{written}**" if triple[1] > 0 or triple[2] < 0 else written


def _text(towers: dict[str, dict[str, list[float]]]) -> str:
    lines = ["| measure | " + " | ".join(towers) + " |", "|---|" + "---|" * len(towers)]
    for measure in next(iter(towers.values())):
        values = (found[measure] for found in towers.values())
        lines.append(f"| {measure} | " + " | ".join(f"{v[0]:.3f} ({v[1]:.3f}-{v[2]:.3f})" for v in values) + " |")
    return "\n".join(lines)


def _speed(subjects: dict[str, dict[str, float]]) -> str:
    ours, rival = subjects.values()
    lines = ["| what | " + " | ".join(subjects) + " | ratio |", "|---|---|---|---|"]
    lines += [f"| {what} | {value} | {rival[what]} | {value / rival[what]:.2f} |" for what, value in ours.items()]
    return "\n".join(lines)


def _times(record: dict[str, Any]) -> str:
    rows = [f"| {name} | {record[name]['seconds'] / 60:.1f} |" for name in STAGES if "seconds" in record.get(name, {})]
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


def _dev_curve(runs: dict[str, Any]) -> str:
    """Every run's macro average and some of its sets, by step."""
    sets = [name for name in next(iter(runs.values()))[0] if name not in ("step", "macro")]
    lines = ["| run | step | macro | " + " | ".join(sets) + " |", "|---|---|---|" + "---|" * len(sets)]
    for run, points in runs.items():
        for point in points:
            values = " | ".join(f"{point[name]:.2f}" for name in sets)
            lines.append(f"| {run} | {point['step']} | {point['macro']:.3f} | {values} |")
    return "\n".join(lines)


def _sizes(sizes: dict[str, int]) -> str:
    listed = ", ".join(f"`{name}` {size / 1e6:.2f} MB" for name, size in sizes.items())
    return f"{listed}; together {sum(sizes.values()) / 1e6:.2f} MB"


def _other_cpu(found: dict[str, Any]) -> str:
    why = "Nothing is computed in integers, so rankings should not depend on a CPU's integer instructions."
    if found.get("model") != MODEL.name:
        return f"{why} That was not checked for these files."
    least = found["least_cosine"]
    same = "the same ranking" if found["same_ranking"] else "not the same ranking"
    return (
        f"{why} Checked (`python -m models.train.other_cpu`) on an emulated {found['cpu']} (no AVX-512, no VNNI): "
        f"{found['texts']} texts and {found['images']} pictures have {same}; least cosine between the two CPUs "
        f"{least['text']:.6f} of texts, {least['image']:.6f} of images."
    )


def _cosine(cosine: dict[str, float]) -> str:
    return f"mean {cosine['mean']:.4f}, least {cosine['least']:.4f}"


if __name__ == "__main__":
    run()
