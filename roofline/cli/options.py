"""The options that commands share, each written once.

A command takes one `Options` value; `with_options` gives typer the flat signature that it reads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import Annotated, Any, Final, get_type_hints

import typer

from roofline.cli.completion import complete

_DTYPE: Final = "Number format, as `roofline list precisions` prints them."
#: Under which heading `--help` and the command reference show an option.
PANELS: Final = {
    "What": ("model", "gpu", "engine", "spec_dir"),
    "Workload": ("batch", "prompt", "generate", "fusion", "logits", "latent", "work", "kv_layout"),
    "Formats": ("weights", "activations", "kv_cache"),
    "Several GPUs, and memory elsewhere": (
        "gpus", "tp", "pp", "microbatches", "ep", "dp", "cp", "node", "overlap", "offload", "runtime_reserve",
        "pad_heads",
    ),
    "Image models": ("height", "width", "steps", "guidance", "scheduler", "strength", "tiling", "slicing"),
    "Output": ("json", "csv", "output", "debug"),
}  # fmt: skip


def panel_of(name: str) -> str | None:
    """The heading of an option; None for those of one command alone, which come first."""
    return next((panel for panel, names in PANELS.items() if name in names), None)


@dataclass(frozen=True)
class ModelOptions:
    """What is computed on what, and how."""

    model: Annotated[
        str, typer.Option("--model", "-m", help="Model: a name, an alias, a YAML file, a config.json or its folder, "
                          "hf:org/name.", autocompletion=complete("list_models"), metavar="NAME|FILE")
    ]  # fmt: skip
    gpu: Annotated[
        str | None, typer.Option("--gpu", "-g", help="Accelerator: a name, an alias or a YAML file. "
                                 "Required, unless --node names one.",
                                 autocompletion=complete("list_gpus"), metavar="NAME|FILE")
    ] = None  # fmt: skip
    batch: Annotated[int, typer.Option("--batch", "-b", metavar="N", help="Sequences that run together.")] = 1
    prompt: Annotated[int, typer.Option("--prompt", "-p", metavar="N", help="Prompt tokens per sequence.")] = 512
    generate: Annotated[int, typer.Option("--generate", "-n", metavar="N", help="Tokens generated per sequence.")] = 128
    weights: Annotated[
        str | None, typer.Option(help=f"Weights. {_DTYPE} Default: the model's own.", metavar="DTYPE",
                                 autocompletion=complete("list_precisions"))
    ] = None  # fmt: skip
    activations: Annotated[
        str | None, typer.Option(help="Activations. Default: the weights' format, bf16 below 16 bits.",
                                 metavar="DTYPE", autocompletion=complete("list_precisions"))
    ] = None  # fmt: skip
    kv_cache: Annotated[
        str | None, typer.Option("--kv-cache", help="KV-cache. Default: the activations' format.", metavar="DTYPE",
                                 autocompletion=complete("list_precisions"))
    ] = None  # fmt: skip
    fusion: Annotated[
        str, typer.Option(help="What is written to memory between kernels: eager, flash or compiled; pictures: also a "
                                "level that `roofline levels` prints.",
                          metavar="eager|flash|compiled")
    ] = "flash"  # fmt: skip
    logits: Annotated[
        str, typer.Option(help="Positions of the prompt whose logits are computed: last or all.",
                          metavar="last|all")
    ] = "last"  # fmt: skip
    latent: Annotated[
        str, typer.Option(help="Decoding with latent attention: absorbed, or naive on expanded keys.",
                          metavar="absorbed|naive")
    ] = "absorbed"  # fmt: skip
    work: Annotated[
        str, typer.Option(help="The ideal, or with what the model's reference code does needlessly.",
                          metavar="ideal|reference")
    ] = "ideal"  # fmt: skip
    kv_layout: Annotated[
        str, typer.Option("--kv-layout", help="How the cache is allocated: ideal, or parts of paged[:BLOCK],"
                          "full-windows.", metavar="LAYOUT")
    ] = "ideal"  # fmt: skip
    engine: Annotated[
        str, typer.Option(help="Whose measured efficiencies to expect; `ideal` is the roofline itself.",
                          metavar="NAME", autocompletion=complete("list_engines"))
    ] = "generic"  # fmt: skip
    gpus: Annotated[
        int | None, typer.Option("--gpus", metavar="N", help="GPUs in all: tp × pp × cp × dp. Alone: tensor-parallel.")
    ] = None
    tp: Annotated[
        int | None, typer.Option("--tp", metavar="N", help="Tensor-parallel GPUs: heads, columns, rows, vocabulary.")
    ] = None
    pp: Annotated[int | None, typer.Option("--pp", metavar="N", help="Pipeline stages.")] = None
    microbatches: Annotated[
        int | None, typer.Option("--microbatches", metavar="N", help="Parts of the batch in a pipeline. Default: pp.")
    ] = None
    ep: Annotated[
        int | None, typer.Option("--ep", metavar="N", help="GPUs that experts are spread over; alone, attention is "
                                 "data-parallel over them.")
    ] = None  # fmt: skip
    dp: Annotated[int | None, typer.Option("--dp", metavar="N", help="Replicas, each with a batch of its own.")] = None
    cp: Annotated[
        int | None, typer.Option("--cp", metavar="N", help="Context-parallel GPUs: tokens of the prompt, the cache.")
    ] = None
    node: Annotated[
        str | None, typer.Option("--node", metavar="NAME|FILE", autocompletion=complete("list_nodes"),
                                 help="How the GPUs are linked. Default: the first known node of this GPU.")
    ] = None  # fmt: skip
    overlap: Annotated[
        str | None, typer.Option("--overlap", metavar="none|full", help="Hide communication behind work.")
    ] = None
    offload: Annotated[
        str | None, typer.Option("--offload", metavar="PART[=SHARE][@host|disk]",
                                 help="Keep weights, experts or cache elsewhere, for example experts@host; pictures: "
                                 "model, one part at a time on the GPU.")
    ] = None  # fmt: skip
    runtime_reserve: Annotated[
        str | None, typer.Option("--runtime-reserve", metavar="BYTES", help="Memory that the runtime keeps on each "
                                 "GPU, for example '1 GB', 10% or vllm. Default: none.")
    ] = None  # fmt: skip
    pad_heads: Annotated[
        bool, typer.Option("--pad-heads", help="Fill up with empty heads where tp does not divide them.")
    ] = False
    height: Annotated[int | None, typer.Option(help="Height in pixels.", metavar="PX")] = None
    width: Annotated[int | None, typer.Option(help="Width in pixels.", metavar="PX")] = None
    steps: Annotated[int | None, typer.Option(help="Denoising steps.", metavar="N")] = None
    guidance: Annotated[
        float | None, typer.Option(help="Guidance scale; above 1 the batch is doubled.", metavar="X")
    ] = None
    scheduler: Annotated[
        str | None, typer.Option(help="Scheduler, as `roofline list schedulers` prints them.",
                                 metavar="NAME", autocompletion=complete("list_schedulers"))
    ] = None  # fmt: skip
    strength: Annotated[
        float | None, typer.Option(help="How much of a given picture is replaced, 0 to 1.", metavar="X")
    ] = None
    tiling: Annotated[bool, typer.Option("--tiling", help="Autoencoder in overlapping tiles.")] = False
    slicing: Annotated[bool, typer.Option("--slicing", help="Autoencoder one picture at a time.")] = False
    spec_dir: Annotated[
        str | None, typer.Option("--spec-dir", help="A folder of your own specs, searched first.", metavar="DIR")
    ] = None
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False

    def question(self) -> dict[str, Any]:
        """As keyword arguments of `roofline.analysis.question.ask`."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "debug"}


JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, unrounded SI values.",
                                            rich_help_panel="Output")]  # fmt: skip
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV on standard output, unrounded SI values.",
                                           rich_help_panel="Output")]  # fmt: skip


def with_options(options: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take `options` as its first argument, while typer sees one parameter per field."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(options, include_extras=True)
        own = list(inspect.signature(command).parameters.values())[1:]
        own_hints = get_type_hints(command, include_extras=True)
        names = [field.name for field in fields(options)]
        shared = [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, annotation=hints[field.name],
                default=inspect.Parameter.empty if field.default is _MISSING else field.default,
            )
            for field in fields(options)
        ]  # fmt: skip

        @wraps(command)
        def run(**values: Any) -> None:
            command(options(**{name: values.pop(name) for name in names}), **values)

        for name, hint in (hints | own_hints).items():
            if (panel := panel_of(name)) is not None:
                hint.__metadata__[0].rich_help_panel = panel
        extra = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=own_hints[p.name]) for p in own]
        run.__signature__ = inspect.Signature([*shared, *extra])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*shared, *extra]}
        return run

    return decorate


_MISSING = fields(ModelOptions)[0].default
