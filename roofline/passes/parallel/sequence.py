"""Sequence parallelism: what tensor parallelism leaves whole, norms and residuals, over the tokens of a sequence.

The all-reduce behind a layer's last matrix becomes a reduce-scatter and an all-gather before the next: the same bytes.

Source: Korthikanti et al. 2022 (arXiv:2205.05198), section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from roofline.passes.parallel.shares import over_fewer_tokens
from roofline.workload.op import Op
from roofline.workload.shapes import RowShape


def split_sequence(ops: Sequence[Op], width: float, devices: float) -> list[Op]:
    """The ops of one device where norms and residuals over the model's `width` are spread over so many."""
    return [_shared(op, width, devices) for op in ops]


def _shared(op: Op, width: float, devices: float) -> Op:
    shape = op.shape
    if op.kind not in ("norm", "pointwise") or not isinstance(shape, RowShape) or shape.width != width:
        return op
    return over_fewer_tokens(op, devices, shape._replace(rows=shape.rows / devices))
