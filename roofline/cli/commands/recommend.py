"""The command that says which machine to take."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

import typer

from roofline.cli.commands.answers import written
from roofline.cli.options import CsvOption, JsonOption, ModelOptions, with_options
from roofline.cli.terminal import console

_PANEL: Final = "What a plan must do"


def _option(text: str, metavar: str) -> Any:
    return typer.Option(help=text, metavar=metavar, rich_help_panel=_PANEL)


@dataclass(frozen=True)
class Wishes:
    """What a plan must do, beside the options of the run; `--users` is among these."""

    rate: Annotated[str | None, _option("Requests, pictures or sequences per second in all, or 200/min.", "R")] = None
    ttft: Annotated[str | None, _option("Longest time to the first token: 500ms, 0.5.", "TIME")] = None
    tpot: Annotated[str | None, _option("Longest time per output token: 30ms.", "TIME")] = None
    tokens_per_s: Annotated[float | None, _option("Least tokens/s of a user while it writes.", "N")] = None
    total: Annotated[str | None, _option("Longest time of a whole request or picture.", "TIME")] = None
    budget: Annotated[float | None, _option("Most that an hour may cost.", "COST")] = None
    formats: Annotated[
        str | None, _option("Formats of weights that will do: fp8,bf16. Default: the model's own.", "DTYPE,DTYPE")
    ] = None
    max_gpus: Annotated[int | None, _option("Most GPUs of a plan. Default: 64.", "N")] = None
    top: Annotated[int | None, _option("Plans by cost that are told. Default: 3.", "N")] = None


@with_options("places", more=Wishes)
def recommend(options: ModelOptions, json: JsonOption = False, csv: CsvOption = False) -> None:
    """Which machine to take: the few best plans for users or a rate, limits on times and a budget.

    `--gpu` names one or several; left out, or `any`: every accelerator whose price is known. Exit code 1 where nothing
    does what is wanted.
    """
    from roofline.api.recommending import recommend as run

    found = run(options.model, options.gpu, **options.options, **asdict(options.more))
    if not written(found, json, csv):
        from roofline.report.tables.deciding.recommend import print_recommendation

        print_recommendation(found, console())
    if not found.found:
        raise typer.Exit(1)
