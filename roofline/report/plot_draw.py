"""What a roofline plot is drawn of: roofs, dots, labels, key."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.result import OpRow
from roofline.report.plot_labels import Anchor, Box, Placed, Point, Scene, Segment, Wish, place, spread
from roofline.report.plot_points import Dot, Frame, joint_name
from roofline.report.plot_roofs import Roof
from roofline.report.plot_style import COLOURS, GREY, INK, MARKERS, SIZE, SMALL, WIDTH, text_size, tint
from roofline.units import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGEST, _SMALLEST = 230.0, 10.0
_PALE: Final = 0.5
#: At most so many dots of a phase and series carry a label: the slowest.
_LABELLED: Final = 14
#: From the end of a roof to its name.
_STALK: Final = 9.0


@dataclass(frozen=True)
class Series:
    """One estimate in the picture: its ops per phase, its roofs, its looks."""

    name: str
    colour: str
    dash: Any
    rows: dict[str, list[OpRow]]
    roofs: list[Roof]


# --- roofs -----------------------------------------------------------------------------------------------------------


def draw_roofs(axes: Axes, series: Sequence[Series], frame: Frame) -> None:
    """Slopes, flat roofs and ridges, and the roofs' names in the right margin."""
    for one in series:
        top = max((roof for roof in one.roofs if roof.used), key=lambda roof: roof.peak, default=one.roofs[0])
        pale = tint(one.colour, _PALE)
        highest = one.roofs[0]
        if highest is not top:
            axes.plot([top.ridge, highest.ridge], [top.peak, highest.peak], color=pale, lw=0.8, ls=one.dash, zorder=2)
        start = frame.x[0]
        axes.plot([start, top.ridge], [start * top.bandwidth, top.peak], color=one.colour, lw=1.5, ls=one.dash, zorder=3)
        for roof in one.roofs:
            colour, width = (one.colour, 1.5) if roof.used else (pale, 0.8)
            axes.plot([roof.ridge, frame.x[1]], [roof.peak] * 2, color=colour, lw=width, ls=one.dash, zorder=2 + roof.used)
            axes.plot([roof.ridge], [roof.peak], marker="|", ms=7 if roof.used else 5, mew=1.0, color=colour, zorder=4)
            if roof.used:
                axes.plot([roof.ridge] * 2, [frame.y[0], roof.peak], color=pale, lw=0.7, ls=(0, (1, 2)), zorder=1)
    _name_roofs(axes, series, frame)


def _roof_text(roof: Roof, one: Series, *, named: bool) -> tuple[str, bool]:
    """A roof's label and whether it is the one that carries the series' name."""
    text = f"{roof.name} {roof.height}"
    if not roof.used:
        return f"{text}, ridge {_plain(roof.ridge)}", False
    first = roof is next(r for r in one.roofs if r.used)
    return (f"{one.name}\n{text}", True) if named and first else (text, False)


def margin_width(series: Sequence[Series]) -> float:
    """The right margin in points: wide enough for the longest name of a roof."""
    texts = [_roof_text(roof, one, named=len(series) > 1) for one in series for roof in one.roofs]
    return min(_STALK + 5 + max(text_size(text, SIZE, bold=bold)[0] for text, bold in texts), 0.4 * WIDTH)


