"""Stage `fit-labels`: the label networks taught to say of smaller pictures what the originals say of large ones.

At 160 instead of 224 pixels they cost half, but as they are they lose much (R-precision of photos of unseen classes on
the choosing half of dev: 0.78 instead of 0.84). Student and teacher see the same view of the same picture, only its
size differs, in very many views, mixed with each other, so that the student learns the function and not the
pictures. Source: Beyer et al. 2021, arXiv:2106.05237 ("a good teacher is patient and consistent").

The teacher of the ImageNet labels is the mean of two networks, MobileNetV2 and MobileNetEdgeTPU: together they know
more (0.88 there) and the student is no larger for it.

    python -m models.train.fit_labels

`choose.py` measures all of these.
"""

import math
import os

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.train import pictures
from models.train.augment import Chance, augment
from models.train.device import DEVICE, half_precision, seeded
from models.train.label_words import IMAGENET, OBJECTS, OTHER_IMAGENET, TAUGHT, reader
from models.train.workspace import OUT, SEED, log, note, stage

STEPS = int(os.environ.get("CMRCLI_TRAIN_LABEL_STEPS", "2000"))
BATCH = 384
PEAK_RATE, WARM_UP = 4e-4, 100
MIXED = 0.5  # share of the views that are mixed with another one
SHARES = {"photo": 6.0, "product": 6.0, "figure": 1.5, "emoji": 1.0, "icon": 0.05, "symbol": 0.1, "stencil": 0.2}
FEATURE_WEIGHT = 0.5


def run() -> None:
    """Writes `labels.pt`, the weights of both students."""
    if TAUGHT.exists():
        return
    with stage("fit-labels"):
        torch.manual_seed(SEED)
        source = seeded(SEED)
        chance = Chance(source)
        teachers = {name: _network(name) for name in (IMAGENET, OTHER_IMAGENET, OBJECTS)}
        students = nn.ModuleDict({"imagenet": _network(IMAGENET), "objects": _network(OBJECTS)})
        students.requires_grad_(True)
        mean = torch.optim.swa_utils.AveragedModel(
            students, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
        )
        optimiser = torch.optim.AdamW(students.parameters(), PEAK_RATE, (0.9, 0.98), weight_decay=1e-4)
        kinds = np.asarray([row["kind"] for row in pictures.words("train")])
        shares = torch.tensor([SHARES.get(kind, 0.0) for kind in kinds], device=DEVICE)
        photos = torch.from_numpy(np.isin(kinds, ("photo", "product"))).to(DEVICE)
        line_art = torch.from_numpy(np.isin(kinds, ("icon", "symbol", "stencil"))).to(DEVICE)
        stored = torch.from_numpy(pictures.pixels("train", pictures.STORED))
        stored = stored.to(DEVICE) if DEVICE.type != "cpu" else stored
        shrink = _shrink_matrix(pictures.LABELLED, pictures.SIZE).to(DEVICE)
        losses: list[list[float]] = []
        curve = []
        for step in range(1, STEPS + 1):
            for group in optimiser.param_groups:
                group["lr"] = PEAK_RATE * min(step / WARM_UP, 1.0) * 0.5 * (1 + math.cos(math.pi * step / STEPS))
            rows = torch.multinomial(shares, BATCH, generator=source)
            planes = stored[rows.to(stored.device)].to(DEVICE).permute(0, 3, 1, 2)
            views, _ = augment(planes, line_art[rows], photos[rows] & False, pictures.LABELLED, chance)
            views = _mixed(views, chance).contiguous(memory_format=torch.channels_last)
            terms = _losses(teachers, students, views, shrink @ (views @ shrink.T))
            optimiser.zero_grad()
            (terms[0] + terms[1] + FEATURE_WEIGHT * (terms[2] + terms[3])).backward()
            nn.utils.clip_grad_norm_(students.parameters(), 1.0)
            optimiser.step()
            mean.update_parameters(students)
            if step % 10 == 0 or step == STEPS:
                losses.append([term.item() for term in terms])
            if step % max(10, STEPS // 20) == 0 or step == STEPS:
                means = [round(float(x), 4) for x in np.mean(losses[-20:], 0)]
                curve.append({"step": step, "classes": means[0], "objects": means[1], "features": means[2:]})
                log(f"labels: step {step:,} of {STEPS:,}, loss {means}")
        note("fit-labels", steps=STEPS, batch=BATCH, curve=curve, device=DEVICE.type)
        torch.save({name: tensor.cpu() for name, tensor in mean.module.state_dict().items()}, TAUGHT)


def _network(name: str) -> nn.Module:
    network: nn.Module = reader().load(name).to(DEVICE, memory_format=torch.channels_last)
    return network.requires_grad_(False)


def _losses(
    teachers: dict[str, nn.Module], students: nn.ModuleDict, views: Tensor, small: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Divergence of the class shares, of the object scores, and distance of both networks' pooled features."""
    small = small.contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), half_precision():
        pooled, classes = teachers[IMAGENET](views)
        other = teachers[OTHER_IMAGENET](views)[1]
        pooled_objects, things = teachers[OBJECTS](views)
    with half_precision():
        student_pooled, student_classes = students["imagenet"](small)
        student_objects, student_things = students["objects"](small)
    wanted = (classes.float().softmax(1) + other.float().softmax(1)) / 2
    by_class = F.kl_div(student_classes.float().log_softmax(1), wanted, reduction="batchmean")
    scores = things.float().sigmoid()
    floor = F.binary_cross_entropy(scores, scores, reduction="none").sum(1).mean()
    by_thing = (
        F.binary_cross_entropy_with_logits(student_things.float(), scores, reduction="none").sum(1).mean() - floor
    )
    return by_class, by_thing, _distance(student_pooled, pooled), _distance(student_objects, pooled_objects)


def _distance(ours: Tensor, theirs: Tensor) -> Tensor:
    """Squared distance as a share of the teacher's squared length."""
    theirs = theirs.float()
    return ((ours.float() - theirs).square().sum(1) / theirs.square().sum(1).clamp(min=1e-3)).mean()


def _mixed(views: Tensor, chance: Chance) -> Tensor:
    """Half of the views blended with another of the batch. Source: Zhang et al. 2017, arXiv:1710.09412 (mixup)."""
    n = len(views)
    share = torch.where(chance.each(0, 1, n) < MIXED, chance.each(0, 0.5, n), 0.0)
    return views + share * (views.flip(0) - views)


def _shrink_matrix(source: int, target: int) -> Tensor:
    """(target, source): antialiased bilinear resampling of one axis, as Pillow does it."""
    scale = source / target
    centres = (torch.arange(target, dtype=torch.float64) + 0.5) * scale
    places = torch.arange(source, dtype=torch.float64) + 0.5
    weights = (1 - (places[None] - centres[:, None]).abs() / max(scale, 1.0)).clamp(min=0)
    return (weights / weights.sum(1, keepdim=True)).float()


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    pictures.prepare("train", pictures.STORED)
    run()
