"""The figures that say how far to trust an expected time, each with what it is to reach: for README and page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from roofline.evidence.checks.validate import Checked, Validation
from roofline.evidence.fits.intervals import LeftOut, inside, shipped_interval, usual
from roofline.evidence.fits.spans import Evidence, unseen_intervals
from roofline.evidence.runs.declared import IMAGE_ENGINES
from roofline.machine.intervals import Range

#: Ways of leaving rows out, in words.
WAYS: Final = {
    "model": "a model left out of the fit",
    "gpu": "a chip left out, with its kernels' measurements",
    "source": "a source left out",
}
#: Medians to reach, in per cent, of language models in static batches and of pictures, by what was left out.
_STATIC: Final = {"model": 9.0, "gpu": 10.0, "source": 10.0}
_STATIC_P90: Final = 27.0
_PICTURES: Final = {"model": 10.0, "gpu": 9.0, "source": 9.0}
_SERVED: Final = 9.0
_GENERIC: Final = 12.0
#: Medians to reach of kernels of a chip that was left out, by what the page on kernels calls them.
_KERNELS: Final = {
    "matrix products, bf16": 10.0,
    "attention of a prefill": 12.0,
    "attention of a decode step, over 20 us": 10.0,
}
#: The part of runs in an interval, at least and at most.
COVERED: Final = (0.75, 0.85)
#: Coefficients of engines before this set of figures, and by how much they may grow.
_COEFFICIENTS: Final = 166
_GROWN: Final = 1.25


class Group(NamedTuple):
    """Rows that hold a figure up: their name, how many, their median error, and the figure without them."""

    name: str
    rows: int
    median: float
    without: float


@dataclass(frozen=True)
class Figure:
    """Errors of rows, |log| as a fraction, each with its group; the share of them in the 80 % interval, where there is
    one; and the median and 90th percentile to reach, in per cent.
    """

    what: str
    errors: tuple[float, ...]
    groups: tuple[str, ...] = ()
    covered: float | None = None
    goal: float | None = None
    goal_p90: float | None = None

    @property
    def median(self) -> float:
        """Of all rows, in per cent; NaN without any."""
        return 100.0 * float(np.median(self.errors)) if self.errors else float("nan")

    @property
    def p90(self) -> float:
        """The 90th percentile, in per cent."""
        return 100.0 * float(np.quantile(self.errors, 0.9)) if self.errors else float("nan")

    @property
    def reached(self) -> bool:
        """Whether the figure is as small as it is to be."""
        median = self.goal is None or self.median <= self.goal
        return median and (self.goal_p90 is None or self.p90 <= self.goal_p90)

    def held_by(self, most: int = 3) -> list[Group]:
        """The groups whose rows lie furthest beyond what is to be reached, those that weigh most first."""
        limit, far = (self.goal or 0.0) / 100.0, self.median > (self.goal or 0.0)
        if not far and self.goal_p90 is not None:
            limit = self.goal_p90 / 100.0
        sizes: dict[str, list[float]] = defaultdict(list)
        for name, error in zip(self.groups, self.errors, strict=True):
            sizes[name].append(error)
        share = 0.5 if far else 0.1
        beyond = {name: sum(error > limit for error in own) - share * len(own) for name, own in sizes.items()}
        worst = sorted((name for name in beyond if beyond[name] > 0), key=lambda name: (-beyond[name], name))
        return [self._group(name, sizes[name]) for name in worst[:most]]

    def _group(self, name: str, own: Sequence[float]) -> Group:
        rest = [error for group, error in zip(self.groups, self.errors, strict=True) if group != name]
        without = 100.0 * float(np.median(rest)) if rest else float("nan")
        return Group(name, len(own), 100.0 * float(np.median(own)), without)


class LeftOutRows:
    """The lines of rows that were left out, with the intervals as shipped and as made without their groups."""

    def __init__(self, lines: Sequence[LeftOut]) -> None:
        self.lines = lines
        self.shipped: list[Range] = [shipped_interval(line) for line in lines]
        self.unseen: list[Range] = unseen_intervals(Evidence(lines)) if lines else []
        most = set(usual(lines))
        self.usual = [line in most for line in lines]

    def figure(
        self, what: str, holds: Callable[[LeftOut], bool], goal: float | None, p90: float | None = None
    ) -> Figure:
        """The errors of lines of which something holds."""
        places = [place for place, line in enumerate(self.lines) if holds(line)]
        held = [inside(self.lines[place], self.unseen[place]) for place in places]
        covered = float(np.mean(held)) if held else None
        errors = tuple(abs(self.lines[place].error) for place in places)
        return Figure(what, errors, tuple(_group(self.lines[place]) for place in places), covered, goal, p90)

    def figures(self, *, often: bool = True) -> Iterator[Figure]:
        """By kind of run and what was left out; `often`: without groups that hold nearly all rows of their engine."""
        kept = {line for line, usual_one in zip(self.lines, self.usual, strict=True) if usual_one or not often}

        def of(out: str, kind: str) -> Callable[[LeftOut], bool]:
            return lambda line: line.out == out and kind_of(line) == kind and line in kept

        for out, words in WAYS.items():
            name = f"language models in static batches, {words}"
            yield self.figure(name, of(out, "static"), _STATIC[out], _STATIC_P90)
        for out, words in WAYS.items():
            yield self.figure(f"language models behind a server, {words}", of(out, "served"), _SERVED)
        for out, words in WAYS.items():
            yield self.figure(f"pictures, {words}", of(out, "pictures"), _PICTURES[out])
        name = "language models, an engine left out: expected as `generic`"
        yield self.figure(name, lambda line: line.out == "engine", _GENERIC)


def kind_of(line: LeftOut) -> str:
    """What a line is about: pictures, language models in static batches, or behind a server."""
    if line.engine in IMAGE_ENGINES:
        return "pictures"
    return "served" if line.timed in ("served", "first") else "static"


def fitted(validation: Validation) -> Iterator[Figure]:
    """The errors of rows that took part in the fits, by kind of run."""

    def served(row: Checked) -> bool:
        return row.metric.startswith("served_")

    kinds: dict[str, Callable[[Checked], bool]] = {
        "language models in static batches": lambda row: row.engine not in IMAGE_ENGINES and not served(row),
        "language models behind a server": served,
        "pictures": lambda row: row.engine in IMAGE_ENGINES,
    }
    for name, holds in kinds.items():
        rows = [row for row in validation.rows if holds(row)]
        covered = float(np.mean([row.covered for row in rows])) if rows else None
        yield Figure(f"{name}, as fitted", tuple(abs(row.error) for row in rows), covered=covered)


class KernelFigure(NamedTuple):
    """Kernels of one kind: measured rows, median error in per cent of the chip's own coefficients and of another's, and
    what the latter is to reach.
    """

    what: str
    rows: str
    median: float
    other: float
    goal: float | None


def kernels(page: str) -> Iterator[KernelFigure]:
    """What the page on kernels says of those that have a figure to reach."""
    part = page.partition("## Figures to reach")[2].partition("## ")[0]
    lines = [[cell.strip() for cell in line.split("|")] for line in re.findall(r"(?m)^\| (.*) \|$", part)]
    head = lines[0] if lines else []
    for cells in lines[1:]:
        row = dict(zip(head, cells, strict=True))
        what = row["kernels"]
        yield KernelFigure(what, row["rows"], float(row["median"]), float(row["other chip"]), _KERNELS.get(what))


def coefficients_goal(number: int) -> tuple[str, bool]:
    """How many coefficients of engines there may be, and whether there are no more."""
    most = int(_COEFFICIENTS * _GROWN)
    return f"at most {most}", number <= most


def _group(line: LeftOut) -> str:
    return f"{line.engine} without {line.group}"
