"""Stage `evaluate`: how well texts find the pictures of ../shared/data/dev, and parts of unseen families each other.

    python -m models.train.evaluate            the reporting half: the figures of the card
    python -m models.train.evaluate --choose   the choosing half: for every decision before

dev is split by concept (`pictures.half`). The bundled ONNX files are measured beside their predecessor (its released
files, taken from the history) and beside labels as words alone, through the bundled text tower. Intervals are
bootstrapped over the queries, over whole families where parts ask; differences and the macro average are paired.
"""

import hashlib
import json
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr
from tokenizers import Tokenizer

from cmrcli.samples.ageing import aged
from models.train import label_scores, pictures, released, rival, text_tower
from models.train.image_tower import ImageTower, encode, learned_part
from models.train.label_words import spoken
from models.train.lexicon import read_lexicon
from models.train.measures import Questions, difference, interval, macro, measure
from models.train.workspace import CORES, MODEL, OUT, log, note, stage

Vectors = NDArray[np.float32]
BASELINE, PLAIN = "labels as words", "plain contrastive"
LEADING = {
    "text -> photo (unseen classes)": "R-precision", "text -> clothing photo": "R-precision",
    "text -> product": "R-precision", "text -> figure (alt text)": "success@10",
    "drawing -> rendering": "R-precision", "rendering -> drawing": "R-precision",
    "drawing -> other drawing": "R-precision", "photo (unnamed classes)": "R-precision",
}  # fmt: skip


def leading(name: str) -> str:
    """The measure of a set that counts in the macro average."""
    return LEADING.get(name, "success@1")


Values = dict[str, dict[str, NDArray[np.float64]]]  # tower -> measure -> one value a query


def run(half: str = "report") -> None:
    """Measures the encoder in `models/` on one half of dev and notes the figures; parts on the reporting half alone."""
    with stage(f"evaluate-{half}"):
        pictures.prepare("dev", pictures.SIZE)
        pictures.prepare("dev", pictures.LABELLED)
        rows = pictures.words("dev")
        chosen = np.asarray([number for number, row in enumerate(rows) if pictures.half(row) == half])
        encoders = [MODEL, released.predecessor()]
        large = pictures.pixels("dev", pictures.LABELLED)
        sizes_of = {size: pictures.pixels("dev", size)[chosen] for size in (pictures.SIZE, pictures.LABELLED)}
        towers = image_vectors(f"dev-{half}", sizes_of, label_scores.kept("dev", large)[chosen], encoders)
        found: dict[str, Values] = {}
        sizes: dict[str, tuple[int, int]] = {}
        groups: dict[str, NDArray[np.int64]] = {}
        for questions in all_questions([rows[number] for number in chosen]):
            texts = {folder.name: released.embed_texts(questions.queries, folder) for folder in encoders}
            texts[BASELINE] = texts[PLAIN] = texts[MODEL.name]
            found[questions.name] = {
                name: measure(texts[name] @ vectors[questions.gallery].T, questions.relevant)
                for name, vectors in towers.items()
            }
            sizes[questions.name] = len(questions.queries), len(questions.gallery)
            groups[questions.name] = np.arange(len(questions.queries))
        if half == "report":
            for name, values, families, gallery in part_values(encoders):
                found[name], groups[name], sizes[name] = values, families, (len(families), gallery)
        note(f"evaluate-{half}", **_figures(found, groups, sizes))
        if half == "report":
            if not released.images_only():
                note("evaluate-report", text={folder.name: text_figures(folder) for folder in encoders})
            note("evaluate-report", speed=speeds())


