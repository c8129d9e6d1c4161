"""The options about money, read once at the door."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.errors import UsageError, nearest
from roofline.runs.checks import number
from roofline.runs.money.options import MONEY as PANEL
from roofline.specs.costs.prices import KINDS, LEAST, MOST, Price, beside_specs, own_prices, regions, sellers
from roofline.specs.files.paths import expanded

#: The names of the options about money.
MONEY: Final = tuple(option.name for option in PANEL)
#: Years over which a machine that was bought is written off. Large clouds write servers off in five to six years; an
#: accelerator is passed by two generations in four (both unverified).
LIFETIME: Final = 4.0
_LONGEST_LIFE: Final = 50.0
_NUMBER: Final = r"(?P<value>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)"
_PRICE: Final = re.compile(rf"{_NUMBER}\s*(?P<per>/h|/h/gpu|/gpu/h|/h/node|/node/h|/unit)?", re.ASCII)
_TARIFF: Final = re.compile(rf"{_NUMBER}\s*(?:/?kwh)?", re.ASCII | re.IGNORECASE)
_CURRENCY: Final = re.compile(rf"(?P<name>[A-Za-z]{{3}})(?:={_NUMBER})?", re.ASCII)
_SHARE: Final = re.compile(rf"{_NUMBER}\s*(?P<cent>%)?", re.ASCII)
_UNITS: Final = {
    "": "per_gpu_hour",
    "/h": "per_gpu_hour",
    "/h/gpu": "per_gpu_hour",
    "/gpu/h": "per_gpu_hour",
    "/h/node": "per_node_hour",
    "/node/h": "per_node_hour",
    "/unit": "per_unit",
}
_HOW: Final = "write 2.49/h per GPU, 20/h/node, 1599/unit, or one of"
_RENTS: Final = tuple(word for word in KINDS if word != "electricity")

#: The smallest share, number of years, watt per watt that anybody means.
_SMALLEST: Final = 1e-4


class Terms(NamedTuple):
    """What was asked about money; what stands here where nothing was is the default.

    own        a price of the user's own, in `unit`; None: one of the tables
    kind       of the price in the tables; `seller` the provider that is wanted
    table      a table of the user's own, and `needed`: whether it was named
    currency   the label of the user's own prices; `rate` what one US dollar is in it
    tariff     price of a kWh of the user's own; `region` that of a table
    lifetime   years over which what is bought is written off
    load       share of the time in which the machine is busy
    pue        watts of the building per watt of its machines
    given      whether anything was asked, and `words`: price, table, currency and electricity as they were given
    """

    own: float | None = None
    unit: str = "per_gpu_hour"
    kind: str = "rent_on_demand"
    seller: str = ""
    table: str = ""
    currency: str = ""
    rate: float | None = None
    tariff: float | None = None
    region: str = ""
    lifetime: float = LIFETIME
    load: float = 1.0
    pue: float = 1.0
    spec_dir: str | None = None
    given: bool = False
    words: tuple[str | None, ...] = (None,) * 4

    def inputs(self) -> dict[str, Any]:
        """The options as resolved, prices as they were given."""
        words = dict(zip(("price", "prices", "currency", "electricity"), self.words, strict=True))
        return words | {"lifetime": self.lifetime, "load": self.load, "pue": self.pue}

    @property
    def reference(self) -> str:
        """The currency in which prices are compared; those in another are not."""
        own = self.rate is not None or self.own is not None or bool(self.table)
        return (self.currency if own else "") or "USD"


UNASKED: Final = Terms()


def read_terms(options: Mapping[str, Any], spec_dir: str | None = None) -> Terms:
    """What was asked about money. Raises UsageError for what is no price, no share, no currency; SpecError for a table
    that cannot be read.
    """
    beside = beside_specs(spec_dir) if not options.get("prices") else None
    if beside is None and all(options.get(name) is None for name in MONEY):
        return UNASKED
    currency, rate = _currency(options.get("currency"))
    table = str(expanded(options["prices"])) if options.get("prices") else str(beside or "")
    if table:
        own_prices(Path(table), spec_dir, currency)  # what is wrong there is said now
    words = tuple(None if (value := options.get(name)) is None else _text(value) for name in MONEY[:4])
    asked = Terms(table=table, currency=currency, rate=rate, spec_dir=spec_dir, given=True, words=words)
    asked = _price(asked, options.get("price"))
    asked = _tariff(asked, options.get("electricity"))
    return asked._replace(
        lifetime=_number("lifetime", options.get("lifetime"), LIFETIME, (_SMALLEST, _LONGEST_LIFE), "years"),
        load=_share("load", options.get("load")),
        pue=_number("pue", options.get("pue"), 1.0, (1.0, 10.0), "watts of the building per watt of its machines"),
    )


def _price(asked: Terms, given: Any) -> Terms:
    """The price: a number of the user's own, a kind of price, or a provider."""
    if given is None:
        return asked
    text = _text(given)
    match = _PRICE.fullmatch(text)
    if match is not None:
        unit = _UNITS[match["per"] or ""]
        return asked._replace(own=_within("--price", text, match["value"], MOST[unit]), unit=unit)
    word = text.lower()
    if word in _RENTS:
        return asked._replace(kind=KINDS[word])
    known = sellers() | _sellers_of(asked)
    if word not in known:
        how = f"{_HOW} {', '.join(_RENTS)}, or a provider's name"
        raise _unknown("--price", text, how, [*_RENTS, *sorted(known)])
    return asked._replace(seller=word)


