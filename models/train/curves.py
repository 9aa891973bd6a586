"""How quality grows: the macro average over the sets of the choosing half of dev, of every checkpoint that was kept.

    python -m models.train.curves PREFIX...      image, plain, or what a run with other data was renamed to

Reads `PREFIX-at-STEP.pt` and notes the curve for the card. The sets with pictures of dev only; parts
are not among them.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from models.train import evaluate, fit_image, pictures
from models.train.image_tower import EXPORTED_GAIN, LearnedPart, encode
from models.train.measures import Questions, measure
from models.train.workspace import OUT, log, note


def run(prefix: str) -> None:
    """Measures the checkpoints of one run."""
    rows = pictures.words("dev")
    chosen = np.asarray([number for number, row in enumerate(rows) if pictures.half(row) == "choose"])
    speak = fit_image.speaker()
    if speak is None:
        raise SystemExit("no text tower to ask with")
    asked = [
        (questions, speak(questions.queries)) for questions in evaluate.all_questions([rows[n] for n in chosen])
    ]  # fmt: skip
    pixels = pictures.pixels("dev", pictures.SIZE)[chosen]
    scores = torch.from_numpy(evaluate.dev_scores()[chosen].astype(np.float32))
    labels = EXPORTED_GAIN * fit_image.label_part(speak).say(*scores.split([1001, 631], 1))
    curve = []
    for path in sorted(OUT.glob(f"{prefix}-at-*.pt"), key=_step):
        part = LearnedPart().eval()
        part.load_state_dict(torch.load(path, weights_only=True)["learned"])
        vectors = encode(part, pixels, None if prefix.startswith("plain") else labels)
        values = {questions.name: _leading(questions, texts, vectors) for questions, texts in asked}
        curve.append({"step": _step(path), "macro": float(np.mean(list(values.values()))), **values})
        log(f"{path.name}: " + "  ".join(f"{name} {value:.3f}" for name, value in curve[-1].items()))
    note("curves", **{prefix: curve})


def _leading(questions: Questions, texts: np.ndarray, vectors: np.ndarray) -> float:
    values = measure(texts @ vectors[questions.gallery].T, questions.relevant)
    return round(float(values[evaluate.LEADING.get(questions.name, "success@1")].mean()), 4)


def _step(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        if not name.startswith("--"):
            run(name)
