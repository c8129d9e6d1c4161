"""The few figures of each kind of answer that matter most, for summaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.comparing.figures import value_of
from roofline.analysis.comparing.words import shown
from roofline.analysis.training.telling.words import lasting, unit_of
from roofline.answer.memory import Memory
from roofline.answer.times import Times
from roofline.api.objects.summary import Fact
from roofline.report.tables.estimate import percent
from roofline.report.tables.service import SHOWN, significant
from roofline.units import format_time

if TYPE_CHECKING:
    from roofline.analysis.comparing.answer import Comparing
    from roofline.analysis.estimate import Answer
    from roofline.analysis.training.answer import TrainAnswer

#: Figures of a summary beside memory.
_MOST: Final = 4


def facts_of_estimate(est: Answer) -> Iterator[Fact]:
    """The first quantities of its kind, as expected with their intervals, and what is held."""
    found = (est.quantity(name) for name in dict.fromkeys([*est.question.kind.columns, *_names(est)]))
    told = (each for each in found if each is not None and each.title and each.times is not None)
    for each in islice(told, _MOST):
        assert each.times is not None
        yield _timed(each.name, each.title, each.times, SHOWN.get(each.unit, significant))
    yield _held(est.memory)


def _names(est: Answer) -> Iterator[str]:
    return (quantity.name for quantity in est.quantities)


def facts_of_training(found: TrainAnswer) -> Iterator[Fact]:
    """A step, the rate, the share of the peak, what is held, and the whole run."""
    yield _timed("step_s", "one step", found.times, format_time)
    unit = unit_of(found.question)
    yield _timed(f"{unit}_per_s", f"{unit}/s", found.tokens_per_s, SHOWN["tokens"])
    yield Fact("mfu", "MFU, share of the peak", found.mfu, percent(found.mfu))
    yield _held(found.memory)
    if found.whole is not None:
        yield _timed("run_s", "the whole run", found.whole.seconds, lasting)


def facts_of_comparison(found: Comparing[Any]) -> Iterator[Fact]:
    """The best run by each of the first quantities."""
    for each in [quantity for quantity in found.quantities if quantity.group][: _MOST + 1]:
        best = found.winners[each.name]
        times = None if best is None else value_of(found.rows[best.row].answer, each.name)
        if best is None or times is None:
            continue
        close = "" if best.clear else "; others are too close to call"
        value = float(times.expected)
        text = f"{shown(each, value)} by {found.rows[best.row].label}{close}"
        yield Fact(each.name, f"best {each.title or each.name}", value, text)


def _timed(name: str, title: str, times: Times, show: Callable[[float], str]) -> Fact:
    """What is expected, with its interval where there is one."""
    low, high, value = float(times.low), float(times.high), float(times.expected)
    interval = f" ({show(low)} to {show(high)})" if low != high else ""
    return Fact(name, title, value, f"{show(value)}{interval}")


def _held(memory: Memory) -> Fact:
    fits = "fits" if memory.fits else "does not fit"
    return Fact("total_bytes", "memory", float(memory.total_bytes), f"{memory.asked_of_room}: {fits}")
