"""Stage `distil-image`: what the learned part and an independently trained network know together, taught to the former.

Two networks that learned the same images by different losses err differently: on the choosing half of dev the mean of
this run's vectors and those of the plain contrastive one has a macro average of 0.576, they themselves 0.547 and 0.499.
The mean is the teacher (Hinton et al. 2015, arXiv:1503.02531); photos of everyday classes keep their own vectors,
because the plain network does not know other classes. Only the layers behind `FROM` learn, which hold nine tenths of
the weights and take a fifth of the time: their input and the teacher's vectors of many views are computed once.

    python -m models.train.distil_image --images
"""

import math
import os
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.train import image_texts, pictures
from models.train.augment import Chance, augment
from models.train.device import DEVICE, half_precision, seeded
from models.train.examples import EVERYDAY, SHARES, SOURCES, speaker
from models.train.image_tower import LABEL_GAIN, LearnedPart, learned_part, together
from models.train.label_words import LabelWords, spoken
from models.train.workspace import OUT, SEED, log, note, stage

TAUGHT = OUT / "both.pt"
FROM = 108  # tensor of the network behind which it learns: 96 planes of 10 x 10
VIEWS = int(os.environ.get("CMRCLI_TRAIN_VIEWS", "48000"))
PARTS_SHARE = 0.2  # of the views
EPOCHS, BATCH = 6, 256
PEAK_RATE, WARM_UP = 3e-4, 50
TEMPERATURE, TEXTS = 0.05, 4_096
CHOICE_WEIGHT = 0.2
# Share of the taught weights in the mean of them and of those they started from; on the choosing half 0 (macro average
# 0.547), 0.5 (0.555) and 1 (0.545) were looked at. Source: Wortsman et al. 2022, arXiv:2109.01903 (WiSE-FT).
BLEND = 0.5


class Views(NamedTuple):
    """What a view of an image gives, kept in half precision; n views."""

    planes: Tensor  # (n, 96, 10, 10): the input of the layers that learn
    said: Tensor  # (n, 384): the label vector
    wanted: Tensor  # (n, 384): the teacher's vector, unit length


