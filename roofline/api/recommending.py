"""Which machine to take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Unpack

from roofline.analysis.recommend.answer import Recommendation as Recommending
from roofline.analysis.recommend.answer import recommend as find_plans
from roofline.api.objects.rows import Plans
from roofline.api.spoken import Spoken
from roofline.keywords import Wishes, with_keywords
from roofline.runs.load import GPULike, ModelLike


@dataclass(frozen=True, repr=False)
class Recommendation(Spoken, Recommending):
    """Which machine to take, which shows itself. `to_dict()` is the JSON of the command line; times and bytes are SI.

    `found`, `verdict`: the answer, in a word and in sentences; `plans`: the few best, each with its `answer`, `times`,
    `cost_per_hour`; `best`: by what each of them is; `out`: why each other accelerator is not among them.
    """

    plans: Plans

    def __post_init__(self) -> None:
        object.__setattr__(self, "plans", Plans.of(self.plans, self.records))

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import recommend_html

        return recommend_html(self)


@with_keywords(Wishes)
def recommend(
    model: ModelLike, gpu: GPULike | Iterable[GPULike] | None = None, **options: Unpack[Wishes]
) -> Recommendation:
    """Which machine to take for a model: the few best plans, by cost, by speed and by memory that is left.

    `gpu` is one, several, or "any" (as left out): every accelerator whose price is known. `users` at once, or `rate`
    per second; `ttft`, `tpot`, `total`: longest times (seconds, or "50ms"); `tokens_per_s`: the least of a user while
    it writes; `budget` per hour; `formats` of weights that are acceptable; `max_gpus` of a plan; `top`: plans by cost.
    Raises UsageError, UnknownNameError or SpecError.
    """
    return find_plans(model, gpu, options, Recommendation)
