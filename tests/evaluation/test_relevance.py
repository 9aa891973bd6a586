"""Which judgement a result meets: pages, whole files, copies, and names written in two ways."""

from dataclasses import dataclass

from cmrcli.evaluation.relevance import Judgements


@dataclass
class Hit:
    relpath: str
    page: int | None = None
    root: str = "/data"
    duplicates: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.root}/{self.relpath}"


def test_pages_are_judged_one_by_one_where_the_query_names_pages() -> None:
    judged = Judgements({"a.pdf#2": 1, "a.pdf#3": 2})
    assert judged.gains([Hit("a.pdf", 1), Hit("a.pdf", 3), Hit("b.png"), Hit("a.pdf", 2)]) == [0, 2, 0, 1]
    assert judged.grades == (1, 2)


def test_any_page_meets_a_file_judged_as_a_whole_and_only_once() -> None:
    judged = Judgements({"a.pdf": 1, "c.pdf": 3})
    hits = [
        Hit("a.pdf", 4),
        Hit("a.pdf", 5),
        Hit("b.pdf", 1),
        Hit("b.pdf", 2),
        Hit("c.pdf", 1),
        Hit("a.pdf", 1),
    ]
    # One place for each of a, b and c: the further pages are no further documents.
    assert judged.gains(hits) == [1, 0, 3]


def test_a_whole_file_among_pages_is_one_document_and_others_stay_pages() -> None:
    judged = Judgements({"a.pdf": 1, "b.pdf#2": 2})
    hits = [Hit("b.pdf", 1), Hit("b.pdf", 3), Hit("a.pdf", 7), Hit("a.pdf", 8), Hit("b.pdf", 2)]
    assert judged.gains(hits) == [0, 0, 1, 2]


def test_a_page_judged_apart_from_its_file_has_its_own_grade() -> None:
    judged = Judgements({"a.pdf": 1, "a.pdf#2": 3})
    assert judged.gains([Hit("a.pdf", 1), Hit("a.pdf", 2), Hit("a.pdf", 3)]) == [1, 3]


def test_a_file_with_the_same_bytes_is_the_judged_one() -> None:
    judged = Judgements({"old/a.pdf#2": 1})
    copy = Hit("new/x.pdf", 2, duplicates=("/data/old/a.pdf",))
    assert judged.gains([copy]) == [1]
    assert judged.gains([Hit("new/x.pdf", 1, duplicates=("/data/old/a.pdf",))]) == [0]
    assert judged.gains([Hit("new/x.pdf", 2, duplicates=("/data/bold/a.pdf",))]) == [0]


def test_composed_and_decomposed_names_are_the_same() -> None:
    composed, decomposed = "\u30d6\u00e9.png", "\u30d5\u3099e\u0301.png"
    assert Judgements({composed: 1}).gains([Hit(decomposed)]) == [1]
    assert Judgements({decomposed: 1}).gains([Hit(composed)]) == [1]


def test_number_signs_in_names_are_no_pages() -> None:
    judged = Judgements({"C# notes#3.txt": 1, "part#0": 2})
    assert judged.gains([Hit("C# notes#3.txt"), Hit("part#0"), Hit("C# notes")]) == [1, 2, 0]


def test_absolute_documents_and_equal_names_under_two_roots() -> None:
    judged = Judgements({"/archive/a.png": 1})
    assert judged.gains([Hit("a.png"), Hit("a.png", root="/archive")]) == [0, 1]
