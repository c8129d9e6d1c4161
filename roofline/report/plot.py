"""The pictures: roofline plot, memory, sweep curves.

`roofline_figure`, `memory_figure` and `sweep_figure` return matplotlib figures; `save_figure` writes one as PNG, SVG or
PDF. None of them opens a window or changes matplotlib's settings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from roofline.analysis.estimate import Estimate
from roofline.report import plot_points, plot_style
from roofline.report.plot_draw import Series, draw_dots, draw_key, draw_labels, draw_roofs, margin_width
from roofline.report.plot_memory import memory_figure
from roofline.report.plot_points import Dot, Frame
from roofline.report.plot_roofs import roofs
from roofline.report.plot_series import check_scalar, conditions, heading, series_names
from roofline.report.plot_style import save_figure
from roofline.report.plot_sweep import sweep_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["memory_figure", "roofline_figure", "save_figure", "sweep_figure"]

_HEIGHT: Final = 120 * plot_style.MM
_LEFT, _BOTTOM, _TOP = 40.0, 54.0, 50.0
#: From this many accelerators on, only the roofs in use are drawn.
_CROWD: Final = 3


def roofline_figure(estimates: Sequence[Estimate], *, title: str | None = None) -> Figure:
    """The roofline plot of a workload on the accelerators of the estimates: intensity against attainable FLOP/s.

    Each accelerator has its memory slope and a flat roof per format; those in which no op computes are pale, and left
    out from three accelerators on. A dot is an op of a phase at its bound, its area the part of the phase's bound time;
    ops that would lie on one another are one dot. Ops without FLOPs of matrices are named under the picture.
    Raises UsageError without estimates, and for estimates of grids.
    """
    check_scalar(estimates)
    with plot_style.styled():
        series = _series(estimates)
        margins = (_LEFT, margin_width(series), _BOTTOM, _TOP)
        figure, axes = plot_style.new_figure(_HEIGHT, margins)
        frame = _frame(series, plot_style.WIDTH - margins[0] - margins[1], _HEIGHT - _BOTTOM - _TOP)
        axes.set_xlim(*frame.x)
        axes.set_ylim(*frame.y)
        plot_style.log_axis(axes, "x", "Arithmetic intensity (FLOP/byte)")
        plot_style.log_axis(axes, "y", "Attainable rate (FLOP/s)")
        axes.grid(visible=True, which="major")
        found = [[dot for phase, rows in one.rows.items() for dot in plot_points.dots(phase, rows, frame)]
                 for one in series]  # fmt: skip
        draw_roofs(axes, series, frame)
        draw_dots(axes, series, found)
        unnamed = draw_labels(axes, series, found, frame)
        draw_key(axes, series, found)
        plot_style.headline(figure, title or heading(estimates), conditions(estimates), 8)
        plot_style.caption(figure, _caption(estimates, series, unnamed), 8)
    return figure


def _series(estimates: Sequence[Estimate]) -> list[Series]:
    colours, dashes = plot_style.COLOURS, plot_style.DASHES
    result = []
    machines = len({estimate.question.gpu.name for estimate in estimates})
    for index, (estimate, name) in enumerate(zip(estimates, series_names(estimates), strict=True)):
        question, rows = estimate.question, plot_points.phase_rows(estimate)
        dtypes = {row.dtype for ops in rows.values() for row in plot_points.visible(ops)}
        result.append(
            Series(
                name=name,
                colour=colours[index % len(colours)] if len(estimates) > 1 else plot_style.INK,
                dash=dashes[index % len(dashes)],
                rows=rows,
                roofs=roofs(question.gpu, question.machine(), dtypes, used_only=machines >= _CROWD),
            )
        )
    return result


def _frame(series: Sequence[Series], width: float, height: float) -> Frame:
    """Limits that hold all dots and ridges, and at least a decade of every slope."""
    shown = [row for one in series for rows in one.rows.values() for row in plot_points.visible(rows)]
    intensities = [float(row.intensity) for row in shown]
    rates = [float(row.flops / row.bound_s) for row in shown]
    ridges = [roof.ridge for one in series for roof in one.roofs]
    used = [roof.ridge for one in series for roof in one.roofs if roof.used] or ridges
    left = min([*(value / 2.2 for value in intensities), min(used) / 30])
    right = max([*(value * 2.2 for value in intensities), *(value * 2.0 for value in ridges)])
    slope = min(roof.bandwidth for one in series for roof in one.roofs) * left
    low = min([*(value / 2.2 for value in rates), slope])
    high = max(roof.peak for one in series for roof in one.roofs) * 1.8
    return Frame((left, right), (low, high), width, height)


def _caption(estimates: Sequence[Estimate], series: Sequence[Series], unnamed: int) -> str:
    first, several = series[0], len(series) > 1
    text = "A dot is an op, or several that coincide, at its roofline bound; its area is its share of the phase's bound time."
    contexts = {float(p.context) for estimate in estimates for p in estimate.phases if p.name == "decode"}
    if len(contexts) == 1:
        text += f" Decode is one step at the mean context of {contexts.pop():,.0f} tokens."
    shares = [f"{_percent(plot_points.silent_share(rows))} of {phase}" for phase, rows in first.rows.items()]
    kinds = list(dict.fromkeys(kind for rows in first.rows.values() for kind in plot_points.silent_kinds(rows)))
    if kinds:
        where = f" on {first.name}" if several else ""
        text += f" Not drawn, having no matrix FLOPs: {', '.join(kinds)} ({' and '.join(shares)} in time{where})."
    if unnamed:
        text += f" Without a label: {unnamed} of the smallest dots."
    return text


def _percent(share: float) -> str:
    if share and share < 0.001:
        return "under 0.1 %"
    decimals = 1 if share < 0.1 else 0
    return f"{100 * share:.{decimals}f} %" if math.isfinite(share) else "an unknown part"
