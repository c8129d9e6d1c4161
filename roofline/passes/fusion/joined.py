"""Projections of one input as one matrix product, as engines that join their matrices when they load them run them.

    [t, i] @ [i, q], [t, i] @ [i, k], [t, i] @ [i, v]  ->  [t, i] @ [i, q + k + v]

FLOPs, weights and results stay; the input is read once, and there is one launch. A packed projection of the checkpoint
(an op without a launch of its own) is always joined to the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape

_ATTENTION: Final = {"q_proj": "qkv", "k_proj": "qkv", "v_proj": "qkv", "kv_a_proj": "a", "q_a_proj": "a"}
_FEED_FORWARD: Final = {"gate_proj": "gate_up", "up_proj": "gate_up", "shared_gate_proj": "shared_gate_up",
                        "shared_up_proj": "shared_gate_up"}  # fmt: skip
#: What an engine joins, and the projections that this puts into one matrix.
JOINS: Final[dict[str, dict[str, str]]] = {
    "none": {}, "attention": _ATTENTION, "all": _ATTENTION | _FEED_FORWARD,
}  # fmt: skip


def join_projections(ops: Sequence[Op], which: str) -> Sequence[Op]:
    """The ops with the projections of `which` (none, attention, all) joined into the first one of each block."""
    named = JOINS[which]
    out: list[Op] = []
    places: dict[tuple[str, str], int] = {}
    for op in ops:
        shape = op.shape
        if type(shape) is MatmulShape:
            packed = isinstance(op.kernels, float) and op.kernels == 0.0
            if packed and out and _fits(out[-1], op):
                out[-1] = _joined(out[-1], op)
                continue
            if (group := named.get(op.name)) is not None:
                key = (op.block, group)
                place = places.get(key)
                if place is not None and _fits(out[place], op):
                    out[place] = _joined(out[place], op)
                    continue
                places[key] = len(out)
        out.append(op)
    return out


def _fits(first: Op, second: Op) -> bool:
    """Whether both are products of the same input in the same layers."""
    a, b = first.shape, second.shape
    return type(a) is MatmulShape and type(b) is MatmulShape and a.m is b.m and a.k == b.k and (
        first.block == second.block and first.count == second.count
    )  # fmt: skip


def _joined(first: Op, second: Op) -> Op:
    a, b = first.shape, second.shape
    assert isinstance(a, MatmulShape) and isinstance(b, MatmulShape)
    return first._replace(
        flops=first.flops + second.flops, vector_flops=first.vector_flops + second.vector_flops,
        params=first.params + second.params, active=first.active + second.active,
        weights=first.weights + second.weights, write=first.write + second.write,
        shape=a._replace(n=a.n + b.n),
    )  # fmt: skip
