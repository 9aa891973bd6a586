"""What an evaluation says, as plain data; `Evaluation.to_json` documents the fields.

A report has rows: one part of the truth asked of one system in one mode. Everything after the measuring (requirements,
recommendation, comparison, history, plots, sheets) reads rows and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Interval:
    """A measure over all queries (their mean, of ranks their median), with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of single queries.

    Attributes:
        p50_ms, p95_ms, p99_ms: percentiles over the queries (linear between neighbours; with few of them p99 is
            little else than the slowest).
        queries: measured.
        queries_per_s: one after the other, from the same times.
    """

    p50_ms: float
    p95_ms: float
    p99_ms: float
    queries: int
    queries_per_s: float


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
class Cost:
    """What one mode costs; None where it was not measured or means nothing.

    Attributes:
        warm: of `search` in an open index, results with paths included; the time of a query is the median of its
            repeats.
        cold: wall time of a fresh process from its start to its end, with a warm page cache.
        bytes_per_item: of the files that the mode reads, over all items of the index.
        resident: memory of a process of its own.
        build_s: seconds to make what the mode needs beyond the vectors (codes, graph), measured again now, or as
            noted when it was built.
    """

    warm: Latency | None = None
    cold: Latency | None = None
    bytes_per_item: float | None = None
    resident: Resident | None = None
    build_s: float | None = None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """The main measures of the queries of one group.

    `gap`: the mean of the first measure less that of all other queries, with its interval; None where there are no
    others.
    """

    queries: int
    measures: dict[str, Interval]
    gap: Interval | None


@dataclass(frozen=True, slots=True)
class Hub:
    """An item that turns up in the first places of many queries.

    `queries`: in how many it is among the first k; `relevant`: in how many of those rightly.
    """

    document: str
    queries: int
    relevant: int


@dataclass(frozen=True, slots=True)
class Balance:
    """Which groups are served worse, and which items crowd out others.

    Attributes:
        groups: breakdown ("kind", "language" ...) -> group -> row.
        hubs: items that are among the first k of the most queries, most first.
        k: places looked at for hubs.
        skewness: of the k-occurrence distribution (Radovanovic et al. 2010, JMLR 11): 0 is even, above 1 hubs
            dominate; None for fewer than 3 documents.
        folded: breakdown -> groups of too few queries that are shown as one, "(other)".
    """

    groups: dict[str, dict[str, GroupRow]]
    hubs: tuple[Hub, ...]
    k: int
    skewness: float | None
    folded: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One part of the truth asked of one system in one mode.

    Attributes:
        part: name of the part of the truth, "" where there is one only.
        system: what answered: "index", "encoder", or the name of a run file.
        mode: as `search --mode` has it; "run" for a run file.
        measures: in the order of the report; the first counts most.
        macro: the same, as means over the groups that the part names (classes), each group counting the same; {}
            where it names none.
        ann_recall: depth -> share of the exact mode's first `depth` that this mode found; None where the mode
            approximates nothing or no exact mode ran.
        curve: precision at recall 0, 0.1 ... 1, interpolated and averaged over the queries as TREC does.
        unanswered: queries that the mode cannot take (words of a picture); they count as finding nothing.
        notes: what went wrong beside the answers, one line each.
        per_query: query id -> measure -> value; {} where a document was read that leaves queries out.
    """

    part: str
    system: str
    mode: str
    queries: int
    measures: dict[str, Interval]
    macro: dict[str, float] = field(default_factory=dict)
    ann_recall: dict[int, float] | None = None
    curve: tuple[float, ...] = ()
    cost: Cost = Cost()
    balance: Balance | None = None
    unanswered: int = 0
    notes: tuple[str, ...] = ()
    per_query: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How a table calls the row: part, system and mode as far as they say something."""
        system = self.mode if self.system == "index" else f"{self.system} {self.mode}".strip()
        return f"{self.part}: {system}" if self.part else system


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and with what the figures were made. Fields of what did not take part are empty."""

    started_utc: str
    cpu: str
    cores: int
    threads: int
    system: str
    python: str
    versions: dict[str, str]
    encoder: str = ""
    encoder_digest: str = ""
    dim: int = 0
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of the protocol and what came out.

    Attributes:
        truth: kind of the ground truth.
        sources: file -> SHA-256 of what the truth was read from.
        main: the measure that counts most.
        k: results asked for a query.
        repeats, seed: timed repeats of each query; seed of bootstrap, randomisation and samples.
        queries, judgements, relevant: of all parts; relevant: judgements with a grade above 0.
        absent: relevant documents that the system cannot find, because it does not hold them. They count as not
            found.
        index: its folder; "" without one.
        items, bytes_by_part: of the index; 0 and {} without one.
    """

    truth: str
    sources: dict[str, str]
    main: str
    k: int
    repeats: int
    seed: int
    queries: int
    judgements: int
    relevant: int
    absent: tuple[str, ...]
    index: str
    items: int
    bytes_by_part: dict[str, int]
    environment: Environment
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def to_json(self, per_query: bool = False) -> dict[str, Any]:
        """One JSON-ready document: the fields of this class and those above by their names, plus `schema` and `type`.

        Fields get added, never renamed. `per_query` of the rows only when asked for. `from_json` reads it back.
        """
        document = {"schema": SCHEMA, "type": "evaluation", **dataclasses.asdict(self)}
        for row in document["rows"]:
            if not per_query:
                del row["per_query"]
        return document

    @classmethod
    def from_json(cls, document: object) -> Evaluation:
        """The evaluation that `to_json` made the document of; `per_query` is empty where it was left out.

        Raises:
            ValueError: it is none, one of a newer schema, or damaged; the message names the field.
        """
        from cmrcli.evaluation.read_back import read_back

        if not isinstance(document, dict) or document.get("type") != "evaluation":
            raise ValueError("it is no evaluation")
        schema = document.get("schema")
        if type(schema) is not int or not 1 <= schema <= SCHEMA:
            raise ValueError(f"it has schema {schema!r}, and this version of cmrcli knows up to {SCHEMA}")
        return read_back(cls, document)
