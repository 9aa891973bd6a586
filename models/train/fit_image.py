"""Stage `fit-image`: the learned part of the image tower, trained on the normalised sum with the label part.

The text tower and the label part are frozen, so every text is one stored vector and thousands of texts can serve as
wrong answers at the cost of one product. Near-synonyms are no wrong answers: the target is spread by the similarity of
the texts themselves. Photos are also held to their label vector, which is how nothing is forgotten.

    python -m models.train.fit_image [--images]

--images keeps the released text tower. The environment may ask for another run beside the main one:
CMRCLI_TRAIN_RUN names it, CMRCLI_TRAIN_STEPS and CMRCLI_TRAIN_EVERY say how long it is and from how many images.
"""

import math
import os
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.train import pictures
from models.train.augment import Chance, augment, turned
from models.train.device import DEVICE, compiled, half_precision, seeded
from models.train.examples import EVERY, Examples, embed_texts, speaker
from models.train.image_tower import LABEL_GAIN, LearnedPart, together
from models.train.label_words import LabelWords, spoken
from models.train.workspace import OUT, SEED, log, note, recorded, stage

RUN = os.environ.get("CMRCLI_TRAIN_RUN", "image")
STEPS = int(os.environ.get("CMRCLI_TRAIN_STEPS", "5000"))
BATCH = 1_024
PEAK_RATE, HEAD_FACTOR, WARM_UP = 5e-4, 3.0, 200
WEIGHT_DECAY, MEAN_OVER = 0.05, 0.999
TEMPERATURE, TEXT_TEMPERATURE = 0.05, 0.05
OTHER_TEXTS = 16_384
NEAR_WEIGHT, LABEL_WEIGHT = 0.5, 2.5
# Share of the choice of text in what photos of everyday classes learn: the more of it, the better those classes are
# known and the worse all others, which the labels know.
EVERYDAY_SHARE = float(os.environ.get("CMRCLI_TRAIN_EVERYDAY", "0.25"))
PART_FAMILIES, PARTS_OF_EACH = 12, 8  # of a batch; every part with all its pictures
PART_WEIGHT, PART_TEMPERATURE = 0.4, 0.06
KEEP_EVERY, CHECKPOINTS = 500, 5


class Terms(NamedTuple):
    """What a batch costs, each a scalar."""

    choice: Tensor  # of the own text and of the own image
    near: Tensor  # distance to the own text
    kept: Tensor  # distance of photos to their label vector
    family: Tensor  # choice of a part's family
    part: Tensor  # choice of the part among its family's

    def total(self) -> Tensor:
        """The weighted sum."""
        parts = PART_WEIGHT * (self.family + self.part)
        return self.choice + NEAR_WEIGHT * self.near + LABEL_WEIGHT * self.kept + parts


