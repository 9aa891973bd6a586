"""A made-up engineering office among real pictures, and mixed questions to both, for the benchmarks of fusion.

The corpus: cmrcli.samples' office (drawings, scans, photos, specifications, notes; read and indexed by `cmrcli index`)
and all pictures of ../shared/data/dev that have a name or a caption (dev_index.py), the figures among these with their
printed caption as a text. Names of picture files tell nothing.

The questions, by what they ask:

part number            of every drawing with words, its spelling changing from one to the next (SPELLINGS)
English description    a sentence about a part, without its number, for its drawings and photos
Japanese description   the same
English, Japanese lexicon term    another name of the part, one that the office does not use
question to a document            those of cmrcli.samples
file name              of a document, note or scan, without its ending, its signs as spaces
caption                a figure's alternative text, for the figure with the printed caption
English, Japanese name            of an icon, symbol, emoji, stencil, photo or product, for the pictures named so

Parts are split into halves by their family, documents by their path, pictures as dev_index.py does.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cmrcli.encoders.dual import DualEncoder
from cmrcli.lexicon import load_terms
from cmrcli.samples.corpus import write_corpus
from cmrcli.samples.part import Part
from cmrcli.samples.plan import QUOTED, Entry, corpus_part, plan, truth
from cmrcli.searching.query import IMAGE_PREFIX, looks_like_code
from tests.bench import dev_index
from tests.bench.dev_index import Pictures, Words, by_first_name, evenly, number_of, text_vectors
from tests.bench.measure import CACHE, REPOSITORY, cmrcli
from tests.bench.measure import run as run_once

SEED = 11
OFFICE = CACHE / "mixed-office"
MOST = 50  # questions of one sort in one half
DRAWN = ("pdf", "dxf", "svg")  # drawings whose words can be read
PICTURED = (*DRAWN, "scan", "tiff", "photo")
CAPTION_TRIES = 50

# A part number A-1234B as people write it: as it is, small, in full width, with a typographic hyphen, run together,
# with a space.
SPELLINGS = (
    lambda number: number,
    str.lower,
    lambda number: "".join(chr(ord(sign) + 0xFEE0) for sign in number),
    lambda number: number.replace("-", "\u2010"),
    lambda number: number.replace("-", "").lower(),
    lambda number: number.replace("-", " "),
)


@dataclass(frozen=True, slots=True)
class Question:
    """One query.

    Attributes:
        half: "choose" or "report".
        right: the documents that answer it: paths in the office, or numbers of pictures as text; empty where the corpus
            has none.
    """

    sort: str
    half: str
    text: str
    right: frozenset[str]


def write_index(folder: Path, asked: DualEncoder, pictures: Pictures, left_out: frozenset[int] = frozenset()) -> None:
    """The corpus as the index `folder`/index, without the pictures of these numbers; the office itself is `OFFICE`."""
    shutil.copytree(_office_index(asked), folder / "index")
    numbers = [number for number, row in enumerate(pictures.rows) if row["names"] or row["captions"]]
    figures = {number: _captions(pictures, number)[1] for number in numbers if _captions(pictures, number)[1]}
    vectors = text_vectors(asked, figures.values())
    words = {number: Words(text, vectors[text]) for number, text in figures.items()}
    dev_index.make_index(folder, asked, pictures, [one for one in numbers if one not in left_out], words)


def _office_index(asked: DualEncoder) -> Path:
    """The index of the office, made now or kept from a run with the same encoder and the same readers and store."""
    rooms = ("corpus", "indexing", "samples", "store")
    sources = [path for room in rooms for path in sorted((REPOSITORY / "cmrcli" / room).rglob("*.py"))]
    key = hashlib.sha256(asked.manifest.digest.encode() + b"".join(path.read_bytes() for path in sources)).hexdigest()
    kept = CACHE / f"mixed-office-{key[:12]}"
    if not kept.is_dir():
        for old in CACHE.glob("mixed-office*"):
            shutil.rmtree(old)
        write_corpus(OFFICE, SEED)
        beside = CACHE / "mixed-office.unfinished"
        run_once(cmrcli("index", OFFICE, "--index", beside))
        beside.rename(kept)
    return kept


def questions(pictures: Pictures) -> list[Question]:
    """All of them, the same every time; at most MOST of a sort in a half."""
    sorted_out: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for question in (*_about_parts(), *_about_documents(), *_about_pictures(pictures)):
        sorted_out[question.sort, question.half][question.text] |= question.right
    return [
        Question(sort, half, text, frozenset(asked[text]))
        for (sort, half), asked in sorted(sorted_out.items())
        for text in evenly(asked, MOST, f"{sort} question")
    ]


def absent_part_numbers(count: int) -> list[str]:
    """Part numbers as the office writes them, of parts that it does not have."""
    known = {corpus_part(family, SEED).part_number for entry in plan(SEED) for family in entry.families}
    families = sorted({family for entry in plan(SEED) for family in entry.families})
    made = (
        corpus_part(families[n % len(families)], SEED + 1 + n // len(families)).part_number for n in range(4 * count)
    )
    return [
        SPELLINGS[n % len(SPELLINGS)](number) for n, number in enumerate(dict.fromkeys(made)) if number not in known
    ][:count]


def document(paths: Iterable[str]) -> str:
    """The document that a result's paths (equal bytes) are."""
    names = []
    for path in paths:
        number = number_of(path)
        names.append(str(number) if number is not None else os.path.relpath(path, OFFICE))
    return min(_copies().get(name, name) for name in names)


