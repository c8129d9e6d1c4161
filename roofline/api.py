"""What `import roofline as rl` gives: one question, many questions, and answers that show themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from roofline.analysis.comparing.answer import Comparing
from roofline.analysis.comparing.answer import compare as find_best
from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.answer import Fitting
from roofline.analysis.fit.answer import fit as find_fit
from roofline.keywords import Grid, Options, with_keywords
from roofline.runs.ask import ask
from roofline.runs.checks import check_single
from roofline.runs.load import GPULike, ModelLike

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from roofline.analysis.sweep import Sweep
    from roofline.analysis.sweeping.workers import Executor
    from roofline.analysis.verdict.answer import Verdict
    from roofline.answer.derivation import Derivation
    from roofline.evidence.runs.nearest import Nearest


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

    def plot(self) -> Figure:
        """The roofline plot of this estimate."""
        from roofline.report.plots.roofline import roofline_figure

        return roofline_figure([self])

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


@dataclass(frozen=True, repr=False)
class Fit(Fitting):
    """Whether a run fits, which shows itself. `to_dict()` is the JSON of the command line; bytes are SI.

    `fits`, `verdict`: the answer, in a word and in sentences; `answer`: the run as asked, as `roofline.estimate` has
    it; `limits`: largest batch, context, requests at once and side of a picture, None without meaning; `fewest`: the
    run on the fewest GPUs that hold it; `remedies`: what would help; `machines`: the accelerators looked at.
    """

    def _repr_html_(self) -> str:
        from roofline.report.tables.html import fit_html

        return fit_html(self)

    def __str__(self) -> str:
        return self.verdict

    __repr__ = __str__


@with_keywords(Options)
def fit(model: ModelLike, gpu: GPULike | None = None, **options: Unpack[Options]) -> Fit:
    """Whether a run fits in memory, with how much room, on how few GPUs, and what would help.

    `model` and `gpu` are names, files or specs; with `gpu="any"` every accelerator of the library is looked at.
    Raises UsageError, UnknownNameError or SpecError.
    """
    check_single({"model": model, "gpu": gpu, **options})
    return find_fit(model, gpu, options, Fit)


@dataclass(frozen=True, repr=False)
class Comparison(Comparing["Estimate"]):
    """Runs side by side, which show themselves. `to_dict()` is the JSON of the command line; times and bytes are SI.

    `verdict`: the answer in sentences; `rows`: the runs, each with its `answer` as `roofline.estimate` has it, or its
    `refusal`; `varied`: what tells them apart; `quantities`: what they are compared by; `winners`: the best run by each
    of these, and those that it cannot be told from; `ratio(i, j, "tpot_s")`: of two rows, with its interval.
    """

    def to_frame(self) -> pd.DataFrame:
        """One row per run as a pandas data frame (extra `data`)."""
        import pandas

        return pandas.DataFrame(list(self.records()))

    def plot(self, quantity: str | None = None) -> Figure:
        """Bars of a quantity, by default the one that the verdict is about, with intervals and bounds."""
        from roofline.report.plots.bars import bars_figure

        return bars_figure(self, quantity)

    def _repr_html_(self) -> str:
        from roofline.report.tables.html import compare_html

        return compare_html(self)

    def __str__(self) -> str:
        return self.verdict

    __repr__ = __str__


@with_keywords(Grid)
def compare(
    model: ModelLike | Iterable[ModelLike], gpu: GPULike | Iterable[GPULike] | None = None, **options: Unpack[Grid]
) -> Comparison:
    """Which of several runs is the best, by how much and how surely: every combination of the values given.

    Any option may be a list of values; at most 100 runs stand side by side. Raises UsageError, UnknownNameError or
    SpecError: where nothing varies, and where every run is refused.
    """
    return find_best(model, gpu, options, Comparison, Estimate)


@with_keywords(Grid)
def sweep(
    model: ModelLike | Iterable[ModelLike],
    gpu: GPULike | Iterable[GPULike] | None = None,
    *,
    executor: Executor | None = None,
    **options: Unpack[Grid],
) -> Sweep:
    """Every combination of the given values; any option of `estimate` may be a list (or range, or array) of values.

    The sizes (batch, users, prompt, generate, height, width, steps) are the last axes, in this order. With users there
    are columns of their steady load, `served_tpot_s` and the like. Points that cannot be are told in `refused`, and are
    not a number. With `executor` (a client of Dask, or an executor of Python) the work is done there. Raises UsageError
    for an option without values or more than 50 million points, and where no point can be.
    """
    from roofline.analysis.sweep import sweep as evaluate

    return evaluate(model, gpu, options, executor)


@with_keywords(Grid)
def sweep_blocks(
    model: ModelLike | Iterable[ModelLike],
    gpu: GPULike | Iterable[GPULike] | None = None,
    *,
    executor: Executor | None = None,
    **options: Unpack[Grid],
) -> Iterator[Sweep]:
    """The same grid, of any number of points, block by block: memory does not grow with their number.

    Each block is a sweep over its part of the sizes, for one value of every other option; what cannot be is told in
    `refused` of the block before. With `executor` (a client of Dask, or an executor of Python) the work is done there,
    in the same order. Raises UsageError for an option without values, and where no point can be.
    """
    from roofline.analysis.sweep import sweep_blocks as evaluate

    return evaluate(model, gpu, options, executor)
