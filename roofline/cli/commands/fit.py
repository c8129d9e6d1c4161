"""The command that says whether a run fits, or which models do."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from roofline.cli.commands.answers import written
from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_options
from roofline.cli.terminal import console

_PANEL: Final = "Without a model"
_KindOption = Annotated[
    str | None,
    typer.Option("--kind", help="Only models of that kind.", metavar="text|image|encoder|part", rich_help_panel=_PANEL),
]
_MatchOption = Annotated[
    str | None,
    typer.Option(
        "--match", help="Only models with that in name, alias or title.", metavar="TEXT", rich_help_panel=_PANEL
    ),
]
_AllOption = Annotated[bool, typer.Option("--all", help="All of them, not only some.", rich_help_panel=_PANEL)]


@with_options(modelless=True)
def fit(
    options: ModelOptions,
    kind: _KindOption = None,
    match: _MatchOption = None,
    all_: _AllOption = False,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Does it fit, with room for how much, on how few GPUs, and what would help. Exit code 1 where it does not.

    `--gpu any` looks at every accelerator of the library. Without `--model`: which models run on the GPU, in which
    format, up to which context or picture, how fast; exit code 1 where none does.
    """
    from roofline.api.fitting import fit as run

    if options.model is None:
        found: Any = run(None, options.gpu, kind=kind, match=match, **options.options)
    else:
        _refuse_choice(kind, match, all_)
        found = run(options.model, options.gpu, **options.options)
    if not written(found, json, csv):
        _show(found, options.model is None, all_)
    if not found.fits:
        raise typer.Exit(1)


def _show(found: Any, modelless: bool, every: bool) -> None:
    if modelless:
        from roofline.report.tables.fitting.models import print_models

        print_models(found, console(), every)
    else:
        from roofline.report.tables.fit import print_fit

        print_fit(found, console())


def _refuse_choice(kind: str | None, match: str | None, every: bool) -> None:
    """Raises UsageError for what chooses among models where one is named."""
    from roofline.errors import UsageError

    for flag, given in (("--kind", kind is not None), ("--match", match is not None), ("--all", every)):
        if given:
            raise UsageError(f"{flag} chooses among all models, and --model names one")
