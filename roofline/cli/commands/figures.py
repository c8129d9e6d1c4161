"""The command that draws: plot."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from roofline.cli.options import ModelOptions, with_options
from roofline.cli.terminal import tell
from roofline.errors import UsageError
from roofline.report.plots.kinds import PLOT_KINDS, check_kind, check_values, figure_of
from roofline.runs.checks import is_many, one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from roofline.api.estimate import Estimate

_WRITTEN: Final = "File to write: .svg, .png, .pdf, or .html, an interactive page."
Output = Annotated[str, typer.Option("--output", "-o", help=_WRITTEN, metavar="FILE")]
_WHAT: Final = "What is drawn, of the kinds above."
Kind = Annotated[str, typer.Option(help=_WHAT, metavar="|".join(PLOT_KINDS))]
Theme = Annotated[str, typer.Option(help="On a light page or a dark one.", metavar="light|dark")]

_BARS: Final = "Of bars: what they show, by its name in JSON; default: what the verdict of `compare` is about."
_OVER: Final = "Of memory: what grows; several `--batch` (over the batch: `--prompt`) are lines."
_PHASE: Final = "Of levels: a phase of the run; default: denoise, else the last."
_AT: Final = "Of a roofline: where dots stand, at the rate that is expected of the engine or at the bound."
_MEASURED: Final = (
    "Of a roofline: a CSV of measured points, or of runs as `roofline validate` reads them (docs/plots.md)."
)
_TRAIL: Final = "Of a roofline: the path of each phase's heaviest kernel over the values of a size: batch=1:256:x2."
_OP: Final = "With --trail: the path of this op."


@dataclass(frozen=True)
class PictureOptions:
    """What a picture shows, each of the kind that its help names."""

    at: Annotated[str | None, typer.Option("--at", help=_AT + " [default: expected]", metavar="expected|bound")] = None
    measured: Annotated[str | None, typer.Option("--measured", help=_MEASURED, metavar="FILE")] = None
    trail: Annotated[str | None, typer.Option("--trail", help=_TRAIL, metavar="SIZE=VALUES")] = None
    op: Annotated[str | None, typer.Option("--op", help=_OP, metavar="NAME")] = None
    over: Annotated[str | None, typer.Option("--over", help=_OVER, metavar="context|batch|side")] = None
    phase: Annotated[str | None, typer.Option("--phase", help=_PHASE, metavar="NAME")] = None
    quantity: Annotated[str | None, typer.Option("--quantity", help=_BARS, metavar="NAME")] = None


@with_options("all", PictureOptions)
def plot(options: ModelOptions, output: Output, kind: Kind = "roofline", theme: Theme = "light") -> None:
    """A picture of runs, as a file; what it shows is its `--kind`.

    - `roofline`: what bounds each kernel, and what it should reach
    - `time`: where the time goes, by block of the model and by cause
    - `memory`: what fills a GPU's memory; with `--over` as a context, a batch or a picture grows
    - `levels`: kernels, bytes and times from eager to compiled
    - `throughput`: tokens or pictures per second over the batch
    - `latency`: time per token or per picture over the batch
    - `bars`: one quantity of several runs side by side

    Models and GPUs may be given several times; with `--kind bars` every option may, as `roofline compare` takes them.
    """
    from roofline.report.plots.files import checked_path, save_figure
    from roofline.report.plots.style import THEMES, styled

    asked = {field.name: getattr(options.more, field.name) for field in fields(options.more)}
    check_kind(kind, asked, len(set(_several(options.model))) * len(set(_several(options.gpu))))
    one_of("theme", theme, THEMES)
    if asked["op"] is not None and asked["trail"] is None:
        raise UsageError("--op says whose path --trail follows; give both, for example --trail batch=1:256:x2")
    checked_path(output)
    with styled(theme):
        figure = _figure(options, kind, asked)
    tell(f"wrote {save_figure(figure, output)}")


def _trail(text: str | None) -> dict[str, Any] | None:
    """The size and the values of `batch=1:256:x2`, by the grammar of `roofline sweep`."""
    from roofline.cli.several import values_of

    if text is None:
        return None
    size, equals, values = text.partition("=")
    size = size.strip().replace("-", "_")
    if not equals or not values.strip():
        raise UsageError(f"--trail is a size and its values, such as batch=1:256:x2, not {text[:40]!r}")
    try:
        return {size: values_of("prompt" if size == "context" else size, [values])}
    except UsageError as error:
        raise UsageError(f"--trail {text[:40]}: {str(error).partition(': ')[2] or error}") from None


def _figure(options: ModelOptions, kind: str, asked: dict[str, Any]) -> Figure:
    if kind == "bars":
        from roofline.api.comparing import compare
        from roofline.report.plots.bars import bars_figure

        return bars_figure(compare(options.model, options.gpu, **options.options), asked["quantity"])
    given, values = _lines(options.options, kind, asked["over"])
    estimates = _estimates(options._replace(options=given))
    if kind == "roofline":
        from roofline.report.plots.roofline import Shown, roofline_figure

        shown = Shown(asked["at"] or "expected", asked["measured"], _trail(asked["trail"]), asked["op"])
        return roofline_figure(estimates, shown=shown)
    return figure_of(kind, estimates, **{name: asked[name] for name in PLOT_KINDS[kind].takes}, **values)


def _lines(given: dict[str, Any], kind: str, over: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of one run, and the values of the size that has several in this picture.

    Raises UsageError for several of another option, and for what the picture draws all of.
    """
    curves = PLOT_KINDS[kind].values == "batches"
    size = "batch" if curves else _lines_over(given, over) if over is not None else ""
    for name, value in given.items():
        if is_many(value) and name != size:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} takes one value with --kind {kind}; --kind bars takes several")
    if kind == "levels" and "fusion" in given:
        raise UsageError("--fusion: --kind levels draws every level")
    if size not in given or not (curves or is_many(given[size])):
        return given, {}
    values = check_values(kind, given[size] if is_many(given[size]) else [given[size]])
    rest = {name: value for name, value in given.items() if name != size}
    return (rest if curves else {**rest, size: values[0]}), {PLOT_KINDS[kind].values: values}


def _lines_over(given: dict[str, Any], over: str) -> str:
    """The option that may have several values in a picture of memory over a size."""
    from roofline.analysis.sweeping.memory import SIZES

    found = SIZES[one_of("over", over, SIZES)]
    for name in found.takes:
        if name in given:
            raise UsageError(f"--{name}: --over {over} draws all of them")
    return found.lines


def _estimates(options: ModelOptions) -> list[Estimate]:
    """One estimate per model and GPU."""
    from roofline.api.estimate import estimate

    pairs = ((model, gpu) for model in _several(options.model) for gpu in _several(options.gpu))
    return [estimate(model, gpu, **options.options) for model, gpu in pairs]


def _several(value: Any) -> list[Any]:
    """One or several values in a row."""
    return list(value) if is_many(value) else [value]
