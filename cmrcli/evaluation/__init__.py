"""The verb: what an index, an encoder or another system finds and what that costs, under one protocol. Prints nothing.

truth.py, answers.py and report.py are the plain data; truths/ read ground truth, systems/ answer, costs/ weigh,
verdicts/ decide, shown/ write. Names are imported when first used, so that `cmrcli eval --help` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Evaluation": "report",
    "Interval": "report",
    "Measured": "evaluating",
    "Part": "truth",
    "Row": "report",
    "Settings": "settings",
    "Subject": "settings",
    "Topic": "truth",
    "Truth": "truth",
    "evaluate": "evaluating",
    "read_truth": "truths",
}

if TYPE_CHECKING:
    from cmrcli.evaluation.evaluating import Measured as Measured
    from cmrcli.evaluation.evaluating import evaluate as evaluate
    from cmrcli.evaluation.report import Evaluation as Evaluation
    from cmrcli.evaluation.report import Interval as Interval
    from cmrcli.evaluation.report import Row as Row
    from cmrcli.evaluation.settings import Settings as Settings
    from cmrcli.evaluation.settings import Subject as Subject
    from cmrcli.evaluation.truth import Part as Part
    from cmrcli.evaluation.truth import Topic as Topic
    from cmrcli.evaluation.truth import Truth as Truth
    from cmrcli.evaluation.truths import read_truth as read_truth


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"cmrcli.evaluation.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
