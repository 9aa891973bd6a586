"""Throughput of `cmrcli index` on JPEGs, small and of 12 megapixels, against a bare pipeline with the same workers.

    cmrcli index FOLDER --index NEW --quiet
    python -m tests.bench.bare_pipeline FOLDER WORKERS          (the floor: decode, resize, encode; nothing kept)

Photos are made by code (made_photos.py, seed 40). Whole processes take turns, on all photos and on a few of them:
"throughput" is photos by wall time, start-up included; "without start-up" is the photos between the two sizes by
the time between them, of the medians.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from cmrcli.indexing.run import usable_cpus
from tests.bench import made_photos
from tests.bench.measure import CACHE, Timing, cmrcli, percentiles, python
from tests.bench.measure import run as run_once
from tests.bench.record import Figure, Record

SETS = {"500x400": (400, 500, 400, 18.0), "12 MP": (80, 4000, 3000, 10.0)}  # name -> count, width, height, noise
FEW = 16
ROUNDS = 3
LEAST = 0.85


def run(full: bool) -> Record:
    record = Record("index_photos", "cmrcli index FOLDER", made_photos.SEED)
    for name, (count, width, height, noise) in SETS.items():
        many = made_photos.photos(count, width, height, noise)
        few = made_photos.photos(FEW, width, height, noise)
        record.details[f"mean KB, {name}"] = round(_bytes(many) / count / 1000)
        wall_s = _measure(record, name, few, many)
        ours, bare = wall_s["cmrcli"], wall_s["bare"]
        record.figures += [
            Figure(f"throughput / bare pipeline, {name}", bare[1] / ours[1], "x", at_least=LEAST),
            Figure(f"the same without start-up, {name}", (bare[1] - bare[0]) / (ours[1] - ours[0]), "x"),
            Figure(f"photos a second, {name}", count / ours[1], "/s"),
        ]
    return record


def _measure(record: Record, name: str, few: Path, many: Path) -> dict[str, tuple[float, float]]:
    """Median seconds of each pipeline for the few and the many photos."""
    timings: dict[tuple[str, Path], list[Timing]] = {
        (who, what): [] for who in ("cmrcli", "bare") for what in (few, many)
    }
    workers = str(min(4, usable_cpus()))  # as many as cmrcli takes
    for number in range(ROUNDS + 1):
        for who, what in timings:
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="photos-index-") as index:
                ours = cmrcli("index", what, "--index", Path(index, "index"), "--quiet")
                timing = run_once(ours if who == "cmrcli" else python("-m", "tests.bench.bare_pipeline", what, workers))
            if number:  # the first round warms the page cache
                timings[who, what].append(timing)
    medians: dict[str, tuple[float, float]] = {}
    for who in ("cmrcli", "bare"):
        wall_s = [[timing.wall_s for timing in timings[who, what]] for what in (few, many)]
        medians[who] = (statistics.median(wall_s[0]), statistics.median(wall_s[1]))
        record.samples[f"{who}, {name}, few"] = percentiles(wall_s[0])
        record.samples[f"{who}, {name}, all"] = percentiles(wall_s[1])
    return medians


def _bytes(folder: Path) -> int:
    return sum(os.path.getsize(os.path.join(where, file)) for where, _, files in os.walk(folder) for file in files)
