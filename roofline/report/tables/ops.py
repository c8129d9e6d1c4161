"""The tables of `roofline ops`: one unit per column, stated in its heading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from roofline.analysis.estimate import Answer
from roofline.answer.phase import OpRow
from roofline.report.tables.grid import grid

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

_SI: Final = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_TIME: Final = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_Value = Callable[[OpRow], float]
_Steps = tuple[tuple[float, str], ...]


class _Columns:
    """The columns of a table of ops, one after the other: a text per row, and one for their sum."""

    def __init__(self, rows: Sequence[OpRow]) -> None:
        self.rows = rows
        self.heads: list[tuple[str, str]] = []
        self.cells: list[list[str]] = []

    def put(self, heading: str, side: str, text: Callable[[OpRow], str], total: str = "") -> None:
        """A column of texts."""
        self.heads.append((heading, side))
        self.cells.append([*map(text, self.rows), total])

    def put_sum(self, heading: str, value: _Value, steps: _Steps = _SI, side: str = "right?") -> None:
        """A column of amounts in one unit: where it goes into the heading is marked by `{}`."""
        values = [value(row) for row in self.rows]
        prefix, texts = one_unit([*values, sum(values)], steps)
        self.heads.append((heading.format(prefix).strip(), side))
        self.cells.append(texts)


def print_ops(est: Answer, phase: str, rows: Sequence[OpRow], by: str, console: Console) -> None:
    """One phase: counts, traffic, intensity and time of each row, and their sum."""
    wide = console.width >= 110
    table = _Columns(rows)
    names = iter([row.name for row in rows] if wide or by != "op" else named_apart(rows))
    table.put(by, "name" if wide else "left", lambda row: next(names), "total")
    if wide and by == "op":
        table.put("block", "left", lambda row: block_words(row.block))
    table.put("×", "right?", lambda row: f"{row.count:,.0f}", f"{sum(row.count for row in rows):,.0f}")
    _put_amounts(table, wide=wide)
    table.put("bound by", "left", lambda row: row.bound_by)
    table.put_sum("{}s", lambda row: float(row.bound_s), _TIME, "right")
    total_s = sum(float(row.bound_s) for row in rows)
    table.put("share", "right", lambda row: f"{100 * float(row.bound_s) / total_s:.1f} %", "100.0 %")
    if wide:
        table.put_sum("parameters {}", lambda row: row.params)
    q = est.question
    runs, level = f"one {phase} of {est.phase(phase).repeat:,.0f}", f"fusion {q.execution.level}"
    title = f"{q.spec.title} on {q.gpu.title}: {runs}, {level}"
    shown = grid(title, table.heads, list(zip(*table.cells, strict=True)))
    console.print(shown)
    if left_out := shown.left_out(console.width):
        console.print(f"no room in {console.width} columns for: {', '.join(left_out)}\n", style="dim")


def _put_amounts(table: _Columns, *, wide: bool) -> None:
    """FLOPs and bytes, where there is room by what is moved, and their ratio."""
    rows = table.rows
    table.put_sum("{}FLOP", lambda row: float(row.flops))
    table.put_sum("{}B", lambda row: float(row.bytes))
    if wide and any(float(row.communication_bytes) for row in rows):
        table.put_sum("links {}B", lambda row: float(row.communication_bytes))
    if wide:
        table.put_sum("weights {}B", lambda row: float(row.weight_bytes))
        table.put_sum("cache {}B", lambda row: float(row.cache_bytes))
        table.put_sum("activations {}B", lambda row: float(row.activation_bytes))
    flops, moved = sum(float(row.flops) for row in rows), sum(float(row.bytes) for row in rows)
    ratio = f"{flops / moved:,.1f}" if moved else ""
    table.put("FLOP/B", "right?", lambda row: f"{float(row.intensity):,.1f}", ratio)


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
    """A block for people: nothing for the model itself."""
    return "" if block == "<top>" else block


def one_unit(values: Sequence[float], steps: tuple[tuple[float, str], ...]) -> tuple[str, list[str]]:
    """Values in the unit that gives the largest one to three digits before the point; the prefix and the texts."""
    top = max((abs(value) for value in values), default=0.0)
    scale, prefix = next(((s, p) for s, p in steps if top >= s), steps[-1])
    decimals = 1 if top / scale >= 100 else 2 if top / scale >= 10 else 3
    return prefix, [_short(value / scale, decimals) for value in values]


def _short(value: float, decimals: int) -> str:
    if value == 0:
        return "0"
    return f"{value:,.{decimals}f}" if value >= 10.0**-decimals / 2 else f"<{10.0**-decimals:.{decimals}f}"
