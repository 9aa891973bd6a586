"""Stage `fit-image`: the learned part of the image tower, trained on the normalised sum with the label part.

The text tower is frozen (its teacher stands in while it is still learning), so every text is one stored vector and
thousands of texts can serve as wrong answers at the cost of one product. Near-synonyms are no wrong answers: the
target is spread by the similarity of the texts themselves.
Photos are also held to their label vector, which is how nothing is forgotten.

    python -m models.train.fit_image [--fresh]
    torchrun --nproc-per-node 2 -m models.train.fit_image --images
    python -m models.train.fit_image --texts        when the text tower is done while the image tower is learning

--fresh starts from the classifier instead of the released encoder; --images keeps the released text tower.

The second one shares every batch out to processes of one thread each: on a shared machine threads wait for each other
at every layer, processes once a step.
"""

import math
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from models.train import image_texts, label_scores, pictures, released, teacher, text_tower
from models.train.augment import augment, turned
from models.train.image_tower import LABEL_GAIN, LearnedPart, together
from models.train.label_words import IMAGENET, OBJECTS, LabelWords, words_of
from models.train.tokenizer import is_japanese
from models.train.workspace import OUT, SEED, log, note, recorded, stage

STEPS = 1_500
BATCH = 256
# The first convolutions have learned line art and cost most, because their planes are large: left as they are when
# training continues from a released encoder, and a step takes two thirds of the time.
STILL = 12
PEAK_RATE, HEAD_FACTOR, WARM_UP = 4e-4, 3.0, 60
DECAY = 0.35  # share of the steps in which the rate falls; before it the number of steps may still be changed
TEMPERATURE, TEXT_TEMPERATURE = 0.05, 0.05
OTHER_TEXTS = 4_096
NEAR_WEIGHT, LABEL_WEIGHT = 0.5, 2.5
PART_PICTURES, PARTS_OF_EACH = 56, 4  # of a batch, about; parts of one family together, each with all its pictures
PART_WEIGHT, PART_TEMPERATURE = 0.6, 0.07
SAME_PART = 0.7  # of the choice between parts goes to the same part, the rest to its family
SHARES = {"icon": 1.0, "symbol": 2.0, "stencil": 4.0, "emoji": 2.5, "figure": 2.0, "photo": 1.6, "product": 2.5}
# Share of the new weights in the mean of them and of those that training continued from; on the choosing half, among
# 0 (macro average 0.467), 0.5 (0.479), 0.75 (0.475) and 1 (0.472), the mean keeps most of what is new and loses less.
BLEND = 0.5
KEEP_EVERY, CURVE_EVERY = 20, 200  # steps; the second for `curves`
SOURCES = ("train", "parts-train")
# Every how many-th image is learned from: for the curve by amount of data, 1 otherwise.
EVERY = int(os.environ.get("CMRCLI_TRAIN_EVERY", "1"))
WORKERS, WORKER = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))


def run() -> None:
    """Trains or resumes; `image.pt` is the finished learned part (the mean of its last weights)."""
    if (OUT / "image.pt").exists():
        return
    if WORKERS == 1:
        embed_texts()
    else:
        dist.init_process_group("gloo")
    with stage("fit-image") if WORKER == 0 else nullcontext():
        torch.manual_seed(SEED)
        examples = Examples()
        part = LearnedPart().to(memory_format=torch.channels_last)
        continued = "--fresh" not in sys.argv
        if continued:
            # The classifier of the starting network is part of the module, unused and not released.
            weights = released.learned_weights(released.predecessor() / "image.onnx")
            part.load_state_dict(part.state_dict() | weights)
            for name, layer in part.trunk.layers.items():
                layer.requires_grad_(int(name.removeprefix("c")) >= STILL)
        if WORKER == 0:
            note("fit-image", continued=continued)
        head = [*part.project.parameters(), *part.loudness.parameters()]
        optimiser = torch.optim.AdamW(
            [{"params": part.trunk.parameters(), "scale": 1.0}, {"params": head, "scale": HEAD_FACTOR}],
            PEAK_RATE, (0.9, 0.98), weight_decay=0.02, fused=True,
        )  # fmt: skip
        mean = torch.optim.swa_utils.AveragedModel(part, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995))
        step = _resume(part, mean, optimiser)
        curve: list[dict[str, float]] = recorded("fit-image").get("curve", [])
        losses: list[list[float]] = []
        while step < STEPS:
            step += 1
            for group in optimiser.param_groups:
                group["lr"] = PEAK_RATE * group["scale"] * _rate(step)
            terms = examples.loss(part, step * WORKERS + WORKER)
            loss = terms[0] + NEAR_WEIGHT * terms[1] + LABEL_WEIGHT * terms[2] + PART_WEIGHT * terms[3]
            optimiser.zero_grad()
            loss.backward()
            _share_gradients(part)
            torch.nn.utils.clip_grad_norm_(part.parameters(), 2.0)
            optimiser.step()
            mean.update_parameters(part)
            losses.append([term.item() for term in terms])
            if step % 10 == 0 and WORKER == 0:
                log(
                    f"image: step {step:,} of {STEPS:,}, loss " + " ".join(f"{x:.3f}" for x in np.mean(losses[-10:], 0))
                )
            if step % KEEP_EVERY == 0 or step == STEPS:
                if WORKER == 0:
                    terms_mean = [round(float(x), 4) for x in np.mean(losses[-KEEP_EVERY:], 0)]
                    curve.append({"step": step, "choice": terms_mean[0], "photos to labels": terms_mean[2],
                                  "parts": terms_mean[3]})  # fmt: skip
                    note("fit-image", curve=curve, steps=STEPS, batch=BATCH, images=len(examples.rows))
                    _keep(part, mean, optimiser, step)
                    if step % CURVE_EVERY == 0:
                        torch.save({"learned": mean.module.state_dict()}, OUT / f"image-at-{step}.pt")
                if examples.stand_in and _agreed((OUT / "image-texts.npy").exists()):
                    if WORKER == 0:
                        note("fit-image", teacher_until=step)
                    examples = Examples()
        if WORKER == 0:
            ended = mean.module.state_dict()
            torch.save({"learned": released.blended(ended, BLEND) if continued else ended}, OUT / "image.pt")


