"""The baseline beside which the recipe is judged: a plain contrastive fine-tune of the starting network.

What one does without thinking further (CLIP: Radford et al. 2021, arXiv:2103.00020): every image drawn with the same
chance, one of its texts, the own among the batch's both ways, all layers learning, no labels as words, no soft
targets. Data, texts, augmentation, batch size, learning rate and arithmetic are those of `fit_image`.

    python -m models.train.plain MINUTES --images

It stops after so many minutes of wall time (resumable), with the rate falling over the last third of them, and leaves
`plain.pt` and a checkpoint every hundred steps for `curves`.
"""

import sys
import time

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.train import pictures
from models.train.augment import augment
from models.train.fit_image import BATCH, DECAY, HEAD_FACTOR, PEAK_RATE, TEMPERATURE, WARM_UP, Examples, embed_texts
from models.train.image_tower import LearnedPart
from models.train.workspace import OUT, SEED, log, note, stage

KEEP_EVERY = 100


def run(minutes: float) -> None:
    """Trains or resumes for so many minutes in all."""
    if (OUT / "plain.pt").exists():
        return
    embed_texts()
    with stage("fit-plain"):
        torch.manual_seed(SEED)
        examples = Examples()
        part = LearnedPart().to(memory_format=torch.channels_last)
        torch.nn.init.xavier_uniform_(part.project.weight)  # there is no label vector that it should not disturb
        optimiser = torch.optim.AdamW(
            [
                {"params": part.trunk.parameters(), "scale": 1.0},
                {"params": part.project.parameters(), "scale": HEAD_FACTOR},
            ],
            PEAK_RATE, (0.9, 0.98), weight_decay=0.02, fused=True,
        )  # fmt: skip
        mean = torch.optim.swa_utils.AveragedModel(part, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.98))
        step, spent = 0, 0.0
        if (OUT / "plain-checkpoint.pt").exists():
            state = torch.load(OUT / "plain-checkpoint.pt", weights_only=True)
            part.load_state_dict(state["learned"])
            mean.load_state_dict(state["mean"])
            optimiser.load_state_dict(state["optimiser"])
            step, spent = int(state["step"]), float(state["spent"])
        began, losses = time.time() - spent, []
        while (done := (time.time() - began) / (60 * minutes)) < 1:
            step += 1
            for group in optimiser.param_groups:
                falling = max(0.0, (done - (1 - DECAY)) / DECAY)
                group["lr"] = PEAK_RATE * group["scale"] * min(step / WARM_UP, 1.0) * (1 - 0.99 * falling)
            loss = _loss(examples, part, step)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(part.parameters(), 2.0)
            optimiser.step()
            mean.update_parameters(part)
            losses.append(loss.item())
            if step % 10 == 0:
                log(f"plain: step {step:,}, {100 * done:.0f} % of the time, loss {np.mean(losses[-10:]):.3f}")
            if step % KEEP_EVERY == 0:
                torch.save({"learned": mean.module.state_dict()}, OUT / f"plain-at-{step}.pt")
                torch.save(
                    {"learned": part.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(),
                     "step": step, "spent": time.time() - began}, OUT / "plain-checkpoint.pt",
                )  # fmt: skip
        note("fit-plain", steps=step, batch=BATCH, minutes=minutes)
        torch.save({"learned": mean.module.state_dict()}, OUT / "plain.pt")


def _loss(examples: Examples, part: LearnedPart, step: int) -> Tensor:
    """Cross-entropy of the own text among the batch's and of the own image among the batch's."""
    chance = np.random.default_rng(SEED - step)
    named = np.flatnonzero(np.diff(examples.texts.starts) > 0)
    chosen = np.sort(chance.choice(named, BATCH, replace=False))
    planes = augment(examples.pictures_of(chosen), examples.line_art[chosen], pictures.LEARNED_SIZE, chance)
    with torch.autocast("cpu", torch.bfloat16):
        learned, _ = part(planes.contiguous(memory_format=torch.channels_last))
    own = examples.vectors[examples.texts.draw(chosen, chance)]
    scores = F.normalize(learned.float(), dim=1) @ own.T / TEMPERATURE
    places = torch.arange(BATCH)
    return F.cross_entropy(scores, places) + F.cross_entropy(scores.T, places)


if __name__ == "__main__":
    run(float(sys.argv[1]))
