"""The picture of a comparison: a bar for each run, with its interval and its bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.analysis.comparing.figures import PRICE, Compared, value_of
from roofline.analysis.comparing.runs import Run, said
from roofline.analysis.comparing.settings import differing, shared, varied_by
from roofline.analysis.comparing.side_by_side import SideBySide
from roofline.analysis.comparing.words import shown
from roofline.answer.times import Times
from roofline.errors import UsageError
from roofline.report.plots import style as plot_style
from roofline.report.plots.hover import hover
from roofline.report.plots.layout import Words, compose, new_figure
from roofline.report.plots.series import cautions, machine_title
from roofline.report.plots.style import SIZE, WIDTH, Look, palette, shade, text_size, tint, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Points: a bar with the space around it where runs are few and where they are many, the part that is bar.
_WIDE, _NARROW, _BAR = 25.0, 13.0, 0.62
#: So many runs are few; beside names, right of all, and at least of the axes.
_FEW: Final = 12
_GAP, _SIDE, _LEAST = 6.0, 18.0, 150.0
#: The widest part of the page that names take.
_NAMES: Final = 0.4
_PALE: Final = 0.45


class _Bar(NamedTuple):
    """A run in the picture: its name in lines, its value in all readings, how it is said, and its looks."""

    name: str
    times: Times | None
    text: str
    fits: bool
    best: bool


def bars_figure(
    found: SideBySide[Any], quantity: str | None = None, *, title: str | None = None, theme: str | None = None
) -> Figure:
    """Horizontal bars of a quantity of every run, by default of that by which the runs are judged first.

    A bar is what is expected, its whisker the 80 % interval, the tick across it the roofline bound. The best run, and
    those that cannot be told from it, are in full colour; what does not fit is hatched. `theme`: light or dark. Raises
    UsageError for a quantity that is not compared, and for one that no run has.
    """
    what = found.main if quantity is None else found.quantity(quantity)
    bars = _bars(found, what)
    if all(bar.times is None for bar in bars):
        raise UsageError(f"nothing to plot: no run has a {what.title or what.name}")
    with plot_style.styled(theme):
        row = _WIDE if len(bars) <= _FEW else _NARROW
        left = min(max(text_size(line)[0] for bar in bars for line in bar.name.split("\n")), _NAMES * WIDTH)
        left += _GAP + plot_style.EDGE
        width, height = max(WIDTH - left - _SIDE, _LEAST), row * len(bars) + 4
        figure, axes = new_figure(width, height)
        axes.set_xlim(0, _right(bars, width))
        axes.set_ylim(height, 0)
        for index, bar in enumerate(bars):
            middle = 2 + row * (index + 0.5)
            if bar.times is not None:
                _draw(axes, bar, bar.times, (middle, row * _BAR), what)
            _name(axes, bar, middle, axes.get_xlim()[1] / width)
        _axis(axes, what)
        heading = title or f"{_title(what)} by {varied_by(found)}"
        note = " ".join(filter(None, [_note(what, bars), *_beside(found), cautions(_answers(found))]))
        compose(figure, axes, Words(heading, " · ".join(_shared(found)), note), left, 0)
    return figure


def _answers(found: SideBySide[Any]) -> list[Any]:
    return [row.answer for row in found.rows if row.answer is not None]


def _shared(found: SideBySide[Any]) -> Iterator[str]:
    """What all runs share, model and accelerator by their titles."""
    titles: dict[str, str] = {}
    for answer in _answers(found):
        titles |= {answer.inputs["model"]: answer.question.spec.title, answer.inputs["gpu"]: machine_title(answer)}
    yield from (titles.get(text, text.replace("kv-cache", "KV-cache")) for text in shared(found))


def _titles(found: SideBySide[Any]) -> dict[tuple[str, str], str]:
    """Titles of models and accelerators that vary, by their option and the name that was given."""
    titles: dict[tuple[str, str], str] = {}
    for row in found.rows:
        if row.answer is not None:
            each = {"model": row.answer.question.spec.title, "gpu": machine_title(row.answer)}
            titles |= {(name, str(row.varied[name])): text for name, text in each.items() if name in row.varied}
    return titles


def _named(row: Run[Any], titles: dict[tuple[str, str], str]) -> str:
    """A run by what tells it from the others, also one that was refused."""
    told = [titles.get((name, str(value))) or said(name, value) for name, value in row.varied.items()]
    number = row.label.rpartition(" #")[2] if " #" in row.label else ""
    return ", ".join(told) + (f" #{number}" if number else "")


def _title(what: Compared) -> str:
    name = what.title or what.name
    return name[:1].upper() + name[1:]


def _bars(found: SideBySide[Any], what: Compared) -> list[_Bar]:
    best = found.winners[what.name]
    rows = () if best is None else (best.row, *best.too_close)
    titles = _titles(found)
    bars = []
    for row in found.rows:
        times = value_of(row.answer, what.name)
        text = "refused" if row.answer is None else "none" if times is None else shown(what, float(times.expected))
        if times is not None and not row.fits:
            text += ", does not fit"
        name = "\n".join(wrap(_named(row, titles), _NAMES * WIDTH, SIZE)[:2])
        bars.append(_Bar(name, times, text, row.fits, row.index in rows))
    return bars


def _right(bars: Sequence[_Bar], width: float) -> float:
    """The end of the axis: every whisker has its value beside it within the axes."""
    ends = [(_end(bar.times), text_size(bar.text, bold=True)[0]) for bar in bars if bar.times is not None]
    return max(high * width / max(width - text - 2 * _GAP, 0.2 * width) for high, text in ends) or 1.0


def _end(times: Times) -> float:
    """Where a bar ends with all that is on it."""
    return max(float(each) for each in (times.expected, times.high, times.bound))


def _name(axes: Axes, bar: _Bar, middle: float, unit: float) -> None:
    """A run's name left of the axes, and its value behind its whisker, or behind the bound where that is in the way."""
    at: Look = {"textcoords": "offset points", "size": SIZE, "va": "center", "linespacing": 1.1}
    axes.annotate(bar.name, (0, middle), (-_GAP, 0), xycoords=axes.get_yaxis_transform(), ha="right", gid="run", **at)
    end = 0.0
    if bar.times is not None:
        end, bound = max(float(bar.times.expected), float(bar.times.high)), float(bar.times.bound)
        room = text_size(bar.text, bold=True)[0] + 2 * _GAP
        end = bound if end < bound < end + room * unit else end
    look: Look = {
        "color": palette().ink if bar.fits else shade(palette().colours[1]),
        "weight": "bold" if bar.best else "normal",
    }
    axes.annotate(bar.text, (end, middle), (_GAP, 0), ha="left", gid="value", **at, **look)


