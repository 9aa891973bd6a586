"""The phrases of a query: the things it names, each to be looked for in its own part of a drawing or text.

"flange with a spring in the corner" and 隅にばねのあるフランジ both name two things. Cuts are made by rule, at
punctuation and at words that join things; never inside part numbers, numbers, terms that only sound like two things
("rack and pinion", フランジ付きボルト), or before an attribute ("flange with six holes", "red and blue"). Where on the
sheet something is ("in the upper left corner", 右下に) and that it is small are no things: they are left out.
"""

from __future__ import annotations

import re

from cmrcli.searching.query import looks_like_code

MAX_PHRASES = 8  # the first ones of a longer query: each costs a vector and a pass over the codes

# The rules below are strings: compiled at the first query that holds one of these, because most hold none and a
# one-shot search should not pay for that.
_HINTS_EN = (
    *(", ", "; ", "；", "(", "（", ". ", "! ", "? ", " / ", " & ", " + ", " – ", " — ", " and ", " with ", " plus "),
    *(
        " having ",
        " featuring ",
        " includ",
        " contain",
        " as well as ",
        " together ",
        " along ",
        " next to ",
        " beside",
    ),
    *(" that ", " which ", " inside of "),
)
_HINTS_JA = (
    *(
        "、",
        "，",
        "；",
        "。",
        "（",
        "）",
        "と",
        "お",
        "及",
        "並",
        "なら",
        "それ",
        "付",
        "つき",
        "つい",
        "入",
        "ある",
        "持つ",
    ),
    *("もつ", "備え", "含む", "描", "書", "えが", "見え", "載", "伴", "隅", "角", "端", "コーナ", "上", "下"),
)

# Pairs that are one thing. Left as they are wherever they stand.
_PAIRS = (
    r"\b(?:(?:nuts?|screws?|bolts?) and (?:nuts?|bolts?|washers?|screws?)|rack and pinion|pick and place"
    r"|plug and socket|ball and socket|ball and spigot|bell and spigot|tongue and groove|tool and cutter|cam and groove"
    r"|side and face|boring and turning|quenching and tempering|hardening and tempering|shell and tube"
    r"|hook and (?:eye|loop)"
    r"|piping and instrument(?:ation)?|boiler and heat|point(?:ing)? and call(?:ing)?|cause and effect"
    r"|skull and crossbones|mortar and pestle|storage and retrieval|mode and effects|lock and key|block and tackle"
    r"|hot and cold|up and down|left and right|top and bottom|inlet and outlet|on and off|supply and return"
    r"|research and development|plan and elevation|taper pin with split|motor with brake|pin with knob"
    r"|chain with attachments|handle with care|circle with slash|extinguish with water)\b"
)
_QUALITY = (
    r"red|green|blue|yellow|black|white|grey|gray|orange|brown|purple|pink|small|large|big|old|new|long|short|thin|thick"
    r"|light|dark|round|square|male|female|left|right|upper|lower|front|rear|inner|outer|single|double"
)
_NUMBER = r"\d|one\b|two\b|three\b|four\b|five\b|six\b|seven\b|eight\b|nine\b|ten\b|twelve\b|several\b|many\b|no\b"
_PLACE_EN = (
    r"\b(?:in|at|on|near|towards?|to)\s+(?:the|one|a|an|its|each)?\s*"
    r"(?:(?:upper|lower|top|bottom|left|right|far|-)[\s-]*)*(?:hand\s+)?"
    r"(?:corners?|top|bottom|left|right|middle|centre|center|side|edge)\b"
    r"(?:\s+of\s+(?:the|a)\s+(?:sheet|drawing|page|picture|image))?"
)
_JOIN_EN = (
    r"\s*[;；]\s*|\s*,\s+|\s*[()（）]\s*|(?<=[^\s.]{3})[.!?]\s+|\s+[–—/+&]\s+"
    r"|,?\s+(?:as well as|together with|along with|next to|beside|besides|plus|including|containing"
    r"|(?:that|which) (?:has|have|shows?|contains?|includes?)|inside of)\s+"
    rf"|,?\s+(?:with|having|featuring)\s+(?!(?:{_NUMBER}))"
    r"|,?\s+and\s+(?:then\s+)?"
)
_LEADING_EN = r"(?:(?:and|or|with|an?|the|one|some|small|little|tiny|also|there is)\s+)+(?=\S)"
_EMPTY_EN = r"(?:and|or|with|an?|the|of|in|on|at|detail|small|etc\.?)?"

