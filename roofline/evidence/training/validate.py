"""Shipped frameworks against the training runs that are shipped: error per row and group, coverage, floors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from roofline.errors import UsageError
from roofline.evidence.training.errors import Errors, Judged, grouped, judge
from roofline.evidence.training.prepared import Refused, prepare
from roofline.evidence.training.rows import TRAINING_ROWS, read_training

#: By what rows may be grouped.
GROUPS: Final[dict[str, Callable[[Judged], str]]] = {
    "engine": lambda row: row.run.question.engine,
    "gpu": lambda row: row.run.gpu,
    "model": lambda row: row.run.model,
    "devices": lambda row: f"{row.run.question.gpus:,}",
    "source": lambda row: row.run.row.source,
    "metric": lambda row: row.run.row.metric,
}


@dataclass(frozen=True)
class TrainingValidation:
    """Rows of times with what is expected of them, and those that are not asked or take no part, with the reason."""

    rows: tuple[Judged, ...]
    refused: tuple[Refused, ...]
    apart: tuple[Judged, ...] = ()

    @property
    def errors(self) -> Errors:
        """Of all rows."""
        return Errors.of([row.error for row in self.rows])

    @property
    def coverage(self) -> float:
        """Share of rows in their 80 % interval."""
        return sum(row.covered for row in self.rows) / len(self.rows)

    @property
    def below_floor(self) -> list[Judged]:
        """Rows that are faster than their floor."""
        return [row for row in self.rows if row.measured < row.floor]

    def within(self, tolerance: float) -> bool:
        """Whether the median error is no larger."""
        return self.errors.median <= tolerance

    def groups(self, by: str) -> dict[str, list[Judged]]:
        """Rows by a property: one of GROUPS."""
        return grouped(self.rows, GROUPS[by])

    def records(self) -> list[dict[str, Any]]:
        """One flat row each, for a data frame."""
        return [_record(row) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        errors = self.errors
        return {
            "rows": errors.rows,
            "median_error": errors.median,
            "p90_error": errors.p90,
            "coverage": self.coverage,
            "below_floor": [row.run.row.id for row in self.below_floor],
            "each": self.records(),
            "refused": [{"row": each.row.id, "reason": each.reason} for each in self.refused],
            "apart": [{"row": row.run.row.id, "reason": row.run.asked.apart or "GPU-hours"} for row in self.apart],
        }


def _record(row: Judged) -> dict[str, Any]:
    run = row.run
    return {
        "row": run.row.id,
        "source": run.row.source,
        "model": run.model,
        "gpu": run.gpu,
        "gpus": run.question.gpus,
        "engine": run.question.engine,
        "precision": run.question.mode,
        "measured_s": row.measured,
        "expected_s": row.expected,
        "low_s": row.low,
        "high_s": row.high,
        "bound_s": row.bound,
        "floor_s": row.floor,
        "error": row.expected / row.measured - 1.0,
        "in_interval": row.covered,
    }


def validate_training(file: Path | None = None) -> TrainingValidation:
    """The rows that are shipped, or those of a file with the same columns. Raises UsageError for one without any."""
    runs, refused = prepare(read_training() if file is None else read_training(file))
    judged = judge(runs)
    apart = tuple(row for row in judged if row.run.asked.apart or row.run.row.metric == "gpu_hours")
    rows = tuple(row for row in judged if row not in apart)
    if not rows:
        why = f"; of row {refused[0].row.id}: {refused[0].reason}" if refused else ""
        raise UsageError(f"{file or TRAINING_ROWS}: no row tells the time of a training step that can be asked{why}")
    return TrainingValidation(rows, tuple(refused), apart)
