"""`cmrcli index` without the command line: paths to roots, one run, maintenance, the journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.errors import IndexMissing, UsageError, display_path
from cmrcli.indexing.report import HeldBack, RunReport
from cmrcli.indexing.run import Run, RunOptions
from cmrcli.store.records import EncoderIdentity, Root

if TYPE_CHECKING:
    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.encoders.manifest import EncoderManifest
    from cmrcli.store import Writer


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """What `index_paths` does differently from the default.

    Attributes:
        encoder: folder or name; None: the one the index was made with, for a new index the bundled one.
        threads: of the encoder; 0 for all processors.
        lock_wait_s: how long to wait for another writer.
        dry_run: look and count, change nothing.
        run: see RunOptions.
    """

    encoder: str | None = None
    threads: int = 0
    lock_wait_s: float = 10.0
    dry_run: bool = False
    run: RunOptions = RunOptions()


def index_paths(
    folder: Path,
    paths: Sequence[bytes],
    options: IndexOptions = IndexOptions(),
    progress: Callable[[RunReport], None] = lambda report: None,
    stage: Callable[[str], None] = lambda name: None,
) -> RunReport:
    """Brings the index in `folder` up to date with the paths, or with all its roots when there are none.

    Args:
        folder: of the index; made when it does not exist (not by a dry run).
        paths: absolute paths of folders or files. A path inside a root that the index has refreshes that part.
        progress: called after every file.
        stage: called with a word when a longer step begins ("maintain").

    Raises:
        UsageError: a new path that does not exist, or no path for a new index.
        IndexLocked, IndexDamaged, EncoderError.
        KeyboardInterrupt: after committing what was finished.
    """
    from cmrcli.store import open_writer

    report = RunReport(dry_run=options.dry_run)
    manifest = None
    if options.dry_run and not _exists(folder):
        import tempfile

        # Nothing is known: everything would be new. The answer comes from an index that lives for a moment.
        with tempfile.TemporaryDirectory(prefix="cmrcli-") as passing:
            manifest = _manifest(None, options)
            with open_writer(Path(passing) / "index", _identity(manifest), options.lock_wait_s) as writer:
                return _run(writer, manifest, paths, options, report, progress)
    if not _exists(folder) and not paths:
        raise IndexMissing(f"no index in {display_path(folder)}", "name the folders to index: cmrcli index FOLDER...")
    manifest = _manifest(folder if _exists(folder) else None, options)
    with open_writer(folder, _identity(manifest), options.lock_wait_s) as writer:
        run_id = None if options.dry_run else writer.begin_run(b" ".join(paths).decode("utf-8", "backslashreplace"))
        try:
            _run(writer, manifest, paths, options, report, progress)
            if not options.dry_run:
                stage("maintain")
                writer.maintain()
        finally:
            if run_id is not None:
                report.index_bytes = index_bytes(folder)
                writer.end_run(run_id, report.to_json())
    return report


def _run(
    writer: Writer,
    manifest: EncoderManifest,
    paths: Sequence[bytes],
    options: IndexOptions,
    report: RunReport,
    progress: Callable[[RunReport], None],
) -> RunReport:
    targets, missing = _targets(writer, paths, options.dry_run)

    def make_encoder() -> DualEncoder:
        from cmrcli.encoders.dual import DualEncoder

        manifest.verify()  # vectors of a half-copied encoder would stay in the index for good
        return DualEncoder(manifest, threads=options.threads)

    for root in missing:
        known = writer.file_count(root.id)
        report.held_back.append(HeldBack(root.path, "it is missing", known, known))
    return Run(writer, make_encoder, options.run, report, progress).go(targets)


def _targets(writer: Writer, paths: Sequence[bytes], dry_run: bool) -> tuple[list[tuple[Root, bytes]], list[Root]]:
    """What to walk: (root, folder below it), and the roots that are not there now."""
    roots = writer.roots()
    if not paths:
        paths = [root.path for root in roots]
    targets: list[tuple[Root, bytes]] = []
    missing: list[Root] = []
    for path in dict.fromkeys(paths):
        above = [root for root in roots if path == root.path or path.startswith(root.path.rstrip(b"/") + b"/")]
        if above:
            root = max(above, key=lambda one: len(one.path))
            below = path[len(root.path.rstrip(b"/")) + 1 :]
            if os.path.exists(path):
                targets.append((root, below))
            elif below and os.path.exists(root.path):
                raise UsageError(
                    f"{display_path(path)} does not exist",
                    f"cmrcli index {display_path(root.path)} takes what is gone out of the index",
                )
            else:
                missing.append(root)
            continue
        if not os.path.exists(path):
            raise UsageError(f"{display_path(path)} does not exist", "check the path, and whether the share is mounted")
        lone = not os.path.isdir(path)
        root = Root(0, path, lone) if dry_run else writer.add_root(path, lone)
        roots.append(root)
        targets.append((root, b""))
    return [target for target in targets if not _covered(target, targets)], missing


def _covered(target: tuple[Root, bytes], targets: Sequence[tuple[Root, bytes]]) -> bool:
    """Whether another target walks this one's files already."""
    root, below = target
    return any(
        other.id == root.id and other_below != below and (not other_below or below.startswith(other_below + b"/"))
        for other, other_below in targets
    )


def index_bytes(folder: Path) -> int:
    """Bytes on disk of everything in the index folder."""
    return sum(os.lstat(os.path.join(where, name)).st_size for where, _, names in os.walk(folder) for name in names)


def _exists(folder: Path) -> bool:
    from cmrcli.store.layout import CATALOG

    return (folder / CATALOG).exists()


def _identity(manifest: EncoderManifest) -> EncoderIdentity:
    return EncoderIdentity(manifest.name, manifest.digest, manifest.dim)


def _manifest(folder: Path | None, options: IndexOptions) -> EncoderManifest:
    """The encoder of an index that exists, or the one for a new index."""
    from cmrcli.encoders.locate import matching, resolve
    from cmrcli.encoders.manifest import load_manifest

    if folder is None:
        return load_manifest(resolve(options.encoder))
    from cmrcli.store import open_reader

    with open_reader(folder) as reader:
        identity = reader.encoder
    return matching(identity.name, identity.digest, options.encoder)
