"""The command that says whether a run fits."""

from __future__ import annotations

import typer

from roofline.cli.commands.answers import note_warnings
from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_options
from roofline.cli.terminal import console


@with_options()
def fit(options: ModelOptions, json: JsonOption = False, csv: CsvOption = False) -> None:
    """Does it fit, with room for how much, on how few GPUs, and what would help. Exit code 1 where it does not.

    `--gpu any` looks at every accelerator of the library.
    """
    from roofline.api import fit as run

    found = run(options.model, options.gpu, **options.options)
    if json or csv:
        from roofline.report.data import write_csv, write_json

        if json:
            write_json(found.to_dict())
        else:
            write_csv(list(found.records()))
        note_warnings(found.warnings)
    else:
        from roofline.report.tables.fit import print_fit

        print_fit(found, console())
    if not found.fits:
        raise typer.Exit(1)
