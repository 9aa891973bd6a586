"""An index as a system under evaluation: every topic of a part asked in one mode of `search`.

The index answers a part whose documents are its own, and a part with a gallery of files whose folder lies in one of its
roots: then the search is restricted to these files. What a result is as a document, relevance.py says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cmrcli.errors import UsageError, display_path
from cmrcli.evaluation.answers import Answers, Ranking, outcome_of, ranked
from cmrcli.evaluation.systems.absent import absent_documents
from cmrcli.evaluation.systems.relevance import (
    Documents,
    GalleryFiles,
    Judgements,
    Names,
    first_places,
    page_of,
    without_page,
)
from cmrcli.evaluation.truth import Part, Topic
from cmrcli.searching.query import IMAGE_PREFIX

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.searching import Index, Query
    from cmrcli.store import Filter, Withheld

Progress = Callable[[int, int], None]  # queries done, queries in all
DEEPER = 4  # times as many results are asked where too few of them were distinct documents


class IndexSystem:
    """An index, opened. Use as a context manager; it closes the index only if it opened it.

    Args:
        index: its folder, or an open index.
        encoder, threads: as `open_index` takes them; not looked at for an open index.

    Raises:
        IndexMissing, IndexFormatError, IndexDamaged: see cmrcli/errors.py.
    """

    def __init__(self, index: Index | str | Path, encoder: str | Path | None = None, threads: int = 0) -> None:
        from cmrcli.searching import open_index

        self._opened = isinstance(index, str | Path)
        self.index: Index = open_index(index, encoder, threads) if isinstance(index, str | Path) else index
        # Made once for all modes: 1.5 KiB a query at 384 dimensions.
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._roots = [os.fsdecode(root.path) for root in self.index.reader.roots()]

    def __enter__(self) -> IndexSystem:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the index, if this object opened it."""
        if self._opened:
            self.index.close()

    @property
    def codes_only(self) -> bool:
        """Whether the index keeps no vectors."""
        return any(segment.kept_vectors is None for segment in self.index.reader.segments)

    def refusal(self, part: Part) -> str:
        """Why the index cannot answer this part, in one line; "" when it can."""
        gallery = part.gallery
        if gallery is None:
            return ""
        if any(len(lines) != 1 or not lines[0].startswith(IMAGE_PREFIX) for lines in gallery.lines):
            return "its documents are texts, which are in no index"
        if gallery.folds is not None:
            return "its gallery is asked in folds, which an index does not have"
        if part.under is None:
            return "its documents lie in no one folder"
        under = os.path.abspath(part.under)
        if not any(under == root or under.startswith(root.rstrip("/") + "/") for root in self._roots):
            return f"{display_path(under)} is in none of the folders that were indexed"
        return ""

    def scope(self, part: Part) -> Filter | None:
        """What restricts a search to the part's gallery; None for a part without one.

        Its folder, or file by file where the index holds others in that folder.
        """
        from cmrcli.store import Filter

        if part.gallery is None or part.under is None:
            return None
        files = Filter(under=tuple(os.fsencode(document) for document in part.gallery.documents))
        folder = Filter(under=(os.fsencode(os.path.abspath(part.under)),))
        reader = self.index.reader
        return folder if len(reader.fragment_ids(folder)) == len(reader.fragment_ids(files)) else files

    def absent(self, part: Part) -> tuple[str, ...]:
        """The relevant documents of the part, or all of its gallery, that the index does not hold: they are not found.

        Raises:
            UsageError: it holds none of them.
        """
        if part.gallery is not None:
            return absent_documents(self.index.reader, part.gallery.documents)
        relevant = (name for grades in part.qrels.values() for name, grade in grades.items() if grade > 0)
        return absent_documents(self.index.reader, relevant)

    def answer(self, part: Part, mode: str, k: int, progress: Progress | None = None) -> Answers:
        """The first `k` documents of every topic of the part.

        Where several results are one document, more are asked, up to search's own limit. A topic that the mode cannot
        take is unanswered.

        Raises:
            UsageError: the index cannot answer the part, or a query cannot be asked (an example that cannot be read).
            CmrcliError: whatever else a search raises.
        """
        refused = self.refusal(part)
        if refused:
            raise UsageError(f"the index cannot answer {part.name or 'this'}: {refused}", "evaluate an encoder on it")
        answers = Answers()
        scope, gallery, names = self.scope(part), None, Names(self._roots)
        if part.gallery is not None:
            gallery = GalleryFiles(part.gallery.documents)
        elif _all_absolute(part):
            names = Names(self._roots, absolute=True)
        hidden = short = 0
        self.index.expect(len(part.topics))
        for number, topic in enumerate(part.topics, 1):
            judged = part.qrels[topic.id]
            ranking = Ranking((), ())
            if mode == "words" and topic.by_example:
                answers.unanswered.add(topic.id)
            else:
                documents: Documents
                if gallery is None:
                    documents = Judgements(judged, names, topic.own)
                else:
                    gallery.own, documents = topic.own, gallery
                ranking, unseen, cut = self._ask(topic, documents, mode, k, scope)
                hidden += unseen
                short += cut
            answers.run[topic.id] = ranking
            answers.outcomes[topic.id] = outcome_of(ranking, judged)
            if progress is not None:
                progress(number, len(part.topics))
        if hidden:
            answers.notes.append(f"{hidden:,} results were hidden: their files cannot be read now")
        if short:
            answers.notes.append(f"{short:,} rankings have fewer than {k} documents: a search gives no more results")
        return answers

    def groups(self, documents: Iterable[str]) -> dict[str, dict[str, str]]:
        """For breakdowns: document -> {"kind": of its item, "folder": the first one below its root, "." for none}.

        Of a file named as a whole, the kind is that of its first item. Documents that the index lacks are left out.
        """
        groups: dict[str, dict[str, str]] = {}
        for document in documents:
            for root, path in self._paths(document):
                page = None if path.endswith(document) else page_of(document)
                cards = self.index.reader.items_at(os.fsencode(path), page)
                if cards:
                    groups[document] = {"kind": cards[0].kind, "folder": first_folder(root, path)}
                    break
        return groups

    def withheld(self, topic: Topic) -> Withheld | None:
        """What a search for the topic must not use; None where it may use everything, or lacks the item anyway."""
        from cmrcli.store import Withheld

        if topic.withheld is None:
            return None
        path, page = topic.withheld
        cards = self.index.reader.items_at(os.fsencode(path), page)[:1]
        if not cards:
            return None
        numbers = list(self.index.reader.passages_of([cards[0].item_id]).get(cards[0].item_id, {}))
        if topic.withheld_passage is not None:
            numbers = numbers[topic.withheld_passage : topic.withheld_passage + 1]
        return Withheld(cards[0].item_id, frozenset(numbers))

    def _ask(
        self, topic: Topic, documents: Documents, mode: str, k: int, scope: Filter | None
    ) -> tuple[Ranking, int, bool]:
        """The ranking of one topic, how many results were hidden, and whether it is short of k for want of results."""
        from cmrcli.searching.index import MAX_K

        query, withheld = topic.query(), self.withheld(topic)
        asked = min(k + (topic.own is not None), MAX_K)
        vector = None if mode == "words" else self._vector(topic.text, query)
        while True:
            answer = self.index.answer(query, asked, mode, scope, withheld=withheld, vector=vector)
            places = first_places(answer.results, documents)
            more = len(answer.results) == asked and len(places) < k
            if not more or asked == MAX_K:
                break
            asked = min(DEEPER * asked, MAX_K)
        ranking = ranked(places.items())
        return Ranking(ranking.documents[:k], ranking.scores[:k]), answer.hidden, more

    def _vector(self, line: str, query: Query) -> NDArray[np.float32] | None:
        """The query's vector; None for an index without vectors, which needs no encoder."""
        if line not in self._vectors and self.index.reader.segments:
            self._vectors[line] = self.index.query_vector(query)
        return self._vectors.get(line)

    def _paths(self, document: str) -> Iterable[tuple[str, str]]:
        """(root, absolute path) wherever the file of a document may lie."""
        for name in dict.fromkeys((document, without_page(document))):
            for root in self._roots:
                if not os.path.isabs(name):
                    yield root, root if os.path.basename(root) == name else os.path.join(root, name)
                elif name == root or name.startswith(root.rstrip("/") + "/"):
                    yield root, name


