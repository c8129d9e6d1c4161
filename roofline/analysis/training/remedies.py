"""What would help where a training step does not fit: options to change, those that cost least first.

Which of them does how much is told by asking again; what is listed here is only what can be asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from roofline.runs.training.run import TrainQuestion

#: Ranks of adapters that are proposed where all weights are trained.
_RANK: Final = 16
#: Devices of a group of tensors that are proposed at most where no node says how many are near each other.
_NEAR: Final = 8
_ADAM: Final = ("adamw", "adam")
_SIXTEEN: Final = ("bf16", "bf16-pure", "bf16-mixed", None)


class Remedy(NamedTuple):
    """Options to change (None: not to give), and words for them."""

    changes: Mapping[str, Any]
    words: str

    def asked(self, question: TrainQuestion) -> dict[str, Any]:
        """All options of a question with these changed."""
        merged = {**question.asked, **self.changes}
        return {name: value for name, value in merged.items() if value is not None}


def remedies(question: TrainQuestion) -> tuple[Remedy, ...]:
    """What can be changed, each by itself: first what leaves the weights that are trained as they are."""
    ways = (_activations, _sharing, _states, _plans, _adapters)
    return tuple(remedy for way in ways for remedy in way(question))


def _activations(question: TrainQuestion) -> Iterator[Remedy]:
    run = question.run
    if run.eager_attention:
        yield Remedy({"attention": None}, "fused attention")
        if run.recompute == "none":
            yield Remedy({"recompute": "selective"}, "scores done again")
    if run.recompute != "full":
        yield Remedy({"recompute": "full"}, "layers done again")
    if (half := _half(run.micro_batch, run.global_batch, question.plan.dp)) is not None:
        yield Remedy({"micro_batch": half, "global_batch": int(run.global_batch)}, f"micro-batches of {half}")


def _half(micro: float, whole: float, replicas: int) -> int | None:
    """The largest micro-batch of at most half the size that divides a step; None where it is 1 already."""
    for size in range(int(micro // 2), 0, -1):
        if whole % (size * replicas) == 0.0:
            return size
    return None


def _sharing(question: TrainQuestion) -> Iterator[Remedy]:
    """Higher stages of ZeRO, where there is somebody to share with."""
    if question.layout.sharers == 1:
        return
    what = {1: "the optimizer's states shared out", 2: "gradients shared out too", 3: "weights shared out too"}
    for stage in range(question.layout.zero + 1, 4):
        yield Remedy({"zero": stage, "fsdp": None}, what[stage])


def _states(question: TrainQuestion) -> Iterator[Remedy]:
    if question.run.optimizer in _ADAM:
        yield Remedy({"optimizer": "adamw-8bit"}, "the optimizer's states in 8 bit")
    if question.mode == "bf16" and question.run.adapters is None and question.recipe.holding != "pure":
        yield Remedy({"precision": "bf16-pure"}, "all states in bf16")


def _plans(question: TrainQuestion) -> Iterator[Remedy]:
    """The same devices along other axes, then twice as many."""
    plan, node = question.plan, question.layout.spread.node
    if not question.run.sequence:
        return
    near = node.count if node is not None else _NEAR
    for axis, most in (("tp", near), ("pp", plan.devices), ("cp", plan.devices)):
        size = 2 * getattr(plan, axis)
        if plan.dp % 2 == 0 and size <= most:
            sizes = {**plan._asdict(), axis: size, "dp": plan.dp // 2}
            yield Remedy(_named(sizes), f"{axis} {size} on the same GPUs")
    if plan.devices > 1 and question.layout.zero:
        yield Remedy(_named({**plan._asdict(), "dp": 2 * plan.dp}), f"{2 * plan.devices} GPUs")
    elif 2 * plan.tp <= near:
        yield Remedy(_named({**plan._asdict(), "tp": 2 * plan.tp}), f"{2 * plan.devices} GPUs, tp {2 * plan.tp}")


def _named(sizes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: sizes[name] for name in ("tp", "pp", "cp", "dp")} | {"gpus": None}


def _adapters(question: TrainQuestion) -> Iterator[Remedy]:
    run = question.run
    if run.adapters is None:
        yield Remedy({"lora": _RANK}, f"adapters of rank {_RANK} in place of all weights")
        yield Remedy({"lora": _RANK, "base": "nf4"}, "the same on a base in 4 bit")
    elif run.base in _SIXTEEN or run.base in ("fp16", "fp32"):
        yield Remedy({"base": "int8"}, "the frozen weights in 8 bit")
        yield Remedy({"base": "nf4"}, "the frozen weights in 4 bit")
