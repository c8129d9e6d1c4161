"""Tables of checked and fitted measurements, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from roofline.answer.plain import counted
from roofline.evidence.checks.validate import FALLBACKS, GROUPS, Checked, GroupError, Validation
from roofline.evidence.fits.calibrate import Calibration
from roofline.evidence.runs.rows import by_reason
from roofline.report.tables.grid import grid
from roofline.report.tables.legend import print_table
from roofline.units import format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

_IN_SAMPLE: Final = (
    "Rows that an engine was fitted to are in-sample: their errors and coverage say less than those of rows that were "
    "left out, see docs/validation.md."
)
#: Of coefficients that are no factors: the unit, and how many of it are one of SI.
_UNITS: Final = {
    "unit_rate": ("FLOP/clock", 1.0),
    "unit_stream": ("B/clock", 1.0),
    "kernel_s": ("us", 1e6),
    "step_s": ("us", 1e6),
    "sequence_s": ("us", 1e6),
    "request_s": ("us", 1e6),
}
_WORST: Final = (
    ("row", "name"),
    ("error", "right"),
    ("measured", "right"),
    ("expected", "right"),
    ("model", "name"),
    ("gpu", "name?"),
    ("engine", "name?"),
    ("metric", "name?"),
)
_MOST_BELOW: Final = 5


def print_validation(validation: Validation, console: Console, by: str, worst: int) -> None:
    """Errors of all rows and of the groups of one property, then the rows that miss most and those below a limit."""
    total = validation.all
    console.print(
        f"{counted(total.rows, 'row')}, {counted(validation.coefficients, 'fitted coefficient')}: "
        f"median error {100 * total.median:.1f} %, "
        f"mean {100 * total.mean:.1f} %, {100 * total.coverage:.0f} % in the 80 % interval. Pure roofline "
        f"{100 * total.bound_median:.0f} %, one constant {100 * total.constant_median:.0f} %. "
        "An error is log(expected / measured), in per cent: positive is too slow.\n",
    )
    numbers = ("rows", "median", "mean", "p90", "bias", "inside", "bound", "constant")
    columns = [(by, "left"), *((name, "right") for name in numbers)]
    lines = [[group.name, f"{group.rows:,}", *_percents(group)] for group in validation.by(GROUPS[by])]
    print_table(grid(f"Errors by {by}, in per cent; inside: in the 80 % interval", columns, lines), console)
    rows = sorted(validation.rows, key=lambda row: -abs(row.error))[:worst]
    if rows:
        print_table(grid("The rows that miss most", _WORST, map(_missed, rows)), console)
    _print_below(validation.below_floor, "below its floor", ": unphysical as stated", console)
    _print_below(validation.below_bound, "faster than the roofline of its ops", "", console)
    for reason in by_reason(validation.refused):
        console.print(f"not checked: {reason}")
    for name in validation.unknown:
        stands = f"{FALLBACKS[0]}, pictures as {FALLBACKS[1]}"
        console.print(f"engine {name} is not known: checked as {stands}")
    console.print(_IN_SAMPLE)


def _missed(row: Checked) -> list[str]:
    """A line of the table of rows that miss most."""
    times = format_time(row.measured_s), format_time(row.expected_s)
    ran = row.model, row.gpu, row.engine, row.metric
    return [row.label, f"{100 * row.error:+.0f} %", *times, *ran]


def _print_below(rows: Sequence[Checked], limit: str, verdict: str, console: Console) -> None:
    """The first rows below a limit, and how many more there are."""
    for row in rows[:_MOST_BELOW]:
        doubt = f"; suspect is {row.suspect}" if row.suspect else ""
        ran = f"{row.label}: {row.model} on {row.devices} x {row.gpu}, {row.engine}"
        console.print(f"{ran}: {limit}{verdict}{doubt}")
    if len(rows) > _MOST_BELOW:
        console.print(f"... and {len(rows) - _MOST_BELOW} rows more {limit}")


def _percents(group: GroupError) -> list[str]:
    return [f"{100 * value:.1f}" for value in group.figures]


def print_fit(calibration: Calibration, console: Console) -> None:
    """The coefficients of an engine, what the rows cannot tell, and the error of the fit."""
    fitted, like = calibration.fitted, calibration.like
    size = abs(fitted.errors)
    told = (
        f"{fitted.engine.name}: {calibration.rows} rows, {counted(len(fitted.free), 'coefficient')}; "
        f"median error of the fit {100 * float(np.median(size)):.1f} %, mean {100 * float(size.mean()):.1f} %."
    )
    console.print(told)
    if like is not None:
        console.print(f"Started from {like} as shipped; what these rows cannot tell keeps its values.")
    lines = []
    for name in fitted.free:
        note = "at its physical bound" if name in fitted.at_bound else ""
        lines.append([name, *_value(calibration, name), note])
    columns = [("coefficient", "left"), ("value", "right"), ("unit", "left"), ("", "left")]
    console.print(grid("Coefficients", columns, lines))
    if fitted.undetermined:
        values = ", ".join(f"{name} {' '.join(_value(calibration, name))}" for name in fitted.undetermined)
        kept = f"kept from {like}" if like is not None else "left at their start"
        console.print(f"Not fitted, for these rows cannot tell, and {kept}: {values}.")


def _value(calibration: Calibration, name: str) -> tuple[str, str]:
    unit, scale = _UNITS.get(name, ("factor", 1.0))
    return f"{getattr(calibration.fitted.engine, name) * scale:.3g}", unit
