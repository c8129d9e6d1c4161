"""The table of `roofline cost`: rent or buy, machine or API, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.report.tables.estimate import print_asked, print_warnings
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_table
from roofline.runs.money.money import amount
from roofline.units import format_count

if TYPE_CHECKING:
    from roofline.analysis.costs.answer import Costing
    from roofline.analysis.costs.ways import Api, Way
    from roofline.report.tables.console import Console

#: APIs that are shown; JSON and CSV have all.
_SHOWN: Final = 6
_COLUMNS: Final = (
    *(("", "left"), ("from", "left"), ("read", "name?"), ("an hour", "right"), ("for these", "right")),
    ("cheaper", "name"),
)


def print_cost(costing: Costing, console: Console) -> None:
    """The verdict first, then what it rests on."""
    console.print(costing.verdict, style="bold")
    console.print()
    print_asked(costing.answer, console)
    if costing.ways or costing.apis:
        print_table(way_table(costing), console)
    print_warnings(costing.warnings, console)


def way_table(costing: Costing) -> Grid:
    """Each way with who asks for it, since when that is known, its price, what a lot costs, and when it is cheaper."""
    rows = [_way(way) for way in costing.ways]
    rows += [_api(api) for api in costing.apis[:_SHOWN]]
    more = f"; {len(costing.apis) - _SHOWN} more APIs in --json" if len(costing.apis) > _SHOWN else ""
    currencies = dict.fromkeys([*(way.money.currency for way in costing.ways), *(api.currency for api in costing.apis)])
    title = f"{', '.join(currencies)} an hour and for {costing.sold.title}, at {100 * costing.load:.3g} % of"
    return grid(f"{title} {format_count(costing.most)} a day{more}", _COLUMNS, rows)


def _way(way: Way) -> list[str]:
    price = way.money.price
    assert price is not None
    who = price.provider + " (?)" * bool(price.doubt)
    pays = f"in {way.months:,.0f} months" if way.months is not None else "" if way.upfront is None else "never"
    return [way.word, who, price.date, amount(way.hourly), amount(float(way.lot.expected)), pays]


def _api(api: Api) -> list[str]:
    who = api.price.provider + " (?)" * bool(api.price.doubt)
    return ["API", who, api.price.date, "–", amount(api.lot), " ".join(_until(api))]


def _until(api: Api) -> Iterator[str]:
    """Up to which load the API is cheaper."""
    if api.load is not None:
        yield "at any load" if api.load > 1.0 else f"to {100 * api.load:.2g} % load"
