"""The indexer of sparse attention: a small attention without values whose scores choose keys.

Source: DeepSeek-AI 2025, DeepSeek-V3.2-Exp, section 1.1 (lightning indexer, fine-grained token selection).
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num
from roofline.specs.text.attention import Indexer
from roofline.workload import constructors as make
from roofline.workload.constructors_state import selected_attention
from roofline.workload.op import Op
from roofline.workload.shapes import SelectedAttentionShape, Span


class Selection(NamedTuple):
    """What an indexer leaves to the attention: its own ops, and per sequence and step the pairs to be computed, the
    keys to be read from the cache, and the indices that say which.
    """

    ops: list[Op]
    pairs: Num
    read: Num
    chosen: Num


def indexer_ops(
    indexer: Indexer | None, span: Span, block: str, width: float, query_rank: int | None, rope: float, count: float,
    live: Num,
) -> Selection:  # fmt: skip
    """Queries of `heads` heads from the query latent, one normed key head, a weight per head, scores, top-k.

    2 h (d + 1) FLOPs per pair: the products of queries and keys, and their weighted sum over the heads. Without an
    indexer all keys are seen. A layer without one of its own (`own: false`) takes an earlier choice as it is.
    """
    if indexer is None:
        return Selection([], span.causal_pairs(), span.mean_past, 0.0)
    limit = float(indexer.top_k)
    pairs = span.causal_pairs(limit)
    read = span.cached_keys(limit)
    if not indexer.own:
        return Selection([], pairs, read, pairs)
    tokens, heads, dim = span.tokens, float(indexer.heads), float(indexer.dim)
    source = float(query_rank or width)
    queries = tokens * heads * dim
    shape = SelectedAttentionShape(
        span, heads, 1.0, dim, 1.0, span.causal_pairs(), span.rectangle_pairs(), span.mean_past + span.new, True
    )
    keys = tokens * dim
    ops = [
        make.linear("indexer_k_proj", block, tokens, width, dim, count=count, live=live),
        make.norm("indexer_k_norm", block, tokens, dim, style="layer", bias=True, count=count, live=live),
        make.linear("indexer_q_proj", block, tokens, source, heads * dim, count=count, live=live + keys),
        make.rotary("indexer_rotary", block, tokens, heads * rope, rope, count=count, live=live + queries),
        make.linear("indexer_weights", block, tokens, width, heads, count=count, live=live + queries + keys),
        selected_attention(
            "indexer", block, shape, fresh=keys + tokens * heads, chosen=pairs,
            cache_read=span.batch * span.mean_past * dim, cache_write=keys, cache_held=span.batch * span.end * dim,
            count=count, live=live,
        ),
    ]  # fmt: skip
    return Selection(ops, pairs, read, pairs)
