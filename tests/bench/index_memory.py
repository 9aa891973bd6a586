"""Peak memory of `cmrcli index`, parent and workers together: by number of photos, and with A0 scans at 600 dpi.

    cmrcli index FOLDER --index NEW --quiet      on 1,000 and 10,000 small photos (--full: 100,000), and on the scans

The tree of processes is sampled every 20 ms (tree_memory.py); the figure is the largest sum of proportional set
sizes. Photos: made_photos.py, seed 40; scans: made_scan.py, seed 50, one strip and many strips, alone in a folder
and together with photos, as a user has them.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.bench import made_photos, made_scan
from tests.bench.measure import CACHE, cmrcli
from tests.bench.record import Figure, Record
from tests.bench.tree_memory import Watched, watch

SIZES = (1_000, 10_000)
FULL_SIZE = 100_000
SMALL = (160, 120, 10.0)  # width, height, noise
MOST_GIB = 1.5
MOST_GROWTH = 1.10


def run(full: bool) -> Record:
    record = Record("index_memory", "cmrcli index FOLDER", made_photos.SEED)
    peaks: dict[int, int] = {}
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="memory-") as folder:
        for count in (*SIZES, FULL_SIZE) if full else SIZES:
            photos = made_photos.photos(count, *SMALL, parent=Path(folder))
            peaks[count] = _index(record, f"{count:,} photos", photos)
        scans = Path(folder, "scans")
        scans.mkdir()
        made_scan.scans(scans)
        _index(record, "two A0 scans", scans)
        mixed = Path(folder, "mixed")
        shutil.copytree(scans, mixed / "scans")
        (mixed / "photos").symlink_to(made_photos.photos(80, 4000, 3000, 10.0), target_is_directory=True)
        _index(record, "A0 scans among 12 MP photos", mixed)
    first, last = min(peaks), max(peaks)
    record.figures.append(
        Figure(f"peak for {last:,} photos / for {first:,}", peaks[last] / peaks[first], "x", at_most=MOST_GROWTH)
    )
    return record


def _index(record: Record, name: str, folder: Path) -> int:
    """Peak bytes of indexing the folder; adds its figure."""
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="memory-index-") as index:
        seen = watch(cmrcli("index", folder, "--index", Path(index, "index"), "--format", "json"))
    if seen.exit_code:
        raise RuntimeError(f"{name}: exit code {seen.exit_code}: {seen.stdout[-500:]!r}")
    record.figures.append(Figure(f"peak memory, {name}", seen.pss_bytes / 2**30, "GiB", at_most=MOST_GIB))
    record.samples[f"{name}"] = _sample(seen)
    return seen.pss_bytes


def _sample(seen: Watched) -> dict[str, float]:
    return {
        "rss_gib": seen.rss_bytes / 2**30,
        "processes": seen.processes,
        "samples": seen.samples,
        "wall_s": seen.wall_s,
    }
