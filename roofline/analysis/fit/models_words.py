"""Which models run on a machine, in the sentences that people see first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from roofline.analysis.fit.shelf import Runnable
from roofline.analysis.fit.trial import Trial
from roofline.analysis.fit.ways import ELSEWHERE, MISSES, REFUSED, WHOLE
from roofline.analysis.fit.words import missing, where
from roofline.answer.plain import listed
from roofline.answer.quantity import Quantity
from roofline.units import format_time

#: What is said of the number of models that run in a way, in order.
_WAYS: Final = {
    WHOLE[0]: "as they are released",
    WHOLE[1]: "with other settings",
    WHOLE[2]: "in a narrower format",
    ELSEWHERE: "with a part outside of the GPU's memory",
}
#: Of which kinds the largest is named: of encoders only where there is nothing else.
_LARGEST: Final = {"text": "the largest language model", "image": "the largest for pictures"}
_ENCODERS: Final = {"encoder": "the largest encoder", "part": "the largest part"}


def verdict_of_models(models: Sequence[Runnable], first: Trial, asked: bool) -> str:
    """How many run in which way, and the largest of each kind that is whole on the machine; `asked`: a format was."""
    counts = Counter(model.way for model in models)
    ways = _WAYS | ({WHOLE[0]: "as asked"} if asked else {})
    told = [f"{counts[way]} {words}" for way, words in ways.items() if counts[way]]
    total, place = len(models), where(first)
    if not told:
        return " ".join((f"None of {total} models runs on {place}.", *_nearest(models), *_refused(counts[REFUSED])))
    head = f"Of {total} models {place} {'runs' if first.plan.single else 'run'} {listed(told)}."
    return " ".join((head, *_largest(models), *_nearest(models), *_refused(counts[REFUSED])))


def _largest(models: Sequence[Runnable]) -> Iterator[str]:
    """The largest of each kind that is whole on the device."""
    found = []
    there = {model.group for model in models}
    for group, words in (_LARGEST if there & _LARGEST.keys() else _ENCODERS).items():
        model = next((each for each in models if each.group == group and each.way in WHOLE), None)
        if model is not None and model.trial is not None:
            q, pace = model.trial.question, model.pace
            size = f", {q.kind.requests(q, int(float(q.run.batch)))}" if group == "image" else ""
            at = f" {pace_words(pace)}" if pace is not None else ""
            found.append(f"{words} is {q.spec.title} in {q.precision.weights.name}{size}{at}")
    if found:
        text = "; ".join(found)
        yield f"Whole in memory, {text}."


def pace_words(pace: Quantity) -> str:
    """A pace with its interval: `at 23 tokens/s (18 to 30)`, `in 24.1 s (20.0 s to 31.2 s)`."""
    assert pace.times is not None
    expected, low, high = (float(value) for value in (pace.times.expected, pace.times.low, pace.times.high))
    if pace.unit == "s":
        return f"in {format_time(expected)} ({format_time(low)} to {format_time(high)})"
    return f"at {rate(expected)} {pace.title} ({rate(low)} to {rate(high)})"


def rate(value: float) -> str:
    """A rate in three digits without an exponent: `23.1`, `1,150`."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _nearest(models: Sequence[Runnable]) -> Iterator[str]:
    """How many do not run, and the one that comes nearest."""
    out = [model for model in models if model.way == MISSES]
    nearest = min(out, key=lambda model: model.missing, default=None)
    if nearest is not None and nearest.trial is not None:
        do = "does" if len(out) == 1 else "do"
        changed = f" ({nearest.trial.words})," if nearest.trial.options else ","
        near = f"{nearest.model.title}{changed} {missing(nearest.trial)}"
        yield f"{len(out)} {do} not run; the nearest, {near}."


def _refused(number: int) -> Iterator[str]:
    if number:
        yield f"{number} cannot be run as asked."
