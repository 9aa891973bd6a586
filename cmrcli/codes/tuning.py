"""The smallest code, and the least oversampling, that reach a recall on a user's own vectors.

Settings are chosen on one half of the held-back queries and verified, once, on the other: what is picked has
reached the target on queries that had no part in picking it. Queries of another sort (texts, to an index of pictures)
have halves of their own: every sort must reach the target by itself.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from cmrcli.codes.codebook import FACTORS, WIDEST, Codebook, Oversampling, words_for
from cmrcli.codes.fitting import fit
from cmrcli.codes.quality import HAMMING, RESCORED, Grid, Trials

ORDERED_ALONE = (32, 128, 512)  # candidates for each result where no vectors rescore them


@dataclass(frozen=True, slots=True)
class Tried:
    """One code that was tried.

    Attributes:
        row_bytes: of a code with what is kept beside it.
        oversampling: the least that reached the target on the choosing half, else the most that was tried.
        chosen_recall, verified_recall: ANN recall there, on the half that chose and on the other; of the sort of
            queries that it serves worst.
        reached: whether it reached the target on both.
    """

    method: str
    bits: int
    row_bytes: int
    oversampling: Oversampling
    chosen_recall: float
    verified_recall: float
    reached: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What tuning came to: the codebook with its oversampling, None where nothing reached the target."""

    codebook: Codebook | None
    tried: tuple[Tried, ...]


def candidates(dim: int) -> list[tuple[str, int]]:
    """Methods and widths worth a try for vectors of so many dimensions, the smallest codes first."""
    quarters = [min(dim, 64 * words_for(math.ceil(dim * quarter / 4))) for quarter in (1, 2, 3, 4)]
    named = [("sign", dim), *(("itq", bits) for bits in quarters), ("rotation", dim)]
    named += [(method, times * dim) for times in (2, WIDEST) for method in ("projections", "rotation")]
    return sorted(dict.fromkeys(named), key=lambda one: _row_bytes(*one))


def choose(
    trials: Trials,
    sample: NDArray[np.float32],
    target: float,
    among: Sequence[tuple[str, int]],
    seed: int = 0,
    *,
    rescoring: bool = True,
    tell: Callable[[str, int], None] = lambda method, bits: None,
) -> Choice:
    """The smallest code that reaches the target, and with it the fewest vectors read, then the fewest candidates.

    Args:
        trials: whose queries in halves choose and verify.
        sample: (n, dim) float32, what the codebooks are fitted to.
        target: ANN recall@k, 0 to 1.
        among: methods and widths, the smallest codes first; larger ones than needed are not tried.
        rescoring: whether vectors will be there to rescore with.
        tell: called before each code is tried.

    Raises:
        UsageError: a width that its method does not have.
    """
    tried: list[Tried] = []
    for _, group in groupby(among, key=lambda one: _row_bytes(*one)):
        reached: list[tuple[Tried, Codebook]] = []
        for method, bits in group:
            tell(method, bits)
            codebook = fit(method, sample, bits, seed)
            one = _try(trials, codebook, target, rescoring)
            tried.append(one)
            if one.reached:
                reached.append((one, codebook))
        if reached:
            best, codebook = min(reached, key=lambda pair: _cost(pair[0].oversampling))
            return Choice(dataclasses.replace(codebook, oversampling=best.oversampling), tuple(tried))
    return Choice(None, tuple(tried))


def _try(trials: Trials, codebook: Codebook, target: float, rescoring: bool) -> Tried:
    hamming, rescored = (HAMMING, RESCORED) if rescoring else (ORDERED_ALONE, (1,))
    grid = trials.grid(codebook, hamming, rescored)
    settings = [Oversampling(times, kept) for times in hamming for kept in rescored if kept <= times]
    settings.sort(key=_cost)
    # A whole standard error above the target, for the luck of the draw that choosing the least would pick up.
    least = next((one for one in settings if _surely(_half(trials, grid, one, 0)) >= target), settings[-1])
    choosing, other = (_half(trials, grid, least, half) for half in (0, 1))
    chosen, verified = (min(float(recalls.mean()) for recalls in half) for half in (choosing, other))
    reached = _surely(choosing) >= target and verified >= target
    return Tried(codebook.method, codebook.bits, codebook.row_bytes, least, chosen, verified, reached)


def _half(trials: Trials, grid: Grid, setting: Oversampling, half: int) -> list[NDArray[np.float64]]:
    """Recalls of the queries of one half, each sort by itself; of all queries of a sort that has not two."""
    recalls = grid.of(setting.hamming, setting.rescored)
    by_sort = [recalls[trials.sorts == sort] for sort in np.unique(trials.sorts)]
    return [own[half::2] if len(own) > 1 else own for own in by_sort]


def _surely(by_sort: Sequence[NDArray[np.float64]]) -> float:
    """Of the sort that is served worst."""
    return min(float(recalls.mean() - recalls.std() / math.sqrt(len(recalls))) for recalls in by_sort)


def _cost(setting: Oversampling) -> tuple[int, int]:
    """Vectors are read from the disk, candidates are in memory."""
    return setting.rescored, setting.hamming


def _row_bytes(method: str, bits: int) -> int:
    return 8 * words_for(bits) + (2 * FACTORS if method == "rotation" else 0)
