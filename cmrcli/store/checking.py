"""Verifying an index: every checksum, every count, every reference both ways. Repairs nothing.

What can be wrong with the catalog is in check_catalog.py, with the arrays in check_segments.py.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cmrcli.errors import IndexDamaged, display_path
from cmrcli.store import schema
from cmrcli.store.accounts import Finding
from cmrcli.store.failures import told_plainly
from cmrcli.store.layout import CATALOG, OWN_NAMES, SEGMENTS, UNFINISHED

REMEDY = "index the folders again into a new --index; results from this one may be wrong or missing"


def check(folder: Path) -> list[Finding]:
    """Everything that is wrong with the index, worst first; empty when it is whole. Reads every byte of it.

    Runs beside searches and writers. What a writer removes meanwhile is no finding.

    Raises:
        IndexMissing: no index there. IndexFormatError: one that this version cannot judge.
        IndexInaccessible: this user may not read it.
    """
    from cmrcli.store.check_catalog import check_catalog
    from cmrcli.store.check_segments import check_segments

    folder = Path(folder)
    with told_plainly(folder, "read"):
        try:
            connection = schema.connect_for_reading(folder)
        except IndexDamaged as error:
            return [Finding("error", CATALOG, str(error), REMEDY)]
        try:
            findings = check_catalog(connection, folder)
            findings += check_segments(connection, folder)
            findings += _check_names(folder, {row[0] for row in connection.execute("SELECT id FROM segment")})
        finally:
            connection.close()
    findings += _check_modes(folder)
    return sorted(findings, key=lambda finding: finding.severity != "error")


def _check_names(folder: Path, segments: set[str]) -> list[Finding]:
    """Files and folders that nothing refers to."""
    findings = [
        Finding("note", display_path(name), "is no part of the index")
        for name in sorted(os.listdir(folder))
        if name not in OWN_NAMES
    ]
    try:
        present = sorted(os.listdir(folder / SEGMENTS))
    except OSError as error:
        return [*findings, Finding("error", SEGMENTS, f"cannot be listed: {error.strerror}", REMEDY)]
    for name in present:
        if name not in segments:
            what = "was never finished" if name.endswith(UNFINISHED) else "is in use by nothing"
            path = f"{SEGMENTS}/{display_path(name)}"
            findings.append(Finding("note", path, f"{what} (a killed run?)", "the next cmrcli index removes it"))
    return findings


def _check_modes(folder: Path) -> list[Finding]:
    """Whether other users may look in: texts of indexed files are in there."""
    if os.name == "nt":
        return []
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return [Finding("note", "", f"other users may enter the folder (mode {mode:o})", f"chmod 700 {folder}")]
    return []
