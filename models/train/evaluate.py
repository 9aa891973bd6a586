"""Stage `evaluate`: how well texts find the pictures of ../shared/data/dev, with bootstrap 95 % intervals.

    python -m models.train.evaluate            the reporting half: the figures of the card
    python -m models.train.evaluate --choose   the choosing half: for every decision before

dev is split by concept (`pictures.half`). The bundled ONNX files are measured beside their two parts alone: labels as
words (the frozen baseline) and the learned part.
"""

import json
import sys
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from tokenizers import Tokenizer
from torch.nn import functional as F

from models.train import export, label_scores, pictures, text_tower
from models.train.label_words import shrink
from models.train.measures import Questions, interval, measure
from models.train.workspace import MODEL, OUT, log, note, stage

Vectors = NDArray[np.float32]


def run(half: str = "report") -> None:
    """Measures the encoder in `models/` on one half of dev and notes the figures."""
    with stage(f"evaluate-{half}"):
        pictures.prepare("dev", pictures.SIZE)
        rows = pictures.words("dev")
        chosen = np.asarray([number for number, row in enumerate(rows) if pictures.half(row) == half])
        towers = image_vectors(pictures.pixels("dev", pictures.SIZE)[chosen], dev_scores()[chosen])
        figures: dict[str, Any] = {}
        for questions in all_questions([rows[number] for number in chosen]):
            texts = embed_texts(questions.queries)
            found = {}
            for name, vectors in towers.items():
                values = measure(texts @ vectors[questions.gallery].T, questions.relevant)
                found[name] = {key: interval(value) for key, value in values.items()}
            figures[questions.name] = {
                "queries": len(questions.queries), "gallery": len(questions.gallery), **found,
            }  # fmt: skip
            log(
                f"{questions.name}: "
                + "  ".join(
                    f"{t} {f['success@1'][0]:.3f}/{f['success@10'][0]:.3f}/{f['R-precision'][0]:.3f}"
                    for t, f in found.items()
                )
            )
        note(f"evaluate-{half}", sets=figures)
        note(f"evaluate-{half}", parts=part_figures())
        if half == "report":
            note("evaluate-report", text=text_figures(), speed=speeds())


def all_questions(rows: list[dict[str, Any]]) -> list[Questions]:
    """The query sets over some rows of dev; gallery numbers count within `rows`."""

    def of(keep: Any) -> list[int]:
        return [number for number, row in enumerate(rows) if keep(row)]

    kinds = {
        "text -> icon": of(lambda row: row["kind"] == "icon"),
        "text -> symbol": of(lambda row: row["kind"] == "symbol"),
        "text -> stencil": of(lambda row: row["kind"] == "stencil"),
        "text -> emoji": of(lambda row: row["kind"] == "emoji"),
        "text -> photo (unseen classes)": of(lambda row: row["source"] == "caltech101"),
        "text -> clothing photo": of(lambda row: row["source"].startswith("clothing")),
        "text -> product": of(lambda row: row["kind"] == "product"),
    }
    sets = [_by_words(name, rows, gallery, "names") for name, gallery in kinds.items()]
    sets.append(_by_words("ja -> emoji", rows, kinds["text -> emoji"], "names_ja"))
    figures = of(lambda row: row["source"].startswith("openstax") and row["captions"])
    sets.append(_one_by_one("text -> figure (alt text)", rows, figures))
    return [questions for questions in sets if questions.queries]


def embed_texts(texts: list[str]) -> Vectors:
    """(n, 384) from the bundled text tower."""
    tokenizer, runner = Tokenizer.from_file(str(MODEL / "tokenizer.json")), export.session(MODEL / "text.onnx", 2)
    out = []
    for start in range(0, len(texts), 64):
        ids, mask = text_tower.pad(text_tower.encode(tokenizer, texts[start : start + 64]))
        out.append(runner.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0])
    return np.concatenate(out)


