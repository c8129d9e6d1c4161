"""What a chip draws in a phase: as measured on it, else as a share of its limit that other chips reach in that state.

The shares are medians over the chips of `hardware/power.csv` that were measured at their own limit: what is known of
any chip, not fitted to one. Low and high are the tenth and ninetieth percentile over chips that idle, and over chips
that work in any way, for few were measured in each. A board that draws more than its chip's limit, as some makers let
it, counts as at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.answer.plain import counted_whole
from roofline.specs.costs.power import draws

if TYPE_CHECKING:
    from roofline.specs.gpu import GPUSpec


#: The states in which a chip works.
_WORK: Final = ("prefill", "decode", "load")


class Watts(NamedTuple):
    """What one chip draws: watts, and between which values; from how many measured rows, and in words from what."""

    value: float
    low: float
    high: float
    rows: int
    source: str
    measured: bool


class Share(NamedTuple):
    """The share of its limit that a chip draws in a state: median, and percentiles, over so many chips and rows."""

    value: float
    low: float
    high: float
    chips: int
    rows: int


def state_of(phase: str) -> str:
    """The state in which chips were measured that is most like a phase: decoding, or work that fills the units."""
    return "decode" if phase == "decode" else "prefill"


def watts(gpu: GPUSpec, state: str) -> Watts | None:
    """What a chip draws in a state [W]; None where neither it was measured nor its limit is known."""
    return _watts(gpu.name, gpu.power, state)


@lru_cache(maxsize=4096)
def _watts(name: str, limit: float | None, state: str) -> Watts | None:
    share = shares()[state]
    for found in (state,) if state == "idle" else (state, "load"):
        rows = [draw.watts for draw in draws() if draw.name == name and draw.state == found and draw.usual]
        if rows:
            value = _quantile(rows, 0.5)
            low, high = min(value * share.low / share.value, *rows), max(value * share.high / share.value, *rows)
            text = f"{value:.0f} W measured ({found}, {counted_whole(len(rows), 'row')})"
            return Watts(value, low, high, len(rows), text, True)
    if limit is None:
        return None
    text = f"{share.value:.2f} of its limit of {limit:.0f} W, as {share.chips} other chips draw ({share.rows} rows)"
    return Watts(share.value * limit, share.low * limit, share.high * limit, share.rows, text, False)


@cache
def shares() -> dict[str, Share]:
    """The share of each state, over all chips that were measured at their own limit."""
    return {state: _share(state) for state in ("idle", *_WORK)}


def _share(state: str) -> Share:
    chips = _ratios(state)
    each = [_quantile(rows, 0.5) for rows in chips.values()]
    value, rows = _quantile(each, 0.5), sum(map(len, chips.values()))
    if state != "idle":
        each = [_quantile(rows, 0.5) for work in _WORK for rows in _ratios(work).values()]
    low, high = min(value, _quantile(each, 0.1)), max(value, _quantile(each, 0.9))
    return Share(value, low, high, len(chips), rows)


def _ratios(state: str) -> dict[str, list[float]]:
    """What each chip drew in a state, over its limit."""
    chips: dict[str, list[float]] = {}
    for draw in draws():
        if draw.state == state and draw.usual and draw.limit is not None:
            chips.setdefault(draw.name, []).append(min(1.0, draw.watts / draw.limit))
    return chips


def sources(gpu: GPUSpec, phases: Iterable[str]) -> str:
    """Where the watts of some phases come from, and those of a chip that idles; empty where none are known."""
    told: dict[str, list[str]] = {}
    for name in (*phases, "idle"):
        found = watts(gpu, "idle" if name == "idle" else state_of(name))
        if found is not None:
            told.setdefault(found.source, []).append(name)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in told.items())


def _quantile(values: Sequence[float], share: float) -> float:
    """A quantile, between neighbours in proportion."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
