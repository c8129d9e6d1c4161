"""Lines, marks and areas of a figure as traces of a chart, or as shapes of its page where they lie outside the axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from roofline.report.plots.hover import hover_texts
from roofline.report.plots.style import MARKERS
from roofline.report.plots.web.sheet import Json, Points, Sheet, rgba, shorts
from roofline.report.plots.web.words import shown

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

_SYMBOLS: Final = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "v": "triangle-down",
    "D": "diamond",
    "P": "cross",
    "X": "x",
    "|": "line-ns",
    "_": "line-ew",
    "*": "star",
    "x": "x-thin",
    "+": "cross-thin",
    ".": "circle",
}
#: Marks that are all stroke.
_THIN: Final = ("line-ns", "line-ew", "x-thin", "cross-thin")
#: The name of lines of the page that lead to places in axes: where those move, they are gone.
STALK: Final = "stalk"
#: Strokes up to so many widths of a line are points.
_POINT: Final = 1.5
#: Of hatching, in points between its lines, and which part of the area they take.
_HATCH, _DENSITY = 4.0, 0.3


def line_trace(line: Line2D, sheet: Sheet, axes: Axes) -> Json:
    """A line with its marks, in the data of the axes."""
    points = sheet.points(line.get_transform().transform(line.get_xydata()))
    stroked = line.get_linestyle() not in ("None", "", " ")
    marked = _SYMBOLS.get(str(line.get_marker()))
    modes = ["lines"] * stroked + ["markers"] * (marked is not None)
    trace = _trace(points, sheet, axes, mode="+".join(modes) or "none") | shown(hover_texts(line), len(points))
    if stroked:
        trace["line"] = stroke_of(line)
    if marked is not None:
        thin = marked in _THIN
        edge = line.get_color() if thin else line.get_markeredgecolor()
        trace["marker"] = {
            "symbol": marked,
            "size": float(line.get_markersize()),
            "color": rgba(edge if thin else line.get_markerfacecolor(), line.get_alpha()),
            "line": {"width": float(line.get_markeredgewidth()), "color": rgba(edge, line.get_alpha())},
            "opacity": 1,
        }
    trace["cliponaxis"] = bool(line.get_clip_on())
    return trace


def stroke_of(line: Line2D) -> Json:
    """Colour, width and dashes."""
    width = float(line.get_linewidth())
    found: Json = {"color": rgba(line.get_color(), line.get_alpha()), "width": width}
    if line.is_dashed():
        found["dash"] = {":": "dot", "-.": "dashdot"}.get(str(line.get_linestyle())) or _dash(line)
    return found


def _dash(line: Line2D) -> str:
    """The nearest of Plotly's dashes to strokes and gaps of one's own, for which matplotlib has no public name."""
    strokes: tuple[float, ...] = getattr(line, "_unscaled_dash_pattern", (0.0, None))[1] or (4.0, 2.0)
    if max(strokes[::2]) <= _POINT:
        return "dot"
    return "dashdot" if min(strokes[::2]) <= _POINT else "dash"


def dots_trace(dots: Collection, sheet: Sheet, axes: Axes) -> Json:
    """Marks of a scatter, each with its size and colours."""
    points = sheet.points(dots.get_offset_transform().transform(dots.get_offsets()))
    faces, edges = dots.get_facecolor(), dots.get_edgecolor()
    widths = dots.get_linewidth()
    marker: Json = {
        "symbol": _symbol(dots),
        "size": [float(area**0.5) for area in _each(dots.get_sizes(), len(points))],  # type: ignore[attr-defined]
        "color": [rgba(colour) for colour in _each(faces, len(points))] or "rgba(0,0,0,0)",
        "opacity": 1,
    }
    if len(edges):
        marker["line"] = {
            "color": [rgba(colour) for colour in _each(edges, len(points))],
            "width": [float(width) for width in _each(widths, len(points))],
        }
    trace = _trace(points, sheet, axes, mode="markers") | shown(hover_texts(dots), len(points))
    return trace | {"marker": marker, "cliponaxis": bool(dots.get_clip_on())}


def _each(values: Any, count: int) -> list[Any]:
    """One value per point: those that there are, in turn."""
    return [values[index % len(values)] for index in range(count)] if len(values) else []


def _symbol(dots: Collection) -> str:
    """The name of the mark of a scatter, by its outline."""
    from matplotlib.markers import MarkerStyle

    own = np.asarray(dots.get_paths()[0].vertices, dtype=float)
    for name in (*MARKERS, *_SYMBOLS):
        style = MarkerStyle(name)
        path = np.asarray(style.get_path().transformed(style.get_transform()).vertices, dtype=float)
        if path.shape == own.shape and np.allclose(path, own, atol=1e-6):
            return _SYMBOLS[name]
    return "circle"


def area_traces(area: Collection | Patch, sheet: Sheet, axes: Axes) -> Iterator[Json]:
    """Bars and filled areas, one trace for each of their outlines."""
    for points in _outlines(area, sheet):
        trace = _trace(points, sheet, axes, mode="lines")
        face, edge = _first(area.get_facecolor()), _first(area.get_edgecolor())
        width = float(_first(area.get_linewidth()) or 0.0)
        trace |= {
            "fill": "toself",
            "fillcolor": rgba(face) if face is not None else "rgba(0,0,0,0)",
            "line": {"width": width, "color": rgba(edge) if edge is not None and width else "rgba(0,0,0,0)"},
            "cliponaxis": bool(area.get_clip_on()),
            **_filled(hover_texts(area)),
        }
        if area.get_hatch():
            lines = rgba(edge) if edge is not None else rgba("black")
            trace["fillpattern"] = {
                **{"shape": "/", "fgcolor": lines, "bgcolor": trace["fillcolor"]},
                **{"size": _HATCH, "solidity": _DENSITY, "fillmode": "overlay"},
            }
        yield trace


def _filled(texts: tuple[str, ...]) -> Json:
    """What an area shows all over."""
    found = shown(texts[:1], 1)
    if "hovertext" in found:
        found["text"] = found.pop("hovertext")[0]
    return found | {"hoveron": "fills"}


def _first(values: Any) -> Any:
    """The value of an artist, or of the first of several; None where there is none."""
    if getattr(values, "ndim", 1) == 2:
        return values[0] if len(values) else None
    return values if isinstance(values, (tuple, float, int, str)) else values[0] if len(values) else None


def _outlines(area: Collection | Patch, sheet: Sheet) -> list[Points]:
    from matplotlib.patches import Patch

    paths = [area.get_path()] if isinstance(area, Patch) else area.get_paths()
    turned = (path.transformed(area.get_transform()) for path in paths)
    outlines = (np.asarray(outline) for path in turned for outline in path.to_polygons())
    return [sheet.points(outline) for outline in outlines if len(outline) > 2]


def _trace(points: Points, sheet: Sheet, axes: Axes, *, mode: str) -> Json:
    at = sheet.data(points, axes)
    return {"type": "scatter", "mode": mode, "x": shorts(at[:, 0]), "y": shorts(at[:, 1]), "showlegend": False}


def mark_shapes(line: Line2D, sheet: Sheet) -> Iterator[Json]:
    """A line and its marks as shapes of the page."""
    from matplotlib.markers import MarkerStyle

    points = sheet.points(line.get_transform().transform(line.get_xydata()))
    if line.get_linestyle() not in ("None", "", " ") and len(points) > 1:
        yield shape(points, sheet, {"line": stroke_of(line), "name": STALK})
    if str(line.get_marker()) not in _SYMBOLS:
        return
    style = MarkerStyle(line.get_marker())
    path = style.get_path().transformed(style.get_transform())
    looks = {
        "fillcolor": rgba(line.get_markerfacecolor()),
        "line": {"color": rgba(line.get_markeredgecolor()), "width": float(line.get_markeredgewidth())},
    }
    every: Any = line.get_markevery()
    for point in points if every is None else points[every]:
        for outline in path.to_polygons():
            corners = np.asarray(outline, dtype=float) * float(line.get_markersize()) + point
            yield shape(corners, sheet, looks, closed=True)


def shape(points: Any, sheet: Sheet, looks: Json, *, closed: bool = False) -> Json:
    """A line through points of the page, or an area within them."""
    at = [f"{x:.6g},{y:.6g}" for x, y in sheet.paper(points)]
    path = "M" + "L".join(at) + "Z" * closed
    return {"type": "path", "path": path, "xref": "paper", "yref": "paper", "layer": "above", **looks}


def seen(artists: Any) -> list[Artist]:
    """Those that are drawn, the lowest first."""
    return sorted((artist for artist in artists if artist.get_visible()), key=lambda artist: artist.get_zorder())
