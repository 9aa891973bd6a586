"""The baseline beside which the recipe is judged: a plain contrastive fine-tune of the starting network.

What one does without thinking further (CLIP: Radford et al. 2021, arXiv:2103.00020): every image drawn with the same
chance, one of its texts, the own among the batch's both ways, all layers learning, no labels as words, no soft
targets. Data, texts, augmentation, size, batch, learning rate, schedule and arithmetic are those of `fit_image`.

    CMRCLI_TRAIN_STEPS=N python -m models.train.plain --images
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.train.augment import Chance
from models.train.device import DEVICE, compiled, half_precision, seeded
from models.train.examples import Examples, embed_texts
from models.train.fit_image import (
    BATCH,
    CHECKPOINTS,
    MEAN_OVER,
    STEPS,
    TEMPERATURE,
    optimiser_of,
    save,
    set_rate,
    views,
)
from models.train.image_tower import LearnedPart
from models.train.workspace import OUT, SEED, log, note, stage


def run() -> None:
    """Trains in one go; `plain.pt` is the mean of the last weights."""
    if (OUT / "plain.pt").exists():
        return
    embed_texts()
    with stage("fit-plain"):
        torch.manual_seed(SEED)
        examples = Examples()
        part = LearnedPart().to(DEVICE, memory_format=torch.channels_last)
        torch.nn.init.xavier_uniform_(part.project.weight)  # there is no label vector that it should not disturb
        optimiser = optimiser_of(part)
        mean = torch.optim.swa_utils.AveragedModel(
            part, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(MEAN_OVER)
        )
        compiled(part.trunk)
        losses = []
        for step in range(1, STEPS + 1):
            set_rate(optimiser, step)
            cost = _loss(examples, part, step)
            optimiser.zero_grad()
            cost.backward()
            torch.nn.utils.clip_grad_norm_(part.parameters(), 2.0)
            optimiser.step()
            mean.update_parameters(part)
            if step % 100 == 0:
                losses.append(cost.item())
                log(f"plain: step {step:,} of {STEPS:,}, loss {np.mean(losses[-5:]):.3f}")
            if step % (STEPS // CHECKPOINTS) == 0:
                save(mean.module, f"plain-at-{step}")
        note("fit-plain", steps=STEPS, batch=BATCH, device=DEVICE.type)
        save(mean.module, "plain")


def _loss(examples: Examples, part: LearnedPart, step: int) -> Tensor:
    """Cross-entropy of the own text among the batch's and of the own image among the batch's."""
    chance = Chance(seeded(SEED - step))
    chosen = examples.draw(BATCH, chance, examples.named.float())
    planes, _ = views(examples, chosen, chance)
    with half_precision():
        learned, _ = part(planes)
    own = examples.vectors[examples.texts_of(chosen, chance)]
    scores = F.normalize(learned.float(), dim=1) @ own.T / TEMPERATURE
    places = torch.arange(BATCH, device=DEVICE)
    return F.cross_entropy(scores, places) + F.cross_entropy(scores.T, places)


if __name__ == "__main__":
    run()
