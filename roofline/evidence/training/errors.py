"""How far the shipped frameworks are from training rows: errors of time and memory, floors, intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from roofline.analysis.training.passes import Setting
from roofline.evidence.training.fit import shipped
from roofline.evidence.training.memory import Peak, peak_of
from roofline.evidence.training.prepared import TrainingRun


class Judged(NamedTuple):
    """A row of a time: seconds of a step that were measured and expected, its bound and floor, its interval, and those
    of an MFU of 0.4.
    """

    run: TrainingRun
    measured: float
    expected: float
    bound: float
    floor: float
    low: float
    high: float
    constant: float

    @property
    def error(self) -> float:
        """log(expected / measured)."""
        return float(np.log(self.expected / self.measured))

    @property
    def covered(self) -> bool:
        """Whether the interval holds what was measured."""
        return self.low <= self.measured <= self.high


def judge(runs: Iterable[TrainingRun]) -> list[Judged]:
    """The rows that tell a time."""
    found = []
    for run in runs:
        if run.row.of_memory:
            continue
        step = run.step(shipped(run.question.engine))
        low, high = _interval(run)
        expected = float(step.expected_s)
        times = expected, float(step.bound_s), float(step.floor_s), max(expected * low, float(step.bound_s))
        found.append(Judged(run, run.seconds, *times, expected * high, run.constant_s))
    return found


def _interval(run: TrainingRun) -> tuple[float, float]:
    setting = Setting.of(run.question).driven_by(run.chip(), shipped(run.question.engine).engine)
    low, high = setting.interval()
    return float(low), float(high)


def peaks(runs: Iterable[TrainingRun]) -> list[Peak]:
    """The rows that tell a peak of memory."""
    return [peak_of(run) for run in runs if run.row.of_memory]


def peak_error(peak: Peak) -> float:
    """log(ours / measured) of a peak, with the share that its framework's file says it reserves."""
    return float(np.log1p(peak.error(peak.run.question.habits.reserve)))


class Errors(NamedTuple):
    """Errors of some rows, as shares."""

    rows: int
    median: float
    p90: float
    bias: float

    @classmethod
    def of(cls, logs: Sequence[float]) -> Errors:
        """From log errors."""
        each = np.abs(np.expm1(np.abs(np.asarray(logs))))
        return cls(len(logs), float(np.median(each)), float(np.quantile(each, 0.9)), float(np.median(logs)))


def grouped(rows: Iterable[Judged], key: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    """Rows by a property of them, in order of its name."""
    found: dict[str, list[Judged]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return dict(sorted(found.items()))
