"""What is wanted of a sweep beside its points: which rows, in which form, and where they go; checked before it runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from roofline.analysis.sweeping.best import Best
from roofline.analysis.sweeping.condition.parse import Condition, parse
from roofline.analysis.sweeping.plan import Plan
from roofline.analysis.sweeping.rows import Rows, check_columns
from roofline.analysis.sweeping.stream import check_best, empty
from roofline.errors import UsageError
from roofline.report.streams.files import Growing
from roofline.report.streams.text import CSV, JSON_LINES, header, lines

Form: TypeAlias = Literal["csv", "json", "parquet", "table"]
_FORMS: Final[dict[str, Form]] = {
    ".csv": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
#: Points beyond which nothing runs, those that are asked about first, and those that a script must have asked for.
MOST: Final = 10**10
ASKED: Final = 10**7
UNASKED: Final = 10**8


@dataclass(frozen=True)
class Wanted:
    """Rows on which a condition holds, the best of them, some of their columns, in a form, to a file or not."""

    form: Form
    output: Path | None
    condition: Condition | None
    best: Best
    columns: tuple[str, ...]
    resume: bool
    force: bool
    strict: bool
    yes: bool

    def check(self, plan: Plan) -> None:
        """Raises UsageError for columns that there are not, and for what cannot be done in bounded memory."""
        known = empty(plan)
        if self.condition is not None:
            check_columns(known.columns, self.condition.names)
            known.where(self.condition)
        check_columns(known.columns, self.columns)
        check_best(plan, self.best, self.condition)

    def shown(self, rows: Rows) -> Rows:
        """The rows with the columns that are wanted."""
        return rows.only(self.columns) if self.columns else rows

    def head(self, plan: Plan) -> bytes:
        """What stands at the beginning of a file."""
        rows = self.shown(empty(plan))
        if self.form == "parquet":
            from roofline.report.streams.parquet import schema

            return schema(rows)
        return header(list(rows.columns)) if self.form == "csv" else b""

    def encoded(self, rows: Rows) -> bytes:
        """Rows as they stand in a file."""
        if self.form == "parquet":
            from roofline.report.streams.parquet import messages

            return messages(self.shown(rows))
        return lines(self.shown(rows), CSV if self.form == "csv" else JSON_LINES)

    def growing(self, fingerprint: str) -> Growing:
        """The file that rows go to."""
        if self.output is None:
            raise UsageError("--output names no file")
        whole: Callable[[Path, Path], None] | None = None
        if self.form == "parquet":
            from roofline.report.streams.parquet import join as whole
        return Growing(self.output, fingerprint, whole)


def form_of(output: str | None, json: bool, csv: bool) -> Form:
    """The form of what is written. Raises UsageError for an ending that says none, or one that is not installed."""
    suffix = Path(output).suffix.lower() if output else ""
    form: Form | None = "json" if json else "csv" if csv else _FORMS.get(suffix)
    if output is None:
        return form or "table"
    if form is None:
        hint = "JSON lines go to .jsonl; " if suffix == ".json" else ""
        raise UsageError(f"--output {output}: {hint}the ending says the form: {', '.join(_FORMS)}; or --csv, --json")
    if suffix in _FORMS and _FORMS[suffix] != form:
        raise UsageError(f"--output {output}: ends in {suffix}, but --{form} is asked for")
    if form == "parquet":
        from roofline.report.streams.parquet import check_extra

        check_extra()
    return form


def column_names(text: str | None) -> tuple[str, ...]:
    """The names of `a,b,c`. Raises UsageError for an empty one, and for one named twice."""
    names = tuple(name.strip() for name in text.split(",")) if text is not None else ()
    if not all(names):
        raise UsageError("--columns: an empty name; columns stand apart by commas")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError(f"--columns: {twice} is named twice")
    return names


def condition_of(text: str | None) -> Condition | None:
    """What rows must meet. Raises UsageError with the place of what is wrong."""
    return None if text is None else parse(text)


def check_size(plan: Plan) -> None:
    """Raises UsageError for more points than anybody waits for."""
    if plan.points > MOST:
        raise UsageError(f"{plan.points:,} points; one sweep takes at most {MOST:,}: shorten a range, or take steps x2")


def is_stream(path: Path) -> bool:
    """Whether it is a device or a pipe, such as /dev/stdout."""
    if path.parts[:2] == ("/", "dev"):
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)  # noqa: PTH110, PTH113, PTH112