def embed_texts() -> None:
    """Writes `image-texts.npy`: the finished text tower's vector of every text that an image may stand for."""
    path, embed = OUT / "image-texts.npy", speaker()
    if path.exists() or embed is None:
        return
    with stage("embed-image-texts"):
        with torch.autocast("cpu", torch.bfloat16):
            vectors = embed(image_texts.collect(_rows()).texts)
        np.save(path.with_suffix(".tmp.npy"), vectors.astype(np.float16))
        path.with_suffix(".tmp.npy").replace(path)


def speaker() -> Callable[[list[str]], NDArray[np.float32]] | None:
    """How texts become vectors (n, 384): by the released or the new text tower; None while that is still learning."""
    if released.images_only():
        return lambda texts: released.embed_texts(texts, released.predecessor())
    if not (OUT / "text.pt").exists():
        return None
    tokenizer = Tokenizer.from_file(str(OUT / "tokenizer.json"))
    tower = text_tower.load(OUT / "text.pt", tokenizer)
    return lambda texts: text_tower.embed(tower, tokenizer, texts)


def _rows() -> list[dict[str, Any]]:
    """The words of all training images, in the order of their pixels."""
    return [row for name in SOURCES for row in pictures.words(name)]


def _share_gradients(part: LearnedPart) -> None:
    """Every worker goes on with the mean of all workers' gradients."""
    if WORKERS == 1:
        return
    gradients = [value.grad for value in part.parameters() if value.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(together)
    for gradient, shared in zip(gradients, together.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(shared.view_as(gradient) / WORKERS)


def _agreed(seen: bool) -> bool:
    """What the first worker has seen."""
    flag = torch.tensor([int(seen)])
    if WORKERS > 1:
        dist.broadcast(flag, 0)
    return bool(flag.item())


class Examples:
    """The training images, their label vectors and their texts, and the loss of one batch of them."""

    def __init__(self) -> None:
        self.rows = _rows()
        self.pixels = [pictures.pixels(name, pictures.LEARNED_SIZE) for name in SOURCES]
        self.stand_in = not (OUT / "image-texts.npy").exists()
        embed = None if self.stand_in else speaker()
        if embed is not None:
            self.texts = image_texts.collect(self.rows)
            self.vectors = torch.from_numpy(np.load(OUT / "image-texts.npy").astype(np.float32))
            self.labels = _label_vectors(label_part(embed))
        else:
            # While the text tower is still learning, its teacher stands in: the space is the same, but for Japanese.
            self.texts = image_texts.collect(self.rows, lambda text: not is_japanese(text))
            chosen = teacher.embed_once(self.texts.texts).astype(np.float32)
            self.vectors = F.normalize(torch.from_numpy(chosen), dim=1)
            self.labels = _label_vectors(label_part(lambda words: teacher.embed(words).astype(np.float32)))
        kinds = np.asarray([row["kind"] for row in self.rows])
        self.line_art = np.isin(kinds, (*image_texts.DRAWN, "part drawing"))
        self.figures = kinds == "figure"
        self.sure = np.isin(kinds, ("photo", "product"))
        shares = np.asarray([SHARES.get(kind, 0.0) for kind in kinds])
        shares[np.arange(len(shares)) % EVERY > 0] = 0.0
        self.shares = shares / shares.sum()
        ids = np.asarray([row["id"] for row in self.rows])
        self.families = np.unique([row["concept"] for row in self.rows if "part" in row])
        self.parts: dict[str, list[list[int]]] = {}  # family -> rows of each of its parts: drawings, then a rendering
        self.part_ids = np.full(len(self.rows), -1)
        self.family_ids = np.full(len(self.rows), -1)
        for number, row in enumerate(self.rows):
            if "part" in row:
                of_family = self.parts.setdefault(row["concept"], [])
                if not of_family or ids[of_family[-1][0]] != row["id"]:
                    of_family.append([])
                of_family[-1].append(number)
                self.part_ids[number] = of_family[-1][0]
                self.family_ids[number] = np.searchsorted(self.families, row["concept"])
        self.part_drawings = kinds == "part drawing"
        log(f"image: {len(self.rows):,} images, {len(self.texts.texts):,} texts, {len(self.families)} part families")

    def loss(self, part: LearnedPart, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Choice among texts and images, distance to the own text, of photos to their label vector, choice of parts."""
        chance, batch = np.random.default_rng(SEED + step), BATCH // WORKERS
        made = self._draw_parts(chance)
        packed = np.sort(chance.choice(len(self.rows), batch - len(made), replace=False, p=self.shares))
        chosen = np.concatenate([packed, made])
        drawn = self.line_art[chosen] | (self.figures[chosen] & (chance.random(batch) < 0.5))
        pixels = turned(self.pictures_of(chosen), self.part_drawings[chosen], chance)
        planes = augment(pixels, drawn, pictures.LEARNED_SIZE, chance)
        with torch.autocast("cpu", torch.bfloat16):
            learned, loudness = part(planes.contiguous(memory_format=torch.channels_last))
        labels = self.labels[chosen]
        images = together(learned.float(), loudness.float(), labels)
        paired = _choose_part(images[len(packed) :], self.part_ids[made], self.family_ids[made])
        kept = (1 - (images * F.normalize(labels, dim=1)).sum(1))[torch.from_numpy(self.sure[chosen])].mean()
        text_ids = self.texts.draw(chosen, chance)
        named = torch.from_numpy(text_ids >= 0)
        images, own = images[named], self.vectors[text_ids[text_ids >= 0]]
        others = self.vectors[chance.choice(len(self.vectors), OTHER_TEXTS, replace=False)]
        by_image = _soft_choice(images @ torch.cat([own, others]).T, own @ torch.cat([own, others]).T)
        by_text = _soft_choice(own @ images.T, own @ own.T)
        return by_image + by_text, (1 - (images * own).sum(1)).mean(), kept, paired

    def _draw_parts(self, chance: np.random.Generator) -> NDArray[np.int64]:
        """Rows of all pictures of a few parts of a few families, so that every part meets others of its family."""
        rows: list[int] = []
        for family in chance.permutation(self.families):
            if len(rows) >= PART_PICTURES // WORKERS - PARTS_OF_EACH:
                break
            parts = self.parts[family]
            for number in chance.choice(len(parts), min(PARTS_OF_EACH, len(parts)), replace=False):
                rows += parts[number]
        return np.asarray(rows, np.int64)

    def pictures_of(self, chosen: NDArray[np.int64]) -> pictures.Pixels:
        """(n, 128, 128, 3) uint8 of the rows."""
        first, made = self.pixels[0], self.pixels[-1]
        return np.stack([first[row] if row < len(first) else made[row - len(first)] for row in chosen])


def _choose_part(images: Tensor, parts: NDArray[np.int64], families: NDArray[np.int64]) -> Tensor:
    """Each picture of a part picks the part's other pictures among all parts', with some share for its family's."""
    if not len(parts):
        return images.new_zeros(())
    others = ~torch.eye(len(parts), dtype=torch.bool)
    same = torch.from_numpy(parts[:, None] == parts[None]) & others
    kin = torch.from_numpy(families[:, None] == families[None]) & others
    target = SAME_PART * _shared(same) + (1 - SAME_PART) * _shared(kin)
    scores = (images @ images.T / PART_TEMPERATURE).masked_fill(~others, -1e4)
    return -(scores.log_softmax(1) * target).sum(1).mean()


def _shared(chosen: Tensor) -> Tensor:
    return chosen.float() / chosen.float().sum(1, keepdim=True).clamp(min=1)


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
    scores = np.concatenate([scores, np.load(OUT / "scores-parts-train.npy")])
    out = []
    for start in range(0, len(scores), 4096):
        block = torch.from_numpy(scores[start : start + 4096].astype(np.float32))
        out.append(LABEL_GAIN * part.say(block[:, :1001], block[:, 1001:]))
    return torch.cat(out)


def _soft_choice(scores: Tensor, similarity: Tensor) -> Tensor:
    """Cross-entropy against the softened similarity of the texts, less the entropy of that target."""
    target = (similarity / TEXT_TEMPERATURE).softmax(1)
    return F.kl_div((scores / TEMPERATURE).log_softmax(1), target, reduction="batchmean")


def _rate(step: int) -> float:
    """Warm-up, then level, then down to a hundredth."""
    falling = max(0.0, (step - (1 - DECAY) * STEPS) / (DECAY * STEPS))
    return min(step / WARM_UP, 1.0) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * falling)))


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
    if "--texts" in sys.argv:
        embed_texts()
    else:
        run()
