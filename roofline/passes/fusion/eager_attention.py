"""Attention as the reference code computes it.

The cache is copied to grow; then come either products with a softmax between (`attn_implementation="eager"`) or one
fused kernel (`"sdpa"`).
"""

from __future__ import annotations

from roofline.num import Num, where
from roofline.passes.fusion.kernels import ROWS, evaluate
from roofline.workload.constructors import VECTOR_FLOPS
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, MatmulShape, RowShape


def is_cached(op: Op) -> bool:
    """Whether an attention adds keys and values to a cache of its own: else the ledger holds the constant zero."""
    return not _is_zero(op.cache_held)


def shares_cache(op: Op) -> bool:
    """Whether an attention reads the cache of another layer."""
    return _is_zero(op.cache_held) and not _is_zero(op.cache_read)


def _is_zero(constant: Num) -> bool:
    return isinstance(constant, float) and constant == 0.0


def fused_attention(op: Op, shape: AttentionShape) -> list[Op]:
    """One kernel over the grown cache; only unmasked pairs are computed, as by the flash backend."""
    if not is_cached(op):
        return [op]
    fresh = op.cache_write
    return [
        _grown(op, shape, op.read - fresh),
        op._replace(read=op.read - fresh, cache_read=op.cache_read + fresh, cache_write=0.0, cache_held=0.0),
    ]


def unfused_attention(op: Op, shape: AttentionShape) -> list[Op]:
    """Scores, scale, mask, softmax and the product with v over the full rectangle, every step through memory.

    q [b, h, n, d] @ k^T [b, h, d, s] -> scores [b, h, n, s]; scores @ v [b, h, s, e] -> o [b, h, n, e]. The FLOPs are
    those of a framework's counter: all pairs of the n queries with the s keys, masked or not.
    """
    span, heads, live = shape.span, shape.heads, op.live
    # Without a causal mask the ledger knows no window either.
    keys, rows = span.cached_keys(shape.window if shape.causal else None) + span.new, span.tokens * heads
    held, queries = span.batch * keys, rows * shape.key_dim
    own, grouped = is_cached(op), shape.kv_heads < heads
    cached = own or shares_cache(op)
    out: list[Op] = []
    if own:
        out.append(_grown(op, shape, live + queries))
    if grouped:
        out.append(_repeat(op, shape, held, live + queries, cached))
    key_elements, value_elements = held * heads * shape.key_dim, held * heads * shape.value_dim
    # Ungrouped keys and values are read from the cache itself, repeated ones from memory beside it.
    beside: Num = live + queries
    stored: tuple[Num, Num] = (key_elements, value_elements)
    repeated: tuple[Num, Num] = (0.0, 0.0)
    if grouped or not cached:
        beside, stored, repeated = beside + key_elements + value_elements, repeated, stored
    scores, outputs, groups = rows * keys, rows * shape.value_dim, span.batch * heads
    fresh = 0.0 if shares_cache(op) else span.tokens * (shape.kv_heads * (shape.key_dim + shape.value_dim))
    out += [
        Op("attention.scores", "attention", op.block, op.count, flops=2.0 * scores * shape.key_dim,
           read=queries + repeated[0], cache_read=stored[0], write=scores, live=live + repeated[1],
           shape=MatmulShape(rows, shape.key_dim, keys, groups=groups)),
        *softmax_steps(op, RowShape(rows, keys, "scale"), beside, extra=op.read - queries - fresh,
                       mask=span.new * held if shape.causal else None, wide=shape.softmax_fp32),
        Op("attention.values", "attention", op.block, op.count, flops=2.0 * scores * shape.value_dim,
           read=scores + repeated[1], cache_read=stored[1], write=outputs, live=live + queries + repeated[0],
           shape=MatmulShape(rows, keys, shape.value_dim, groups=groups)),
        _copies(op, shape, queries, outputs, beside + scores),
    ]  # fmt: skip
    return out


