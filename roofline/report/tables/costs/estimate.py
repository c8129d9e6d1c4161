"""The table `Cost` of an estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from roofline.report.tables.grid import Grid, grid
from roofline.runs.money.money import amount, money_of

if TYPE_CHECKING:
    from roofline.analysis.estimate import Answer
    from roofline.answer.quantity import Quantity

_READINGS: Final = (
    *(("", "left"), ("floor", "right?"), ("bound", "right")),
    *(("expected", "right"), ("80 % interval", "right?")),
)


def cost_table(est: Answer) -> Grid | None:
    """What it costs, and the energy of what it makes; None where no price is known."""
    money, gpus = money_of(est.question), est.question.spread.plan.devices
    if money.price is None:
        return None
    shown = 3 if est.question.engine == "ideal" else len(_READINGS)
    rows = [_row(quantity)[:shown] for quantity in est.costs if quantity.times is not None]
    several = f"; {gpus} GPUs" if gpus > 1 else ""
    old = "; old" if money.old else ""
    return grid(f"Cost in {money.currency} and energy: {money.words}{old}{several}", _READINGS[:shown], rows)


def _row(quantity: Quantity) -> list[str]:
    """A quantity in its readings; one that is certain, once."""
    assert quantity.times is not None
    floor, bound, expected, low, high = (float(value) for value in quantity.times)
    unit = " J" if quantity.group == "energy" else ""
    title = f"energy of {quantity.title}" if unit else quantity.title
    if low == high == floor:
        return [title, "", amount(bound), amount(expected), "–"]
    interval = f"{amount(low)} – {amount(high)}{unit}" if low != high else "–"
    return [title, *(f"{amount(value)}{unit}" for value in (floor, bound, expected)), interval]
