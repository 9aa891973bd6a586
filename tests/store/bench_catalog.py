"""What look-ups cost: python -m tests.store.bench_catalog [ITEMS] (default 100,000; about a minute a 100,000).

Builds a synthetic index in a temporary folder through the store's own functions: one page of some 600 characters a
file, Zipf-distributed words, vectors of dim 512. Prints milliseconds, first call and best of five.
"""

from __future__ import annotations

import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cmrcli.store import open_reader, open_writer
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.records import EncoderIdentity, Filter

DIM, BATCH, WORDS_A_PAGE, FILES_A_FOLDER = 512, 1_000, 75, 100
SYLLABLES: tuple[str, ...] = ("ba", "cor", "dex", "flan", "gear", "hex", "bolt", "pin", "shaft", "ring")
SYLLABLES += ("tor", "val", "ve", "nut", "plate", "mo", "re", "ti", "on", "al")


def build(folder: Path, items: int) -> None:
    """Commits as a run would; prints what a commit of 1,000 items takes."""
    chance, numbers = random.Random(0), np.random.default_rng(0)
    vocabulary = list(dict.fromkeys("".join(chance.choices(SYLLABLES, k=chance.randint(1, 3))) for _ in range(30_000)))
    share = 1 / np.arange(1, len(vocabulary) + 1)
    share /= share.sum()
    spent = 0.0
    with open_writer(folder, EncoderIdentity("bench", "0" * 64, DIM)) as writer:
        root = writer.add_root(b"/data")
        for start in range(0, items, BATCH):
            vectors = numbers.standard_normal((BATCH, DIM), dtype=np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            chosen = numbers.choice(len(vocabulary), size=(BATCH, WORDS_A_PAGE), p=share)
            batch = Batch()
            for n in range(start, start + BATCH):
                words = [vocabulary[i] for i in chosen[n - start]]
                text = f"{' '.join(words)} part A-{n:06d}-02 common" + (" 歯車の軸受け" if n % 10 == 0 else "")
                text += f" rare{n // 50}" if n % 7 == 0 else ""
                digest = hashlib.blake2b(str(n).encode(), digest_size=16).digest()
                item = NewItem(1, "page", "", words[0], 100, 100, text, [NewFragment("whole", vectors[n - start])])
                batch.contents.append(NewContent(digest, "pdf", [item]))
                name = f"file-{n:06d}_{words[1]}.pdf".encode()
                batch.files.append(FileUpdate(root.id, b"dir%05d" % (n // FILES_A_FOLDER), name, n, n, digest))
            begun = time.perf_counter()
            writer.commit(batch)
            spent += time.perf_counter() - begun
        begun = time.perf_counter()
        writer.maintain(graphs=False)
        print(f"commit of {BATCH} items {1000 * spent * BATCH / items:.0f} ms", end=", ")
        print(f"maintain {time.perf_counter() - begun:.1f} s")


def measure(name: str, call: Callable[[], object]) -> None:
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begun))
    print(f"{name:40s} {times[0]:8.1f} {min(times):8.1f}")


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "index")
        build(folder, items)
        print(f"{'':40s} {'first':>8s} {'best':>8s} ms")
        measure("open and close", lambda: open_reader(folder).close())
        with open_reader(folder) as reader:
            ids = random.Random(1).sample(range(1, items), 320)
            measure("fragments(320)", lambda: reader.fragments(ids))
            measure("places(20)", lambda: reader.places(ids[:20]))
            under = Filter(under=(b"/data/dir00007",))
            queries = [
                "rare77",
                "A-012345-02",
                "A 012345 02",
                "common",
                "common part",
                "hexflan bolt",
                "歯車",
                "軸",
                "02",
            ]
            queries += ["gear shaft plate ring", "a common hex bolt with flange and washer on the shaft", "file-012345"]
            for query in queries:
                measure(f"words {query}", lambda query=query: reader.words(query, 100))  # type: ignore[misc]
            measure("words common, under one folder", lambda: reader.words("common", 100, under))
            measure("fragment_ids, one folder", lambda: reader.fragment_ids(under))
            measure("fragment_ids, all of a kind", lambda: reader.fragment_ids(Filter(kinds=frozenset({"page"}))))
            measure(
                "fragment_ids, all of an extension", lambda: reader.fragment_ids(Filter(extensions=frozenset({"pdf"})))
            )
            (root,) = reader.roots()
            measure(
                "files_in, every folder", lambda: [reader.files_in(root.id, d) for d in reader.directories(root.id)]
            )
            measure(
                "stamps_in, every folder", lambda: [reader.stamps_in(root.id, d) for d in reader.directories(root.id)]
            )


if __name__ == "__main__":
    main()
