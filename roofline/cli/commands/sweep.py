"""The command that runs grids."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from roofline.cli.options import ModelOptions, with_options

_JSON = "JSON lines, one object per row, on standard output or in --output."
_CSV = "CSV on standard output or in --output."
_OUTPUT = "File to write: .csv, .jsonl or .parquet (extra `data`)."
_WHERE = "Only rows on which this holds: \"fits and ttft_s < 0.5 and gpu == 'h100'\"."
_SORT = "Sort by columns, -COL downward (write --sort=-COL)."
_PARETO = "Only rows that no other beats in all of these columns; -COL less is better, +COL more."


def _out(text: str, *names: str, metavar: str = "") -> Any:
    return typer.Option(*names, help=text, metavar=metavar or None, rich_help_panel="Output")


@with_options("all")
def sweep(  # noqa: PLR0917
    options: ModelOptions,
    output: Annotated[str | None, _out(_OUTPUT, "--output", "-o", metavar="FILE")] = None,
    json: Annotated[bool, _out(_JSON, "--json")] = False,
    csv: Annotated[bool, _out(_CSV, "--csv")] = False,
    where: Annotated[str | None, _out(_WHERE, "--where", metavar="CONDITION")] = None,
    sort: Annotated[str | None, _out(_SORT, "--sort", metavar="COL,-COL")] = None,
    top: Annotated[int | None, _out("Only the first N of the sorted rows.", "--top", metavar="N")] = None,
    pareto: Annotated[str | None, _out(_PARETO, "--pareto", metavar="COL,COL")] = None,
    columns: Annotated[str | None, _out("Only these columns, in this order.", "--columns", metavar="COL,COL")] = None,
    resume: Annotated[bool, _out("Go on with a file of the same sweep that was stopped.", "--resume")] = False,
    force: Annotated[bool, _out("Overwrite a file that exists.", "--force")] = False,
    strict: Annotated[bool, _out("Stop at points that cannot be, which else are left out.", "--strict")] = False,
    yes: Annotated[bool, _out("Run very many points without asking.", "--yes")] = False,
) -> None:
    """Every combination of the values of options: each may be a list, a range (1:256:x2, 128:4096:+128) or a @file."""
    from pathlib import Path

    from roofline.analysis.sweeping.best import Best
    from roofline.analysis.sweeping.plan import planned
    from roofline.cli.sweeping.run import run
    from roofline.cli.sweeping.wanted import Wanted, check_size, column_names, condition_of, form_of

    wanted = Wanted(
        form_of(output, json, csv),
        Path(output) if output else None,
        condition_of(where),
        Best(sort, top, pareto),
        column_names(columns),
        *(resume, force, strict, yes),
    )
    given = {name: value for name, value in options.options.items() if value is not False}
    plan = planned(options.model, options.gpu, given)
    check_size(plan)
    wanted.check(plan)
    run(plan, wanted)
