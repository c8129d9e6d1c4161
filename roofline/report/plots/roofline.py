"""The pictures: roofline plot, memory, sweep curves.

`roofline_figure`, `memory_figure` and `sweep_figure` return matplotlib figures; `save_figure` writes one as PNG, SVG or
PDF, and `checked_path` says beforehand whether it could. None of them opens a window or changes matplotlib's settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
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

__all__ = ["Shown", "checked_path", "memory_figure", "roofline_axes", "roofline_figure", "save_figure", "sweep_figure"]

#: Of the axes, in points: the page comes to about 120 mm. The left margin holds the ticks' texts and the axis label.
_HEIGHT, _LEFT = 236.0, 42.0


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


def roofline_figure(estimates: Sequence[Answer], *, title: str | None = None, shown: Shown = AS_USUAL) -> Figure:
    """The roofline plot of a workload on the accelerators of the estimates: intensity against FLOP/s.

    Each accelerator has its memory slope and a flat roof per format; those in which no op computes are pale, and left
    out from three accelerators on. A dot is a kernel of a phase at its expected rate, a thin line leads from what its
    roof allows down to it, and its area is its share of the whole run's time. Thin lines are what the chip's best
    measured kernels reach; dotted slopes those of its cache and links. Estimates may differ in anything; dots have the
    colour of the phase where there is one estimate, that of the estimate where there are several. Raises UsageError
    without estimates, for more than colours tell apart, for estimates of grids, and where nothing has FLOPs.
    """
    estimates, points, drawn = _drawn(estimates, shown)
    with plot_style.styled():
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
        words = Words(title_of(title, heading(estimates), estimates), told, note)
        compose(figure, axes, words, _LEFT, key)
    return figure


def roofline_axes(
    estimates: Sequence[Answer], axes: Axes, *, title: str | None = None, shown: Shown = AS_USUAL
) -> Axes:
    """The same picture in axes of somebody's own figure, at the size that they have; returns them.

    Roofs in use are named inside, the key stands in a corner where it has room, and there is no note. An empty `title`
    leaves the heading out. Raises UsageError as `roofline_figure` does.
    """
    estimates, _, drawn = _drawn(estimates, shown)
    with plot_style.styled():
        figure = axes.get_figure(root=True)
        box = axes.get_window_extent()
        dpi = figure.dpi if figure is not None else 72.0
        frame = frame_of(drawn, max(box.width * 72 / dpi, 36.0), max(box.height * 72 / dpi, 36.0))
        _set_axes(axes, frame)
        found = drawn.found(frame)
        draw_roofs(axes, drawn.skylines, frame)
        blocks = name_inside(axes, drawn.skylines, frame)
        draw_dots(axes, drawn, found, frame)
        blocks += key_inside(axes, drawn, found, frame)
        draw_labels(axes, drawn, found, frame, blocks)
        told = title_of(title, heading(estimates), estimates)
        if title != "":
            lines = plot_style.wrap(told, frame.width, plot_style.SIZE + 1, bold=True)
            axes.set_title("\n".join(lines), loc="left", size=plot_style.SIZE + 1, weight="bold")
    return axes


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
    axes.grid(visible=True, which="major")
