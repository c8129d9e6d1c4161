"""The pictures: roofline plot, memory, sweep curves.

`roofline_figure`, `memory_figure` and `sweep_figure` return matplotlib figures; `save_figure` writes one as PNG, SVG or
PDF, and `checked_path` says beforehand whether it could. None of them opens a window or changes matplotlib's settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from roofline.analysis.estimate import Answer
from roofline.report.plots import style as plot_style
from roofline.report.plots.draw import draw_dots, draw_key, draw_roofs, margin_width
from roofline.report.plots.files import checked_path, save_figure
from roofline.report.plots.layout import Words, compose, new_figure
from roofline.report.plots.memory import memory_figure
from roofline.report.plots.names import draw_labels
from roofline.report.plots.points import Frame, silent_kinds, silent_share, visible
from roofline.report.plots.roofs import Skyline
from roofline.report.plots.series import Series, conditions, distinct, heading, picture, series_names
from roofline.report.plots.sweep import sweep_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["checked_path", "memory_figure", "roofline_figure", "save_figure", "sweep_figure"]

#: Of the axes, in points: the page comes to about 120 mm. The left margin holds the ticks' texts and the axis label.
_HEIGHT, _LEFT = 236.0, 42.0
#: Room for labels above the highest roof and beside the last ridge, in points.
_HEADROOM, _LEEWAY = 36.0, 42.0


def roofline_figure(estimates: Sequence[Answer], *, title: str | None = None) -> Figure:
    """The roofline plot of a workload on the accelerators of the estimates: intensity against attainable FLOP/s.

    Each accelerator has its memory slope and a flat roof per format; those in which no op computes are pale, and left
    out from three accelerators on. A dot is an op of a phase at its bound, its area the part of the phase's bound time;
    ops that would lie on one another are one dot. Ops without FLOPs of matrices are named under the picture. Estimates
    may differ in anything; dots have the colour of the phase where there is one estimate, that of the estimate where
    there are several. Raises UsageError without estimates, and for estimates of grids.
    """
    estimates = distinct(estimates)
    with plot_style.styled():
        series, skylines = picture(estimates)
        frame = _frame(series, skylines, plot_style.WIDTH - _LEFT - margin_width(skylines), _HEIGHT)
        figure, axes = new_figure(frame.width, frame.height)
        axes.set_xlim(*frame.x)
        axes.set_ylim(*frame.y)
        plot_style.log_axis(axes, "x", "Arithmetic intensity (FLOP/byte)")
        plot_style.log_axis(axes, "y", "Attainable rate (FLOP/s)")
        axes.grid(visible=True, which="major")
        found = [one.dots(frame) for one in series]
        draw_roofs(axes, skylines, frame)
        draw_dots(axes, series, found)
        unnamed = draw_labels(axes, series, found, skylines, frame)
        key = draw_key(axes, series, skylines, frame)
        words = Words(title or heading(estimates), conditions(estimates), _note(estimates, series, unnamed))
        compose(figure, axes, words, _LEFT, key)
    return figure


def _frame(series: Sequence[Series], skylines: Sequence[Skyline], width: float, height: float) -> Frame:
    """Limits that hold all dots and ridges and more than a decade of every slope, with room for labels on top."""
    shown = [row for one in series for rows in one.rows.values() for row in visible(rows)]
    intensities = [float(row.intensity) for row in shown]
    rates = [float(row.flops / row.bound_s) for row in shown]
    ridges = [roof.ridge for line in skylines for roof in line.roofs]
    left = min([*(value / 2.2 for value in intensities), min(line.main.ridge for line in skylines) / 30])
    last = left * float((max(ridges) / left) ** (width / (width - _LEEWAY)))
    right = max([*(value * 2.2 for value in intensities), last])
    low = min([*(value / 2.2 for value in rates), min(line.bandwidth for line in skylines) * left])
    peak = max(line.highest.peak for line in skylines)
    high = low * float((peak / low) ** (height / (height - _HEADROOM)))
    return Frame((left, right), (low, high), width, height)


def _note(estimates: Sequence[Answer], series: Sequence[Series], unnamed: int) -> str:
    """What the picture cannot say: what a dot is, at which context, and what is not drawn."""
    text = (
        "A dot is an op, or several that coincide, at its roofline bound; its area is its share of the phase's bound "
        "time, the smallest enlarged."
    )
    contexts = {float(p.context) for estimate in estimates for p in estimate.phases if p.name == "decode"}
    if len(contexts) == 1:
        context = contexts.pop()
        text += f" Decode is one step at the mean context of {context:,.0f} token{'s' if context != 1 else ''}."
    first = series[0]
    shares = [f"{_percent(silent_share(rows))} of {phase}'s time" for phase, rows in first.rows.items()]
    kinds = list(dict.fromkeys(kind for rows in first.rows.values() for kind in silent_kinds(rows)))
    if kinds:
        where = f"; {first.name}" if len(series) > 1 else ""
        text += f" Not drawn, having no matrix FLOPs: {', '.join(kinds)} ({', '.join(shares)}{where})."
    text += _beyond(estimates)
    if unnamed:
        text += f" Dots without a label: {unnamed}, of the smallest."
    return text


def _beyond(estimates: Sequence[Answer]) -> str:
    """What the dots do not show: that a run needs more memory than there is."""
    over = {
        name: m.asked_of_room
        for m, name in zip((e.memory for e in estimates), series_names(estimates), strict=True)
        if not m.fits
    }
    told = "; ".join(need if len(estimates) == 1 else f"{name} ({need})" for name, need in over.items())
    return f" Does not fit in memory: {told}." if told else ""


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.{1 if share < 0.1 else 0}f} %"
