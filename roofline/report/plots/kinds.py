"""The kinds of pictures of estimates: what each shows, which options of a picture it takes, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.errors import UsageError, did_you_mean
from roofline.runs.checks import one_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from roofline.analysis.estimate import Answer

#: The most points of a curve over given batches, and lines of memory over a size.
_POINTS, _LINES = 100, 4


class PlotKind(NamedTuple):
    """What a kind of picture shows, the options of pictures that it takes, the keyword of several values of a size that
    it draws, if it does, whether several runs go in one, and how many at most; 0: as many as there are.
    """

    text: str
    takes: tuple[str, ...] = ()
    values: str = ""
    several: bool = True
    most: int = 0


#: By name. What `--help` and docs/plots.md say of each is its text.
PLOT_KINDS: Final[Mapping[str, PlotKind]] = {
    "roofline": PlotKind(
        "what bounds each kernel, and what it should reach", ("at", "measured", "trail", "op"), most=7
    ),
    "time": PlotKind("where the time goes, by block of the model and by cause", most=24),
    "memory": PlotKind(
        "what fills a GPU's memory; with --over as a context, a batch or a picture grows", ("over",), "values"
    ),
    "levels": PlotKind("kernels, bytes and times from eager to compiled", ("phase",), several=False),
    "throughput": PlotKind("tokens or pictures per second over the batch", (), "batches", most=20),
    "latency": PlotKind("time per token or per picture over the batch", (), "batches", most=20),
    "bars": PlotKind("one quantity of several runs side by side", ("quantity",)),
}


def check_kind(kind: str, given: Mapping[str, Any], runs: int = 1) -> None:
    """Raises UsageError for a kind that there is not, for an option (of those that are not None) that another kind
    takes, and for several runs where one is drawn.
    """
    one_of("kind", kind, PLOT_KINDS)
    chosen = PLOT_KINDS[kind]
    for name, value in given.items():
        if value is not None and name not in chosen.takes:
            homes = " or ".join(each for each, one in PLOT_KINDS.items() if name in one.takes)
            raise UsageError(f"--{name} goes with --kind {homes}, not with --kind {kind}")
    if runs > 1 and (not chosen.several or given.get("over") is not None):
        what = f"--kind {kind} --over" if chosen.several else f"--kind {kind}"
        raise UsageError(f"{what} takes one model and one GPU, not {runs} runs")
    if 0 < chosen.most < runs:
        raise UsageError(
            f"{runs} runs in one picture of --kind {kind}: {chosen.most} can be told apart at most; leave some out, or "
            "compare them all with --kind bars"
        )


def check_values(kind: str, values: Sequence[Any]) -> list[Any]:
    """The values of the size that a picture draws several of, each once.

    Raises UsageError for one batch of a curve, and for more than can be told apart.
    """
    curves = PLOT_KINDS[kind].values == "batches"
    most = _POINTS if curves else _LINES
    if len(values) > most:
        raise UsageError(f"--kind {kind} takes at most {most} values, not {len(values):,}: more cannot be told apart")
    found = list(dict.fromkeys(values))
    if curves and len(found) < 2:
        raise UsageError(f"--kind {kind} is drawn over the batch and needs several, such as --batch 1,8,64, or none")
    return found


def refuse_axes(kind: str, ax: object) -> None:
    """Raises UsageError where a picture is to be drawn into axes that takes a page of its own."""
    if ax is not None:
        raise UsageError(f"plot(kind={kind!r}) is a page of its own; only the roofline plot is drawn into axes")


def figure_of(kind: str, estimates: Sequence[Answer], **options: Any) -> Figure:
    """A picture of estimates of any kind but roofline and bars, which have functions of their own.

    `options`: `title`, `theme`, what the kind takes, and several values of a size: `values` along which memory has
    lines, `batches` of curves. Raises UsageError for another, and as the function of the kind does.
    """
    one_of("kind", kind, PLOT_KINDS)
    if kind not in _DRAWN:
        raise UsageError("bars show several runs: roofline.compare(...).plot() draws them")
    taken = (*PLOT_KINDS[kind].takes, *filter(None, [PLOT_KINDS[kind].values]), "title", "theme")
    for name in options:
        if name not in taken:
            hint = f"{did_you_mean(name, taken)} There are: {', '.join(taken)}".strip()
            raise UsageError(f"plot takes no {name!r} with kind {kind!r}. {hint}")
    check_kind(kind, {name: options.get(name) for name in PLOT_KINDS[kind].takes}, len(estimates))
    values = PLOT_KINDS[kind].values
    if options.get(values) is not None:
        options = {**options, values: check_values(kind, options[values])}
    return _DRAWN[kind](estimates, **options)


def _memory(estimates: Sequence[Answer], over: str | None = None, values: Any = None, **options: Any) -> Figure:
    if over is None and values is None:
        from roofline.report.plots.memory import memory_figure

        return memory_figure(*estimates, **options)
    from roofline.report.plots.charts.along import along_figure

    return along_figure(estimates[0], over, values, **options)


def _time(estimates: Sequence[Answer], **options: Any) -> Figure:
    from roofline.report.plots.charts.time import time_figure

    return time_figure(*estimates, **options)


def _levels(estimates: Sequence[Answer], **options: Any) -> Figure:
    from roofline.report.plots.charts.levels import levels_figure

    return levels_figure(estimates[0], **options)


def _curves(kind: str) -> Callable[..., Figure]:
    def drawn(estimates: Sequence[Answer], **options: Any) -> Figure:
        from roofline.report.plots.charts.curves import curves_figure

        return curves_figure(estimates, kind, **options)

    return drawn


_DRAWN: Final[Mapping[str, Callable[..., Figure]]] = {
    "memory": _memory,
    "time": _time,
    "levels": _levels,
    "throughput": _curves("throughput"),
    "latency": _curves("latency"),
}
