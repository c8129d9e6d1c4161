"""The words around a roofline plot's axes: the roofs' names in the margin or inside, and the key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.report.plots.geometry import Box
from roofline.report.plots.labels import spread
from roofline.report.plots.layout import name_beside
from roofline.report.plots.roof.dots import Beside, Found, Frame
from roofline.report.plots.roof.draw import PALE, STAR, diameter, few_ridges, plain
from roofline.report.plots.roof.picture import Picture, Series
from roofline.report.plots.roof.roofs import Roof, Skyline
from roofline.report.plots.style import SIZE, SMALL, WIDTH, Look, amount, palette, shade, text_size, tint, wrap
from roofline.units import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

#: From the end of a roof to its name.
_STALK: Final = 9.0
#: In points: a mark of the key with the space around it; where the key begins; a row of it.
_KEY_GAP, _KEY_LEFT, _ROW = 25.0, 42.0, 15.0
#: Of a key, in units of its type.
_KEY_GAPS: Final[Look] = {
    "borderpad": 0.2,
    "handletextpad": 0.4,
    "columnspacing": 1.4,
    "handlelength": 1.6,
    "labelspacing": 0.3,
}
#: What stands beside the roofs at most, named.
_BESIDE: Final = 6
#: Up to so many runs each is named beside what it has there.
_PAIR: Final = 2
_SIZES: Final = (0.02, 0.1, 0.4)


class _Entry(NamedTuple):
    """The name of a flat line: its height in FLOP/s, whose it is, and its looks."""

    height: float
    line: Skyline
    text: str
    bold: bool
    strong: bool


def _entries(skylines: Sequence[Skyline], width: float = WIDTH) -> list[_Entry]:
    ridges = not few_ridges(skylines)
    found = []
    for line in skylines:
        for roof in line.roofs:
            text, bold = _roof_text(roof, line, ridges=ridges, width=width)
            found.append(_Entry(roof.peak, line, text, bold, roof.used))
        found += [_Entry(*_reached_text(roof, line), False, False) for roof in line.lower]
    return found


def _roof_text(roof: Roof, line: Skyline, *, ridges: bool, width: float) -> tuple[str, bool]:
    """A roof's label, and whether it is the one that carries its accelerator's name."""
    text = f"{roof.name} {roof.height}"
    if ridges or not roof.used:
        text += f", ridge {plain(roof.ridge)}"
    named = bool(line.name) and roof is line.main
    if not named:
        return text, False
    return "\n".join([*wrap(line.name, 0.3 * width, SIZE, bold=True), text]), True


def _reached_text(roof: Roof, line: Skyline) -> tuple[float, Skyline, str]:
    """What the best measured kernels reach: of the matrix units, and with the main roof of the memory."""
    reached = roof.reached or roof.peak
    text = f"best kernels {amount(float(f'{reached:.3g}'), roof.unit)}"
    if roof is line.lower[0] and line.reached is not None:
        text += f", {format_si(line.reached, 'B/s')}"
    return reached, line, text


def margin_width(skylines: Sequence[Skyline]) -> float:
    """The right margin in points: wide enough for the longest name of a roof."""
    widest = max(text_size(entry.text, SIZE, bold=entry.bold)[0] for entry in _entries(skylines))
    return min(_STALK + 5 + widest, 0.45 * WIDTH)


def name_roofs(axes: Axes, skylines: Sequence[Skyline], frame: Frame) -> None:
    """The roofs' names in the right margin."""
    entries = _entries(skylines)
    ends = [frame.point(1.0, entry.height)[1] for entry in entries]
    heights = [text_size(entry.text, SIZE)[1] + 1.0 for entry in entries]
    centres = spread(ends, heights, 0.0, frame.height + 12)
    for entry, end, centre in zip(entries, ends, centres, strict=True):
        place = 1 + _STALK / frame.width, centre / frame.height
        pale = tint(entry.line.colour, PALE)
        name_beside(axes, entry.text, (1.0, end / frame.height), place, pale, **_look(entry), gid="roof")


