"""The command that counts a training step by every convention."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

import typer

from roofline.cli.commands.answers import written
from roofline.cli.completion import complete
from roofline.cli.options import CsvOption, JsonOption, with_fields
from roofline.cli.terminal import console

_SPEED: Final = "Rate and utilisation"
_LAWS: Final = "Scaling laws"


def _option(flag: str, text: str, metavar: str, panel: str = "What") -> Any:
    return typer.Option(flag, help=text, metavar=metavar, rich_help_panel=panel)


def _named(kind: str, text: str) -> Any:
    return typer.Option(
        f"--{kind}",
        f"-{kind[0]}",
        help=text,
        metavar="NAME|FILE",
        autocompletion=complete(f"list_{kind}s"),
        rich_help_panel="What" if kind == "model" else _SPEED,
    )


@dataclass(frozen=True)
class Counted:
    """What is counted, at which speed, and what is asked of scaling laws."""

    model: Annotated[str | None, _named("model", "Language model: a name, an alias, a file. Not needed for laws.")] = (
        None
    )
    sequence: Annotated[
        int | None, _option("--sequence", "Tokens of a sequence. Default: 4096, or all positions.", "N")
    ] = None
    batch: Annotated[int | None, _option("--batch", "Sequences of a step. Default: 1.", "N")] = None
    decoder: Annotated[int | None, _option("--decoder", "Tokens of a decoder behind an encoder.", "N")] = None
    spec_dir: Annotated[str | None, _option("--spec-dir", "A folder of your own specs.", "DIR")] = None
    gpu: Annotated[str | None, _named("gpu", "Accelerator whose dense peak is meant.")] = None
    gpus: Annotated[int | None, _option("--gpus", "How many. Default: 1.", "N", _SPEED)] = None
    precision: Annotated[
        str | None, _option("--precision", "Format of the matrices, as in train. Default: bf16.", "NAME", _SPEED)
    ] = None
    tokens_per_s: Annotated[
        float | None, _option("--tokens-per-s", "Tokens per second of all GPUs, for MFU.", "X", _SPEED)
    ] = None
    tokens_per_s_per_gpu: Annotated[
        float | None, _option("--tokens-per-s-per-gpu", "The same of each GPU.", "X", _SPEED)
    ] = None
    mfu: Annotated[float | None, _option("--mfu", "Utilisation, for tokens/s: 0.4, or 40%.", "SHARE", _SPEED)] = None
    budget: Annotated[float | None, _option("--budget", "FLOP that are spent: 1e21.", "FLOP", _LAWS)] = None
    gpu_hours: Annotated[float | None, _option("--gpu-hours", "The budget as hours of --gpu at --mfu.", "H", _LAWS)] = (
        None
    )
    params: Annotated[float | None, _option("--params", "In place of the model's parameters: 7B.", "N", _LAWS)] = None
    tokens: Annotated[float | None, _option("--tokens", "Tokens that are trained on: 2T, or 2e12.", "D", _LAWS)] = None
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False


@with_fields(Counted)
def flops(options: Counted, json: JsonOption = False, csv: CsvOption = False) -> None:
    """FLOPs of a training step by every published convention, MFU of a rate by each, and what scaling laws say."""
    from roofline.api.flops import flops as run

    given = {name: value for name, value in asdict(options).items() if value is not None}
    del given["debug"]
    found = run(given.pop("model", None), **given)
    if not written(found, json, csv):
        from roofline.report.tables.training.flops import print_flops

        print_flops(found, console())