def run() -> None:
    """Writes `both.pt`, the taught learned part, averaged with what it was before."""
    if TAUGHT.exists():
        return
    with stage("distil-image"):
        torch.manual_seed(SEED)
        student = learned_part(OUT / "image.pt").to(DEVICE, memory_format=torch.channels_last)
        seen = _views(student)
        texts = torch.from_numpy(np.load(OUT / "image-texts.npy").astype(np.float32))
        late = [student.trunk.layers[op["weight"]] for op in _late(student) if "weight" in op]
        trained = [value for layer in [*late, student.project, student.loudness] for value in layer.parameters()]
        optimiser = torch.optim.AdamW(trained, PEAK_RATE, (0.9, 0.98), weight_decay=0.02)
        chance = np.random.default_rng(SEED)
        steps, step, curve = EPOCHS * (VIEWS // BATCH), 0, []
        for _ in range(EPOCHS):
            for rows in np.array_split(chance.permutation(VIEWS), VIEWS // BATCH):
                step += 1
                for group in optimiser.param_groups:
                    group["lr"] = PEAK_RATE * min(step / WARM_UP, 1.0) * 0.5 * (1 + math.cos(math.pi * step / steps))
                some = texts[chance.choice(len(texts), TEXTS, replace=False)].to(DEVICE)
                terms = _loss(student, Views(*(kept[rows].float().to(DEVICE) for kept in seen)), some)
                optimiser.zero_grad()
                (terms[0] + CHOICE_WEIGHT * terms[1]).backward()
                torch.nn.utils.clip_grad_norm_(trained, 1.0)
                optimiser.step()
                if step % 25 == 0:
                    means = [round(term.item(), 4) for term in terms]
                    curve.append({"step": step, "distance": means[0], "choice": means[1]})
                    log(f"both: step {step:,} of {steps:,}, {means}")
        note("distil-image", steps=steps, batch=BATCH, views=VIEWS, curve=curve)
        start, taught = learned_part(OUT / "image.pt").state_dict(), student.state_dict()
        torch.save({"learned": {name: value.cpu() for name, value in taught.items()}}, OUT / "taught.pt")
        both = {name: (1 - BLEND) * start[name] + BLEND * taught[name].cpu() for name in start}
        torch.save({"learned": both}, TAUGHT)


def _late(part: LearnedPart) -> list[dict[str, object]]:
    """The operators of the trunk behind `FROM`."""
    ops = list(part.trunk.ops)
    first = next(number for number, op in enumerate(ops) if op["out"] == FROM)
    last = next(number for number, op in enumerate(ops) if op["op"] == "global_mean")
    return ops[first + 1 : last + 1]


def _finish(part: LearnedPart, planes: Tensor) -> tuple[Tensor, Tensor]:
    """The learned vector and the loudness from the planes of `FROM`."""
    tensors = {FROM: planes}
    for op in _late(part):
        tensors[op["out"]] = part.trunk.step(op, tensors)
    features = tensors[op["out"]].flatten(1)
    return part.project(features), 2 * part.loudness(features).sigmoid()


def _loss(student: LearnedPart, seen: Views, texts: Tensor) -> tuple[Tensor, Tensor]:
    """Distance to the teacher's vector, and divergence of its choice among texts."""
    with half_precision():
        learned, loudness = _finish(student, seen.planes.contiguous(memory_format=torch.channels_last))
    images = together(learned.float(), loudness.float(), LABEL_GAIN * seen.said)
    wanted = F.normalize(seen.wanted, dim=1)
    chosen = (wanted @ texts.T / TEMPERATURE).softmax(1)
    choice = F.kl_div((images @ texts.T / TEMPERATURE).log_softmax(1), chosen, reduction="batchmean")
    return (1 - (images * wanted).sum(1)).mean(), choice


@torch.no_grad()
def _views(ours: LearnedPart) -> Views:
    """Views of the training images by the shares of their kinds, some of them of parts."""
    rows = [row for name in SOURCES for row in pictures.words(name)]
    kinds = np.asarray([row["kind"] for row in rows])
    shares = np.asarray([SHARES.get(kind, 0.0) for kind in kinds])
    of_parts = np.char.startswith(kinds, "part")
    shares = (1 - PARTS_SHARE) * shares / shares.sum() + PARTS_SHARE * of_parts / max(1, of_parts.sum())
    everyday = np.asarray([row["concept"].startswith(EVERYDAY) or not row["names"] for row in rows])
    line_art = np.isin(kinds, (*image_texts.DRAWN, "part drawing"))
    solid = np.isin(kinds, ("photo", "product", "part rendering"))
    stored = [pictures.pixels(name, pictures.STORED) for name in SOURCES]
    networks = spoken(speaker()), learned_part(OUT / "plain.pt")
    labels, plain = (network.to(DEVICE, memory_format=torch.channels_last) for network in networks)
    order = np.random.default_rng(SEED).choice(len(rows), VIEWS, p=shares / shares.sum())
    chance = Chance(seeded(SEED))
    blocks = []
    for start in range(0, VIEWS, BATCH):
        chosen = order[start : start + BATCH]
        pixels = np.stack([stored[0][n] if n < len(stored[0]) else stored[1][n - len(stored[0])] for n in chosen])
        flags = [torch.from_numpy(flag[chosen]).to(DEVICE) for flag in (line_art, solid, everyday)]
        planes, drawn = augment(
            torch.from_numpy(pixels).to(DEVICE).permute(0, 3, 1, 2), flags[0], flags[1], pictures.SIZE, chance
        )
        blocks.append(_view(ours, plain, labels, planes, flags[2] & ~drawn))
        if start % (BATCH * 20) == 0:
            log(f"both: {start:,} of {VIEWS:,} views")
    return Views(*(torch.cat(kept) for kept in zip(*blocks, strict=True)))


def _view(ours: LearnedPart, plain: LearnedPart, labels: LabelWords, planes: Tensor, everyday: Tensor) -> Views:
    """What the layers that stay make of the views, and what both networks say."""
    planes = planes.contiguous(memory_format=torch.channels_last)
    with half_precision():
        middle = ours.trunk(planes, want=(FROM,))[0]
        classes, things = labels.scores(planes)
        learned, loudness = _finish(ours, middle)
        other = plain(planes)[0]
    said = labels.say(classes.float(), things.float())
    own = together(learned.float(), loudness.float(), LABEL_GAIN * said)
    other = F.normalize(other.float(), dim=1)
    wanted = torch.where(everyday[:, None], own, F.normalize(own + other, dim=1))
    return Views(middle.half().cpu(), said.half().cpu(), wanted.half().cpu())


if __name__ == "__main__":
    run()