def _figures(
    found: dict[str, Values], groups: dict[str, NDArray[np.int64]], sizes: dict[str, tuple[int, int]]
) -> dict[str, Any]:
    """Means with intervals of every set and tower, and what MODEL is ahead of the others by, paired."""
    sets: dict[str, Any] = {}
    for name, values in found.items():
        leads = leading(name)
        ours = values[MODEL.name][leads]
        sets[name] = {
            "queries": sizes[name][0], "gallery": sizes[name][1], "leading": leads,
            "towers": {t: {k: interval(v, groups[name]) for k, v in one.items()} for t, one in values.items()},
            "ahead": {
                t: difference(ours, one[leads], groups[name]) for t, one in values.items() if t != MODEL.name
            },
        }  # fmt: skip
        log(f"{name}: " + "  ".join(f"{t} {v['success@1'].mean():.3f}/{v['success@10'].mean():.3f}/"
                                    f"{v['R-precision'].mean():.3f}" for t, v in values.items()))  # fmt: skip
    towers = next(iter(found.values()))
    leads = {name: {t: found[name][t][leading(name)] for t in towers} for name in found}
    averages = {t: macro([(leads[n][t], groups[n]) for n in found]) for t in towers}
    ahead = {
        t: macro([(leads[n][MODEL.name] - leads[n][t], groups[n]) for n in found])
        for t in towers if t != MODEL.name
    }  # fmt: skip
    log(f"macro average {averages}, ahead {ahead}")
    return {"sets": sets, "macro": averages, "macro_ahead": ahead}


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
    sets = [by_words(name, rows, gallery, "names") for name, gallery in kinds.items()]
    sets.append(by_words("ja -> emoji", rows, kinds["text -> emoji"], "names_ja"))
    sets.append(_by_lexicon("ja -> icon (lexicon)", rows, kinds["text -> icon"]))
    figures = of(lambda row: row["source"].startswith("openstax") and row["captions"])
    sets.append(_one_by_one("text -> figure (alt text)", rows, figures))
    return [questions for questions in sets if questions.queries]


def image_vectors(
    group: str, by_size: dict[int, pictures.Pixels], scores: NDArray[np.float16], encoders: list[Path]
) -> dict[str, Vectors]:
    """(n, 384) from each encoder's image tower, and of the original label networks in the bundled text tower's words.

    `by_size` holds the same pictures at every size that an encoder reads.
    """
    found = {folder.name: _encoded(folder, group, by_size) for folder in encoders}
    words = spoken(lambda words: released.embed_texts(words, MODEL), taught=None)
    labels = words.say(*torch.from_numpy(scores.astype(np.float32)).split([1001, 631], 1)).numpy()
    found[BASELINE] = labels / np.linalg.norm(labels, axis=1, keepdims=True)
    if (OUT / "plain.pt").exists():
        found[PLAIN] = encode(ImageTower(None, learned_part(OUT / "plain.pt")).eval(), by_size[pictures.SIZE])
    return found


