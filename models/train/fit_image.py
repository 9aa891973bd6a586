"""Stage `fit-image`: the learned part of the image tower, trained on the normalised sum with the label part.

The text tower is frozen (its teacher stands in while it is still learning), so every text is one stored vector and
thousands of texts can serve as wrong answers at the cost of one product. Near-synonyms are no wrong answers: the
target is spread by the similarity of the texts themselves.
Photos are also held to their label vector, which is how nothing is forgotten.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from models.train import image_texts, label_scores, pictures, teacher, text_tower
from models.train.augment import augment
from models.train.image_tower import LearnedPart, together
from models.train.label_words import IMAGENET, OBJECTS, LabelWords, words_of
from models.train.workspace import OUT, SEED, log, note, recorded, stage

STEPS = 1_040
BATCH = 256
SIZES = ((0.45, 96), (1.01, 128))  # until this share of the steps, this many pixels
PEAK_RATE, HEAD_FACTOR, WARM_UP = 6e-4, 4.0, 40
TEMPERATURE, TEXT_TEMPERATURE = 0.05, 0.05
OTHER_TEXTS = 4_096
NEAR_WEIGHT, LABEL_WEIGHT = 0.5, 1.0
PAIRS = 20  # drawing and rendering of one part, in every batch
PAIR_WEIGHT, PAIR_TEMPERATURE = 0.3, 0.07
SHARES = {"icon": 1.0, "symbol": 2.0, "stencil": 4.0, "emoji": 2.5, "figure": 2.0, "photo": 1.6, "product": 2.5}
KEEP_EVERY = 20


def run() -> None:
    """Trains or resumes; `image.pt` is the finished learned part (the mean of its last weights)."""
    if (OUT / "image.pt").exists():
        return
    with stage("fit-image"):
        torch.manual_seed(SEED)
        examples = Examples()
        part = LearnedPart().to(memory_format=torch.channels_last)
        head = [*part.project.parameters(), *part.loudness.parameters()]
        optimiser = torch.optim.AdamW(
            [{"params": part.trunk.parameters(), "scale": 1.0}, {"params": head, "scale": HEAD_FACTOR}],
            PEAK_RATE, (0.9, 0.98), weight_decay=0.02, fused=True,
        )  # fmt: skip
        mean = torch.optim.swa_utils.AveragedModel(part, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99))
        step = _resume(part, mean, optimiser)
        curve: list[dict[str, float]] = recorded("fit-image").get("curve", [])
        losses: list[list[float]] = []
        while step < STEPS:
            step += 1
            for group in optimiser.param_groups:
                group["lr"] = PEAK_RATE * group["scale"] * _rate(step)
            terms = examples.loss(part, step)
            loss = terms[0] + NEAR_WEIGHT * terms[1] + LABEL_WEIGHT * terms[2] + PAIR_WEIGHT * terms[3]
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(part.parameters(), 2.0)
            optimiser.step()
            mean.update_parameters(part)
            losses.append([term.item() for term in terms])
            if step % 10 == 0:
                log(
                    f"image: step {step:,} of {STEPS:,}, loss " + " ".join(f"{x:.3f}" for x in np.mean(losses[-10:], 0))
                )
            if step % KEEP_EVERY == 0 or step == STEPS:
                curve.append({"step": step, "choice": float(np.mean(losses[-KEEP_EVERY:], 0)[0])})
                note("fit-image", curve=curve, steps=STEPS, batch=BATCH, images=len(examples.rows))
                _keep(part, mean, optimiser, step)
        torch.save({"learned": mean.module.state_dict()}, OUT / "image.pt")


class Examples:
    """The training images, their label vectors and their texts, and the loss of one batch of them."""

    def __init__(self) -> None:
        sources = ["train", "parts-train"] if (OUT / "parts-done").exists() else ["train"]
        self.rows: list[dict[str, Any]] = [row for name in sources for row in pictures.words(name)]
        self.pixels = [pictures.pixels(name, pictures.LEARNED_SIZE) for name in sources]
        if (OUT / "text.pt").exists():
            tokenizer = Tokenizer.from_file(str(OUT / "tokenizer.json"))
            tower = text_tower.load(OUT / "text.pt", tokenizer)
            self.texts = image_texts.collect(self.rows)
            self.vectors = torch.from_numpy(text_tower.embed(tower, tokenizer, self.texts.texts))
            self.labels = _label_vectors(label_part(lambda words: text_tower.embed(tower, tokenizer, words)))
        else:
            # While the text tower is still learning, its teacher stands in: the space is the same, but for Japanese.
            known, vectors = teacher.stored()
            row = {text: number for number, text in enumerate(known)}
            self.texts = image_texts.collect(self.rows, row)
            chosen = vectors[[row[text] for text in self.texts.texts]].astype(np.float32)
            self.vectors = F.normalize(torch.from_numpy(chosen), dim=1)
            self.labels = _label_vectors(label_part(lambda words: teacher.embed(words).astype(np.float32)))
        kinds = np.asarray([row["kind"] for row in self.rows])
        self.line_art = np.isin(kinds, (*image_texts.DRAWN, "part drawing"))
        self.figures = kinds == "figure"
        self.sure = np.isin(kinds, ("photo", "product"))
        shares = np.asarray([SHARES.get(kind, 0.0) for kind in kinds])
        self.shares = shares / shares.sum()
        ids = np.asarray([row["id"] for row in self.rows])
        # A part's rendering follows its drawing.
        self.pairs = np.flatnonzero((kinds[:-1] == "part drawing") & (ids[:-1] == ids[1:]))
        self.families = np.asarray([row["concept"] for row in self.rows])
        log(f"image: {len(self.rows):,} images, {len(self.texts.texts):,} texts, {len(self.pairs):,} pairs")

    def loss(self, part: LearnedPart, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Choice among texts and images, distance to the own text, of photos to their label vector, choice of pairs."""
        chance = np.random.default_rng(SEED + step)
        pairs = chance.choice(self.pairs, PAIRS if len(self.pairs) else 0, replace=False)
        packed = np.sort(chance.choice(len(self.rows), BATCH - 2 * len(pairs), replace=False, p=self.shares))
        chosen = np.concatenate([packed, pairs, pairs + 1])
        size = next(size for share, size in SIZES if step <= share * STEPS)
        drawn = self.line_art[chosen] | (self.figures[chosen] & (chance.random(BATCH) < 0.5))
        planes = augment(self._pixels(chosen), drawn, size, chance)
        with torch.autocast("cpu", torch.bfloat16):
            learned, loudness = part(planes.contiguous(memory_format=torch.channels_last))
        labels = self.labels[chosen]
        images = together(learned.float(), loudness.float(), labels)
        paired = self._choose_partner(images[len(packed) :], self.families[pairs])
        kept = (1 - (images * F.normalize(labels, dim=1)).sum(1))[torch.from_numpy(self.sure[chosen])].mean()
        text_ids = self.texts.draw(chosen, chance)
        named = torch.from_numpy(text_ids >= 0)
        images, own = images[named], self.vectors[text_ids[text_ids >= 0]]
        others = self.vectors[chance.choice(len(self.vectors), OTHER_TEXTS, replace=False)]
        by_image = _soft_choice(images @ torch.cat([own, others]).T, own @ torch.cat([own, others]).T)
        by_text = _soft_choice(own @ images.T, own @ own.T)
        return by_image + by_text, (1 - (images * own).sum(1)).mean(), kept, paired

    def _pixels(self, chosen: NDArray[np.int64]) -> pictures.Pixels:
        first, made = self.pixels[0], self.pixels[-1]
        return np.stack([first[row] if row < len(first) else made[row - len(first)] for row in chosen])

    @staticmethod
    def _choose_partner(images: Tensor, families: NDArray[np.str_]) -> Tensor:
        """Each drawing (first half) picks the renderings (second half) of its part family, and the reverse."""
        if not len(families):
            return images.new_zeros(())
        drawings, renderings = images.chunk(2)
        same = torch.from_numpy(families[:, None] == families[None]).float()
        target = same / same.sum(1, keepdim=True)
        scores = drawings @ renderings.T / PAIR_TEMPERATURE
        both = scores.log_softmax(1) + scores.T.log_softmax(1)
        return -(both * target).sum(1).mean() / 2


