"""protocol.toml: there and back, and everything that is wrong in one is refused by its key."""

from __future__ import annotations

import hashlib
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmrcli.errors import UsageError
from cmrcli.evaluation.protocol import FORMAT, Protocol, from_toml, parse, to_toml
from cmrcli.evaluation.sources import Source, digest_of, source_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8)
NAMES = PARTS.filter(lambda name: name not in (".", "..")) | st.just("caf\udce9")
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: Path("/", *parts))
SOURCES = st.lists(st.builds(Source, PATHS, st.binary().map(lambda b: hashlib.sha256(b).hexdigest())), max_size=2)
PROTOCOLS = st.builds(
    Protocol,
    kind=TEXTS.filter(bool),
    sources=SOURCES.map(tuple),
    images=st.none() | PATHS,
    split=TEXTS,
    protocol=TEXTS,
    index=st.none() | PATHS,
    encoder=TEXTS | PATHS,
    through=TEXTS,
    runs=SOURCES.map(tuple),
    modes=st.lists(TEXTS, max_size=2).map(tuple),
    threads=st.integers(0, 99),
    measures=st.lists(TEXTS, max_size=2).map(tuple),
    k=st.integers(1, 1000),
    repeats=st.integers(1, 9),
    seed=st.integers(0, 2**40),
    by=st.lists(TEXTS, max_size=2).map(tuple),
    requirements=st.lists(TEXTS, max_size=2).map(tuple),
    cold=st.booleans(),
    memory=st.booleans(),
)


@given(PROTOCOLS, st.lists(NAMES, max_size=3))
@settings(deadline=None)
def test_there_and_back(protocol: Protocol, folder: list[str]) -> None:
    place = os.path.join("/", *folder)
    text = to_toml(protocol, place)
    assert parse(text.encode("utf-8"), os.path.join(place, "protocol.toml")) == protocol


def made(folder: Path) -> tuple[Path, Protocol]:
    """A protocol beside its files."""
    (folder / "data").mkdir()
    (folder / "data" / "queries.tsv").write_text("q1\tbolt\n")
    (folder / "data" / "peer.run").write_text("q1 Q0 d 1 1 x\n")
    protocol = Protocol(
        "trec",
        (source_of(folder / "data" / "queries.tsv"),),
        runs=(source_of(folder / "data" / "peer.run"),),
        index=folder / "index",
        requirements=("success@10>=0.8", 'codes:"p95_ms"<=50'),
    )
    path = folder / "protocol.toml"
    path.write_text(to_toml(protocol, folder), encoding="utf-8")
    return path, protocol


def test_it_moves_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    path, protocol = made(tmp_path / "old")
    assert from_toml(path) == protocol
    assert str(tmp_path) not in path.read_text()
    (tmp_path / "old").rename(tmp_path / "new")
    moved = from_toml(tmp_path / "new" / "protocol.toml")
    assert moved.index == tmp_path / "new" / "index"
    assert moved.sources == (Source(tmp_path / "new" / "data" / "queries.tsv", protocol.sources[0].sha256),)