def run() -> None:
    """Trains or resumes; `RUN.pt` is the finished learned part."""
    if (OUT / f"{RUN}.pt").exists():
        return
    embed_texts()
    with stage(f"fit-{RUN}"):
        torch.manual_seed(SEED)
        examples = Examples()
        labels = spoken(speaker()).to(DEVICE, memory_format=torch.channels_last)
        part = LearnedPart().to(DEVICE, memory_format=torch.channels_last)
        optimiser = optimiser_of(part)
        mean = torch.optim.swa_utils.AveragedModel(
            part, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(MEAN_OVER)
        )
        step = _resume(part, mean, optimiser)
        for network in (labels.imagenet, labels.objects, part.trunk):
            compiled(network)
        curve: list[dict[str, float]] = recorded(f"fit-{RUN}").get("curve", [])
        losses: list[list[float]] = []
        while step < STEPS:
            step += 1
            set_rate(optimiser, step)
            terms = loss(examples, labels, part, step)
            optimiser.zero_grad()
            terms.total().backward()
            torch.nn.utils.clip_grad_norm_(part.parameters(), 2.0)
            optimiser.step()
            mean.update_parameters(part)
            if step % 10 == 0:
                losses.append([term.item() for term in terms])
            if step % 100 == 0:
                means = [round(float(x), 4) for x in np.mean(losses[-10:], 0)]
                log(f"{RUN}: step {step:,} of {STEPS:,}, " + " ".join(f"{x:.3f}" for x in means))
                if step % KEEP_EVERY == 0 or step == STEPS:
                    curve.append({"step": step, **dict(zip(Terms._fields, means, strict=True))})
                    note(f"fit-{RUN}", curve=curve, steps=STEPS, batch=BATCH, images=examples.count // EVERY,
                         device=DEVICE.type)  # fmt: skip
                    _keep(part, mean, optimiser, step)
            if step % (STEPS // CHECKPOINTS) == 0:
                save(mean.module, f"{RUN}-at-{step}")
    finish()


def finish() -> None:
    """`RUN.pt`: the mean of the last three checkpoints, each itself the mean of its last thousand steps' weights.

    Source: Izmailov et al. 2018, arXiv:1803.05407. Later checkpoints know the training images better and not the
    others: on the choosing half of dev the macro average of the last alone is 0.543, of the three 0.547.
    """
    names = [f"{RUN}-at-{STEPS // CHECKPOINTS * number}.pt" for number in range(CHECKPOINTS - 2, CHECKPOINTS + 1)]
    states = [torch.load(OUT / name, weights_only=True)["learned"] for name in names]
    part = LearnedPart()
    part.load_state_dict({key: torch.stack([state[key].float() for state in states]).mean(0) for key in states[0]})
    save(part, RUN)


def optimiser_of(part: LearnedPart) -> torch.optim.Optimizer:
    """AdamW, the new layers faster than the trunk."""
    head = [*part.project.parameters(), *part.loudness.parameters()]
    return torch.optim.AdamW(
        [{"params": part.trunk.parameters(), "scale": 1.0}, {"params": head, "scale": HEAD_FACTOR}],
        PEAK_RATE, (0.9, 0.98), weight_decay=WEIGHT_DECAY, fused=True,
    )  # fmt: skip


def set_rate(optimiser: torch.optim.Optimizer, step: int) -> None:
    """Warm-up, then down to nothing along a cosine."""
    for group in optimiser.param_groups:
        group["lr"] = PEAK_RATE * group["scale"] * min(step / WARM_UP, 1.0) * _falling(step / STEPS)


def _falling(done: float) -> float:
    return 0.002 + 0.998 * 0.5 * (1 + math.cos(math.pi * done))


def save(part: torch.nn.Module, name: str) -> None:
    """`NAME.pt`: the weights of a learned part."""
    torch.save({"learned": {key: value.cpu() for key, value in part.state_dict().items()}}, OUT / f"{name}.pt")


def views(examples: Examples, chosen: Tensor, chance: Chance) -> tuple[Tensor, Tensor]:
    """(n, 3, s, s) float32 in channels-last order, every image changed in its own way, and which are line art now."""
    drawn = examples.line_art[chosen] | (examples.figures[chosen] & (chance.uniform(0, 1, len(chosen)) < 0.5))
    planes = turned(examples.planes(chosen), examples.part_drawings[chosen], chance)
    planes, drawn = augment(planes, drawn, examples.solid[chosen], pictures.SIZE, chance)
    return planes.contiguous(memory_format=torch.channels_last), drawn


def loss(examples: Examples, labels: LabelWords, part: LearnedPart, step: int) -> Terms:
    """One batch: some parts with all their pictures, the rest by the shares of the kinds."""
    chance = Chance(seeded(SEED + step))
    made = examples.draw_parts(PART_FAMILIES, PARTS_OF_EACH, np.random.default_rng(SEED + step))
    packed = examples.draw(BATCH - len(made), chance)
    chosen = torch.cat([packed, made])
    planes, drawn = views(examples, chosen, chance)
    with half_precision():
        with torch.no_grad():
            classes, things = labels.scores(planes)
        learned, loudness = part(planes)
    said = LABEL_GAIN * labels.say(classes.float(), things.float())
    images = together(learned.float(), loudness.float(), said)
    sure = examples.photos[chosen] & ~drawn
    away = 1 - (images * F.normalize(said, dim=1)).sum(1)
    kept = (away * sure).sum() / sure.sum().clamp(min=1)
    parts = _choose_part(images[len(packed) :], examples.part_ids[made], examples.family_ids[made])
    named = (examples.named & ~examples.unnamed)[chosen].nonzero()[:, 0]
    images, chosen = images[named], chosen[named]
    own = examples.vectors[examples.texts_of(chosen, chance)]
    weight = torch.where(examples.everyday[chosen] & ~drawn[named], EVERYDAY_SHARE, 1.0)
    weight = weight / weight.sum()
    others = torch.randint(len(examples.vectors), (OTHER_TEXTS,), generator=chance.source, device=DEVICE)
    wrong = torch.cat([own, examples.vectors[others]])
    choice = _soft_choice(images @ wrong.T, own @ wrong.T, weight) + _soft_choice(own @ images.T, own @ own.T, weight)
    return Terms(choice, ((1 - (images * own).sum(1)) * weight).sum(), kept, *parts)


def _choose_part(images: Tensor, parts: Tensor, families: Tensor) -> tuple[Tensor, Tensor]:
    """Each picture of a part picks its family's pictures among all, and the part's others among its family's."""
    others = ~torch.eye(len(parts), dtype=torch.bool, device=images.device)
    same, kin = (ids[:, None] == ids[None] for ids in (parts, families))
    scores = images @ images.T / PART_TEMPERATURE
    terms = []
    for wanted, among in ((kin & others, others), (same & others, kin & others)):
        target = wanted.float() / wanted.float().sum(1, keepdim=True).clamp(min=1)
        terms.append(-(scores.masked_fill(~among, -1e4).log_softmax(1) * target).sum(1).mean())
    return terms[0], terms[1]


def _soft_choice(scores: Tensor, similarity: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy against the softened similarity of the texts, less the entropy of that target; weighted rows."""
    target = (similarity / TEXT_TEMPERATURE).softmax(1)
    each = F.kl_div((scores / TEMPERATURE).log_softmax(1), target, reduction="none").sum(1)
    return (each * weight).sum()


def _keep(part: LearnedPart, mean: torch.nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    path = OUT / f"{RUN}-checkpoint.pt"
    state = {"learned": part.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
    torch.save(state, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)


def _resume(part: LearnedPart, mean: torch.nn.Module, optimiser: torch.optim.Optimizer) -> int:
    path = OUT / f"{RUN}-checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location=DEVICE)
    part.load_state_dict(state["learned"])
    mean.load_state_dict(state["mean"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


if __name__ == "__main__":
    run()
