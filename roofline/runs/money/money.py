"""What an hour of a plan costs: one price of one accelerator, its provider and its age, and how often it is paid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.answer.phase import Warn
from roofline.errors import UsageError
from roofline.runs.money.terms import UNASKED, Terms
from roofline.specs.costs.dates import age_days, age_words, today
from roofline.specs.costs.prices import WORDS, Price, Table, bundled_prices, of_kind, own_prices
from roofline.specs.files.paths import stamp

if TYPE_CHECKING:
    from roofline.runs.kind import Question
    from roofline.specs.gpu import GPUSpec

#: Hours of a year, leap years included.
YEAR: Final = 365.25 * 24
#: Days after which a price is told to be old.
OLD: Final = 180
#: Prices in which the power is: whoever asks them pays for it.
_WITH_POWER: Final = ("rent_on_demand", "rent_spot", "rent_reserved", "own_total_cost")


class Money(NamedTuple):
    """What a machine costs, as one price, and what else is known about money.

    price      as it is asked; None where none is known, and `missing` says of what
    hourly     per GPU and hour, or per node and hour; in `currency`
    node       GPUs of a node where whole nodes are paid for; 0: each GPU
    tariff     the price of a kWh; `adds`: whether it comes on top of `hourly`
    """

    asked: Terms
    price: Price | None
    hourly: float | None
    currency: str
    node: int = 0
    tariff: Price | None = None
    adds: bool = False
    missing: str = ""
    notes: tuple[str, ...] = ()

    def per_hour(self, gpus: int) -> float | None:
        """So many GPUs for an hour, without electricity that comes on top; None where no price is known."""
        if self.hourly is None:
            return None
        return self.hourly * (ceil(gpus / self.node) if self.node else gpus)

    @property
    def compared(self) -> bool:
        """Whether the price is in the currency in which prices are compared: no rate stands between others."""
        return self.currency == self.asked.reference

    @property
    def age_days(self) -> int | None:
        """How many days ago the price was read, at least; None where it has no date."""
        return age_days(self.price.date, today()) if self.price is not None and self.price.date else None

    @property
    def old(self) -> bool:
        """Whether the price is older than a price should be."""
        return (self.age_days or 0) > OLD

    @property
    def words(self) -> str:
        """The price for people: what it is, who asks it, and since when it is known."""
        price = self.price
        if price is None or self.hourly is None:
            return self.missing
        if price.kind == "buy":
            text = f"{amount(price.value)} {price.currency} each, over {self.asked.lifetime:g} years"
            text += f" = {amount(self.hourly)} {self.currency}/h per GPU"
        else:
            per = f"node of {self.node}" if self.node else "GPU"
            text = f"{amount(self.hourly)} {self.currency}/h per {per}"
        if self.asked.own is not None:
            return f"{text}, as given"
        who = f"{text}, {WORDS[price.kind]}, {price.provider}" + (" (doubtful)" if price.doubt else "")
        return f"{who}, read {price.date}, {age_words(price.date, today())}" if price.date else f"{who}, not dated"

    def warnings(self) -> Iterator[Warn]:
        """That a price is old, doubtful or not known."""
        price = self.price
        if price is None:
            yield Warn("price-unknown", self.missing)
            return
        if self.old:
            text = f"the price of {price.name} by {price.provider} was read {price.date}"
            yield Warn("price-old", f"{text}, {age_words(price.date, today())}: look it up anew and give it (--price)")
        if price.doubt:
            yield Warn("price-doubtful", f"the price of {price.name} by {price.provider} is doubtful: {price.doubt}")


def amount(value: float) -> str:
    """Money to three digits, with two places at least: 0.0042, 0.735, 0.80, 2.49, 1,599."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 1:
        return f"{value:,.2f}"
    text = f"{value:.3g}"
    return f"{value:.2f}" if len(text) < 4 and "e" not in text else text


def money_of(question: Question) -> Money:
    """What the machine of a question costs. Raises UsageError for a price of a node whose size is not known."""
    node = question.spread.node
    return money(question.gpu, question.money, node.count if node is not None else 0)


def money(gpu: GPUSpec, asked: Terms = UNASKED, node: int = 0) -> Money:
    """What an accelerator costs, in nodes of so many where a node has a price; kept, so that it takes microseconds."""
    changed = stamp(asked.table) if asked.table else 0
    found = _found(gpu.name, asked, changed, today())
    if found.price is None or found.price.unit != "per_node_hour":
        return found
    return found._replace(node=node or _node_size(gpu, asked.spec_dir))


def priced(question: Question) -> float | None:
    """What an hour of all devices of a plan costs, without electricity on top; None where no price is known."""
    return money_of(question).per_hour(question.spread.plan.devices)


def hourly_prices(terms: Terms = UNASKED) -> Mapping[str, float]:
    """What each accelerator costs per hour, of those whose price is known, without doubt and in the currency in which
    prices are compared; a price of the user's own is of his machine alone, so others have theirs from the tables.
    """
    other = terms if terms.own is None else terms._replace(own=None, unit="per_gpu_hour")
    if other.reference != terms.reference:
        return {}
    return _hourly_prices(other, stamp(terms.table) if terms.table else 0, today())


