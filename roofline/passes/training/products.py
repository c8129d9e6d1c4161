"""Selective repetition by products: of each layer every second product is done again, and all that is no product.

What every other product gives is kept, what attention gives and sums over devices always. The order is that of the
ledger, which is that of the model's code.

Source: pytorch/torchtitan, activation checkpointing in mode `selective` with option `op`, its default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roofline.num import Num
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, CollectiveShape

_OUTSIDE = ("embedding", "head", "pipeline", "encoder", "decoder")
_HALF, _WIDE = 2.0, 4.0


def repeated(ops: Sequence[Op]) -> tuple[Op, ...]:
    """The ops of layers that are done again, in order."""
    return tuple(op for op, kept in _marked(ops) if not kept)


def kept_bytes(ops: Sequence[Op]) -> Num:
    """Bytes that layers keep of what their ops give, beside the input of each."""
    total: Num = 0.0
    for op, kept in _marked(ops):
        if kept:
            total = total + op.count * (_HALF * op.write + _sums(op))
    return total


def _marked(ops: Sequence[Op]) -> Iterator[tuple[Op, bool]]:
    """Ops of layers, and whether what they give is kept. Layers are told apart by names that come again."""
    seen: set[str] = set()
    group, products = "", 0
    for op in ops:
        if op.block in _OUTSIDE:
            continue
        here = op.block.rpartition(".")[0]
        if here != group or (op.kind == "linear" and op.name in seen):
            seen, group, products = set(), here, 0
        if op.kind == "linear":
            seen.add(op.name)
            products += 1
        yield op, _gives(op, products)


def _gives(op: Op, products: int) -> bool:
    if op.kind == "linear":
        return products % 2 == 1
    if isinstance(op.shape, CollectiveShape):
        return op.shape.operation in ("reduce_scatter", "all_reduce")
    return op.kind == "attention"


def _sums(op: Op) -> Num:
    """Of fused attention, the logarithm of each query's sum in fp32."""
    if isinstance(op.shape, AttentionShape):
        return _WIDE * op.shape.span.tokens * op.shape.heads
    return 0.0