def _encoded(folder: Path, group: str, by_size: dict[int, pictures.Pixels]) -> Vectors:
    """An encoder's vectors of a group of images; kept, because the predecessor's never change."""
    digest = hashlib.sha256((folder / "image.onnx").read_bytes()).hexdigest()[:12]
    path = OUT / f"vectors-{group}-{digest}.npy"
    if not path.exists():
        runner = released.session(folder / "image.onnx", CORES)
        pixels = by_size[tomllib.loads((folder / "model.toml").read_text())["image"]["size"]]
        blocks = np.array_split(pixels, max(1, len(pixels) // 16))
        np.save(path, np.concatenate([runner.run(None, {"pixel_values": block})[0] for block in blocks]))
        log(f"{folder.name}: {len(pixels):,} images of {group}")
    return np.asarray(np.load(path))


def part_values(encoders: list[Path]) -> list[tuple[str, Values, NDArray[np.int64], int]]:
    """Sets over the part families kept apart: name, values, family of each query, size of the gallery."""
    held, shown = pictures.words("parts-held"), pictures.words("parts-gallery")
    rows = held + shown
    sheets = pictures.pixels("parts-held", pictures.LABELLED)
    redrawn = [number for number, row in enumerate(held) if row["sheet"] == 1]
    changed = {
        "redrawn": sheets[redrawn],
        "redrawn and turned": np.stack([_turned(sheets[n], n) for n in redrawn]),
        "redrawn and scanned": np.stack([_scanned(sheets[n], n) for n in redrawn]),
    }
    large = np.concatenate([sheets, pictures.pixels("parts-gallery", pictures.LABELLED), *changed.values()])
    by_size = {pictures.LABELLED: large, pictures.SIZE: pictures.resized(large, pictures.SIZE)}
    towers = image_vectors("parts", by_size, label_scores.kept("parts", large), encoders)
    family = np.asarray([row["concept"] for row in rows])
    sheet = np.asarray([row["sheet"] for row in rows])
    is_held = np.arange(len(rows)) < len(held)
    numbers = {name: number for number, name in enumerate(sorted(set(family[is_held])))}
    drawings, renderings = np.flatnonzero(sheet == 0), np.flatnonzero(sheet == -1)
    sets = []
    for name, asked, gallery in (
        ("drawing -> rendering", drawings[is_held[drawings]], renderings),
        ("rendering -> drawing", renderings[is_held[renderings]], drawings),
        ("drawing -> other drawing", drawings[is_held[drawings]], drawings),
    ):
        relevant = (family[asked][:, None] == family[gallery][None]) & (asked[:, None] != gallery[None])
        values = {}
        for tower, vectors in towers.items():
            scored = vectors[asked] @ vectors[gallery].T
            scored[asked[:, None] == gallery[None]] = -2.0
            values[tower] = measure(scored, relevant)
        sets.append((name, values, np.asarray([numbers[one] for one in family[asked]]), len(gallery)))
    first = len(rows)
    asked = np.asarray([n for n in drawings if is_held[n]])
    of_family = np.asarray([numbers[one] for one in family[asked]])
    part = np.asarray([rows[n]["part"] for n in asked])
    for name, some in changed.items():  # among all redrawn parts of the query's own family
        values = {}
        for tower, vectors in towers.items():
            scored = vectors[asked] @ vectors[first : first + len(some)].T
            scored[of_family[:, None] != of_family[None]] = -2.0
            values[tower] = measure(scored, (of_family[:, None] == of_family[None]) & (part[:, None] == part[None]))
        sets.append((f"drawing -> same part {name}", values, of_family, int((of_family == 0).sum())))
        first += len(some)
    return sets


def _turned(pixels: pictures.Pixels, number: int) -> pictures.Pixels:
    """Turned by one, two or three quarters, every third one mirrored too."""
    turned = np.rot90(pixels, 1 + number % 3)
    return turned[:, ::-1] if number % 9 < 3 else turned


def _scanned(pixels: pictures.Pixels, number: int) -> pictures.Pixels:
    """As if printed and scanned."""
    from random import Random

    return np.asarray(aged(Image.fromarray(pixels).convert("L"), Random(number)).convert("RGB"))


def text_figures(folder: Path) -> dict[str, list[float]]:
    """Spearman correlation with the teacher, and success@1 of held-back translations, of an encoder's text tower."""
    data = json.loads((OUT / "texts.json").read_text())
    ours = released.embed_texts(data["held_english"], folder)
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
    english = released.embed_texts([pair[0] for pair in data["held_pairs"]], folder)
    japanese = released.embed_texts([pair[1] for pair in data["held_pairs"]], folder)
    hits = (japanese @ english.T).argmax(1) == np.arange(len(english))
    back = (english @ japanese.T).argmax(1) == np.arange(len(english))
    low, high = np.percentile(around, (2.5, 97.5))
    return {
        "spearman": [round(value, 4), round(float(low), 4), round(float(high), 4)],
        "ja_en_success@1": interval(hits.astype(float)),
        "en_ja_success@1": interval(back.astype(float)),
    }


def speeds() -> dict[str, dict[str, float]]:
    """Load times, milliseconds a query and images per second, beside a CLIP graph of the usual size (`rival.py`).

    The best of several runs, one encoder after the other in every round, because others use this machine.
    """
    ids, mask = text_tower.pad(
        text_tower.encode(Tokenizer.from_file(str(MODEL / "tokenizer.json")), ["hex flange bolt M8"])
    )
    query = {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
    pixels = np.ascontiguousarray(pictures.pixels("dev", pictures.SIZE)[:16])
    planes = np.zeros((16, 3, 256, 256), np.float32)
    clip = rival.folder()
    subjects = {
        MODEL.name: (MODEL, query, {"pixel_values": pixels}),
        "CLIP ViT-B/32-256 int8": (clip, {"input_ids": rival.query()}, {"pixel_values": planes}),
    }
    taken: dict[str, dict[str, list[float]]] = {name: {} for name in subjects}

    def clock(name: str, what: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        taken[name].setdefault(what, []).append(time.perf_counter() - start)
        return result

    for _ in range(6):
        for name, (folder, words, images) in subjects.items():
            one = {key: value[:1] for key, value in images.items()}
            text = clock(name, "text_session_ms", lambda f=folder: released.session(f / "text.onnx"))
            once = clock(name, "text_light_session_ms", lambda f=folder: _light(f / "text.onnx"))
            clock(name, "first_query_of_a_light_session_ms", lambda s=once, q=words: s.run(None, q))
            for _ in range(5):
                clock(name, "query_ms_of_a_light_session", lambda s=once, q=words: s.run(None, q))
            image = clock(name, "image_session_ms", lambda f=folder: released.session(f / "image.onnx", 2))
            text.run(None, words)
            image.run(None, one)
            for _ in range(5):
                clock(name, "query_ms_1_thread", lambda s=text, q=words: s.run(None, q))
                clock(name, "images_per_s_batch1_2_threads", lambda s=image, q=one: s.run(None, q))
            for _ in range(2):
                clock(name, "images_per_s_batch16_2_threads", lambda s=image, q=images: s.run(None, q))
    return {name: {what: _rate(what, min(times)) for what, times in one.items()} for name, one in taken.items()}


def _rate(what: str, seconds: float) -> float:
    images = 16 if "batch16" in what else 1
    return round(images / seconds, 1) if what.startswith("images") else round(seconds * 1e3, 2)


def _light(path: Path) -> onnxruntime.InferenceSession:
    """A session as the tool opens it for one query: nothing optimised or repacked."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def by_words(name: str, rows: list[dict[str, Any]], gallery: list[int], field: str) -> Questions:
    """One query per first name; every image that has it among its names answers."""
    queries = sorted({rows[number][field][0] for number in gallery if rows[number][field]})
    relevant = np.zeros((len(queries), len(gallery)), bool)
    for column, number in enumerate(gallery):
        for row, query in enumerate(queries):
            relevant[row, column] = query in rows[number][field]
    return Questions(name, queries, np.asarray(gallery, np.int64), relevant)


def _by_lexicon(name: str, rows: list[dict[str, Any]], gallery: list[int]) -> Questions:
    """Japanese terms of the lexicon whose English is a name of some image; those images answer."""
    translations: dict[str, set[str]] = {}
    for term in read_lexicon():
        for english in term.english:
            translations.setdefault(english.lower(), set()).add(term.japanese[0])
    asked: dict[str, set[int]] = {}
    for column, number in enumerate(gallery):
        for english in rows[number]["names"]:
            for japanese in translations.get(english.lower(), ()):
                asked.setdefault(japanese, set()).add(column)
    queries = sorted(asked)
    relevant = np.zeros((len(queries), len(gallery)), bool)
    for row, query in enumerate(queries):
        relevant[row, list(asked[query])] = True
    return Questions(name, queries, np.asarray(gallery, np.int64), relevant)


def _one_by_one(name: str, rows: list[dict[str, Any]], gallery: list[int]) -> Questions:
    """One query per caption; images with the same caption answer it too."""
    queries = list(dict.fromkeys(rows[number]["captions"][0] for number in gallery))
    answers = np.asarray([[query == rows[number]["captions"][0] for number in gallery] for query in queries], bool)
    return Questions(name, queries, np.asarray(gallery, np.int64), answers)


if __name__ == "__main__":
    run("choose" if "--choose" in sys.argv else "report")
