"""Points of a grid, which show and draw themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from roofline.analysis.sweep import Sweep as Grid
from roofline.analysis.sweeping.rows import Rows, label
from roofline.answer.plain import counted_whole
from roofline.answer.rows import Row
from roofline.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The most points of one picture.
_DRAWN: Final = 100_000
#: Reasons that are told.
_REASONS: Final = 20


@dataclass(frozen=True, eq=False)
class Points(Rows):
    """Points of a sweep: `points["ttft_s"]` is a column, `records()` rows; `where`, `top`, `pareto`, `best` pick."""

    def plot(
        self,
        x: str = "batch",
        y: str = "output_tokens_per_s",
        *,
        by: str | Sequence[str] | None = None,
        ax: Axes | None = None,
        theme: str | None = None,
    ) -> Figure | Axes:
        """Column `y` over column `x`: a line for each value of `by`, by default for each setting that varies.

        `ax`: axes to draw into, which are given back; `theme`: light or dark. Raises UsageError for a column that there
        is not, where nothing is left to draw, for more than 20 lines, and where a line has two values at one place.
        """
        from roofline.analysis.sweeping.rows import check_columns
        from roofline.report.plots.sweep import sweep_axes, sweep_figure

        lines = (by,) if isinstance(by, str) else tuple(by or ())
        check_columns(self.columns, (x, y, *lines))
        if len(self) > _DRAWN:
            raise UsageError(f"{len(self):,} points are too many for a picture: pick some with where(…) or top(…)")
        rows = list(self.records())
        if ax is not None:
            if theme is not None:
                raise UsageError("theme is that of a figure of its own; axes that are given keep theirs")
            return sweep_axes(rows, ax, x=x, y=y, by=lines)
        return sweep_figure(rows, x=x, y=y, by=lines, theme=theme)

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import sweep_html

        return sweep_html(self, *_told(self))

    def __str__(self) -> str:
        varied, _, best = _told(self)
        return " ".join([f"{counted_whole(len(self), 'point')} by {', '.join(varied) or 'nothing'}.", *best])

    __repr__ = __str__


@dataclass(frozen=True, eq=False)
class Sweep(Grid):
    """A grid of results, which shows itself: `axes` are the swept options with their values in order, `fixed` the
    others that were given, `columns` arrays of the axes' shape, each as `grid["ttft_s"]`; `refused` are points that
    cannot be, whose results are not a number.
    """

    @cached_property
    def rows(self) -> Points:
        """The points as rows, the last axis fastest: options and results as columns, none of them copied."""
        found = super().rows
        return Points(found.shape, found.columns, found.better)

    def where(self, condition: str) -> Points:
        """The points on which a condition holds, such as `fits and ttft_s < 0.5 and gpu == 'h100'`."""
        return self.rows.where(condition)

    def top(self, count: int, by: str) -> Points:
        """The first so many points in order of `COL` or `-COL`, several apart by commas."""
        return self.rows.top(count, by)

    def pareto(self, *names: str) -> Points:
        """The points that no other is better than in every one of these columns: `-COL` less is better, `+COL` more."""
        return self.rows.pareto(*names)

    def best(self, column: str, where: str | None = None) -> Row:
        """The point with the best value of a column, of those that fit and on which a condition holds."""
        return self.rows.best(column, where)

    def plot(
        self,
        x: str = "batch",
        y: str = "output_tokens_per_s",
        *,
        by: str | Sequence[str] | None = None,
        ax: Axes | None = None,
        theme: str | None = None,
    ) -> Figure | Axes:
        """Column `y` over column `x`: a line for each value of `by`, by default for each setting that varies.

        `ax`: axes to draw into, which are given back; `theme`: light or dark. Raises UsageError for a column that there
        is not, where nothing is left to draw, for more than 20 lines, and where a line has two values at one place.
        """
        return self.rows.plot(x, y, by=by, ax=ax, theme=theme)

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import sweep_html

        varied, options, best = _told(self.rows)
        reasons = [f"{each.points:,} × {each.reason}" for each in self.refused[:_REASONS]]
        more = f", and {len(self.refused) - _REASONS} more" if len(self.refused) > _REASONS else ""
        refused = (f"Cannot be, and not a number: {'; '.join(reasons)}{more}",) if reasons else ()
        return sweep_html(self.rows, varied, options, [*best, self._asked(), *refused])

    def _asked(self) -> str:
        """How many points of what, and what is the same in all."""
        axes = " × ".join(f"{len(values)} {name}" for name, values in self.axes.items())
        fixed = ", ".join(f"{name.replace('_', '-')} {label(value)}" for name, value in self.fixed.items())
        return f"{counted_whole(len(self), 'point')}: {axes or 'nothing varies'}; {fixed or 'all else as by default'}"

    def __str__(self) -> str:
        return " ".join([f"{self._asked()}.", *_told(self.rows)[2]])

    __repr__ = __str__


def _told(rows: Rows) -> tuple[list[str], list[str], list[str]]:
    """The options that vary, all options, and what is best, in a sentence."""
    options = [name for name in rows.columns if not _is_result(name, rows)]
    varied = [name for name in options if rows.columns[name].size > 1 and len(set(rows[name].tolist())) > 1]
    return varied, options, list(_sentences(rows, varied))


def _is_result(name: str, rows: Rows) -> bool:
    known = (*rows.better, "fits")
    return name.endswith("_bytes") or name in known or any(name.startswith(f"{each}_") for each in known)


def _sentences(rows: Rows, varied: Sequence[str]) -> Iterator[str]:
    """Which point is best by the first rate, or by the first time where there is no rate."""
    from roofline.report.tables.deciding.sweep import cell_of, heading_of

    rates = (name for name, side in rows.better.items() if side == "high")
    name = next((each for each in chain(rates, rows.better) if each in rows.columns), None)
    if name is None or not len(rows):
        return
    try:
        best = rows.best(name)
    except UsageError:
        yield "None of these points fits in memory."
        return
    where = ", ".join(f"{option} {cell_of(option, best[option])}" for option in varied) or "the only point"
    most = "Most" if rows.better[name] == "high" else "Least"
    yield f"{most} {heading_of(name)} of those that fit: {cell_of(name, best[name])}, with {where}."
