"""Whether the arrays are whole and say the same as the catalog."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmrcli.errors import CmrcliError
from cmrcli.store import codebooks, durable, graph, schema
from cmrcli.store.accounts import Finding
from cmrcli.store.checking import REMEDY
from cmrcli.store.layout import CODES, GRAPH, MANIFEST, SEGMENTS, VECTOR_FILES, VECTORS, VECTORS_I8, segment_folder
from cmrcli.store.manifests import Manifest, read_manifest
from cmrcli.store.reader import segment_rows
from cmrcli.store.records import EncoderIdentity
from cmrcli.store.segments import SegmentRow, open_segment
from cmrcli.store.vectors import BLOCK_ROWS

MOST_NAMED = 5  # fragments in one message


def check_segments(connection: sqlite3.Connection, folder: Path) -> list[Finding]:
    """Findings about every segment, and about rows and fragments that do not meet."""
    findings: list[Finding] = []
    try:
        connection.execute("BEGIN")
        try:
            encoder = schema.stored_encoder(connection)
            stored = codebooks.current(connection)
            form = schema.kept_form(connection)
            rows = segment_rows(connection)
            # 8 bytes a fragment; the only thing here that grows with the index.
            fragments = np.fromiter(
                (row[0] for row in connection.execute("SELECT id FROM fragment ORDER BY id")), dtype=np.int64
            )
        finally:
            connection.execute("ROLLBACK")
    except (sqlite3.DatabaseError, CmrcliError, KeyError, ValueError):
        return []  # check_catalog has said so already
    live: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    for row in rows:
        found = list(_check_segment(folder, row, encoder, stored, form))
        if found and connection.execute("SELECT 1 FROM segment WHERE id = ?", (row.id,)).fetchone() is None:
            return findings  # compacted away meanwhile: its rows are elsewhere now
        findings += found
        if any(finding.severity == "error" for finding in found):
            continue
        segment = open_segment(folder, row, encoder)
        if segment.dead is not None:
            findings += _dead_but_alive(row, segment.rows[segment.dead], fragments)
        live.append(segment.rows if segment.dead is None else segment.rows[~segment.dead])
    if not any(finding.severity == "error" for finding in findings):
        findings += _compare(np.sort(np.concatenate(live)), fragments)
    return findings


def _check_segment(
    folder: Path,
    row: SegmentRow,
    encoder: EncoderIdentity,
    stored: codebooks.StoredCodebook | None,
    form: str | None,
) -> Iterator[Finding]:
    home = segment_folder(folder, row.id)
    try:
        raw = (home / MANIFEST).read_bytes()
        if hashlib.sha256(raw).hexdigest() != row.manifest_sha256:
            yield _error(row, MANIFEST, "fails its checksum")
            return
        manifest = read_manifest(home)
    except OSError as error:
        yield _error(row, MANIFEST, f"cannot be read: {error.strerror}")
        return
    except CmrcliError as error:
        yield _error(row, MANIFEST, str(error))
        return
    yield from _check_identity(row, manifest, encoder, stored)
    if not manifest["files"].keys() >= set(VECTOR_FILES.get(form or "", ())):
        yield _error(row, MANIFEST, f"has other vectors than the {form} that the catalog names")
    sound = True
    for name, entry in manifest["files"].items():
        try:
            size = (home / name).stat().st_size
            if size != entry["bytes"]:
                sound = False
                yield _error(row, name, f"has {size} bytes instead of {entry['bytes']}")
            elif durable.checksum(home / name) != entry["sha256"]:
                sound = False
                yield _error(row, name, "fails its checksum")
        except OSError as error:
            sound = False
            yield _error(row, name, f"cannot be read: {error.strerror}")
    if sound and stored is not None:
        yield from _check_arrays(folder, row, encoder, stored)
    if (home / GRAPH).exists():
        expected = graph.GraphExpectation(encoder.dim, row.rows, encoder.digest)
        fault = graph.fault(home / GRAPH, expected)
        if fault is not None:
            path = f"{SEGMENTS}/{row.id}/{GRAPH}"
            yield Finding("note", path, f"is not used: {fault}", "delete it; cmrcli index builds it again")


def _check_identity(
    row: SegmentRow, manifest: Manifest, encoder: EncoderIdentity, stored: codebooks.StoredCodebook | None
) -> Iterator[Finding]:
    if manifest["id"] != row.id:
        yield _error(row, MANIFEST, f"belongs to segment {manifest['id']}")
    if manifest["encoder"] != {"name": encoder.name, "digest": encoder.digest, "dim": encoder.dim}:
        yield _error(row, MANIFEST, "names another encoder than the catalog")
    vectors = manifest["files"].get(VECTORS) or manifest["files"].get(VECTORS_I8)
    if vectors is not None and vectors["shape"] != [row.rows, encoder.dim]:
        yield _error(row, MANIFEST, f"has the shape {vectors['shape']}, not that of the catalog")
    if stored is None or manifest["codebook"] != stored.sha256:
        yield _error(row, MANIFEST, "names another codebook than the catalog")


def _check_arrays(
    folder: Path, row: SegmentRow, encoder: EncoderIdentity, stored: codebooks.StoredCodebook
) -> Iterator[Finding]:
    """Whether the arrays, whose bytes are as written, mean what they should."""
    try:
        segment = open_segment(folder, row, encoder)
    except (OSError, CmrcliError, ValueError) as error:
        yield _error(row, MANIFEST, str(error))
        return
    if len(segment.rows) > 1 and not (np.diff(segment.rows) > 0).all():
        yield _error(row, "rows.i64", "is not in ascending order")
    if (0 if segment.dead is None else int(segment.dead.sum())) != row.dead_rows:
        yield Finding("error", "catalog.sqlite", f"miscounts the dead rows of segment {row.id}", REMEDY)
    book, factors = stored.codebook, segment.factors
    beside = 0 if factors is None else factors.shape[1]
    if segment.codes.shape[1] != book.words or beside != book.factors_per_row:
        yield _error(row, CODES, "has another width than the codebook says")
        return
    if segment.kept_vectors is None:
        return  # the codes cannot be made again to compare them; their checksum is right
    for start in range(0, row.rows, BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        block = segment.vectors.part(rows)
        if not block.sound():
            name = VECTORS if block.scales is None else VECTORS_I8
            yield _error(row, name, f"has values or scales that no vector has near row {start}")
            return
        if not book.fits(block, segment.codes[rows], None if factors is None else factors[rows]).all():
            yield _error(row, CODES, f"does not fit the vectors near row {start}")
            return


def _dead_but_alive(row: SegmentRow, dead: NDArray[np.int64], fragments: NDArray[np.int64]) -> list[Finding]:
    both = np.intersect1d(dead, fragments)
    if not len(both):
        return []
    return [_error(row, "rows.i64", f"{len(both)} rows are marked dead, but their fragments exist: {_named(both)}")]


def _compare(live: NDArray[np.int64], fragments: NDArray[np.int64]) -> Iterator[Finding]:
    twice = np.unique(live[1:][live[1:] == live[:-1]])
    if len(twice):
        yield Finding("error", SEGMENTS, f"{len(twice)} fragments have two vectors: {_named(twice)}", REMEDY)
    without = np.setdiff1d(fragments, live)
    if len(without):
        yield Finding("error", SEGMENTS, f"{len(without)} fragments have no vector: {_named(without)}", REMEDY)
    unknown = np.setdiff1d(live, fragments)
    if len(unknown):
        yield Finding("error", SEGMENTS, f"{len(unknown)} vectors have no fragment: {_named(unknown)}", REMEDY)


def _named(ids: NDArray[np.int64]) -> str:
    return ", ".join(str(i) for i in ids[:MOST_NAMED]) + (", ..." if len(ids) > MOST_NAMED else "")


def _error(row: SegmentRow, name: str, message: str) -> Finding:
    return Finding("error", f"{SEGMENTS}/{row.id}/{name}", message, REMEDY)
