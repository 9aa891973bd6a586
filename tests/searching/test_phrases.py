"""Queries taken apart: two things are two phrases, one thing is one, in English and Japanese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmrcli.lexicon import load_terms
from cmrcli.searching.phrases import MAX_PHRASES, phrases

APART = {
    "flange with a spring in the corner": ["flange", "spring"],
    "stepped shaft, hinge in the upper left corner": ["stepped shaft", "hinge"],
    "drawing of a lever with U-bolt": ["drawing of a lever", "U-bolt"],
    "schematic and a small piston": ["schematic", "piston"],
    "a pump that has a handwheel": ["pump", "handwheel"],
    "flange (gasket), knob": ["flange", "gasket", "knob"],
    "flange, M8x25 and a gasket": ["flange", "gasket"],
    "rack and pinion with a motor": ["rack and pinion", "motor"],
    "Paris sewers; ancient latrines": ["Paris sewers", "ancient latrines"],
    "隅にばねのあるフランジ": ["ばね", "フランジ"],
    "右下に圧縮コイルばねがある取付板": ["圧縮コイルばね", "取付板"],
    "歯車とばね": ["歯車", "ばね"],
    "六角ボルトと平座金": ["六角ボルト", "平座金"],
    "ヒートシンク付きのエアシリンダの図面": ["ヒートシンク", "エアシリンダの図面"],
    "回路図、隅に小さなピストン": ["回路図", "ピストン"],
    "ポンプおよび弁": ["ポンプ", "弁"],
    "フランジ with a gasket": ["フランジ", "gasket"],
}
ONE_THING = (
    *("hex flange bolt", "nuts and bolts", "rack and pinion", "flange with six holes", "plate with 4 holes"),
    *("red and blue car", "black and white photo of a cat", "1,500 rpm motor", "on/off valve", "A-1023-02"),
    *("pump M8x25, SUS304", "piping and instrumentation diagram", "what is this", "a flange in the corner"),
    *("フランジ付き六角ボルト", "可とう電線管", "フランジの図面", "6個の穴があるフランジ", "炭素繊維強化プラスチック"),
    *("電源を切ること", "。", "と", "-", "with"),
)


@pytest.mark.parametrize("query", APART)
def test_two_things_are_two_phrases(query: str) -> None:
    assert phrases(query) == APART[query]


@pytest.mark.parametrize("query", ONE_THING)
def test_one_thing_stays_one(query: str) -> None:
    assert len(phrases(query)) == 1


def test_no_term_of_the_lexicon_is_taken_apart() -> None:
    names = {name for term in load_terms() for name in (term.en, term.ja, *term.ja_variants, *term.synonyms)}
    assert len(names) > 10_000
    assert [name for name in names if len(phrases(name)) > 1] == []


def test_a_long_list_gives_its_first_phrases() -> None:
    assert len(phrases(", ".join(f"part {letter}" for letter in "abcdefghijklmnop"))) == MAX_PHRASES


@given(st.text(alphabet="ab、と with,and()1 隅にのある付きの図 .\0", min_size=1))
def test_any_text_has_phrases_and_the_same_ones_again(text: str) -> None:
    found = phrases(text)
    assert 1 <= len(found) <= MAX_PHRASES and found == phrases(text)
    assert len(found) == 1 or all(phrase.strip() == phrase != "" for phrase in found)