_KANA_THINGS = ("ばね", "ねじ", "つまみ", "かさ歯車", "はすば", "ころ", "ちょう", "おねじ", "めねじ")
_PLACE_JA = (
    r"(?:図面|図|シート|紙面|画面)?の?(?:(?:右|左)?[上下]|[右左])?の?(?:隅|すみ|角|かど|コーナー?|端)(?:の方)?(?:に|の|で|には)"
    r"|(?:図面|図|シート|紙面)の?(?:(?:右|左)?[上下]|[右左])(?:に|の)|(?:(?:右|左)[上下])(?:に|の)"
)
_SMALL_JA = r"小さ(?:な|い)|ちいさな"
_JOIN_JA = (
    r"[、，；。（）]"
    r"|(?:および|及び|並びに|ならびに|それに|それから)"
    r"|(?:付きの|つきの|入りの|の入った|が入った|の(?:付|つ)いた|が(?:付|つ)いた|のある|がある|を持つ|をもつ|を備えた|を含む"
    r"|が(?:描|書|えが)かれた|の(?:描|えが)かれた|が(?:見え|載)る|が載った|を伴う|とともに|と共に|と一緒に)"
    r"|と"
)
_STOPS_JA = frozenset("、，；。（）")
_COUNTED_JA = r"(?:\d|[一二三四五六七八九十]+[つ個本箇ヶか]|複数の|多数の)"
_EMPTY_JA = r"(?:図面?|の図面?|写真|もの|部品|詳細)?"


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
    english = any(hint in f"{whole.lower()} " for hint in _HINTS_EN)
    japanese = not whole.isascii() and any(hint in whole for hint in _HINTS_JA)
    found: list[str] = []
    for part in _english(whole) if english else [whole]:
        for phrase in _japanese(part) if japanese else [part]:
            # Vectors know nothing of part numbers: words look for those.
            if any(map(str.isalpha, phrase)) and not looks_like_code(phrase) and phrase not in found:
                found.append(phrase)
    return found[:MAX_PHRASES] if len(found) > 1 else [whole]


def _english(text: str) -> list[str]:
    kept = re.sub(_PAIRS, lambda pair: pair[0].replace(" ", "\0"), text, flags=re.IGNORECASE)
    kept = re.sub(rf"\b({_QUALITY}) and (?=(?:{_QUALITY})\b)", "\\1\0and\0", kept, flags=re.IGNORECASE)
    kept = re.sub(_PLACE_EN, " , ", kept, flags=re.IGNORECASE)
    parts = []
    for part in re.split(_JOIN_EN, kept, flags=re.IGNORECASE):
        phrase = re.sub(f"^{_LEADING_EN}", "", part.strip(" ,.;:"), flags=re.IGNORECASE).replace("\0", " ").strip()
        if not re.fullmatch(_EMPTY_EN, phrase, flags=re.IGNORECASE):
            parts.append(phrase)
    return parts


def _japanese(text: str) -> list[str]:
    if text.isascii():
        return [text]
    counted = re.compile(_COUNTED_JA)
    cut = re.sub(_SMALL_JA, "", re.sub(_PLACE_JA, "、", text))
    parts, start = [], 0
    for join in re.finditer(_JOIN_JA, cut):
        if join[0] == "と" and not _joins_things(cut, join.start()):
            continue
        if join[0] not in _STOPS_JA and counted.match(cut, start):  # 6個の穴がある: how many, not another thing
            continue
        parts.append(cut[start : join.start()])
        start = join.end()
    stripped = [part.strip(" \u3000のにを") for part in (*parts, cut[start:])]
    return [part for part in stripped if not re.fullmatch(_EMPTY_JA, part)]


def _joins_things(text: str, place: int) -> bool:
    """Whether the と there stands between two names, and is not a part of one (可とう管, 切断といし)."""
    before, after = text[:place], text[place + 1 :]
    if before.endswith("ラック") and after.startswith("ピニオン"):
        return False
    ends = before[-1:] > "\u30a0" or (before[-1:].isalnum() and before[-1:] < "\u3040") or before.endswith(_KANA_THINGS)
    return ends and (
        after[:1] > "\u30a0" or (after[:1].isascii() and after[:1].isalnum()) or after.startswith(_KANA_THINGS)
    )