def _name_roofs(axes: Axes, series: Sequence[Series], frame: Frame) -> None:
    entries = [(roof, one, _roof_text(roof, one, named=len(series) > 1)) for one in series for roof in one.roofs]
    wanted = [frame.point(1.0, roof.peak)[1] for roof, _, _ in entries]
    heights = [text_size(text, SIZE)[1] + 1.0 for _, _, (text, _) in entries]
    centres = spread(wanted, heights, 0.0, frame.height + 12)
    for (roof, one, (text, bold)), end, centre in zip(entries, wanted, centres, strict=True):
        colour = one.colour if roof.used else tint(one.colour, 0.75)
        axes.annotate(
            text, (1.0, end / frame.height), (1 + _STALK / frame.width, centre / frame.height),
            xycoords="axes fraction", textcoords="axes fraction", va="center", ha="left", color=colour,
            size=SIZE if roof.used else SMALL, weight="bold" if bold else "normal", linespacing=1.2, gid="roof",
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": tint(one.colour, _PALE), "shrinkA": 1, "shrinkB": 1,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}"


# --- dots ------------------------------------------------------------------------------------------------------------


def _area(share: float) -> float:
    return max(_LARGEST * share, _SMALLEST)


def _colour(series: Sequence[Series], index: int, phase: int) -> str:
    """By phase in a picture of one series, by series otherwise; phases differ in marker in any case."""
    return COLOURS[phase % len(COLOURS)] if len(series) == 1 else series[index].colour


def draw_dots(axes: Axes, series: Sequence[Series], found: Sequence[Sequence[Dot]]) -> None:
    """All dots, the large ones below."""
    for index, dots in enumerate(found):
        phases = list(series[index].rows)
        for dot in sorted(dots, key=lambda dot: -dot.share):
            phase = phases.index(dot.phase)
            axes.scatter(
                [dot.intensity], [dot.rate], s=_area(dot.share), marker=MARKERS[phase % len(MARKERS)],
                color=_colour(series, index, phase), edgecolors="white", linewidths=0.6, clip_on=False,
                zorder=6 - dot.share,
            )  # fmt: skip


def draw_key(axes: Axes, series: Sequence[Series], found: Sequence[Sequence[Dot]]) -> None:
    """Phases and dot sizes, in one row above the axes."""
    from matplotlib.lines import Line2D

    handles = []
    for phase, name in enumerate(series[0].rows):
        colour = _colour(series, 0, phase) if len(series) == 1 else GREY
        handles.append(Line2D([], [], ls="", marker=MARKERS[phase % len(MARKERS)], ms=6, mew=0, color=colour, label=name))
    for share in (0.05, 0.2, 0.5):
        size = math.sqrt(_area(share))
        label = f"{share:.0%}".replace("%", " %") + (" of the phase's time" if share == 0.5 else "")
        handles.append(Line2D([], [], ls="", marker="o", ms=size, mfc="none", mec=GREY, mew=0.6, label=label))
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=len(handles), borderpad=0.2,
                handletextpad=0.4, columnspacing=1.4, handlelength=1.6)  # fmt: skip


# --- labels ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Label:
    text: str
    colour: str
    wish: Wish
    share: float
    kind: str


def draw_labels(axes: Axes, series: Sequence[Series], found: Sequence[Sequence[Dot]], frame: Frame) -> int:
    """Bandwidths on the slopes, ridges beside their plumb lines, ops at their dots; the number of dots left unnamed."""
    dots = tuple(_anchor(dot, frame) for group in found for dot in group)
    lines, plumbs = _lines(series, frame)
    blocks = _label_slopes(axes, series, dots, frame)
    scene = Scene(Box(1, 1, frame.width - 1, frame.height + 4), tuple(blocks), dots, (*lines, *plumbs))
    wanted, skipped = _op_labels(series, found, frame)
    labels = _ridge_labels(series, frame) + wanted
    placed = place([label.wish for label in labels], scene)
    for label, spot in zip(labels, placed, strict=True):
        if spot is None:
            skipped += 1
        else:
            _draw_label(axes, label, spot, frame)
    return skipped


def _anchor(dot: Dot, frame: Frame) -> Anchor:
    return Anchor(*frame.point(dot.intensity, dot.rate), math.sqrt(_area(dot.share)) / 2)


def _lines(series: Sequence[Series], frame: Frame) -> tuple[list[Segment], list[Segment]]:
    """Roofs and slopes; the plumb lines under the ridges in use."""
    lines, plumbs = [], []
    for one in series:
        bandwidth, highest = one.roofs[0].bandwidth, one.roofs[0]
        lines.append((frame.point(frame.x[0], frame.x[0] * bandwidth), frame.point(highest.ridge, highest.peak)))
        for roof in one.roofs:
            ridge = frame.point(roof.ridge, roof.peak)
            lines.append((ridge, frame.point(frame.x[1], roof.peak)))
            if roof.used:
                plumbs.append(((ridge[0], 0.0), ridge))
    return lines, plumbs


