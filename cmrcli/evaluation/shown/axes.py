"""Axes of a plot: where ticks stand, how they are written, and where a value lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LOG_FROM_RATIO = 10.0  # of the largest to the smallest value, from which an axis is logarithmic
TICKS = 6  # wanted


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale from `low` to `high`, its ticks within."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high end; values beyond them are held at the ends."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log10(max(value, low)), math.log10(low), math.log10(high)
        return min(1.0, max(0.0, (value - low) / (high - low)))


def axis_of(values: Sequence[float], may_be_log: bool = True, most: float = math.inf) -> Axis:
    """An axis with room for all values, of which there is at least one, and which are at most `most`."""
    low, high = min(values), max(values)
    if may_be_log and low > 0 and high / low >= LOG_FROM_RATIO:
        low, high = low / 1.3, high * 1.3
        return Axis(low, high, True, tuple(_log_ticks(low, high)))
    margin = (high - low) * 0.08 or max(abs(high) * 0.1, 0.01)
    low, high = (max(0.0, low - margin) if low >= 0 else low - margin), min(high + margin, most)
    return Axis(low, high, False, tuple(_even_ticks(low, high)))


def tick_text(value: float) -> str:
    """0.25, 20, 1,500, 2e+07."""
    if value == 0:
        return "0"
    if abs(value) >= 10_000_000 or abs(value) < 0.001:
        return f"{value:.0e}"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _even_ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [decade for exponent in decades if low <= (decade := 10.0**exponent) <= high]
    if len(ticks) >= TICKS - 2:
        return ticks[:: -(-len(ticks) // (2 * TICKS))]
    return [tick for exponent in decades for factor in (1, 2, 5) if low <= (tick := factor * 10.0**exponent) <= high]
