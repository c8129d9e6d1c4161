"""One question, and its answer, which shows itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.keywords import Options, with_keywords
from roofline.runs.ask import ask
from roofline.runs.checks import check_single
from roofline.runs.load import GPULike, ModelLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from roofline.analysis.verdict.answer import Verdict
    from roofline.answer.derivation import Derivation
    from roofline.evidence.runs.nearest import Nearest


class Plotted(TypedDict, total=False):
    """What `Estimate.plot` shows."""

    at: Literal["expected", "bound"]
    measured: str | Path | None
    trail: Mapping[str, Sequence[Any]] | None
    op: str | None
    over: str | None
    values: Sequence[int] | None
    phase: str | None
    batches: Sequence[int] | None
    title: str | None


@dataclass(frozen=True, repr=False, eq=False)
class Estimate(Answer):
    """The answer, which shows itself. `to_dict()` is the JSON of the command line; times and bytes are SI.

    `question` is what was asked, resolved, and `workload` its ops; `parameters`: total, active, embedding; `memory`:
    bytes by what they hold, fits, max_batch, max_context; `phases`: counts, bound and times of each; `latency`: ttft,
    tpot, step, total; `throughput`: output_tokens, tokens, images; each of these is a `Times` (floor, bound, expected,
    low, high) or None without meaning; `service`: a steady load of users, None where the engine is no server;
    `inputs`, `machine`, `assumptions`, `warnings`, `sources`: as in JSON.
    """

    @cached_property
    def decision(self) -> Verdict:
        """What limits it, how sure that is, what would help most, and the elasticities behind that."""
        from roofline.analysis.verdict.answer import verdict_of

        self.refuse_grid("a verdict is that")
        return verdict_of(self)

    @property
    def verdict(self) -> str:
        """The answer in a sentence or two."""
        return self.decision.text

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline estimate --json`: the verdict first, what it rests on last."""
        return {"verdict": self.verdict, **super().to_dict(), **self.decision.to_dict()}

    @cached_property
    def nearest(self) -> list[Nearest]:
        """The three measured runs most like this one, and how far its engine's expected time is from each."""
        from roofline.evidence.runs.nearest import nearest

        return nearest(self)

    def explain(self) -> list[Derivation]:
        """Where each headline number comes from: formula, values, lines of the specs, source."""
        from roofline.analysis.explain import explain

        self.refuse_grid("derivations are those")
        return explain(self)

    @overload
    def plot(self, kind: str = ..., *, ax: Axes, theme: str | None = None, **shown: Unpack[Plotted]) -> Axes: ...

    @overload
    def plot(
        self, kind: str = ..., *, ax: None = None, theme: str | None = None, **shown: Unpack[Plotted]
    ) -> Figure: ...

    def plot(
        self, kind: str = "roofline", *, ax: Axes | None = None, theme: str | None = None, **shown: Unpack[Plotted]
    ) -> Figure | Axes:
        """A picture of this estimate: its roofline, or one of another kind of docs/plots.md.

        `kind`: "time"; "memory", `over` a "context", a "batch" or the "side" of a picture (`values`: of lines);
        "levels" of a `phase`; "throughput" or "latency" over `batches`. Of a roofline `at` is "expected", dots at the
        rate that is expected, or "bound"; `measured` a CSV of measured points; `trail={"batch": [1, 8, 64]}` the path
        of each phase's heaviest kernel, or of `op`, over the values of a size; `ax` axes of matplotlib into which it is
        drawn, and which it then returns (`title=""`: without one). `theme`: light or dark. Raises UsageError for what
        cannot be drawn.
        """
        if kind != "roofline":
            from roofline.report.plots.kinds import figure_of, refuse_axes

            refuse_axes(kind, ax)
            return figure_of(kind, [self], theme=theme, **shown)
        from roofline.report.plots.roofline import roofline_axes, roofline_figure, shown_of

        title, what = shown_of(shown)
        if ax is not None:
            return roofline_axes([self], ax, title=title, shown=what, theme=theme)
        return roofline_figure([self], title=title, shown=what, theme=theme)

    def _repr_html_(self) -> str | None:
        if not self.single:
            return None
        from roofline.report.tables.html import estimate_html

        return estimate_html(self, self.nearest, self.verdict)

    def __str__(self) -> str:
        if not self.single:
            q = self.question
            return f"{q.spec.title} on {q.gpu.title}: a grid of sizes; roofline.sweep has its points one by one"
        from roofline.report.tables.estimate import sentence

        return sentence(self)

    __repr__ = __str__


@with_keywords(Options)
def estimate(model: ModelLike, gpu: GPULike | None = None, **options: Unpack[Options]) -> Estimate:
    """How fast a model runs on a GPU, how much memory it takes, and what bounds it.

    `model` and `gpu` are names, files or specs; for several values of an option see `sweep`. Raises UsageError,
    UnknownNameError or SpecError.
    """
    check_single({"model": model, "gpu": gpu, **options})
    return evaluate(ask(model, gpu, options), Estimate)
