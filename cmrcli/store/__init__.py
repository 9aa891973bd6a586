"""What is on disk: catalog, words, segments, lock, check. FORMAT.md describes every byte.

Names are imported when first used: numpy and SQLite cost more than many a command line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Reader": "reader",
    "open_reader": "reader",
    "Writer": "writer",
    "open_writer": "writer",
    "Segment": "segments",
    "check": "checking",
    "Batch": "batches",
    "EncoderIdentity": "records",
    "FilePlace": "records",
    "FileState": "records",
    "FileUpdate": "batches",
    "Filter": "records",
    "Finding": "accounts",
    "FragmentHit": "records",
    "IndexStatistics": "accounts",
    "MaintenanceReport": "accounts",
    "NewContent": "batches",
    "NewFragment": "batches",
    "NewItem": "batches",
    "Root": "records",
    "Withheld": "records",
    "RootStatistics": "accounts",
    "RunRecord": "accounts",
    "WordHit": "records",
}

if TYPE_CHECKING:
    from cmrcli.store.accounts import Finding as Finding
    from cmrcli.store.accounts import IndexStatistics as IndexStatistics
    from cmrcli.store.accounts import MaintenanceReport as MaintenanceReport
    from cmrcli.store.accounts import RootStatistics as RootStatistics
    from cmrcli.store.accounts import RunRecord as RunRecord
    from cmrcli.store.batches import Batch as Batch
    from cmrcli.store.batches import FileUpdate as FileUpdate
    from cmrcli.store.batches import NewContent as NewContent
    from cmrcli.store.batches import NewFragment as NewFragment
    from cmrcli.store.batches import NewItem as NewItem
    from cmrcli.store.checking import check as check
    from cmrcli.store.reader import Reader as Reader
    from cmrcli.store.reader import open_reader as open_reader
    from cmrcli.store.records import EncoderIdentity as EncoderIdentity
    from cmrcli.store.records import FilePlace as FilePlace
    from cmrcli.store.records import FileState as FileState
    from cmrcli.store.records import Filter as Filter
    from cmrcli.store.records import FragmentHit as FragmentHit
    from cmrcli.store.records import Root as Root
    from cmrcli.store.records import Withheld as Withheld
    from cmrcli.store.records import WordHit as WordHit
    from cmrcli.store.segments import Segment as Segment
    from cmrcli.store.writer import Writer as Writer
    from cmrcli.store.writer import open_writer as open_writer


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"cmrcli.store.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
