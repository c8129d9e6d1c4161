"""Money and energy as an answer's JSON has them: what is not known is null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from roofline.answer.plain import plain
from roofline.runs.money.money import money_of
from roofline.runs.money.quantities import mean_watts
from roofline.runs.money.watts import sources, state_of, watts
from roofline.specs.costs.prices import WORDS

if TYPE_CHECKING:
    from roofline.answer.quantity import Quantity
    from roofline.runs.kind import Outcome
    from roofline.runs.money.money import Money
    from roofline.runs.money.watts import Watts


def cost_block(outcome: Outcome, costs: Sequence[Quantity]) -> dict[str, Any]:
    """The price of the machine, an hour of all of it, and what each thing that the run makes costs."""
    question = outcome.question
    money, found = money_of(question), {q.name: q for q in costs if q.group == "cost"}
    hourly = found.pop("cost_per_hour", None)
    block: dict[str, Any] = {
        "price": price_dict(money),
        "gpus": question.spread.plan.devices,
        "currency": money.currency,
        "load": money.asked.load,
        "per_hour": plain(hourly.times.expected) if hourly and hourly.times else None,
    }
    for sold in question.kind.sold(question, outcome.phases):
        block[sold.name.removeprefix("cost_")] = _readings(found.get(sold.name))
    return block | {
        "electricity": electricity_dict(outcome, money),
        "notes": list(money.notes),
        "warnings": [warn._asdict() for warn in money.warnings()],
    }


def price_dict(money: Money) -> dict[str, Any] | None:
    """A price with its provider, its day, its age and where it was read; `hourly` is what it makes per hour."""
    price = money.price
    if price is None:
        return None
    return {
        "value": plain(price.value),
        "currency": price.currency,
        "unit": price.unit,
        "kind": WORDS[price.kind] if money.asked.own is None else "given",
        "provider": price.provider,
        "date": price.date or None,
        "age_days": money.age_days,
        "source": price.source,
        "doubt": price.doubt or None,
        "hourly": plain(money.hourly),
        "hourly_currency": money.currency,
        "gpus_per_price": money.node or 1,
        "lifetime_years": money.asked.lifetime if price.unit == "per_unit" else None,
    }


def electricity_dict(outcome: Outcome, money: Money) -> dict[str, Any] | None:
    """The price of electricity, an hour of it, and whether that is in the costs; None where none was asked."""
    tariff = money.tariff
    if tariff is None:
        return None
    kwh = _kilowatts(outcome)
    return {
        "value": plain(tariff.value),
        "currency": tariff.currency,
        "unit": tariff.unit,
        "provider": tariff.provider,
        "date": tariff.date or None,
        "source": tariff.source or None,
        "per_hour": None if kwh is None else kwh * tariff.value,
        "added": money.adds,
    }


def energy_block(outcome: Outcome, costs: Sequence[Quantity] = ()) -> dict[str, Any]:
    """What one GPU draws in each phase and when it idles, what all of them take, and the energy of what they make."""
    question = outcome.question
    drawn = {phase.name: watts(question.gpu, state_of(phase.name)) for phase in outcome.phases}
    idle, found = watts(question.gpu, "idle"), {q.name: q for q in costs if q.group == "energy"}
    block: dict[str, Any] = {
        "watts": {name: _watts_dict(w) for name, w in drawn.items()},
        "idle_watts": plain(idle.value) if idle is not None else None,
        "pue": question.money.pue,
        "kwh_per_hour": _kilowatts(outcome),
    }
    for sold in question.kind.sold(question, outcome.phases):
        if sold.joules:
            block[sold.joules] = _readings(found.get(sold.joules))
    return block | {"source": sources(question.gpu, drawn) or None}


def _kilowatts(outcome: Outcome) -> Any:
    """What the whole plan draws on average, as JSON; null where that is not known."""
    drawn = mean_watts(outcome)
    return None if drawn is None else plain(drawn / 1e3)


def _readings(quantity: Quantity | None) -> dict[str, Any] | None:
    return quantity.times.to_dict() if quantity is not None and quantity.times is not None else None


def _watts_dict(drawn: Watts | None) -> dict[str, Any] | None:
    if drawn is None:
        return None
    return {"value": plain(drawn.value), "low": plain(drawn.low), "high": plain(drawn.high), "rows": drawn.rows}
