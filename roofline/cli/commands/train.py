"""The command that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from roofline.cli.commands.answers import derivations_of, note_warnings, written
from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_training
from roofline.cli.terminal import console, tell

if TYPE_CHECKING:
    from roofline.api.training import Train

_PANEL = "Output"
_Explain = Annotated[
    bool,
    typer.Option("--explain", help="Formula, values and source of every headline number.", rich_help_panel=_PANEL),
]
_Only = Annotated[
    str | None,
    typer.Option(
        "--only", help="Explain only the numbers with that in their name.", metavar="TEXT", rich_help_panel=_PANEL
    ),
]
_Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help="Draw it: a .svg, .png, .pdf, or .html, an interactive page.",
        metavar="FILE",
        rich_help_panel=_PANEL,
    ),
]
_Kind = Annotated[
    str | None,
    typer.Option("--kind", help="What is drawn. Default: memory.", metavar="memory|step", rich_help_panel=_PANEL),
]
_Theme = Annotated[
    str | None,
    typer.Option(
        "--theme", help="Draw it on a light page or a dark one.", metavar="light|dark", rich_help_panel=_PANEL
    ),
]


@with_training
def train(
    options: ModelOptions,
    explain: _Explain = False,
    only: _Only = None,
    output: _Output = None,
    kind: _Kind = None,
    theme: _Theme = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """How fast it trains, in how much memory per GPU, for how many days and dollars. Exit code 1 where it does not fit.

    The step by phase, rates, shares of the peak, memory by part; the whole run with `--tokens`, `--steps`, `--samples`.
    """
    from roofline.api.training import train as run

    _check(explain, only, output, kind, theme, csv)
    found = run(options.model, options.gpu, **options.options)
    if output is not None:
        _draw(found, output, kind or "memory", theme)
    elif explain or only is not None:
        _derive(found, only, json)
    elif not written(found, json, csv):
        from roofline.report.tables.training.answer import print_training

        print_training(found, console())
    if not found.memory.fits:
        raise typer.Exit(1)


def _check(explain: bool, only: str | None, output: str | None, kind: str | None, theme: str | None, csv: bool) -> None:
    """Raises UsageError for options that have nothing to do, or nothing to do with each other."""
    from roofline.errors import UsageError
    from roofline.report.plots.style import THEMES
    from roofline.report.plots.training.pictures import KINDS
    from roofline.runs.checks import one_of

    for name, value, known in (("kind", kind, KINDS), ("theme", theme, THEMES)):
        if value is not None:
            one_of(name, value, known)
            if output is None:
                raise UsageError(f"--{name} {value}: name the file of the picture with --output")
    if explain and csv:
        raise UsageError("--explain and --csv: derivations are text or --json")
    if output is not None:
        from roofline.report.plots.files import checked_path

        if explain or only is not None:
            raise UsageError("--explain and --output: one of the two")
        checked_path(output)


def _draw(found: Train, output: str, kind: str, theme: str | None) -> None:
    from roofline.report.plots.files import save_figure

    tell(f"wrote {save_figure(found.plot(kind, theme=theme), output)}")
    note_warnings(found.warnings)


def _derive(found: Train, only: str | None, json: bool) -> None:
    some = derivations_of(found.explain(), only)
    if json:
        from roofline.report.data import write_json

        write_json({"schema_version": 1, "inputs": found.inputs, "derivations": [each.to_dict() for each in some]})
        return
    from roofline.report.tables.training.explanation import print_explanation

    print_explanation(found, some, console())
