"""The part of a figure that a page shows as a chart, and where things of the figure lie on it, in points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from matplotlib.colors import to_rgba

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Json: TypeAlias = dict[str, Any]
Points: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

#: Words that the page itself shows, by their `gid`.
AROUND: Final = ("title", "conditions", "note")
#: Points between the chart and the words around it; beyond the edge of axes that still counts as within.
_GAP, _SLACK = 3.0, 0.5


@dataclass(frozen=True)
class Sheet:
    """A figure without the words around it: from `bottom` to `top` of it, all in points."""

    figure: Figure
    width: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        """Of the chart."""
        return self.top - self.bottom

    def points(self, display: Any) -> Points:
        """Places that the figure is drawn at, as points from the lower left corner of the chart: rows of x and y."""
        return np.asarray(display, dtype=float).reshape(-1, 2) * (72 / self.figure.dpi) - (0.0, self.bottom)

    def paper(self, points: Any) -> Points:
        """Points as parts of the chart."""
        return np.asarray(points, dtype=float).reshape(-1, 2) / (self.width, self.height)

    def box(self, axes: Axes) -> tuple[float, float, float, float]:
        """The axes in points: left, bottom, right, top."""
        (left, bottom), (right, top) = self.points(axes.bbox.get_points())
        return float(left), float(bottom), float(right), float(top)

    def within(self, points: Points, axes: Axes) -> bool:
        """Whether all points lie within the axes."""
        left, bottom, right, top = self.box(axes)
        low, high = points.min(axis=0), points.max(axis=0)
        return bool((low >= (left - _SLACK, bottom - _SLACK)).all() and (high <= (right + _SLACK, top + _SLACK)).all())

    def data(self, points: Points, axes: Axes) -> Points:
        """Points in the data of the axes."""
        display = (points + np.array([0.0, self.bottom])) * (self.figure.dpi / 72)
        return np.asarray(axes.transData.inverted().transform(display), dtype=float)


def sheet_of(figure: Figure) -> Sheet:
    """The part of a drawn figure between the words above it and those below it."""
    width, height = (float(size) * 72 for size in figure.get_size_inches())
    low, high = 0.0, height
    for text in figure.texts:
        if text.get_gid() in AROUND and text.get_text():
            extent = text.get_window_extent()
            bottom, top = (float(end) * 72 / figure.dpi for end in (extent.y0, extent.y1))
            low, high = (max(low, top + _GAP), high) if text.get_gid() == "note" else (low, min(high, bottom - _GAP))
    return Sheet(figure, width, low, high)


def along(values: Sequence[float], scale: str) -> list[float]:
    """Values as a range or a place of a label has them: exponents of ten on a logarithmic axis."""
    return [short(log10(value) if scale == "log" else value) for value in values]


def short(value: float) -> float:
    """A number with no more digits than can be seen."""
    return float(f"{float(value):.7g}")


def shorts(values: Any) -> list[float]:
    """The same of many."""
    return [short(value) for value in np.asarray(values, dtype=float)]


def rgba(colour: Any, alpha: float | None = None) -> str:
    """A colour of matplotlib as pages write it."""
    red, green, blue, opacity = to_rgba(colour, alpha)
    return f"rgba({round(255 * red)},{round(255 * green)},{round(255 * blue)},{opacity:.3g})"
