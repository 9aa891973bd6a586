"""Karpathy-split JSON (dataset_flickr30k.json, dataset_coco.json): captions find their image, images their captions.

Protocols, as papers name them:

* whole: every image of the split is in the gallery. Flickr30k's 1,000 test images; COCO's "5K".
* 1k-5fold: COCO's "1K". The 5,000 test images in the order of the file make five folds of 1,000; every query is asked
  of its own fold. Folds have as many images each, so the mean over all queries is the average of the folds (but for
  images with fewer captions than five); a median rank is that over all queries, where papers average five medians.

The first five captions of an image count; some of COCO's have more. Papers print success@k as R@k: a query counts once
any right answer is among the first k. recall@k, the share of all right answers, is another figure for images, which
have five captions each.

Source: Karpathy & Fei-Fei 2015, arXiv:1412.2306 (split and protocols).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.truth import Gallery, Part, Topic, Truth
from cmrcli.evaluation.truths.groups import groups_of
from cmrcli.evaluation.truths.lines import PathLike, unreadable
from cmrcli.searching.query import IMAGE_PREFIX

PROTOCOLS = ("auto", "whole", "1k-5fold")
CAPTIONS = 5
FOLDS = 5
FOLD_IMAGES = 1_000
MEASURES = ("success@1", "success@5", "success@10", "median-rank")
SHOWN = 3  # files that an error names

_SHAPE = 'it should look like {"images": [{"filename": ..., "split": ..., "sentences": [{"raw": ...}]}]}'


def read_karpathy(path: PathLike, images: PathLike | None = None, split: str = "test", protocol: str = "auto") -> Truth:
    """Parts "text -> image" and "image -> text"; their names say which protocol where both are asked.

    Args:
        path: the JSON file.
        images: the folder of the pictures, with or without COCO's `filepath` between; None: where the JSON lies.
        split: images of which `split` are asked.
        protocol: one of PROTOCOLS; "auto" is the whole split, and for 5,000 images the five folds too.

    Raises:
        UsageError: unreadable file, bad JSON (with line and column), an image without name or caption, twice or
            missing, no image of the split, or not 5,000 for the five folds.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"unknown protocol {protocol!r}", "protocols: " + ", ".join(PROTOCOLS))
    entries = _entries(path)
    chosen = [(n, entry) for n, entry in enumerate(entries) if entry.get("split") == split]
    if not chosen:
        there = ", ".join(
            f"{display_path(name)} ({n:,})" for name, n in sorted(Counter(str(e.get("split")) for e in entries).items())
        )
        raise UsageError(
            f"{display_path(path)} has no image of the split {split!r}", f"splits there: {there or 'none'}"
        )
    folder = Path(os.path.abspath(images if images is not None else Path(path).parent))
    pictures, cut = _pictures(path, chosen, folder)
    foldable = len(pictures) == FOLDS * FOLD_IMAGES
    if protocol == "1k-5fold" and not foldable:
        raise UsageError(
            f"{display_path(path)}: {len(pictures):,} images of the split {split!r} make no {FOLDS} folds of"
            f" {FOLD_IMAGES:,}",
            "ask for the whole: --folds whole",
        )
    parts: list[Part] = []
    if protocol != "1k-5fold":
        parts += _parts(pictures, folder, ", whole" if protocol == "auto" and foldable else "", folded=False)
    if protocol != "whole" and foldable:
        parts += _parts(pictures, folder, ", 1k five folds", folded=True)
    return Truth("karpathy", tuple(parts), (Path(os.path.abspath(path)),), _notes(pictures, cut, folder))


@dataclass(frozen=True, slots=True)
class _Picture:
    path: str
    captions: tuple[str, ...]


def _entries(path: PathLike) -> list[dict[str, object]]:
    try:
        document = json.loads(Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{display_path(path)} is not UTF-8: byte {error.start:,}", "save it as UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"{display_path(path)}:{error.lineno}:{error.colno}"
        raise UsageError(f"{where}: bad JSON: {error.msg}", "get the file again, or correct it there") from None
    except RecursionError:
        raise UsageError(f"{display_path(path)}: JSON nested too deep", _SHAPE) from None
    except ValueError as error:  # Python's own, for numbers of thousands of digits
        raise UsageError(f"{display_path(path)}: bad JSON: {error}", _SHAPE) from None
    entries = document.get("images") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f'{display_path(path)}: no list "images" of objects', _SHAPE)
    return entries


