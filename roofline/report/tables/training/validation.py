"""The tables of `roofline validate --training`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from roofline.answer.plain import counted_whole
from roofline.evidence.training.errors import Errors, Judged
from roofline.evidence.training.validate import TrainingValidation
from roofline.report.tables.grid import grid
from roofline.report.tables.legend import print_table
from roofline.units import format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

_GROUPS = [
    ("", "left"),
    ("rows", "right"),
    ("median", "right"),
    ("p90", "right"),
    ("bias", "right"),
    ("inside", "right"),
]
_ROWS = [("row", "left"), ("error", "right"), ("measured", "right"), ("expected", "right"), ("what", "left")]
_IN_SAMPLE = (
    "Most of these rows were fitted. docs/training.md tells of rows whose model, GPU or source was left out, of "
    "memory, and why some are not asked."
)


def print_training_validation(found: TrainingValidation, console: Console, by: str, worst: int) -> None:
    """Errors by group, the rows that miss most, those below their floor, and what is not asked."""
    errors = found.errors
    console.print(
        f"{errors.rows} steps of published training runs: median error {100 * errors.median:.1f} %, "
        f"90th percentile {100 * errors.p90:.1f} %; {100 * found.coverage:.1f} % lie in the 80 % interval."
    )
    lines = [_group(name, rows) for name, rows in found.groups(by).items()]
    title = f"Errors of a step's time by {by}, in per cent; inside: in the 80 % interval"
    print_table(grid(title, _GROUPS, lines), console)
    rows = sorted(found.rows, key=lambda row: -abs(row.error))[:worst]
    if rows:
        print_table(grid("The rows that miss most", _ROWS, map(_missed, rows)), console)
    for row in found.below_floor:
        console.print(f"{row.run.row.id}: faster than its floor: unphysical as stated")
    for reason, number in Counter(each.reason for each in found.refused).most_common():
        console.print(f"not asked, {counted_whole(number, 'row')}: {reason}")
    console.print(_IN_SAMPLE)


def _group(name: str, rows: Sequence[Judged]) -> list[str]:
    errors = Errors.of([row.error for row in rows])
    inside = sum(row.covered for row in rows) / len(rows)
    shares = [f"{100 * value:.1f}" for value in (errors.median, errors.p90, errors.bias, inside)]
    return [name, str(errors.rows), *shares]


def _missed(row: Judged) -> list[str]:
    run, error = row.run, row.expected / row.measured - 1.0
    what = f"{run.model} on {run.question.gpus:,} × {run.gpu}, {run.question.engine}"
    return [run.row.id, f"{100 * error:+.0f} %", format_time(row.measured), format_time(row.expected), what]
