"""Accuracy of the rule for kinds (cmrcli/corpus/kinds.py) as confusion tables.

    python tests/bench/kinds.py [DATA] [OFFICE]

DATA (default ../shared/data/dev): pictures of known sorts in Parquet files. Needs pyarrow, which is no
dependency of cmrcli: run it where the training's packages are, with the repository root in PYTHONPATH. Each
picture belongs to one half by the SHA-1 of its id; weights and thresholds were chosen on half 0, the figures
to quote are those of half 1. Two sorts are listed but not counted: textbook figures (diagrams, photos and
both together) and circuit board images (labelled photos, but two-valued pictures of traces).

OFFICE (default ../shared/corpora/office): photos, DXF drawings and PDF pages, read by cmrcli's own readers.
Needs cmrcli's dependencies. PDF pages have no labels: their kinds are counted for information.

Either part is passed over, with a line saying so, where its data or packages are missing.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from cmrcli.corpus.items import ReaderItem
from cmrcli.corpus.kinds import classify
from cmrcli.errors import UnreadableFile

EXPECTED = {"icon": "drawing", "symbol": "drawing", "stencil": "drawing", "emoji": "drawing"}
EXPECTED |= {"photo": "photo", "product": "photo"}
COLUMNS = ("drawing", "photo", "page")
PAGES_PER_FILE = 3


def main(data: Path, office: Path) -> None:
    for half, counts in sorted(_data_counts(data).items()):
        print(f"half {half} of {data.name}: " + ("thresholds chosen here" if half == 0 else "to quote"))
        _print_table(counts)
        _print_accuracy(counts)
    counts = _office_counts(office)
    if counts:
        print(f"{office.name} (at most {PAGES_PER_FILE} pages a file)")
        _print_table(counts)


def _data_counts(folder: Path) -> dict[int, Counter[tuple[str, str]]]:
    """For each half: (sort, kind found) -> number of pictures."""
    try:
        import pyarrow.parquet as pq
    except ImportError:
        print("pyarrow is not installed: labelled pictures passed over")
        return {}
    counts: dict[int, Counter[tuple[str, str]]] = {0: Counter(), 1: Counter()}
    for path in sorted(folder.glob("*.parquet")):
        for row in pq.read_table(path, columns=["id", "kind", "image"]).to_pylist():
            sort = "board" if path.stem == "deeppcb" else row["kind"]
            half = int(hashlib.sha1(row["id"].encode()).hexdigest(), 16) % 2
            image = Image.open(io.BytesIO(row["image"]))
            counts[half][sort, classify(ReaderItem(None, image=image))] += 1
    return counts


def _office_counts(folder: Path) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        for item in _items(path):
            counts[path.suffix.lower(), classify(item)] += 1
    return counts


def _items(path: Path) -> Iterator[ReaderItem]:
    try:
        from cmrcli.corpus.readers import read

        yield from read(os.fsencode(path), count=PAGES_PER_FILE).items
    except (UnreadableFile, ImportError):
        return


def _print_table(counts: Counter[tuple[str, str]]) -> None:
    print(f"  {'':10}" + "".join(f"{kind:>9}" for kind in COLUMNS))
    for sort in sorted({sort for sort, _ in counts}):
        print(f"  {sort:10}" + "".join(f"{counts[sort, kind]:>9}" for kind in COLUMNS))


def _print_accuracy(counts: Counter[tuple[str, str]]) -> None:
    for wanted in ("drawing", "photo"):
        sorts = [sort for sort, kind in EXPECTED.items() if kind == wanted]
        right = sum(counts[sort, wanted] for sort in sorts)
        total = sum(n for (sort, _), n in counts.items() if sort in sorts)
        if total:
            print(f"  {wanted}: {right} of {total} right ({right / total:.3f})")


if __name__ == "__main__":
    shared = Path(__file__).parents[2].parent / "shared"
    folders = [Path(argument) for argument in sys.argv[1:]]
    main(*(folders + [shared / "data" / "dev", shared / "corpora" / "office"][len(folders) :]))
