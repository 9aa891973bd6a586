"""The text tower: the teacher's six layers over the bilingual vocabulary.

The shape is the teacher's (BERT, width 384), so that its rows and layers can be copied: in English the tower starts as
the teacher, but for words whose pieces found no room. The token table is half of all weights and is stored in 4 bits,
so training sees its rows as they will be stored. The output is the mean over the tokens, L2-normalised.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertModel

from models.train.tokenizer import is_japanese
from models.train.workspace import CONTEXT, DIM

HEADS = 12
LAYERS = 6
GROUP = 32  # numbers of a table row that share one scale
STEPS_UP = 7.5  # 16 values: -7.5 to 7.5 scales, in whole steps


def table_scales(rows: Tensor) -> Tensor:
    """(..., 384) -> (..., 12, 1), float16's values: the scale of each group, the largest number just representable."""
    groups = rows.unflatten(-1, (-1, GROUP))
    return (groups.abs().amax(-1, keepdim=True) / STEPS_UP).half().float().clamp(min=1e-7)


def table_steps(rows: Tensor) -> Tensor:
    """(..., 384) -> (..., 12, 32), whole numbers 0 to 15: what is stored."""
    groups = rows.unflatten(-1, (-1, GROUP))
    return (groups / table_scales(rows) + STEPS_UP).round().clamp(0, 15)


def stored_rows(rows: Tensor) -> Tensor:
    """The rows as the 4-bit table gives them back; gradients pass as if nothing were rounded."""
    rounded = ((table_steps(rows.detach()) - STEPS_UP) * table_scales(rows.detach())).flatten(-2)
    return rows + (rounded - rows).detach()


class Layer(nn.Module):
    """One transformer layer as BERT has it: normalisation after each residual sum."""

    def __init__(self) -> None:
        super().__init__()
        self.attend_in = nn.Linear(DIM, 3 * DIM)
        self.attend_out = nn.Linear(DIM, DIM)
        self.attend_norm = nn.LayerNorm(DIM, eps=1e-12)
        self.wide = nn.Linear(DIM, 4 * DIM)
        self.narrow = nn.Linear(4 * DIM, DIM)
        self.norm = nn.LayerNorm(DIM, eps=1e-12)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x (n, length, 384); bias (n, 1, 1, length), very negative at padding."""
        n, length = x.shape[0], x.shape[1]
        query, key, value = self.attend_in(x).view(n, length, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query @ key.transpose(-1, -2) * (DIM // HEADS) ** -0.5 + bias).softmax(-1)
        mixed = (weights @ value).transpose(1, 2).reshape(n, length, DIM)
        x = self.attend_norm(x + self.attend_out(mixed))
        return self.norm(x + self.narrow(F.gelu(self.wide(x))))


class TextTower(nn.Module):
    """ids and mask (n, length) int64 -> (n, 384) float32, unit length."""

    def __init__(self, vocabulary: int, layers: int = LAYERS) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, DIM)
        self.rounded = True  # whether the token rows are read as they will be stored
        self.places = nn.Parameter(torch.zeros(CONTEXT, DIM))
        self.norm = nn.LayerNorm(DIM, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(layers))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The sentence embedding."""
        present = mask.to(self.places.dtype)
        bias = ((1.0 - present) * -1e4)[:, None, None, :]
        rows = self.tokens(ids)
        x = self.norm((stored_rows(rows) if self.rounded else rows) + self.places[: ids.shape[1]])
        for layer in self.layers:
            x = layer(x, bias)
        pooled = (x.float() * present[:, :, None]).sum(1)
        return F.normalize(pooled, dim=1)


@torch.no_grad()
def cut_from_teacher(teacher: BertModel, teacher_ids: dict[str, int], ids: dict[str, int]) -> TextTower:
    """A tower with the teacher's rows for the pieces it knows and all layers of it."""
    tower = TextTower(len(ids))
    rows = teacher.embeddings.word_embeddings.weight
    tower.tokens.weight.copy_(
        rows.mean(0) + torch.randn(len(ids), DIM, generator=torch.Generator().manual_seed(1)) * 0.01
    )
    for piece, number in ids.items():
        if piece in teacher_ids and not is_japanese(piece):
            tower.tokens.weight[number] = rows[teacher_ids[piece]]
    kinds = teacher.embeddings.token_type_embeddings.weight[0]
    tower.places.copy_(teacher.embeddings.position_embeddings.weight[:CONTEXT] + kinds)
    tower.norm.load_state_dict(teacher.embeddings.LayerNorm.state_dict())
    for layer, source in zip(tower.layers, teacher.encoder.layer, strict=True):
        own = source.attention.self
        layer.attend_in.weight.copy_(torch.cat([own.query.weight, own.key.weight, own.value.weight]))
        layer.attend_in.bias.copy_(torch.cat([own.query.bias, own.key.bias, own.value.bias]))
        layer.attend_out.load_state_dict(source.attention.output.dense.state_dict())
        layer.attend_norm.load_state_dict(source.attention.output.LayerNorm.state_dict())
        layer.wide.load_state_dict(source.intermediate.dense.state_dict())
        layer.narrow.load_state_dict(source.output.dense.state_dict())
        layer.norm.load_state_dict(source.output.LayerNorm.state_dict())
    return tower


@torch.no_grad()
def seed_japanese(tower: TextTower, tokenizer: Tokenizer, pairs: list[tuple[str, str]]) -> None:
    """Gives each Japanese piece the mean of the English pieces it is translated by; short pairs say most."""
    sums = torch.zeros_like(tower.tokens.weight)
    weights = torch.zeros(len(sums))
    english = tokenizer.encode_batch([pair[0] for pair in pairs], add_special_tokens=False)
    japanese = tokenizer.encode_batch([pair[1] for pair in pairs], add_special_tokens=False)
    for source, target in zip(english, japanese, strict=True):
        if not source.ids or not target.ids:
            continue
        weight = 1.0 / (len(source.ids) * len(target.ids)) ** 2
        mean = tower.tokens.weight[torch.tensor(source.ids)].mean(0)
        sums[target.ids] += weight * mean
        weights[target.ids] += weight
    pieces = [number for piece, number in tokenizer.get_vocab().items() if is_japanese(piece) and weights[number] > 0]
    tower.tokens.weight[pieces] = sums[pieces] / weights[pieces, None]


def encode(tokenizer: Tokenizer, texts: list[str]) -> list[NDArray[np.int32]]:
    """Token ids of each text."""
    return [np.asarray(encoding.ids, np.int32) for encoding in tokenizer.encode_batch(texts)]


def pad(rows: list[NDArray[np.int32]]) -> tuple[Tensor, Tensor]:
    """ids and mask (n, longest) int64."""
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.from_numpy(row.astype(np.int64))
        mask[number, : len(row)] = 1
    return ids, mask


@torch.no_grad()
def embed(tower: TextTower, tokenizer: Tokenizer, texts: list[str], batch: int = 256) -> NDArray[np.float32]:
    """(n, 384) float32, in order of length so that little is padded."""
    rows = encode(tokenizer, texts)
    out = np.empty((len(rows), DIM), np.float32)
    order = np.argsort([len(row) for row in rows], kind="stable")
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        out[chosen] = tower(*pad([rows[row] for row in chosen])).float().numpy()
    return out


def load(path: Path, tokenizer: Tokenizer) -> TextTower:
    """The tower kept in a checkpoint, ready to embed."""
    tower = TextTower(tokenizer.get_vocab_size())
    tower.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["tower"])
    return tower.eval()
