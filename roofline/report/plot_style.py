"""What all figures share: page, type, colours, ticks, and how a figure becomes a file.

Sizes are in points (1/72 inch) unless a name says otherwise. matplotlib's object-oriented interface only: no pyplot, no
figure that outlives its caller, no global setting that stays changed.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roofline.errors import UsageError
from roofline.units import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MM: Final = 72 / 25.4
WIDTH: Final = 180 * MM
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
    "svg.fonttype": "path", "svg.hashsalt": "roofline", "pdf.fonttype": 42,
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


def new_figure(height: float, margins: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """A figure 180 mm wide and `height` high with one axes inside the margins (left, right, bottom, top).

    It shows itself in a notebook, where matplotlib does so only for figures made by pyplot.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, height / 72), facecolor="white")
    left, right, bottom, top = margins
    size = (WIDTH - left - right) / WIDTH, (height - bottom - top) / height
    axes = figure.add_axes((left / WIDTH, bottom / height, *size))
    axes.set_facecolor("none")
    vars(figure)["_repr_png_"] = partial(_notebook_png, figure)
    return figure, axes


def headline(figure: Figure, title: str, subtitle: str, left: float) -> None:
    """The title and, under it, the conditions, `left` points from the left edge."""
    height = figure.get_figheight() * 72
    x = left / WIDTH
    figure.text(x, 1 - 6 / height, title, size=LARGE, weight="bold", va="top", ha="left", gid="title")
    figure.text(x, 1 - 20 / height, subtitle, size=SIZE, color=GREY, va="top", ha="left", gid="subtitle")


def caption(figure: Figure, text: str, left: float) -> None:
    """A note along the bottom, wrapped to the page."""
    lines = wrap(text, WIDTH - left - 6, SMALL)
    figure.text(left / WIDTH, 5 / (figure.get_figheight() * 72), "\n".join(lines), size=SMALL, color=GREY,
                va="bottom", ha="left", linespacing=1.25, gid="caption")  # fmt: skip


def text_size(text: str, size: float = SIZE, *, bold: bool = False) -> tuple[float, float]:
    """Width and height of a text in points, without drawing it; lines are 1.2 times the size apart."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=["DejaVu Sans"], size=size, weight="bold" if bold else "normal")
    lines = text.split("\n")
    widths = [text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] for line in lines]
    return float(max(widths)), 1.2 * size * len(lines)


def wrap(text: str, width: float, size: float) -> list[str]:
    """A text cut at spaces into lines of at most `width` points."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(longer, size)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def tint(colour: str, strength: float) -> str:
    """A colour mixed with white: 1 is the colour, 0 is white."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * strength):02x}" for part in parts)


def log_axis(axes: Axes, which: str, label: str) -> None:
    """A logarithmic axis with decimal prefixes on its decades (or 1, 2, 5 where it spans less than two of them)."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    major, minor = log_ticks(low, high)
    axis.set_major_locator(FixedLocator(major))
    axis.set_minor_locator(FixedLocator(minor))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick_text(value)))
    axis.set_minor_formatter(NullFormatter())
    (axes.set_xlabel if which == "x" else axes.set_ylabel)(label)


def log_ticks(low: float, high: float) -> tuple[list[float], list[float]]:
    """Major and minor ticks of a logarithmic axis: at least two major ones, at most about ten."""
    exponents = range(-30, 31)
    steps = {d: [float(f"{d}e{e}") for e in exponents if low <= float(f"{d}e{e}") <= high] for d in range(1, 10)}
    decades = steps[1]
    if len(decades) > 10:
        every = -(-len(decades) // 10)
        return decades[::every], decades
    minor = sorted(value for values in steps.values() for value in values)
    if len(decades) >= 3:
        return decades, minor
    return sorted(steps[1] + steps[2] + steps[5]) or [low, high], minor


def tick_text(value: float) -> str:
    """A tick: plain up to 9,999, with a decimal prefix above, so that no axis needs powers of ten."""
    return f"{value:g}" if value < 1e4 else format_si(value, digits=1)


def checked_path(path: str | os.PathLike[str]) -> Path:
    """Where a figure can be written. Raises UsageError for another extension, a missing folder or a folder's name."""
    target = Path(path).expanduser()
    if target.suffix.lower().removeprefix(".") not in FORMATS:
        accepted = ", ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"cannot write a figure as {str(path)!r}: the name must end in one of {accepted}")
    if target.is_dir():
        raise UsageError(f"cannot write a figure to {str(path)!r}: it is a folder")
    if not target.parent.is_dir():
        raise UsageError(f"cannot write a figure to {str(path)!r}: there is no folder {str(target.parent)!r}")
    return target.resolve()


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure as PNG (300 dpi), SVG or PDF, by extension; the same figure gives the same bytes.

    The file appears whole or not at all. Raises UsageError for another extension, or where nothing can be written.
    """
    target = checked_path(path)
    kind = target.suffix.lower().removeprefix(".")
    data = render(figure, kind, dpi=300)
    passing = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        passing.write_bytes(data)
        passing.replace(target)
    except OSError as error:
        passing.unlink(missing_ok=True)
        raise UsageError(f"cannot write a figure to {str(path)!r}: {error.strerror or error}") from error
    return target


def render(figure: Figure, kind: str, dpi: float = 100) -> bytes:
    """A figure as the bytes of a PNG, SVG or PDF file, without date."""
    buffer = BytesIO()
    with styled():
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=_METADATA[kind])
    return buffer.getvalue()


def _notebook_png(figure: Figure) -> tuple[bytes, dict[str, int]]:
    """Twice as fine as it is shown, which is at 110 dots per inch."""
    width, height = figure.get_size_inches()
    return render(figure, "png", dpi=220), {"width": round(width * 110), "height": round(height * 110)}
