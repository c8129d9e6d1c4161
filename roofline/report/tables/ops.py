"""The tables of `roofline ops`: one unit per column, stated in its heading; what they leave out, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.analysis.ledger import alike_as_one, sort_rows, top_rows
from roofline.answer.phase import OUTSIDE, OpRow, PhaseEstimate
from roofline.machine.engine import IDEAL
from roofline.report.glossary import OPS, TERMS
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import explained

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

_SI: Final = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_TIME: Final = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_Value = Callable[[OpRow], float]
_Steps = tuple[tuple[float, str], ...]
#: From this width on blocks have a column; in less they are told with the names that several of them share.
_WIDE: Final = 110
#: Letters of a name that is not broken in less, and where a longer one is.
_NAME: Final = 21
#: What stands for the model itself where rows are blocks.
_NO_BLOCK: Final = "no block"
_WORDS: Final = (*(term for term in TERMS if term.word == "FLOP/B"), *OPS)
_LONG: Final = re.compile(rf"(.{{1,{_NAME - 1}}}[._])")


class _Columns:
    """The columns of a table of ops, one after the other: a text per row, and one for their sum.

    What is no op has texts in those columns alone that are `timed`.
    """

    def __init__(self, rows: Sequence[OpRow]) -> None:
        self.rows = rows
        self.heads: list[tuple[str, str]] = []
        self.cells: list[list[str]] = []

    def put(self, heading: str, side: str, texts: Iterable[str], total: str = "", timed: bool = False) -> None:
        """A column of texts."""
        self.heads.append((heading, side))
        each = zip(self.rows, texts, strict=True)
        self.cells.append([*(text if timed or row.kind != OUTSIDE else "" for row, text in each), total])

    def put_sum(self, heading: str, side: str, value: _Value, steps: _Steps = _SI, timed: bool = False) -> None:
        """A column of amounts in one unit: where it goes into the heading is marked by `{}`."""
        values = [value(row) for row in self.rows]
        prefix, texts = one_unit([*values, sum(values)], steps)
        self.put(heading.format(prefix).strip(), side, texts[:-1], texts[-1], timed)


class OpsTable(NamedTuple):
    """A table of ops as it is shown, and with all its columns."""

    shown: Grid
    full: Grid

    def left_out(self, width: int) -> list[str]:
        """The names of the columns for which there is no room."""
        missing = set(self.shown.left_out(width))
        kept = {column.texts[0] for column in self.shown.columns} - missing
        return [unit_less(column.texts[0]) for column in self.full.columns if column.texts[0] not in kept]


class Shown(NamedTuple):
    """Which rows a table of ops has: one per what, in which order, at most how many (None: all), and whether that was
    asked for.
    """

    by: str = "op"
    sort: str = "time"
    most: int | None = None
    asked: bool = False


def print_ledger(est: Answer, phases: Mapping[str, Sequence[OpRow]], shown: Shown, console: Console) -> None:
    """The rows of phases, what their columns mean, and how what was left out or added up is seen.

    Ops of one name in one block are one row: nothing else in the table would tell them apart.
    """
    tables, notes = [], dict[str, None]()
    for phase, rows in phases.items():
        apart = sort_rows(alike_as_one(rows), shown.sort)
        few = apart if shown.most is None else top_rows(apart, shown.most, shown.by)
        tables.append(print_ops(est, phase, few, shown.by, console))
        if len(few) < len(apart) and not shown.asked:
            notes[f"only the {shown.most} rows of a phase that take longest: --top all shows the others"] = None
        if len(apart) < len(rows):
            notes["ops of one name in one block are one row: --csv and --json have each"] = None
    print_legend(est, tables, console, list(notes))


def print_ops(est: Answer, phase: str, rows: Sequence[OpRow], by: str, console: Console) -> OpsTable:
    """One phase: counts, traffic, intensity and times of each row, and their sum."""
    q, repeat = est.question, est.phase(phase).repeat
    runs = f"one of {repeat:,.0f} calls of {phase}" if repeat != 1 else f"{phase}, called once"
    title = f"{q.spec.title} on {q.gpu.title}: {runs}; fusion {q.execution.level}, engine {q.engine}"

    def made(wide: bool) -> Grid:
        table = _table(est.phase(phase), rows, by, wide)
        return grid(title, table.heads, list(zip(*table.cells, strict=True)))

    full = made(wide=True)
    found = OpsTable(full if console.width >= _WIDE else made(wide=False), full)
    console.print(found.shown)
    return found


def _table(phase: PhaseEstimate, rows: Sequence[OpRow], by: str, wide: bool) -> _Columns:
    table, times = _Columns(rows), phase.times
    names = named_apart(rows) if by == "op" and not wide else [block_words(row.name) or _NO_BLOCK for row in rows]
    whole_names = wide or max(map(len, names)) <= _NAME
    table.put(by, "name" if whole_names else "left", names if whole_names else map(_broken, names), "total", timed=True)
    if by == "op" and wide:
        table.put("block", "left", [block_words(row.block) for row in rows])
    table.put("×", "right??", [f"{row.count:,.0f}" for row in rows], f"{sum(row.count for row in rows):,.0f}")
    _put_amounts(table)
    table.put("limit", "left", [row.bound_by for row in rows])
    table.put_sum("bound\n{}s", "right???", lambda row: float(row.bound_s), _TIME, timed=True)
    table.put_sum("expected\n{}s", "right", lambda row: float(row.expected_s), _TIME, timed=True)
    table.put("share", "right", [f"{100 * float(row.share):.1f} %" for row in rows], "100 %", timed=True)
    whole = float(times.bound) / float(times.expected) if float(times.expected) else None
    table.put("reached", "right", [_percent(row.reached) for row in rows], _percent(whole))
    table.put_sum("parameters\n{}", "right" + 9 * "?", lambda row: row.params)
    return table


def _put_amounts(table: _Columns) -> None:
    """FLOPs and bytes, where there is room by what is moved, and their ratio, the last to go."""
    rows = table.rows
    table.put_sum("{}FLOP", "right????", lambda row: float(row.flops))
    table.put_sum("{}B", "right????", lambda row: float(row.bytes))
    if any(float(row.communication_bytes) for row in rows):
        table.put_sum("links\n{}B", "right?????", lambda row: float(row.communication_bytes))
    table.put_sum("weights\n{}B", "right??????", lambda row: float(row.weight_bytes))
    table.put_sum("cache\n{}B", "right??????", lambda row: float(row.cache_bytes))
    table.put_sum("activations\n{}B", "right??????", lambda row: float(row.activation_bytes))
    flops, moved = sum(float(row.flops) for row in rows), sum(float(row.bytes) for row in rows)
    ratio = _ratio(flops / moved) if moved else ""
    table.put("FLOP/B", "right?", [_ratio(float(row.intensity)) for row in rows], ratio)


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"


def _broken(name: str) -> str:
    """A name whose words of more letters than a narrow column holds are broken behind a point or a line within."""
    return " ".join(re.sub(_LONG, r"\1\n", word) if len(word) > _NAME else word for word in name.split(" "))


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def print_legend(est: Answer, tables: Sequence[OpsTable], console: Console, notes: Sequence[str] = ()) -> None:
    """What the columns and rows of the tables mean, which were left out of them, and how they are seen; `notes` are
    further lines.
    """
    engine = est.question.engine
    words = "\n".join(word for table in tables for word in table.shown.words(console.width)[1:])
    if legend := explained(words, console, _WORDS, between=" · "):
        console.print(legend, style="dim")
    expected = "the bound, as the engine is ideal" if engine == IDEAL else f"with engine {engine}"
    console.print(
        f"bound: least time by peak and bandwidth · expected: {expected} (share: of it) · reached: bound ÷ expected",
        style="dim",
    )
    gone = dict.fromkeys(name for table in tables for name in table.left_out(console.width))
    if gone:
        needed = max(table.full.needed for table in tables)
        how = f"COLUMNS={needed} shows them, --csv and --json have all"
        console.print(f"no room in {console.width} columns for: {', '.join(gone)} ({how})", style="dim")
    for note in notes:
        console.print(note, style="dim")
    console.print()


def unit_less(heading: str) -> str:
    """A heading without its unit: what is counted, where it is nothing but a unit."""
    name, _, unit = heading.rpartition("\n")
    if name or "/" in unit:
        return name or heading
    return "FLOPs" if unit.endswith("FLOP") else "bytes" if unit.endswith("B") else heading


def named_apart(rows: Sequence[OpRow]) -> list[str]:
    """The names of ops; behind those that ops of several blocks share, what these blocks differ in."""
    blocks: dict[str, set[str]] = {}
    for row in rows:
        blocks.setdefault(row.name, set()).add(block_words(row.block))
    differ = {name: _differences(own) for name, own in blocks.items()}
    found = [(row.name, differ[row.name].get(block_words(row.block), "")) for row in rows]
    return [f"{name} ({own})" if own else name for name, own in found]


def _differences(blocks: set[str]) -> dict[str, str]:
    """Of each of several names in parts, such as `vision.0.attention`, the parts without those in which all of them
    begin and end: `0`. Nothing of a single name.
    """
    parts = [block.split(".") for block in blocks]
    most = min(map(len, parts)) - 1 if len(parts) > 1 else 0
    first = _alike(parts, most)
    last = _alike([part[::-1] for part in parts], most - first)
    short = [".".join(part[first : len(part) - last]) for part in parts]
    return dict(zip(blocks, short, strict=True)) if len(parts) > 1 else {}


def _alike(names: Sequence[Sequence[str]], most: int) -> int:
    """In how many parts names begin alike, of at most so many."""
    return next((i for i in range(most) if len({name[i] for name in names}) > 1), most)


def block_words(block: str) -> str:
    """A block for people: nothing for the model itself, nor for what is no op."""
    return "" if block in ("<top>", OUTSIDE) else block


def one_unit(values: Sequence[float], steps: tuple[tuple[float, str], ...]) -> tuple[str, list[str]]:
    """Values in the unit that gives the largest one to three digits before the point; the prefix and the texts."""
    top = max((abs(value) for value in values), default=0.0)
    scale, prefix = next(((s, p) for s, p in steps if top >= s), steps[-1])
    decimals = 1 if top / scale >= 100 else 2 if top / scale >= 10 else 3
    return prefix, [_short(value / scale, decimals) for value in values]


def _short(value: float, decimals: int) -> str:
    if value == 0:
        return "0"
    if value < 0:
        return f"-{_short(-value, decimals)}"
    return f"{value:,.{decimals}f}" if value >= 10.0**-decimals / 2 else f"<{10.0**-decimals:.{decimals}f}"