def append(op: Op, old: Num, live: Num, made: Num = 0.0) -> Op:
    """cat(old, new): the whole cache of the layer is read and written to grow by the new keys and values.

    A layer with a window also sends its window, an integer, to the device when its cache is `made`.
    """
    fresh = op.cache_write
    return Op(
        f"{op.name}.append", "pointwise", op.block, op.count,
        read=fresh, read_fp32=2.0 * made, write_fp32=2.0 * made,
        cache_read=old, cache_write=old + fresh, cache_held=op.cache_held, state_held=op.state_held,
        live=live + old, kernels=2.0 + made, shape=RowShape(1.0, fresh, "append", "cache"),
    )  # fmt: skip


def _grown(op: Op, shape: AttentionShape, live: Num) -> Op:
    made = where(shape.span.past == 0.0, 1.0, 0.0) if shape.window is not None else 0.0
    return append(op, op.cache_read, live, made)


def _repeat(op: Op, shape: AttentionShape, held: Num, live: Num, cached: bool) -> Op:
    """Keys and values of grouped heads, written once for each query head."""
    width = shape.key_dim + shape.value_dim
    stored = held * shape.kv_heads * width
    return Op(
        "attention.repeat", "pointwise", op.block, op.count,
        read=0.0 if cached else stored, cache_read=stored if cached else 0.0, write=held * shape.heads * width,
        kernels=2.0, live=live, shape=RowShape(held * shape.heads, width, "copy"),
    )  # fmt: skip


def softmax_steps(op: Op, square: RowShape, live: Num, *, extra: Num, mask: Num | None, wide: bool) -> list[Op]:
    """Scores [b, h, n, s] times the scale, plus the mask [b, 1, n, s] where there is one, and their softmax.

    `extra` elements are added with the scale (scores of distances); what the fused op holds (sinks) takes part in the
    softmax, which is computed in 4 bytes where `wide`.
    """
    scores = square.rows * square.width
    out = [
        Op(f"{op.name}.scale", "pointwise", op.block, op.count, vector_flops=scores, read=scores + extra, write=scores,
           live=live, shape=square)
    ]  # fmt: skip
    if mask is not None:
        out.append(
            Op(f"{op.name}.mask", "pointwise", op.block, op.count, vector_flops=scores, read=scores + mask,
               write=scores, live=live, shape=square._replace(style="mask", operand=mask))
        )  # fmt: skip
    name = "softmax_fp32" if wide else "softmax"
    recipe, units = ROWS[name], (scores,)
    out.append(
        Op(f"{op.name}.softmax", "pointwise", op.block, op.count, vector_flops=(VECTOR_FLOPS["softmax"] - 1.0) * scores,
           params=op.params, active=op.active, weights=op.weights,
           read=evaluate(recipe.read, units), write=evaluate(recipe.write, units),
           read_fp32=evaluate(recipe.read_fp32, units), write_fp32=evaluate(recipe.write_fp32, units),
           reused=evaluate(recipe.reused, units), reused_fp32=evaluate(recipe.reused_fp32, units),
           live=live, kernels=recipe.launches, shape=square._replace(style="softmax", detail=name))
    )  # fmt: skip
    return out


def _copies(op: Op, shape: AttentionShape, queries: Num, outputs: Num, live: Num) -> Op:
    """Rearrangements: queries into one piece where several sequences are multiplied, outputs from heads to tokens.

    Neither moves anything where its axes have length one, but for queries that are slices of a packed projection.
    """
    span = shape.span
    several = (span.batch > 1.0) & ((span.new > 1.0) | shape.packed)
    gathered, transposed = where(several, 1.0, 0.0), where(span.new > 1.0, 1.0, 0.0)
    moved = gathered * queries + transposed * outputs
    return Op(
        "attention.copy", "pointwise", op.block, op.count, read=moved, write=moved, live=live,
        kernels=gathered + transposed, shape=RowShape(span.tokens * shape.heads, shape.value_dim, "copy"),
    )  # fmt: skip
