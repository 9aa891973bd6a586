"""`cmrcli index` without the command line: paths to roots, one run, maintenance, the journal."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.corpus.readers import FORMATS, UNSUPPORTED
from cmrcli.errors import IndexMissing, UsageError, display_path
from cmrcli.indexing.journal import journaled
from cmrcli.indexing.report import RunReport, extension_of
from cmrcli.indexing.run import Run, RunOptions
from cmrcli.store.records import EncoderIdentity, Root

if TYPE_CHECKING:
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.encoders.manifest import EncoderManifest
    from cmrcli.store import Writer
    from cmrcli.store.graph_settings import GraphMode


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """What `index_paths` does differently from the default.

    Attributes:
        encoder: folder or name; None: the one the index was made with, for a new index the bundled one.
        threads: of the encoder; 0 for all processors.
        lock_wait_s: how long to wait for another writer.
        dry_run: look and count, change nothing.
        graph: auto, always or never, from now on; None: as the index has it.
        graph_recall: ANN recall@10 that graphs are asked for, from now on; None: as the index has it.
        vectors: f16 or i8, what the index is to keep them as; None: what it does already, f16 for a new one.
        run: see RunOptions.
    """

    encoder: str | None = None
    threads: int = 0
    lock_wait_s: float = 10.0
    dry_run: bool = False
    graph: GraphMode | None = None
    graph_recall: float | None = None
    run: RunOptions = RunOptions()
    vectors: str | None = None


def index_paths(
    folder: Path,
    paths: Sequence[bytes],
    options: IndexOptions = IndexOptions(),
    progress: Callable[[RunReport], None] = lambda report: None,
    stage: Callable[[str], None] = lambda name: None,
    report: RunReport | None = None,
) -> RunReport:
    """Brings the index in `folder` up to date with the paths, or with all its roots when there are none.

    Args:
        folder: of the index; made when it does not exist (not by a dry run).
        paths: absolute paths of folders or files. A path inside a root that the index has refreshes that part.
        progress: called after every file.
        report: filled as the run goes, for a caller who wants to know of an interrupted one; None makes one.
        stage: called with a word when a longer step begins ("convert", "maintain"), with "" when it ends.

    Raises:
        UsageError: a new path that does not exist, no path for a new index, or vectors of a form that cannot be made.
        IndexLocked, IndexDamaged, EncoderError.
        KeyboardInterrupt: after committing what was finished.
    """
    from cmrcli.store import open_writer

    exists = _exists(folder)
    if not exists and not paths:
        raise IndexMissing(f"no index in {display_path(folder)}", "name the folders to index: cmrcli index FOLDER...")
    _refuse_unknown_paths(folder if exists else None, paths)
    report = RunReport() if report is None else report
    report.dry_run = options.dry_run
    manifest = _manifest(folder if exists else None, options)
    if options.dry_run and not exists:
        # Nothing is known: everything would be new. The answer comes from an index that lives for a moment.
        with (
            tempfile.TemporaryDirectory(prefix="cmrcli-") as passing,
            open_writer(Path(passing) / "index", _identity(manifest), options.lock_wait_s) as writer,
        ):
            return _run(writer, manifest, paths, options, report, progress)
    with open_writer(folder, _identity(manifest), options.lock_wait_s) as writer:
        must_convert = options.vectors is not None and writer.must_convert(options.vectors)
        if options.dry_run:
            report.converted = must_convert
            return _run(writer, manifest, paths, options, report, progress)
        if options.graph is not None or options.graph_recall is not None:
            writer.set_graphs(options.graph, options.graph_recall)
        report.known_unlistable = _unlistable_last_time(writer)
        with journaled(writer, "index " + " ".join(map(display_path, paths))) as summary:
            try:
                if options.vectors is not None and must_convert:
                    stage("convert")
                    report.converted = writer.keep_vectors_as(options.vectors)
                    stage("")
                _run(writer, manifest, paths, options, report, progress)
                stage("maintain")
                writer.maintain()
            finally:
                report.index_bytes = index_bytes(folder)
                summary.update(report.to_json())
    return report


def _run(
    writer: Writer,
    manifest: EncoderManifest,
    paths: Sequence[bytes],
    options: IndexOptions,
    report: RunReport,
    progress: Callable[[RunReport], None],
) -> RunReport:
    @cache
    def make_encoder() -> DualEncoder:
        from cmrcli.encoders.dual import DualEncoder

        manifest.verify()  # vectors of a half-copied encoder would stay in the index for good
        return DualEncoder(manifest, threads=options.threads)

    targets = _targets(writer, paths, options.dry_run)
    report = Run(writer, make_encoder, options.run, report, progress).go(targets)
    if not report.dry_run and writer.calibration_due():
        from cmrcli.indexing.calibrating import bring_up_to_date

        bring_up_to_date(writer, make_encoder)
    return report


def _targets(writer: Writer, paths: Sequence[bytes], dry_run: bool) -> list[tuple[Root, bytes]]:
    """What to walk: (root, folder or file below it, b"" for all of it). New paths become roots."""
    roots = writer.roots()
    if not roots and not paths:
        raise UsageError("the index has no folders any more", "name some: cmrcli index FOLDER...")
    targets: list[tuple[Root, bytes]] = []
    for path in dict.fromkeys(paths or [root.path for root in roots]):
        root = _covering(roots, path)
        below = b"" if root is None else path[len(root.path.rstrip(b"/")) + 1 :]
        lone = os.path.isfile(path)
        if root is None or (not below and os.path.exists(path) and root.single_file != lone):
            root = Root(0, path, lone) if dry_run else writer.add_root(path, lone)
            roots = [*(other for other in roots if other.path != path), root]
        targets.append((root, below))
    return [target for target in targets if not _covered(target, targets)]


def _covering(roots: Sequence[Root], path: bytes) -> Root | None:
    """The innermost of the roots that the path is, or lies in."""
    above = [root for root in roots if path == root.path or path.startswith(root.path.rstrip(b"/") + b"/")]
    return max(above, key=lambda root: len(root.path), default=None)


def _covered(target: tuple[Root, bytes], targets: Sequence[tuple[Root, bytes]]) -> bool:
    """Whether another target walks this one's files already."""
    root, below = target
    return any(
        other.path == root.path and other_below != below and (not other_below or below.startswith(other_below + b"/"))
        for other, other_below in targets
    )


