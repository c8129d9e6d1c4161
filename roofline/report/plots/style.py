"""What all figures share: measures, type, colours of both themes, and ticks.

Sizes are in points (1/72 inch) unless a name says otherwise. matplotlib's object-oriented interface only: no pyplot, no
figure that outlives its caller, no global setting that stays changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from roofline.errors import UsageError
from roofline.runs.checks import one_of
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Settings of matplotlib, or arguments of one of its calls.
Look: TypeAlias = dict[str, Any]

MM: Final = 72 / 25.4
WIDTH: Final = 180 * MM
EDGE: Final = 7.0
SIZE, SMALL, LARGE = 7.0, 6.3, 9.5
#: The least contrast of words: 4.5 in the Web Content Accessibility Guidelines, and a little for thin strokes.
_READ: Final = 5.0

MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
DASHES: Final[tuple[Any, ...]] = ("-", (0, (5, 1.6)), (0, (3, 1.2, 1, 1.2)), (0, (1.4, 1.2)))


class Palette(NamedTuple):
    """The colours of a theme: of words and lines, lesser words, the grid, the page, and the series."""

    name: str
    ink: str
    grey: str
    pale: str
    ground: str
    colours: tuple[str, ...]


#: Okabe and Ito 2008, Color Universal Design, without the yellow, which is too pale for lines; black last.
_ON_WHITE: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
#: The same hues in the same order, light enough for a dark page; white last.
_ON_DARK: Final = ("#4A9FE0", "#EE7747", "#2DBE94", "#DB94BE", "#8FD0F5", "#F2C245", "#FFFFFF")
PALETTES: Final = {
    "light": Palette("light", "#222222", "#6b6b6b", "#e6e6e6", "#ffffff", _ON_WHITE),
    "dark": Palette("dark", "#e6e8eb", "#a0a6ae", "#30363e", "#14171c", _ON_DARK),
}
THEMES: Final = tuple(PALETTES)
_theme: Final = ContextVar("theme", default="light")

#: Of both axes.
_TICKS: Final[Look] = {
    "labelsize": SIZE,
    "major.width": 0.6,
    "major.size": 3,
    "minor.width": 0.4,
    "minor.size": 1.6,
}
_RC: Final[Look] = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "text.hinting": "none",
    "mathtext.default": "regular",
    "axes.linewidth": 0.6,
    "axes.labelsize": SIZE + 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": SIZE,
    "svg.fonttype": "path",
    "svg.hashsalt": "roofline",
    "pdf.fonttype": 42,
    **{f"{axis}tick.{key}": value for axis in "xy" for key, value in _TICKS.items()},
}


@contextmanager
def styled(theme: str | None = None) -> Iterator[None]:
    """The figures' own settings for the length of a `with`, whatever the user's are; those come back after it.

    `theme`: light or dark; None leaves the one in force. Raises UsageError for another.
    """
    try:
        from matplotlib import style
    except ModuleNotFoundError:
        raise UsageError('a plot needs matplotlib, which is not there: pip install "matplotlib>=3.8"') from None

    before = _theme.set(one_of("theme", _theme.get() if theme is None else theme, THEMES))
    try:
        with style.context(["default", _RC | _coloured()]):
            yield
    finally:
        _theme.reset(before)


def palette() -> Palette:
    """The colours of the theme in force: light, if no `styled` says otherwise. Ask while drawing, not before."""
    return PALETTES[_theme.get()]


def _coloured() -> Look:
    """Settings with the colours of the theme in force."""
    now = palette()
    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
    return {"grid.color": now.pale, **dict.fromkeys(inked, now.ink)}


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
    """A colour mixed with that of the page: 1 is the colour, 0 is the page."""
    return _mixed(palette().ground, colour, strength)


def shade(colour: str) -> str:
    """A colour that small type can have: as much nearer to black, or white on a dark page, as it takes to be read."""
    ground = palette().ground
    end = "#000000" if contrast("#000000", ground) > contrast("#ffffff", ground) else "#ffffff"
    steps = (_mixed(colour, end, step / 50) for step in range(50))
    return next((one for one in steps if contrast(one, ground) >= _READ), end)


def _mixed(start: str, end: str, part: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(_parts(start), _parts(end), strict=True))


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def contrast(one: str, other: str) -> float:
    """How well one colour is read on another, 1 to 21: Web Content Accessibility Guidelines 2.2, relative luminance."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else float(((part / 255 + 0.055) / 1.055) ** 2.4)
        for part in _parts(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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


def share_of(value: float, whole: float) -> str:
    """A part of a whole in per cent: ``38 %``, ``under 0.1 %``."""
    share = value / whole if whole else 0.0
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.{1 if share < 0.1 else 0}f} %"


def amount(value: float, unit: str, digits: int = 4) -> str:
    """A value with a decimal prefix and no more digits than it needs: ``312 TFLOP/s``, ``989.5 TFLOP/s``."""
    number, _, prefixed = format_si(value, unit, digits).partition(" ")
    return f"{float(number.replace(',', '')):g} {prefixed}"
