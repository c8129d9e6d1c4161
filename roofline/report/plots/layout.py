"""A page: its axes, the words around them, and names beside them.

Sizes are in points (1/72 inch).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from roofline.report.plots.geometry import Point
from roofline.report.plots.style import EDGE, LARGE, SIZE, SMALL, WIDTH, Look, palette, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of names beside the axes: their places are parts of the axes.
_BESIDE: Final[Look] = {"xycoords": "axes fraction", "textcoords": "axes fraction", "va": "center", "ha": "left"}


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of page width with one axes of this size; `compose` makes it a page."""
    from roofline.report.plots.page import Page

    figure = Page(figsize=(WIDTH / 72, height / 72), facecolor=palette().ground)
    axes = figure.add_axes((0, 0, width / WIDTH, 1))
    axes.set_facecolor("none")
    return figure, axes


@dataclass(frozen=True, slots=True)
class Words:
    """What stands around a picture: title, conditions under it, and a note along the bottom."""

    title: str
    conditions: str
    note: str


def compose(figure: Figure, axes: Axes, words: Words, left: float, key: float, *, foot: float = 30.0) -> None:
    """Lay out a page: words, `key` points for a key, the axes `left` points from the edge, `foot` for labels, note."""
    place = axes.get_position()
    width, height = place.width * WIDTH, place.height * figure.get_figheight() * 72
    title = wrap(words.title, WIDTH - 2 * EDGE, LARGE, bold=True)
    conditions = wrap(words.conditions, WIDTH - 2 * EDGE, SIZE)
    note = wrap(words.note, WIDTH - 2 * EDGE, SMALL)
    top = EDGE + 1.2 * LARGE * len(title) + 3 + 1.2 * SIZE * len(conditions) + 6 + key
    bottom = EDGE + 1.25 * SMALL * len(note) + foot
    page = top + height + bottom
    figure.set_size_inches(WIDTH / 72, page / 72)
    axes.set_position((left / WIDTH, bottom / page, width / WIDTH, height / page))

    def write(lines: list[str], y: float, size: float, name: str, **look: Any) -> None:
        figure.text(EDGE / WIDTH, y / page, "\n".join(lines), size=size, ha="left", linespacing=1.2, gid=name, **look)

    write(title, page - EDGE, LARGE, "title", va="top", weight="bold")
    write(conditions, page - EDGE - 1.2 * LARGE * len(title) - 3, SIZE, "conditions", va="top", color=palette().grey)
    write(note, EDGE, SMALL, "note", va="bottom", color=palette().grey)


def name_beside(axes: Axes, text: str, end: Point, place: Point, line: str, gap: float = 1.0, **look: Any) -> None:
    """A name beside the axes, and a line of a colour from it to `gap` points before the end of what it names."""
    stalk = {"arrowstyle": "-", "lw": 0.5, "color": line, "shrinkA": 1, "shrinkB": gap, "relpos": (0, 0.5)}
    axes.annotate(text, end, place, arrowprops=stalk, **_BESIDE, **look)
