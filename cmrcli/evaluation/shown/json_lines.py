"""An evaluation as JSON lines: one `row` object a line, the `summary` last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cmrcli.evaluation.report import SCHEMA, Evaluation


def records(
    evaluation: Evaluation, verdicts: Mapping[str, object] | None = None, per_query: bool = False
) -> Iterator[dict[str, Any]]:
    """JSON-ready objects, in order.

    A `row` has the fields of report.Row, the `summary` those of report.Evaluation but its rows; both have `schema` and
    `type`. Fields get added, never renamed.

    Args:
        verdicts: what else the summary says, by name ("requirements", "recommendation" ...), JSON-ready.
        per_query: whether rows have the values of single queries.
    """
    document = evaluation.to_json(per_query)
    for row in document.pop("rows"):
        yield {"schema": SCHEMA, "type": "row", **row}
    yield {**document, "type": "summary", **(verdicts or {})}
