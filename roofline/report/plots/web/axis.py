"""The axes of a chart: where they are, their ranges, ticks and grid, as in the figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roofline.report.plots.web.sheet import Json, Sheet, along, rgba, shorts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis


def axes_of(axes: Axes, sheet: Sheet, number: int) -> Json:
    """The x and y axis of the axes of this number, from 1, by their names in a layout."""
    suffix = str(number) if number > 1 else ""
    left, bottom, right, top = sheet.box(axes)
    (x0, y0), (x1, y1) = sheet.paper([(left, bottom), (right, top)])
    settings: Json = {}
    for which, axis, domain, limits in (
        ("x", axes.xaxis, (x0, x1), axes.get_xlim()),
        ("y", axes.yaxis, (y0, y1), axes.get_ylim()),
    ):
        other = "y" if which == "x" else "x"
        settings[f"{which}axis{suffix}"] = {
            "type": "log" if axis.get_scale() == "log" else "linear",
            "domain": shorts(domain),
            "anchor": f"{other}{suffix}",
            "range": along(limits, axis.get_scale()),
            "zeroline": False,
            **_looks(axis, axes, limits),
        }
    return settings


def _looks(axis: Axis, axes: Axes, limits: tuple[float, float]) -> Json:
    """Ticks, line and grid; an axis that nobody sees does not zoom."""
    low, high = sorted(limits)
    ticks = [
        (float(at), str(label.get_text()))
        for at, label in zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
        if low * (1 - 1e-9) <= at <= high * (1 + 1e-9)
    ]
    if not axes.axison or not axis.get_visible() or not ticks:
        bare = {"showgrid": False, "showticklabels": False, "ticks": "", "fixedrange": True}
        return bare | _line(axis, axes)
    minor = [float(at) for at in axis.get_minorticklocs() if low <= at <= high]
    first = axis.get_major_ticks()[0]
    grid = axis.get_gridlines()[0]
    look = {
        "tickmode": "array",
        "tickvals": shorts([at for at, _ in ticks]),
        "ticktext": [text for _, text in ticks],
        "tickfont": {"size": first.label1.get_fontsize(), "color": rgba(first.label1.get_color())},
        "ticks": "outside",
        "ticklen": float(first.tick1line.get_markersize()),
        "tickwidth": float(first.tick1line.get_markeredgewidth()),
        "tickcolor": rgba(first.tick1line.get_color()),
        "showgrid": bool(grid.get_visible()),
        "gridcolor": rgba(grid.get_color()),
        "gridwidth": float(grid.get_linewidth()),
        **_line(axis, axes),
    }
    if minor:
        look["minor"] = {"tickvals": shorts(minor), "ticks": "outside", "ticklen": 1.6, "tickwidth": 0.4}
    return look


def _line(axis: Axis, axes: Axes) -> dict[str, Any]:
    spine = axes.spines["bottom" if axis is axes.xaxis else "left"]
    if not (axes.axison and spine.get_visible() and axis.get_visible()):
        return {"showline": False}
    return {"showline": True, "linecolor": rgba(spine.get_edgecolor()), "linewidth": float(spine.get_linewidth())}
