"""Tables of checked and fitted measurements, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from roofline.analysis.measured.fit_engines import EngineFitted
from roofline.analysis.measured.validate import GROUPS, GroupError, Validation
from roofline.machine.engine import Engine
from roofline.report.grid import grid
from roofline.units import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

_UNITS: Final = {"unit_rate": ("FLOP/clock", 1.0), "unit_stream": ("B/clock", 1.0), "kernel_s": ("us", 1e6),
                 "step_s": ("us", 1e6), "sequence_s": ("us", 1e6), "request_s": ("us", 1e6)}  # fmt: skip


def print_validation(validation: Validation, console: Console, by: str, worst: int) -> None:
    """Errors of all rows and of the groups of one property, then the rows that miss most and those below a limit."""
    total = validation.all
    console.print(
        f"{total.rows} rows, {validation.coefficients} fitted coefficients: median error {100 * total.median:.1f} %, "
        f"mean {100 * total.mean:.1f} %, {100 * total.coverage:.0f} % in the 80 % interval. Pure roofline "
        f"{100 * total.bound_median:.0f} %, one constant {100 * total.constant_median:.0f} %. "
        "An error is log(expected / measured), in per cent: positive is too slow.\n",
        highlight=False,
    )
    numbers = ("rows", "median", "mean", "p90", "bias", "inside", "bound", "constant")
    columns = [(by, "left"), *((name, "right") for name in numbers)]
    lines = [[group.name, f"{group.rows:,}", *_percents(group)] for group in validation.by(GROUPS[by])]
    console.print(grid(f"Errors by {by}, in per cent; inside: in the 80 % interval", columns, lines))
    rows = sorted(validation.rows, key=lambda row: -abs(row.error))[:worst]
    if rows:
        columns = [("row", "name"), *((n, "right") for n in ("error", "measured", "expected")), ("model", "name"),
                   *((name, "name?") for name in ("gpu", "engine", "metric"))]  # fmt: skip
        lines = [
            [row.label, f"{100 * row.error:+.0f} %", format_time(row.measured_s), format_time(row.expected_s),
             row.model, row.gpu, row.engine, row.metric]
            for row in rows
        ]  # fmt: skip
        console.print(grid("The rows that miss most", columns, lines))
    for text, found in (("below its floor: unphysical as stated", validation.below_floor),
                        ("faster than the roofline of its ops", validation.below_bound)):  # fmt: skip
        for row in found[:5]:
            doubt = f"; suspect is {row.suspect}" if row.suspect else ""
            console.print(f"{row.label}: {row.model} on {row.devices} x {row.gpu}, {row.engine}: {text}{doubt}")
        if len(found) > 5:
            console.print(f"... and {len(found) - 5} rows more {text.split(':', maxsplit=1)[0]}")
    for reason, places in _by_reason(validation.refused).items():
        shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
        console.print(f"not checked: {shown}: {reason}")


def _by_reason(refused: Sequence[str]) -> dict[str, list[str]]:
    """The rows that could not be checked, by why."""
    found: dict[str, list[str]] = {}
    for text in refused:
        place, _, reason = text.partition(": ")
        found.setdefault(reason, []).append(place)
    return found


def _percents(group: GroupError) -> list[str]:
    return [f"{100 * value:.1f}" for value in group.figures]


def print_fit(fitted: EngineFitted, rows: int, console: Console) -> None:
    """The coefficients of an engine, what the rows cannot tell, and the error of the fit."""
    size = abs(fitted.errors)
    console.print(
        f"{fitted.engine.name}: {rows} rows, {len(fitted.free)} coefficients; median error of the fit "
        f"{100 * float(_median(size)):.1f} %, mean {100 * float(size.mean()):.1f} %."
    )
    lines = []
    for name in fitted.free:
        unit, scale = _UNITS.get(name, ("factor", 1.0))
        note = "at its physical bound" if name in fitted.at_bound else ""
        note = "not told by these rows" if name in fitted.undetermined else note
        lines.append([name, f"{getattr(fitted.engine, name) * scale:.3g}", unit, note])
    columns = [("coefficient", "left"), ("value", "right"), ("unit", "left"), ("", "left")]
    console.print(grid("Coefficients", columns, lines))
    untold = [name for name in fitted.undetermined if name not in fitted.free]
    if untold:
        defaults = ", ".join(f"{name} {Engine._field_defaults[name]:g}" for name in untold)
        console.print(f"Not fitted, for these rows cannot tell: {defaults}.")


def _median(values: object) -> float:
    import numpy as np

    return float(np.median(np.asarray(values)))