def first_folder(root: str, path: str) -> str:
    """The first folder below the root on the way to a file; "." where the file lies in the root or is it."""
    below = path.removeprefix(root.rstrip("/") + "/") if path != root else ""
    return below.partition("/")[0] if "/" in below else "."


def fallback_note(index: Index, mode: str, filtered: bool = False) -> str | None:
    """What a mode does instead of what was asked for, in one line; None where it does just that.

    Args:
        filtered: the search is restricted to a folder, as for a part with a gallery.
    """
    from cmrcli.store import graph

    reader = index.reader
    if mode in ("codes", "hamming", "graph") and reader.codebook is None:
        return f"the index has no codes: {mode} is exact"
    if mode != "graph":
        return None
    if filtered:
        return "a filtered search does not use graphs: codes were scanned"
    if not graph.available():
        return "hnswlib is not installed: codes were scanned instead of graphs"
    rows = sum(len(segment.rows) for segment in reader.segments)
    without = sum(len(segment.rows) for segment in reader.segments if segment.graph_path is None)
    if without == rows:
        return "no segment has a graph: codes were scanned"
    if without:
        return f"{without / rows:.0%} of the fragments are in segments without a graph: their codes were scanned"
    return None


def _all_absolute(part: Part) -> bool:
    return all(os.path.isabs(document) for grades in part.qrels.values() for document in grades)
