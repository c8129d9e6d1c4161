"""What tests look for in a figure."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.text import Text


def texts(figure: Figure, *kinds: str) -> list[Text]:
    """The texts of some kinds, by the group id that they were drawn with."""
    return [text for text in figure.findobj(Text) if text.get_gid() in kinds]
