"""Ground truth without labels: known-item search from a corpus's own links.

Each query is made of one item that it has to find again, and is told in a way in which repeating itself does not help:

passage -> page: a sentence of a page or text file. The inverse cloze task (Lee et al. 2019, arXiv:1906.00300): the
    passage with the sentence is withheld, and the others, which do not hold it, have to find the item (passages do not
    overlap). Where a page has no others its picture has to; a text file without others is not asked. The breakdown
    `left` tells the two apart.
title -> drawing: what a drawing calls itself. All its words are withheld; its picture is left.
crop -> picture, copy -> picture: a cut-out, and a smaller copy saved again, of a picture, drawing or page.

Withheld passages have no vectors and no words in that search, nor has the item's title (Withheld in the store). The
names of its file and folders stay, so a title that the path spells out is not asked. Nor is a sentence or title that
another item has too: it would not say which of them is meant. Figures are lower than those of people, who may well use
the very words, and comparable between modes, encoders and dates: an index that has grown a little is asked nearly the
same, and a query's id is a digest of what it asks, so that equal ids of two evaluations are the same question.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cmrcli.corpus.passages import width
from cmrcli.errors import UnreadableFile, UsageError
from cmrcli.evaluation.truth import Part, Topic, Truth
from cmrcli.evaluation.truths.altered import Alteration, AlterTask, Workshop
from cmrcli.evaluation.truths.groups import groups_of
from cmrcli.evaluation.truths.sentences import sentences_of
from cmrcli.searching.query import IMAGE_PREFIX

if TYPE_CHECKING:
    from cmrcli.store import FilePlace, Reader
    from cmrcli.store.records import ItemCard

FEWEST = 5  # queries; fewer make no evaluation
TRIES = 4  # sentences of one item
TITLE_WIDTH = 6
MAX_LOOKED_AT = 5_000  # items a part: bounds the time on a large index of which little can be asked
BATCH = 64

_NO_GROUPS: Mapping[str, str] = {}
Progress = Callable[[str, int, int], None]  # part, queries made, queries wanted


@dataclass(slots=True)
class _Links:
    """A part being made, and why items could not be asked for: reason -> how many."""

    name: str
    prefix: str
    topics: list[Topic] = field(default_factory=list)
    qrels: dict[str, dict[str, int]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(
        self,
        item: _Item,
        line: str,
        asks: object,
        withheld: bool,
        passage: int | None = None,
        more: Mapping[str, str] = _NO_GROUPS,
    ) -> None:
        """Adds a query. `asks`: what tells it from others about the item, the same in every run."""
        number = f"{self.prefix}-{_digest(item.document, asks)}"
        groups = {"kind": item.card.kind, "folder": item.folder, **groups_of(line), **more}
        place = (item.path, item.card.page) if withheld else None
        self.topics.append(Topic(number, line, groups, withheld=place, withheld_passage=passage))
        self.qrels[number] = {item.document: 1}

    def note(self, sample: int) -> str:
        """How many queries there are, and why not more."""
        told = f"{self.name}: {len(self.topics):,} queries"
        if len(self.topics) >= sample:
            return told
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in sorted(self.left_out.items()))
        return f"{told}, all that could be made of what is indexed" + (f"; left out: {reasons}" if reasons else "")


@dataclass(frozen=True, slots=True)
class _Item:
    """An item that could be asked for, a file of it that can be read, and what all with its bytes are called."""

    card: ItemCard
    place: FilePlace
    names: tuple[str, ...]

    @property
    def path(self) -> str:
        return os.fsdecode(self.place.path)

    @property
    def document(self) -> str:
        return self.path if self.card.page is None else f"{self.path}#{self.card.page}"

    @property
    def folder(self) -> str:
        head, slash, _ = os.fsdecode(self.place.relpath).partition("/")
        return head if slash else "."


def known_items(
    reader: Reader,
    folder: Path,
    seed: int = 0,
    sample: int = 200,
    workers: int = 2,
    progress: Progress | None = None,
) -> Truth:
    """Queries made of an index, each with the item that it must find. Documents are absolute paths.

    Args:
        folder: existing; the altered pictures go there and must outlive the evaluation.
        seed: the same index, files and seed give the same queries.
        sample: queries a part at most, kinds of items in equal shares as far as they reach.
        workers: processes that read the pictures.

    Raises:
        UsageError: fewer than FEWEST queries can be made.
    """
    made = [_passages(reader, seed, sample, progress), _titles(reader, seed, sample, progress)]
    with Workshop(workers) as workshop:
        made += [_pictures(reader, workshop, folder, kind, seed, sample, progress) for kind in ("crop", "copy")]
    count = sum(len(links.topics) for links in made)
    notes = tuple(links.note(sample) for links in made)
    if count < FEWEST:
        raise UsageError(
            f"only {count} queries can be made of this index ({' | '.join(notes)})",
            "index more files, or write queries and judgements of your own: cmrcli eval QUERIES.TSV QRELS",
        )
    parts = tuple(Part(links.name, tuple(links.topics), links.qrels) for links in made if links.topics)
    return Truth("self", parts, (), notes)


def _passages(reader: Reader, seed: int, sample: int, progress: Progress | None) -> _Links:
    links = _Links("passage -> page", "text")
    for item in _items(reader, ("page", "text"), (seed, links.prefix), links):
        passages = list(reader.passages_of([item.card.item_id]).get(item.card.item_id, {}).values())
        if len(passages) < (2 if item.card.kind == "text" else 1):
            links.left_out["too little text"] += 1
            continue
        asked = _sentence(reader, item, passages, np.random.default_rng((seed, item.card.item_id)))
        if asked is None:
            links.left_out["no sentence that stands nowhere else"] += 1
            continue
        sentence, number = asked
        others = len(passages) > 1
        left = {"left": "passages" if others else "picture"}
        links.add(item, sentence, sentence, True, number if others else None, left)
        if _enough(links, sample, progress):
            break
    return links


def _titles(reader: Reader, seed: int, sample: int, progress: Progress | None) -> _Links:
    links = _Links("title -> drawing", "title")
    for item in _items(reader, ("drawing",), (seed, links.prefix), links):
        title, label = item.card.title.strip(), item.card.label.strip()
        calls = [" ".join(call.split()) for call in dict.fromkeys((title, f"{title} {label}", label))]
        calls = [call for call in calls if width(call) >= TITLE_WIDTH and sum(map(str.isalpha, call)) >= 3]
        calls = [call for call in calls if not call.startswith(IMAGE_PREFIX)]
        if not calls:
            links.left_out["no title of its own"] += 1
            continue
        names = [_bare(name) for name in item.names]
        calls = [call for call in calls if not any(_bare(call) in name for name in names)]
        if not calls:
            links.left_out["the path says the title"] += 1
            continue
        call = next((call for call in calls if _only(reader, call, item, titles=True)), None)
        if call is None:
            links.left_out["another has the same title"] += 1
            continue
        links.add(item, call, call, True)
        if _enough(links, sample, progress):
            break
    return links


def _pictures(
    reader: Reader,
    workshop: Workshop,
    folder: Path,
    alteration: Alteration,
    seed: int,
    sample: int,
    progress: Progress | None,
) -> _Links:
    links = _Links(f"{alteration} -> picture", alteration)
    shown = _items(reader, ("drawing", "photo", "page"), (seed, links.prefix), links)
    items = (item for item in shown if item.card.width_px)
    while True:
        # As many as are missing: what could not be altered is made up for by others.
        chosen = list(itertools.islice(items, sample - len(links.topics)))
        tasks = [
            AlterTask(number, item.place.path, item.card.page, alteration, (seed, item.card.item_id))
            for number, item in enumerate(chosen)
        ]
        done = {task.number: answer for task, answer in workshop.altered(tasks)}
        for number, item in enumerate(chosen):
            answer = done[number]
            if isinstance(answer, UnreadableFile):
                few = answer.cause == "no-content"
                links.left_out["too few pixels" if few else "cannot be read now"] += 1
                continue
            path = os.path.join(os.path.abspath(folder), f"{alteration}{len(links.topics) + 1}.jpg")
            Path(path).write_bytes(answer)
            links.add(item, IMAGE_PREFIX + path, (seed, item.card.item_id), False)
            if _enough(links, sample, progress):
                return links
        if not chosen:
            return links


def _items(reader: Reader, kinds: Sequence[str], salt: tuple[int, str], links: _Links) -> Iterator[_Item]:
    """Items of these kinds in random order, the kinds in turns; those without a readable file are counted only.

    Each has its place by a digest of its own, which other items do not change.
    """
    by_kind = reader.item_ids()
    orders = [
        sorted(by_kind[kind].tolist(), key=lambda item_id: _digest(*salt, item_id)) for kind in kinds if kind in by_kind
    ]
    longest = max((len(order) for order in orders), default=0)
    mixed = [order[place] for place in range(min(longest, MAX_LOOKED_AT)) for order in orders if place < len(order)]
    beyond = sum(map(len, orders)) - MAX_LOOKED_AT
    if beyond > 0:
        links.left_out["not looked at"] += beyond
    for start in range(0, min(len(mixed), MAX_LOOKED_AT), BATCH):
        batch = mixed[start : min(start + BATCH, MAX_LOOKED_AT)]
        cards = {card.item_id: card for card in reader.item_cards(batch)}
        places = reader.places([card.content_id for card in cards.values()])
        for item_id in batch:
            card = cards.get(item_id)
            if card is None:
                continue  # gone since the index was opened
            every = places.get(card.content_id, [])
            place = next((place for place in every if os.access(place.path, os.R_OK)), None)
            if place is None:
                links.left_out["cannot be read now"] += 1
            else:
                names = (other.relpath or os.path.basename(other.path) for other in every)
                yield _Item(card, place, tuple(map(os.fsdecode, names)))


def _sentence(reader: Reader, item: _Item, passages: Sequence[str], rng: np.random.Generator) -> tuple[str, int] | None:
    """A sentence that no other item has, nor what stays of this one; and the number of its passage."""
    from cmrcli.store.normalise import normalise

    for number in rng.permutation(len(passages))[:TRIES].tolist():
        sentences = sentences_of(passages[number])
        if not sentences:
            continue
        sentence = sentences[int(rng.integers(len(sentences)))]
        plain = normalise(sentence)
        repeated = any(plain in normalise(passage) for at, passage in enumerate(passages) if at != number)
        if not repeated and _only(reader, sentence, item):
            return sentence, number
    return None


def _only(reader: Reader, phrase: str, item: _Item, titles: bool = False) -> bool:
    """Whether no other item holds the phrase."""
    return set(reader.items_with_phrase(phrase, 2, titles)) <= {item.card.item_id}


def _digest(*of: object) -> str:
    """16 hex digits."""
    return hashlib.blake2b(repr(of).encode("ascii", "backslashreplace"), digest_size=8).hexdigest()


def _bare(text: str) -> str:
    """Letters and digits only, folded: how a name is recognised however it is punctuated."""
    from cmrcli.store.normalise import normalise

    return "".join(filter(str.isalnum, normalise(text)))


def _enough(links: _Links, sample: int, progress: Progress | None) -> bool:
    if progress is not None:
        progress(links.name, len(links.topics), sample)
    return len(links.topics) >= sample
