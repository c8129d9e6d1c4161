"""The command that says what a run costs."""

from __future__ import annotations

from typing import Annotated

import typer

from roofline.cli.commands.answers import written
from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_options
from roofline.cli.terminal import console

_PER_DAY = "Output tokens (pictures, tokens embedded) to be made in a day, in place of --load."


@with_options()
def cost(
    options: ModelOptions,
    per_day: Annotated[float | None, typer.Option("--per-day", "--tokens-per-day", help=_PER_DAY, metavar="N")] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """What it costs: rented or bought, on a machine of your own or from an API, and from when the other is cheaper."""
    from roofline.api.costs import cost as run

    found = run(options.model, options.gpu, per_day=per_day, **options.options)
    if not written(found, json, csv):
        from roofline.report.tables.costs.ways import print_cost

        print_cost(found, console())
