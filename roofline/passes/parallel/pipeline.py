"""Pipeline parallelism: layers in stages, one after the other, and what goes from each to the next.

Layers of every group are spread evenly over the stages, as they stand where kinds of layers alternate. Where stages
cannot be equal, the middle ones take more layers than the last and the first, which hold head and embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

from roofline.errors import UsageError
from roofline.num import Num
from roofline.workload.constructors_collective import collective
from roofline.workload.op import Op
from roofline.workload.plan import Plan

_FIRST, _LAST = "embedding", "head"
SUBLAYERS = (".attention", ".cross", ".feed_forward")
#: Blocks of an encoder-decoder that stand outside of its layers.
_ENDS = (_FIRST, "encoder", "decoder")


def layers_of(ops: Sequence[Op]) -> int:
    """The layers of a forward pass: of each group of layers the largest count of an op."""
    groups: dict[str, float] = {}
    for op in ops:
        if op.block not in (*_ENDS, _LAST):
            group = op.block.rsplit(".", 1)[0] if op.block.endswith(SUBLAYERS) else op.block
            groups[group] = max(groups.get(group, 0.0), op.count)
    return int(sum(count for count in groups.values()))


def stage_layers(layers: int, stages: int) -> list[int]:
    """Layers of each stage. Raises UsageError where there are more stages than layers."""
    if stages > layers:
        raise UsageError(f"--pp {stages} is more than the {layers} layers of the model")
    each, rest = divmod(layers, stages)
    counts = [each] * stages
    order = [*range(stages - 2, 0, -1), 0, stages - 1]
    for stage in order[:rest]:
        counts[stage] += 1
    return counts


def stage_ops(ops: Sequence[Op], plan: Plan, stage: int, width: Num) -> list[Op]:
    """The ops of one stage. `width` is the number of elements that go from stage to stage.

    A stage in the middle sends while it receives, links being of both directions; the last one only receives.
    """
    if plan.pp == 1:
        return list(ops)
    layers = layers_of(ops)
    share = stage_layers(layers, plan.pp)[stage] / layers
    out: list[Op] = []
    for op in ops:
        if op.block in _ENDS:
            out += [op] if stage == 0 else []
        elif op.block == _LAST:
            out += [_own_head(op)] if stage == plan.pp - 1 else []
        else:
            out.append(op._replace(count=op.count * share))
    last = stage == plan.pp - 1
    name, stride = "receive" if last else "send", float(plan.stage_stride)
    transfer = collective(name, "pipeline", "send", width, 2.0, stride=stride)
    return [transfer, *out] if last else [*out, transfer]


def _own_head(op: Op) -> Op:
    """A head tied to the embedding has a copy of it on the last stage."""
    if op.kind == "linear" and not op.params:
        held = float(op.weights)
        return op._replace(params=held, active=held)
    return op
