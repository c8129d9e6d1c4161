"""The command that draws: plot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from roofline.cli.completion import complete
from roofline.cli.options import ModelOptions, with_options
from roofline.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: Final = ("roofline", "memory", "throughput", "latency")
_BATCHES: Final = tuple(2**power for power in range(10))


@dataclass(frozen=True)
class PlotOptions(ModelOptions):
    """Model options where model and GPU may be given several times."""

    model: Annotated[
        list[str],
        typer.Option(
            "--model",
            "-m",
            help="Model: a name, an alias or a file; may be given several times.",
            autocompletion=complete("list_models"),
            metavar="NAME|FILE",
        ),
    ]  # type: ignore[assignment]
    gpu: Annotated[
        list[str] | None, typer.Option("--gpu", "-g", help="Accelerator; may be given several times. Required, unless "
                                       "--node names one.", autocompletion=complete("list_gpus"),
                                       metavar="NAME|FILE")
    ] = None  # type: ignore[assignment]  # fmt: skip

    def questions(self) -> list[dict[str, Any]]:
        """One set of keyword arguments per model and GPU."""
        gpus: list[str | None] = [*self.gpu] if self.gpu else [None]
        return [self.question() | {"model": model, "gpu": gpu} for model in self.model for gpu in gpus]


@with_options(PlotOptions)
def plot(
    options: PlotOptions,
    output: Annotated[str, typer.Option("--output", "-o", help="File to write: .svg, .png or .pdf.", metavar="FILE")],
    kind: Annotated[
        str, typer.Option(help="roofline; memory; throughput or latency by batch.",
                          metavar="roofline|memory|throughput|latency")
    ] = "roofline",
) -> None:  # fmt: skip
    """A picture: the roofline of a workload on one or more GPUs, its memory, or curves by batch."""
    from roofline.analysis.options import one_of
    from roofline.report.plots.roofline import checked_path, save_figure

    one_of("kind", kind, KINDS)
    checked_path(output)
    path = save_figure(_figure(options, kind), output)
    typer.echo(f"wrote {path}", err=True)


def _figure(options: PlotOptions, kind: str) -> Figure:
    from roofline.analysis.estimate import estimate
    from roofline.report.plots import roofline as figures

    if kind == "roofline":
        return figures.roofline_figure([estimate(**question) for question in options.questions()])
    if kind == "memory":
        return figures.memory_figure(*(estimate(**question) for question in options.questions()))
    rows = [
        _row(estimate(**question))
        for batch in _BATCHES
        for question in replace(options, batch=batch).questions()
    ]  # fmt: skip
    if len({"images_per_s" in row for row in rows}) > 1:
        raise UsageError(f"--kind {kind}: models of tokens and of pictures have no axis in common; plot them apart")
    tokens, pictures = {"throughput": ("output_tokens_per_s", "images_per_s"), "latency": ("tpot_s", "total_s")}[kind]
    return figures.sweep_figure(rows, x="batch", y=pictures if "images_per_s" in rows[0] else tokens)


def _row(est: Any) -> dict[str, Any]:
    """The settings of a run, and what it takes in all readings: of tokens, or of pictures."""
    from roofline.analysis.totals import totals

    return {name: value for name, value in (est.inputs | totals(est)).items() if value is not None}
