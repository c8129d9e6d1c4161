"""The table of a whole training run: steps, days, GPU-hours, cost, energy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.training.telling.words import LEAST_HOURS, energy, lasting, money, rounded, unit_of
from roofline.answer.times import Times
from roofline.machine.engine import IDEAL
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.service import shown_times
from roofline.units import format_count

if TYPE_CHECKING:
    from roofline.analysis.training.answer import TrainAnswer
    from roofline.analysis.training.figures import Whole

_COLUMNS: Final = (
    *(("", "left"), ("floor", "right?"), ("bound", "right")),
    *(("expected", "right"), ("80 % interval", "right?")),
)


def run_table(answer: TrainAnswer) -> Grid:
    """The whole run in its readings."""
    whole, q = answer.whole, answer.question
    assert whole is not None
    shown = 3 if q.engine == IDEAL else len(_COLUMNS)
    rows = [[title, *shown_times(times, show)][:shown] for title, times, show in _rows(answer, whole)]
    number = f"{whole.steps:,.0f}" if whole.steps >= 10 else f"{whole.steps:.3g}"
    steps = f"{number} {'step' if whole.steps <= 1 else 'steps'}"
    return grid(f"The whole run: {format_count(whole.tokens)} {unit_of(q)}, {steps}", _COLUMNS[:shown], rows)


def _rows(answer: TrainAnswer, whole: Whole) -> Iterator[tuple[str, Times, Callable[[float], str]]]:
    yield "time", whole.seconds, lasting
    if answer.question.gpus > 1 and float(whole.gpu_hours.expected) >= LEAST_HOURS:
        yield "GPU-hours", whole.gpu_hours, rounded
    if whole.cost is not None:
        yield f"cost in {whole.currency}", whole.cost, money
    if whole.joules is not None:
        yield "energy", whole.joules, energy
    if whole.electricity is not None:
        yield f"electricity in {whole.tariff}", whole.electricity, money