def _refuse_unknown_paths(folder: Path | None, paths: Sequence[bytes]) -> None:
    """Raises UsageError for a path that can be nothing to index; before anything is made or changed."""
    for path in paths:
        extension = extension_of(os.path.basename(path))
        if os.path.isfile(path) and extension not in FORMATS:
            remedy = UNSUPPORTED.get(extension, "name a picture, a drawing, a PDF or a text")
            raise UsageError(f"{display_path(path)} is of no type that is read", remedy)
    missing = [path for path in paths if not os.path.exists(path)]
    if not missing:
        return
    roots: list[Root] = []
    if folder is not None:
        from cmrcli.store import open_reader

        with contextlib.suppress(IndexMissing), open_reader(folder) as reader:
            roots = reader.roots()
    for path in missing:
        root = _covering(roots, path)
        if root is None:
            remedy = "check the path, and whether the share is mounted"
            raise UsageError(f"{display_path(path)} does not exist", remedy)
        if path != root.path and os.path.exists(root.path):
            remedy = f"cmrcli index {shlex.quote(display_path(root.path))} takes what is gone out of the index"
            raise UsageError(f"{display_path(path)} does not exist", remedy)


def _unlistable_last_time(writer: Writer) -> frozenset[str]:
    """Folders that the last run could not list: no news for this one."""
    for run in writer.runs():
        if run.arguments.startswith("index"):
            listed = run.summary.get("unlistable", [])
            return frozenset(str(entry["path"]) for entry in listed) if isinstance(listed, list) else frozenset()
    return frozenset()


def index_bytes(folder: Path) -> int:
    """Bytes on disk of everything in the index folder."""
    return sum(os.lstat(os.path.join(where, name)).st_size for where, _, names in os.walk(folder) for name in names)


def _exists(folder: Path) -> bool:
    from cmrcli.store.layout import CATALOG

    return os.path.exists(folder / CATALOG)


def _identity(manifest: EncoderManifest) -> EncoderIdentity:
    return EncoderIdentity(manifest.name, manifest.digest, manifest.dim)


def _manifest(folder: Path | None, options: IndexOptions) -> EncoderManifest:
    """The encoder of an index that exists, or the one for a new index."""
    from cmrcli.encoders.locate import matching, resolve
    from cmrcli.encoders.manifest import load_manifest

    if folder is None:
        return load_manifest(resolve(options.encoder))
    from cmrcli.store import open_reader

    try:
        with open_reader(folder) as reader:
            identity = reader.encoder
    except IndexMissing:  # a run was killed before it had made the tables: begin again
        return load_manifest(resolve(options.encoder))
    return matching(identity.name, identity.digest, options.encoder)
