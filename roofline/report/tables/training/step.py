"""The table of a step: where its time goes, phase by phase, and what bounds each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.machine.engine import IDEAL
from roofline.report.tables.estimate import percent
from roofline.report.tables.grid import Grid, grid
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.analysis.training.answer import TrainAnswer

#: How phases are called for people.
TITLES: Final = {
    "vae_encode": "encode pictures",
    "text_encode": "encode texts",
    "forward": "forward",
    "recompute": "repeated",
    "backward": "backward",
    "optimizer": "optimizer",
    "exchange": "exchange between GPUs",
}
_WAIT, _REST = "pipeline bubble", "the host, and the rest"
#: Below this share of a step what is left over is rounding.
_NOTHING: Final = 5e-4


class Row(NamedTuple):
    """One part of a step: its name, how often it is done, counts of one time, what bounds it, seconds of all times."""

    name: str
    repeat: str
    flops: float
    bytes: float
    bound_by: str
    floor: float | None
    bound: float | None
    expected: float


def rows_of(answer: TrainAnswer) -> list[Row]:
    """The parts of a step, which sum to what is expected of it."""
    rows = list(_phases(answer))
    whole = float(answer.times.expected)
    if float(answer.step.bubble_s):
        rows.append(Row(_WAIT, "", 0.0, 0.0, "the plan", None, None, float(answer.step.bubble_s)))
    rest = whole - sum(row.expected for row in rows)
    if abs(rest) > _NOTHING * whole:
        rows.append(Row(_REST, "", 0.0, 0.0, "overhead", None, None, rest))
    return rows


def _phases(answer: TrainAnswer) -> Iterator[Row]:
    for phase in answer.phases:
        repeat, exchanged = float(phase.repeat), phase.name == "exchange"
        floor, bound = (repeat * float(value) for value in (phase.times.floor, phase.times.bound))
        moved = float(phase.communication_bytes if exchanged else phase.bytes)
        yield Row(
            _title(answer, phase.name),
            f"{repeat:,.0f} ×" if repeat != 1 else "once",
            float(phase.flops),
            moved,
            phase.bound_by,
            None if exchanged or phase.name == "recompute" else floor,
            None if exchanged else bound,
            repeat * float(phase.times.expected),
        )


def _title(answer: TrainAnswer, phase: str) -> str:
    """A phase for people; frozen encoders of pictures and texts run before a denoiser does."""
    run = answer.question.run
    encodes = bool(run.height) and not run.cached and phase == "forward"
    return "encode, and forward" if encodes else TITLES.get(phase, phase)


_COLUMNS: Final = (
    *(("", "name"), ("runs", "right?"), ("{}", "right"), ("share", "right"), ("bound by", "left")),
    *(("bound", "right"), ("floor", "right?"), ("compute", "right?"), ("traffic", "right?")),
)


def step_table(answer: TrainAnswer) -> Grid:
    """Where the time of a step goes; times are of all runs of a phase in it, counts of one."""
    q, whole = answer.question, float(answer.times.expected)
    rows = [_cells(row, whole) for row in rows_of(answer)]
    floor, bound = format_time(float(answer.times.floor)), format_time(float(answer.times.bound))
    rows.append(["one step", "", format_time(whole), percent(1.0), "", bound, floor, "", ""])
    reading = "as the roofline bounds it" if q.engine == IDEAL else "as expected"
    stage = " of the slowest stage" if q.plan.pp > 1 else ""
    scope = f"; counts are of one run on one GPU{stage}" if q.gpus > 1 else "; counts are of one run"
    title = f"Where the time of a step goes, {reading}{scope}"
    taken = "in all" if q.engine == IDEAL else "expected"
    return grid(title, [(heading.format(taken), side) for heading, side in _COLUMNS], rows)


def _cells(row: Row, whole: float) -> list[str]:
    times = ["–" if not value else format_time(value) for value in (row.bound, row.floor)]
    counts = [format_si(row.flops, "FLOP") if row.flops else "", format_si(row.bytes, "B") if row.bytes else ""]
    share = percent(row.expected / whole if whole else 0.0)
    return [row.name, row.repeat, format_time(row.expected), share, row.bound_by, *times, *counts]


def stage_words(answer: TrainAnswer) -> str:
    """How long a micro-batch stays in each kind of stage, where stages differ; what is exposed of exchanges."""
    step, parts = answer.step, []
    if len(step.stages) > 1:
        each = [f"{_place(stage.work)} {format_time(float(stage.work_s))}" for stage in step.stages]
        parts.append(f"a micro-batch stays in a stage: {', '.join(each)}")
    if float(step.exposed_s):
        share = float(step.exposed_s) / float(answer.times.expected)
        text = f"exchanges between GPUs that no work hides: {format_time(float(step.exposed_s))} ({percent(share)})"
        within = step.microbatches * sum(float(each.together_s - each.expected_s) for each in step.slowest.passes)
        parts.append(text + (f", of which {format_time(within)} within forward and backward" if within else ""))
    return "; ".join(parts)


def _place(work: object) -> str:
    first, last, number = (getattr(work, name) for name in ("first", "last", "number"))
    if first and last:
        return "the only"
    return "the first" if first else "the last" if last else f"each of {number} between"
