"""Stage `distil-text`: the text tower learns the teacher's space, in English and in Japanese.

Every batch mixes English texts and Japanese ones. A text is drawn to the teacher's embedding of it (of its translation,
for Japanese), and the similarities within the batch to the teacher's similarities; Japanese must also pick its own
translation among the batch's. Batches hold texts of about one length, because padding is wasted time.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from models.train import teacher, text_tower
from models.train.text_tower import TextTower
from models.train.workspace import OUT, SEED, log, note, recorded, stage

STEPS = 1_600
ENGLISH_BATCH, JAPANESE_BATCH = 448, 192
LEXICON_SHARE = 0.25  # of the Japanese texts
PEAK_RATE, WARM_UP = 6e-4, 100
SIMILARITY_WEIGHT, CHOICE_WEIGHT, CHOICE_TEMPERATURE = 8.0, 0.15, 0.05
CHECK_EVERY, KEEP_EVERY = 200, 100


@dataclass
class Side:
    """Texts of one language as token ids, with the teacher's row each is drawn to."""

    ids: list[NDArray[np.int32]]
    targets: NDArray[np.float16]
    target_rows: NDArray[np.int64]


def run() -> None:
    """Trains or resumes; `text.pt` is the finished tower."""
    if (OUT / "text.pt").exists():
        return
    with stage("distil-text"):
        tokenizer = Tokenizer.from_file(str(OUT / "tokenizer.json"))
        data = json.loads((OUT / "texts.json").read_text())
        english, japanese, lexicon = _sides(tokenizer, data)
        checkpoint = OUT / "text-checkpoint.pt"
        tower = TextTower(tokenizer.get_vocab_size()).train() if checkpoint.exists() else _start(tokenizer, data)
        optimiser = torch.optim.AdamW(tower.parameters(), PEAK_RATE, (0.9, 0.98), weight_decay=0.01, fused=True)
        step = 0
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            tower.load_state_dict(state["tower"])
            optimiser.load_state_dict(state["optimiser"])
            step = state["step"]
        curve: list[dict[str, float]] = recorded("distil-text").get("curve", [])
        losses: list[float] = []
        for english_rows, japanese_rows, lexicon_rows in _plan(english, japanese, lexicon, step):
            step += 1
            for group in optimiser.param_groups:
                group["lr"] = PEAK_RATE * _rate(step)
            loss = _loss(tower, english, english_rows, [(japanese, japanese_rows), (lexicon, lexicon_rows)])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
            optimiser.step()
            losses.append(loss.item())
            if step % 50 == 0:
                log(f"distil: step {step:,} of {STEPS:,}, loss {np.mean(losses[-50:]):.4f}")
            if step % KEEP_EVERY == 0:
                state = {"tower": tower.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
                torch.save(state, checkpoint.with_suffix(".tmp"))
                checkpoint.with_suffix(".tmp").replace(checkpoint)
            if step % CHECK_EVERY == 0 or step == STEPS:
                curve.append({"step": step, "loss": float(np.mean(losses[-200:])), **check(tower, tokenizer, data)})
                log(f"distil: {curve[-1]}")
                note("distil-text", curve=curve, steps=STEPS)
        torch.save({"tower": tower.state_dict()}, OUT / "text.pt")


@torch.no_grad()
def check(tower: TextTower, tokenizer: Tokenizer, data: dict[str, Any]) -> dict[str, float]:
    """Spearman correlation of held-back English similarities, and success@1 of held-back translations."""
    tower.eval()
    ours = text_tower.embed(tower, tokenizer, data["held_english"])
    theirs = np.load(OUT / "teacher-held-english.npy").astype(np.float32)
    upper = np.triu_indices(len(ours), 1)
    spearman = float(spearmanr((ours @ ours.T)[upper][::7], (theirs @ theirs.T)[upper][::7]).statistic)
    english = text_tower.embed(tower, tokenizer, [pair[0] for pair in data["held_pairs"]])
    japanese = text_tower.embed(tower, tokenizer, [pair[1] for pair in data["held_pairs"]])
    found = float(((japanese @ english.T).argmax(1) == np.arange(len(english))).mean())
    tower.train()
    return {"spearman": round(spearman, 4), "ja_en_success@1": round(found, 4)}


def _start(tokenizer: Tokenizer, data: dict[str, Any]) -> TextTower:
    torch.manual_seed(SEED)
    tower = text_tower.cut_from_teacher(teacher.network(), teacher.tokenizer().get_vocab(), tokenizer.get_vocab())
    text_tower.seed_japanese(tower, tokenizer, data["pairs"] + data["lexicon_pairs"] * 3)
    return tower.train()


def _sides(tokenizer: Tokenizer, data: dict[str, Any]) -> tuple[Side, Side, Side]:
    of_pairs = np.load(OUT / "teacher-pair-english.npy")
    row = {text: number for number, text in enumerate(data["pair_english"])}
    texts = data["english"] + data["pair_english"]
    targets = np.concatenate([np.load(OUT / "teacher-english.npy"), of_pairs])
    english = Side(text_tower.encode(tokenizer, texts), targets, np.arange(len(texts)))
    both = [
        Side(
            text_tower.encode(tokenizer, [pair[1] for pair in data[name]]),
            of_pairs,
            np.asarray([row[pair[0]] for pair in data[name]], np.int64),
        )
        for name in ("pairs", "lexicon_pairs")
    ]
    return english, both[0], both[1]


def _plan(english: Side, japanese: Side, lexicon: Side, done: int) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """Rows of every step from `done` on: the same ones whether or not the run was interrupted."""
    shares = ENGLISH_BATCH, round(JAPANESE_BATCH * (1 - LEXICON_SHARE)), round(JAPANESE_BATCH * LEXICON_SHARE)
    streams = [
        _batches(side, size, SEED + n)
        for n, (side, size) in enumerate(zip((english, japanese, lexicon), shares, strict=True))
    ]
    for step in range(STEPS):
        rows = tuple(next(stream) for stream in streams)
        if step >= done:
            yield rows


def _batches(side: Side, size: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Endless batches, each of texts of similar length: 40 batches at a time are drawn and sorted."""
    chance = np.random.default_rng(seed)
    lengths = np.asarray([len(row) for row in side.ids])
    waiting = np.empty(0, np.int64)
    while True:
        while len(waiting) < 40 * size:
            waiting = np.concatenate([waiting, chance.permutation(len(lengths))])
        block, waiting = waiting[: 40 * size], waiting[40 * size :]
        block = block[np.argsort(lengths[block], kind="stable")]
        for number in chance.permutation(40):
            yield block[number * size : (number + 1) * size]


def _rate(step: int) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth."""
    if step < WARM_UP:
        return step / WARM_UP
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (STEPS - WARM_UP)))


def _loss(
    tower: TextTower, english: Side, english_rows: NDArray[np.int64], others: list[tuple[Side, NDArray[np.int64]]]
) -> Tensor:
    ours, theirs = [], []
    for side, rows in [(english, english_rows), *others]:
        with torch.autocast("cpu", torch.bfloat16):
            ours.append(tower(*text_tower.pad([side.ids[row] for row in rows])).float())
        theirs.append(torch.from_numpy(side.targets[side.target_rows[rows]].astype(np.float32)))
    student, target = torch.cat(ours), F.normalize(torch.cat(theirs), dim=1)
    near = (1 - (student * target).sum(1)).mean()
    similar = (student @ student.T - target @ target.T).pow(2).mean()
    foreign, wanted = student[len(english_rows) :], target[len(english_rows) :]
    same = (wanted @ wanted.T > 0.95).float()
    choice = (
        -(F.log_softmax(foreign @ wanted.T / CHOICE_TEMPERATURE, 1) * (same / same.sum(1, keepdim=True))).sum(1).mean()
    )
    return near + SIMILARITY_WEIGHT * similar + CHOICE_WEIGHT * choice


if __name__ == "__main__":
    run()
