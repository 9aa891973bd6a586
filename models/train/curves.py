"""How quality grows: the macro average over the sets of the choosing half of dev, of every checkpoint that was kept.

    python -m models.train.curves NAME...      image, plain, both, or another run's name ($CMRCLI_TRAIN_RUN)

Reads `NAME-at-STEP.pt` and `NAME.pt` and notes the curve for the card. The sets with pictures of dev only; parts are
not among them. Beside the average stands a set of photos in train whose class names training never hears
(`examples.UNNAMED`).
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.train import evaluate, examples, pictures
from models.train.image_tower import ImageTower, encode, learned_part
from models.train.label_words import spoken
from models.train.measures import Questions, measure
from models.train.workspace import OUT, log, note

Asked = tuple[Questions, NDArray[np.float32], pictures.Pixels]  # with the texts' vectors and the gallery's pictures


def run(*prefixes: str) -> None:
    """Measures the checkpoints of some runs; "labels" stands for labels as words alone, with the taught networks."""
    asked = sets()
    for prefix in prefixes:
        _measure(prefix, asked)


def _measure(prefix: str, asked: list[Asked]) -> None:
    labels = None if prefix.startswith("plain") else spoken(examples.speaker())
    curve: list[dict[str, float | str]] = []
    for path in [*sorted(OUT.glob(f"{prefix}-at-*.pt"), key=_step), OUT / f"{prefix}.pt"]:
        step = _step(path) if "-at-" in path.name else "end"
        learned = None if prefix == "labels" else learned_part(path)
        curve.append({"step": step, **figures(ImageTower(labels, learned).eval(), asked)})
        log(f"{prefix}: " + "  ".join(f"{name} {value}" for name, value in curve[-1].items()))
    note("curves", **{prefix: curve})


def sets(size: int = pictures.SIZE) -> list[Asked]:
    """The choosing half's sets, then the unnamed classes of train; pictures as an encoder of that size gets them."""
    rows = pictures.words("dev")
    chosen = np.asarray([number for number, row in enumerate(rows) if pictures.half(row) == "choose"])
    speak = examples.speaker()
    pixels = pictures.pixels("dev", size)[chosen]
    of_dev = evaluate.all_questions([rows[n] for n in chosen])
    asked = [(questions, speak(questions.queries), pixels[questions.gallery]) for questions in of_dev]
    rows = pictures.words("train")
    unnamed = [number for number, row in enumerate(rows) if examples.unnamed(row)]
    questions = evaluate.by_words("photo (unnamed classes)", rows, unnamed, "names")
    pixels = pictures.resized(pictures.pixels("train", pictures.STORED)[unnamed], size)
    return [*asked, (questions, speak(questions.queries), pixels)]


def figures(tower: ImageTower, asked: list[Asked]) -> dict[str, float]:
    """What a tower reaches."""
    return of_vectors([encode(tower, pixels) for _, _, pixels in asked], asked)


def of_vectors(vectors: Iterable[NDArray[np.float32]], asked: list[Asked]) -> dict[str, float]:
    """The leading measure of each set, from its gallery's vectors (n, 384), and their macro average, of dev alone."""
    values = {}
    for (questions, texts, _), images in zip(asked, vectors, strict=True):
        found = measure(texts @ images.T, questions.relevant)
        values[questions.name] = round(float(found[evaluate.leading(questions.name)].mean()), 4)
    of_dev = [value for name, value in values.items() if name != "photo (unnamed classes)"]
    return {"macro": round(float(np.mean(of_dev)), 4), **values}


def _step(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


if __name__ == "__main__":
    run(*(name for name in sys.argv[1:] if not name.startswith("--")))
