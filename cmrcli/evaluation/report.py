"""What an evaluation says, as plain data; `Evaluation.to_json` documents the fields."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Interval:
    """A measure, which is the mean over the queries, with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Resident:
    """What a process of its own took to open the index and answer queries of one mode.

    Attributes:
        peak_bytes: most memory resident at any time: libraries, encoder, and the pages of the index it
            touched.
        private_bytes: at the end, without pages of files, which the system takes back when it needs them;
            None where the system does not say (only Linux does).
        first_query_ms: from the start of opening the index (after importing cmrcli) to the first answer: the
            encoder's loading is in it, Python's start is not.
        queries: answered in that process.
    """

    peak_bytes: int
    private_bytes: int | None
    first_query_ms: float
    queries: int


@dataclass(frozen=True, slots=True)
class ModeReport:
    """Accuracy and cost of one mode.

    Attributes:
        measures: by name, as `measures.measures_of(k)` defines them.
        ann_recall: share of the exact mode's results that this mode found, for modes that approximate it.
        p50_ms, p95_ms: warm milliseconds of single queries through `index.search`, results with paths
            included. The time of a query is the median of its repeats; the percentiles are over the queries.
        queries_per_s: one after the other, from the same times.
        bytes_per_item: of the files that the mode reads, over all items of the index.
        resident: memory of a process of its own; None when it was not measured.
        unanswered: queries that the mode cannot take (words of a picture); they count as finding nothing.
        notes: what went wrong beside the answers, one line each.
        per_query: query id -> measure -> value.
    """

    mode: str
    measures: dict[str, Interval]
    ann_recall: float | None
    p50_ms: float
    p95_ms: float
    queries_per_s: float
    bytes_per_item: float
    resident: Resident | None
    unanswered: int
    notes: tuple[str, ...]
    per_query: dict[str, dict[str, float]]

    @property
    def resident_bytes(self) -> int | None:
        """Peak memory of a process that answers in this mode; None when it was not measured."""
        return None if self.resident is None else self.resident.peak_bytes


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and with what the figures were made."""

    started_utc: str
    cpu: str
    cores: int
    system: str
    python: str
    versions: dict[str, str]
    encoder: str
    encoder_digest: str
    dim: int
    generation: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of `evaluate`: the protocol it followed and what came out for every mode.

    Attributes:
        absent: relevant documents whose file the index does not hold. They count as not found.
    """

    k: int
    repeats: int
    seed: int
    queries: int
    judgements: int
    relevant: int
    absent: tuple[str, ...]
    items: int
    bytes_by_part: dict[str, int]
    environment: Environment
    modes: tuple[ModeReport, ...]

    def to_json(self, per_query: bool = False) -> dict[str, Any]:
        """One JSON-ready document. Fields get added, never renamed.

        | field | meaning |
        |---|---|
        | `schema`, `type` | 1, `"evaluation"` |
        | `k`, `repeats`, `seed` | results asked for a query, timed repeats of each, seed of the bootstrap |
        | `queries`, `judgements`, `relevant` | in the ground truth; relevant: judgements with a grade above 0 |
        | `absent` | relevant documents whose file the index does not hold; they count as not found |
        | `items`, `bytes_by_part` | of the index; parts: catalog, vectors, codes, rows, graphs, other |
        | `environment` | `started_utc`, `cpu`, `cores`, `system`, `python`, `versions`, `encoder`, `encoder_digest`, `dim`, `generation` |
        | `modes[]` | one object a mode, in the order asked for |
        | `modes[].mode` | `exact`, `codes`, `graph`, `words`, `vectors` or `auto` |
        | `modes[].measures` | name -> `value`, `low`, `high` (95 % bootstrap interval over queries) |
        | `modes[].ann_recall` | share of the exact mode's results found; null where the mode approximates nothing |
        | `modes[].p50_ms`, `modes[].p95_ms` | warm latency of single queries, percentiles over queries |
        | `modes[].queries_per_s` | one after the other |
        | `modes[].bytes_per_item` | bytes on disk that the mode reads, an item of the index |
        | `modes[].resident_bytes` | peak memory of a process of its own in this mode; null when not measured |
        | `modes[].resident` | more of that process: `peak_bytes`, `private_bytes`, `first_query_ms`, `queries` ; or null |
        | `modes[].unanswered` | queries that the mode cannot take; they count as having found nothing |
        | `modes[].notes` | what went wrong beside the answers |
        | `modes[].per_query` | query id -> measure -> value; only when asked for |
        """  # noqa: E501  (a table for the docs)
        document = {"schema": SCHEMA, "type": "evaluation", **dataclasses.asdict(self)}
        document["modes"] = [dataclasses.asdict(mode) | {"resident_bytes": mode.resident_bytes} for mode in self.modes]
        document["absent"] = list(self.absent)
        for mode in document["modes"]:
            mode["notes"] = list(mode["notes"])
            if not per_query:
                del mode["per_query"]
        return document
