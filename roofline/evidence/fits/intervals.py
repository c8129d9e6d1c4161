"""80 % intervals from the errors of rows that were left out, and how many of such rows they cover.

An interval belongs to an engine and to how a chip is known. It is the 10th and 90th percentile of the errors of rows
whose chip was known in that way when they were left out: measured (its own kernels), class (a sibling's), other. Rows
that were left out together share an error, so n of them count as the root of n; and as an engine has been seen by few
laboratories, which may all lean to one side, the errors of other engines and mirror images stand beside its own. A
group that holds more than four fifths of an engine's rows is used only where there is nothing else: what is fitted to
the rest is another engine.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from roofline.evidence.fits.fit_engines import EngineFitted, interval, left_out
from roofline.evidence.fits.robust import Array
from roofline.evidence.runs.runs import PreparedRun
from roofline.machine.chips.stand_ins import stand_in
from roofline.machine.engine import load_engine
from roofline.specs.files.paths import is_file

Range = tuple[float, float]
#: How a chip is known, best first.
QUALITIES: Final = ("measured", "class", "other")
#: Ways of leaving rows out, by the property of the rows that was left out together.
WAYS: Final[dict[str, Callable[[PreparedRun], str]]] = {
    "gpu": lambda row: row.question.gpu.name,
    "model": lambda row: row.run.model,
    "source": lambda row: row.run.source,
    "engine": lambda row: row.run.engine,
}
#: The shipped errors, written by `roofline.evidence.fits.residuals`.
LEFT_OUT: Final = Path(__file__).resolve().parents[1] / "measurements" / "left_out.csv"
#: So few rows do not make an interval narrower than this; so few errors make none of their own.
FEW: Final = 20
FEW_INTERVAL: Final = (0.8, 1.25)
#: How much wider than that of the better known chips an interval is for which there are no errors.
_WIDER: Final = 1.5
#: What an error of the other sign weighs beside each that was seen: of few laboratories, all may lean to one side.
_MIRRORED: Final = 0.25
#: What the errors of all other engines together weigh beside an engine's own: as much as two groups of nine rows.
_OTHERS: Final = 6.0
#: Largest share of an engine's rows that may be left out together.
_MOST: Final = 0.8


class LeftOut(NamedTuple):
    """One row, left out with its group: how its chip was known then, and log(expected / measured)."""

    engine: str
    out: str
    group: str
    row: str
    chip_known: str
    error: float


def leave_out(
    fitted: EngineFitted, rows: Sequence[PreparedRun], ways: Iterable[str], least: int = 1
) -> Iterator[LeftOut]:
    """The errors of an engine's rows, left out in each way. Without a chip its kernels' measurements are away too."""
    for out in ways:
        key, blind = WAYS[out], out == "gpu"
        for group, errors in left_out(fitted, rows, key, blind=blind, least=least).items():
            members = [row for row in rows if key(row) == group]
            for row, error in zip(members, errors, strict=True):
                gpu = row.question.gpu
                known = stand_in(gpu, gpu.name if blind else None).quality
                yield LeftOut(fitted.engine.name, out, group, row.run.label, known, float(f"{error:.4f}"))


def read_left_out(path: Path = LEFT_OUT) -> list[LeftOut]:
    """The lines of a file of errors; none where there is no file."""
    if not is_file(path):
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [LeftOut(**row | {"error": float(row["error"])}) for row in csv.DictReader(file)]  # type: ignore[arg-type]


def medians(lines: Sequence[LeftOut]) -> dict[str, float]:
    """Median absolute error of the rows of an engine, by the way in which they were left out."""
    ways = dict.fromkeys(line.out for line in lines)
    return {out: round(float(np.median([abs(x.error) for x in lines if x.out == out])), 3) for out in ways}


def intervals(
    lines: Sequence[LeftOut], rows: int, fallback: Sequence[float] = (), others: Sequence[LeftOut] = ()
) -> tuple[Range, Range, Range]:
    """The intervals of an engine of so many rows for a chip that is measured, of a class, and other.

    Each is at least as wide as the one before it: to know less of a chip never makes one surer. `fallback` are the
    errors of the fit, for an engine without lines; `others` the lines of other engines.
    """
    own, beside = _errors(lines), _errors(others)
    found: list[Range] = [FEW_INTERVAL] if rows < FEW else []
    for place, quality in enumerate(QUALITIES):
        errors, weights = own[quality]
        if len(errors) >= FEW or (len(errors) and place == 0):
            more, shares = beside[quality]
            shares = shares * (_OTHERS / shares.sum()) if len(more) else shares
            span = _span(np.append(errors, more), np.append(weights, shares))
        elif place == 0:
            everything = np.concatenate([each for each, _ in own.values()])
            known = everything if len(everything) else np.asarray(fallback, dtype=np.float64)
            span = _span(known, np.ones(len(known)))
        else:
            low, high = found[-1]
            span = (float(f"{low**_WIDER:.3g}"), float(f"{high**_WIDER:.3g}"))
        if found:
            span = (min(span[0], found[-1][0]), max(span[1], found[-1][1]))
        found.append(span)
    return found[-3], found[-2], found[-1]


def _span(errors: Array, weights: Array) -> Range:
    """The interval of errors, each with its mirror image beside it."""
    return interval(np.append(errors, -errors), np.append(weights, _MIRRORED * weights))


def _errors(lines: Sequence[LeftOut]) -> Mapping[str, tuple[Array, Array]]:
    """Errors and weights by how the chip was known; of groups that hold nearly all rows only where there are few
    others.
    """
    sizes = Counter((line.engine, line.out, line.group) for line in lines)
    often = usual(lines)
    found = {}
    for quality in QUALITIES:
        used = [line for line in often if line.chip_known == quality]
        if len(used) < FEW:
            used = [line for line in lines if line.chip_known == quality]
        weights = [sizes[line.engine, line.out, line.group] ** -0.5 for line in used]
        found[quality] = np.asarray([line.error for line in used]), np.asarray(weights)
    return found


def usual(lines: Sequence[LeftOut]) -> list[LeftOut]:
    """The lines of groups that hold no more than four fifths of their engine's rows: without one that does, what is
    fitted to the rest is another engine.
    """
    sizes = Counter((line.engine, line.out, line.group) for line in lines)
    every = Counter(engine for engine, _ in {(line.engine, line.row) for line in lines})
    return [line for line in lines if sizes[line.engine, line.out, line.group] <= _MOST * every[line.engine]]


def others_of(name: str, lines: Sequence[LeftOut], images: Set[str]) -> list[LeftOut]:
    """The lines of other engines that serve the same kind of model; those of the generic engine are the same rows."""
    kind = [line for line in lines if (line.engine in images) == (name in images)]
    return [line for line in kind if line.out != "engine" and line.engine != name]


class Coverage(NamedTuple):
    """How many left-out rows lie in the interval: as shipped, and as derived without their group's rows."""

    name: str
    lines: int
    shipped: float
    unseen: float


