"""The command that draws: plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from roofline.cli.options import ModelOptions, with_options
from roofline.cli.terminal import tell
from roofline.errors import UsageError
from roofline.runs.checks import is_many, one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from roofline.api.estimate import Estimate

KINDS: Final = ("roofline", "memory", "throughput", "latency", "bars")
_BATCHES: Final = tuple(2**power for power in range(10))


_WHAT: Final = "roofline; memory; throughput or latency by batch; bars of a comparison."
Output = Annotated[str, typer.Option("--output", "-o", help="File to write: .svg, .png or .pdf.", metavar="FILE")]
PlotKind = Annotated[str, typer.Option(help=_WHAT, metavar="|".join(KINDS))]
_BARS: Final = "Of bars: what they show, by its name in JSON; default: what the verdict of `compare` is about."
Shown = Annotated[str | None, typer.Option("--quantity", help=_BARS, metavar="NAME")]
Theme = Annotated[str, typer.Option(help="On a light page or a dark one.", metavar="light|dark")]


@with_options("all")
def plot(
    options: ModelOptions, output: Output, kind: PlotKind = "roofline", quantity: Shown = None, theme: Theme = "light"
) -> None:
    """A picture: the roofline of a workload on one or more GPUs, its memory, curves by batch, or runs side by side.

    Models and GPUs may be given several times; with `--kind bars` every option may, as `roofline compare` takes them.
    """
    from roofline.report.plots.files import checked_path, save_figure
    from roofline.report.plots.style import THEMES, styled

    one_of("kind", kind, KINDS)
    if quantity is not None and kind != "bars":
        raise UsageError(f"--quantity goes with --kind bars, not with --kind {kind}")
    checked_path(output)
    with styled(one_of("theme", theme, THEMES)):
        figure = _bars(options, quantity) if kind == "bars" else _figure(options, kind)
    path = save_figure(figure, output)
    tell(f"wrote {path}")


def _bars(options: ModelOptions, quantity: str | None) -> Figure:
    from roofline.api.comparing import compare
    from roofline.report.plots.bars import bars_figure

    return bars_figure(compare(options.model, options.gpu, **options.options), quantity)


def _figure(options: ModelOptions, kind: str) -> Figure:
    from roofline.report.plots import roofline as figures

    for name, value in options.options.items():
        if is_many(value):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} takes one value with --kind {kind}; --kind bars takes several")
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
    from roofline.api.estimate import estimate

    given = options.options | changed
    return [estimate(model, gpu, **given) for model in _several(options.model) for gpu in _several(options.gpu)]


def _several(value: Any) -> list[Any]:
    """One or several values in a row."""
    return list(value) if is_many(value) else [value]


def _row(est: Estimate) -> dict[str, Any]:
    """The settings of a run, and what it takes in all readings: of tokens, or of pictures."""
    from roofline.analysis.estimate import totals

    return {name: value for name, value in (est.inputs | totals(est)).items() if value is not None}
