"""The tables of what a training run reaches: rates in their readings, and its share of the peak by convention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.training.conventions.published import CONVENTIONS
from roofline.analysis.training.telling.words import masked, shown_rate, unit_of
from roofline.answer.times import Times
from roofline.machine.engine import IDEAL
from roofline.report.tables.estimate import percent
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.service import shown_times
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.analysis.training.answer import TrainAnswer

_COLUMNS: Final = (
    *(("", "left"), ("floor", "right?"), ("bound", "right")),
    *(("expected", "right"), ("80 % interval", "right?")),
)
_TERA: Final = 1e12
#: Conventions that are shown beside the ledger; `roofline flops` and JSON have all.
_NAMED: Final = ("six_n", "palm", "megatron", "hf_trainer")


def rate_table(answer: TrainAnswer) -> Grid:
    """A step and the rates that follow from it."""
    shown = 3 if answer.question.engine == IDEAL else len(_COLUMNS)
    rows = [[title, *shown_times(times, show)][:shown] for title, times, show in _rates(answer)]
    title = "How fast it trains"
    return grid(title if answer.memory.fits else f"{title}, if it did fit: it does not", _COLUMNS[:shown], rows)


def _rates(answer: TrainAnswer) -> Iterator[tuple[str, Times, Callable[[float], str]]]:
    q, gpus = answer.question, float(answer.question.gpus)
    yield "one step", answer.times, format_time
    if gpus > 1:
        yield f"{unit_of(q)}/s per GPU", answer.tokens_per_s * (1.0 / gpus), shown_rate
    yield f"{unit_of(q)}/s" + (" of all" if gpus > 1 else ""), answer.tokens_per_s, shown_rate
    if q.run.sequence:
        yield "sequences/s" + (" of all" if gpus > 1 else ""), answer.samples_per_s, shown_rate
    title = "model TFLOP/s per GPU" if gpus > 1 else "model TFLOP/s"
    yield title, answer.times.rate(answer.flops.causal / gpus / _TERA), shown_rate


_SHARES: Final = (("counted by", "name"), ("per {}", "right"), ("MFU", "right"), ("what it counts", "text?"))


def share_table(answer: TrainAnswer) -> Grid:
    """The share of the peak by each way of counting FLOPs."""
    q, per = answer.question, answer.question.run.tokens_per_step
    columns = [(name.format(unit_of(q)[:-1]), side) for name, side in _SHARES]
    rows = [
        [name, format_si(flops / per, "FLOP"), percent(flops / _step_peak(answer)), what]
        for name, flops, what in _counted(answer)
    ]
    peak = f"{format_si(answer.peak, 'FLOP/s')} in {q.precision.matrix_dtype()}, dense"
    reading = "the bound" if q.engine == IDEAL else "what is expected"
    return grid(f"Share of the peak ({peak}) that {reading} makes, by convention", columns, rows)


def unvisited_words(answer: TrainAnswer) -> str:
    """Why some conventions say more than the peak of a mixture of experts; nothing where none does."""
    peak, sparse = _step_peak(answer), answer.parameters.active < answer.parameters.total
    beyond = [name for name, flops, _ in _counted(answer) if flops > peak]
    if not beyond or not sparse:
        return ""
    verb = "counts" if len(beyond) == 1 else "count"
    return f"More than 100 %: {' and '.join(beyond)} {verb} all experts, those that a token does not visit too."


def _step_peak(answer: TrainAnswer) -> float:
    """FLOPs that all devices could do in a step."""
    return float(answer.times.expected) * answer.whole_peak


def _counted(answer: TrainAnswer) -> Iterator[tuple[str, float, str]]:
    flops = answer.flops
    if masked(answer):
        yield "model, causal", flops.causal, "what the model needs; attention as its mask lets through"
        yield "model, full", flops.full, "every token with every other, as a framework's counter has it"
    else:
        yield (
            "model",
            flops.causal if answer.question.run.sequence else flops.full,
            "what the model needs: forward and the gradients that are trained",
        )
    yield "hardware (HFU)", flops.hardware, "all that is done: repeated layers, fused attention's extra products"
    if answer.question.run.adapters is None:  # conventions count what trains all weights
        for each in CONVENTIONS:
            if each.key in _NAMED and each.key in answer.conventions:
                counted = answer.conventions[each.key] * answer.question.run.tokens_per_step
                yield each.title, counted, each.counts
