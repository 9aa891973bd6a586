"""The verb: what an index finds and what that costs, under one protocol. Prints nothing."""

from __future__ import annotations

from cmrcli.evaluation.evaluate import evaluate, evaluate_index
from cmrcli.evaluation.qrels import Topic, read_qrels, read_topics
from cmrcli.evaluation.report import Environment, Evaluation, Interval, ModeReport, Resident

__all__ = [
    "Environment",
    "Evaluation",
    "Interval",
    "ModeReport",
    "Resident",
    "Topic",
    "evaluate",
    "evaluate_index",
    "read_qrels",
    "read_topics",
]
