"""The phrases of a query: the things it names, each to be looked for in its own part of a drawing or text.

"flange with a spring in the corner" and 隅にばねのあるフランジ both name two things. Cuts are made by rule, at
punctuation and at words that join things; never inside part numbers, numbers, terms that only sound like two things
("rack and pinion", フランジ付きボルト), or before an attribute ("flange with six holes", "red and blue"). Where on the
sheet something is ("in the upper left corner", 右下に) and that it is small are no things: they are left out.
"""

from __future__ import annotations

import re
import unicodedata

from cmrcli.searching.query import looks_like_code

MAX_PHRASES = 8  # the first ones of a longer query: each costs a vector and a pass over the codes

# Pairs that are one thing. Left as they are wherever they stand.
_PAIRS = re.compile(
    r"\b(?:(?:nuts?|screws?|bolts?) and (?:nuts?|bolts?|washers?|screws?)|rack and pinion|pick and place"
    r"|plug and socket|ball and socket|ball and spigot|bell and spigot|tongue and groove|tool and cutter|cam and groove"
    r"|side and face|boring and turning|quenching and tempering|hardening and tempering|shell and tube"
    r"|hook and (?:eye|loop)"
    r"|piping and instrument(?:ation)?|boiler and heat|point(?:ing)? and call(?:ing)?|cause and effect"
    r"|skull and crossbones|mortar and pestle|storage and retrieval|mode and effects|lock and key|block and tackle"
    r"|hot and cold|up and down|left and right|top and bottom|inlet and outlet|on and off|supply and return"
    r"|research and development|plan and elevation|taper pin with split|motor with brake|pin with knob"
    r"|chain with attachments|handle with care|circle with slash|extinguish with water)\b",
    re.IGNORECASE,
)
_QUALITY = (
    r"red|green|blue|yellow|black|white|grey|gray|orange|brown|purple|pink|small|large|big|old|new|long|short|thin|thick"
    r"|light|dark|round|square|male|female|left|right|upper|lower|front|rear|inner|outer|single|double"
)
_NUMBER = r"\d|one\b|two\b|three\b|four\b|five\b|six\b|seven\b|eight\b|nine\b|ten\b|twelve\b|several\b|many\b|no\b"
_PLACE_EN = re.compile(
    r"\b(?:in|at|on|near|towards?|to)\s+(?:the|one|a|an|its|each)?\s*"
    r"(?:(?:upper|lower|top|bottom|left|right|far|-)[\s-]*)*(?:hand\s+)?"
    r"(?:corners?|top|bottom|left|right|middle|centre|center|side|edge)\b"
    r"(?:\s+of\s+(?:the|a)\s+(?:sheet|drawing|page|picture|image))?",
    re.IGNORECASE,
)
_JOIN_EN = re.compile(
    r"\s*[;；]\s*|\s*,\s+|\s*[()（）]\s*|(?<=[^\s.]{3})[.!?]\s+|\s+[–—/+&]\s+"
    r"|,?\s+(?:as well as|together with|along with|next to|beside|besides|plus|including|containing"
    r"|(?:that|which) (?:has|have|shows?|contains?|includes?)|inside of)\s+"
    rf"|,?\s+(?:with|having|featuring)\s+(?!(?:{_NUMBER}))"
    r"|,?\s+and\s+(?:then\s+)?",
    re.IGNORECASE,
)
_LEADING_EN = re.compile(
    r"^(?:(?:and|or|with|an?|the|one|some|small|little|tiny|also|there is)\s+)+(?=\S)|^(?:there\s+is\s+)", re.IGNORECASE
)
_EMPTY_EN = re.compile(r"(?:and|or|with|an?|the|of|in|on|at|detail|small|etc\.?)?", re.IGNORECASE)

