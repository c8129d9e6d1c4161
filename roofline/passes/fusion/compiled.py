"""`compiled`: element-wise and row-wise work fused with its neighbours, as torch.compile and serving engines do.

Fused, that is, without a launch and without going through memory in between:

* a residual sum and the norm behind it: both operands are read once, the sum and the normed rows are written; behind
  the sum of a post-norm block, and within a chain of sums, what nobody else reads is not written;
* the look-ups of token and position embeddings, their sum, and the norm of the embeddings or of the first layer;
* a norm of a sublayer's output and the residual sum behind it;
* norms of queries and keys and the rotation behind them; a norm inside a feed-forward and the activation before it;
* the rotation and the cache: the kernel that rotates keys writes them to their place in the cache;
* an activation and its product with the other half, and the bias of a matrix product, which are one kernel at level
  `flash` already.

Not fused: matrix products and attention stay library calls that read and write memory, one for each matrix of the
model (no merging of q, k and v, or of gate and up, that the checkpoint does not have); nothing runs in the prologue of
a product (no norm into the projections behind it, no activation into the down projection); values are put into the
cache by the attention kernel, as at level `flash`; routing and experts stay as they are.

A fused op stays in the ledger under its own name, with no launch of its own and without the traffic that fusion saves,
so that the levels can be compared op by op.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from roofline.passes.fusion.eager_attention import is_cached
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, RowShape

_NORMS: Final = ("rms", "layer")
_SUMMED: Final = ("rms", "layer", "add")
_STREAM: Final = ("add", "embedding")
_INNER: Final = ("activation", "gated")


def compiled_ops(ops: Sequence[Op]) -> tuple[Op, ...]:
    """The ops of one forward with neighbours fused, in one pass over adjacent pairs."""
    out = list(ops)
    for index in range(1, len(out)):
        first, second = out[index - 1].shape, out[index].shape
        if type(first) is RowShape and type(second) is RowShape:
            _fuse_rows(out, index, first, second)
        elif type(first) is RowShape and type(second) is AttentionShape and first.style == "rotary":
            _write_keys_to_cache(out, index - 1, first, second)
    return tuple(out)


def _fuse_rows(out: list[Op], index: int, first: RowShape, second: RowShape) -> None:
    """A row-wise op into the one before it, where it reads what that one wrote."""
    if second.style == "rotary":
        if first.style in _NORMS:
            out[index] = out[index]._replace(read=0.0, write=0.0, kernels=0.0)
    elif first.width == second.width:
        if second.style in _NORMS:
            _fuse_norm(out, index, first.style)
        elif second.style == "add":
            _fuse_sum(out, index, first.style)


def _fuse_norm(out: list[Op], index: int, style: str) -> None:
    """A norm takes its rows from the kernel before.

    That kernel still writes them where they go on as the residual stream: where the norm begins the next block. A norm
    of the same block takes their place; one behind another norm of the same block (queries, keys) reads other rows.
    """
    before, after = out[index - 1], out[index]
    same_block = before.block == after.block
    if style in _STREAM or (same_block and style in _INNER) or (not same_block and style in _NORMS):
        out[index] = after._replace(read=0.0, kernels=0.0)
        if same_block:
            out[index - 1] = before._replace(write=0.0)


def _fuse_sum(out: list[Op], index: int, style: str) -> None:
    """A sum takes an operand from the kernel before: a norm, another sum, or all the embeddings that it adds."""
    if style not in _SUMMED and style != "embedding":
        return
    start = index - 1
    while style == "embedding" and start > 0 and _style(out[start - 1]) == "embedding":
        start -= 1
    read = out[index].read
    for i in range(start, index):
        read = read - out[i].write
        out[i] = out[i]._replace(write=0.0, kernels=out[i].kernels if i == start else 0.0)
    out[index] = out[index]._replace(read=read, kernels=0.0)


def _write_keys_to_cache(out: list[Op], index: int, turned: RowShape, core: AttentionShape) -> None:
    """Rotated keys go to the cache, which the attention's own write counts, and not to memory beside it.

    Where norms of queries and keys took the rotation in, the norm of the keys is what writes them.
    """
    if not is_cached(out[index + 1]):
        return
    if _style(out[index - 1]) not in _NORMS:
        keys = turned.rows * turned.width * (core.kv_heads / (core.heads + core.kv_heads))
        out[index] = out[index]._replace(write=out[index].write - keys)
        return
    for i in range(index - 1, 0, -1):
        if out[i].name == "k_norm":
            out[i] = out[i]._replace(write=0.0)
        if _style(out[i]) not in _NORMS:
            return


def _style(op: Op) -> str:
    return op.shape.style if type(op.shape) is RowShape else ""
