"""Remakes the binary codes of an index and measures what they cost, on its own vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cmrcli.codes.fitting import fit_sign
from cmrcli.codes.quality import RecallTable, ann_recall
from cmrcli.codes.sampling import sample_rows
from cmrcli.errors import EmbeddingError
from cmrcli.indexing.journal import journaled

if TYPE_CHECKING:
    from cmrcli.store import Reader

FIT_ROWS = 100_000  # the mean of so many vectors is as good as that of all
MEASURE_ROWS = 100_000
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class BinarizeReport:
    """What was done and what it costs.

    Attributes:
        rows: in all segments, those of removed files included until they are compacted away.
        vector_bytes, code_bytes: on disk, of these rows.
        recall: ANN recall of the new codes on held-back vectors of the index itself.
    """

    method: str
    bits: int
    rows: int
    vector_bytes: int
    code_bytes_before: int
    code_bytes: int
    dry_run: bool
    recall: RecallTable

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "type": "summary",
            "method": self.method,
            "bits": self.bits,
            "rows": self.rows,
            "vector_bytes": self.vector_bytes,
            "code_bytes_before": self.code_bytes_before,
            "code_bytes": self.code_bytes,
            "dry_run": self.dry_run,
            "k": self.recall.k,
            "queries": self.recall.queries,
            "exact_us": round(self.recall.exact_microseconds, 1),
            "settings": [
                {
                    "oversampling": row.oversampling,
                    "rescored": row.rescored,
                    "ann_recall": round(row.recall, 4),
                    "us": round(row.microseconds, 1),
                }
                for row in self.recall.settings
            ],
        }


def binarize(
    folder: Path, k: int = 10, seed: int = 0, dry_run: bool = False, lock_wait_s: float = 10.0
) -> BinarizeReport:
    """Fits a sign codebook to the vectors as they are now, writes codes for every segment, measures them.

    The index answers with the old codes until one transaction switches it over.

    Raises:
        EmbeddingError: fewer than two vectors. IndexMissing, IndexLocked, IndexDamaged.
    """
    from cmrcli.store import open_reader, open_writer

    with open_reader(folder) as reader:
        identity = reader.encoder
        parts = [(segment.vectors, segment.dead) for segment in reader.segments]
        sample = sample_rows(parts, FIT_ROWS, seed)
        if len(sample) < 2:
            raise EmbeddingError(
                "the index holds fewer than two vectors", "index some files first: cmrcli index FOLDER"
            )
        codebook = fit_sign(sample)
        recall = ann_recall(sample_rows(parts, MEASURE_ROWS, seed + 1), codebook, k=k, seed=seed)
        rows, vector_bytes, before = _sizes(reader)
    if not dry_run:
        with open_writer(folder, identity, lock_wait_s) as writer, journaled(writer, "binarize") as summary:
            writer.rewrite_codes(codebook)
            summary |= {"method": codebook.method, "bits": codebook.bits}
    return BinarizeReport(
        codebook.method, codebook.bits, rows, vector_bytes, before, rows * codebook.words * 8, dry_run, recall
    )


def _sizes(reader: Reader) -> tuple[int, int, int]:
    """Rows, bytes of their vectors, bytes of their codes."""
    rows = sum(len(s.rows) for s in reader.segments)
    return rows, sum(s.vectors.nbytes for s in reader.segments), sum(s.codes.nbytes for s in reader.segments)