def _look(entry: _Entry) -> Look:
    colour = shade(entry.line.colour)
    colour, size = (colour, SIZE) if entry.strong else (tint(colour, 0.75), SMALL)
    return {"color": colour, "size": size, "weight": "bold" if entry.bold else "normal", "linespacing": 1.2}


def name_inside(axes: Axes, skylines: Sequence[Skyline], frame: Frame) -> list[Box]:
    """The names of the roofs in use above their right ends, inside the axes; the boxes that they take up."""
    taken: list[Box] = []
    for entry in sorted(_entries(skylines, frame.width), key=lambda entry: -entry.height):
        if not entry.strong:
            continue
        width, height = text_size(entry.text, SIZE, bold=entry.bold)
        bottom = frame.point(1.0, entry.height)[1] + 1.5
        while any(Box(frame.width - width, bottom, frame.width, bottom + height).overlaps(box) for box in taken):
            bottom -= 2.0
        taken.append(Box(frame.width - width - 2, bottom, frame.width - 1, bottom + height))
        x, y = frame.part((frame.width - 2, bottom))
        axes.text(x, y, entry.text, transform=axes.transAxes, ha="right", va="bottom", gid="roof", **_look(entry))
    return taken


def _mark(label: str, **look: Any) -> Line2D:
    from matplotlib.lines import Line2D

    usual: Look = {"marker": "o", "ms": 6, "mew": 0}
    return Line2D([], [], ls="", label=label, **(usual | look))


def _phases(drawn: Picture, found: Sequence[Found]) -> Iterator[Line2D]:
    """A mark for each phase that has dots, or of which a point was measured."""
    first = drawn.series[0]
    seen = {dot.phase for one in found for dot in one.dots}
    seen |= {trail.phase for one in drawn.series for trail in one.trails}
    for phase in first.phases:
        if phase in seen:
            colour = first.colour_of(phase) if len(drawn.series) == 1 else palette().grey
            yield _mark(phase, marker=first.marker_of(phase), color=colour)


def _more(drawn: Picture, found: Sequence[Found]) -> Iterator[Line2D]:
    grey = palette().grey
    if any(dot.vector for one in found for dot in one.dots):
        yield _mark("hollow: vector FLOPs", mfc="none", mec=grey, mew=1.1)
    if any(one.points for one in drawn.series):
        yield _mark("measured", marker="*", ms=STAR**0.5, mfc=grey, mec=palette().ink, mew=0.6)


def _sizes(found: Sequence[Found], frame: Frame) -> list[Line2D]:
    """Marks of some sizes of dots."""
    if not any(one.dots for one in found):
        return []
    labels = [f"{100 * share:.0f} %" + (" of the run's time" if share == _SIZES[-1] else "") for share in _SIZES]
    look: Look = {"mfc": "none", "mec": palette().grey, "mew": 0.6}
    return [_mark(label, ms=diameter(share, frame), **look) for label, share in zip(labels, _SIZES, strict=True)]


def _beside(drawn: Picture, found: Sequence[Found], frame: Frame) -> list[Line2D]:
    """Marks, in their sizes, of what takes much of the time and has no place under a roof; a few words before them."""
    each = _shown_beside(drawn, found)[:_BESIDE]
    if not each:
        return []
    phases, crowd = len(drawn.series[0].phases) > 1, _is_crowd(drawn)
    marks = [_mark("Without matrix FLOPs:", marker="", ms=0)]
    for beside, one in each:
        run = [one.name] if len(drawn.series) > 1 and not crowd else []
        words = ", ".join([beside.name, *([beside.phase] if phases else []), *run])
        share = f"{100 * beside.share:.0f} %" + (f" at most ({one.name})" if crowd else "")
        colour = palette().grey if crowd else one.colour_of(beside.phase)
        look: Look = {"marker": one.marker_of(beside.phase), "color": colour, "mew": 0}
        marks.append(_mark(f"{words}: {share}", ms=diameter(beside.share, frame), **look))
    return marks


