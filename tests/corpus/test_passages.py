"""Passages: sizes, borders, order, and nothing lost."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from cmrcli.corpus.passages import MAX_PASSAGES, MAX_WIDTH, MIN_WIDTH, split_passages, width

ENGLISH = [
    "The flange is machined from 1.4301 stainless steel.",
    "Tolerances follow ISO 2768-m unless noted otherwise; surface roughness is Ra 3.2.",
    "Use bolt M8 x 25, see e.g. drawing A-1023-02!",
    "Is the bearing housing vented?",
]
JAPANESE = [
    "本図面はポンプの軸受ハウジングを示す。",
    "材質はFC250、表面処理は塗装とする。",
    "寸法公差はJIS B 0405-mによる！",
    "ボルトM8で固定すること。",
]
texts = st.lists(
    st.one_of(
        st.sampled_from([*ENGLISH, *JAPANESE, "12.5", "R10", "----", "\n", "\n\n", "\t"]),
        st.text(alphabet=st.characters(), max_size=40),
        st.text(alphabet="abcdefg -軸受", min_size=300, max_size=1200),
    ),
    max_size=30,
).map(" ".join)


def bare(text: str) -> str:
    """What must survive: everything but whitespace, control characters and repeated leaders."""
    text = re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u200b]", " ", text)
    return re.sub(r"([.·…‥・_=*-])\1{2,}", r"\1\1\1", "".join(text.split()))


@settings(max_examples=60, deadline=None)
@given(texts)
def test_passages_are_bounded_and_clean(text: str) -> None:
    passages = split_passages(text)
    assert len(passages) <= MAX_PASSAGES
    for passage in passages:
        assert 0 < width(passage) <= MAX_WIDTH
        assert passage == " ".join(passage.split())
        passage.encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(texts)
def test_passages_are_the_text_in_order(text: str) -> None:
    passages = split_passages(text)
    rest = bare(text)
    for passage in passages:
        head, found, rest = rest.partition(bare(passage))
        assert found
        # Only stretches without a letter are left out, unless there were too many passages.
        assert len(passages) == MAX_PASSAGES or not any(map(str.isalpha, head))
    assert len(passages) == MAX_PASSAGES or not any(map(str.isalpha, rest))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(ENGLISH + JAPANESE), min_size=30, max_size=60), st.sampled_from([" ", "\n"]))
def test_running_text_makes_full_passages_that_end_with_a_sentence(sentences: list[str], glue: str) -> None:
    passages = split_passages(glue.join(sentences))
    assert len(passages) > 1
    for passage in passages:
        assert passage.endswith((".", "!", "?", "。", "！"))
    for passage in passages[:-2]:
        assert width(passage) >= MIN_WIDTH
    # The last two share what is left: none is a stub.
    assert min(map(width, passages[-2:])) >= MIN_WIDTH / 3


def test_a_paragraph_is_a_better_border_than_a_sentence() -> None:
    first = " ".join(ENGLISH * 2)
    assert MIN_WIDTH < width(first) < MAX_WIDTH - 60
    assert split_passages(first + "\n\n" + " ".join(ENGLISH * 2))[0] == first


def test_wide_characters_count_twice() -> None:
    passages = split_passages("".join(JAPANESE) * 10)
    assert width("軸A") == 3
    assert max(map(len, passages)) <= MAX_WIDTH // 2 + 60  # some Latin among the Japanese
    assert len(passages) >= 3


def test_lines_of_japanese_join_without_a_space_and_english_with_one() -> None:
    assert split_passages("ボルトM8で固定\nすること。") == ["ボルトM8で固定すること。"]
    assert split_passages("hex flange\nbolt") == ["hex flange bolt"]


def test_numbers_alone_are_left_out_unless_they_are_all() -> None:
    figures = "12.5 30 45 7\n" * 60
    words = " ".join(ENGLISH * 3)
    assert all(any(map(str.isalpha, p)) for p in split_passages(figures + "\n" + words))
    assert split_passages("12.5 30") == ["12.5 30"]
    assert len(split_passages(figures)) > 1


def test_many_passages_are_thinned_evenly() -> None:
    chapters = [f"Chapter {n} " + "describes the pump and its bearings in detail. " * 9 for n in range(300)]
    passages = split_passages("\n\n".join(chapters))
    assert len(passages) == MAX_PASSAGES
    numbers = [int(found[1]) for p in passages if (found := re.search(r"Chapter (\d+)", p))]
    assert numbers == sorted(numbers)
    assert numbers[0] < 15 and numbers[-1] > 285


def test_one_endless_word_is_cut_bluntly() -> None:
    passages = split_passages("x" * 2_000)
    assert "".join(passages) == "x" * 2_000
    assert max(map(len, passages)) <= MAX_WIDTH


def test_leader_dots_shrink() -> None:
    assert split_passages("Scope . . . . . . . . 12\nParts ............3") == ["Scope ... 12 Parts ...3"]


def test_nothing_gives_nothing() -> None:
    assert split_passages("") == split_passages(" \n\t\u3000") == []
