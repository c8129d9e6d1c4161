"""The tables of `roofline ops`: one unit per column, stated in its heading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from roofline.analysis.estimate import Estimate
from roofline.analysis.result import OpRow
from roofline.report.tables.grid import grid

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

_SI: Final = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_TIME: Final = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_Value = Callable[[OpRow], float]


def print_ops(est: Estimate, phase: str, rows: Sequence[OpRow], by: str, console: Console) -> None:
    """One phase: counts, traffic, intensity and time of each row, and their sum."""
    q = est.question
    total_s = sum(float(row.bound_s) for row in rows)
    columns: list[tuple[str, str]] = [(by, "name")]
    wide = console.width >= 110
    names = [row.name for row in rows] if wide or by != "op" else named_apart(rows)
    cells: list[list[str]] = [[*names, "total"]]

    def put(heading: str, texts: list[str], side: str = "right?") -> None:
        columns.append((heading, side))
        cells.append(texts)

    def put_sum(heading: str, unit: str, value: _Value, steps: tuple[tuple[float, str], ...] = _SI,
                side: str = "right?") -> None:  # fmt: skip
        values = [value(row) for row in rows]
        prefix, texts = one_unit([*values, sum(values)], steps)
        put(f"{heading} {prefix}{unit}".strip(), texts, side)

    if wide and by == "op":
        put("block", [*(block_words(row.block) for row in rows), ""], "left")
    put("×", [*(f"{row.count:,.0f}" for row in rows), f"{sum(row.count for row in rows):,.0f}"])
    put_sum("", "FLOP", lambda row: float(row.flops))
    put_sum("", "B", lambda row: float(row.bytes))
    if wide and any(float(row.communication_bytes) for row in rows):
        put_sum("links", "B", lambda row: float(row.communication_bytes))
    if wide:
        put_sum("weights", "B", lambda row: float(row.weight_bytes))
        put_sum("cache", "B", lambda row: float(row.cache_bytes))
        put_sum("activations", "B", lambda row: float(row.activation_bytes))
    flops, moved = sum(float(row.flops) for row in rows), sum(float(row.bytes) for row in rows)
    put("FLOP/B", [*(f"{float(row.intensity):,.1f}" for row in rows), f"{flops / moved:,.1f}" if moved else ""])
    put("bound by", [*(row.bound_by for row in rows), ""], "left")
    put_sum("", "s", lambda row: float(row.bound_s), _TIME, "right")
    put("share", [*(f"{100 * float(row.bound_s) / total_s:.1f} %" for row in rows), "100.0 %"], "right")
    if wide:
        put_sum("parameters", "", lambda row: row.params)
    title = f"{q.spec.title} on {q.gpu.title}: one {phase} of {est.phase(phase).repeat:,.0f}, fusion {q.fusion}"
    console.print(grid(title, columns, list(zip(*cells, strict=True))))


def named_apart(rows: Sequence[OpRow]) -> list[str]:
    """The names of ops; behind those that ops of several blocks share, the block."""
    blocks: dict[str, set[str]] = {}
    for row in rows:
        blocks.setdefault(row.name, set()).add(row.block)
    return [
        f"{row.name} ({block_words(row.block)})" if len(blocks[row.name]) > 1 and block_words(row.block) else row.name
        for row in rows
    ]


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
