"""What of a query is aligned with fragments: the phrases of its words, the parts of its examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from cmrcli.errors import UsageError
from cmrcli.searching.phrases import phrases
from cmrcli.searching.query import IMAGE_PREFIX, Query, example_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmrcli.encoders.dual import DualEncoder
    from cmrcli.searching.alignment import Asked
    from cmrcli.searching.example import ExampleReader

Fragments = Literal["on", "off", "auto"]
FRAGMENTS: tuple[Fragments, ...] = get_args(Fragments)
MAX_PARTS = 12  # of all examples together: each costs a pass over the codes


def phrases_to_align(query: Query, fragments: str, mode: str) -> Sequence[str]:
    """The phrases that are aligned; () for none. An example that is asked `on` adds its parts later (`parts_of`).

    `auto` aligns in mode auto only: the other modes are for looking at one way to the nearest vectors as it is.

    Raises:
        UsageError: no such choice, or a mode that has nothing to align with.
    """
    if fragments not in FRAGMENTS:
        raise UsageError(f"unknown choice of fragments {fragments!r}", "choices: " + ", ".join(FRAGMENTS))
    if fragments == "on" and mode in ("words", "hamming"):
        raise UsageError(f"--mode {mode} compares no fragments", "leave out --fragments, or --mode")
    if fragments == "off" or (fragments == "auto" and (mode != "auto" or query.like)):
        return ()
    found = phrases(query.text) if query.text else []
    if fragments == "auto":
        return found if len(found) > 1 else ()
    return [*found, *(IMAGE_PREFIX + example_name(example) for example in query.like)]


def parts_of(
    query: Query,
    named: Sequence[str],
    whole: NDArray[np.float32],
    encoder: DualEncoder,
    reader: ExampleReader | None,
) -> Asked:
    """The vectors of the phrases, and of the examples' parts: their tiles and views, or the whole where it has none.

    Args:
        named: of `phrases_to_align`.
        whole: (dim,) float32, of the whole query.
        reader: needed where there are examples.
    """
    import numpy as np

    from cmrcli.searching.alignment import Asked

    names = list(named[: len(named) - len(query.like)])
    vectors = [encoder.encode_texts(names)] if names else []
    for example in query.like if reader is not None else ():
        assert reader is not None
        boxes, own = reader.parts(example)
        room = max(1, MAX_PARTS // len(query.like))
        vectors.append(own[-room:])  # views come last, and show one thing each
        for box in boxes[-room:]:
            at = "" if box is None else " " + ",".join(f"{edge:.2f}" for edge in box)
            names.append(IMAGE_PREFIX + example_name(example) + at)
    return Asked(names, np.concatenate(vectors), whole, not query.like)
