"""A finished matplotlib figure as a Plotly chart: lines, marks, areas and words at their places.

What lies within axes is in their data, so that it moves when one zooms; keys and names beside the axes are on the page.
Sizes are points of the figure: who shows the chart scales them as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text

from roofline.report.plots.style import PALETTES, Palette, styled
from roofline.report.plots.web.axis import axes_of
from roofline.report.plots.web.marks import STALK, area_traces, dots_trace, line_trace, mark_shapes, seen, shape
from roofline.report.plots.web.sheet import AROUND, Json, Sheet, rgba, sheet_of
from roofline.report.plots.web.words import annotation

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Chart(NamedTuple):
    """Traces and layout of Plotly, the size of the chart in points, its colours, and the words around it by name."""

    data: list[Json]
    layout: Json
    width: float
    height: float
    palette: Palette
    words: dict[str, str]


def chart_of(figure: Figure) -> Chart:
    """The chart of a figure; its theme is the one whose page it has."""
    ground = to_hex(figure.get_facecolor())
    colours = next((each for each in PALETTES.values() if each.ground == ground), PALETTES["light"])
    with styled(colours.name):
        figure.draw_without_rendering()
        sheet = sheet_of(figure)
        data, layout = _drawn(figure, sheet)
    layout |= _background(colours)
    words = {str(text.get_gid()): text.get_text() for text in figure.texts if text.get_gid() in AROUND}
    return Chart(data, layout, sheet.width, sheet.height, colours, words)


def _background(colours: Palette) -> Json:
    """Of the whole chart: no margins, since all places are those of the figure."""
    label = {"bgcolor": colours.pale, "bordercolor": colours.grey, "align": "left", "font": {"color": colours.ink}}
    return {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "pad": 0},
        "paper_bgcolor": colours.ground,
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hovermode": "closest",
        "hoverlabel": label,
        "uirevision": "kept",
    }


def _drawn(figure: Figure, sheet: Sheet) -> tuple[list[Json], Json]:
    data, layout = list[Json](), Json(shapes=[], annotations=[])
    for number, axes in enumerate(figure.axes, 1):
        suffix = str(number) if number > 1 else ""
        layout |= axes_of(axes, sheet, number)
        place = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        for artist in seen([*axes.lines, *axes.collections, *axes.patches]):
            if _on_page(artist, sheet, axes):
                layout["shapes"] += mark_shapes(artist, sheet)  # type: ignore[arg-type]
            else:
                data += [trace | place for trace in _traces(artist, sheet, axes)]
        layout["annotations"] += [annotation(text, sheet, axes, suffix) for text in _texts(axes)]
        layout["shapes"] += [stalk for text in axes.texts for stalk in _stalk(text, sheet)]
        for legend in _legends(axes):
            marks = [mark for line in legend.findobj(Line2D) for mark in mark_shapes(line, sheet)]
            layout["shapes"] += marks
            layout["annotations"] += [annotation(text, sheet) for text in legend.findobj(_written)]  # type: ignore[arg-type]
    around = (text for text in figure.texts if text.get_gid() not in AROUND and _written(text))
    layout["annotations"] += [annotation(text, sheet) for text in around]
    return data, layout


def _on_page(artist: Artist, sheet: Sheet, axes: Axes) -> bool:
    """Whether a line is no part of the data: one that is placed by the page and leaves the axes."""
    if not isinstance(artist, Line2D) or artist.get_transform().contains_branch(axes.transData):
        return False
    return not sheet.within(sheet.points(artist.get_transform().transform(artist.get_xydata())), axes)


def _traces(artist: Artist, sheet: Sheet, axes: Axes) -> Iterator[Json]:
    if isinstance(artist, Line2D):
        if np.size(artist.get_xydata()):
            yield line_trace(artist, sheet, axes)
    elif isinstance(artist, PathCollection):
        yield dots_trace(artist, sheet, axes)
    elif isinstance(artist, (PolyCollection, Patch)):
        yield from area_traces(artist, sheet, axes)


def _texts(axes: Axes) -> list[Text]:
    """All words of axes but those of ticks and keys."""
    labels = [axis.label for axis in (axes.xaxis, axes.yaxis) if axes.axison and axis.get_visible()]
    return [text for text in (*axes.texts, *labels, axes.title) if _written(text)]


def _written(artist: Artist) -> bool:
    return isinstance(artist, Text) and artist.get_visible() and bool(artist.get_text().strip())


def _legends(axes: Axes) -> list[Artist]:
    from matplotlib.legend import Legend

    return [child for child in axes.get_children() if isinstance(child, Legend) and child.get_visible()]


def _stalk(text: Text, sheet: Sheet) -> Iterator[Json]:
    """The line from a label to what it names."""
    if isinstance(text, Annotation) and text.arrow_patch is not None:
        arrow = text.arrow_patch
        points = sheet.points(arrow.get_path().transformed(arrow.get_transform()).vertices)
        looks = {"line": {"color": rgba(arrow.get_edgecolor()), "width": float(arrow.get_linewidth())}, "name": STALK}
        yield shape(points[[0, -1]], sheet, looks)
