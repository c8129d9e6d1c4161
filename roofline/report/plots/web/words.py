"""The words of a chart: labels at their places, and what is shown where a pointer rests."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from roofline.report.plots.web.sheet import Json, Points, Sheet, along, rgba, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text


def annotation(text: Text, sheet: Sheet, axes: Axes | None = None, suffix: str = "") -> Json:
    """A text where the figure has it: in the data of axes that it lies within, else on the page.

    `suffix` is that of the axes' names in the layout.
    """
    from matplotlib.text import Text as Plain

    ends = sheet.points(Plain.get_window_extent(text).get_points())  # without the line to what it names
    turned = float(text.get_rotation()) % 360
    side = "center" if turned else str(text.get_horizontalalignment())
    x = {"left": ends[0][0], "right": ends[1][0]}.get(side, ends[:, 0].mean())
    found: Json = {
        **_place(np.array([[x, ends[:, 1].mean()]]), ends, sheet, axes, suffix),
        "text": _lines(text),
        "showarrow": False,
        "font": {"size": float(text.get_fontsize()), "color": rgba(text.get_color())},
        "xanchor": side,
        "yanchor": "middle",
        "align": str(text.get_horizontalalignment()),
        "borderpad": 0,
    }
    if turned:
        found["textangle"] = short(-turned if turned <= 180 else 360 - turned)
    patch = text.get_bbox_patch()
    if patch is not None:
        found["bgcolor"] = rgba(patch.get_facecolor())
    return found


def _place(at: Points, ends: Points, sheet: Sheet, axes: Axes | None, suffix: str) -> Json:
    if axes is None or not sheet.within(ends, axes):
        x, y = sheet.paper(at)[0]
        return {"x": short(x), "y": short(y), "xref": "paper", "yref": "paper"}
    low, high = np.sort([axes.get_xlim(), axes.get_ylim()], axis=1).T
    x, y = np.clip(sheet.data(at, axes)[0], low, high)  # a label at the very edge is there, too
    scales = axes.xaxis.get_scale(), axes.yaxis.get_scale()
    place = {"x": along([x], scales[0])[0], "y": along([y], scales[1])[0]}
    return place | {"xref": f"x{suffix}", "yref": f"y{suffix}"}


def _lines(text: Text) -> str:
    """The text with its lines apart, bold where it is."""
    inside = broken(text.get_text())
    return f"<b>{inside}</b>" if text.get_fontweight() in ("bold", 700) else inside


def broken(text: str) -> str:
    """Plain text as a chart takes it: nothing in it is markup but the ends of its lines."""
    return escape(text, quote=False).replace("\n", "<br>")


def shown(texts: tuple[str, ...], count: int) -> dict[str, Any]:
    """What a trace shows where a pointer rests, at each of so many points, or all over; nothing without words."""
    if not texts:
        return {"hoverinfo": "skip"}
    headed = [_headed(text) for text in texts]
    return {"hoverinfo": "text", "hovertext": headed if len(headed) == count else headed * count}


def _headed(text: str) -> str:
    first, line, rest = text.partition("\n")
    return f"<b>{broken(first)}</b>" + (f"<br>{broken(rest)}" if line else "")
