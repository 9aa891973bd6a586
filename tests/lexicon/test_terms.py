"""The bilingual table: its form, and a few translations that must be right."""

import re
import unicodedata
from importlib.resources import files

from cmrcli.lexicon import Term, load_terms

COLUMNS = Term._fields
CATEGORIES = {
    "civil",
    "document",
    "drawing",
    "electrical",
    "electronic",
    "everyday",
    "fastener",
    "hydraulic",
    "laboratory",
    "logistics",
    "machining",
    "material",
    "mechanical",
    "piping",
    "safety",
    "tool",
    "welding",
}
JAPANESE = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]")
# Hiragana and katakana "he" look alike; one between letters of the other script is a typing error.
CONFUSED_HE = re.compile(r"[ァ-ヺ][へべぺ]|[へべぺ][ァ-ヺ]|[ぁ-ゖ][ヘベペ][ぁ-ゖ]")
MAX_DEFINITION_WORDS = 14
# Words that truly name two things: each heads one line and is an alternative of the line named here.
HOMONYMS = {
    "平面図": "floor plan",
    "部品表": "bill of materials",
    "ブッシング": "bushing",
    "ラック": "storage rack",
    "bill of materials": "parts list",
    "blueprint": "design drawing",
    "car": "corrective action report",
    "chip": "integrated circuit",
    "condenser": "capacitor",
    "die": "mold",
    "muffler": "silencer",
    "packing": "packaging",
    "saw": "submerged arc welding",
    "scale": "weighing scale",
    "silencer": "muffler",
    "slope": "gradient",
    "tap": "faucet",
    "tin": "can",
    "undercut": "weld undercut",
    "welder": "welding machine",
}


def _lines() -> list[str]:
    return files("cmrcli.lexicon").joinpath("terms.tsv").read_text(encoding="utf-8").split("\n")


def _names(term: Term) -> tuple[str, ...]:
    return (term.en, term.ja, *term.ja_variants, *term.synonyms)


def test_every_line_has_the_columns_of_the_header() -> None:
    *lines, after_last_newline = _lines()
    assert after_last_newline == ""
    assert tuple(lines[0].split("\t")) == COLUMNS
    assert [line for line in lines if line.count("\t") != len(COLUMNS) - 1] == []


def test_the_table_is_loaded_whole_and_in_order() -> None:
    assert [term.en for term in load_terms()] == [line.split("\t")[0] for line in _lines()[1:-1]]
    assert len(load_terms()) >= 3000


def test_every_category_is_known_and_used() -> None:
    assert {term.category for term in load_terms()} == CATEGORIES


def test_no_english_term_appears_twice() -> None:
    terms = [term.en.casefold() for term in load_terms()]
    assert sorted(terms) == sorted(set(terms))


def test_no_japanese_term_heads_two_lines() -> None:
    terms = [term.ja for term in load_terms()]
    assert sorted(terms) == sorted(set(terms))


def test_scripts_are_where_they_belong() -> None:
    for term in load_terms():
        assert JAPANESE.search(term.ja), term
        assert not any(JAPANESE.search(text) for text in (term.en, term.definition, *term.synonyms)), term
        assert not any(CONFUSED_HE.search(text) for text in (term.ja, *term.ja_variants)), term


def test_text_is_clean() -> None:
    for term in load_terms():
        for text in (*_names(term), term.definition):
            assert text, term
            assert text == " ".join(text.split()), term
            assert text == unicodedata.normalize("NFC", text), term
            assert "|" not in text and ";" not in text, term


def test_definitions_are_short_phrases() -> None:
    for term in load_terms():
        assert 1 < len(term.definition.split()) <= MAX_DEFINITION_WORDS, term
        assert not term.definition.endswith("."), term


def test_alternatives_add_something() -> None:
    for term in load_terms():
        assert term.ja not in term.ja_variants, term
        assert term.en not in term.synonyms, term
        assert len(set(term.ja_variants)) == len(term.ja_variants), term
        assert len(set(term.synonyms)) == len(term.synonyms), term


def test_a_name_that_heads_a_line_belongs_to_that_line() -> None:
    heads = {name.casefold() for term in load_terms() for name in (term.en, term.ja)}
    taken = {
        (name.casefold(), term.en)
        for term in load_terms()
        for name in (*term.ja_variants, *term.synonyms)
        if name.casefold() in heads - {term.en.casefold(), term.ja.casefold()}
    }
    assert taken == set(HOMONYMS.items())


def test_known_translations() -> None:
    english = {name: term.en for term in reversed(load_terms()) for name in (term.ja, *term.ja_variants)}
    assert english["六角フランジボルト"] == "hex flange bolt"
    assert english["フランジ付き六角ボルト"] == "hex flange bolt"
    assert english["平歯車"] == "spur gear"
    assert english["プリント配線板"] == "printed circuit board"
    assert english["間取り図"] == "floor plan"
    assert english["表題欄"] == "title block"
    assert english["モータ"] == english["モーター"] == "electric motor"
    assert english["水晶振動子"] == "quartz crystal unit"
    assert english["水晶発振器"] == "crystal oscillator"
    assert english["ナスフラスコ"] == "pear-shaped flask"
    assert english["丸底フラスコ"] == "round-bottom flask"
    assert english["風道"] == "duct"
    assert english["風洞"] == "wind tunnel"
    assert english["電磁接触器"] == "electromagnetic contactor"
    assert english["マグネットスイッチ"] == "motor starter"
    assert english["側溝"] == "gutter"
    assert english["雨樋"] == "eaves gutter"
    assert english["分銅"] == "calibration weight"
    assert english["南京錠"] == "padlock"
    assert english["最大許容寸法"] == "upper limit"
    assert english["理論的に正確な寸法"] == "theoretically exact dimension"
    assert english["消しゴム"] == "eraser"
    assert english["バフ研磨"] == "buffing"
    assert english["軟窒化"] == "gas nitrocarburizing"
    assert english["取鍋"] == "foundry ladle"
    assert english["炎"] == "flame"


def test_a_term_is_read_field_by_field() -> None:
    term = next(term for term in load_terms() if term.en == "hex flange bolt")
    assert term.ja == "六角フランジボルト"
    assert "ろっかくふらんじぼると" in term.ja_variants
    assert "flange bolt" in term.synonyms
    assert term.category == "fastener"
    assert "head" in term.definition
