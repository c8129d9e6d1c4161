"""Attention over latent, selected or compressed keys as the reference code computes it: every pair, then a mask.

What an indexer chooses only masks scores that are computed all the same. The kernels are those of softmax attention,
without the copies that join a key's rotated part with the rest; all operands are counted with the first product. What
that leaves out of a recorded layer is stated in docs/traffic.md.
"""

from __future__ import annotations

from roofline.num import Num, minimum
from roofline.passes.fusion.eager_attention import append, softmax_steps
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape, RowShape, SelectedAttentionShape


def unfused_selected(op: Op, shape: SelectedAttentionShape) -> list[Op]:
    """Scores of the whole rectangle, scale, mask, softmax and product with the values; of an indexer, its choice."""
    span = shape.span
    rows, keys = span.tokens * shape.heads, shape.rectangle / span.new
    scores, groups = rows * keys, span.batch * shape.heads
    grown = append(op, minimum(op.cache_write * (span.mean_past / span.new), op.cache_held), op.live)
    core = op._replace(cache_write=0.0, cache_held=0.0, cache_grows=0.0, cache_before=0.0, state_held=0.0)
    if shape.scores_only:
        return [grown, _choice(core, shape, scores, span.tokens * keys)]
    mask, beside, name = span.tokens * keys, op.live + rows * shape.key_dim, f"{op.name}.values"
    flops, second = 2.0 * scores * shape.value_dim, MatmulShape(rows, keys, shape.value_dim, groups=groups)
    return [
        grown,
        core._replace(
            name=f"{op.name}.scores",
            flops=2.0 * scores * shape.key_dim,
            vector_flops=0.0,
            write=scores,
            params=0.0,
            active=0.0,
            weights=0.0,
            shape=MatmulShape(rows, shape.key_dim, keys, groups=groups),
        ),
        *softmax_steps(op, RowShape(rows, keys, "scale"), beside, extra=0.0, mask=mask, wide=True),
        Op(name, "attention", op.block, op.count, flops, read=scores, write=op.write, live=op.live, shape=second),
    ]


def _choice(core: Op, shape: SelectedAttentionShape, scores: Num, pairs: Num) -> Op:
    """Scores, cut off at zero, summed over the heads with their weights, masked; the indices of the largest."""
    both = scores + pairs
    return core._replace(
        flops=2.0 * scores * (shape.key_dim + shape.value_dim),
        vector_flops=3.0 * scores,
        read=core.read + 2.0 * both,
        write=2.0 * both,
        reused=3.0 * both,
        kernels=5.0,
    )
