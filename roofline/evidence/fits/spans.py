"""80 % intervals by what is timed, from the errors of rows that were left out.

Whoever asks has a run that no fit has seen. So an interval is made of errors of rows that were left out with all rows
of their source, chip, model or engine, and judged by groups that it was not made of. With r = log(measured / expected):

    scale   of an engine and what is timed: the 80th percentile of |r| over its own lines and, as one lab or few have
            seen it, those of all other engines
    shape   of what is timed, over all engines: the 10th and 90th percentile of r / scale, where each line's scale is
            that without its own group; never longer to the quick side than to the slow one, for what is not known of
            a run (another load, a throttled chip, an older version) makes it slower; both ends so long that they hold
            four fifths of the lines, counted one by one, by scales without their group and as they are shipped
    chips   by how much the less known chips' |r / scale| exceed those of the better known, 1 at least

and the interval is exp(shape × scale × chips). Rows that were left out together share an error, so n of them count as
the root of n; sources count twice, for a source of one's own is what every question has. A whole request is told by its
prefill where that takes three quarters of it, by its decode steps where these do, and else by neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from roofline.evidence.fits.fit_engines import interval
from roofline.evidence.fits.intervals import LeftOut, usual
from roofline.evidence.fits.robust import Array
from roofline.evidence.runs.phases import span_of, told_by
from roofline.machine.engine import GENERIC
from roofline.machine.intervals import QUALITIES, TIMED, Intervals, Range, Spans, widened

Mask = NDArray[np.bool_]
#: What the lines of all other engines together weigh beside an engine's own: as twelve rows that were left out alone.
_OTHERS: Final = 12.0
#: What an error of the other sign weighs beside each that was seen: of few laboratories, all may lean to one side.
_MIRRORED: Final = 0.5
#: What a line weighs by the way in which it was left out, 1 where nothing is said.
_WAYS: Final = {"source": 2.0}
#: The part of runs that lies in an interval, and beyond each of its ends.
_HELD: Final = 0.8
_TAIL: Final = 0.1
#: Fewer lines say nothing of how a chip is known, and fewer rows make no interval narrower than this.
FEW: Final = 20
FEW_INTERVAL: Final = (0.8, 1.25)
#: How much wider an interval is than that of the better known.
WIDER: Final = 1.5
#: An interval is no narrower than this, as a logarithm.
_LEAST: Final = 0.02


class Evidence:
    """Lines as columns, with what follows from them."""

    def __init__(self, lines: Sequence[LeftOut]) -> None:
        sizes = Counter(map(_group, lines))
        often = set(usual(lines))
        self.lines = lines
        self.ratio: Array = np.asarray([-line.error for line in lines])
        self.weight: Array = np.asarray([_WAYS.get(line.out, 1.0) * sizes[_group(line)] ** -0.5 for line in lines])
        self.usual: Mask = np.asarray([line in often for line in lines], dtype=np.bool_)
        self.timed = np.asarray([next(iter(told_by(line.timed, line.prefill)), "") for line in lines])
        self.engine = np.asarray([line.engine for line in lines])
        self.row = np.asarray([line.row for line in lines])
        self.quality = np.asarray([QUALITIES.index(line.chip_known) for line in lines])
        self.stands_for_any: Mask = self.engine == GENERIC
        names = list(map(_group, lines))
        number = {name: place for place, name in enumerate(dict.fromkeys(names))}
        self.group = np.asarray([number[name] for name in names])
        self._shipped: dict[str, dict[str, float]] = {}

    def scale(self, engine: str, timed: str, keep: Mask | None = None) -> float:
        """How far an engine errs in what is timed, as a logarithm, by the lines that are kept; NaN without any.

        The generic engine's lines are rows of other engines, expected as its own: they stand alone where there are any.
        """
        known = self.timed == timed
        known &= self.usual if keep is None else self.usual & keep
        own, others = known & (self.engine == engine), known & (self.engine != engine) & ~self.stands_for_any
        if engine == GENERIC and own.any():
            others = others & False
        weights = self.weight[others]
        share = weights * (_OTHERS / weights.sum()) if len(weights) else weights
        errors = np.abs(np.append(self.ratio[own], self.ratio[others]))
        return _quantile(errors, np.append(self.weight[own], share), _HELD)

    @cached_property
    def unseen(self) -> dict[tuple[int, str], float]:
        """The scale for each group of lines, by what is timed, without the group's rows."""
        found = {}
        for group in range(self.group.max(initial=-1) + 1):
            members = self.group == group
            engine = str(self.engine[members][0])
            keep = ~((self.engine == engine) & np.isin(self.row, self.row[members]))
            for timed in TIMED:
                found[group, timed] = self.scale(engine, timed, keep)
        return found

    @cached_property
    def scores(self) -> Array:
        """Each line's error as a multiple of the scale without its group; NaN where there is none."""
        scales = [self.unseen.get((group, timed), np.nan) for group, timed in zip(self.group, self.timed, strict=True)]
        found: Array = self.ratio / np.asarray(scales)
        return found

    @cached_property
    def chips(self) -> dict[bool, tuple[float, ...]]:
        """By how much the interval grows with what is known of a chip, of language models and (True) of pictures."""
        pictures = np.isin(self.timed, ("whole", "step"))
        return {kind: self._chips(pictures == kind) for kind in (False, True)}

    def _chips(self, kind: Mask) -> tuple[float, ...]:
        known = kind & ~np.isnan(self.scores)
        grown = [1.0]
        for quality in range(1, len(QUALITIES)):
            less, better = known & (self.quality == quality), known & (self.quality < quality)
            enough = min(np.count_nonzero(less), np.count_nonzero(better)) >= FEW
            sizes = [_quantile(np.abs(self.scores[each]), self.weight[each], _HELD) for each in (less, better)]
            grown.append(max(grown[-1], min(sizes[0] / sizes[1], WIDER)) if enough else grown[-1])
        return tuple(grown)

    def shape(self, timed: str, without: int = -1) -> Range | None:
        """Low and high end of the scores of what is timed, without one group; None where nothing is known."""
        used = (self.timed == timed) & ~np.isnan(self.scores) & (self.group != without)
        if not used.any():
            return None
        scores = self.scores[used] / np.asarray(self.chips[timed in ("whole", "step")])[self.quality[used]]
        weights = self.weight[used]
        low, high = _ends(scores, weights)
        shipped = scores * (self.scales(timed, unseen=True)[used] / self.scales(timed, without)[used])
        grown = max(float(np.quantile(np.maximum(each / high, each / low), _HELD)) for each in (scores, shipped))
        return low * grown, high * grown

    def scales(self, timed: str, without: int = -1, *, unseen: bool = False) -> Array:
        """For each line its engine's scale: as shipped, without one group, or (unseen) each without its own."""
        if unseen:
            return np.asarray([self.unseen.get((int(group), timed), np.nan) for group in self.group])
        if timed not in self._shipped:
            engines = dict.fromkeys(map(str, self.engine))
            self._shipped[timed] = {engine: self.scale(engine, timed) for engine in engines}
        found = dict(self._shipped[timed])
        if without >= 0:
            found[str(self.engine[self.group == without][0])] = self.unseen[without, timed]
        return np.asarray([found[str(engine)] for engine in self.engine])

    def spans(self, engine: str, timed: str, without: int = -1) -> Spans | None:
        """The intervals of what is timed, without one group; None where nothing is known of it."""
        shape = self.shape(timed, without)
        scale = self.scale(engine, timed) if without < 0 else self.unseen[without, timed]
        if shape is None or np.isnan(scale):
            return None
        ends = ([scale * grown * end for end in shape] for grown in self.chips[timed in ("whole", "step")])
        return Spans(*(_span(low, high) for low, high in ends))


