"""Where costs and energies come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from roofline.answer.derivation import Derivation
from roofline.runs.money.money import money_of
from roofline.runs.money.watts import sources

if TYPE_CHECKING:
    from roofline.answer.quantity import Quantity
    from roofline.runs.kind import Outcome


def money_derivations(outcome: Outcome, costs: Sequence[Quantity], *, loaded: bool = False) -> Iterator[Derivation]:
    """The costs and energies as expected: formula, values, and the price's or the watts' source.

    `loaded`: in the time of a steady load.
    """
    question, found = outcome.question, {q.name: q for q in costs if q.times is not None}
    money, gpus = money_of(question), question.spread.plan.devices
    drawn = sources(question.gpu, (phase.name for phase in outcome.phases))
    where = money.price.source if money.price is not None else ""
    hour = found.pop("cost_per_hour", None)
    if hour is not None and hour.times is not None:
        number = f"{gpus} GPUs in nodes of {money.node}" if money.node else f"{gpus} GPUs"
        more = " + kWh · price of electricity" if money.adds else ""
        yield Derivation(
            hour.name,
            hour.unit,
            float(hour.times.expected),
            f"GPUs (or whole nodes) · price per hour{more}",
            f"{number}, {money.words}",
            where,
        )
    for sold in question.kind.sold(question, outcome.phases):
        cost, joules = found.get(sold.name), found.get(sold.joules)
        whole = "the steady load for as much" if loaded else "the whole run"
        whose = " + ".join(sold.phases) or whole
        made = f"{float(sold.amount):,.0f} in all"
        if cost is not None and cost.times is not None:
            formula = f"seconds of {whose} / 3600 · price of an hour · {sold.lot:,.0f} / (number made · load)"
            values = f"{made}, load {money.asked.load:g}, {money.currency}"
            yield Derivation(cost.name, cost.unit, float(cost.times.expected), formula, values, where)
        if joules is not None and joules.times is not None:
            formula = "(sum over phases of seconds · watts + idle seconds · idle watts) · GPUs · PUE / number made"
            formula += ", at the same mean watts in the time of the steady load" if loaded else ""
            values = f"{made}, {gpus} GPUs, PUE {money.asked.pue:g}; {drawn}"
            source = "hardware/power.csv"
            yield Derivation(joules.name, joules.unit, float(joules.times.expected), formula, values, source)
