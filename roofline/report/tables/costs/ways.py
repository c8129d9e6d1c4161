"""The table of `roofline cost`: rent or buy, machine or API, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.report.tables.estimate import print_asked, print_warnings
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_table
from roofline.report.tables.lines import wrap
from roofline.report.tables.room import room_of
from roofline.runs.money.money import amount
from roofline.units import format_count

if TYPE_CHECKING:
    from roofline.analysis.costs.answer import Costing
    from roofline.analysis.costs.ways import Api, Way
    from roofline.report.tables.console import Console

#: APIs that are shown; JSON and CSV have all.
_SHOWN: Final = 6
#: Cells of a line of a heading.
_HEADING: Final = 13


def print_cost(costing: Costing, console: Console) -> None:
    """The verdict first, then what it rests on."""
    console.print(costing.verdict, style="bold")
    console.print()
    print_asked(costing.answer, console)
    console.print(room_of([("", costing.answer.memory)]))
    if costing.ways or costing.apis:
        print_table(way_table(costing), console)
        for note in _notes(costing):
            console.print(note, style="dim")
        console.print()
    print_warnings(costing.warnings, console)


def way_table(costing: Costing) -> Grid:
    """Each way with who asks for it, since when that is known, its price, what a lot costs, and when it is cheaper."""
    rows = [_way(way) for way in costing.ways]
    rows += [_api(api) for api in costing.apis[:_SHOWN]]
    more = f"; {len(costing.apis) - _SHOWN} more APIs in --json" if len(costing.apis) > _SHOWN else ""
    currencies = dict.fromkeys([*(way.money.currency for way in costing.ways), *(api.currency for api in costing.apis)])
    title = f"{', '.join(currencies)} an hour and for {costing.sold.title}, at {100 * costing.load:.3g} % of"
    lot = "\n".join(line.strip() for line in wrap(f"for {costing.sold.title}", _HEADING))
    columns = (
        ("", "left"),
        ("from", "left"),
        ("read", "name?"),
        ("an hour", "right"),
        (lot, "right"),
        ("cheaper", "left"),
    )
    return grid(f"{title} {format_count(costing.most)} a day{more}", columns, rows)


def _notes(costing: Costing) -> Iterator[str]:
    """What the words and marks of the table mean, and how its rows are counted."""
    doubts = [way.money.price is not None and way.money.price.doubt for way in costing.ways]
    if any([*doubts, *(api.price.doubt for api in costing.apis[:_SHOWN])]):
        yield "(?): a doubtful price; --json and --csv say why"
    yield from costing.notes


def _way(way: Way) -> list[str]:
    price = way.money.price
    assert price is not None
    who = price.provider + " (?)" * bool(price.doubt)
    pays = f"in {way.months:,.1f} months" if way.months is not None else "" if way.upfront is None else "never"
    return [way.word, who, price.date, amount(way.hourly), amount(float(way.lot.expected)), pays]


def _api(api: Api) -> list[str]:
    who = api.price.provider + " (?)" * bool(api.price.doubt)
    return ["API", who, api.price.date, "–", amount(api.lot), " ".join(_until(api))]


def _until(api: Api) -> Iterator[str]:
    """Up to which load the API is cheaper."""
    if api.load is not None:
        yield "at any load" if api.load > 1.0 else f"to {100 * api.load:.2g} % load"