def intervals_of(evidence: Evidence, engine: str, timed: Sequence[str]) -> dict[str, Spans]:
    """The intervals of an engine, of what it times and something is known of; wider where none of its own rows was left
    out.
    """
    found = {name: spans for name in timed if (spans := evidence.spans(engine, name)) is not None}
    return found if (evidence.engine == engine).any() else wider(found)


def wider(intervals: Mapping[str, Spans]) -> dict[str, Spans]:
    """Those of something less well known."""
    return {name: Spans(*(_rounded(*widened(span, WIDER)) for span in spans)) for name, spans in intervals.items()}


def unseen_intervals(evidence: Evidence) -> list[Range]:
    """For each line the interval of what it timed, as it would be without all rows of its group."""
    found: dict[int, Intervals] = {}
    for line, group in zip(evidence.lines, map(int, evidence.group), strict=True):
        if group not in found:
            known = {timed: evidence.spans(line.engine, timed, group) for timed in TIMED}
            found[group] = Intervals(**{timed: spans for timed, spans in known.items() if spans is not None})
    lines = zip(evidence.lines, map(int, evidence.group), strict=True)
    return [_of_line(found[group], line) for line, group in lines]


def _of_line(intervals: Intervals, line: LeftOut) -> Range:
    return span_of(lambda timed: intervals.of(timed, line.chip_known), line.timed, line.prefill)


def fit_intervals(errors: Mapping[str, Array]) -> dict[str, Spans]:
    """The intervals that the errors of a fit itself support, by what is timed: for an engine of which nothing was left
    out.
    """
    found = {}
    for timed, own in errors.items():
        low, high = interval(np.append(own, -own))
        if len(own) < FEW:
            low, high = min(low, FEW_INTERVAL[0]), max(high, FEW_INTERVAL[1])
        less = _rounded(*widened((low, high), WIDER))
        found[timed] = Spans((low, high), less, _rounded(*widened(less, WIDER)))
    return found


def _group(line: LeftOut) -> tuple[str, str, str]:
    return line.engine, line.out, line.group


def _ends(scores: Array, weights: Array) -> Range:
    """The tenth at each end of scores and of their mirror images; never longer to the quick side."""
    both, shares = np.append(scores, -scores), np.append(weights, _MIRRORED * weights)
    low, high = _quantile(both, shares, _TAIL), _quantile(both, shares, 1.0 - _TAIL)
    if -low > high:
        high = _quantile(np.abs(scores), weights, _HELD)
        low = -high
    return low, high


def _span(low: float, high: float) -> Range:
    """The ends, from their logarithms."""
    return _rounded(float(np.exp(min(low, -_LEAST))), float(np.exp(max(high, _LEAST))))


def _rounded(low: float, high: float) -> Range:
    return max(float(f"{low:.3g}"), 1e-3), min(float(f"{high:.3g}"), 100.0)


def _quantile(values: Array, weights: Array, share: float) -> float:
    """The weighted quantile, each value in the middle of its weight; not a number without values."""
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weights[order]) - weights[order] / 2.0
    return float(np.interp(share, middle / weights.sum(), values[order]))
