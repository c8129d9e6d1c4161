"""What all figures share: page, type, colours, ticks, and how a figure becomes a file.

Sizes are in points (1/72 inch) unless a name says otherwise. matplotlib's object-oriented interface only: no pyplot, no
figure that outlives its caller, no global setting that stays changed.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roofline.errors import UsageError
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM: Final = 72 / 25.4
WIDTH: Final = 180 * MM
EDGE: Final = 7.0
SIZE, SMALL, LARGE = 7.0, 6.3, 9.5
INK, GREY, PALE = "#222222", "#6b6b6b", "#e6e6e6"

#: Okabe and Ito 2008, Color Universal Design, without the yellow, which is too pale for lines; black last.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
DASHES: Final[tuple[Any, ...]] = ("-", (0, (5, 1.6)), (0, (3, 1.2, 1, 1.2)), (0, (1.4, 1.2)))
FORMATS: Final = ("png", "svg", "pdf")

_RC: Final[dict[str, Any]] = {
    "font.family": ["DejaVu Sans"], "font.size": SIZE, "text.color": INK, "mathtext.default": "regular",
    "axes.edgecolor": INK, "axes.labelcolor": INK, "axes.linewidth": 0.6, "axes.labelsize": SIZE + 0.5,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
    "xtick.color": INK, "ytick.color": INK, "xtick.labelsize": SIZE, "ytick.labelsize": SIZE,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 3, "ytick.major.size": 3,
    "xtick.minor.width": 0.4, "ytick.minor.width": 0.4, "xtick.minor.size": 1.6, "ytick.minor.size": 1.6,
    "grid.color": PALE, "grid.linewidth": 0.5, "legend.frameon": False, "legend.fontsize": SIZE,
    "text.hinting": "none", "svg.fonttype": "path", "svg.hashsalt": "roofline", "pdf.fonttype": 42,
}  # fmt: skip
_METADATA: Final[dict[str, dict[str, Any]]] = {
    "png": {"Software": "roofline"},
    "svg": {"Creator": "roofline", "Date": None},
    "pdf": {"Creator": "roofline", "Producer": None, "CreationDate": None},
}


def styled() -> AbstractContextManager[None]:
    """The figures' own settings for the length of a `with`, whatever the user's are; those come back after it."""
    from matplotlib import style

    return style.context(["default", _RC])


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of page width with one axes of this size; `compose` makes it a page."""
    from roofline.report.plots.page import Page

    figure = Page(figsize=(WIDTH / 72, height / 72), facecolor="white")
    axes = figure.add_axes((0, 0, width / WIDTH, 1))
    axes.set_facecolor("none")
    return figure, axes


@dataclass(frozen=True, slots=True)
class Words:
    """What stands around a picture: title, conditions under it, and a note along the bottom."""

    title: str
    conditions: str
    note: str


def compose(figure: Figure, axes: Axes, words: Words, left: float, key: float) -> None:
    """Lay out a page: words, `key` points for a key, the axes `left` points from the edge, their labels, the note."""
    place = axes.get_position()
    width, height = place.width * WIDTH, place.height * figure.get_figheight() * 72
    title = wrap(words.title, WIDTH - 2 * EDGE, LARGE, bold=True)
    conditions = wrap(words.conditions, WIDTH - 2 * EDGE, SIZE)
    note = wrap(words.note, WIDTH - 2 * EDGE, SMALL)
    top = EDGE + 1.2 * LARGE * len(title) + 3 + 1.2 * SIZE * len(conditions) + 6 + key
    bottom = EDGE + 1.25 * SMALL * len(note) + 30
    page = top + height + bottom
    figure.set_size_inches(WIDTH / 72, page / 72)
    axes.set_position((left / WIDTH, bottom / page, width / WIDTH, height / page))

    def write(lines: list[str], y: float, size: float, name: str, **look: Any) -> None:
        figure.text(EDGE / WIDTH, y / page, "\n".join(lines), size=size, ha="left", linespacing=1.2, gid=name, **look)

    write(title, page - EDGE, LARGE, "title", va="top", weight="bold")
    write(conditions, page - EDGE - 1.2 * LARGE * len(title) - 3, SIZE, "conditions", va="top", color=GREY)
    write(note, EDGE, SMALL, "note", va="bottom", color=GREY)


