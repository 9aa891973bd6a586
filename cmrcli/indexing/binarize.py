"""Remakes the binary codes of an index, chosen and measured on its own vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cmrcli.calibration.null import Calibration
from cmrcli.codes.codebook import METHODS, Codebook
from cmrcli.codes.fitting import fit
from cmrcli.codes.quality import RecallTable, Trials
from cmrcli.codes.sampling import drawn
from cmrcli.codes.tuning import Tried, candidates, choose
from cmrcli.errors import EmbeddingError, UsageError
from cmrcli.indexing.journal import journaled

if TYPE_CHECKING:
    from cmrcli.store import Reader

AUTO = "auto"
CHOICES = (*METHODS, AUTO)
FIT_ROWS = 50_000  # the codebook of so many vectors is as good as that of all
AUTO_TARGET = 0.99
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class BinarizeOptions:
    """What codes are wanted.

    Attributes:
        method: one of CHOICES.
        bits: of a code; 0: one a dimension. `auto` chooses them itself.
        target_recall: ANN recall@k that must be reached on held-back vectors, and by generic texts where the index is
            calibrated, or nothing is changed. None: of `auto`
            AUTO_TARGET, of the others none.
        drop_vectors: keep the codes alone; there is no way back but indexing the folders again.
        dry_run: only measure.
    """

    method: str = "sign"
    bits: int = 0
    target_recall: float | None = None
    k: int = 10
    seed: int = 0
    drop_vectors: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class BinarizeReport:
    """What was done and what it costs.

    Attributes:
        codebook: None where nothing reached the target; the index is as it was then.
        rows: in all segments, those of removed files included until they are compacted away.
        vector_bytes_before, vector_bytes, code_bytes_before, code_bytes: on disk, of these rows.
        target_recall: what had to be reached; None: nothing.
        tried: what was decided from; empty where nothing had to be reached.
        recall: of the new codes; None without.
    """

    codebook: Codebook | None
    rows: int
    vector_bytes_before: int
    vector_bytes: int
    code_bytes_before: int
    code_bytes: int
    dry_run: bool
    target_recall: float | None
    k: int
    tried: tuple[Tried, ...]
    recall: RecallTable | None

    def to_json(self) -> dict[str, Any]:
        book, recall = self.codebook, self.recall
        return {
            "schema": SCHEMA,
            "type": "summary",
            "method": book.method if book else None,
            "bits": book.bits if book else None,
            "oversampling": book.oversampling.hamming if book else None,
            "rescored": book.oversampling.rescored if book else None,
            "rows": self.rows,
            "vector_bytes_before": self.vector_bytes_before,
            "vector_bytes": self.vector_bytes,
            "code_bytes_before": self.code_bytes_before,
            "code_bytes": self.code_bytes,
            "dry_run": self.dry_run,
            "k": self.k,
            "target_recall": self.target_recall,
            "queries": recall.queries if recall else None,
            "exact_us": round(recall.exact_microseconds, 1) if recall else None,
            "settings": [
                {
                    "oversampling": row.oversampling,
                    "rescored": row.rescored > 0,
                    "vectors_read": row.rescored,
                    "ann_recall": round(row.recall, 4),
                    "us": round(row.microseconds, 1),
                }
                for row in (recall.settings if recall else ())
            ],
            "tried": [
                {
                    "method": one.method,
                    "bits": one.bits,
                    "row_bytes": one.row_bytes,
                    "oversampling": one.oversampling.hamming,
                    "vectors_read": one.oversampling.rescored,
                    "chosen_recall": round(one.chosen_recall, 4),
                    "verified_recall": round(one.verified_recall, 4),
                    "reached": one.reached,
                }
                for one in self.tried
            ],
        }


def binarize(
    folder: Path,
    options: BinarizeOptions = BinarizeOptions(),
    lock_wait_s: float = 10.0,
    tell: Callable[[str, int], None] = lambda method, bits: None,
) -> BinarizeReport:
    """Fits or chooses a codebook for the vectors as they are now, measures it, and writes codes for every segment.

    The index answers with the old codes until one transaction switches it over; an interrupt before changes nothing.

    Args:
        tell: called with method and bits before each is tried.

    Raises:
        UsageError: a method, width or target that does not exist, or an index without vectors.
        EmbeddingError: fewer than two vectors. IndexMissing, IndexLocked, IndexDamaged.
    """
    from cmrcli.store import open_reader, open_writer

    if options.method not in CHOICES:
        raise UsageError(f"no method {options.method!r} makes codes", "methods: " + ", ".join(CHOICES))
    if options.method == AUTO and options.bits:
        raise UsageError("--method auto chooses the bits itself", "leave out --bits, or name a method")
    target = options.target_recall
    if options.method == AUTO and target is None:
        target = AUTO_TARGET
    with open_reader(folder) as reader:
        identity = reader.encoder
        parts = [(s.vectors, s.dead) for s in reader.segments]
        try:
            trials = Trials(parts, k=options.k, seed=options.seed, texts=_generic_texts(reader))
        except EmbeddingError:
            raise EmbeddingError(
                "the index holds fewer than two vectors", "index some files first: cmrcli index FOLDER"
            ) from None
        codebook, tried = _codebook(trials, options, target, tell)
        recall = None if codebook is None else _table(trials, codebook, options)
        rows, vector_bytes, code_bytes = _sizes(reader)
    if codebook is not None and not options.dry_run:
        with open_writer(folder, identity, lock_wait_s) as writer, journaled(writer, "binarize") as summary:
            writer.rewrite_codes(codebook, drop_vectors=options.drop_vectors)
            summary |= {"method": codebook.method, "bits": codebook.bits, "vectors_dropped": options.drop_vectors}
    return BinarizeReport(
        codebook=codebook,
        rows=rows,
        vector_bytes_before=vector_bytes,
        vector_bytes=0 if options.drop_vectors and codebook is not None else vector_bytes,
        code_bytes_before=code_bytes,
        code_bytes=code_bytes if codebook is None else rows * codebook.row_bytes,
        dry_run=options.dry_run,
        target_recall=target,
        k=trials.k,
        tried=tried,
        recall=recall,
    )


def _generic_texts(reader: Reader) -> NDArray[np.float32] | None:
    """(t, dim) the generic queries of the calibration; None where there is none.

    Vectors of the index alone would not do as queries: they say nothing of how well texts find pictures.
    """
    data = reader.calibration()
    return None if data is None else Calibration.from_bytes(data).bank


def _codebook(
    trials: Trials, options: BinarizeOptions, target: float | None, tell: Callable[[str, int], None]
) -> tuple[Codebook | None, tuple[Tried, ...]]:
    # Of the rows that are searched, so that the held-back queries are as new to the codebook as a user's are.
    sample = trials.rows.take(drawn(len(trials.rows), FIT_ROWS, options.seed))
    if target is None:
        tell(options.method, options.bits or trials.rows.dim)
        return fit(options.method, sample, options.bits, options.seed), ()
    among = candidates(trials.rows.dim)
    if options.method != AUTO:
        among = [(options.method, options.bits or trials.rows.dim)]
    choice = choose(trials, sample, target, among, options.seed, rescoring=not options.drop_vectors, tell=tell)
    return choice.codebook, choice.tried


def _table(trials: Trials, codebook: Codebook, options: BinarizeOptions) -> RecallTable:
    return trials.table(codebook, codebook.oversampling, rescoring=not options.drop_vectors)


def _sizes(reader: Reader) -> tuple[int, int, int]:
    """Rows, bytes of their vectors, bytes of their codes with what is kept beside these."""
    segments = reader.segments
    codes = sum(s.codes.nbytes + (0 if s.factors is None else s.factors.nbytes) for s in segments)
    return sum(len(s.rows) for s in segments), sum(s.vectors.nbytes for s in segments), codes