def _draw(axes: Axes, bar: _Bar, times: Times, place: tuple[float, float], what: Compared) -> None:
    """A bar whose middle and thickness are given, its whisker and its bound."""
    middle, thick = place
    low, value, high, bound = (float(each) for each in (times.low, times.expected, times.high, times.bound))
    now = palette()
    blue, line = now.colours[0], Look(color=now.ink, lw=0.8, zorder=4)
    look: Look = {"facecolor": blue if bar.best else tint(blue, _PALE), "lw": 0}
    unfit: Look = {"facecolor": now.ground, "edgecolor": now.grey, "hatch": "////", "lw": 0.6}
    drawn = axes.barh([middle], [value], height=thick, zorder=2, **(look if bar.fits else unfit))
    hover(drawn.patches[0], [_readings(bar, times, what)])
    if low < high:
        axes.plot([low, high], [middle] * 2, **line)
        for end in (low, high):
            axes.plot([end] * 2, [middle - 0.2 * thick, middle + 0.2 * thick], **line)
    if what.group and bound != value:
        axes.plot([bound] * 2, [middle - 0.5 * thick, middle + 0.5 * thick], color=now.colours[1], lw=1.4, zorder=3)


def _readings(bar: _Bar, times: Times, what: Compared) -> str:
    """A run, and its quantity in all readings."""
    low, high, bound, floor = (shown(what, float(each)) for each in (times.low, times.high, times.bound, times.floor))
    lines = [bar.name.replace("\n", " "), f"expected {bar.text}"]
    lines += [f"four of five runs: {low} to {high}"] * (times.low < times.high)
    lines += [f"roofline bound {bound}", f"floor {floor}"] * bool(what.group)
    return "\n".join(lines)


def _axis(axes: Axes, what: Compared) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    unit = what.unit if what.unit in ("s", "B") else ""
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(partial(_tick, unit=unit)))
    axes.set_xlabel(_title(what) + (f" ({what.unit})" if what.name == PRICE else ""))
    axes.yaxis.set_ticks([])
    axes.grid(visible=True, axis="x")


def _tick(value: float, _: object = None, *, unit: str) -> str:
    """A tick of an axis that begins at 0."""
    if unit == "s":
        return "0" if value == 0 else plot_style.amount(value, "s") if value >= 1 else _milli(value)
    return plot_style.tick_text(value, unit=unit)


def _milli(seconds: float) -> str:
    scale, name = (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")
    return f"{float(f'{seconds * scale:.3g}'):g} {name}"


def _note(what: Compared, bars: Sequence[_Bar]) -> str:
    """What bar, whisker and tick are, and what is in full colour and hatched."""
    ranged = any(bar.times is not None and bar.times.low < bar.times.high for bar in bars)
    bounded = bool(what.group) and any(bar.times is not None and bar.times.bound != bar.times.expected for bar in bars)
    parts = ["Bars: expected"] * bool(what.group)
    parts += ["whiskers: where four of five runs lie"] * ranged + ["ticks: roofline bound"] * bounded
    close = sum(bar.best for bar in bars) > 1
    dark = "Full colour: the best and what is too close to it to call." if close else "Full colour: the best."
    misfit = "Hatched: does not fit in memory, and cannot happen." if any(not b.fits and b.times for b in bars) else ""
    return " ".join(
        [*([f"{'; '.join(parts)}."] if parts else []), *([dark] if any(bar.best for bar in bars) else []), misfit]
    ).strip()


def _beside(found: SideBySide[Any]) -> list[str]:
    """What differs though it was not asked to."""
    told = [text.replace("kv-cache", "KV-cache") for text in differing(found)]
    return [f"Runs differ as well in {'; '.join(told)}."] if told else []
