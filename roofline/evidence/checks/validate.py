"""Predictions against measured runs: error of every row and group, coverage of the intervals, rows that cannot be true.

A measured time below the floor is unphysical as stated, whatever ran it; one below the roofline bound did less than its
shapes say (a batch that shares its prompts, a cache that stayed on chip, experts that were not all visited).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from roofline.errors import RooflineError, UsageError
from roofline.evidence.kernels.tables import Array
from roofline.evidence.runs.phases import prefill_share, span_of, timed_of
from roofline.evidence.runs.rows import by_reason, read_file
from roofline.evidence.runs.runs import PreparedRun, known_engine, prepare_all
from roofline.evidence.runs.shipped import SHIPPED
from roofline.evidence.runs.suspects import suspect
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import IDEAL, find_engine, load_engine, read_engine

#: What an unknown engine of language models, and of pictures, is checked as.
FALLBACKS: Final = ("generic", "pytorch-eager")


class Checked(NamedTuple):
    """One row: seconds measured, of the floor, of the roofline, expected, and of the 80 % interval."""

    label: str
    source: str
    model: str
    gpu: str
    engine: str
    metric: str
    devices: int
    measured_s: float
    floor_s: float
    bound_s: float
    expected_s: float
    low_s: float
    high_s: float
    quality: str
    #: Of a row below its floor: which of its conditions may be wrong.
    suspect: str = ""

    @property
    def error(self) -> float:
        """log(expected / measured): positive is too slow."""
        return float(np.log(self.expected_s / self.measured_s))

    @property
    def covered(self) -> bool:
        """Whether the measured time lies in the interval."""
        return self.low_s <= self.measured_s <= self.high_s


class GroupError(NamedTuple):
    """Errors of a group of rows, as fractions: of the expectation, and beside it of the bound and of one constant."""

    name: str
    rows: int
    median: float
    mean: float
    p90: float
    bias: float
    coverage: float
    bound_median: float
    constant_median: float

    @property
    def figures(self) -> tuple[float, ...]:
        """All but the name and the number of rows, in order."""
        return self[2:]


@dataclass(frozen=True)
class Validation:
    """All rows, what could not be checked, and how many coefficients the expectations rest on.

    `unknown` are the engines of rows that were checked as the generic one; `ignored` the columns of the file that
    nothing was made of.
    """

    rows: tuple[Checked, ...]
    refused: tuple[str, ...]
    coefficients: int
    unknown: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def by(self, key: Callable[[Checked], str]) -> list[GroupError]:
        """Errors by a property of the rows, most rows first."""
        sizes = Counter(map(key, self.rows))
        names = sorted(sizes, key=lambda name: (-sizes[name], name))
        return [self._group(name, [row for row in self.rows if key(row) == name]) for name in names]

    @property
    def all(self) -> GroupError:
        """Errors of all rows."""
        return self._group("all", self.rows)

    def _group(self, name: str, rows: Sequence[Checked]) -> GroupError:
        errors, bound = np.asarray([row.error for row in rows]), _bound_errors(rows)
        size = np.abs(errors)
        return GroupError(
            name=name,
            rows=len(rows),
            median=float(np.median(size)),
            mean=float(np.mean(size)),
            p90=float(np.quantile(size, 0.9)),
            bias=float(np.median(errors)),
            coverage=float(np.mean([row.covered for row in rows])),
            bound_median=float(np.median(np.abs(bound))),
            constant_median=float(np.median(np.abs(bound - self._constant))),
        )

    @cached_property
    def _constant(self) -> float:
        """The logarithm of the one efficiency, as a factor of the bound, that suits all rows best."""
        return float(np.median(_bound_errors(self.rows)))

    @property
    def below_floor(self) -> list[Checked]:
        """Rows that are unphysical as stated."""
        return [row for row in self.rows if row.measured_s < row.floor_s]

    @property
    def below_bound(self) -> list[Checked]:
        """Rows that are physical, but faster than the roofline of their ops."""
        return [row for row in self.rows if row.floor_s <= row.measured_s < row.bound_s]

    def within(self, tolerance: float) -> bool:
        """Whether the median error is within a tolerance, no row below its floor, and none unchecked by mistake."""
        mistaken = [text for text in self.refused if ": set apart: " not in text]
        return self.all.median <= tolerance and not self.below_floor and not mistaken

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "all": self.all._asdict(),
            "coefficients": self.coefficients,
            "refused": list(self.refused),
            "checked_as_generic": list(self.unknown),
            "ignored_columns": list(self.ignored),
            "groups": {name: [group._asdict() for group in self.by(key)] for name, key in GROUPS.items()},
            "below_floor": [row.label for row in self.below_floor],
            "below_bound": [row.label for row in self.below_bound],
            "rows": [row._asdict() | {"error": row.error, "covered": row.covered} for row in self.rows],
        }

    def to_csv(self) -> str:
        """One line per row."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*Checked._fields, "error", "covered"])
        writer.writerows([*row, row.error, row.covered] for row in self.rows)
        return out.getvalue()