@torch.no_grad()
def image_vectors(pixels: pictures.Pixels, scores: NDArray[np.float16]) -> dict[str, Vectors]:
    """(n, 384) from the bundled image tower, and from its two parts alone (PyTorch, from the checkpoints)."""
    runner = export.session(MODEL / "image.onnx", 2)
    blocks = np.array_split(pixels, max(1, len(pixels) // 16))
    found = {"bundled": np.concatenate([runner.run(None, {"pixel_values": block})[0] for block in blocks])}
    tokenizer = Tokenizer.from_file(str(OUT / "tokenizer.json"))
    tower = export.image_tower(text_tower.load(OUT / "text.pt", tokenizer), tokenizer, OUT / "image.pt")
    shares = torch.from_numpy(scores.astype(np.float32))
    labels = tower.labels.say(shares[:, :1001], shares[:, 1001:])
    found["labels as words"] = F.normalize(labels, dim=1).numpy()
    learned = []
    for block in blocks:
        planes = shrink(torch.from_numpy(block).permute(0, 3, 1, 2).float(), tower.small)
        learned.append(tower.learned(planes.contiguous(memory_format=torch.channels_last))[0])
    found["learned part"] = F.normalize(torch.cat(learned), dim=1).numpy()
    return found


def part_figures() -> dict[str, Any]:
    """Drawing <-> rendering of the part families kept apart, among all parts made; right is the same family."""
    groups = ("parts-held", "parts-train")
    rows = [row for group in groups for row in pictures.words(group)]
    pixels = np.concatenate([pictures.pixels(group, pictures.SIZE) for group in groups])
    scores = np.concatenate([np.load(OUT / f"scores-{group}.npy") for group in groups])
    towers = image_vectors(pixels, scores)
    held = len(pictures.words("parts-held"))
    family = np.asarray([row["concept"] for row in rows])
    drawings, renderings = (
        np.flatnonzero([row["kind"] == f"part {kind}" for row in rows]) for kind in ("drawing", "rendering")
    )
    figures: dict[str, Any] = {}
    names = sorted({row["names"][0] for row in rows[:held]})
    texts = embed_texts(names)
    for name, asked, gallery in (
        ("drawing -> rendering", drawings[drawings < held], renderings),
        ("rendering -> drawing", renderings[renderings < held], drawings),
        ("drawing -> other drawing", drawings[drawings < held], drawings),
        ("name -> drawing", None, drawings),
        ("name -> rendering", None, renderings),
    ):  # fmt: skip
        found = {}
        for tower, vectors in towers.items():
            if asked is None:
                queries = texts
                relevant = np.asarray([[name == rows[number]["names"][0] for number in gallery] for name in names])
            else:
                queries = vectors[asked]
                relevant = (family[asked][:, None] == family[gallery][None]) & (asked[:, None] != gallery[None])
            scored = queries @ vectors[gallery].T
            if asked is not None:
                scored[asked[:, None] == gallery[None]] = -2.0
            found[tower] = {key: interval(value) for key, value in measure(scored, relevant).items()}
        figures[name] = {"queries": len(queries), "gallery": len(gallery), **found}
        log(f"{name}: " + "  ".join(f"{t} {f['success@1'][0]:.3f}/{f['R-precision'][0]:.3f}" for t, f in found.items()))
    return figures


def dev_scores() -> NDArray[np.float16]:
    """The label networks' scores of all dev images, made once."""
    path = OUT / "scores-dev.npy"
    if not path.exists():
        runner, pixels = label_scores.session(), pictures.pixels("dev", pictures.SIZE)
        blocks = [runner.run(None, {"pixels": pixels[start : start + 32]})[0] for start in range(0, len(pixels), 32)]
        np.save(path, np.concatenate(blocks).astype(np.float16))
    return np.asarray(np.load(path))


def text_figures() -> dict[str, list[float]]:
    """Spearman correlation with the teacher, and success@1 of held-back translations, of the bundled text tower."""
    data = json.loads((OUT / "texts.json").read_text())
    ours = embed_texts(data["held_english"])
    theirs = np.load(OUT / "teacher-held-english.npy").astype(np.float32)
    upper = np.triu_indices(len(ours), 1)
    value = float(spearmanr((ours @ ours.T)[upper], (theirs @ theirs.T)[upper]).statistic)
    chance, around = np.random.default_rng(0), []
    for _ in range(40):  # resamples of the sentences; pairs of a sentence with itself left out
        rows = np.unique(chance.integers(0, len(ours), len(ours)))
        pairs = np.triu_indices(len(rows), 1)
        some = slice(None, None, 9)
        around.append(
            spearmanr((ours[rows] @ ours[rows].T)[pairs][some], (theirs[rows] @ theirs[rows].T)[pairs][some]).statistic
        )
    english = embed_texts([pair[0] for pair in data["held_pairs"]])
    japanese = embed_texts([pair[1] for pair in data["held_pairs"]])
    hits = (japanese @ english.T).argmax(1) == np.arange(len(english))
    back = (english @ japanese.T).argmax(1) == np.arange(len(english))
    low, high = np.percentile(around, (2.5, 97.5))
    return {
        "spearman": [round(value, 4), round(float(low), 4), round(float(high), 4)],
        "ja_en_success@1": interval(hits.astype(float)),
        "en_ja_success@1": interval(back.astype(float)),
    }


def speeds() -> dict[str, float]:
    """Milliseconds and images per second of the bundled files: the best of several runs, as others use this machine."""

    def best(work: Any, times: int) -> float:
        taken = []
        for _ in range(times):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
        return min(taken)

    text, image = export.session(MODEL / "text.onnx"), export.session(MODEL / "image.onnx", 2)
    one = export.session(MODEL / "image.onnx", 1)
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    ids, mask = text_tower.pad(text_tower.encode(tokenizer, ["hex flange bolt M8"]))
    query = {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
    batch = {"pixel_values": np.ascontiguousarray(pictures.pixels("dev", pictures.SIZE)[:16])}
    single = {"pixel_values": batch["pixel_values"][:1]}
    return {
        "text_session_ms": round(best(lambda: export.session(MODEL / "text.onnx"), 8) * 1e3, 1),
        "tokenizer_load_ms": round(best(lambda: Tokenizer.from_file(str(MODEL / "tokenizer.json")), 8) * 1e3, 1),
        "query_ms_1_thread": round(best(lambda: text.run(None, query), 30) * 1e3, 2),
        "image_session_ms": round(best(lambda: export.session(MODEL / "image.onnx", 2), 4) * 1e3, 1),
        "images_per_s_batch16_2_threads": round(16 / best(lambda: image.run(None, batch), 10), 1),
        "images_per_s_batch1_2_threads": round(1 / best(lambda: image.run(None, single), 20), 1),
        "images_per_s_batch16_1_thread": round(16 / best(lambda: one.run(None, batch), 6), 1),
    }


def _by_words(name: str, rows: list[dict[str, Any]], gallery: list[int], field: str) -> Questions:
    """One query per first name; every image that has it among its names answers."""
    queries = sorted({rows[number][field][0] for number in gallery if rows[number][field]})
    relevant = np.zeros((len(queries), len(gallery)), bool)
    for column, number in enumerate(gallery):
        for row, query in enumerate(queries):
            relevant[row, column] = query in rows[number][field]
    return Questions(name, queries, np.asarray(gallery, np.int64), relevant)


def _one_by_one(name: str, rows: list[dict[str, Any]], gallery: list[int]) -> Questions:
    """One query per caption; images with the same caption answer it too."""
    queries = list(dict.fromkeys(rows[number]["captions"][0] for number in gallery))
    answers = np.asarray([[query == rows[number]["captions"][0] for number in gallery] for query in queries], bool)
    return Questions(name, queries, np.asarray(gallery, np.int64), answers)


if __name__ == "__main__":
    run("choose" if "--choose" in sys.argv else "report")
