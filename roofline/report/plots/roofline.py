"""The pictures: roofline plot, memory, sweep curves.

`roofline_figure`, `memory_figure` and `sweep_figure` return matplotlib figures; `save_figure` writes one as PNG, SVG,
PDF or an HTML page, and `checked_path` says beforehand whether it could. None of them opens a window or changes
matplotlib's settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.errors import UsageError, did_you_mean
from roofline.report.plots import style as plot_style
from roofline.report.plots.files import checked_path, save_figure
from roofline.report.plots.layout import Words, compose, new_figure
from roofline.report.plots.memory import memory_figure
from roofline.report.plots.roof.draw import draw_dots, draw_roofs
from roofline.report.plots.roof.key import draw_key, key_inside, margin_width, name_inside, name_roofs
from roofline.report.plots.roof.labelling import draw_labels
from roofline.report.plots.roof.ledger import AT, At
from roofline.report.plots.roof.measured import Points, read_points
from roofline.report.plots.roof.notes import conditions_of, note_of, title_of
from roofline.report.plots.roof.picture import Picture, frame_of, picture
from roofline.report.plots.roof.trail import asked_trail, trails_of
from roofline.report.plots.series import conditions, distinct, heading
from roofline.report.plots.sweep import sweep_figure
from roofline.runs.checks import one_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "Shown",
    "checked_path",
    "memory_figure",
    "roofline_axes",
    "roofline_figure",
    "save_figure",
    "shown_of",
    "sweep_figure",
]

#: Of the axes, in points: the page comes to about 120 mm. The left margin holds the ticks' texts and the axis label.
_HEIGHT, _LEFT = 236.0, 42.0
#: Of somebody's own axes: the type of the heading, and the least width and height.
_HEADING, _LEAST = plot_style.SIZE + 1.0, 90.0


class Shown(NamedTuple):
    """What a roofline plot shows.

    `at`: where dots stand, at the rate that is expected or at the bound. `measured`: a CSV of measured points.
    `trail`: a size and its values, over which the heaviest op of each phase, or `op`, is followed.
    """

    at: At = "expected"
    measured: str | Path | None = None
    trail: Mapping[str, Sequence[Any]] | None = None
    op: str | None = None


AS_USUAL: Final = Shown()


def shown_of(given: Mapping[str, Any]) -> tuple[str | None, Shown]:
    """Title and what is shown, of keywords. Raises UsageError for one that there is not."""
    for name in given:
        if name not in ("title", *Shown._fields):
            names = ("ax", "title", *Shown._fields)
            raise UsageError(f"plot takes no {name!r}. {did_you_mean(name, names)} There are: {', '.join(names)}")
    return given.get("title"), Shown(**{name: value for name, value in given.items() if name != "title"})


def roofline_figure(
    estimates: Sequence[Answer], *, title: str | None = None, shown: Shown = AS_USUAL, theme: str | None = None
) -> Figure:
    """The roofline plot of a workload on the accelerators of the estimates: intensity against FLOP/s.

    Each accelerator has its memory slope and a flat roof per format; those in which no op computes are pale, and left
    out from three accelerators on. A dot is a kernel of a phase at its expected rate, a thin line leads from what its
    roof allows down to it, and its area is its share of the whole run's time. Thin lines are what the chip's best
    measured kernels reach; dotted slopes those of its cache and links. Estimates may differ in anything; dots have the
    colour of the phase where there is one estimate, that of the estimate where there are several. `theme`: light or
    dark. Raises UsageError without estimates, for more than colours tell apart, for estimates of grids, and where
    nothing has FLOPs.
    """
    with plot_style.styled(theme):
        estimates, points, drawn = _drawn(estimates, shown)
        frame = frame_of(drawn, plot_style.WIDTH - _LEFT - margin_width(drawn.skylines), _HEIGHT)
        figure, axes = new_figure(frame.width, frame.height)
        _set_axes(axes, frame)
        found = drawn.found(frame)
        draw_roofs(axes, drawn.skylines, frame)
        name_roofs(axes, drawn.skylines, frame)
        draw_dots(axes, drawn, found, frame)
        unnamed = draw_labels(axes, drawn, found, frame)
        key = draw_key(axes, drawn, found, frame)
        told = conditions_of(conditions(estimates), drawn)
        note = note_of(estimates, drawn, found, points, unnamed)
        compose(figure, axes, Words(title_of(title, heading(estimates), estimates), told, note), _LEFT, key)
    return figure


def roofline_axes(
    estimates: Sequence[Answer],
    axes: Axes,
    *,
    title: str | None = None,
    shown: Shown = AS_USUAL,
    theme: str | None = None,
) -> Axes:
    """The same picture in axes of somebody's own figure, at the size that they have; returns them.

    Roofs in use are named inside, the key stands in a corner where it has room, and there is no note. An empty `title`
    leaves the heading out. Raises UsageError as `roofline_figure` does.
    """
    with plot_style.styled(theme):
        estimates, _, drawn = _drawn(estimates, shown)
        frame = frame_of(drawn, *_size_of(axes))
        _set_axes(axes, frame)
        found = drawn.found(frame)
        draw_roofs(axes, drawn.skylines, frame)
        blocks = name_inside(axes, drawn.skylines, frame)
        draw_dots(axes, drawn, found, frame)
        blocks += key_inside(axes, drawn, found, frame)
        draw_labels(axes, drawn, found, frame, blocks)
        if title != "":
            lines = plot_style.wrap(title_of(title, heading(estimates), estimates), frame.width, _HEADING, bold=True)
            axes.set_title("\n".join(lines), loc="left", size=_HEADING, weight="bold", gid="title")
    return axes


def _size_of(axes: Axes) -> tuple[float, float]:
    """Width and height of axes in points. Raises UsageError where nothing could be read in them."""
    box, figure = axes.get_window_extent(), axes.figure
    width, height = (side * 72 / figure.dpi for side in (box.width, box.height))
    if min(width, height) < _LEAST:
        raise UsageError(
            f"axes of {width:.0f} by {height:.0f} points hold no roofline plot; give some of {_LEAST:.0f} at least"
        )
    return width, height


def _drawn(estimates: Sequence[Answer], shown: Shown) -> tuple[list[Answer], Points, Picture]:
    """The estimates, each once, measured points, and all that is drawn of them."""
    one_of("at", shown.at, AT)
    estimates = distinct(estimates)
    points = Points.none(len(estimates)) if shown.measured is None else read_points(shown.measured, estimates)
    trails: list[list[Any]] = [[] for _ in estimates]
    if shown.trail is not None:
        asked = asked_trail(shown.trail, shown.op)
        trails = [trails_of(estimate, asked, shown.at) for estimate in estimates]
    return estimates, points, picture(estimates, shown.at, points.each, trails)


def _set_axes(axes: Axes, frame: Any) -> None:
    axes.set_xlim(*frame.x)
    axes.set_ylim(*frame.y)
    plot_style.log_axis(axes, "x", "Arithmetic intensity (FLOP/byte)")
    plot_style.log_axis(axes, "y", "Rate (FLOP/s)")
    axes.grid(visible=True, which="major", color=plot_style.palette().pale, lw=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=plot_style.SIZE)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(plot_style.SIZE + 0.5)
