"""The indexer of sparse attention: a small attention without values whose scores choose keys.

Source: DeepSeek-AI 2025, DeepSeek-V3.2-Exp, section 1.1 (lightning indexer, fine-grained token selection).
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num
from roofline.specs.formats.caches import Row
from roofline.specs.text.attention import Indexer, LatentAttention
from roofline.workload.constructors_state import CacheUse
from roofline.workload.op import Op
from roofline.workload.shapes import SelectedAttentionShape


class Selection(NamedTuple):
    """What an indexer leaves to the attention: its own ops, and per sequence and step the pairs to be computed, the
    keys to be read from the cache, and the indices that say which.
    """

    ops: list[Op]
    pairs: Num
    read: Num
    chosen: Num


def selection(attention: LatentAttention, width: float, layer: Sublayer) -> Selection:
    """The keys that a latent attention sees, and the ops that choose them.

    Without an indexer all keys are seen. A layer without one of its own (`own: false`) takes an earlier choice as it
    is.
    """
    span, indexer = layer.span, attention.indexer
    if indexer is None:
        return Selection([], span.causal_pairs(), span.mean_past, 0.0)
    limit = float(indexer.top_k)
    pairs, read = span.causal_pairs(limit), span.cached_keys(limit)
    ops = _indexer_ops(attention, indexer, width, pairs, layer) if indexer.own else []
    return Selection(ops, pairs, read, pairs)


def _indexer_ops(attention: LatentAttention, indexer: Indexer, width: float, chosen: Num, layer: Sublayer) -> list[Op]:
    """Queries of `heads` heads from the query latent, one normed key head, a weight per head, scores, top-k.

    2 h (d + 1) FLOPs per pair: the products of queries and keys, and their weighted sum over the heads.
    """
    span, tokens, live = layer.span, layer.tokens, layer.stream
    heads, dim, rope = float(indexer.heads), float(indexer.dim), float(attention.rope_dim)
    source, queries, keys = float(attention.query_rank or width), tokens * heads * dim, tokens * dim
    pairs, rectangle = span.causal_pairs(), span.rectangle_pairs()
    shape = SelectedAttentionShape(span, heads, 1.0, dim, 1.0, pairs, rectangle, span.mean_past + span.new, True)
    row = Row(dim, kind="index")
    cache = CacheUse(span.batch * span.mean_past * dim, keys, span.batch * span.end * dim, dim, row)
    return [
        layer.linear("indexer_k_proj", width, dim),
        layer.norm("indexer_k_norm", dim, style="layer", bias=True),
        layer.linear("indexer_q_proj", source, heads * dim, live=live + keys),
        layer.rotary("indexer_rotary", heads * rope, rope, live=live + queries),
        layer.linear("indexer_weights", width, heads, live=live + queries + keys),
        layer.selected_attention("indexer", shape, cache, fresh=keys + tokens * heads, chosen=chosen),
    ]