def _sellers_of(asked: Terms) -> frozenset[str]:
    """The providers of the user's own table."""
    prices = (price for each in _own(asked).values() for price in each)
    return frozenset(name for price in prices for name in (price.seller, price.provider.lower()))


def _own(asked: Terms) -> Mapping[str, Sequence[Price]]:
    """The user's own table; empty where there is none."""
    return own_prices(Path(asked.table), asked.spec_dir, asked.currency) if asked.table else {}


def _tariff(asked: Terms, given: Any) -> Terms:
    """The price of electricity: a number per kWh, or a region of the tables."""
    if given is None:
        return asked
    text = _text(given)
    match = _TARIFF.fullmatch(text)
    if match is not None:
        return asked._replace(tariff=_within("--electricity", text, match["value"], MOST["per_kwh"]))
    word, own = text.lower(), _own(asked)
    sold = (name for name, prices in own.items() if any(price.kind == "electricity" for price in prices))
    known = sorted({*regions(), *sold})
    if word not in known:
        how = f"write a price such as 0.12/kWh, or a region: {', '.join(known)}"
        raise _unknown("--electricity", text, how, known)
    return asked._replace(region=word)


def _unknown(flag: str, text: str, how: str, known: Sequence[str]) -> UsageError:
    """What is no known word, how it is written, and the word that was meant."""
    close = nearest(text, known, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return UsageError(f"{flag} {text[:40]!r}: {how}{hint}")


def _currency(given: Any) -> tuple[str, float | None]:
    """A currency, and what one US dollar is in it where that is told."""
    if given is None:
        return "", None
    text = _text(given)
    match = _CURRENCY.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--currency {text[:40]!r}: write three letters, EUR, or with a rate: EUR=0.92 for one US dollar"
        )
    name, value = match["name"].upper(), match["value"]
    rate = None if value is None else _within("--currency", text, value, 1e7)
    if name == "USD" and rate not in (None, 1.0):
        raise UsageError(f"--currency {text[:40]!r}: one US dollar is 1 USD")
    return name, rate if name != "USD" else 1.0


def _number(name: str, given: Any, default: float, ends: tuple[float, float], what: str) -> float:
    return default if given is None else number(name, given, *ends, what)


def _share(name: str, given: Any) -> float:
    """A share of the whole, 0.6 or 60%."""
    if given is None:
        return 1.0
    match = _SHARE.fullmatch(_text(given))
    value = float(match["value"]) / (100.0 if match["cent"] else 1.0) if match is not None else math.nan
    if not _SMALLEST <= value <= 1.0:
        raise UsageError(f"--{name} must be a share from {_SMALLEST:g} to 1 (0.6 or 60%), not {str(given)[:40]!r}")
    return value


def _within(flag: str, text: str, value: str, most: float) -> float:
    number = float(value)
    if not LEAST <= number <= most:
        raise UsageError(f"{flag} {text[:40]!r} must be from {LEAST:g} to {most:,.0f}")
    return number


def _text(given: Any) -> str:
    return str(given).strip()
