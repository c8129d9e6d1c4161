"""What a run costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from roofline.analysis.costs.answer import Costing
from roofline.analysis.costs.answer import cost as find_cost
from roofline.api.spoken import Spoken
from roofline.keywords import Options, with_keywords
from roofline.runs.checks import check_single
from roofline.runs.load import GPULike, ModelLike


@dataclass(frozen=True, repr=False)
class Cost(Spoken, Costing):
    """What a run costs, which shows itself: `verdict`, `answer`, `ways`, `apis`, `load`, `per_day`, `most`."""

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import cost_html

        return cost_html(self)


@with_keywords(Options)
def cost(
    model: ModelLike, gpu: GPULike | None = None, per_day: float | None = None, **options: Unpack[Options]
) -> Cost:
    """What a run costs: rented or bought, on a machine or from an API, and from when the other is cheaper.

    `per_day`: output tokens, pictures or tokens embedded to be made in a day. Raises as `estimate` does.
    """
    check_single({"model": model, "gpu": gpu, **options})
    return find_cost(model, gpu, options, per_day, Cost)