# What ends a word before a particle: Chinese characters, katakana with its long mark, letters, digits, brackets.
_WORDS_END = "一-鿿々ァ-ヺーｦ-ﾟA-Za-z0-9）」』"
_THINGS = "一-鿿ァ-ヺA-Za-z0-9「『"
_KANA_THINGS = "ばね|ねじ|つまみ|かさ歯車|はすば|ころ|ちょうねじ|ちょうナット|おねじ|めねじ"
_PLACE_JA = re.compile(
    r"(?:図面|図|シート|紙面|画面)?の?(?:(?:右|左)?[上下]|[右左])?の?(?:隅|すみ|角|かど|コーナー?|端)(?:の方)?(?:に|の|で|には)"
    r"|(?:図面|図|シート|紙面)の?(?:(?:右|左)?[上下]|[右左])(?:に|の)|(?:(?:右|左)[上下])(?:に|の)"
)
_SMALL_JA = re.compile(r"小さ(?:な|い)|ちいさな")
_JOIN_JA = re.compile(
    r"[、，；。（）]"
    r"|(?:および|及び|並びに|ならびに|それに|それから)"
    r"|(?:付きの|つきの|入りの|の入った|が入った|の(?:付|つ)いた|が(?:付|つ)いた|のある|がある|を持つ|をもつ|を備えた|を含む"
    r"|が(?:描|書|えが)かれた|の(?:描|えが)かれた|が(?:見え|載)る|が載った|を伴う|とともに|と共に|と一緒に)"
    rf"|(?<!ラック)(?<=[{_WORDS_END}])と(?=[{_THINGS}]|(?:{_KANA_THINGS}))"
    rf"|(?<=ばね)と(?=[{_THINGS}]|(?:{_KANA_THINGS}))|(?<=ねじ)と(?=[{_THINGS}]|(?:{_KANA_THINGS}))"
    rf"|(?<=つまみ)と(?=[{_THINGS}]|(?:{_KANA_THINGS}))"
)
_STOPS_JA = frozenset("、，；。（）")
_COUNTED_JA = re.compile(r"(?:\d|[一二三四五六七八九十]+[つ個本箇ヶか]|複数の|多数の)")
_EMPTY_JA = re.compile(r"(?:図面?|の図面?|写真|もの|部品|詳細)?")


def phrases(text: str) -> list[str]:
    """The phrases of a query in order, at most MAX_PHRASES; [text] alone when it names one thing.

    >>> phrases("flange with a spring in the corner")
    ['flange', 'spring']
    >>> phrases("隅にばねのあるフランジ")
    ['ばね', 'フランジ']
    >>> phrases("rack and pinion, M8x25")
    ['rack and pinion, M8x25']
    """
    whole = " ".join(text.split())
    plain = unicodedata.normalize("NFKC", whole) if whole.isascii() else whole
    found: list[str] = []
    for part in _english(plain):
        for phrase in _japanese(part):
            # Vectors know nothing of part numbers: words look for those.
            if any(map(str.isalpha, phrase)) and not looks_like_code(phrase) and phrase not in found:
                found.append(phrase)
    return found[:MAX_PHRASES] if len(found) > 1 else [whole]


def _english(text: str) -> list[str]:
    kept = _PAIRS.sub(lambda pair: pair[0].replace(" ", "\0"), text)
    kept = re.sub(rf"\b({_QUALITY}) and (?=(?:{_QUALITY})\b)", "\\1\0and\0", kept, flags=re.IGNORECASE)
    kept = _PLACE_EN.sub(" , ", kept)
    parts = []
    for part in _JOIN_EN.split(kept):
        phrase = _LEADING_EN.sub("", part.strip(" ,.;:")).replace("\0", " ").strip()
        if not _EMPTY_EN.fullmatch(phrase):
            parts.append(phrase)
    return parts


def _japanese(text: str) -> list[str]:
    if text.isascii():
        return [text]
    cut = _SMALL_JA.sub("", _PLACE_JA.sub("、", text))
    parts, start = [], 0
    for join in _JOIN_JA.finditer(cut):
        if join[0] not in _STOPS_JA and _COUNTED_JA.match(cut, start):  # 6個の穴がある: how many, not another thing
            continue
        parts.append(cut[start : join.start()])
        start = join.end()
    stripped = [part.strip(" \u3000のにを") for part in (*parts, cut[start:])]
    return [part for part in stripped if not _EMPTY_JA.fullmatch(part)]