def test_it_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, protocol = made(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert from_toml("protocol.toml") == protocol
    monkeypatch.chdir("/")
    assert from_toml(path) == protocol


def test_a_source_that_changed_or_went_is_refused(tmp_path: Path) -> None:
    path, _ = made(tmp_path)
    run = tmp_path / "data" / "peer.run"
    run.write_text("q1 Q0 d 1 2 x\n")
    with pytest.raises(UsageError, match=r"protocol\.toml: system\.runs 1: .*peer\.run has changed") as caught:
        from_toml(path)
    assert digest_of(run) in caught.value.remedy
    (tmp_path / "data" / "queries.tsv").unlink()
    with pytest.raises(UsageError, match=r"truth\.sources 1: cannot read .*queries\.tsv: No such file"):
        from_toml(path)


def test_defaults_hold_where_a_key_is_left_out() -> None:
    assert parse(b'\xef\xbb\xbfformat = 1\r\n[truth]\r\nkind = "self"\r\n', "/p.toml") == Protocol("self")


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("", "format: nothing is not the number", "format = 1"),
        ('format = "1"', "format: '1' is not the number", "format = 1"),
        ("format = true", "format: True is not the number", "format = 1"),
        (f"format = {FORMAT + 1}", f"format: {FORMAT + 1} is newer", "update cmrcli"),
        ("format = 1", "truth.kind: is missing", 'kind = "trec"'),
        ("format = 1\ntruth = 5", "truth: is no table", "[truth]"),
        ("format = 1\n[thruth]", "thruth: unknown key", "did you mean truth?"),
        ('format = 1\n[truth]\nkind = "self"\nimage = "x"', "truth.image: unknown key", "did you mean truth.images?"),
        ("format = 1\n[truth]\nkind = 5", "truth.kind: 5 is not a text", "default"),
        ("format = 1\n[measure]\nk = 0", "measure.k: 0 is not a whole number from 1", "default"),
        ("format = 1\n[measure]\nk = 1.0", "measure.k: 1.0 is not a whole number", "default"),
        ("format = 1\n[measure]\nseed = true", "measure.seed: True is not a whole number", "default"),
        ('format = 1\n[measure]\nby = "kind"', "measure.by: 'kind' is not a list", "default"),
        ("format = 1\n[measure]\nby = [5]", "measure.by: 5 is not a text", "default"),
        ("format = 1\n[cost]\ncold = 1", "cost.cold: 1 is neither true nor false", "default"),
        ('format = 1\n[system]\nindex = ""', "system.index: '' is not a path", "default"),
        ('format = 1\n[system]\nindex = "a\\u0000b"', "is not a path", "default"),
        ("format = 1\n[system]\nindex = { b64 = 5 }", "system.index: 5 is not a text", "default"),
        ('format = 1\n[system]\nindex = { b64 = "?" }', "system.index: its b64 is not base64", "default"),
        ('format = 1\n[truth]\nsources = [{ path = "x" }]', "each is a path and its sha256", "default"),
        ('format = 1\n[truth]\nsources = [{ path = "x", sha256 = "ab" }]', "'ab' is not a SHA-256", "default"),
        ("format = 1\n[truth\n", ":2: ", "correct the TOML"),
        ("format = 1\nformat = 1\n", ":2: ", "correct the TOML"),
        ("x = " + "[" * 100_000, "nested too deeply", "eval wrote"),
        ("x = " + "9" * 10_000, "Exceeds the limit", "correct the TOML"),
    ],
)
def test_what_is_wrong_is_refused_by_its_key(text: str, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text.encode(), "/here/protocol.toml")
    assert str(caught.value).startswith("/here/protocol.toml:") and message in str(caught.value)
    assert remedy in caught.value.remedy and "\n" not in str(caught.value)


def test_what_is_no_protocol_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        from_toml(tmp_path)
    with pytest.raises(UsageError, match="cannot read"):
        from_toml(tmp_path / "none")
    (tmp_path / "big").write_bytes(b"#" * (1 << 21))
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        from_toml(tmp_path / "big")
    (tmp_path / "latin").write_bytes(b"format = 1\n# caf\xe9\n")
    with pytest.raises(UsageError, match="latin:2: is not UTF-8"):
        from_toml(tmp_path / "latin")


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_text_is_valid_toml(text: str) -> None:
    document = tomllib.loads(to_toml(Protocol(text or "x", split=text, modes=(text,)), "/"))
    assert document["truth"]["split"] == text and document["system"]["modes"] == [text]


def test_a_folders_digest_is_of_its_names_and_sizes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"12")
    first = digest_of(tmp_path)
    assert first == hashlib.sha256(b"a/x.png\x002\n").hexdigest()
    (tmp_path / "a" / "x.png").write_bytes(b"123")
    second = digest_of(tmp_path)
    (tmp_path / "a" / "x.png").rename(tmp_path / "y.png")
    assert len({first, second, digest_of(tmp_path)}) == 3
    with pytest.raises(OSError, match="No such file"):
        digest_of(tmp_path / "none")
