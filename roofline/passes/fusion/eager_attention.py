"""Attention as the reference code computes it.

The cache is copied to grow; then come either products with a softmax between (`attn_implementation="eager"`) or one
fused kernel (`"sdpa"`).
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num, ceil, is_nothing, where
from roofline.passes.fusion.kernels import ROWS, evaluate
from roofline.specs.formats.caches import Row
from roofline.workload.constructors import VECTOR_FLOPS
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, MatmulShape, RowShape


def is_cached(op: Op) -> bool:
    """Whether an attention adds keys and values to a cache of its own, wherever that is held; else the ledger has the
    constant zero.
    """
    return not is_nothing(op.cache_write)


def shares_cache(op: Op) -> bool:
    """Whether an attention reads the cache of another layer."""
    return is_nothing(op.cache_write) and not is_nothing(op.cache_read)


def fused_attention(op: Op, shape: AttentionShape) -> list[Op]:
    """One kernel over the grown cache; only unmasked pairs are computed, as by the flash backend."""
    if not is_cached(op):
        return [op]
    fresh = op.cache_write
    core = op._replace(cache_write=0.0, cache_held=0.0, cache_grows=0.0, cache_before=0.0)
    return [
        _grown(op, shape, op.read - fresh),
        core._replace(read=op.read - fresh, cache_read=op.cache_read + fresh),
    ]


class _Operands(NamedTuple):
    """Elements of keys and values as the two products read them, from the cache or from memory beside it.

    `beside` is what of them lies in memory beside the cache: copies, one for each query head.
    """

    cached_keys: Num
    cached_values: Num
    keys: Num
    values: Num
    beside: Num


def _operands(op: Op, shape: AttentionShape, held: Num) -> _Operands:
    """Ungrouped keys and values are read from the cache itself, repeated ones from memory beside it."""
    keys, values = held * shape.heads * shape.key_dim, held * shape.heads * shape.value_dim
    if shape.kv_heads < shape.heads or not (is_cached(op) or shares_cache(op)):
        return _Operands(0.0, 0.0, keys, values, keys + values)
    return _Operands(keys, values, 0.0, 0.0, 0.0)


def _keys(shape: AttentionShape) -> tuple[Num, Num]:
    """Keys per query that queries, and then values, are multiplied with; mean over the queries.

    Without a causal mask code knows no window, but for that in tiles. `chunks` of 2 w tokens overlap by w = window - 1:
    n / w - 1 squares for the scores, and 3 w values a query (Longformer). `blocks` of `window` tokens: three of them.
    Both round the tokens up to whole chunks or blocks.
    """
    span, whole = shape.span, shape.whole
    keys = whole.cached_keys(shape.window if shape.causal else None) + whole.new
    if shape.pairs is not None:
        return shape.pairs / span.new, shape.pairs / span.new
    if shape.tiling is None or shape.window is None:
        return keys, keys
    tile = 2.0 * (shape.window - 1.0) if shape.tiling == "chunks" else shape.window
    padded = ceil(span.new / tile) * tile / span.new
    if shape.tiling == "blocks":
        return 3.0 * tile * padded, 3.0 * tile * padded
    return 2.0 * tile * padded - tile * tile / span.new, 1.5 * tile * padded


def unfused_attention(op: Op, shape: AttentionShape) -> list[Op]:
    """Scores, scale, mask, softmax and the product with v over the full rectangle, every step through memory.

    q [b, h, n, d] @ k^T [b, h, d, s] -> scores [b, h, n, s]; scores @ v [b, h, s, e] -> o [b, h, n, e]. The FLOPs are
    those of a framework's counter: all pairs of the n queries with the s keys, masked or not.
    """
    span, whole, live = shape.span, shape.whole, op.live
    (keys, valued), rows = _keys(shape), span.tokens * shape.heads
    held, queries, outputs = span.batch * keys, rows * shape.key_dim, rows * shape.value_dim
    beside = live + queries
    out: list[Op] = []
    if is_cached(op):
        out.append(_grown(op, shape, beside))
    if shape.kv_heads < shape.heads:
        out.append(_repeat(op, shape, held, beside))
    operands = _operands(op, shape, held)
    scores, groups = rows * keys, span.batch * shape.heads
    fresh = 0.0 if shares_cache(op) else whole.tokens * (shape.kv_heads * (shape.key_dim + shape.value_dim))
    extra, mask = op.read - queries - fresh, span.new * held if shape.causal else None
    stored = beside + operands.beside
    return [
        *out,
        Op(
            "attention.scores",
            "attention",
            op.block,
            op.count,
            flops=2.0 * scores * shape.key_dim,
            read=queries + operands.keys,
            write=scores,
            cache_read=operands.cached_keys,
            live=live + operands.values,
            shape=MatmulShape(rows, shape.key_dim, keys, groups=groups),
            row=Row(shape.key_dim),
        ),
        *softmax_steps(op, RowShape(rows, keys, "scale"), stored, extra=extra, mask=mask, wide=shape.softmax_fp32),
        Op(
            "attention.values",
            "attention",
            op.block,
            op.count,
            flops=2.0 * rows * valued * shape.value_dim,
            read=scores + operands.values,
            write=outputs,
            cache_read=operands.cached_values,
            live=beside + operands.keys,
            shape=MatmulShape(rows, keys, shape.value_dim, groups=groups),
            row=Row(0.0, shape.value_dim),
        ),
        _copies(op, shape, queries, outputs, stored + scores),
    ]


def append(op: Op, old: Num, live: Num, made: Num = 0.0) -> Op:
    """cat(old, new): the whole cache of the layer is read and written to grow by the new keys and values.

    A layer with a window also sends its window, an integer, to the device when its cache is `made`.
    """
    fresh = op.cache_write
    return Op(
        f"{op.name}.append",
        "pointwise",
        op.block,
        op.count,
        read=fresh,
        read_fp32=2.0 * made,
        write_fp32=2.0 * made,
        cache_read=old,
        cache_write=old + fresh,
        cache_held=op.cache_held,
        state_held=op.state_held,
        live=live + old,
        kernels=2.0 + made,
        shape=RowShape(1.0, fresh, "append", "cache"),
        cache_grows=op.cache_grows,
        cache_before=op.cache_before,
        row=op.row,
    )


def _grown(op: Op, shape: AttentionShape, live: Num) -> Op:
    made = where(shape.span.past == 0.0, 1.0, 0.0) if shape.window is not None else 0.0
    return append(op, op.cache_read, live, made)


def _repeat(op: Op, shape: AttentionShape, held: Num, live: Num) -> Op:
    """Keys and values of grouped heads, written once for each query head."""
    width = shape.key_dim + shape.value_dim
    stored, y = held * shape.kv_heads * width, held * shape.heads * width
    read, cached = (0.0, stored) if is_cached(op) or shares_cache(op) else (stored, 0.0)
    amounts, copy = (0.0, 0.0, 0.0, 0.0, 0.0, read, y), RowShape(held * shape.heads, width, "copy")
    return Op(
        "attention.repeat",
        "pointwise",
        op.block,
        op.count,
        *amounts,
        cache_read=cached,
        kernels=2.0,
        live=live,
        shape=copy,
        row=op.row,
    )


def softmax_steps(op: Op, square: RowShape, live: Num, *, extra: Num, mask: Num | None, wide: bool) -> list[Op]:
    """Scores [b, h, n, s] times the scale, plus the mask [b, 1, n, s] where there is one, and their softmax.

    `extra` elements are added with the scale (scores of distances); what the fused op holds (sinks) takes part in the
    softmax, which is computed in 4 bytes where `wide`.
    """
    name, block, count = op.name, op.block, op.count
    scores = square.rows * square.width
    read = scores + extra
    out = [
        Op(f"{name}.scale", "pointwise", block, count, 0.0, scores, read=read, write=scores, live=live, shape=square)
    ]
    if mask is not None:
        read, masked = scores + mask, square._replace(style="mask", operand=mask)
        out.append(
            Op(f"{name}.mask", "pointwise", block, count, 0.0, scores, read=read, write=scores, live=live, shape=masked)
        )
    out.append(_softmax(op, square._replace(style="softmax", detail="softmax_fp32" if wide else "softmax"), live))
    return out


def _softmax(op: Op, square: RowShape, live: Num) -> Op:
    """The softmax of an attention, with what that holds."""
    scores = square.rows * square.width
    recipe, units = ROWS[square.detail], (scores,)
    return Op(
        f"{op.name}.softmax",
        "pointwise",
        op.block,
        op.count,
        vector_flops=(VECTOR_FLOPS["softmax"] - 1.0) * scores,
        params=op.params,
        active=op.active,
        weights=op.weights,
        read=evaluate(recipe.read, units),
        write=evaluate(recipe.write, units),
        read_fp32=evaluate(recipe.read_fp32, units),
        write_fp32=evaluate(recipe.write_fp32, units),
        reused=evaluate(recipe.reused, units),
        reused_fp32=evaluate(recipe.reused_fp32, units),
        live=live,
        kernels=recipe.launches,
        shape=square,
    )


def _copies(op: Op, shape: AttentionShape, queries: Num, outputs: Num, live: Num) -> Op:
    """Rearrangements: queries into one piece where several sequences are multiplied, outputs from heads to tokens.

    Neither moves anything where its axes have length one, but for queries that are slices of a packed projection.
    """
    span = shape.span
    several = (span.batch > 1.0) & ((span.new > 1.0) | shape.packed)
    gathered, transposed = where(several, 1.0, 0.0), where(span.new > 1.0, 1.0, 0.0)
    moved, kernels = gathered * queries + transposed * outputs, gathered + transposed
    amounts = (0.0, 0.0, 0.0, 0.0, 0.0, moved, moved)
    rows = RowShape(span.tokens * shape.heads, shape.value_dim, "copy")
    return Op("attention.copy", "pointwise", op.block, op.count, *amounts, live=live, kernels=kernels, shape=rows)
