"""The command that puts runs side by side."""

from __future__ import annotations

from roofline.cli.commands.answers import written
from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_options
from roofline.cli.terminal import console


@with_options("all")
def compare(options: ModelOptions, json: JsonOption = False, csv: CsvOption = False) -> None:
    """Runs side by side: which is the best, by how much, how surely, and what does not fit.

    Every option may be given several times, as a list or as a range: all combinations are compared, 100 at most.
    """
    from roofline.api.comparing import compare as run

    found = run(options.model, options.gpu, **options.options)
    if written(found, json, csv):
        return
    from roofline.report.tables.deciding.compare import print_compare

    print_compare(found, console())
