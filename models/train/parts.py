"""Stage `prepare-parts`: drawings and renderings of the same parametric parts, from `cmrcli.samples`.

Each part gives two drawings (the same part on two sheets: other views, other paper, perhaps scanned or turned), a
rendering where it has a body, and captions in both languages. Whole families are held back (`held_families`), so that
drawing <-> rendering and drawing <-> the same part redrawn can be measured on parts never seen.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from cmrcli.samples import families, make_part
from models.train import pictures
from models.train.workspace import CORES, OUT, fraction, log, note, stage

HELD_FAMILIES = 8
PARTS = 128  # of each family
HELD_PARTS = 24
SHEETS = 2  # drawings of each part
GALLERY_PARTS = 20  # of each trained family among the pictures that held ones are looked for in: sheet 0, rendering
Row = dict[str, Any]


def held_families() -> list[str]:
    """Families with a body that training never sees, the same whatever families are added later."""
    solid = [name for name in families() if make_part(name, 0).has_rendering]
    return sorted(solid, key=lambda name: fraction(name, "held part families"))[:HELD_FAMILIES]


def run() -> None:
    """Writes `parts-train`, and to measure with, `parts-held` and `parts-gallery` (some of train): pixels and words."""
    if (OUT / "parts-train.json").exists():
        return
    with stage("prepare-parts"), ProcessPoolExecutor(CORES) as pool:
        held = held_families()
        learned = [name for name in families() if name not in held]
        for group, names, seeds in (("held", held, HELD_PARTS), ("gallery", learned, GALLERY_PARTS)):
            made = list(pool.map(make, [(name, seed) for name in names for seed in range(seeds)]))
            rows, images = zip(*(pair for part in made for pair in part), strict=True)
            kept = [n for n, row in enumerate(rows) if group == "held" or row["sheet"] < 1]
            np.save(OUT / f"parts-{group}-{pictures.LABELLED}.npy", np.stack([images[n] for n in kept]))
            (OUT / f"parts-{group}.json").write_text(json.dumps([rows[n] for n in kept], ensure_ascii=False))
        rows, small = [], []
        for number, part in enumerate(pool.map(_small, [(name, seed) for name in learned for seed in range(PARTS)])):
            rows += [row for row, _ in part]
            small += [image for _, image in part]
            if number % 2_000 == 0:
                log(f"parts: {number:,} of {PARTS * len(learned):,}")
        np.save(OUT / f"parts-train-{pictures.STORED}.npy", np.stack(small))
        (OUT / "parts-train.json").write_text(json.dumps(rows, ensure_ascii=False))
        note("prepare-parts", families=learned, held=held, images=len(rows), parts=PARTS, sheets=SHEETS)


def make(wanted: tuple[str, int]) -> list[tuple[Row, pictures.Pixels]]:
    """Words and pixels at 224 of one part: its sheets (sheet 0, 1), then its rendering (-1) if it has one."""
    family, seed = wanted
    part = make_part(family, seed)
    texts = [part.caption_en(n) for n in range(4)], [part.caption_ja(n) for n in range(3)]
    shots = [("part drawing", sheet, part.drawing_image(sheet, pictures.LABELLED)) for sheet in range(SHEETS)]
    shots.append(("part rendering", -1, part.rendering_image(0, pictures.LABELLED)))
    made = []
    for kind, sheet, image in shots:
        if image is None:
            continue
        row = {
            "id": f"part:{family}:{seed}", "kind": kind, "source": "parts", "concept": f"part:{family}",
            "part": seed, "sheet": sheet,
            "names": list(part.spec.en), "tags": [], "captions": list(dict.fromkeys(texts[0])),
            "names_ja": list(dict.fromkeys([*part.spec.ja, *texts[1]])), "tags_ja": [], "labels": [],
            "label_scores": [],
        }  # fmt: skip
        made.append((row, pictures.letterbox(image, pictures.LABELLED)))
    return made


def _small(wanted: tuple[str, int]) -> list[tuple[Row, pictures.Pixels]]:
    return [(row, pictures.resized(image[None], pictures.STORED)[0]) for row, image in make(wanted)]


if __name__ == "__main__":
    run()
