"""What the breakdowns of every format group queries by: language, length and modality."""

from __future__ import annotations

import re
import unicodedata

from cmrcli.searching.query import IMAGE_PREFIX

_KANA = "\u3041-\u309f\u30a0-\u30ff"
_KANJI = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_JAPANESE = re.compile(f"[{_KANA}{_KANJI}]")
_HIRAGANA = re.compile("[\u3041-\u309f]+")
_RUNS = re.compile(f"[{_KANJI}]+|[\u30a0-\u30ff]+|[^{_KANA}{_KANJI}]+")
_LENGTHS = ((1, "1 word"), (3, "2-3 words"), (7, "4-7 words"))
_LONGEST = "8+ words"


def groups_of(line: str) -> dict[str, str]:
    """The groups of a topic's line: `modality`, `length` and, for words, `language`.

    `language` is "ja" where any kana or kanji is, else "en". `length` counts `words`; a picture's is "image".
    """
    if line.startswith(IMAGE_PREFIX):
        return {"modality": "image", "length": "image"}
    count = words(line)
    length = next((name for most, name in _LENGTHS if count <= most), _LONGEST)
    return {"modality": "text", "length": length, "language": "ja" if _JAPANESE.search(_composed(line)) else "en"}


def words(text: str) -> int:
    """Words between blanks. Japanese, which has no blanks, is cut where the script changes.

    A run of kanji, of katakana, or of letters and digits is a word; hiragana between them are endings and particles
    and count only where nothing else stands. 六角ボルト M8 has three, 歯車の図面 two, はぐるま one.
    """
    return sum(_words_between_blanks(chunk) for chunk in _composed(text).split())


def _words_between_blanks(chunk: str) -> int:
    if not _JAPANESE.search(chunk):
        return int(any(c.isalnum() for c in chunk))
    runs = sum(any(c.isalnum() for c in run) for run in _RUNS.findall(chunk))
    return runs or int(_HIRAGANA.search(chunk) is not None)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
