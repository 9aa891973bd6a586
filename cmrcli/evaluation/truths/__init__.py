"""Ground truth in, one file a format: `read_truth` tells which it is and reads it.

Every mistake is refused with the file, the line where there are lines, and the way out; what a format leaves out by its
own rules is said in `Truth.notes`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.truth import Truth

KINDS = {
    "trec": "queries TSV and TREC qrels",
    "pairs": "CSV with the columns query and path",
    "karpathy": "Karpathy-split JSON (dataset_flickr30k.json, dataset_coco.json)",
    "classes": "a folder per class",
    "zeroshot": "a folder with classnames.txt, as CLIP_benchmark has it",
}
"""Kind -> what it is read from."""


def read_truth(
    paths: Sequence[str | os.PathLike[str]],
    kind: str = "",
    *,
    images: str | os.PathLike[str] | None = None,
    split: str = "",
    protocol: str = "",
    scratch: str | os.PathLike[str] | None = None,
) -> Truth:
    """The ground truth in files or a folder.

    Two files are queries and qrels, a folder with classnames.txt is `zeroshot`, another folder `classes`, a file
    `*.json` is `karpathy`, any other file `pairs`.

    Args:
        paths: what the user named.
        kind: one of KINDS, or "" to tell by the rule above.
        images, split, protocol: of `karpathy`; "" for the usual ("test", "auto").
        scratch: an existing folder for what has to be unpacked (`zeroshot`); it must outlive the evaluation.

    Raises:
        UsageError: nothing there, an unknown kind, paths or options that the kind does not take, or whatever is wrong
            in the files.
    """
    kind = kind_of(paths, kind)
    _check_options(kind, {"--images": images, "--split": split, "--folds": protocol})
    if kind == "trec":
        from cmrcli.evaluation.truths.trec import read_trec

        return read_trec(*paths)
    (path,) = paths
    if kind == "pairs":
        from cmrcli.evaluation.truths.pairs import read_pairs

        return read_pairs(path)
    if kind == "karpathy":
        from cmrcli.evaluation.truths.karpathy import read_karpathy

        return read_karpathy(path, images, split or "test", protocol or "auto")
    if not os.path.isdir(path):
        raise UsageError(f"{display_path(path)} is not a folder", f"name {KINDS[kind]}")
    if kind == "classes":
        from cmrcli.evaluation.truths.classes import read_classes

        return read_classes(path)
    from cmrcli.evaluation.truths.zeroshot import read_zeroshot

    return read_zeroshot(path, scratch)


def kind_of(paths: Sequence[str | os.PathLike[str]], kind: str = "") -> str:
    """The kind that the paths are read as; `kind` where it is given.

    Raises:
        UsageError: nothing is named or there, an unknown kind, or another number of paths than it is read from.
    """
    if not paths:
        raise UsageError("no ground truth is named", "name one: " + "; ".join(KINDS.values()))
    kind = kind or _detected(paths)
    if kind not in KINDS:
        raise UsageError(f"unknown kind of ground truth {kind!r}", "kinds: " + ", ".join(KINDS))
    wanted = 2 if kind == "trec" else 1
    if len(paths) != wanted:
        what = f"{kind} is read from {'two files' if wanted == 2 else 'one path'}, not {len(paths)}"
        raise UsageError(what, f"name {KINDS[kind]}")
    return kind


def _detected(paths: Sequence[str | os.PathLike[str]]) -> str:
    for path in paths:
        if not os.path.exists(path):
            raise UsageError(f"there is no {display_path(path)}", "check the path of the ground truth")
    if len(paths) == 2 and not any(os.path.isdir(path) for path in paths):
        return "trec"
    if len(paths) != 1:
        raise UsageError(f"{len(paths)} paths are no ground truth", "name one: " + "; ".join(KINDS.values()))
    if os.path.isdir(paths[0]):
        from cmrcli.evaluation.truths.zeroshot import CLASSNAMES

        return "zeroshot" if os.path.isfile(os.path.join(paths[0], CLASSNAMES)) else "classes"
    return "karpathy" if Path(paths[0]).suffix.lower() == ".json" else "pairs"


def _check_options(kind: str, options: dict[str, object]) -> None:
    given = [name for name, value in options.items() if value]
    if given and kind != "karpathy":
        raise UsageError(f"{kind} takes no {given[0]}", "that belongs to a Karpathy-split JSON")