def text_size(text: str, size: float = SIZE, *, bold: bool = False) -> tuple[float, float]:
    """Width and height of a text in points, without drawing it; lines are 1.2 times the size apart."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=["DejaVu Sans"], size=size, weight="bold" if bold else "normal")
    lines = text.split("\n")
    widths = [text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] for line in lines]
    return float(max(widths)), 1.2 * size * len(lines)


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """A text cut at spaces into lines of at most `width` points; no line for no text."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(longer, size, bold=bold)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def tint(colour: str, strength: float) -> str:
    """A colour mixed with white: 1 is the colour, 0 is white."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * strength):02x}" for part in parts)


def shade(colour: str) -> str:
    """A colour dark enough for small type: towards black, the more the lighter it is."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    light = (0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2]) / 255
    return "#" + "".join(f"{round(part * min(1.0, 0.42 / (light or 1.0))):02x}" for part in parts)


def log_axis(axes: Axes, which: str, label: str, unit: str = "") -> None:
    """A logarithmic axis with decimal prefixes on its decades (or 1, 2, 5 where it spans less than two of them)."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    major, minor = log_ticks(low, high)
    axis.set_major_locator(FixedLocator(major))
    axis.set_minor_locator(FixedLocator(minor))
    axis.set_major_formatter(FuncFormatter(partial(tick_text, unit=unit)))
    axis.set_minor_formatter(NullFormatter())
    (axes.set_xlabel if which == "x" else axes.set_ylabel)(label)


def log_ticks(low: float, high: float) -> tuple[list[float], list[float]]:
    """Major and minor ticks of a logarithmic axis: at least two major ones, at most about ten.

    Decades where there are three or more; else also 2 and 5, else all digits, else three rounded values.
    """
    exponents = range(-30, 31)
    steps = {d: [float(f"{d}e{e}") for e in exponents if low <= float(f"{d}e{e}") <= high] for d in range(1, 10)}
    decades = steps[1]
    if len(decades) > 10:
        every = -(-len(decades) // 10)
        return decades[::every], decades
    minor = sorted(value for values in steps.values() for value in values)
    if len(decades) >= 3:
        return decades, minor
    few = sorted(steps[1] + steps[2] + steps[5])
    if len(few) >= 2:
        return few, minor
    between = (low * (high / low) ** part for part in (0.1, 0.5, 0.9))
    return (minor if len(minor) >= 2 else [float(f"{value:.3g}") for value in between]), minor


def tick_text(value: float, _: object = None, *, unit: str = "") -> str:
    """A tick, with a decimal prefix where it has a unit (``s`` or ``B``) or is a million or more."""
    if unit == "s":
        return format_time(value, 1)
    if unit:
        return amount(value, unit) if value else "0"
    return f"{value:,g}" if value < 1e6 else format_si(value, digits=1)


def amount(value: float, unit: str, digits: int = 4) -> str:
    """A value with a decimal prefix and no more digits than it needs: ``312 TFLOP/s``, ``989.5 TFLOP/s``."""
    number, _, prefixed = format_si(value, unit, digits).partition(" ")
    return f"{float(number.replace(',', '')):g} {prefixed}"


def checked_path(path: str | os.PathLike[str]) -> Path:
    """Where a figure can be written. Raises UsageError for another extension, a missing folder or a folder's name."""
    target = Path(path).expanduser()
    if target.suffix.lower().removeprefix(".") not in FORMATS:
        accepted = ", ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"cannot write a figure as {str(path)[:200]!r}: the name must end in one of {accepted}")
    try:
        trouble = "it is a folder" if target.is_dir() else ""
        if not target.parent.is_dir():
            trouble = f"there is no folder {str(target.parent)!r}"
        elif not os.access(target.parent, os.W_OK):
            trouble = f"nothing can be written in {str(target.parent)!r}"
        target = target.resolve()
    except (OSError, ValueError) as error:
        trouble = getattr(error, "strerror", None) or str(error)
    if trouble:
        raise UsageError(f"cannot write a figure to {str(path)[:200]!r}: {trouble}")
    return target


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG (300 dpi), SVG or PDF, by extension; the same figure gives the same bytes.

    The file appears whole or not at all. Raises UsageError for another extension, or where nothing can be written.
    """
    target = checked_path(path)
    kind = target.suffix.lower().removeprefix(".")
    data = render(figure, kind, dpi=300)
    passing = target.with_name(f".{os.getpid()}.{target.name[-40:]}.tmp")
    try:
        passing.write_bytes(data)
        passing.replace(target)
    except OSError as error:
        with suppress(OSError):
            passing.unlink()
        raise UsageError(f"cannot write a figure to {str(path)[:200]!r}: {error.strerror or error}") from error
    return target


def render(figure: Figure, kind: str, dpi: float = 100) -> bytes:
    """A figure as the bytes of a PNG, SVG or PDF file, without date."""
    buffer = BytesIO()
    with styled():
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=_METADATA[kind])
    return buffer.getvalue()