def _pictures(
    path: PathLike, chosen: Sequence[tuple[int, dict[str, object]]], folder: Path
) -> tuple[list[_Picture], int]:
    """The pictures of the split in the order of the file, and how many of them lost captions."""
    pictures: list[_Picture] = []
    missing: list[str] = []
    places: dict[str, int] = {}
    cut = 0
    for number, entry in chosen:
        where = f"{display_path(path)}: images[{number}]"
        names = _names(where, entry)
        found = next((at for name in names if os.path.isfile(at := os.path.join(folder, name))), None)
        captions = _captions(where, entry)
        if found is None:
            missing.append(names[0])
            continue
        if found in places:
            what = f"{where}: {display_path(names[0])} is images[{places[found]}] already"
            raise UsageError(what, "keep one of the two")
        places[found] = number
        pictures.append(_Picture(found, captions[:CAPTIONS]))
        cut += len(captions) > CAPTIONS
    if missing:
        shown = ", ".join(display_path(name) for name in missing[:SHOWN]) + (" ..." if len(missing) > SHOWN else "")
        what = f"{len(missing):,} of {len(chosen):,} pictures are not in {display_path(folder)}: {shown}"
        raise UsageError(what, "--images DIR with the folder that holds them")
    return pictures, cut


def _names(where: str, entry: dict[str, object]) -> list[str]:
    """Where below the folder the picture may lie."""
    name, between = entry.get("filename"), entry.get("filepath", "")
    if not isinstance(name, str) or not name or not isinstance(between, str):
        raise UsageError(f"{where}: no filename", _SHAPE)
    names = [os.path.join(between, name), name] if between else [name]
    for one in names:
        if os.path.isabs(one) or os.pardir in one.split("/") or "\0" in one:
            raise UsageError(f"{where}: {display_path(one)} leads out of the folder", "name files below --images DIR")
    return names


def _captions(where: str, entry: dict[str, object]) -> tuple[str, ...]:
    sentences = entry.get("sentences")
    if not isinstance(sentences, list) or not sentences:
        raise UsageError(f"{where}: no sentences", "every image of the split needs a caption")
    captions = []
    for sentence in sentences:
        raw = sentence.get("raw") if isinstance(sentence, dict) else None
        text = " ".join(raw.split()) if isinstance(raw, str) else ""
        if not text:
            raise UsageError(f'{where}: a sentence without "raw"', _SHAPE)
        if text.startswith(IMAGE_PREFIX):
            raise UsageError(f"{where}: a caption begins with {IMAGE_PREFIX}, which asks by example", "reword it")
        captions.append(text)
    return tuple(captions)


def _parts(pictures: Sequence[_Picture], folder: Path, suffix: str, *, folded: bool) -> list[Part]:
    """Both directions. Image n is the topic `n`; its caption m the topic and the document `n.m`; both count from 1."""
    fold_of = [n // FOLD_IMAGES if folded else None for n in range(len(pictures))]
    by_text: list[Topic] = []
    by_image: list[Topic] = []
    text_qrels: dict[str, dict[str, int]] = {}
    image_qrels: dict[str, dict[str, int]] = {}
    texts: list[str] = []
    for n, (picture, fold) in enumerate(zip(pictures, fold_of, strict=True)):
        ids = [f"{n + 1}.{m}" for m in range(1, len(picture.captions) + 1)]
        for name, caption in zip(ids, picture.captions, strict=True):
            by_text.append(Topic(name, caption, groups_of(caption), fold=fold))
            text_qrels[name] = {picture.path: 1}
        line = IMAGE_PREFIX + picture.path
        by_image.append(Topic(str(n + 1), line, groups_of(line), fold=fold))
        image_qrels[str(n + 1)] = dict.fromkeys(ids, 1)
        texts += ids
    documents = tuple(picture.path for picture in pictures)
    lines = tuple((IMAGE_PREFIX + document,) for document in documents)
    images = Gallery(documents, lines, _folds(fold_of))
    captions = Gallery(
        tuple(texts),
        tuple((caption,) for picture in pictures for caption in picture.captions),
        _folds([fold for picture, fold in zip(pictures, fold_of, strict=True) for _ in picture.captions]),
    )
    under = None if folded else folder
    return [
        Part(f"text -> image{suffix}", tuple(by_text), text_qrels, images, under, MEASURES),
        Part(f"image -> text{suffix}", tuple(by_image), image_qrels, captions, None, MEASURES),
    ]


def _folds(folds: Sequence[int | None]) -> tuple[int, ...] | None:
    found = tuple(fold for fold in folds if fold is not None)
    return found if len(found) == len(folds) else None


def _notes(pictures: Sequence[_Picture], cut: int, folder: Path) -> tuple[str, ...]:
    notes = ["success@k is what papers print as R@k; recall@k is the share of all right answers"]
    if cut:
        notes.append(f"{cut:,} images have more than {CAPTIONS} captions: the first {CAPTIONS} count")
    fewer = sum(len(picture.captions) < CAPTIONS for picture in pictures)
    if fewer:
        notes.append(f"{fewer:,} images have fewer than {CAPTIONS} captions")
    notes.append(
        f"an index is asked with all that it holds: figures are the protocol's where that is the {len(pictures):,}"
        f" pictures of the split in {display_path(folder)}"
    )
    return tuple(notes)