def _op_labels(
    series: Sequence[Series], found: Sequence[Sequence[Dot]], frame: Frame
) -> tuple[list[_Label], int]:
    """One label per group of ops, to stand at any of its dots; and how many dots go without."""
    labels: dict[tuple[str, tuple[str, ...], int], _Label] = {}
    skipped = 0
    for index, dots in enumerate(found):
        for phase, name in enumerate(series[index].rows):
            group = [dot for dot in dots if dot.phase == name]
            skipped += max(0, len(group) - _LABELLED) if index == 0 else 0
            for dot in group[:_LABELLED]:
                anchor = _anchor(dot, frame)
                key = (name, dot.names, round(anchor.x))
                if known := labels.get(key):
                    wish = replace(known.wish, anchors=(*known.wish.anchors, anchor))
                    labels[key] = replace(known, wish=wish)
                    continue
                text = joint_name(dot.names)
                colour = _colour(series, index, phase) if len(series) == 1 else INK
                labels[key] = _Label(text, colour, Wish(*_padded(text, SIZE), (anchor,)), dot.share, "op")
    return sorted(labels.values(), key=lambda label: -label.share), skipped


def _padded(text: str, size: float) -> tuple[float, float]:
    width, height = text_size(text, size)
    return width + 1.5, height


def _ridge_labels(series: Sequence[Series], frame: Frame) -> list[_Label]:
    labels = []
    for one in series:
        for roof in one.roofs:
            if roof.used:
                text = f"ridge {_plain(roof.ridge)}\nFLOP/byte"
                x, top = frame.point(roof.ridge, roof.peak)
                anchors = tuple(Anchor(x, height) for height in range(12, round(top), 8))
                labels.append(_Label(text, one.colour, Wish(*_padded(text, SMALL), anchors), 0.0, "ridge"))
    return labels


def _draw_label(axes: Axes, label: _Label, spot: Placed, frame: Frame) -> None:
    box, size = spot.box, SMALL if label.kind == "ridge" else SIZE
    centre = (box.x0 + box.x1) / 2 / frame.width, (box.y0 + box.y1) / 2 / frame.height
    axes.text(*centre, label.text, transform=axes.transAxes, size=size, color=label.colour, ha="center", va="center",
              linespacing=1.2, zorder=8, gid=label.kind)  # fmt: skip
    if spot.leader is not None:
        (ax, ay), (bx, by) = spot.leader
        axes.plot([ax / frame.width, bx / frame.width], [ay / frame.height, by / frame.height], lw=0.5, color=GREY,
                  transform=axes.transAxes, zorder=7)  # fmt: skip


def _label_slopes(axes: Axes, series: Sequence[Series], dots: Sequence[Anchor], frame: Frame) -> list[Box]:
    """The bandwidth written into each slope, clear of the dots; returns the boxes that it takes up."""
    taken: list[Box] = []
    for index, one in enumerate(series):
        ridge = min(roof.ridge for roof in one.roofs)
        start = frame.point(frame.x[0], frame.x[0] * one.roofs[0].bandwidth)
        end = frame.point(ridge, ridge * one.roofs[0].bandwidth)
        text = format_si(one.roofs[0].bandwidth, "B/s")
        width, height = text_size(text, SMALL)
        spots = [_along(start, end, (8 + step + 12 * index % 40) / 100, width, height) for step in range(0, 80, 3)]
        free = [boxes for boxes in spots if not any(_taken(box, dots, taken) for box in boxes)]
        chain = (free or spots)[0]
        taken += chain
        middle = chain[len(chain) // 2]
        angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
        axes.text(
            (middle.x0 + middle.x1) / 2 / frame.width, (middle.y0 + middle.y1) / 2 / frame.height, text,
            transform=axes.transAxes, rotation=angle, rotation_mode="anchor", ha="center", va="center_baseline",
            size=SMALL, color=one.colour, zorder=4, gid="slope",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip
    return taken


def _along(start: Point, end: Point, part: float, width: float, height: float) -> list[Box]:
    """A text written along a line as a chain of small squares, an odd number of them."""
    length = math.dist(start, end) or 1.0
    step = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    first, count = part * length, 2 * math.ceil(width / height) + 1
    half = height / 2
    chain = []
    for index in range(count):
        along = first + width * index / (count - 1)
        x, y = start[0] + step[0] * along, start[1] + step[1] * along
        chain.append(Box(x - half, y - half, x + half, y + half))
    return chain


def _taken(box: Box, dots: Sequence[Anchor], taken: Sequence[Box]) -> bool:
    return any(box.overlaps(dot.box, 2) for dot in dots) or any(box.overlaps(other, 2) for other in taken)