@lru_cache(maxsize=64)
def _hourly_prices(terms: Terms, changed: int, day: date) -> Mapping[str, float]:
    named = dict.fromkeys(name for table in _tables(terms) for name in table)
    found = {name: _found(name, terms, changed, day) for name in named}
    return {
        name: money.hourly
        for name, money in found.items()
        if money.hourly is not None
        and money.price is not None
        and money.price.unit != "per_node_hour"
        and not money.price.doubt
        and money.currency == terms.reference
    }


def _node_size(gpu: GPUSpec, spec_dir: str | None) -> int:
    from roofline.runs.devices.resolve import default_node

    node = default_node(gpu, spec_dir)
    if node is None:
        raise UsageError(
            f"a price per node: no node of {gpu.name} is known; name one (--node), or give one per GPU: 2.49/h"
        )
    return node.count


@lru_cache(maxsize=4096)
def _found(name: str, asked: Terms, changed: int, day: date) -> Money:
    """The price of an accelerator by its name; `changed` and `day` say until when that holds."""
    tables = _tables(asked)
    price = _own(name, asked) or _listed(name, asked, tables)
    tariff = _tariff(asked, tables)
    notes: list[str] = []
    if price is None:
        return Money(asked, None, None, asked.currency or "USD", tariff=tariff, missing=_missing(name, asked, tables))
    value, currency = _converted(price, asked, notes)
    if tariff is not None:
        per_kwh, money = _converted(tariff, asked, notes)
        tariff = tariff._replace(value=per_kwh, currency=money)
    if price.unit == "per_unit":
        value /= asked.lifetime * YEAR
        notes.append(f"bought machines are written off over {asked.lifetime:g} years of all hours (--lifetime)")
    with_power = asked.own is None and price.kind in _WITH_POWER
    adds = tariff is not None and not with_power and tariff.currency == currency
    notes += _power_notes(tariff, with_power, currency)
    return Money(asked, price, value, currency, 0, tariff, adds, "", tuple(notes))


def _power_notes(tariff: Price | None, with_power: bool, currency: str) -> Iterator[str]:
    if tariff is None:
        return
    if with_power:
        yield "the price of the machine includes its power: electricity is told apart and not added"
    elif tariff.currency != currency:
        rate = f"--currency {tariff.currency}=RATE converts US dollars"
        yield f"electricity is in {tariff.currency}, the machine in {currency}: told apart and not added; {rate}"


def _tables(asked: Terms) -> tuple[Table, ...]:
    own = own_prices(Path(asked.table), asked.spec_dir, asked.currency) if asked.table else {}
    return own, bundled_prices()


def _own(name: str, asked: Terms) -> Price | None:
    """The user's own price."""
    if asked.own is None:
        return None
    kind = "buy" if asked.unit == "per_unit" else "rent_on_demand"
    return Price(name, kind, asked.currency or "USD", asked.own, asked.unit, "as given", "", "--price")


def _listed(name: str, asked: Terms, tables: tuple[Table, ...]) -> Price | None:
    """The lowest price of the kind, of the provider where one is named; a user's own table goes first.

    A price without doubt goes before one with it, one that is not old before old ones, of which the newest counts.
    """
    kinds = ("rent_on_demand", "rent_spot", "rent_reserved") if asked.seller else (asked.kind,)
    listed = ([*of_kind(table.get(name, ()), kind, asked.seller)] for table in tables for kind in kinds)
    return min(next((prices for prices in listed if prices), ()), key=_preferred, default=None)


def _preferred(price: Price) -> tuple[bool, int, float]:
    age = age_days(price.date, today()) if price.date else 0
    return bool(price.doubt), age if age > OLD else 0, price.value


def _missing(name: str, asked: Terms, tables: tuple[Table, ...]) -> str:
    wanted = f"price of {asked.seller}" if asked.seller else f"price {WORDS[asked.kind]}"
    others = dict.fromkeys(WORDS[p.kind] for table in tables for p in table.get(name, ()))
    known = f"there are: {', '.join(others)}" if others else "give one: --price 2.49/h"
    return f"no {wanted} is known of {name}; {known}"


def _tariff(asked: Terms, tables: tuple[Table, ...]) -> Price | None:
    if asked.tariff is not None:
        return Price("electricity", "electricity", asked.currency or "USD", asked.tariff, "per_kwh", "as given")
    found = (next(of_kind(table.get(asked.region, ()), "electricity"), None) for table in tables if asked.region)
    return next((price for price in found if price is not None), None)


def _converted(price: Price, asked: Terms, notes: list[str]) -> tuple[float, str]:
    """A price in the currency that was asked for, where a rate is known; else as it is, which is noted."""
    if not asked.currency or price.currency == asked.currency:
        return price.value, price.currency
    if price.currency == "USD" and asked.rate is not None:
        notes.append(f"1 USD is taken as {asked.rate:g} {asked.currency} (--currency)")
        return price.value * asked.rate, asked.currency
    how = f"--currency {asked.currency}=RATE tells what 1 USD is"
    notes.append(f"the price of {price.name} stays in {price.currency}: {how}")
    return price.value, price.currency
