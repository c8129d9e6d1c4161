"""Activation checkpointing: what of a forward pass a backward pass runs once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

from roofline.errors import UsageError
from roofline.passes.training.flow import is_layer, layer_of
from roofline.passes.training.habits import LLAMA, Habits
from roofline.workload.op import Op

Policy = Literal["none", "selective", "full", "full-early"]
POLICIES: Final[tuple[Policy, ...]] = get_args(Policy)
#: What the product with a matrix is multiplied with at once, so that it is needed too.
_GATES: Final = ("shared_gate", "output_gate_proj")


def policy_of(text: str) -> Policy:
    """The policy of that name. Raises UsageError."""
    for policy in POLICIES:
        if policy == text:
            return policy
    raise UsageError(f"--recompute {text!r}: use {', '.join(POLICIES)}")


def recomputed(ops: Sequence[Op], policy: Policy, habits: Habits = LLAMA) -> tuple[Op, ...]:
    """The ops of a forward pass that are run once more, in order; they hold no parameters.

    none         nothing
    selective    the core of attention: scores, softmax, values (Korthikanti et al. 2022, arXiv:2205.05198)
    full         all of every layer (torch.utils.checkpoint, re-entrant; Megatron's `full`)
    full-early   every layer until the last tensor that its backward needs is back (not re-entrant): a last matrix
                 whose product goes into nothing but a sum is not multiplied again
    """
    if policy == "none":
        return ()
    if policy == "selective":
        again = [op for op in ops if _is_core(op)]
    else:
        again = []
        for layer in _layers(ops):
            again += _until_needed(layer, habits) if policy == "full-early" else layer
    return tuple(op._replace(name=f"{op.name}.again", params=0.0, active=0.0) for op in again)


def _is_core(op: Op) -> bool:
    """Whether an op is attention proper or a step of it."""
    return is_layer(op) and op.name.split(".", 1)[0] in ("attention", "cross_attention") and op.kind != "collective"


def _layers(ops: Sequence[Op]) -> list[list[Op]]:
    """The ops of each group of layers, without what stands outside of layers."""
    groups: dict[str, list[Op]] = {}
    for op in ops:
        if is_layer(op):
            groups.setdefault(layer_of(op), []).append(op)
    return list(groups.values())


def _until_needed(layer: list[Op], habits: Habits) -> list[Op]:
    """A layer without its last ops whose results nothing keeps.

    Autograd keeps what an op reads before it runs the op, so the last op that keeps anything is not run if that is what
    it reads.
    """
    last = len(layer)
    while last and not _keeps(layer[last - 1], habits):
        last -= 1
    if last and layer[last - 1].kind == "linear" and layer[last - 1].name not in _GATES:
        last -= 1
    return layer[:last]


def _keeps(op: Op, habits: Habits) -> bool:
    """Whether an op keeps a tensor: sums and exchanges do not, but where dropout stands before the sum."""
    if op.kind == "collective" or op.name.endswith(".lora_add"):
        return False
    return not op.name.endswith("_residual") or "residual" in habits.dropped
