"""From a protocol to an evaluation: reads its ground truth, asks, judges. `cmrcli eval` and `--compare` come here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cmrcli.errors import CmrcliError, UsageError, display_path
from cmrcli.evaluation.evaluating import Measured, Progress, evaluate
from cmrcli.evaluation.protocol import Protocol
from cmrcli.evaluation.settings import Settings, Subject

if TYPE_CHECKING:
    from cmrcli.evaluation.truth import Truth

SELF = "self"
SAMPLE = 200  # known-item queries of each sort


@contextmanager
def ground_truth(protocol: Protocol, progress: Progress | None = None) -> Iterator[Truth]:
    """The truth that a protocol names. Crops and unpacked pictures that belong to it live as long as the block.

    Raises:
        UsageError: whatever is wrong in its files. IndexMissing, EncoderError: for known items.
    """
    from cmrcli.evaluation.truths import read_truth

    with TemporaryDirectory(prefix="cmrcli-eval-") as scratch:
        if protocol.kind == SELF:
            truth = _known_items(protocol, scratch, progress)
        else:
            truth = read_truth(
                [source.path for source in protocol.sources],
                protocol.kind,
                images=protocol.images,
                split=protocol.split,
                protocol=protocol.protocol,
                scratch=scratch,
            )
        yield replace(truth, made=Path(scratch))


def settings_of(protocol: Protocol) -> Settings:
    """How the protocol evaluates."""
    return Settings(
        modes=protocol.modes,
        measures=protocol.measures,
        k=protocol.k,
        repeats=protocol.repeats,
        seed=protocol.seed,
        cold=protocol.cold,
        memory=protocol.memory,
        by=protocol.by,
        through=protocol.through,
    )


def subject_of(protocol: Protocol) -> Subject:
    """What the protocol asks."""
    runs = tuple(source.path for source in protocol.runs)
    return Subject(protocol.index, protocol.encoder or None, protocol.threads, runs)


def opponent(other: str, truth: Truth, protocol: Protocol, progress: Progress | None = None) -> Measured:
    """The same questions to another system: what `--compare OTHER` is held against.

    Args:
        other: folder of an index; folder or name of an encoder; or a run file. An encoder is asked over the truth's
            own gallery; where the truth is about an index, a temporary index of the same folders is made with it,
            which takes as long as indexing does.

    Raises:
        UsageError: it is none of these. CmrcliError: whatever asking it raises.
    """
    settings = replace(settings_of(protocol), cold=False, memory=False)
    path = Path(other).expanduser()
    if _is_index(path):
        return evaluate(truth, Subject(path, _encoder_of(path, protocol), protocol.threads), settings, progress)
    if _is_run(path):
        return evaluate(truth, Subject(runs=(path,)), replace(settings, modes=()), progress)
    encoder = _encoder(other)
    if all(part.gallery is not None for part in truth.parts) and protocol.through != "index":
        return evaluate(truth, Subject(None, encoder, protocol.threads), replace(settings, through="encoder"), progress)
    with TemporaryDirectory(prefix="cmrcli-eval-") as folder:
        made = _index_with(encoder, protocol, Path(folder, "index"), progress)
        return evaluate(truth, Subject(made, encoder, protocol.threads), settings, progress)


def refuse_opponent(other: str) -> None:
    """Raises the UsageError of `opponent` for what is none of the three, before minutes of measuring."""
    path = Path(other).expanduser()
    if not (_is_index(path) or _is_run(path)):
        _encoder(other)


def _is_index(path: Path) -> bool:
    from cmrcli.store.layout import CATALOG

    return (path / CATALOG).is_file()


def _is_run(path: Path) -> bool:
    from cmrcli.encoders.manifest import MANIFEST_NAME

    return path.is_file() and path.name != MANIFEST_NAME


def _encoder_of(index: Path, protocol: Protocol) -> str | Path | None:
    """The protocol's own encoder where the other index was made with it too; else the index's is looked for."""
    if not protocol.encoder:
        return None
    from cmrcli.encoders.locate import resolve
    from cmrcli.encoders.manifest import load_manifest
    from cmrcli.store import open_reader

    with open_reader(index) as reader:
        same = load_manifest(resolve(protocol.encoder)).digest == reader.encoder.digest
    return protocol.encoder if same else None


def _encoder(other: str) -> str:
    from cmrcli.encoders.locate import resolve
    from cmrcli.errors import EncoderError

    try:
        return os.fspath(resolve(other))
    except EncoderError:
        raise UsageError(
            f"--compare {display_path(other)} is no index, encoder, run file or kept evaluation",
            "name the folder of an index or an encoder, a TREC run, or a file or name of --history",
        ) from None


def _index_with(encoder: str, protocol: Protocol, place: Path, progress: Progress | None) -> Path:
    """A temporary index of the folders that the protocol's index holds, made with another encoder."""
    from cmrcli.indexing import IndexOptions, index_paths
    from cmrcli.places import default_index
    from cmrcli.store import open_reader

    with open_reader(protocol.index or default_index()) as reader:
        roots = [root.path for root in reader.roots()]
    if progress is not None:
        progress(f"indexing {len(roots)} folders with {Path(encoder).name}", 0, 1)
    report = index_paths(place, roots, IndexOptions(encoder=encoder, threads=protocol.threads))
    if not report.items:
        raise CmrcliError(f"the encoder {display_path(encoder)} made no items of the folders of the index")
    return place


def _known_items(protocol: Protocol, scratch: str, progress: Progress | None) -> Truth:
    from cmrcli.evaluation.truths.known_items import known_items
    from cmrcli.places import default_index
    from cmrcli.store import open_reader

    with open_reader(protocol.index or default_index()) as reader:
        return known_items(reader, Path(scratch), protocol.seed, SAMPLE, progress=progress)
