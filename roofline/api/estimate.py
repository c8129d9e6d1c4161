"""One question, and its answer, which shows itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.answer.times import Times
from roofline.api.objects.lacking import lacking
from roofline.api.objects.rows import Derivations, Frames, Ops, Phases, Records
from roofline.api.objects.summary import Summary
from roofline.keywords import Options, with_keywords
from roofline.runs.ask import ask
from roofline.runs.checks import check_single
from roofline.runs.load import GPULike, ModelLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from roofline.analysis.verdict.answer import Verdict
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
class Estimate(Frames, Answer):
    """The answer, which shows itself. `to_dict()` is the JSON of the command line; times and bytes are SI.

    `question` is what was asked, resolved, and `workload` its ops; `parameters`: total, active, embedding; `memory`:
    bytes by what they hold, fits, max_batch, max_context; `phases`: counts, bound and times of each; `latency`: ttft,
    tpot, step, total; `throughput`: output_tokens, tokens, images; each of these is a `Times` (floor, bound, expected,
    low, high) or None without meaning; `service`: a steady load of users, None where the engine is no server;
    `inputs`, `machine`, `assumptions`, `warnings`, `sources`: as in JSON.
    """

    phases: Phases

    def __post_init__(self) -> None:
        object.__setattr__(self, "phases", Phases(self.phases))

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

    def explain(self, quantity: str | None = None) -> Derivations:
        """Where each headline number comes from: formula, values, lines of the specs, source.

        `quantity`: one of them (`tpot`, `kv_cache`, `decode.bound_s`), or all of a phase or a group (`decode`,
        `memory`). Raises UsageError for one that there is not, with the one that may be meant.
        """
        from roofline.analysis.explain import explain
        from roofline.analysis.named import named

        self.refuse_grid("derivations are those")
        found = explain(self)
        return Derivations(found if quantity is None else named(found, quantity))

    def ops(self, phase: str | None = None, split: bool = False) -> Ops:
        """The op ledger of a phase (default: the model's first; `all`: of every one), totals over one repeat.

        A row is a kernel as the engine launches it: projections that it joins are one (`qkv_proj`), `split` gives them
        one by one. The last rows, of the kind `outside`, are what takes time beside ops, so that `expected_s` sums to
        that of the phase, and `bound_s` to its bound.
        """
        return Ops(super().ops(phase, split), self)

    def records(self) -> Records:
        """One flat row per phase: inputs, counts and times of one repeat, totals of the whole run, the same in each.

        A total under its own name (`total_s`, `ttft_s`, `total_bytes`, `fits` …) is what is expected; `_floor`,
        `_bound`, `_low` and `_high` are its other readings.
        """
        return Records(super().records())

    @property
    def ttft(self) -> Times:
        """Seconds to the first token. Raises UsageError where this kind of run has none."""
        return self._time("ttft")

    @property
    def tpot(self) -> Times:
        """Seconds per output token of the whole batch. Raises UsageError where this kind of run has none."""
        return self._time("tpot")

    @property
    def step(self) -> Times:
        """Seconds of a step of denoising. Raises UsageError where this kind of run has none."""
        return self._time("step")

    @property
    def total(self) -> Times:
        """Seconds of the whole run."""
        return self._time("total")

    @property
    def fits(self) -> Any:
        """Whether it fits in memory."""
        return self.memory.fits

    def summary(self) -> Summary:
        """The verdict and the five figures that matter most, as text that prints well."""
        from roofline.api.objects.facts import facts_of_estimate

        return Summary.of(self.verdict, list(facts_of_estimate(self)))

    def _time(self, name: str) -> Times:
        found: Times | None = self.latency[f"{name}_s"]
        if found is None:
            raise lacking(self, name)
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise lacking(self, name)

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
        from roofline.report.notebook.answers import estimate_html

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
