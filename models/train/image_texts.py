"""Which texts each training image stands for, and how often each of them is drawn.

Names weigh most; tags, captions, requests ("drawing of a bolt") and Japanese names and lexicon translations follow.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.train.lexicon import read_lexicon
from models.train.workspace import SEED

DRAWN = ("icon", "symbol", "stencil")
REQUESTS = {
    "icon": ("{} icon", "drawing of a {}", "{} symbol", "line drawing of a {}"),
    "symbol": ("{} symbol", "{} icon", "{} sign"),
    "stencil": ("{} symbol", "{} drawing", "schematic symbol of a {}"),
    "emoji": ("{} emoji", "picture of a {}"),
    "figure": ("figure of {}", "diagram of {}"),
    "photo": ("a photo of a {}", "picture of a {}"),
    "product": ("a photo of {}", "{} in a shop"),
    "part drawing": ("technical drawing of a {}", "{} drawing", "blueprint of a {}"),
    "part rendering": ("a photo of a {}", "picture of a {}", "rendering of a {}"),
}


@dataclass(frozen=True)
class ImageTexts:
    """Texts and, for image number n, `texts[ids[starts[n]:starts[n + 1]]]` with weights that add up to 1."""

    texts: list[str]
    starts: NDArray[np.int64]
    ids: NDArray[np.int32]
    weights: NDArray[np.float32]


def collect(rows: list[dict[str, Any]], wanted: Callable[[str], bool] = bool) -> ImageTexts:
    """The texts of every row, or those of them that are `wanted`; the same in every run while the lexicon is."""
    chance = random.Random(SEED)
    japanese = {word.lower(): term.japanese for term in read_lexicon() for word in term.english}
    numbers: dict[str, int] = {}
    starts, ids, weights = [0], [], []
    for row in rows:
        options = {text: weight for text, weight in _options(row, japanese, chance) if text and wanted(text)}
        total = sum(options.values())
        for text, weight in options.items():
            ids.append(numbers.setdefault(text, len(numbers)))
            weights.append(weight / total)
        starts.append(len(ids))
    return ImageTexts(list(numbers), np.asarray(starts), np.asarray(ids, np.int32), np.asarray(weights, np.float32))


def _options(
    row: dict[str, Any], japanese: dict[str, tuple[str, ...]], chance: random.Random
) -> list[tuple[str, float]]:
    names, tags, captions = row["names"], row["tags"], row["captions"]
    options: list[tuple[str, float]] = []
    if names:
        options += [(names[0], 4.0)]
        options += [(alias, 2.5 / (len(names) - 1)) for alias in names[1:]]
        options += [(chance.choice(REQUESTS[row["kind"]]).format(names[0]), 1.0)]
        if tags and row["kind"] != "figure":
            options += [(f"{names[0]}, {', '.join(chance.sample(tags, min(3, len(tags))))}", 1.0)]
        for name in names:
            options += [(word, 2.0 / len(japanese[name])) for word in japanese.get(name, ())]
    if tags and row["kind"] in (*DRAWN, "emoji"):
        options += [(", ".join(chance.sample(tags, min(4, len(tags)))), 0.6)]
    if captions:
        options += [(captions[0], 5.0)]
        options += [(caption, 2.0 / (len(captions) - 1)) for caption in captions[1:]]
    loud = 5.0 if row["kind"].startswith("part") else 2.0
    options += [(word, loud / len(row["names_ja"])) for word in row["names_ja"]]
    if row["tags_ja"]:
        options += [("、".join(chance.sample(row["tags_ja"], min(3, len(row["tags_ja"])))), 0.6)]
    return options
