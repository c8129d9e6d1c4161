"""The command that runs grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from roofline.cli.options import ModelOptions, with_options

_JSON: Final = "JSON lines, one object per row, on standard output or in --output."
_CSV: Final = "CSV on standard output or in --output."
_OUTPUT: Final = "File to write: .csv, .jsonl or .parquet (extra `data`)."
_WHERE: Final = "Only rows on which this holds: \"fits and ttft_s < 0.5 and gpu == 'h100'\"."
_SORT: Final = "Sort by columns, -COL downward (write --sort=-COL)."
_PARETO: Final = "Only rows that no other beats in all of these columns; -COL less is better, +COL more."
_TOP: Final = "Only the first N of the sorted rows."
_COLUMNS: Final = "Only these columns, in this order."
_RESUME: Final = "Go on with a file of the same sweep that was stopped."
_STRICT: Final = "Stop at points that cannot be, which else are left out and told."


def _option(text: str, *names: str, metavar: str = "") -> Any:
    return typer.Option(*names, help=text, metavar=metavar or None)


@dataclass(frozen=True)
class Output:
    """Which rows of a sweep are wanted, and where they go."""

    output: Annotated[str | None, _option(_OUTPUT, "--output", "-o", metavar="FILE")] = None
    json: Annotated[bool, _option(_JSON, "--json")] = False
    csv: Annotated[bool, _option(_CSV, "--csv")] = False
    where: Annotated[str | None, _option(_WHERE, "--where", metavar="CONDITION")] = None
    sort: Annotated[str | None, _option(_SORT, "--sort", metavar="COL,-COL")] = None
    top: Annotated[int | None, _option(_TOP, "--top", metavar="N")] = None
    pareto: Annotated[str | None, _option(_PARETO, "--pareto", metavar="COL,COL")] = None
    columns: Annotated[str | None, _option(_COLUMNS, "--columns", metavar="COL,COL")] = None
    resume: Annotated[bool, _option(_RESUME, "--resume")] = False
    force: Annotated[bool, _option("Overwrite a file that exists.", "--force")] = False
    strict: Annotated[bool, _option(_STRICT, "--strict")] = False
    yes: Annotated[bool, _option("Run very many points without asking.", "--yes")] = False


@with_options("all", Output)
def sweep(options: ModelOptions) -> None:
    """Every combination of the values of options: each may be a list, a range (1:256:x2, 128:4096:+128) or a @file."""
    from pathlib import Path

    from roofline.analysis.sweeping.best import Best
    from roofline.analysis.sweeping.plan import planned
    from roofline.cli.sweeping.run import run
    from roofline.cli.sweeping.wanted import Wanted, check_size, column_names, condition_of, form_of

    asked: Output = options.more
    wanted = Wanted(
        form_of(asked.output, asked.json, asked.csv),
        Path(asked.output) if asked.output else None,
        condition_of(asked.where),
        Best(asked.sort, asked.top, asked.pareto),
        column_names(asked.columns),
        *(asked.resume, asked.force, asked.strict, asked.yes),
    )
    given = {name: value for name, value in options.options.items() if value is not False}
    plan = planned(options.model, options.gpu, given)
    check_size(plan)
    wanted.check(plan)
    run(plan, wanted)
