"""What is kept under a policy, by one of two sets of rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from roofline.num import Num, maximum
from roofline.passes.training.flow import Flow, is_layer, layer_of
from roofline.passes.training.habits import LLAMA, Habits
from roofline.passes.training.kept.checkpoints import kept_checkpoints
from roofline.passes.training.kept.eager import kept_eager
from roofline.passes.training.kept.fused import kept_fused
from roofline.passes.training.kept.layer import Attention
from roofline.passes.training.kept.tensors import Kept
from roofline.passes.training.recompute import Policy

Rules = Literal["eager", "fused"]


class Keeping(NamedTuple):
    """By which rules tensors are kept, and what is computed again instead.

    rules      `eager`: modules of transformers; `fused`: Megatron, Transformer Engine, compiled models
    attention  `flash`, or `eager` where scores lie in memory
    dropout    of `fused`: there is dropout. Of `eager`, the habits say it
    sequence_parallel   devices over which tokens are divided where tensors are not
    """

    rules: Rules = "eager"
    policy: Policy = "none"
    attention: Attention = "flash"
    habits: Habits = LLAMA
    dropout: bool = False
    sequence_parallel: float = 1.0


_DEFAULT: Final = Keeping()


def kept(flows: Sequence[Flow], keeping: Keeping = _DEFAULT) -> tuple[Kept, ...]:
    """What a forward pass keeps for its backward pass; of `full` policies, the inputs of layers and what is outside."""
    if keeping.policy in ("full", "full-early"):
        return _checkpoints(flows, keeping)
    attention: Attention = "selective" if keeping.policy == "selective" else keeping.attention
    if keeping.rules == "eager":
        return kept_eager(flows, keeping.habits, attention)
    return kept_fused(flows, keeping.dropout, attention, sequence_parallel=keeping.sequence_parallel)


def _checkpoints(flows: Sequence[Flow], keeping: Keeping) -> tuple[Kept, ...]:
    if keeping.rules == "eager":
        return kept_checkpoints(flows, keeping.habits)
    share = keeping.sequence_parallel
    outside = [flow for flow in flows if not is_layer(flow.op)]
    inputs = [tensor for tensor in kept_checkpoints(flows) if tensor.op == "input"]
    own = kept_fused(outside, keeping.dropout, sequence_parallel=share)
    return (*own, *(tensor._replace(half=tensor.half / share) for tensor in inputs))


def live_layer(flows: Sequence[Flow], keeping: Keeping) -> Num:
    """Bytes that the layer which keeps most keeps: with checkpoints, of the one layer that is computed again."""
    layers: dict[tuple[str, float], Num] = {}
    for tensor in kept(flows, keeping._replace(policy="none")):
        if tensor.block != "shared" and tensor.block.count(".") and tensor.count:
            key = tensor.block.rsplit(".", 1)[0], tensor.count
            layers[key] = layers.get(key, 0.0) + tensor.bytes
    most: Num = 0.0
    for found in layers.values():
        most = maximum(most, found)
    return most


def layers_kept(tensors: Sequence[Kept], op_layers: Sequence[Flow]) -> dict[str, Num]:
    """Bytes kept by group of layers, and by what stands outside of them."""
    groups = {flow.op.block: layer_of(flow.op) for flow in op_layers}
    out: dict[str, Num] = {}
    for tensor in tensors:
        where = groups.get(tensor.block, tensor.block)
        out[where] = out.get(where, 0.0) + tensor.count * tensor.bytes
    return out
