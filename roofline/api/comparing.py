"""Runs side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from roofline.analysis.comparing.answer import Comparing
from roofline.analysis.comparing.answer import compare as find_best
from roofline.api.estimate import Estimate
from roofline.api.objects.summary import Fact
from roofline.api.spoken import Spoken
from roofline.keywords import Grid, with_keywords
from roofline.runs.load import GPULike, ModelLike

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Comparison(Spoken, Comparing["Estimate"]):
    """Runs side by side, which show themselves. `to_dict()` is the JSON of the command line; times and bytes are SI.

    `verdict`: the answer in sentences; `rows`: the runs, each with its `answer` as `roofline.estimate` has it, or its
    `refusal`; `varied`: what tells them apart; `quantities`: what they are compared by; `winners`: the best run by each
    of these, and those that it cannot be told from; `ratio(i, j, "tpot_s")`: of two rows, with its interval.
    """

    def to_frame(self) -> pd.DataFrame:
        """One row per run as a pandas data frame (extra `data`)."""
        return self.to_pandas()

    def plot(self, quantity: str | None = None, *, theme: str | None = None) -> Figure:
        """Bars of a quantity, by default the one that the verdict is about, with intervals and bounds.

        `theme`: light or dark.
        """
        from roofline.report.plots.bars import bars_figure

        return bars_figure(self, quantity, theme=theme)

    def _facts(self) -> Iterable[Fact]:
        from roofline.api.objects.facts import facts_of_comparison

        return facts_of_comparison(self)

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import compare_html

        return compare_html(self)


@with_keywords(Grid)
def compare(
    model: ModelLike | Iterable[ModelLike], gpu: GPULike | Iterable[GPULike] | None = None, **options: Unpack[Grid]
) -> Comparison:
    """Which of several runs is the best, by how much and how surely: every combination of the values given.

    Any option may be a list of values; at most 100 runs stand side by side. Raises UsageError, UnknownNameError or
    SpecError: where nothing varies, and where every run is refused.
    """
    return find_best(model, gpu, options, Comparison, Estimate)