def _is_crowd(drawn: Picture) -> bool:
    """Whether there are too many runs for each to be named."""
    return len(drawn.series) > _PAIR


def _shown_beside(drawn: Picture, found: Sequence[Found]) -> list[tuple[Beside, Series]]:
    """What stands beside the roofs, the heaviest first; of many runs each kind once."""
    each = [(beside, one) for one, seen in zip(drawn.series, found, strict=True) for beside in seen.beside]
    each.sort(key=lambda pair: -pair[0].share)
    if not _is_crowd(drawn):
        return each
    return list({(beside.phase, beside.name): (beside, one) for beside, one in reversed(each)}.values())[::-1]


def unshown(drawn: Picture, found: Sequence[Found]) -> int:
    """How much of what stands beside the roofs is not named in the key."""
    return max(0, len(_shown_beside(drawn, found)) - _BESIDE)


def draw_key(axes: Axes, drawn: Picture, found: Sequence[Found], frame: Frame) -> float:
    """Phases and dot sizes above the axes; above them what has no place there, and runs that no roof names.

    Returns the height of the key in points.
    """
    runs = (
        [_mark(one.name, color=one.colour) for one in drawn.series] if len(drawn.series) > len(drawn.skylines) else []
    )
    groups = [[*_phases(drawn, found), *_more(drawn, found), *_sizes(found, frame)], _beside(drawn, found, frame), runs]
    rows = [row for group in groups for row in reversed(_rows(group))]
    above = 0.0
    for index, row in enumerate(rows):
        tallest = max(float(mark.get_markersize()) for mark in row)
        look = _KEY_GAPS | {"handlelength": max(_KEY_GAPS["handlelength"], tallest / SIZE)}
        wordy = row[0].get_markersize() == 0.0  # words alone begin where marks do
        indent = SIZE * (look["handlelength"] + look["handletextpad"]) if wordy else 0.0
        corner = -0.01 - indent / frame.width, 1 + above / frame.height
        legend = axes.legend(handles=row, loc="lower left", bbox_to_anchor=corner, ncols=len(row), **look)
        if index < len(rows) - 1:
            axes.add_artist(legend)
        above += max(_ROW, tallest + 4.0)
    return above + 3.0


def _rows(marks: Sequence[Line2D]) -> list[list[Line2D]]:
    """Marks in rows as wide as the page."""
    rows: list[list[Line2D]] = []
    for mark in marks:
        if rows and _width([*rows[-1], mark]) <= WIDTH - _KEY_LEFT:
            rows[-1].append(mark)
        else:
            rows.append([mark])
    return rows


def _width(marks: Sequence[Line2D]) -> float:
    gap = _KEY_GAP + max(0.0, max(float(mark.get_markersize()) for mark in marks) - 1.6 * SIZE)
    return sum(text_size(str(mark.get_label()))[0] + gap for mark in marks)


def key_inside(axes: Axes, drawn: Picture, found: Sequence[Found], frame: Frame) -> list[Box]:
    """The key in the lower right corner of the axes; the box that it takes up, none where it has no room."""
    marks = [
        *_phases(drawn, found),
        *_more(drawn, found),
        *_sizes(found, frame)[1:2],
        *_beside(drawn, found, frame)[1:],
    ]
    for mark in marks:
        if str(mark.get_label()) == f"{100 * _SIZES[1]:.0f} %":
            mark.set_label(f"{mark.get_label()} of the run's time")
    if len(drawn.series) > len(drawn.skylines):
        marks += [_mark(one.name, color=one.colour) for one in drawn.series]
    width = max((text_size(str(mark.get_label()), SMALL)[0] for mark in marks), default=0.0) + 24
    height = sum(max(1.3 * SMALL, float(mark.get_markersize()) + 2) for mark in marks) + 8
    if not marks or width > 0.6 * frame.width or height > 0.6 * frame.height:
        return []
    axes.legend(handles=marks, loc="lower right", fontsize=SMALL, borderaxespad=0.2, **_KEY_GAPS)
    return [Box(frame.width - width, 0, frame.width, height)]
