"""Stage `prepare-parts`: drawings and renderings of the same parametric parts, from `cmrcli.samples`.

Each part gives drawings, a rendering where it has a body, and captions in both languages. Whole families are held back
(`held_families`), so that drawing <-> rendering can be measured on parts never seen.
"""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmrcli.samples import families, make_part
from models.train import label_scores, pictures
from models.train.workspace import OUT, fraction, log, note, stage

HELD_FAMILIES = 8
PARTS = 20  # of each family
HELD_PARTS = 16
PLACES = ("parts-train", "parts-held")


def held_families() -> list[str]:
    """Families with a body that training never sees, the same whatever families are added later."""
    solid = [name for name in families() if make_part(name, 0).has_rendering]
    return sorted(solid, key=lambda name: fraction(name, "held part families"))[:HELD_FAMILIES]


def run() -> None:
    """Writes pixels, words and label scores of both groups; kept when they are there."""
    if (OUT / "parts-done").exists():
        return
    with stage("prepare-parts"):
        held = held_families()
        groups = {"parts-train": [name for name in families() if name not in held], "parts-held": held}
        for group, names in groups.items():
            count = PARTS if group == "parts-train" else HELD_PARTS
            _make(group, [(name, seed) for name in names for seed in range(count)])
        note("prepare-parts", families=groups["parts-train"], held=held, images=len(pictures.words("parts-train")))
        (OUT / "parts-done").touch()


def _make(group: str, wanted: list[tuple[str, int]]) -> None:
    rows: list[dict[str, Any]] = []
    large: list[NDArray[np.uint8]] = []
    for number, (family, seed) in enumerate(wanted):
        part = make_part(family, seed)
        texts = [part.caption_en(n) for n in range(4)], [part.caption_ja(n) for n in range(3)]
        shots = [
            ("part drawing", part.drawing_image(0, pictures.SIZE)),
            ("part rendering", part.rendering_image(0, pictures.SIZE)),
        ]
        for kind, image in shots:
            if image is None:
                continue
            large.append(pictures.letterbox(image, pictures.SIZE))
            rows.append({
                "id": f"part:{family}:{seed}", "kind": kind, "source": "parts", "concept": f"part:{family}",
                "names": list(part.spec.en), "tags": [], "captions": list(dict.fromkeys(texts[0])),
                "names_ja": list(dict.fromkeys([*part.spec.ja, *texts[1]])), "tags_ja": [], "labels": [],
                "label_scores": [],
            })  # fmt: skip
        if number % 100 == 0:
            log(f"{group}: {number:,} of {len(wanted):,} parts")
    pixels = np.stack(large)
    np.save(OUT / f"{group}-{pictures.SIZE}.npy", pixels)
    np.save(OUT / f"{group}-{pictures.LEARNED_SIZE}.npy", _shrunk(pixels))
    runner = label_scores.session()
    scores = [runner.run(None, {"pixels": block})[0] for block in np.array_split(pixels, len(pixels) // 32 + 1)]
    np.save(OUT / f"scores-{group}.npy", np.concatenate(scores).astype(np.float16))
    (OUT / f"{group}.json").write_text(json.dumps(rows, ensure_ascii=False))


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    return np.stack([pictures.letterbox(Image.fromarray(image), pictures.LEARNED_SIZE) for image in pixels])


if __name__ == "__main__":
    run()
