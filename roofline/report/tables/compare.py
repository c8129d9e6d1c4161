"""The tables of `roofline compare`: the verdict, then the runs side by side, or one below the other where they are many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.comparing.answer import Comparing
from roofline.analysis.comparing.figures import MEMORY, Compared, Ratio, value_of
from roofline.analysis.comparing.runs import Run, shown_value
from roofline.analysis.comparing.words import shown, times_words
from roofline.answer.times import Times
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.grid import Grid, grid

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

#: The most runs that stand in columns.
_ABREAST: Final = 4
_MARKS: Final = {"*": "* best", "≈": "≈ too close to the best to call", "(": "( ) does not fit: it cannot happen"}
#: Inputs that all runs may share, and how they are said.
_SETTINGS: Final = ("model", "gpu", "gpus", "weights", "activations", "kv_cache", "fusion", "engine")


def print_compare(found: Comparing[Any], console: Console) -> None:
    """The verdict first, then what it rests on."""
    console.print(found.verdict, style="bold" if found.fits else "bold red")
    console.print()
    console.print(f"In all of them: {', '.join(_shared(found))}")
    console.print()
    table = columns_table(found) if len(found) <= _ABREAST else None
    if table is None or _too_wide(table, console.width):
        table = rows_table(found)
    console.print(table)
    left = table.left_out(console.width)
    if left:
        console.print(f"no room for: {', '.join(left)}; --json and --csv have all", style="dim")
    marks = "; ".join(told for mark, told in _MARKS.items() if any(mark in cell for cell in _cells(found)))
    if marks:
        console.print(marks)
    for row in found.rows:
        if row.refusal:
            console.print(f"{row.label} is refused: {row.refusal}")
    for note in found.assumptions:
        console.print(note, style="dim")
    print_warnings(found.warnings, console)


def _too_wide(table: Grid, width: int) -> bool:
    return sum(column.needed + 2 for column in table.columns) > width


def _cells(found: Comparing[Any]) -> Iterator[str]:
    for each in found.quantities:
        yield from (_value(found, each, row) for row in found.rows)


def _shared(found: Comparing[Any]) -> Iterator[str]:
    """What is the same in every run."""
    answers = [row.answer for row in found.rows if row.answer is not None]
    for name in (*_SETTINGS, *answers[0].question.kind.sizes):
        values = {answer.inputs.get(name) for answer in answers}
        if len(values) == 1 and name not in found.varied and (value := values.pop()) is not None:
            plain = name in ("model", "gpu")
            yield str(value) if plain else f"{name.replace('_', '-')} {shown_value(value)}"


def columns_table(found: Comparing[Any]) -> Grid:
    """A column for each run: what tells it from the others, then every quantity, its interval and its ratio."""
    first, *others = found.varied
    heads = [("", "left"), *((shown_value(row.varied[first]), "right") for row in found.rows)]
    rows = [[name.replace("_", "-"), *(shown_value(row.varied[name]) for row in found.rows)] for name in others]
    for each in found.quantities:
        rows.append([each.title or each.name, *(_value(found, each, row) for row in found.rows)])
        intervals = [_interval(each, value_of(row.answer, each.name)) for row in found.rows]
        if any(intervals):
            rows.append(["  of 80 %", *intervals])
        ratios = [_ratio(found, each, row) for row in found.rows]
        if any(ratios[1:]):
            rows.append(["  to the first", *ratios])
    rows.append(["fits", *(_whether(row) for row in found.rows)])
    return grid(f"{len(found)} runs by {_by(found)}", heads, rows)


def rows_table(found: Comparing[Any]) -> Grid:
    """A row for each run; quantities for which there is no room are left out, the last first."""
    main, rest = found.main, [each for each in found.quantities if each != found.main]
    names = [(name.replace("_", "-"), "name") for name in found.varied]
    heads = [(main.title, "right"), ("80 % interval", "right?"), ("to the first", "right?"), ("fits", "name")]
    heads += [(each.title or each.name, "right?") for each in rest]
    rows = []
    for row in found.rows:
        told = [shown_value(row.varied[name]) for name in found.varied]
        times = value_of(row.answer, main.name)
        told += [_value(found, main, row), _interval(main, times), _ratio(found, main, row), _whether(row)]
        rows.append([*told, *(_value(found, each, row) for each in rest)])
    return grid(f"{len(found)} runs by {_by(found)}", [*names, *heads], rows)


def _by(found: Comparing[Any]) -> str:
    names = [name.replace("_", "-") for name in found.varied]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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
    if best.clear:
        return f"{text} *" if best.row == row.index else text
    return f"{text} ≈" if row.index in (best.row, *best.too_close) else text


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
    ratio = found.ratio(row.index, 0, quantity.name) if row.index else None
    return "" if ratio is None else ratio_text(ratio)


def ratio_text(ratio: Ratio) -> str:
    """`0.58 × (0.44–0.77)`."""
    if ratio.low == ratio.high:
        return f"{_digits(ratio.expected)} ×"
    return f"{_digits(ratio.expected)} × ({_digits(ratio.low)}–{_digits(ratio.high)})"


def _digits(value: float) -> str:
    return f"{value:.2g}" if value < 0.095 else f"{value:.2f}" if value < 0.995 else times_words(value)


def _whether(row: Run[Any]) -> str:
    if row.answer is None:
        return "refused"
    return "yes" if row.fits else "NO"


