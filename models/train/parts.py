"""Stage `prepare-parts`: drawings and renderings of the same parametric parts, from `cmrcli.samples`.

Each part gives two drawings (the same part on two sheets: other views, other paper, perhaps scanned or turned), a
rendering where it has a body, and captions in both languages. Whole families are held back (`held_families`), so that
drawing <-> rendering and drawing <-> the same part redrawn can be measured on parts never seen.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cmrcli.samples import families, make_part
from models.train import label_scores, pictures
from models.train.workspace import OUT, fraction, log, note, stage

HELD_FAMILIES = 8
PARTS = 64  # of each family
HELD_PARTS = 24
SHEETS = 2  # drawings of each part
GALLERY_PARTS = 20  # of each trained family among the pictures that held ones are looked for in: sheet 0, rendering
LABELLED_PARTS = 8  # of each family whose drawings are shown to the label networks; the others borrow


def held_families() -> list[str]:
    """Families with a body that training never sees, the same whatever families are added later."""
    solid = [name for name in families() if make_part(name, 0).has_rendering]
    return sorted(solid, key=lambda name: fraction(name, "held part families"))[:HELD_FAMILIES]


def run() -> None:
    """Writes pixels, words and label scores of `parts-held`, `parts-train` and `parts-gallery` (some of train)."""
    if (OUT / "parts-done").exists():
        return
    with stage("prepare-parts"):
        held = held_families()
        learned = [name for name in families() if name not in held]
        rows, images = _make("parts-held", [(name, seed) for name in held for seed in range(HELD_PARTS)])
        _save("parts-held", rows, images, _scores(images))
        rows, images = _make("parts-train", [(name, seed) for name in learned for seed in range(PARTS)])
        asked = np.flatnonzero([_shown(row) for row in rows])
        own = _scores([images[number] for number in asked])
        scores = np.full((len(rows), own.shape[1]), np.nan, np.float16)
        scores[asked] = own
        gallery = [n for n, row in enumerate(rows) if row["part"] < GALLERY_PARTS and row["sheet"] < 1]
        _save("parts-gallery", *([column[n] for n in gallery] for column in (rows, images)))
        _save("parts-train", rows, [_shrunk(image) for image in images], _borrowed(rows, scores), size=None)
        note("prepare-parts", families=learned, held=held, images=len(rows), parts=PARTS, sheets=SHEETS)
        (OUT / "parts-done").touch()


def _make(group: str, wanted: list[tuple[str, int]]) -> tuple[list[dict[str, Any]], list[pictures.Pixels]]:
    """Words and pixels at 224, a part's pictures one after the other: its sheets (sheet 0, 1), then its rendering."""
    rows: list[dict[str, Any]] = []
    images: list[pictures.Pixels] = []
    for number, (family, seed) in enumerate(wanted):
        part = make_part(family, seed)
        texts = [part.caption_en(n) for n in range(4)], [part.caption_ja(n) for n in range(3)]
        shots = [("part drawing", sheet, part.drawing_image(sheet, pictures.SIZE)) for sheet in range(SHEETS)]
        for kind, sheet, image in [*shots, ("part rendering", -1, part.rendering_image(0, pictures.SIZE))]:
            if image is None:
                continue
            images.append(pictures.letterbox(image, pictures.SIZE))
            rows.append({
                "id": f"part:{family}:{seed}", "kind": kind, "source": "parts", "concept": f"part:{family}",
                "part": seed, "sheet": sheet,
                "names": list(part.spec.en), "tags": [], "captions": list(dict.fromkeys(texts[0])),
                "names_ja": list(dict.fromkeys([*part.spec.ja, *texts[1]])), "tags_ja": [], "labels": [],
                "label_scores": [],
            })  # fmt: skip
        if number % 200 == 0:
            log(f"{group}: {number:,} of {len(wanted):,} parts")
    return rows, images


def _shown(row: dict[str, Any]) -> bool:
    """Whether the label networks see a row's own picture: all renderings, of drawings a few of each family."""
    return bool(row["kind"] == "part rendering" or (row["part"] < LABELLED_PARTS and row["sheet"] == 0))


def _scores(images: list[pictures.Pixels]) -> NDArray[np.float16]:
    runner = label_scores.session()
    blocks = [np.stack(images[start : start + 32]) for start in range(0, len(images), 32)]
    return np.concatenate([runner.run(None, {"pixels": block})[0] for block in blocks]).astype(np.float16)


def _borrowed(rows: list[dict[str, Any]], scores: NDArray[np.float16]) -> NDArray[np.float16]:
    """Every drawing without scores of its own takes those of some drawing of its family."""
    given: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row["kind"] == "part drawing" and not np.isnan(scores[number, 0]):
            given.setdefault(row["concept"], []).append(number)
    for number, row in enumerate(rows):
        if np.isnan(scores[number, 0]):
            donors = given[row["concept"]]
            scores[number] = scores[donors[number % len(donors)]]
    return scores


def _save(
    group: str,
    rows: list[dict[str, Any]],
    images: list[pictures.Pixels],
    scores: NDArray[np.float16] | None = None,
    size: int | None = pictures.SIZE,
) -> None:
    np.save(OUT / f"{group}-{size or pictures.LEARNED_SIZE}.npy", np.stack(images))
    np.save(OUT / f"scores-{group}.npy", _scores(images) if scores is None else scores)
    (OUT / f"{group}.json").write_text(json.dumps(rows, ensure_ascii=False))


def _shrunk(image: pictures.Pixels) -> pictures.Pixels:
    return pictures.letterbox(Image.fromarray(image), pictures.LEARNED_SIZE)


if __name__ == "__main__":
    run()
