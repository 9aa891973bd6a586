"""Where training reads and writes, and the record of what each stage took and reached.

Everything a stage makes lies under `models/train/out/` (never committed). `record.json` there collects the
wall time and the figures of every stage; the model card is written from it.
"""

import ctypes
import fcntl
import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
OUT = HERE / "out"
DATA = Path(os.environ.get("CMRCLI_TRAINING_DATA", REPOSITORY.parent / "shared" / "data"))
LEXICON = REPOSITORY / "cmrcli" / "lexicon" / "terms.tsv"
MODEL = HERE.parent / "cmr-small-4"
CORES = len(os.sched_getaffinity(0))
SEED = 20261123
DIM = 384
CONTEXT = 64  # tokens a text may have, [CLS] and [SEP] included


def keep_memory() -> None:
    """Asks the C library to keep freed memory: handing it back page by page takes half of a training step."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in ((-4, 0), (-1, -1), (-2, 2**29)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
            mallopt(option, value)


def fraction(key: str, salt: str) -> float:
    """A number in [0, 1) that depends on the text alone: the same split on every machine and in every run."""
    digest = hashlib.sha1(f"{salt}\0{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def note(stage: str, **figures: Any) -> None:
    """Adds figures to the stage's entry in `record.json`."""
    path = OUT / "record.json"
    with (OUT / "record.lock").open("w") as lock:  # stages may run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = json.loads(path.read_text()) if path.exists() else {}
        record.setdefault(stage, {}).update(figures)
        beside = path.with_suffix(".tmp")
        beside.write_text(json.dumps(record, indent=1, ensure_ascii=False))
        beside.replace(path)


def recorded(stage: str) -> dict[str, Any]:
    """The figures noted for a stage; empty when it has not run."""
    path = OUT / "record.json"
    return dict(json.loads(path.read_text()).get(stage, {})) if path.exists() else {}


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Times a stage; a resumed stage adds up, also after it was terminated."""
    start = time.time()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"{name}: terminated"))
    log(f"{name}: started")
    try:
        yield
    finally:
        seconds = time.time() - start + recorded(name).get("seconds", 0.0)
        note(name, seconds=round(seconds, 1))
        log(f"{name}: {seconds:.0f} s so far")


def log(message: str) -> None:
    """One line with the time of day."""
    print(time.strftime("%H:%M:%S"), message, flush=True)


keep_memory()
