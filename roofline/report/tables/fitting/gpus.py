"""The table of `roofline list gpus --for MODEL`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from roofline.analysis.fit.gpus import GPUsFor
from roofline.analysis.fit.models_words import rate
from roofline.analysis.fit.offers import Offer
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.fitting.models import pace_cells
from roofline.report.tables.grid import grid
from roofline.report.tables.legend import print_legend, print_table
from roofline.units import format_si

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

#: How the order is said.
_ORDERS: Final = {
    "value": "most for the money first, then those without a known rent by speed",
    "speed": "the fastest first",
    "price": "the cheapest first, then those without a known rent by speed",
    "memory": "the least memory first",
    "name": "by name",
}


def print_gpus(found: GPUsFor, console: Console) -> None:
    """The verdict first, then every accelerator; no name is cut even where the terminal is narrower."""
    q = found.first.question
    console.print(found.verdict, style="bold")
    console.print()
    console.print(q.kind.told(q).heading)
    print_legend(q.kind.told(q).heading, console)
    console.print()
    pace = next((offer.pace for offer in found.offers if offer.pace is not None), None)
    made = "made" if pace is None else f"{pace.title.removeprefix('per ')}s" if pace.unit == "s" else pace.unit
    currency = found.offers[0].machine.money.asked.reference
    columns = (
        *(("name", "name"), ("GPUs", "right"), ("plan", "left?"), ("needs", "right"), ("of", "right?")),
        *((pace.title if pace is not None else "speed", "right"), ("80 %", "right?"), (f"{currency}/h", "right")),
        *((f"{made}/{currency}", "right"), ("read", "name?"), ("from", "left?")),
    )
    title = f"{len(found.offers)} accelerators, {_ORDERS[found.by]}; bytes per GPU; what does not run comes last"
    title = title if found.by != "name" else title.partition(";")[0]
    print_table(grid(title, columns, [_cells(offer) for offer in found.offers]), console, crop=False)
    print_warnings(found.warnings, console)


def _cells(offer: Offer) -> list[str]:
    machine, trial = offer.machine, offer.machine.trial
    if trial is None:
        return [machine.gpu.name, "–", "", "–", "–", "cannot", "", "–", "–", "", ""]
    plan = "" if trial.plan.single else trial.plan.text()
    sizes = [format_si(float(trial.memory.total_bytes), "B"), format_si(float(trial.memory.usable_bytes), "B")]
    price, cost = machine.money.price, offer.cost
    told = ["", ""] if price is None else [price.date, price.provider]
    paid = ["–" if cost is None else f"{cost:,.2f}", "–" if offer.per_dollar is None else _amount(offer.per_dollar)]
    pace = pace_cells(offer.pace) if machine.fits else ["does not fit", ""]
    return [machine.gpu.name, str(machine.gpus), plan, *sizes, *pace, *paid, *told]


def _amount(value: float) -> str:
    return format_si(value) if value >= 1000 else rate(value)
