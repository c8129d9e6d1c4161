"""The figures' own class. This module needs matplotlib: import it where a figure is made."""

from __future__ import annotations

from typing import Any

from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from roofline.report.plots.files import render
from roofline.report.plots.style import palette, styled


class Page(Figure):
    """A figure that is drawn with its own settings whoever draws it, and that shows itself in a notebook.

    matplotlib reads some settings when it draws, and its notebook support knows only the figures made by pyplot.
    `theme` is the one in force when it was made.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.theme = palette().name

    def draw(self, renderer: RendererBase) -> None:
        """Draw with the settings for which the labels were placed."""
        with styled(self.theme):
            super().draw(renderer)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Twice as fine as it is shown, which is at 110 dots per inch."""
        width, height = self.get_size_inches()
        return render(self, "png", dpi=220), {"width": round(width * 110), "height": round(height * 110)}
