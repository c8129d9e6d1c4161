"""The part of docs/validation.md on figures to reach: which are, what holds up the others, and how far runs differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isnan
from typing import Final

from roofline.evidence.checks.figures import COVERED, Figure, LeftOutRows, coefficients_goal, fitted, kernels
from roofline.evidence.checks.noise import of_shipped, read_noise
from roofline.evidence.checks.validate import Validation
from roofline.evidence.fits.intervals import Coverage, LeftOut, coverage
from roofline.evidence.markdown import paragraphs, table
from roofline.evidence.runs.phases import REQUEST

_FIGURES: Final = (
    "Median and 90th percentile of |log(expected / measured)|, in per cent. *Left out* means that all rows of a group "
    "were: each engine was fitted again without them. Groups that hold more than four fifths of the rows of an engine "
    "are not counted here (without them another engine is fitted); *with them* is the median of all."
)
_HELD_UP: Final = (
    "The groups whose rows lie furthest beyond what was to be reached, and the figure without them. What they err by "
    "is to be seen beside what measurements of one condition differ by, below."
)
_NOISE: Final = (
    "Pairs of measurements that differ in nothing but who ran them, or in the version of the engine: |log| of their "
    "ratio, in per cent. No expectation that does not know the version can be better."
)
_COVERAGE: Final = (
    "Of rows that were left out (`roofline/evidence/measurements/left_out.csv`, a row once for each way of leaving it "
    "out): the share in the interval as shipped, which was made from these rows, and in one that was made without all "
    "rows of their group. A request's interval is the sum of those of its phases; what a row timed decides which "
    "interval it has."
)
#: What was timed, in words.
TIMED: Final = {
    "prefill": "prefill (time to first token)",
    "decode": "decode step",
    REQUEST: "whole request",
    "first": "first token behind a server",
    "served": "token behind a server",
    "step": "step of a picture",
    "whole": "whole picture",
}
_BY: Final[dict[str, Callable[[LeftOut], str]]] = {
    "engine": lambda line: line.engine,
    "left out with its": lambda line: line.out,
    "chip known as": lambda line: line.chip_known,
}


def reaching(validation: Validation, left: LeftOutRows, page: str) -> Iterator[str]:
    """Which figures are reached; what holds up those that are not; what no figure can be below."""
    found = [*fitted(validation), *left.figures()]
    yield from paragraphs("## Figures to reach", _FIGURES)
    yield from table(("what", "rows", "median", "p90", "with them", "wanted", "reached"), _rows(found, left))
    rows = (
        (each.what, each.rows, f"{each.other:.1f}", _goal(each.goal), _yes(each.other, each.goal))
        for each in kernels(page)
    )
    yield from table(("kernels of a chip left out", "rows", "median", "wanted", "reached"), rows)
    goal, reached = coefficients_goal(validation.coefficients)
    yield from paragraphs(
        f"Coefficients of engines: {validation.coefficients}, wanted {goal}: {'reached' if reached else 'not reached'}."
    )
    yield from _held_up([figure for figure in found if not figure.reached])
    yield from _noise()


def _rows(figures: Sequence[Figure], left: LeftOutRows) -> Iterator[tuple[str, ...]]:
    every = {figure.what: figure for figure in left.figures(often=False)}
    for figure in figures:
        wanted = _goal(figure.goal) + ("" if figure.goal_p90 is None else f", p90 {figure.goal_p90:g}")
        reached = "" if figure.goal is None else "yes" if figure.reached else "no"
        total = _shown(every[figure.what].median) if figure.what in every else ""
        size = f"{len(figure.errors):,}"
        yield figure.what, size, _shown(figure.median), _shown(figure.p90), total, wanted, reached


def _held_up(figures: Sequence[Figure]) -> Iterator[str]:
    if not figures:
        return
    yield from paragraphs("### What holds up those that are not reached", _HELD_UP)
    head = ("what", "group", "rows", "its median", "the figure without it")
    rows = ((figure.what, group) for figure in figures for group in figure.held_by())
    yield from table(
        head,
        ((what, each.name, f"{each.rows:,}", f"{each.median:.1f}", _shown(each.without)) for what, each in rows),
    )


def _noise() -> Iterator[str]:
    found = [*read_noise(), *of_shipped()]
    yield from paragraphs("### How far measurements of one condition differ", _NOISE)
    rows = ((each.what, str(each.pairs), f"{100 * each.median:.1f}", f"{100 * each.p90:.1f}") for each in found)
    yield from table(("what differs", "pairs", "median", "p90"), rows)


def covered(left: LeftOutRows) -> Iterator[str]:
    """How many of the left-out rows lie in their intervals: by what was timed, and by what else."""
    if not left.lines:
        return
    yield from paragraphs("## Coverage of the 80 % interval", _COVERAGE)
    head = ("left-out rows", "groups", "as shipped", "made without the group")

    def by(key: Callable[[LeftOut], str]) -> list[Coverage]:
        return coverage(left.lines, left.shipped, left.unseen, key)

    low, high = (100 * end for end in COVERED)
    timed = (
        (TIMED.get(each.name, each.name), *_cells(each), "yes" if COVERED[0] <= each.unseen <= COVERED[1] else "no")
        for each in by(lambda line: line.timed)
    )
    yield from table(("what was timed", *head, f"{low:.0f} to {high:.0f} %"), timed)
    ways = by(lambda line: f"{TIMED.get(line.timed, line.timed)}, left out with its {line.out}")
    yield from table(("what was timed", *head), ((each.name, *_cells(each)) for each in ways[:-1]))
    for title, key in _BY.items():
        yield from table((title, *head), ((each.name, *_cells(each)) for each in by(key)))


def _cells(each: Coverage) -> tuple[str, ...]:
    return f"{each.lines:,}", str(each.groups), f"{100 * each.shipped:.1f} %", f"{100 * each.unseen:.1f} %"


def _goal(goal: float | None) -> str:
    return "" if goal is None else f"{goal:g}"


def _yes(value: float, goal: float | None) -> str:
    return "" if goal is None else "yes" if value <= goal else "no"


def _shown(value: float) -> str:
    return "–" if isnan(value) else f"{value:.1f}"