@cache
def _copies() -> dict[str, str]:
    return {entry.relpath: entry.source for entry in plan(SEED) if entry.form == "copy"}


# -- parts and documents ------------------------------------------------------------------------------------------


def _about_parts() -> Iterator[Question]:
    shown: dict[str, list[Entry]] = defaultdict(list)
    for entry in plan(SEED):
        if entry.form in PICTURED:
            for family in entry.families:
                shown[family].append(entry)
    other = _other_names()
    for place, (family, entries) in enumerate(sorted(shown.items())):
        part, half = corpus_part(family, SEED), _half(family)
        right = frozenset(entry.relpath for entry in entries)
        drawn = {entry.relpath for entry in entries if entry.form in DRAWN}
        if drawn:
            said = drawn | {path for path, families in _quotations().items() if family in families}
            spelled = SPELLINGS[place % len(SPELLINGS)](part.part_number)
            yield Question("part number", half, spelled, frozenset(said))
        yield Question("English description", half, _described(part, "en"), right)
        yield Question("Japanese description", half, _described(part, "ja"), right)
        for name in other.get(family, ()):
            language = "English" if name.isascii() else "Japanese"
            yield Question(f"{language} lexicon term", half, name, right)


def _quotations() -> dict[str, tuple[str, ...]]:
    """Path -> families whose part numbers a quotation lists."""
    return {entry.relpath: entry.families for entry in plan(SEED) if entry.families in QUOTED}


def _described(part: Part, language: str) -> str:
    """A sentence that does not say the part's number."""
    say = part.caption_en if language == "en" else part.caption_ja
    return next(text for seed in range(CAPTION_TRIES) if part.part_number not in (text := say(seed)))


def _other_names() -> dict[str, list[str]]:
    """Family -> what the lexicon calls it besides, at most two names in each language that the samples do not use."""
    families = {family for entry in plan(SEED) if entry.form in PICTURED for family in entry.families}
    parts = {family: corpus_part(family, SEED).spec for family in families}
    used = {name.lower() for spec in parts.values() for name in (*spec.en, *spec.ja)}
    found: dict[str, list[str]] = {}
    for family, spec in sorted(parts.items()):
        terms = [term for term in load_terms() if term.en.lower() == spec.en[0].lower() or term.ja == spec.ja[0]]
        names = {name for term in terms for name in (term.en, term.ja, *term.synonyms, *term.ja_variants)}
        fresh = [name for name in names if name.lower() not in used]
        for english in (True, False):
            found.setdefault(family, []).extend(
                evenly((name for name in fresh if name.isascii() == english), 2, "lexicon question")
            )
    return found


def _about_documents() -> Iterator[Question]:
    for text, relpath in truth(SEED):
        drawn = relpath.startswith(("drawings/", "scans/", "図面/", "photos/"))
        if not text.startswith(IMAGE_PREFIX) and not looks_like_code(text) and not drawn:
            yield Question("question to a document", _half(relpath), text, frozenset([relpath]))
    for entry in plan(SEED):
        if entry.form in ("document", "note", "scan", "tiff"):
            name = entry.relpath.rpartition("/")[2].rpartition(".")[0]
            spelled = name.replace("_", " ").replace("-", " ").lower()
            yield Question("file name", _half(entry.relpath), spelled, frozenset([entry.relpath]))


def _half(key: str) -> str:
    from models.train.workspace import fraction

    return "choose" if fraction(key, "office half") < 0.5 else "report"


# -- pictures -----------------------------------------------------------------------------------------------------


def _about_pictures(pictures: Pictures) -> Iterator[Question]:
    for half in dev_index.HALVES:
        for number in pictures.of(half, "figure"):
            asked, printed = _captions(pictures, number)
            if asked and printed:
                yield Question("caption", half, asked, frozenset([str(number)]))
        named = pictures.of(half, *dev_index.SORTS)
        for language in ("English", "Japanese"):
            for name, right in by_first_name(pictures, named, language == "Japanese").items():
                yield Question(f"{language} name", half, name, frozenset(map(str, right)))


def _captions(pictures: Pictures, number: int) -> tuple[str, str]:
    """The first sentence of a figure's alternative text, and the last of its printed caption; "" where there is one."""
    row = pictures.rows[number]
    captions = row["captions"] or []
    return (captions[0], captions[-1]) if row["kind"] == "figure" and len(captions) > 1 else ("", "")
