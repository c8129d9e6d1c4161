"""The picture of where the time goes: for each phase, and the whole run, bars of parts on parts, and of causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.analysis.spent import Spent, time_spent
from roofline.errors import UsageError
from roofline.report.plots import style as plot_style
from roofline.report.plots.hover import hover
from roofline.report.plots.layout import Words, compose, new_figure
from roofline.report.plots.series import cautions, conditions, distinct, heading, series_names
from roofline.report.plots.style import SIZE, SMALL, WIDTH, Look, palette, share_of, text_size, tint
from roofline.units import format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: In points: a bar, from its top to the next one's with the key under it, the line of a name, a heading, and the space
#: above it; left of the bars, right of them for the time, between a square of a key and the next.
_BAR, _ROW, _NAME, _HEADING, _ABOVE = 11.0, 27.0, 12.0, 14.0, 7.0
_LEFT, _VALUE, _KEY = 48.0, 52.0, 11.0
#: Parts of a whole run below which a phase is not drawn, and of a bar below which its parts are one.
_SLIGHT, _LITTLE = 0.01, 0.01
_MOST: Final = 48
#: Colours of parts, by what a bar is cut by: those of the series by their places, and how strong, each in one of them
#: alone; of phases greys, by how strong.
_BLOCKS: Final = ((0, 1.0), (2, 1.0), (4, 1.0), (0, 0.45), (2, 0.45), (4, 0.45))
_CAUSES: Final = ((1, 1.0), (5, 1.0), (3, 1.0), (1, 0.5), (5, 0.5), (3, 0.5), (1, 0.25))
_PHASES: Final = (0.5, 0.28, 0.4, 0.18)
#: Places among these of causes, and of parts that most models have.
_KNOWN: Final[Mapping[str, int]] = {
    **{"weights": 0, "cache": 3, "compute": 1, "activations": 2, "launches": 4, "communication": 5, "host": 6},
    **{"feed-forward": 0, "experts": 0, "attention": 1, "mixers": 1, "head": 2, "engine, beside ops": 4},
}
_OTHER: Final = "other"


class _Bar(NamedTuple):
    """One bar: what it is by, its parts, and whose it is."""

    by: str
    parts: Mapping[str, float]
    spent: Spent
    run: str


def time_figure(*estimates: Answer, title: str | None = None, theme: str | None = None) -> Figure:
    """Where the expected time of each phase and of the whole run goes: bars by block and by cause, of each estimate.

    Bars of a phase share a scale; ticks across them are floor and roofline bound. Phases of under 1 % of every run are
    left out. `theme`: light or dark. Raises UsageError without estimates, for estimates of grids, and for more bars
    than a page holds.
    """
    each = distinct(estimates)
    spent = [time_spent(estimate) for estimate in each]
    names, left_out = _phases(spent)
    runs = series_names(each)
    sections = _ordered({name: list(_bars(name, spent, runs)) for name in names})
    count = sum(map(len, sections.values()))
    if count > _MOST:
        raise UsageError(
            f"{count} bars are too many for one picture, at most {_MOST} can be read: take fewer models or GPUs"
        )
    with plot_style.styled(theme):
        colours = _colours(sections)
        width = WIDTH - _LEFT - plot_style.EDGE
        named = len(each) > 1
        height = sum(_height(bars, named) for bars in sections.values())
        figure, axes = new_figure(width, height)
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        top = 0.0
        for bars in sections.values():
            _section(axes, bars, colours, top, width - _VALUE, named=named)
            top += _height(bars, named)
        words = Words(title or f"Where the time goes: {heading(each)}", conditions(each), _note(each, left_out))
        compose(figure, axes, words, _LEFT, 0, foot=6)
    return figure


def _phases(spent: Sequence[Sequence[Spent]]) -> tuple[list[str], list[str]]:
    """The phases that take at least a hundredth of a run, in order, the whole last; and those that do not."""
    shares: dict[str, float] = {}
    for run in spent:
        summed = run[-1:] if run[-1].repeat is None else run
        whole = sum(each.each * float(each.times.expected) for each in summed)
        for each in run:
            share = each.each * float(each.times.expected) / (whole or 1.0)
            shares[each.name] = max(share, shares.get(each.name, 0.0))
    last = [run[-1].name for run in spent if run[-1].repeat is None][:1]
    shown = [name for name, share in shares.items() if share >= _SLIGHT and name not in last]
    return [*shown, *last], [name for name in shares if name not in (*shown, *last)]


def _bars(name: str, spent: Sequence[Sequence[Spent]], runs: Sequence[str]) -> Iterator[_Bar]:
    for run, found in zip(runs, spent, strict=True):
        for each in found:
            if each.name == name:
                yield from (_Bar(f"by {way}", _few(parts), each, run) for way, parts in each.by.items())


def _ordered(sections: Mapping[str, list[_Bar]]) -> dict[str, list[_Bar]]:
    """The bars with their parts in one order all over the picture: what takes more of them all comes first."""
    shares: dict[str, float] = {}
    for bar in (bar for bars in sections.values() for bar in bars):
        for name, seconds in bar.parts.items():
            shares[name] = shares.get(name, 0.0) + seconds / sum(bar.parts.values())
    order = sorted(shares, key=lambda name: (name == _OTHER, -shares[name]))
    return {
        phase: [bar._replace(parts={name: bar.parts[name] for name in order if name in bar.parts}) for bar in bars]
        for phase, bars in sections.items()
    }


def _few(parts: Mapping[str, float]) -> dict[str, float]:
    """The parts with the smallest as one."""
    whole = sum(parts.values())
    shown = {name: seconds for name, seconds in parts.items() if seconds >= _LITTLE * whole and name != _OTHER}
    rest = whole - sum(shown.values())
    return shown | ({_OTHER: rest} if rest > 1e-6 * whole else {})


def _colours(sections: Mapping[str, Sequence[_Bar]]) -> dict[tuple[str, str], str]:
    """A colour for each name of a way to cut: of what is known always the same, of others those that are left."""
    now = palette()
    mixed = {
        "by phase": [tint(now.ink, part) for part in _PHASES],
        "by cause": [tint(now.colours[place], part) for place, part in _CAUSES],
    }
    blocks = [tint(now.colours[place], part) for place, part in _BLOCKS]
    names: dict[str, dict[str, None]] = {}
    for bar in (bar for bars in sections.values() for bar in bars):
        names.setdefault(bar.by, {}).update(dict.fromkeys(bar.parts))
    found: dict[tuple[str, str], str] = {}
    for by, each in names.items():
        hues, known = mixed.get(by, blocks), {} if by == "by phase" else _KNOWN
        taken = {known[name] for name in each if name in known}
        free = [hue for place, hue in enumerate(hues) if place not in taken] or hues
        others = [name for name in each if name not in known and name != _OTHER]
        found |= {(by, name): hues[known[name] % len(hues)] for name in each if name in known}
        found |= {(by, name): tint(free[i % len(free)], 0.6 ** (i // len(free))) for i, name in enumerate(others)}
        found[by, _OTHER] = tint(now.grey, 0.3)
    return found


def _height(bars: Sequence[_Bar], named: bool) -> float:
    return _ABOVE + _HEADING + _ROW * len(bars) + (_NAME * len({bar.run for bar in bars}) if named else 0.0)


def _section(
    axes: Axes, bars: Sequence[_Bar], colours: Mapping[tuple[str, str], str], top: float, width: float, *, named: bool
) -> None:
    """A phase: its heading, and the bars of each run."""
    y = top + _ABOVE
    axes.text(
        -_LEFT + plot_style.EDGE, y, _heading(bars[0].spent), weight="bold", va="top", size=SIZE + 0.5, gid="phase"
    )
    y += _HEADING
    longest = max(max(float(bar.spent.times.expected), float(bar.spent.times.bound)) for bar in bars) or 1.0
    runs: list[str] = []
    for bar in bars:
        if named and bar.run not in runs:
            axes.text(0, y, bar.run, va="top", size=SIZE, gid="run")
            y += _NAME
            runs.append(bar.run)
        _draw(axes, bar, colours, y, width / longest)
        _key(axes, bar, colours, y + _BAR + 2)
        y += _ROW


def _heading(spent: Spent) -> str:
    name = spent.name.replace("_", " ")
    return name if spent.each == 1.0 else f"{name}: one of {spent.each:,.0f} times"


def _draw(axes: Axes, bar: _Bar, colours: Mapping[tuple[str, str], str], top: float, unit: float) -> None:
    """One bar: what it is by, its parts, floor and bound across it, its time behind it; `unit`: points of a second."""
    whole, start, middle = float(bar.spent.times.expected), 0.0, top + _BAR / 2
    axes.text(-_LEFT + plot_style.EDGE, middle, bar.by, va="center", size=SMALL, color=palette().grey, gid="by")
    for name, seconds in bar.parts.items():
        drawn = axes.barh(
            [middle], [seconds * unit], left=[start * unit], height=_BAR, color=colours[bar.by, name], lw=0
        )
        text = f"{name}\n{format_time(seconds)}, {share_of(seconds, whole)} of {bar.spent.name}\n{bar.run}"
        hover(drawn.patches[0], [text])
        start += seconds
    now = palette()
    ends = [float(bar.spent.times.floor), float(bar.spent.times.bound)]
    for at, dash, name in zip(ends, (":", "-"), ("floor", "roofline bound"), strict=True):
        (line,) = axes.plot([at * unit] * 2, [top - 2.5, top + _BAR], color=now.ink, lw=1.2, ls=dash, zorder=4)
        hover(line, [f"{name}\n{format_time(at)}\n{bar.run}"] * 2)
    value: Look = {"va": "center", "size": SIZE, "weight": "bold", "gid": "value"}
    axes.text(max(start, *ends) * unit + 5, middle, format_time(whole), **value)


def _key(axes: Axes, bar: _Bar, colours: Mapping[tuple[str, str], str], top: float) -> None:
    """A square and a share for each part, one after another; those that find no room are left to the bar."""
    x, whole, right = 0.0, sum(bar.parts.values()), axes.get_xlim()[1]
    for name, seconds in bar.parts.items():
        text = f"{name.replace('_', ' ')} {share_of(seconds, whole)}"
        wide = 8 + text_size(text, SMALL)[0]
        if x + wide > right:
            return
        axes.fill_betweenx([top + 2, top + 7.5], x, x + 5.5, color=colours[bar.by, name], lw=0)
        axes.text(x + 8, top + 1, text, size=SMALL, va="top", ha="left", gid="part")
        x += wide + _KEY


def _note(estimates: Sequence[Answer], left_out: Sequence[str]) -> str:
    engines = dict.fromkeys(str(estimate.inputs.get("engine")) for estimate in estimates)
    text = f"Expected time with engine {' and '.join(engines)}. Ticks: dotted floor, solid roofline bound. "
    text += "Causes: what each adds, taken away one after the other; cache, weights, activations: their traffic. "
    text += "Each phase has a scale of its own."
    text += f" Not drawn, under 1 % of the run: {', '.join(left_out)}." if left_out else ""
    return " ".join(filter(None, [text, cautions(estimates, "does-not-fit")]))
