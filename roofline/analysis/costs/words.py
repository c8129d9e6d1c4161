"""The answer to what it costs, in the sentences that people see first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from roofline.analysis.costs.ways import RENTS, prime
from roofline.analysis.fit.words import short_title
from roofline.runs.money.money import amount, money_of
from roofline.specs.costs.dates import age_words, today
from roofline.units import format_count

if TYPE_CHECKING:
    from roofline.analysis.costs.ways import Api, Way
    from roofline.analysis.estimate import Answer


def verdict(answer: Answer, ways: Sequence[Way], apis: Sequence[Api]) -> str:
    """What an hour and a lot cost, and from when buying or an API is cheaper."""
    return " ".join(_sentences(answer, ways, apis))


def _sentences(answer: Answer, ways: Sequence[Way], apis: Sequence[Api]) -> Iterator[str]:
    q, missing = answer.question, money_of(answer.question).missing
    gpus = q.spread.plan.devices
    on = f"one {short_title(q.gpu)}" if gpus == 1 else f"{gpus} × {short_title(q.gpu)}"
    what = f"{q.spec.title} in {q.precision.label} on {on}"
    if not answer.memory.fits:
        yield f"{what} does not fit: these are costs of a run that cannot happen."
    if missing or not ways:
        yield f"What {what} costs is not known: {missing}."
    else:
        yield f"{what} costs {_hosted(answer, ways[0])}."
    bought = next((way for way in ways if way.upfront is not None), None)
    if bought is not None:
        yield _bought(answer, bought)
    if apis:
        yield _api(answer, apis[0])


def _hosted(answer: Answer, way: Way) -> str:
    lot, money = way.lot, way.money
    low, high = (amount(float(value)) for value in (lot.low, lot.high))
    within = f" ({low} to {high})" if low != high else ""
    hour = f"{amount(way.hourly)} {money.currency} an hour"
    price = money.price
    if price is not None and price.date:
        hour += f" ({way.word}, {price.provider}, read {price.date}, {age_words(price.date, today())})"
    text = f"{hour}, {amount(float(lot.expected))} {money.currency}{within} for {prime(answer).title}"
    load = answer.question.money.load
    return text if load == 1.0 else f"{text} at {100 * load:.3g} % of what it can make"


def _bought(answer: Answer, way: Way) -> str:
    price = f"{amount(way.upfront or 0.0)} {way.money.currency}"
    if way.hours is None or way.months is None:
        return f"Bought at {price}, it is never cheaper than rented at the electricity and the load that are given."
    money = answer.question.money
    text = f"Bought at {price}, it has paid for itself after {way.hours:,.0f} busy hours"
    text += f", {_months(way.months, money.lifetime)} at a load of {100 * money.load:.3g} %"
    if money.load == 1.0:
        return f"{text}."
    alone = "never" if way.busy_months is None else f"after {_months(way.busy_months, money.lifetime)}"
    return f"{text}, against rent for all hours; against rent for the busy hours alone {alone}."


def _months(months: float, lifetime: float) -> str:
    """`7.5 months`, `72.3 months (longer than its life)`."""
    return f"{months:,.1f} months" + (" (longer than its life)" if months > 12 * lifetime else "")


def notes(answer: Answer, ways: Sequence[Way], apis: Sequence[Api]) -> Iterator[str]:
    """How the ways are counted and compared: what is in the price of each, and what is not."""
    terms, bought = answer.question.money, next((way for way in ways if way.upfront is not None), None)
    if bought is not None:
        power = "with electricity" if bought.money.adds else "no electricity is counted (--electricity)"
        years = f"its price over {terms.lifetime:g} years of all hours (--lifetime), {power}"
        yield f"buy: {years}; the accelerator alone: no host, network, room or people"
    if bought is not None and bought.months is not None:
        rent = next(way.word for way in ways if way.word in RENTS)
        text = f"buy is cheaper than {rent} after so many months where rent is paid for all hours, busy or not"
        alone = "never" if bought.busy_months is None else f"in {bought.busy_months:,.1f} months"
        yield text if terms.load == 1.0 else f"{text}; against rent for the busy hours alone {alone}"
    priced = {way.word: way for way in ways}
    spot, rented = priced.get("spot"), priced.get("on-demand")
    if spot and rented and spot.money.currency == rented.money.currency and spot.hourly > rented.hourly:
        yield "spot is dearer here than on-demand: each is the lowest known of its kind, doubtful and old ones last"
    if apis:
        yield "APIs are compared at the run's own mix of input and output, none of the input from a cache"
        if any(api.load is not None for api in apis):
            yield (
                "an API is cheaper than this plan up to the load that is told, a share of what the plan can make; "
                "at any load: even where the machine is always busy"
            )


def _api(answer: Answer, api: Api) -> str:
    text = f"The cheapest API ({api.price.provider}) asks {amount(api.lot)} {api.currency} for the same"
    if api.per_day is None or api.load is None:
        return f"{text}."
    if api.load > 1.0:
        return f"{text}: less than this plan costs at any load."
    made = f"{format_count(api.per_day)} a day, {100 * api.load:.3g} % of what the machine can make"
    if answer.question.money.load >= api.load:
        return f"{text}: the machine is cheaper from {made}."
    return f"{text}: it is cheaper up to {made}."
