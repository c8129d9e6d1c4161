"""The colours in which a roofline plot is drawn: those of the theme."""

from __future__ import annotations

from typing import NamedTuple

from roofline.report.plots.style import COLOURS, GREY, INK, PALE


class Palette(NamedTuple):
    """The colours of a theme: of words and lines, lesser words, the grid, the page, and the series."""

    ink: str
    grey: str
    pale: str
    ground: str
    colours: tuple[str, ...]


def palette() -> Palette:
    """The colours of the theme in which is drawn."""
    return Palette(INK, GREY, PALE, "#ffffff", COLOURS)
