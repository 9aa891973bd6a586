"""What was weighed on the choosing half of dev before the release, each choice beside its alternatives.

    python -m models.train.choose --images

The loudness of the labels at the export, the share of the last step, the two teachers together, a larger picture, and
the label networks themselves. Every line has the macro average and the sets of `curves`; all are noted in the record.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.train import curves, examples, pictures
from models.train.device import DEVICE
from models.train.image_tower import BLOCK, EXPORTED_GAIN, ImageTower, LearnedPart, encode, learned_part, together
from models.train.label_words import OTHER_IMAGENET, LabelWords, reader, spoken
from models.train.workspace import OUT, log, note

GAINS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
SHARES = (0.0, 0.5, 1.0)  # of the taught weights
LARGER = 192  # pixels
TOGETHER = "mean of the vectors of this and the plain network"
PHOTOS = "text -> photo (unseen classes)"


def run() -> None:
    """Measures every alternative."""
    asked = curves.sets()
    labels, image, plain = spoken(examples.speaker()), learned_part(OUT / "image.pt"), learned_part(OUT / "plain.pt")
    found = {}
    seen = [_parts(labels, image, pixels) for _, _, pixels in asked]
    for gain in GAINS:
        vectors = [together(own, loud, gain * said).numpy() for own, loud, said in seen]
        found[f"labels {gain:.0f} times as loud"] = curves.of_vectors(vectors, asked)
    ours = [together(own, loud, EXPORTED_GAIN * said).numpy() for own, loud, said in seen]
    other = [encode(ImageTower(None, plain).eval(), pixels) for _, _, pixels in asked]
    both = [a + b for a, b in zip(ours, other, strict=True)]
    found[TOGETHER] = curves.of_vectors([v / np.linalg.norm(v, axis=1, keepdims=True) for v in both], asked)
    start, taught = image.state_dict(), learned_part(OUT / "taught.pt").state_dict()
    for share in SHARES:
        part = LearnedPart()
        part.load_state_dict({name: (1 - share) * start[name].cpu() + share * taught[name] for name in start})
        found[f"share of the last step {share}"] = curves.figures(ImageTower(labels, part).eval(), asked)
    pictures.prepare("dev", LARGER)
    found[f"at {LARGER} pixels"] = curves.figures(ImageTower(labels, image).eval(), curves.sets(LARGER))
    for name, values in found.items():
        log(f"{name}: " + "  ".join(f"{one} {value}" for one, value in values.items()))
    photos = _label_networks()
    log(f"labels as words, {PHOTOS}: {photos}")
    note("choices", alternatives=found, label_networks=photos)


@torch.no_grad()
def _parts(labels: LabelWords, learned: LearnedPart, pixels: pictures.Pixels) -> tuple[Tensor, Tensor, Tensor]:
    """The learned vectors, the loudness and the label vectors of pictures."""
    labels, learned, out = labels.to(DEVICE), learned.to(DEVICE), []
    for start in range(0, len(pixels), BLOCK):
        planes = torch.from_numpy(np.array(pixels[start : start + BLOCK])).to(DEVICE).permute(0, 3, 1, 2).float()
        out.append([part.cpu() for part in (*learned(planes), labels(planes))])
    own, loud, said = (torch.cat(parts) for parts in zip(*out, strict=True))
    return own, loud, said


def _label_networks() -> dict[str, float]:
    """Photos of unseen classes by labels as words: original networks at two sizes, their mean, and the taught ones."""
    speak = examples.speaker()
    original, taught = spoken(speak, taught=None), spoken(speak)
    other = reader().load(OTHER_IMAGENET).eval()

    def both(planes: Tensor) -> Tensor:
        classes, things = original.scores(planes)
        return original.say((classes + other(planes)[1].softmax(1)) / 2, things)

    found = {}
    pictures.prepare("dev", pictures.LABELLED)
    for name, network, size in (
        ("original at 224", original, pictures.LABELLED),
        ("original and MobileNetEdgeTPU at 224", both, pictures.LABELLED),
        ("original at 160", original, pictures.SIZE),
        ("taught at 160", taught, pictures.SIZE),
    ):
        asked = [one for one in curves.sets(size) if one[0].name == PHOTOS]
        vectors = [_unit(network, pixels) for _, _, pixels in asked]
        found[name] = curves.of_vectors(vectors, asked)[PHOTOS]
    return found


@torch.no_grad()
def _unit(network: Callable[[Tensor], Tensor], pixels: pictures.Pixels) -> NDArray[np.float32]:

    blocks = [torch.from_numpy(np.array(pixels[n : n + BLOCK])) for n in range(0, len(pixels), BLOCK)]
    return torch.cat([F.normalize(network(b.permute(0, 3, 1, 2).float()), dim=1) for b in blocks]).numpy()


if __name__ == "__main__":
    run()
