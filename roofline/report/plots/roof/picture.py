"""What is in one roofline plot: the runs with their dots, the skylines of their accelerators, and the axes' limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.errors import UsageError
from roofline.machine.chips.reach import measured_reach
from roofline.report.plots.roof.dots import Found, Frame, find
from roofline.report.plots.roof.ledger import At, Ledger, ledger_of
from roofline.report.plots.roof.measured import Point
from roofline.report.plots.roof.roofs import Roof, Skyline, Slope, roofs, slopes
from roofline.report.plots.roof.trail import Trail
from roofline.report.plots.series import machine_title, series_names
from roofline.report.plots.style import DASHES, MARKERS, palette

#: From this many accelerators on, only the roofs in use are drawn, and neither cache nor links; from this many runs on
#: dots are smaller.
CROWD: Final = 3
#: The most runs that one picture tells apart: as many as there are colours.
_MOST: Final = 7
#: Room for labels above the highest roof and beside the last ridge, in points.
_HEADROOM, _LEEWAY = 36.0, 42.0
#: Dots that all runs of a picture hold together, more or less.
_DOTS: Final = 32


@dataclass(frozen=True)
class Series:
    """One run in the picture: its name, its looks (None: coloured by phase), its kernels, points and trails.

    `machine` is the name of its accelerator; `phases` are those of all runs of the picture.
    """

    name: str
    colour: str | None
    ledger: Ledger
    machine: str
    phases: tuple[str, ...]
    points: tuple[Point, ...] = ()
    trails: tuple[Trail, ...] = ()

    def colour_of(self, phase: str) -> str:
        """The colour of the run, or of the phase where there is one run."""
        colours = palette().colours
        return self.colour or colours[self._place(phase) % len(colours)]

    def marker_of(self, phase: str) -> str:
        """Phases differ in marker in any case."""
        return MARKERS[self._place(phase) % len(MARKERS)]

    def _place(self, phase: str) -> int:
        return self.phases.index(phase) if phase in self.phases else len(self.phases)


class Picture(NamedTuple):
    """All that is drawn, before it has a place on paper; `at` which time dots stand."""

    series: list[Series]
    skylines: list[Skyline]
    at: At

    @property
    def is_trail(self) -> bool:
        """Whether the paths of ops are drawn, in place of all kernels of one run."""
        return any(one.trails for one in self.series)

    def found(self, frame: Frame | None = None) -> list[Found]:
        """What is drawn of each run, on axes of these limits; nothing where paths are drawn."""
        if self.is_trail:
            return [Found([], [], {}) for _ in self.series]
        most = max(_DOTS // len(self.series), 6)
        return [find(one.ledger, self.at, frame, most) for one in self.series]


def picture(
    estimates: Sequence[Answer], at: At, points: Sequence[Sequence[Point]], trails: Sequence[Sequence[Trail]]
) -> Picture:
    """The runs and the skylines of their accelerators, each accelerator once.

    Where every run has an accelerator of its own, the two share a colour; otherwise skylines have that of words.
    Raises UsageError for more runs than can be told apart.
    """
    if len(estimates) > _MOST:
        raise UsageError(
            f"{len(estimates)} runs in one roofline plot: colours tell {_MOST} apart at most; leave some out, or "
            "compare them all with --kind bars"
        )
    machines = dict.fromkeys(estimate.question.gpu.name for estimate in estimates)
    alone, paired = len(estimates) == 1, len(machines) == len(estimates)
    colours, ledgers = palette().colours, [ledger_of(estimate) for estimate in estimates]
    phases = tuple(dict.fromkeys(phase for ledger in ledgers for phase in ledger.phases))
    series = [
        Series(
            name=name,
            colour=None if alone else colours[index % len(colours)],
            ledger=ledgers[index],
            machine=estimate.question.gpu.name,
            phases=phases,
            points=tuple(points[index]),
            trails=tuple(trails[index]),
        )
        for index, (estimate, name) in enumerate(zip(estimates, series_names(estimates), strict=True))
    ]
    skylines = []
    for index, machine in enumerate(machines):
        places = [place for place, one in enumerate(series) if one.machine == machine]
        own = [estimates[place] for place in places]
        name = "" if len(machines) == 1 else series[places[0]].name if paired else machine_title(own[0])
        colour = series[places[0]].colour if paired else None
        dtypes = {kernel.dtype for place in places for kernel in series[place].ledger.kernels if kernel.is_seen}
        line = _skyline(own[0], dtypes, len(machines) >= CROWD)
        skylines.append(Skyline(name, colour or palette().ink, DASHES[index % len(DASHES)], *line))
    return Picture(series, skylines, at)


def _skyline(estimate: Answer, dtypes: set[str], crowded: bool) -> tuple[list[Roof], float | None, tuple[Slope, ...]]:
    question = estimate.question
    machine = question.machine()
    found = roofs(question.gpu, machine, dtypes, used_only=crowded)
    if crowded:
        return found, None, ()
    return found, measured_reach(question.gpu, "bf16").bandwidth, slopes(estimate)


def frame_of(drawn: Picture, width: float, height: float) -> Frame:
    """Limits that hold all dots and ridges and more than a decade of every slope, with room for labels on top.

    Raises UsageError where there is nothing to draw.
    """
    places = list(_places(drawn))
    if not places:
        raise UsageError(
            "nothing to draw under a roof: no kernel of this run has FLOPs; `roofline ops` has the time of each"
        )
    intensities = [x for x, _, _ in places]
    rates = [low for _, low, _ in places]
    ridges = [roof.ridge for line in drawn.skylines for roof in line.roofs]
    left = min([*(value / 2.2 for value in intensities), min(line.main.ridge for line in drawn.skylines) / 30])
    last = left * float((max(ridges) / left) ** (width / (width - min(_LEEWAY, width / 4))))
    right = max([*(value * 2.2 for value in intensities), last])
    low = min([*(value / 2.2 for value in rates), min(line.bandwidth for line in drawn.skylines) * left])
    peak = max([*(line.highest.peak for line in drawn.skylines), *(top for _, _, top in places)])
    high = low * float((peak / low) ** (height / (height - min(_HEADROOM, height / 4))))
    crowd = len(drawn.series) / (CROWD - 1)
    return Frame((left, right), (low, high), width, height, min(1.0, 1 / crowd))


def _places(drawn: Picture) -> Iterator[tuple[float, float, float]]:
    """Intensity, lowest and highest rate of all that is drawn."""
    for one, found in zip(drawn.series, drawn.found(), strict=True):
        for dot in found.dots:
            yield dot.intensity, dot.rate, max(dot.rate, dot.bound)
        for point in one.points:
            yield point.intensity, point.rate, point.rate
        for trail in one.trails:
            for step in trail.steps:
                yield step.intensity, step.rate, max(step.rate, step.bound)
