"""Asking the vectors of an index: candidates by the way of the plan, and what their similarities are worth."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cmrcli.searching import plan as plans
from cmrcli.searching.answer import Explanation, tell_all
from cmrcli.searching.estimates import GraphFile, Held

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.calibration.null import Calibration
    from cmrcli.searching.assembly import Wanted
    from cmrcli.searching.candidates import Candidates
    from cmrcli.store import Reader
    from cmrcli.store.graph import Graph, GraphExpectation


class VectorSignal:
    """The segments of one open index, with what is read of it once: graphs and calibration.

    Attributes:
        living: fragments that are not dead.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.living = sum(
            len(segment.rows) - (0 if segment.dead is None else int(segment.dead.sum())) for segment in reader.segments
        )
        self._graphs: dict[str, Graph] | None = None  # by segment, once they are loaded
        self._described: tuple[GraphFile, ...] | None = None
        self._calibration: Calibration | None = None
        self._calibration_read = False

    @property
    def codes_only(self) -> bool:
        """Whether the vectors were dropped."""
        return any(segment.kept_vectors is None for segment in self._reader.segments)

    def held(self, graphs: bool) -> Held:
        """What there is to search, for the planner.

        Args:
            graphs: look for those that are not loaded too; one query alone is answered before a graph is read.
        """
        segments, codebook = self._reader.segments, self._reader.codebook
        return Held(
            living=self.living,
            rows=sum(len(segment.rows) for segment in segments),
            segments=len(segments),
            dim=self._reader.encoder.dim,
            bits=0 if codebook is None else codebook.bits,
            codes_only=self.codes_only,
            graphs=self._graph_files() if graphs or self._graphs is not None else (),
        )

    def _graph_files(self) -> tuple[GraphFile, ...]:
        if self._graphs is not None:
            infos = [graph.info for graph in self._graphs.values()]
            return tuple(GraphFile(info.rows, 0, info.ef, info.query_us) for info in infos)
        if self._described is None:
            from cmrcli.store.graph import available, described

            found = []
            for path, expect in self._graph_paths() if available() else ():
                info = described(path, expect)
                if info is not None:
                    found.append(GraphFile(info.rows, info.size_bytes, info.ef, info.query_us))
            self._described = tuple(found)
        return self._described

    @property
    def calibration(self) -> Calibration | None:
        """What chance scores in this index; None where that is not known. Read when first needed."""
        if not self._calibration_read:
            self._calibration_read = True
            data = self._reader.calibration()
            if data is not None:
                from cmrcli.calibration.null import Calibration

                self._calibration = Calibration.from_bytes(data)
        return self._calibration

    def candidates(
        self,
        vector: NDArray[np.float32],
        plan: plans.Plan,
        depth: int,
        allowed: NDArray[np.int64] | None,
        explanation: Explanation,
    ) -> Candidates:
        """The `depth` nearest fragments of the segments; `allowed`: (n,) int64, ascending, those that may be found."""
        if way_at(plan, depth) in ("exact", "codes", "hamming"):
            return self._one(vector, plan, depth, allowed, explanation)
        return self.candidates_of_many(vector[None], plan, depth, allowed, [explanation])[0]

    def candidates_of_many(
        self,
        vectors: NDArray[np.float32],
        plan: plans.Plan,
        depth: int,
        allowed: NDArray[np.int64] | None,
        explanations: Sequence[Explanation],
    ) -> list[Candidates]:
        """`candidates` of each of (q, dim) vectors; each explanation gets its share of the time."""
        from cmrcli.searching import batches
        from cmrcli.searching.candidates import CodeDepths

        segments, codebook = self._reader.segments, self._reader.codebook
        way = way_at(plan, depth)
        if way == "hamming":
            each = zip(vectors, explanations, strict=True)
            return [self._one(vector, plan, depth, allowed, explanation) for vector, explanation in each]
        if way == "graph" and self._graphs is None:
            started = time.perf_counter()
            loaded = self._load_graphs()
            tell_all(explanations, "load graphs", started, len(loaded))
        started = time.perf_counter()
        depths = CodeDepths(max(plan.candidates, 2 * depth), plan.rescored)
        if way == "exact" or codebook is None:
            found = batches.exact_of_many(segments, vectors, depth, allowed)
        elif way == "graph":
            found = batches.graph_of_many(segments, self._graphs or {}, vectors, depth, codebook, depths)
        else:
            found = batches.codes_of_many(segments, vectors, depth, allowed, codebook, depths)
        tell_all(explanations, way, started, found[0].scanned)
        return found

    def _one(
        self,
        vector: NDArray[np.float32],
        plan: plans.Plan,
        depth: int,
        allowed: NDArray[np.int64] | None,
        explanation: Explanation,
    ) -> Candidates:
        from cmrcli.searching import candidates as ways

        started = time.perf_counter()
        segments, codebook = self._reader.segments, self._reader.codebook
        way = way_at(plan, depth)
        if way == "exact" or codebook is None:
            found = ways.by_exact(segments, vector, depth, allowed)
        elif way == "hamming":
            found = ways.by_hamming(segments, vector, depth, allowed, codebook)
        else:
            depths = ways.CodeDepths(max(plan.candidates, 2 * depth), plan.rescored)
            found = ways.by_codes(segments, vector, depth, allowed, codebook, depths, explanation.stage)
        explanation.stage(way, started, found.scanned)
        return found

    def evidence(
        self,
        vector: NDArray[np.float32] | None,
        candidates: Candidates | None,
        plan: plans.Plan,
        wanted: Wanted,
        among: int,
    ) -> NDArray[np.float32] | None:
        """Of each candidate; None where nothing is known, as of shares of equal bits."""
        if vector is None or candidates is None or plan.vectors == "hamming" or self.calibration is None:
            return None
        from cmrcli.searching.evidence import of_similarities

        passages = self._reader.passages_among(candidates.fragment_ids.tolist())
        # The bank is of texts: what pictures score with everything is another matter.
        hubness = wanted.hubness and not wanted.query.like and not self.codes_only
        return of_similarities(self.calibration, vector, candidates, passages, self._reader.segments, among, hubness)

    def _load_graphs(self) -> dict[str, Graph]:
        """Every sound graph, read once. A damaged one is left out: its segment's codes are scanned instead."""
        from cmrcli.store.graph import load

        opened = {path.parent.name: load(path, expect) for path, expect in self._graph_paths()}
        self._graphs = {segment: graph for segment, graph in opened.items() if graph is not None}
        return self._graphs

    def _graph_paths(self) -> Iterator[tuple[Path, GraphExpectation]]:
        from cmrcli.store.graph import GraphExpectation

        identity = self._reader.encoder
        for segment in self._reader.segments:
            if segment.graph_path is not None:
                yield segment.graph_path, GraphExpectation(identity.dim, len(segment.rows), identity.digest)


def way_at(plan: plans.Plan, depth: int) -> str:
    """How the vectors are asked at this depth."""
    if plan.vectors == "graph" and depth > plans.GRAPH_DEPTH:
        return "codes"
    return plan.vectors or "exact"
