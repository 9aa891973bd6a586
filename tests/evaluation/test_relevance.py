"""Which documents a result is: pages, whole files, copies, the query's own, and names written in two ways."""

from dataclasses import dataclass

from cmrcli.evaluation.systems.relevance import GalleryFiles, Judgements, Names, first_places, page_of, without_page

DATA = Names(["/data"])


@dataclass
class Hit:
    relpath: str
    page: int | None = None
    root: str = "/data"
    duplicates: tuple[str, ...] = ()
    score: float = 1.0

    @property
    def path(self) -> str:
        return f"{self.root}/{self.relpath}"


def documents(grades: dict[str, int], hits: list[Hit], names: Names = DATA, own: str | None = None) -> list[str]:
    return list(first_places(hits, Judgements(grades, names, own)))


def test_pages_are_documents_where_the_query_names_pages() -> None:
    hits = [Hit("a.pdf", 1), Hit("a.pdf", 3), Hit("b.png"), Hit("a.pdf", 2)]
    assert documents({"a.pdf#2": 1, "a.pdf#3": 2}, hits) == ["a.pdf#1", "a.pdf#3", "b.png", "a.pdf#2"]


def test_any_page_meets_a_file_judged_as_a_whole_and_only_once() -> None:
    hits = [Hit("a.pdf", 4), Hit("a.pdf", 5), Hit("b.pdf", 1), Hit("b.pdf", 2), Hit("c.pdf", 1), Hit("a.pdf", 1)]
    assert documents({"a.pdf": 1, "c.pdf": 3}, hits) == ["a.pdf", "b.pdf", "c.pdf"]


def test_a_document_has_the_score_of_its_first_result() -> None:
    hits = [Hit("b.pdf", 1, score=0.9), Hit("a.pdf", 2, score=0.8), Hit("b.pdf", 2, score=0.7)]
    assert first_places(hits, Judgements({"a.pdf": 1}, DATA)) == {"b.pdf": 0.9, "a.pdf": 0.8}


def test_a_whole_file_among_pages_is_one_document_and_others_stay_pages() -> None:
    hits = [Hit("b.pdf", 1), Hit("b.pdf", 3), Hit("a.pdf", 7), Hit("a.pdf", 8), Hit("b.pdf", 2)]
    assert documents({"a.pdf": 1, "b.pdf#2": 2}, hits) == ["b.pdf#1", "b.pdf#3", "a.pdf", "b.pdf#2"]


def test_a_page_judged_apart_from_its_file_is_its_own_document() -> None:
    hits = [Hit("a.pdf", 1), Hit("a.pdf", 2), Hit("a.pdf", 3)]
    assert documents({"a.pdf": 1, "a.pdf#2": 3}, hits) == ["a.pdf", "a.pdf#2"]


def test_a_file_with_the_same_bytes_is_the_judged_one() -> None:
    copy = Hit("new/x.pdf", 2, duplicates=("/data/old/a.pdf",))
    assert documents({"old/a.pdf#2": 1}, [copy]) == ["old/a.pdf#2"]
    assert documents({"old/a.pdf#1": 1}, [copy]) == ["new/x.pdf#2"]
    # A judgement names a file by all of its path below the root, not by the end of it.
    assert documents({"a.pdf#2": 1}, [copy]) == ["new/x.pdf#2"]


def test_copies_that_are_both_judged_are_both_found() -> None:
    hits = [Hit("c.png"), Hit("a.png", duplicates=("/data/b.png", "/data/d.png"))]
    assert documents({"a.png": 1, "b.png": 1, "c.png": 0}, hits) == ["c.png", "a.png", "b.png"]


def test_the_querys_own_document_is_none_and_its_copy_is_one() -> None:
    assert documents({"b.png": 1}, [Hit("a.png"), Hit("b.png")], own="a.png") == ["b.png"]
    assert documents({"b.png": 1}, [Hit("a.png"), Hit("b.png")], own="/data/a.png") == ["b.png"]
    twin = Hit("a.png", duplicates=("/data/z.png",))
    assert documents({"b.png": 1}, [twin], own="a.png") == ["z.png"]
    assert documents({"b.pdf": 1}, [Hit("a.pdf", 2), Hit("a.pdf", 1), Hit("b.pdf", 1)], own="a.pdf") == ["b.pdf"]
    assert documents({"b.pdf#1": 1}, [Hit("a.pdf", 2), Hit("a.pdf", 1)], own="a.pdf#2") == ["a.pdf#1"]


def test_composed_and_decomposed_names_are_the_same_and_keep_the_judges_spelling() -> None:
    composed, decomposed = "\u30d6\u00e9.png", "\u30d5\u3099e\u0301.png"
    assert documents({composed: 1}, [Hit(decomposed)]) == [composed]
    assert documents({decomposed: 1}, [Hit(composed)]) == [decomposed]


def test_number_signs_in_names_are_no_pages() -> None:
    judged = {"C# notes#3.txt": 1, "part#0": 2}
    assert documents(judged, [Hit("C# notes#3.txt"), Hit("part#0"), Hit("C# notes")]) == [*judged, "C# notes"]
    assert (page_of("a.pdf#12"), page_of("part#0"), without_page("a#1#2")) == (12, None, "a#1")


def test_documents_nobody_judged_have_one_name_in_every_query() -> None:
    two = Names(["/data", "/archive"])
    hits = [Hit("a.png"), Hit("a.png", root="/archive"), Hit("b.png")]
    assert documents({"/archive/a.png": 1}, hits, two) == ["/data/a.png", "/archive/a.png", "/data/b.png"]
    assert documents({"x.png": 1}, hits, two) == ["/data/a.png", "/archive/a.png", "/data/b.png"]
    assert documents({"/data/x": 1}, [Hit("b.png")], Names(["/data"], absolute=True)) == ["/data/b.png"]
    # A relpath means the file below any root.
    assert documents({"a.png": 1}, hits, two) == ["a.png", "/data/b.png"]


def test_a_root_that_is_one_file_is_called_by_its_name() -> None:
    alone = Names(["/tmp/alone.svg"])
    assert documents({"alone.svg": 1}, [Hit("alone.svg", root="/tmp")], alone) == ["alone.svg"]
    assert documents({"other": 1}, [Hit("alone.svg", root="/tmp")], alone) == ["alone.svg"]


def test_a_gallery_holds_files_as_a_whole_and_nothing_else() -> None:
    gallery = GalleryFiles(["/data/a.tif", "/data/b.png", "/data/\u30d6.png"])
    hits = [Hit("a.tif", 2), Hit("x.png"), Hit("a.tif", 1), Hit("y.png", duplicates=("/data/b.png",))]
    hits.append(Hit("\u30d5\u3099.png"))
    assert list(first_places(hits, gallery)) == ["/data/a.tif", "/data/b.png", "/data/\u30d6.png"]
    gallery.own = "/data/b.png"
    assert list(first_places(hits, gallery)) == ["/data/a.tif", "/data/\u30d6.png"]
