"""Errors of rows that were left out: how they are made and kept, and how many of them 80 % intervals cover.

How intervals follow from them is told in `roofline.evidence.fits.spans`. A group that holds more than four fifths of an
engine's rows says little of it: what is fitted to the rest is another engine.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from roofline.evidence.fits.fit_engines import EngineFitted, left_out
from roofline.evidence.runs.phases import prefill_share, span_of, timed_of
from roofline.evidence.runs.runs import PreparedRun
from roofline.machine.chips.stand_ins import stand_in
from roofline.machine.engine import load_engine
from roofline.machine.intervals import Range
from roofline.specs.files.paths import is_file

#: Ways of leaving rows out, by the property of the rows that was left out together.
WAYS: Final[dict[str, Callable[[PreparedRun], str]]] = {
    "gpu": lambda row: row.question.gpu.name,
    "model": lambda row: row.run.model,
    "source": lambda row: row.run.source,
    "engine": lambda row: row.run.engine,
}
#: The shipped errors, written by `roofline.evidence.fits.residuals`.
LEFT_OUT: Final = Path(__file__).resolve().parents[1] / "measurements" / "left_out.csv"
#: Largest share of an engine's rows that may be left out together.
_MOST: Final = 0.8


class LeftOut(NamedTuple):
    """One row, left out with its group: how its chip was known then, log(expected / measured), what was timed (a name
    of `machine.intervals`), and of a whole request the share of its prefill.
    """

    engine: str
    out: str
    group: str
    row: str
    chip_known: str
    error: float
    timed: str = "decode"
    prefill: float = 0.0


def leave_out(
    fitted: EngineFitted, rows: Sequence[PreparedRun], ways: Iterable[str], least: int = 1
) -> Iterator[LeftOut]:
    """The errors of an engine's rows, left out in each way. Without a chip its kernels' measurements are away too."""
    shares = {row.run.label: round(prefill_share(row, fitted.engine), 2) for row in rows}
    for out in ways:
        key, blind = WAYS[out], out == "gpu"
        for group, errors in left_out(fitted, rows, key, blind=blind, least=least).items():
            members = [row for row in rows if key(row) == group]
            for row, error in zip(members, errors, strict=True):
                gpu, label = row.question.gpu, row.run.label
                known = stand_in(gpu, gpu.name if blind else None).quality
                what = timed_of(row.run), shares[label]
                yield LeftOut(fitted.engine.name, out, group, label, known, float(f"{error:.4f}"), *what)


def read_left_out(path: Path = LEFT_OUT) -> list[LeftOut]:
    """The lines of a file of errors; none where there is no file."""
    if not is_file(path):
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [_line(row) for row in csv.DictReader(file)]


def _line(row: Mapping[str, str]) -> LeftOut:
    known = {name: float(row[name]) if name in ("error", "prefill") else row[name] for name in LeftOut._fields}
    return LeftOut(**known)  # type: ignore[arg-type]


def medians(lines: Sequence[LeftOut]) -> dict[str, float]:
    """Median absolute error of the rows of an engine, by the way in which they were left out."""
    ways = dict.fromkeys(line.out for line in lines)
    return {out: round(float(np.median([abs(x.error) for x in lines if x.out == out])), 3) for out in ways}


def usual(lines: Sequence[LeftOut]) -> list[LeftOut]:
    """The lines of groups that hold no more than four fifths of their engine's rows: without one that does, what is
    fitted to the rest is another engine.
    """
    sizes = Counter((line.engine, line.out, line.group) for line in lines)
    every = Counter(engine for engine, _ in {(line.engine, line.row) for line in lines})
    return [line for line in lines if sizes[line.engine, line.out, line.group] <= _MOST * every[line.engine]]


def shipped_interval(line: LeftOut) -> Range:
    """The interval that the shipped engine of a line gives for what was timed, on a chip that is known so well."""
    engine = load_engine(line.engine)
    return span_of(lambda timed: engine.interval(timed, line.chip_known), line.timed, line.prefill)


class Coverage(NamedTuple):
    """How many left-out rows lie in the interval: as shipped, and as derived without their group's rows."""

    name: str
    lines: int
    groups: int
    shipped: float
    unseen: float


def coverage(
    lines: Sequence[LeftOut], shipped: Sequence[Range], unseen: Sequence[Range], key: Callable[[LeftOut], str]
) -> list[Coverage]:
    """Coverage of left-out rows, each with two intervals, by a property of them, and of all."""
    found: dict[str, list[tuple[LeftOut, bool, bool]]] = {}
    for line, own, other in zip(lines, shipped, unseen, strict=True):
        for name in (key(line), "all"):
            found.setdefault(name, []).append((line, inside(line, own), inside(line, other)))
    order = sorted(found, key=lambda name: (name == "all", name))
    return [_covered(name, found[name]) for name in order]


def inside(line: LeftOut, span: Range) -> bool:
    """Whether the measured time of a line lies in an interval."""
    return span[0] <= float(np.exp(-line.error)) <= span[1]


def _covered(name: str, rows: Sequence[tuple[LeftOut, bool, bool]]) -> Coverage:
    groups = {(line.engine, line.out, line.group) for line, *_ in rows}
    shipped, unseen = (float(np.mean([row[place] for row in rows])) for place in (1, 2))
    return Coverage(name, len(rows), len(groups), shipped, unseen)
