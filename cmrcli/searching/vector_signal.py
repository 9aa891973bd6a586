"""Asking the vectors of an index: candidates by the way of the plan, and what their similarities are worth."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cmrcli.searching import plan as plans

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.calibration.null import Calibration
    from cmrcli.searching.answer import Explanation
    from cmrcli.searching.assembly import Wanted
    from cmrcli.searching.candidates import Candidates
    from cmrcli.store import Reader
    from cmrcli.store.graph import Graph


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
        self._graphs: dict[str, Graph] | None = None
        self._calibration: Calibration | None = None
        self._calibration_read = False

    @property
    def codes_only(self) -> bool:
        """Whether the vectors were dropped."""
        return any(segment.kept_vectors is None for segment in self._reader.segments)

    @property
    def has_graphs(self) -> bool:
        """Whether some segment has a graph, sound or not."""
        return any(segment.graph_path is not None for segment in self._reader.segments)

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
        from cmrcli.searching import candidates as ways

        started = time.perf_counter()
        segments = self._reader.segments
        codebook = self._reader.codebook
        way = way_at(plan, depth)
        depths = ways.CodeDepths(max(plan.candidates, 2 * depth), plan.rescored)
        if way == "exact" or codebook is None:
            found = ways.by_exact(segments, vector, depth, allowed)
        elif way == "hamming":
            found = ways.by_hamming(segments, vector, depth, allowed, codebook)
        elif way == "graph":
            found = ways.by_graph(segments, self._open_graphs(), vector, depth, codebook, depths)
        else:
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

    def _open_graphs(self) -> dict[str, Graph]:
        """Every sound graph, read once. A damaged one is left out: its segment's codes are scanned instead."""
        if self._graphs is None:
            from cmrcli.store.graph import GraphExpectation, load

            self._graphs = {}
            identity = self._reader.encoder
            for segment in self._reader.segments:
                if segment.graph_path is None:
                    continue
                expect = GraphExpectation(identity.dim, len(segment.rows), identity.digest)
                graph = load(segment.graph_path, expect)
                if graph is not None:
                    self._graphs[segment.id] = graph
        return self._graphs


def way_at(plan: plans.Plan, depth: int) -> str:
    """How the vectors are asked at this depth."""
    if plan.vectors == "graph" and depth > plans.GRAPH_DEPTH:
        return "codes"
    return plan.vectors or "exact"
