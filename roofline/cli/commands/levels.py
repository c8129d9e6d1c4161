"""Levels of execution side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_options
from roofline.cli.terminal import console


@with_options()
def levels(
    options: ModelOptions,
    phase: Annotated[str | None, typer.Option(help="A phase of the run; default: denoise, else the last.")] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Kernels, bytes and bound of a phase at every level of execution, from scores in memory to fused."""
    from roofline.analysis.levels import levels_of
    from roofline.api.estimate import estimate as run

    est = run(options.model, options.gpu, **{name: v for name, v in options.options.items() if name != "fusion"})
    rows = levels_of(est, phase)
    if json or csv:
        from roofline.report.data import write_csv, write_json

        if json:
            write_json({"schema_version": 1, "levels": rows})
        else:
            write_csv(rows)
        return
    from roofline.report.tables.levels import print_levels
    from roofline.runs.telling.notes import taken_as

    q, out = est.question, console()
    print_levels(rows, f"{q.spec.title} on {q.gpu.title}: one call of {rows[0]['phase']}", out)
    for line in taken_as(q):
        out.print(line, style="dim")
