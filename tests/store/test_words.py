"""Words: what a person types finds what a document says, however either is spelt, at a bounded price."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.store import open_reader, open_writer, word_candidates
from cmrcli.store.batches import Batch, FileUpdate, NewContent, NewFragment, NewItem
from cmrcli.store.normalise import normalise, query_terms, searchable, short_tokens
from cmrcli.store.reader import Reader
from cmrcli.store.records import Filter
from cmrcli.store.writer import Writer
from tests.store.samples import ENCODER, vector

DOCUMENTS = {
    b"flange.pdf": "Hex flange bolt M8x20 DIN 6921, part A-1023-02",
    b"japanese.pdf": "六角フランジボルト M8 軸受と歯車の図\n面",
    b"spaced.pdf": "drawing no. A 1023 02, a shaft",
    b"joined.pdf": "gearbox housing A1023-02, thunderbolt logo",
    b"wide.pdf": "Ｂ－７７０１　Ø８ ﾎﾞﾙﾄ",
    b"pump/cover plate.dxf": "nothing of note",
    b"mixed.pdf": "ボルトM12用の穴径Ø14",
    b"\xe5\x9b\xb3\xe9\x9d\xa2/7.pdf": "bolt bolt bolt bolt bolt bolt and a long text " * 30,
}


def put(writer: Writer, documents: dict[bytes, str], title: str = "") -> None:
    root = writer.add_root(b"/data")
    contents, files = [], []
    for path, text in documents.items():
        folder, _, name = path.rpartition(b"/")
        digest = path.ljust(16, b"\0")[:16]
        item = NewItem(None, "page", "", title, 0, 0, text, [NewFragment("whole", vector(len(path)))])
        contents.append(NewContent(digest, "pdf", [item]))
        files.append(FileUpdate(root.id, folder, name, 1, 1, digest))
    writer.commit(Batch(contents, files))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("words")
    with open_writer(folder, ENCODER) as writer:
        put(writer, DOCUMENTS)
        put(writer, {b"titled.pdf": "see title"}, "Retaining ring for a shaft")
    with open_reader(folder) as reader:
        yield reader


def found(reader: Reader, query: str, wanted: Filter | None = None) -> list[bytes]:
    hits = reader.words(query, 10, wanted)
    content = {hit.item_id: hit.content_id for hit in reader.whole_fragments([h.item_id for h in hits]).values()}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    return [reader.places([content[h.item_id]])[content[h.item_id]][0].relpath for h in hits]


@pytest.mark.parametrize("query", ["A-1023-02", "a1023-02", "A 1023 02", "Ａ１０２３－０２", "a102302", "A–1023–02"])
def test_a_part_number_is_found_in_every_spelling(reader: Reader, query: str) -> None:
    assert set(found(reader, query)[:3]) == {b"flange.pdf", b"spaced.pdf", b"joined.pdf"}
    assert all(hit.coverage == 1.0 for hit in reader.words(query, 3))


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("軸", {b"japanese.pdf"}),
        ("歯車", {b"japanese.pdf"}),
        ("図面", {b"japanese.pdf", b"\xe5\x9b\xb3\xe9\x9d\xa2/7.pdf"}),  # across a line end, and a folder's name
        ("六角ボルト", set()),
        ("歯車の図面", {b"japanese.pdf"}),
        ("フランジボルト", {b"japanese.pdf"}),
        ("ボルト", {b"japanese.pdf", b"wide.pdf", b"mixed.pdf"}),
        ("M8", {b"flange.pdf", b"japanese.pdf"}),
        ("ø8", {b"wide.pdf"}),
        ("穴", {b"mixed.pdf"}),
        ("M12の穴径", {b"mixed.pdf"}),
        ("14", {b"mixed.pdf"}),
        ("B7701", {b"wide.pdf"}),
        ("flanges", {b"flange.pdf"}),
        ("FLANGE", {b"flange.pdf"}),
        ("pump", {b"pump/cover plate.dxf"}),
        ("cover plate pump", {b"pump/cover plate.dxf"}),
        ("retaining", {b"titled.pdf"}),
        ('"quoted" OR NEAR(x) * - {', set()),
        ("?!", set()),
        ("", set()),
    ],
)
def test_queries_find_these_and_only_these(reader: Reader, query: str, first: set[bytes]) -> None:
    hits = reader.words(query, 10)
    whole = [path for path, hit in zip(found(reader, query), hits, strict=True) if hit.coverage == 1.0]
    assert set(whole) == first


def test_all_terms_beat_any_number_of_one_of_them(reader: Reader) -> None:
    assert found(reader, "hex bolt")[0] == b"flange.pdf"
    assert reader.words("hex bolt", 1)[0].matched == ("hex", "bolt")
    hits = dict(zip(found(reader, "hex bolt"), reader.words("hex bolt", 10), strict=True))
    assert hits[b"\xe5\x9b\xb3\xe9\x9d\xa2/7.pdf"].matched == ("bolt",)
    assert 0 < hits[b"\xe5\x9b\xb3\xe9\x9d\xa2/7.pdf"].coverage < 1


def test_whole_words_and_titles_count_more(reader: Reader) -> None:
    paths = found(reader, "bolt")
    assert paths.index(b"flange.pdf") < paths.index(b"joined.pdf")  # thunderbolt
    assert found(reader, "shaft")[0] == b"titled.pdf"
    assert reader.words("shaft", 1)[0].field == "title"
    assert reader.words("pump", 1)[0].field == "name"


def test_filters_reach_behind_the_newest_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_candidates, "PROBE_ROWS", 5)
    with open_writer(tmp_path, ENCODER) as writer:
        put(writer, {b"old/%d.pdf" % i: "bolt" for i in range(8)})
        put(writer, {b"new/%d.pdf" % i: "bolt" for i in range(40)})
    with open_reader(tmp_path) as reader:
        assert all(path.startswith(b"new/") for path in found(reader, "bolt"))
        old = found(reader, "bolt", Filter(under=(b"/data/old",)))
        assert len(old) == 8 and all(path.startswith(b"old/") for path in old)
        monkeypatch.setattr(word_candidates, "FEW_ITEMS", 2)
        assert len(found(reader, "bolt", Filter(under=(b"/data/old",)))) == 5


def test_a_common_word_costs_no_more_than_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cmrcli.store.words as words

    monkeypatch.setattr(word_candidates, "PROBE_ROWS", 20)
    monkeypatch.setattr(words, "READ_ROWS", 10)
    with open_writer(tmp_path, ENCODER) as writer:
        put(writer, {b"%d.pdf" % i: "common word" + (" rare thing" if i == 3 else "") for i in range(200)})
    counted = []
    original = words._occurrences

    def counting(needle: str, text: str) -> float:
        counted.append(needle)
        return original(needle, text)

    monkeypatch.setattr(words, "_occurrences", counting)
    with open_reader(tmp_path) as reader:
        assert len(reader.words("common", 5)) == 5
        assert len(counted) <= 2 * 15  # items and files, text and title
        assert found(reader, "common thing")[0] == b"3.pdf"
        assert found(reader, "word common rare")[0] == b"3.pdf"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_and_never_fails(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert searchable(text).startswith(once)
    assert all(term.needles for term in query_terms(text).terms)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="軸歯車ベアリング図面", min_size=3, max_size=12), st.data())
def test_every_one_or_two_characters_of_japanese_are_tokens(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 2))
    tokens = short_tokens(searchable(text)).split()
    normal = normalise(text)
    assert normal[start : start + 2] in tokens and normal[start] in tokens


def test_a_files_own_name_counts_more_than_its_folders(tmp_path: Path) -> None:
    with open_writer(tmp_path / "index", ENCODER) as writer:
        put(writer, {b"gasket/a.pdf": "nothing", b"gasket/b.pdf": "nothing else", b"misc/gasket.pdf": "neither"})
        hits = writer.words("gasket", 10)
        first = writer.whole_fragments([hits[0].item_id])[hits[0].item_id]
        assert [place.relpath for place in writer.places([first.content_id])[first.content_id]] == [b"misc/gasket.pdf"]
        assert len(hits) == 3
        assert hits[0].score > hits[1].score


OTHER_NAMES = [("gear", ("歯車", "cogwheel"))]


def test_another_name_finds_and_never_outranks_what_was_typed(tmp_path: Path) -> None:
    with open_writer(tmp_path / "index", ENCODER) as writer:
        put(writer, {b"a.pdf": "歯車 " * 9, b"b.pdf": "a text that mentions one gear somewhere", b"c.pdf": "nothing"})
        assert [hit.matched for hit in writer.words("gear", 10)] == [("gear",)]
        typed, stood = writer.words("gear", 10, others=OTHER_NAMES)
        assert (typed.coverage, stood.coverage) == (1.0, 0.5)
        assert typed.score > stood.score > 0
        assert writer.fragments([1, 2])  # the catalog is not changed by asking


def test_another_name_must_be_a_whole_word(tmp_path: Path) -> None:
    with open_writer(tmp_path / "index", ENCODER) as writer:
        put(writer, {b"a.pdf": "cogwheels", b"b.pdf": "cogwheelish"})
        assert len(writer.words("gear", 10, others=OTHER_NAMES)) == 1


def test_a_name_of_several_words_needs_them_all_and_stands_for_them_all(tmp_path: Path) -> None:
    others = [("gate valve", ("仕切弁",))]
    with open_writer(tmp_path / "index", ENCODER) as writer:
        put(writer, {b"a.pdf": "仕切弁の図面", b"b.pdf": "garden gate"})
        both, half = writer.words("gate valve", 10, others=others)
        assert both.matched == ("gate", "valve") and both.coverage == 0.5
        assert half.matched == ("gate",)


def test_a_name_within_a_term_is_worth_its_share_of_it(tmp_path: Path) -> None:
    with open_writer(tmp_path / "index", ENCODER) as writer:
        put(writer, {b"a.pdf": "pump"})
        [hit] = writer.words("冷却ポンプ", 10, others=[("ポンプ", ("pump",))])
        assert hit.coverage == pytest.approx(0.5 * 3 / 5)


def test_what_is_withheld_is_not_found_by_another_name(tmp_path: Path) -> None:
    from cmrcli.store.records import Withheld

    with open_writer(tmp_path / "index", ENCODER) as writer:
        put(writer, {b"a.pdf": "歯車"})
        [hit] = writer.words("gear", 10, others=OTHER_NAMES)
        assert writer.words("gear", 10, withheld=Withheld(hit.item_id, frozenset()), others=OTHER_NAMES) == []
