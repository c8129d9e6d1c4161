"""What a training step costs by every published convention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from roofline.analysis.training.conventions.answer import Counting, count_flops
from roofline.api.spoken import Spoken
from roofline.runs.load import GPULike, ModelLike


class FlopsOptions(TypedDict, total=False):
    """What may be asked beside a model, as on the command line."""

    sequence: int | None
    batch: int
    decoder: int | None
    gpu: GPULike | None
    gpus: int | None
    precision: str | None
    tokens_per_s: float | None
    tokens_per_s_per_gpu: float | None
    mfu: float | None
    budget: float | None
    gpu_hours: float | None
    params: float | None
    tokens: float | None
    spec_dir: str | None


@dataclass(frozen=True, repr=False)
class Flops(Spoken, Counting):
    """FLOPs of a training step by every convention, which shows itself; `to_dict()` is the JSON of the command line.

    `verdict`: the answer in sentences; `counts`: what each convention says, `count(key)` one of them; `shares`:
    attention's share as the context grows; `laws`: what scaling laws say.
    """

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import flops_html

        return flops_html(self)


def flops(model: ModelLike | None = None, **options: Unpack[FlopsOptions]) -> Flops:
    """FLOPs per token of a training step by every published convention, with the reason of each difference.

    With a rate, `tokens_per_s` of all accelerators or `tokens_per_s_per_gpu`, and `gpu`: the MFU by each; with `mfu`:
    the rate. With `budget` in FLOPs (or `gpu_hours`, `gpu` and `mfu`), `params` or `tokens`: what scaling laws find
    best; a model is not needed for that. Raises UsageError, UnknownNameError or SpecError.
    """
    return count_flops(model, dict(options), Flops)
