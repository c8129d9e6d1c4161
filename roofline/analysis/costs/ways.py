"""The ways to pay for a run: kinds of price of its machine, and providers of its tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.answer.plain import plain
from roofline.answer.sold import Sold
from roofline.answer.times import Times
from roofline.runs.money.block import price_dict
from roofline.runs.money.money import YEAR, Money, money_of
from roofline.specs.costs.api import TokenPrice, token_prices
from roofline.specs.costs.dates import age_days, today
from roofline.specs.costs.prices import KINDS, WORDS

_DAY: Final = 86400.0
_MONTH: Final = YEAR / 12
#: Kinds of price in the order of tables.
_WAYS: Final = ("on-demand", "spot", "reserved", "own", "buy")

#: What bought machines are held against: the first of them that there is.
RENTS: Final = ("as given", "on-demand")


class Way(NamedTuple):
    """One way to have the machine: its price, an hour of all of it, what a lot of what it makes costs, in readings.

    `upfront` is what is paid at once; `hours` and `months` are those after which that was less than rent that is paid
    for all hours, as the other figures count it: busy hours of the machine, months of the calendar; `busy_months` the
    same against rent for the busy hours alone. None where it never is, or where nothing is paid at once.
    """

    word: str
    money: Money
    hourly: float
    lot: Times
    upfront: float | None = None
    hours: float | None = None
    months: float | None = None
    busy_months: float | None = None

    def to_dict(self, per: str) -> dict[str, Any]:
        """As JSON."""
        return {
            "way": self.word,
            "price": price_dict(self.money),
            "per_hour": plain(self.hourly),
            "currency": self.money.currency,
            f"per_{per}": self.lot.to_dict(),
            "upfront": plain(self.upfront),
            "break_even_hours": plain(self.hours),
            "break_even_months": plain(self.months),
            "break_even_busy_months": plain(self.busy_months),
        }


class Api(NamedTuple):
    """One provider of the model's tokens: what a lot of output costs there with the prompts that belong to it.

    `per_day` is how many must be written a day for the machine to cost as little, `load` the same as a share of what
    the machine can make: above 1 it cannot; None where currencies differ.
    """

    price: TokenPrice
    lot: float
    currency: str
    per_day: float | None
    load: float | None

    @property
    def age_days(self) -> int | None:
        """How many days ago the price was read, at least; None where it has no date."""
        return age_days(self.price.date, today()) if self.price.date else None

    def to_dict(self, per: str) -> dict[str, Any]:
        """As JSON."""
        row = {name: value for name, value in self.price._asdict().items() if name not in ("read", "written")}
        prices = {"input_per_million": self.price.read, "output_per_million": self.price.written}
        return {
            "way": "api",
            **row,
            **prices,
            "age_days": self.age_days,
            f"per_{per}": plain(self.lot),
            "currency": self.currency,
            "break_even_per_day": plain(self.per_day),
            "break_even_load": plain(self.load),
        }


def ways(answer: Answer) -> Iterator[Way]:
    """The ways to have the machine for which a price is known: the one asked for first, then each kind of price."""
    asked = answer.question.money
    first = _way(answer, _word(answer))
    if first is not None:
        yield first
    for word in _WAYS:
        other = asked._replace(own=None, unit="per_gpu_hour", kind=KINDS[word], seller="")
        same = first is not None and asked.own is None and word == first.word and not asked.seller
        bought = first is not None and first.upfront is not None
        if same or (word == "buy" and bought):
            continue
        way = _way(replace(answer, question=replace(answer.question, money=other)), word)
        if way is not None:
            yield way


def _word(answer: Answer) -> str:
    """What the price that was asked for is called."""
    asked = answer.question.money
    price = money_of(answer.question).price
    if asked.own is not None:
        return "buy" if asked.unit == "per_unit" else "as given"
    return WORDS[price.kind] if price is not None else WORDS[asked.kind]


def _way(answer: Answer, word: str) -> Way | None:
    """One way; None where its price is not known or the run makes nothing."""
    money, sold = money_of(answer.question), prime(answer)
    lot = answer.quantity(sold.name)
    hourly = answer.quantity("cost_per_hour")
    if money.price is None or lot is None or lot.times is None or hourly is None or hourly.times is None:
        return None
    bought = money.price.kind == "buy"
    gpus = answer.question.spread.plan.devices
    upfront = money.per_hour(gpus) if bought else None
    upfront = None if upfront is None else upfront * money.asked.lifetime * YEAR
    return Way(word, money, float(hourly.times.expected), lot.times, upfront)


def with_break_even(found: list[Way], load: float) -> list[Way]:
    """The same, with the times after which what is bought was less than renting."""
    rents = [way for way in found if way.word in RENTS]
    if not rents:
        return found
    return [way if way.upfront is None else _paid_back(way, rents[0], load) for way in found]


def _paid_back(way: Way, rent: Way, load: float) -> Way:
    assert way.upfront is not None
    if way.money.currency != rent.money.currency:
        return way
    power = way.hourly - way.upfront / (way.money.asked.lifetime * YEAR)
    always, busy = (
        way.upfront / saved if saved > 0.0 else None for saved in (rent.hourly - power, rent.hourly * load - power)
    )
    months, busy_months = (None if hours is None else hours / _MONTH for hours in (always, busy))
    return way._replace(hours=always and always * load, months=months, busy_months=busy_months)


def prime(answer: Answer) -> Sold:
    """What is sold first of what the run makes: the usual measure of the kind of run."""
    return next(sold for sold in answer.question.kind.sold(answer.question, answer.phases) if float(sold.amount) > 0.0)


def most_per_day(answer: Answer) -> float:
    """How many of what is sold the machine can make in a day, as expected."""
    if answer.served_rate is not None:
        return _DAY * float(answer.served_rate.expected)
    total = answer.quantity("total_s")
    assert total is not None and total.times is not None
    return _DAY * float(prime(answer).amount) / float(total.times.expected)


def apis(answer: Answer, self_hosted: Way | None) -> list[Api]:
    """The providers of the model's tokens, the cheapest at the run's own mix of input and output first, doubtful
    prices last.
    """
    sold, question = prime(answer), answer.question
    if sold.tokens is None:
        return []
    read, written = (float(tokens) / float(sold.amount) * sold.lot for tokens in sold.tokens)
    listed = token_prices().get(question.spec.name, ())
    asked_for = (question.model_origin.alias or question.spec.name).lower()
    released = [price for price in listed if price.release == asked_for]
    asked = question.money
    rate = asked.rate if asked.currency and asked.rate is not None else 1.0
    currency = asked.currency if asked.rate is not None and asked.currency else "USD"
    most = most_per_day(answer)
    found = [
        _api(price, price.of(read, written) * rate, currency, self_hosted, sold.lot) for price in released or listed
    ]
    shared = [api._replace(load=api.per_day / most) if api.per_day is not None else api for api in found]
    return sorted(shared, key=lambda api: (bool(api.price.doubt), api.lot))


def _api(price: TokenPrice, lot: float, currency: str, hosted: Way | None, each: float) -> Api:
    """One provider; a day of the machine buys so many of its tokens."""
    if hosted is None or hosted.money.currency != currency:
        return Api(price, lot, currency, None, None)
    return Api(price, lot, currency, 24.0 * hosted.hourly / lot * each, None)