def label_part(embed: Callable[[list[str]], NDArray[np.float32]]) -> LabelWords:
    """The label-semantic part in the space of a text encoder."""
    tables = []
    for network in (IMAGENET, OBJECTS):
        names = words_of(network)
        flat = embed([word for group in names for word in group])
        ends = np.cumsum([len(group) for group in names])
        tables.append(np.stack([group.mean(0) for group in np.split(flat, ends[:-1])]))
    return LabelWords(tables[0], tables[1]).eval()


@torch.no_grad()
def _label_vectors(part: LabelWords) -> Tensor:
    packed = np.load(OUT / "scores-train.npy", mmap_mode="r")
    scores = packed[label_scores.borrowed(packed)]
    if (OUT / "parts-done").exists():
        scores = np.concatenate([scores, np.load(OUT / "scores-parts-train.npy")])
    out = []
    for start in range(0, len(scores), 4096):
        block = torch.from_numpy(scores[start : start + 4096].astype(np.float32))
        out.append(part.say(block[:, :1001], block[:, 1001:]))
    return torch.cat(out)


def _soft_choice(scores: Tensor, similarity: Tensor) -> Tensor:
    """Cross-entropy against the softened similarity of the texts, less the entropy of that target."""
    target = (similarity / TEXT_TEMPERATURE).softmax(1)
    return F.kl_div((scores / TEMPERATURE).log_softmax(1), target, reduction="batchmean")


def _rate(step: int) -> float:
    if step < WARM_UP:
        return step / WARM_UP
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (STEPS - WARM_UP)))


def _keep(part: LearnedPart, mean: torch.nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    path = OUT / "image-checkpoint.pt"
    state = {"learned": part.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
    torch.save(state, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)


def _resume(part: LearnedPart, mean: torch.nn.Module, optimiser: torch.optim.Optimizer) -> int:
    path = OUT / "image-checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    part.load_state_dict(state["learned"])
    mean.load_state_dict(state["mean"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


if __name__ == "__main__":
    run()
