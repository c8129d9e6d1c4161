"""What `import roofline as rl` gives: one question, many questions, and answers that show themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Unpack

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.answer import Fitting
from roofline.analysis.fit.answer import fit as find_fit
from roofline.keywords import Grid, Options, with_keywords
from roofline.runs.ask import ask
from roofline.runs.checks import check_single
from roofline.runs.load import GPULike, ModelLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from roofline.analysis.sweep import Sweep
    from roofline.analysis.sweeping.workers import Executor
    from roofline.answer.derivation import Derivation
    from roofline.evidence.runs.nearest import Nearest


@dataclass(frozen=True, repr=False, eq=False)
class Estimate(Answer):
    """The answer, which shows itself. `to_dict()` is the JSON of the command line; times and bytes are SI.

    `question` is what was asked, resolved, and `workload` its ops; `parameters`: total, active, embedding; `memory`:
    bytes by what they hold, fits, max_batch, max_context; `phases`: counts, bound and times of each; `latency`: ttft,
    tpot, step, total; `throughput`: output_tokens, tokens, images; each of these is a `Times` (floor, bound, expected,
    low, high) or None without meaning; `inputs`, `machine`, `assumptions`, `warnings`, `sources`: as in JSON.
    """

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

        return estimate_html(self, self.nearest)

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


@with_keywords(Grid)
def sweep(
    model: ModelLike | Iterable[ModelLike],
    gpu: GPULike | Iterable[GPULike] | None = None,
    *,
    executor: Executor | None = None,
    **options: Unpack[Grid],
) -> Sweep:
    """Every combination of the given values; any option of `estimate` may be a list (or range, or array) of values.

    The sizes (batch, prompt, generate, height, width, steps) are the last axes, in this order. Points that cannot be
    are told in `refused`, and are not a number. With `executor` (a client of Dask, or an executor of Python) the work
    is done there. Raises UsageError for an option without values or more than 50 million points, and where no point
    can be.
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
