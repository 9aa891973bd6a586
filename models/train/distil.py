"""Stage `distil-text`: the text tower learns Japanese and keeps the teacher's space in English.

It starts as the teacher, so English is there. First only the rows of Japanese pieces learn, into a tower that stands
still; then everything learns gently, and every batch mixes English texts and Japanese ones. A text is drawn to the
teacher's embedding of it (of its translation, for Japanese), and the similarities within the batch to the teacher's
similarities; Japanese must also pick its own translation among the batch's. Batches hold texts of about one length,
because padding is wasted time.
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
from models.train.tokenizer import is_japanese
from models.train.workspace import OUT, SEED, log, note, recorded, stage

STEPS, ROWS_ONLY = 1_250, 300  # all steps; the first ones, in which only Japanese rows learn
ENGLISH_BATCH, JAPANESE_BATCH = 160, 352
LEXICON_SHARE = 0.25  # of the Japanese texts
ROW_RATE, RATE, WARM_UP = 2e-3, 1.5e-4, 30  # of Japanese rows; of everything else
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
        halves = _Halves(tower, tokenizer)
        rest = [value for name, value in tower.named_parameters() if name != "tokens.weight"]
        optimiser = torch.optim.AdamW(
            [{"params": [halves.japanese], "peak": ROW_RATE}, {"params": [halves.english, *rest], "peak": RATE}],
            RATE, (0.9, 0.98), weight_decay=0.0, fused=True,
        )  # fmt: skip
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
                group["lr"] = _rate(step) * group["peak"]
            for value in rest:
                value.requires_grad_(step > ROWS_ONLY)
            sides = [(english, english_rows), (japanese, japanese_rows), (lexicon, lexicon_rows)]
            loss = _loss(tower, sides[1:] if step <= ROWS_ONLY else sides)
            tower.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
            halves.take_gradients(step > ROWS_ONLY)
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


class _Halves:
    """The token table as two parameters over the same memory, because its two languages learn at different rates."""

    def __init__(self, tower: TextTower, tokenizer: Tokenizer) -> None:
        self.table = tower.tokens.weight
        self.first = min(number for piece, number in tokenizer.get_vocab().items() if is_japanese(piece))
        self.english = torch.nn.Parameter(self.table.data[: self.first])
        self.japanese = torch.nn.Parameter(self.table.data[self.first :])

    def take_gradients(self, everything: bool) -> None:
        """Hands the table's gradient to the halves; the English one stands still unless `everything` learns."""
        assert self.table.grad is not None
        self.english.grad = self.table.grad[: self.first] if everything else None
        self.japanese.grad = self.table.grad[self.first :]


def _rate(step: int) -> float:
    """Share of the peak: full while rows alone learn, then a fresh warm-up and a cosine down to a hundredth."""
    if step <= ROWS_ONLY:
        return min(1.0, step / WARM_UP)
    done = step - ROWS_ONLY
    return min(1.0, done / WARM_UP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done / (STEPS - ROWS_ONLY))))


def _loss(tower: TextTower, sides: list[tuple[Side, NDArray[np.int64]]]) -> Tensor:
    ours, theirs = [], []
    for side, rows in sides:
        with torch.autocast("cpu", torch.bfloat16):
            ours.append(tower(*text_tower.pad([side.ids[row] for row in rows])).float())
        theirs.append(torch.from_numpy(side.targets[side.target_rows[rows]].astype(np.float32)))
    student, target = torch.cat(ours), F.normalize(torch.cat(theirs), dim=1)
    near = (1 - (student * target).sum(1)).mean()
    similar = (student @ student.T - target @ target.T).pow(2).mean()
    japanese = sum(len(rows) for _, rows in sides[-2:])
    foreign, wanted = student[-japanese:], target[-japanese:]
    same = (wanted @ wanted.T > 0.95).float()
    choice = (
        -(F.log_softmax(foreign @ wanted.T / CHOICE_TEMPERATURE, 1) * (same / same.sum(1, keepdim=True))).sum(1).mean()
    )
    return near + SIMILARITY_WEIGHT * similar + CHOICE_WEIGHT * choice


if __name__ == "__main__":
    run()
