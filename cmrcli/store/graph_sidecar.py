"""graph.json: what the graph beside it must be, written at build and compared before hnswlib sees the file.

Keys: FORMAT.md. Format 1, of early versions, did not say what was aimed at and what the build took.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from cmrcli.store import durable
from cmrcli.store.layout import GRAPH_SIDECAR

FORMAT = 2
METRIC = "ip"  # vectors are L2-normalised: the inner product is the cosine
TARGET_RECALL = 0.98  # unless the index has a setting of its own


@dataclass(frozen=True, slots=True)
class GraphExpectation:
    """What a segment knows of its graph without opening it."""

    dim: int
    rows: int
    encoder_digest: str


@dataclass(frozen=True, slots=True)
class GraphInfo:
    """What `graph.json` says.

    Attributes:
        ef: the smallest tried at which `recall` reached `target_recall`, else the largest tried.
        recall: ANN recall@10 at that `ef`, measured at build on made queries.
        sha256: hex, of the whole of graph.hnsw.
        target_recall: what `ef` was chosen for.
        build_s: seconds that the build took, choosing `ef` included; None in format 1.
        query_us: microseconds of one query at that `ef`, one thread, measured at build; None in format 1.
    """

    dim: int
    rows: int
    encoder_digest: str
    metric: str
    m: int
    ef_construction: int
    ef: int
    recall: float
    size_bytes: int
    sha256: str
    target_recall: float = TARGET_RECALL
    build_s: float | None = None
    query_us: float | None = None


def sidecar(path: Path) -> Path:
    """Where the description of a graph lies: graph.json beside graph.hnsw."""
    return path.with_name(GRAPH_SIDECAR)


def write_sidecar(info: GraphInfo, target: Path) -> None:
    """Writes the description, durably, in the place of another."""
    known = {name: value for name, value in dataclasses.asdict(info).items() if value is not None}
    document = {"format": FORMAT, **known}
    target.unlink(missing_ok=True)
    durable.write_file(target, [json.dumps(document, indent=1, sort_keys=True).encode("ascii") + b"\n"])


def read_sidecar(path: Path) -> GraphInfo:
    """What the description says.

    Raises:
        OSError: it is not there. ValueError: it is not what `write_sidecar`, of this or an earlier version, writes.
    """
    try:
        document = json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(document, dict) or document.pop("format", None) not in (1, FORMAT):
        raise ValueError(f"not of format 1 to {FORMAT}")
    types = {"dim": int, "rows": int, "m": int, "ef_construction": int, "ef": int, "size_bytes": int}
    types |= {"recall": float, "encoder_digest": str, "metric": str, "sha256": str}  # type: ignore[dict-item]
    for name, wanted in types.items():
        if type(document.get(name)) is not wanted:
            raise ValueError(f"{name} is not of type {wanted.__name__}")
    added = {name: document[name] for name in ("target_recall", "build_s", "query_us") if name in document}
    if not all(type(value) in (int, float) and 0 <= value < 1e12 for value in added.values()):
        raise ValueError(f"not numbers: {', '.join(added)}")
    return GraphInfo(**{name: document[name] for name in types}, **added)
