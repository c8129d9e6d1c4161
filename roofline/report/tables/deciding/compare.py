"""The tables of `roofline compare`: the verdict, then the runs side by side, or one below the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.comparing.answer import Comparing
from roofline.analysis.comparing.figures import MEMORY, Compared, Ratio, value_of
from roofline.analysis.comparing.runs import Run, shown_value
from roofline.analysis.comparing.settings import shared, varied_by
from roofline.analysis.comparing.words import shown
from roofline.answer.times import Times
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_legend, print_table
from roofline.report.tables.lines import wrap
from roofline.report.tables.room import room_of
from roofline.runs.telling.notes import taken_as
from roofline.units import format_ratio

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

#: The most runs that stand in columns.
_ABREAST: Final = 4
#: Cells of a line of a heading.
_HEADING: Final = 13
_MARKS: Final = {"*": "* best", "≈": "≈ too close to the best to call", "(": "( ) does not fit: it cannot happen"}


def print_compare(found: Comparing[Any], console: Console) -> None:
    """The verdict first, then what it rests on."""
    console.print(found.verdict, style="bold" if found.fits else "bold red")
    console.print()
    same = f"In all of them: {', '.join(shared(found))}"
    console.print(same)
    print_legend(same, console)
    console.print()
    console.print(room_of((row.label, row.answer.memory) for row in found.rows if row.answer is not None))
    for table in _tables(found, console.width):
        print_table(table, console)
        left = [" ".join(name.split()) for name in table.left_out(console.width)]
        if left:
            console.print(f"no room for: {', '.join(left)}; --json and --csv have all", style="dim")
            console.print()
    marks = "; ".join(told for mark, told in _MARKS.items() if any(mark in cell for cell in _cells(found)))
    if marks:
        console.print(marks)
    for reason, labels in _refusals(found).items():
        console.print(f"refused ({'; '.join(labels)}): {reason}")
    asked = (line for row in found.rows if row.answer is not None for line in taken_as(row.answer.question))
    for line in dict.fromkeys(asked):
        console.print(line, style="dim")
    for note in found.assumptions:
        console.print(note, style="dim")
    print_warnings(found.warnings, console)


def _tables(found: Comparing[Any], width: int) -> list[Grid]:
    """The runs in columns where there is room, else in rows."""
    if len(found) <= _ABREAST:
        table = columns_table(found)
        if sum(column.needed + 2 for column in table.columns) <= width:
            return [table]
    return rows_tables(found)


def _refusals(found: Comparing[Any]) -> dict[str, list[str]]:
    """The runs that were refused by the reason."""
    reasons: dict[str, list[str]] = {}
    for row in found.rows:
        if row.refusal:
            reasons.setdefault(row.refusal, []).append(row.label)
    return reasons


def _cells(found: Comparing[Any]) -> Iterator[str]:
    for each in found.quantities:
        yield from (_value(found, each, row) for row in found.rows)


def columns_table(found: Comparing[Any]) -> Grid:
    """A column for each run: what tells it from the others, then every quantity, its interval and its ratio."""
    first, *others = found.varied
    heads = [("", "left"), *((shown_value(row.varied[first]), "right") for row in found.rows)]
    rows = [[name.replace("_", "-"), *(shown_value(row.varied[name]) for row in found.rows)] for name in others]
    for each in found.quantities:
        rows.append([each.title or each.name, *(_value(found, each, row) for row in found.rows)])
        intervals = [_interval(each, value_of(row.answer, each.name)) for row in found.rows]
        if any(intervals):
            rows.append(["  80 % interval", *intervals])
        ratios = [_ratio(found, each, row) for row in found.rows]
        if any(ratios):
            rows.append(["  to the first", *ratios])
    rows.append(["fits", *(_whether(row) for row in found.rows)])
    return grid(f"{len(found)} runs by {varied_by(found)}", heads, rows)


def rows_tables(found: Comparing[Any]) -> list[Grid]:
    """A row for each run: what is judged first with its interval and ratio, then the other quantities."""
    main, rest = found.main, [each for each in found.quantities if each != found.main]
    names = [(name.replace("_", "-"), "name") for name in found.varied]
    heads = [(_heading(main), "right"), ("80 % interval", "right?"), ("to the first", "right?"), ("fits", "name")]
    rows = []
    for row in found.rows:
        told, times = _values(found, row), value_of(row.answer, main.name)
        rows.append([*told, _value(found, main, row), _interval(main, times), _ratio(found, main, row), _whether(row)])
    first = grid(f"{len(found)} runs by {varied_by(found)}", [*names, *heads], rows)
    heads = [(_heading(each), "right?") for each in rest]
    rows = [[*_values(found, row), *(_value(found, each, row) for each in rest)] for row in found.rows]
    return [first, grid("What else is compared", [*names, *heads], rows)]


def _values(found: Comparing[Any], row: Run[Any]) -> list[str]:
    return [shown_value(row.varied[name]) for name in found.varied]


def _heading(quantity: Compared) -> str:
    """A title in lines of a few words."""
    return "\n".join(line.strip() for line in wrap(quantity.title or quantity.name, _HEADING))


def _value(found: Comparing[Any], quantity: Compared, row: Run[Any]) -> str:
    """The expected value, marked where it is the best or cannot be told from it, in brackets where it cannot be."""
    times, best = value_of(row.answer, quantity.name), found.winners[quantity.name]
    if times is None:
        return "–"
    text = shown(quantity, float(times.expected))
    if not row.fits:
        return text if quantity.name == MEMORY else f"({text})"
    if best is None or not (quantity.group or _differs(found, quantity)):
        return text
    mark = "*" if best.clear or best.alike else "≈"
    return f"{text} {mark}" if row.index in (best.row, *best.too_close) else text


def _differs(found: Comparing[Any], quantity: Compared) -> bool:
    values = [value_of(row.answer, quantity.name) for row in found.rows]
    return len({float(times.expected) for times in values if times is not None}) > 1


def _interval(quantity: Compared, times: Times | None) -> str:
    if times is None or float(times.low) == float(times.high):
        return ""
    low, high = (shown(quantity, float(value)) for value in (times.low, times.high))
    number, unit = low.partition(" ")[::2]
    same = bool(unit) and high.endswith(f" {unit}")
    return f"{number}–{high}" if same else f"{low}–{high}"


def _ratio(found: Comparing[Any], quantity: Compared, row: Run[Any]) -> str:
    """The ratio to the first, with its interval."""
    ratio = found.ratio(row.index, found.first.index, quantity.name) if row is not found.first else None
    return "" if ratio is None else ratio_text(ratio)


def ratio_text(ratio: Ratio) -> str:
    """`0.58 × (0.44–0.77)`."""
    if ratio.low == ratio.high:
        return f"{format_ratio(ratio.expected)} ×"
    return f"{format_ratio(ratio.expected)} × ({format_ratio(ratio.low)}–{format_ratio(ratio.high)})"


def _whether(row: Run[Any]) -> str:
    if row.answer is None:
        return "refused"
    return "yes" if row.fits else "NO"