def shipped_interval(line: LeftOut) -> Range:
    """The interval that the shipped engine of a line gives for a chip that is known so well."""
    return load_engine(line.engine).interval(line.chip_known)


def coverage(
    lines: Sequence[LeftOut],
    shipped: Callable[[LeftOut], Range],
    key: Callable[[LeftOut], str],
    images: Set[str] = frozenset(),
) -> list[Coverage]:
    """Coverage of left-out rows, by a property of them, and of all. `images` names the engines of image models."""
    found: dict[str, list[tuple[bool, bool]]] = {}
    for name in dict.fromkeys(line.engine for line in lines):
        own = [line for line in lines if line.engine == name]
        others = others_of(name, lines, images)
        for group in dict.fromkeys((line.out, line.group) for line in own):
            members = [line for line in own if (line.out, line.group) == group]
            held = {line.row for line in members}
            rest = [line for line in own if line.row not in held]
            again = intervals(rest, len({line.row for line in rest}), (), others)
            spans = dict(zip(QUALITIES, again, strict=True))
            for line in members:
                both = (_inside(line, shipped(line)), _inside(line, spans[line.chip_known]))
                found.setdefault(key(line), []).append(both)
                found.setdefault("all", []).append(both)
    order = sorted(found, key=lambda name: (name == "all", name))
    return [Coverage(name, len(found[name]), *map(float, np.mean(found[name], axis=0))) for name in order]


def _inside(line: LeftOut, span: Range) -> bool:
    return span[0] <= float(np.exp(-line.error)) <= span[1]