#: Groupings that reports show.
GROUPS: Final[dict[str, Callable[[Checked], str]]] = {
    "engine": lambda row: row.engine,
    "gpu": lambda row: row.gpu,
    "model": lambda row: row.model,
    "metric": lambda row: row.metric,
    "devices": lambda row: str(row.devices),
    "source": lambda row: row.source,
    "chip known": lambda row: row.quality,
}


def validate_runs(path: Path | None = None, engine: str | None = None, spec_dir: str | None = None) -> Validation:
    """Check a file of measured runs, by default the shipped ones, by each row's engine or by the one that is named.

    An engine that is not known is checked as the generic one, of pictures as pytorch-eager. Raises UsageError with file
    and line, or with the reasons where no row can be checked.
    """
    chosen = None if engine is None else find_engine(engine, spec_dir)
    if chosen not in (None, IDEAL):
        read_engine(chosen)
    files = [read_file(each) for each in ((path,) if path is not None else SHIPPED)]
    runs = [run for file in files for run in file.runs]
    prepared, refused = prepare_all(runs, spec_dir)
    known = {name: known_engine(name, spec_dir) for name in dict.fromkeys(row.run.engine for row in prepared)}
    rows: list[Checked] = []
    for row in prepared:
        try:
            fallback = FALLBACKS[row.run.of_image]
            rows.append(_check(row, chosen or known[row.run.engine] or fallback, spec_dir))
        except RooflineError as error:
            refused.append(f"{row.run.place}: {str(error).splitlines()[0]}")
    if not rows:
        reasons = "".join(f"\n  {reason}" for reason in by_reason(refused)[:8])
        raise UsageError(f"{path}: none of its {len(runs)} rows can be checked{reasons}")
    unknown = tuple(name for name, found in known.items() if found is None and chosen is None)
    ignored = tuple(dict.fromkeys(name for file in files for name in file.ignored))
    used = coefficients(sorted({row.engine for row in rows}))
    return Validation(tuple(rows), tuple(refused), used, unknown, ignored)


def coefficients(engines: Sequence[str]) -> int:
    """How many coefficients of engines were fitted, those of files as well."""
    return sum(read_engine(name).fit.coefficients for name in engines if name != IDEAL)


def _check(row: PreparedRun, name: str, spec_dir: str | None) -> Checked:
    run, gpu = row.run, row.question.gpu
    floor, bound = row.bounds()
    chip = ChipEfficiency.of(gpu)
    if name == IDEAL:
        expected, low, high = bound, 1.0, 1.0
    else:
        engine = load_engine(name)
        expected = max(row.expected(engine), bound)
        spans = partial(engine.interval, quality=chip.quality, maker=gpu.vendor)
        low, high = span_of(spans, timed_of(run), prefill_share(row, engine))
    ran = run.label, run.source, run.model, gpu.name, name, run.metric, run.plan.devices
    times = run.seconds, floor, bound, expected, max(expected * low, bound), expected * high
    doubt = suspect(run, floor, spec_dir) if run.seconds < floor else ""
    return Checked(*ran, *times, chip.quality, doubt)


def _bound_errors(rows: Sequence[Checked]) -> Array:
    return np.log(np.asarray([row.bound_s / row.measured_s for row in rows], dtype=np.float64))
