"""The texts the text tower learns from: English ones, English-Japanese pairs, and what is held back.

The pack (`text/` of the training data) gives sentences, glosses, names and translations; the engineering lexicon gives
the words that users of a drawing office type. On top, made here: short requests ("drawing of a flange"), keyword lists
and names with part numbers, because a tower that saw only clean sentences does odd things with those.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import zstandard

from models.train.lexicon import Term, read_lexicon
from models.train.workspace import DATA, SEED, fraction

HELD_ENGLISH = 2_000
HELD_PAIRS = 1_000
ASKED_WORDS = 4_000
ENGLISH_LINES = 100_000  # of the pack's 315,000: English is there from the start and is only kept
REQUESTS = (
    "drawing of a {}", "{} drawing", "technical drawing of a {}", "a photo of a {}", "picture of a {}", "{} icon",
    "{} symbol", "diagram of a {}", "a sketch of the {}", "{} with dimensions", "sectional view of a {}", "{} part",
    "show me a {}", "rendering of a {}", "blueprint of a {}", "schematic of the {}",
)  # fmt: skip
JAPANESE_REQUESTS = (
    ("{}の図面", "drawing of a {}"), ("{}の写真", "a photo of a {}"), ("{} 図面", "{} drawing"),
    ("{}の記号", "{} symbol"),
    ("{}のアイコン", "{} icon"), ("{}の断面図", "sectional view of a {}"), ("{}の図", "diagram of a {}"),
)  # fmt: skip
MATERIALS = ("S45C", "SUS304", "A5052", "SS400", "FC250", "C3604", "POM", "S355", "AlMg3", "ABS", "SCM440", "PVC")


@dataclass(frozen=True)
class Texts:
    """What is trained on and what is held back. A pair is (English, Japanese); the target is the English embedding."""

    english: list[str]
    pairs: list[tuple[str, str]]
    lexicon_pairs: list[tuple[str, str]]
    held_english: list[str]
    held_pairs: list[tuple[str, str]]


def read_texts() -> Texts:
    """All training and held-back texts; the same ones in every run, but for a lexicon that has grown."""
    lines = unpack(DATA / "text" / "en.txt.zst")
    rows = [line.split("\t") for line in unpack(DATA / "text" / "enja.tsv.zst")]
    sentences = sorted((row for row in rows if row[2] == "small_parallel_enja"), key=lambda r: fraction(r[1], "pairs"))
    held_pairs, seen = [], set[str]()
    for english, japanese, _ in sentences:
        if len(held_pairs) < HELD_PAIRS and english not in seen and japanese not in seen:
            held_pairs.append((english, japanese))
            seen |= {english, japanese}
    pairs = [(row[0], row[1]) for row in rows if row[0] not in seen and row[1] not in seen]
    names = [(row[0], row[1]) for row in rows if row[2] in ("cldr-name", "jlpt") and len(row[0]) < 24]
    pairs += _asked_pairs(sorted(names, key=lambda pair: fraction(pair[1], "asked"))[:ASKED_WORDS])
    ordered = sorted(lines, key=lambda line: fraction(line, "english"))
    held_english = [line for line in ordered if line not in seen][:HELD_ENGLISH]
    seen |= set(held_english)
    english = [line for line in ordered if line not in seen][:ENGLISH_LINES]
    terms = read_lexicon()
    english += _made_requests(english, terms)
    english += [text for term in terms for text in _term_texts(term)]
    english = [text for text in dict.fromkeys(english) if text not in seen]
    return Texts(english, pairs, _lexicon_pairs(terms), held_english, held_pairs)


def unpack(path: Path) -> list[str]:
    """The lines of a zstandard-packed text file."""
    data = zstandard.ZstdDecompressor().decompress(path.read_bytes(), max_output_size=1 << 28)
    return data.decode("utf-8").splitlines()


def _term_texts(term: Term) -> list[str]:
    texts = list(term.english)
    if term.definition:
        texts += [f"{term.english[0]}: {term.definition}", term.definition]
    return texts


def _lexicon_pairs(terms: list[Term]) -> list[tuple[str, str]]:
    """Every writing of every term: alone, as a request, beside a part number, beside another term, as a synonym."""
    chance = random.Random(SEED)
    pairs = []
    for term in terms:
        for japanese in term.japanese:
            pairs.append((term.english[0], japanese))
            wanted, meant = chance.choice(JAPANESE_REQUESTS)
            pairs.append((meant.format(term.english[0]), wanted.format(japanese)))
    chance = random.Random(SEED + 2)
    for term in terms:
        for english in term.english[1:3]:
            pairs.append((english, chance.choice(term.japanese)))
        wanted, meant = chance.choice(JAPANESE_REQUESTS)
        pairs.append((meant.format(term.english[0]), wanted.format(chance.choice(term.japanese))))
        written = _with_part_number("{}", chance)
        pairs.append((written.format(term.english[0]), written.format(term.japanese[0])))
        other = chance.choice(terms)
        pairs.append((f"{term.english[0]} {other.english[0]}", f"{term.japanese[0]} {other.japanese[0]}"))
        pairs.append((f"{term.english[0]} and {other.english[0]}", f"{term.japanese[0]}と{other.japanese[0]}"))
    return pairs


def _asked_pairs(words: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Requests over everyday words, so that a request does not mean engineering."""
    chance = random.Random(SEED + 3)
    made = []
    for english, japanese in words:
        wanted, meant = chance.choice(JAPANESE_REQUESTS)
        made.append((meant.format(english), wanted.format(japanese)))
    return made


def _made_requests(lines: list[str], terms: list[Term]) -> list[str]:
    """Requests over names of the pack, then over the lexicon: a grown lexicon leaves the first ones as they were."""
    names = [line for line in lines if len(line) <= 32 and line.count(" ") < 4 and not set(line) & set(":.;?!")]
    words = [text for term in terms for text in term.english]
    made = _requests(names, 20_000, random.Random(SEED))
    return made + (_requests(words, 4 * len(words), random.Random(SEED + 1)) if words else [])


def _requests(names: list[str], count: int, chance: random.Random) -> list[str]:
    made = [chance.choice(REQUESTS).format(chance.choice(names)) for _ in range(count)]
    made += [chance.choice((" ", ", ", " and ")).join(chance.choices(names, k=2)) for _ in range(count // 2)]
    return made + [_with_part_number(chance.choice(names), chance) for _ in range(count // 2)]


def _with_part_number(name: str, chance: random.Random) -> str:
    letters = "".join(chance.choices("ABCDEFGHKLMNPRSTWX", k=chance.randint(1, 3)))
    number = f"{letters}{chance.choice(('-', '', ' '))}{chance.randint(10, 99999)}"
    extra = chance.choice((
        f"M{chance.choice((3, 4, 5, 6, 8, 10, 12, 16, 20))}", f"DN{chance.choice((15, 25, 50, 80, 100))}",
        chance.choice(MATERIALS), f"rev {chance.choice('ABCDEF')}", f"{chance.randint(1, 400)} mm", "",
    ))  # fmt: skip
    parts = [name, number, extra]
    chance.shuffle(parts)
    return " ".join(part for part in parts if part)
