"""What accelerators and electricity cost: dated prices, from `hardware/prices.csv` or a user's own table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from roofline.errors import UnknownNameError
from roofline.specs.costs.rows import Row, read_rows
from roofline.specs.files.library import bundled, find
from roofline.specs.files.paths import expanded, is_file, stamp

COLUMNS: Final = ("name", "kind", "currency", "value", "unit", "provider", "date", "source", "doubt", "note")
#: The kinds of price by the words for them, and the unit in which each stands.
KINDS: Final = {
    "on-demand": "rent_on_demand",
    "spot": "rent_spot",
    "reserved": "rent_reserved",
    "own": "own_total_cost",
    "buy": "buy",
    "electricity": "electricity",
}
WORDS: Final = {kind: word for word, kind in KINDS.items()}
UNIT_OF: Final = {
    **dict.fromkeys(KINDS.values(), "per_gpu_hour"),
    "buy": "per_unit",
    "electricity": "per_kwh",
}
#: The most that anybody asks: beyond, a number means something else.
MOST: Final = {"per_gpu_hour": 1e4, "per_node_hour": 1e6, "per_unit": 1e7, "per_kwh": 1e3}
LEAST: Final = 1e-6
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_BEHIND: Final = re.compile(r"\s*[ (].*", re.DOTALL)


class Price(NamedTuple):
    """One price: of what, which kind, how much of which currency for what; who asks it, on which day, read where.

    `doubt` says why the row may be wrong; empty where nothing speaks against it.
    """

    name: str
    kind: str
    currency: str
    value: float
    unit: str
    provider: str = ""
    date: str = ""
    source: str = ""
    doubt: str = ""
    note: str = ""

    @property
    def seller(self) -> str:
        """The provider's name alone: `lambda` of `lambda (8 GPUs)`, `aws` of `aws p5.48xlarge us-east-1`."""
        return _BEHIND.sub("", self.provider).lower()

    @property
    def order(self) -> tuple[bool, float, str]:
        """Those without doubt first, the lowest of them first."""
        return bool(self.doubt), self.value, self.provider


#: Prices by what they are of.
Table = Mapping[str, tuple[Price, ...]]


def bundled_prices() -> Table:
    """The prices that come with the library, in US dollars but for electricity."""
    return _table(str(bundled("hardware") / "prices.csv"), 0, None, "")


def own_prices(path: Path, spec_dir: str | None = None, currency: str = "") -> Table:
    """A user's own table; rows that name no currency are in the one given, else in US dollars. Raises SpecError."""
    return _table(str(path), stamp(path), spec_dir, currency)


def beside_specs(spec_dir: str | None) -> Path | None:
    """The `prices.csv` of a folder of specs, in it or in its `hardware/`."""
    if not spec_dir:
        return None
    places = (expanded(spec_dir) / name for name in ("prices.csv", "hardware/prices.csv"))
    return next((place for place in places if is_file(place)), None)


@lru_cache(maxsize=64)
def _table(path: str, changed: int, spec_dir: str | None, currency: str) -> Table:
    """A table, read once while the file stays as it is."""
    own = changed != 0 or path != str(bundled("hardware") / "prices.csv")
    columns = (*COLUMNS, "gpu") if own else COLUMNS
    found: dict[str, list[Price]] = {}
    for row in read_rows(Path(path), columns, ("value",), "table of prices"):
        price = _price(row, currency or "USD", spec_dir, own)
        found.setdefault(price.name, []).append(price)
    return {name: tuple(sorted(prices, key=lambda price: price.order)) for name, prices in found.items()}


def _price(row: Row, currency: str, spec_dir: str | None, own: bool) -> Price:
    kind = row.word("kind", [*KINDS.values(), *KINDS], "rent_on_demand")
    kind = KINDS.get(kind, kind)
    units = ("per_gpu_hour", "per_node_hour") if UNIT_OF[kind] == "per_gpu_hour" else (UNIT_OF[kind],)
    unit = row.word("unit", units, units[0])
    money = row.text("currency", currency)
    if not _CURRENCY.fullmatch(money):
        raise row.fail("currency", f"{money[:40]!r} is no currency; write USD, EUR, GBP")
    return Price(
        name=_name(row, kind, spec_dir) if own else row.text("name"),
        kind=kind,
        currency=money,
        value=row.number("value", MOST[unit], LEAST),
        unit=unit,
        provider=row.text("provider", row.place.path if own else ""),
        date=row.date("date"),
        source=row.text("source", row.place.path if own else ""),
        doubt=row.text("doubt"),
        note=row.text("note"),
    )


def _name(row: Row, kind: str, spec_dir: str | None) -> str:
    """The accelerator of a row of a user's own, as this library calls it; of electricity the name of the region."""
    column = "name" if row.text("name") else "gpu"
    name = row.text(column)
    if not name:
        raise row.fail("name", "names no accelerator (and no region, of electricity)")
    if kind == "electricity":
        return name
    try:
        return find("hardware", name, spec_dir).name
    except UnknownNameError as error:
        raise row.fail(column, str(error)) from None


def of_kind(prices: Iterable[Price], kind: str, seller: str = "") -> Iterator[Price]:
    """Those of a kind, and of one provider where one is named; the lowest without doubt first."""
    return (p for p in prices if p.kind == kind and (not seller or seller in (p.seller, p.provider.lower())))


@cache
def sellers() -> frozenset[str]:
    """The providers of the bundled prices of rented machines."""
    rents = ("rent_on_demand", "rent_spot", "rent_reserved")
    return frozenset(p.seller for prices in bundled_prices().values() for p in prices if p.kind in rents)


@cache
def regions() -> Mapping[str, Price]:
    """The bundled prices of electricity by region."""
    return {name: prices[0] for name, prices in bundled_prices().items() if prices[0].kind == "electricity"}
