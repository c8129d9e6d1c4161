"""The tables of a training run's memory: its parts on the fullest GPU, and what would help where they do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from roofline.report.tables.estimate import percent
from roofline.report.tables.grid import Grid, grid
from roofline.units import format_binary, format_si, format_time

if TYPE_CHECKING:
    from roofline.analysis.training.answer import TrainAnswer
    from roofline.analysis.training.telling.helping import Helped

_PARTS: Final = (("", "left"), ("bytes", "right"), ("share", "right?"), ("", "left"))
_REMEDIES: Final = (("change", "text"), ("needs", "right"), ("saves", "right?"), ("", "left"), ("a step", "right?"))


def memory_table(answer: TrainAnswer) -> Grid:
    """What the fullest GPU holds, part by part, as shares of its capacity."""
    memory, capacity = answer.memory, float(answer.memory.capacity_bytes)
    held = [(part.title, float(part.bytes), part.note) for part in memory.parts if float(part.bytes)]
    rows = [[title, format_si(size, "B"), percent(size / capacity), note] for title, size, note in held]
    total, usable = float(memory.total_bytes), float(memory.usable_bytes)
    told = f"{'fits' if memory.fits else 'DOES NOT FIT'} in {memory.room}"
    told += f" ({format_binary(total)} of {format_binary(usable)})"
    rows.append(["total", format_si(total, "B"), percent(total / capacity), told])
    if memory.fits:
        rows.append(["left", format_si(usable - total, "B"), percent((usable - total) / capacity), ""])
    else:
        rows.append(["too much", format_si(total - usable, "B"), percent((total - usable) / capacity), ""])
    scope = " per GPU, of the fullest stage" if answer.question.plan.pp > 1 else " per GPU"
    return grid(f"Memory{scope if answer.question.gpus > 1 else ''} (1 GB = 1e9 B)", _PARTS, rows)


def remedy_table(answer: TrainAnswer) -> Grid:
    """What would help, the greatest effect first; those that change nothing are left out."""
    total = float(answer.memory.total_bytes)
    helping = [each for each in answer.remedies if float(each.memory.total_bytes) < total]
    rows = [_remedy(each, total) for each in sorted(helping, key=lambda each: float(each.memory.total_bytes))]
    each_gpu = " per GPU" if answer.question.gpus > 1 else ""
    return grid(f"What would help, and how much{each_gpu}, the greatest effect first", _REMEDIES, rows)


def _remedy(found: Helped, total: float) -> list[str]:
    step = format_time(found.step_s) if found.step_s is not None else "–"
    saved = format_si(total - float(found.memory.total_bytes), "B")
    return [found.options, found.needs, saved, "fits" if found.fits else "no", step]
