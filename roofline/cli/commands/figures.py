"""The command that draws: plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from roofline.cli.options import ModelOptions, with_options
from roofline.cli.terminal import tell
from roofline.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from roofline.api import Estimate

KINDS: Final = ("roofline", "memory", "throughput", "latency")
_BATCHES: Final = tuple(2**power for power in range(10))


_WHAT: Final = "roofline; memory; throughput or latency by batch."
Output = Annotated[str, typer.Option("--output", "-o", help="File to write: .svg, .png or .pdf.", metavar="FILE")]
PlotKind = Annotated[str, typer.Option(help=_WHAT, metavar="|".join(KINDS))]


@with_options("machines")
def plot(options: ModelOptions, output: Output, kind: PlotKind = "roofline") -> None:
    """A picture: the roofline of a workload on one or more GPUs, its memory, or curves by batch."""
    from roofline.report.plots.roofline import checked_path, save_figure
    from roofline.runs.checks import one_of

    one_of("kind", kind, KINDS)
    checked_path(output)
    path = save_figure(_figure(options, kind), output)
    tell(f"wrote {path}")


def _figure(options: ModelOptions, kind: str) -> Figure:
    from roofline.report.plots import roofline as figures

    if kind == "roofline":
        return figures.roofline_figure(_estimates(options))
    if kind == "memory":
        return figures.memory_figure(*_estimates(options))
    estimates = [est for batch in _BATCHES for est in _estimates(options, batch=batch)]
    curves = {est.question.kind.curves[kind] for est in estimates}
    if len(curves) > 1:
        raise UsageError(f"--kind {kind}: models of tokens and of pictures have no axis in common; plot them apart")
    return figures.sweep_figure(map(_row, estimates), x="batch", y=curves.pop())


def _estimates(options: ModelOptions, **changed: Any) -> list[Estimate]:
    """One estimate per model and GPU."""
    from roofline.api import estimate

    given = options.options | changed
    return [estimate(model, gpu, **given) for model in options.model for gpu in options.gpu or [None]]


def _row(est: Estimate) -> dict[str, Any]:
    """The settings of a run, and what it takes in all readings: of tokens, or of pictures."""
    from roofline.analysis.estimate import totals

    return {name: value for name, value in (est.inputs | totals(est)).items() if value is not None}
