"""Attention between contents and distances, as DeBERTa has it beside the attention between contents."""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num, minimum
from roofline.specs.text.positions import Disentangled
from roofline.specs.text.transformer import SoftmaxAttention
from roofline.workload.op import Op


def disentangled_ops(
    attention: SoftmaxAttention, distances: Disentangled, width: float, layer: Sublayer
) -> tuple[list[Op], Num]:
    """The ops of one layer, and the elements of scores that its attention reads beside its own.

    r [2 s, d] @ w [d, h k] once for the batch, then q or k [b, h, n, k] @ r^T [k, 2 s] -> [b, h, n, 2 s]: every token
    with every distance, from which those that belong are taken. 2 n 2 s h k FLOPs per term and sequence.

    Source: He et al. 2020 (arXiv:2006.03654), equations 2 to 4; transformers 5.24.0, deberta and deberta_v2.
    """
    span, inner = layer.span, float(attention.heads * attention.head_dim)
    most = float(distances.span)
    rows: Num = 2.0 * (minimum(span.new, most) if distances.clipped else most)
    table, ops = layer.over(rows), list[Op]()
    if distances.shared or distances.keys:
        ops.append(table.linear("distance_k_proj", width, inner, bias=distances.key_bias))
    if distances.shared or distances.queries:
        ops.append(table.linear("distance_q_proj", width, inner, bias=True))
    if distances.shared:
        ops = [op._replace(params=0.0, active=0.0) for op in ops]
    terms = [name for name, has in (("keys", distances.keys), ("queries", distances.queries)) if has]
    ops += [_scores(f"distance_{term}_scores", attention, rows, layer) for term in terms]
    return ops, len(terms) * layer.tokens * attention.heads * span.new


def _scores(name: str, attention: SoftmaxAttention, rows: Num, layer: Sublayer) -> Op:
    heads, dim = float(attention.heads), float(attention.head_dim)
    scores = layer.tokens * heads * rows
    read = (layer.tokens + rows) * heads * dim
    return Op(name, "attention", layer.block, layer.layers, 2.0 * scores * dim, scores, read=read, write=scores)
