"""Attention to a part of the keys: blocks that an indexer chooses (MiniMax M3), or a window and compressed entries
beyond it (DeepSeek V4).
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num, where
from roofline.specs.formats.caches import Row
from roofline.specs.text.attention import BlockSparseAttention, CompressedAttention, Indexer
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.constructors_state import CacheUse
from roofline.workload.op import Op
from roofline.workload.shapes import SelectedAttentionShape, Span
from roofline.workload.span_sums import (
    compressed_cached,
    compressed_entries,
    compressed_held,
    compressed_pairs,
    compressed_rectangle,
    fuller_before,
    leftover,
)


def block_sparse_ops(spec: TransformerSpec, attention: BlockSparseAttention, layer: Sublayer) -> list[Op]:
    """Grouped-query attention with normed queries and keys, and the indexer that chooses blocks of keys per group.

    The indexer scores every key, keeps the best of each block, and of the blocks the best; the query's own block is
    always among them. Taken here: each query sees min(position, blocks times block) keys.
    """
    span, tokens, width = layer.span, layer.tokens, float(spec.width)
    heads, groups, dim = float(attention.heads), float(attention.kv_heads), float(attention.head_dim)
    queries, keys, rotated = heads * dim, groups * dim, float(attention.rotary_dim or dim)
    with_queries = layer.beside(layer.stream + tokens * heads * dim)
    ops = [
        layer.linear("q_proj", width, queries),
        with_queries.linear("k_proj", width, keys),
        with_queries.linear("v_proj", width, keys, live=with_queries.stream + tokens * groups * dim),
    ]
    if attention.qk_norm:
        ops.append(layer.over(tokens * heads).norm("q_norm", dim))
        ops.append(with_queries.over(tokens * groups).norm("k_norm", dim))
    ops.append(layer.rotary("rotary", heads * rotated, groups * rotated))
    ops += _block_indexer_ops(attention, width, rotated, with_queries)
    limit = float(attention.block * attention.top_blocks)
    pairs, every = span.causal_pairs(limit), span.mean_past + span.new
    shape = SelectedAttentionShape(span, heads, groups, dim, dim, pairs, span.rectangle_pairs(), every)
    store = 2.0 * groups * dim
    fresh = tokens * store
    old, row = span.batch * span.cached_keys(limit) * store, Row(groups * dim, groups * dim)
    cache = CacheUse(old, fresh, span.batch * span.end * store, store, row)
    return [
        *ops,
        layer.selected_attention("attention", shape, cache, fresh=fresh, chosen=_blocks_chosen(attention, span)),
        layer.linear("o_proj", queries, width),
    ]


def _blocks_chosen(attention: BlockSparseAttention, span: Span) -> Num:
    """Indices of blocks per sequence: for each head of the indexer and each new token."""
    return span.new * (float(attention.index_heads) * attention.top_blocks)


def _block_indexer_ops(attention: BlockSparseAttention, width: float, rotated: float, layer: Sublayer) -> list[Op]:
    span, tokens = layer.span, layer.tokens
    heads, dim = float(attention.index_heads), float(attention.index_dim)
    turned, keys = min(rotated, dim), tokens * dim
    pairs, rectangle, every = span.causal_pairs(), span.rectangle_pairs(), span.mean_past + span.new
    shape = SelectedAttentionShape(span, heads, 1.0, dim, 0.0, pairs, rectangle, every, scores_only=True)
    row = Row(dim, kind="index")
    cache = CacheUse(span.batch * span.mean_past * dim, keys, span.batch * span.end * dim, dim, row)
    return [
        layer.linear("indexer_q_proj", width, heads * dim),
        layer.linear("indexer_k_proj", width, dim),
        layer.over(tokens * heads).norm("indexer_q_norm", dim),
        layer.norm("indexer_k_norm", dim),
        layer.rotary("indexer_rotary", heads * turned, turned),
        layer.selected_attention("indexer", shape, cache, fresh=keys, chosen=_blocks_chosen(attention, span)),
    ]


def compressed_ops(spec: TransformerSpec, attention: CompressedAttention, layer: Sublayer) -> list[Op]:
    """Low-rank queries, one head that is key and value, compressed entries and their indexer, grouped output.

    Queries are normed without weights after the projection; the output is rotated back. Every head has a sink.

    Source: DeepSeek-AI 2026, DeepSeek-V4 technical report, section 2.3; transformers 5.23.0, deepseek_v4.
    """
    tokens, width, dim = layer.tokens, float(spec.width), float(attention.head_dim)
    heads, rank, rope = float(attention.heads), float(attention.query_rank), float(attention.rope_dim)
    groups, output = float(attention.output_groups), float(attention.output_rank)
    beside = layer.beside(layer.stream + tokens * (rank + dim))
    ops = [
        layer.linear("kv_proj", width, dim),
        layer.norm("kv_norm", dim),
        beside.linear("q_a_proj", width, rank),
        beside.norm("q_a_norm", rank),
        beside.linear("q_b_proj", rank, heads * dim),
        beside.over(tokens * heads).norm("q_b_norm", dim, weight=False),
        beside.rotary("rotary", heads * rope, rope),
    ]
    entries = _NO_ENTRIES
    chosen: Num = 0.0
    if attention.rate is not None:
        limit = None if attention.indexer is None else float(attention.indexer.top_k)
        entries = _entries(attention, layer.span, dim, limit)
        ops += _compressor_ops("compressor", attention, width, dim, beside)
        if attention.indexer is not None:
            chosen = entries.pairs
            ops += _indexer_ops(attention, attention.indexer, width, chosen, beside)
    return [
        *ops,
        _compressed_core(attention, entries, chosen, layer),
        layer.rotary("output_rotary", heads * rope, 0.0),
        layer.heads_linear("o_a_proj", groups, heads * dim / groups, output),
        layer.linear("o_b_proj", groups * output, width),
    ]


class _Entries(NamedTuple):
    """Compressed entries of a layer: pairs to compute and pairs that unfused code computes, per sequence; elements
    written, read and held in the cache, over the batch.
    """

    pairs: Num
    rectangle: Num
    cache: CacheUse


_NO_ENTRIES = _Entries(0.0, 0.0, CacheUse(0.0, 0.0, 0.0, 0.0, Row(1.0)))


def _entries(attention: CompressedAttention, span: Span, dim: float, limit: float | None) -> _Entries:
    """The cache of a compressor: closed entries, the projections of the tokens that wait for theirs to close (value and
    gate, both series where entries overlap), and with overlap those of the last closed entry.

    Of the last closed entry the gates are kept with their position biases, in 4 bytes. What waits is written once and
    read once, by the compressor. A token adds a `rate`-th of an entry, in the long run: what waits comes and goes. The
    row is that of the indexer.
    """
    rate = float(attention.rate or 1)
    waiting = 2.0 * dim * (2.0 if attention.overlap else 1.0)
    kept = span.batch * (rate * dim) if attention.overlap else 0.0
    cache = CacheUse(
        read=span.batch * compressed_cached(span, rate, limit) * dim,
        write=span.tokens * (dim / rate),
        held=span.batch * (compressed_held(span, rate) * dim + leftover(span, rate) * waiting),
        grows=dim / rate,
        row=Row(dim, kind="index"),
        state=kept,
        state_fp32=kept,
        before=span.batch * fuller_before(span, rate, dim, waiting),
    )
    return _Entries(compressed_pairs(span, rate, limit), compressed_rectangle(span, rate), cache)


def _compressed_core(attention: CompressedAttention, entries: _Entries, chosen: Num, layer: Sublayer) -> Op:
    """Attention to the keys of a window and to compressed entries, with a cache for both."""
    span, tokens, window = layer.span, layer.tokens, float(attention.window)
    heads, dim, more = float(attention.heads), float(attention.head_dim), entries.cache
    store, old = dim * (2.0 if attention.values_cached else 1.0), span.cached_keys(window)
    cache = CacheUse(
        read=span.batch * old * store + more.read,
        write=tokens * store + more.write,
        held=span.batch * span.held_keys(window) * store + more.held,
        grows=span.grows(window) * store + more.grows,
        row=Row(dim, dim if attention.values_cached else 0.0, "compressed", float(attention.rope_dim)),
        state=more.state,
        state_fp32=more.state_fp32,
        before=more.before,
    )
    pairs, rectangle = span.causal_pairs(window) + entries.pairs, span.rectangle_pairs(window) + entries.rectangle
    shape = SelectedAttentionShape(span, heads, 1.0, dim, dim, pairs, rectangle, old + span.new)
    return layer.selected_attention("attention", shape, cache, fresh=tokens * dim, chosen=chosen, params=heads)


def _compressor_ops(name: str, attention: CompressedAttention, width: float, dim: float, layer: Sublayer) -> list[Op]:
    """Value and gate of every token, and the gated mean, norm and rotation of each closed entry.

    Tokens of a decode step wait in the cache until their entry closes: each is written once and read once.
    """
    tokens, rate, series = layer.tokens, float(attention.rate or 1), 2.0 if attention.overlap else 1.0
    size, share = dim * series, 1.0 / (rate * series)
    rows, closed = tokens * size, layer.over(tokens / rate)
    waiting = where(layer.span.past > 0.0, 2.0 * rows, 0.0)
    pool = layer.pointwise(f"{name}_pool", size, reads=2.0, writes=share, each=7.0, params=rate * size)
    return [
        layer.linear(f"{name}_kv_proj", width, size),
        layer.linear(f"{name}_gate_proj", width, size, live=layer.stream + rows),
        pool._replace(cache_read=waiting, cache_write=waiting),
        closed.norm(f"{name}_norm", dim),
        closed.rotary(f"{name}_rotary", 0.0, float(attention.rope_dim)),
    ]


def _indexer_ops(
    attention: CompressedAttention, indexer: Indexer, width: float, chosen: Num, layer: Sublayer
) -> list[Op]:
    """Scores of queries against compressed keys of the indexer's own; its weighted sum over heads is element-wise."""
    span, tokens, rate = layer.span, layer.tokens, float(attention.rate or 1)
    heads, dim, rope = float(indexer.heads), float(indexer.dim), float(attention.rope_dim)
    own, entries = _entries(attention, span, dim, None), compressed_entries(span, rate)
    shape = SelectedAttentionShape(span, heads, 1.0, dim, 0.0, own.pairs, own.rectangle, entries, scores_only=True)
    return [
        *_compressor_ops("indexer", attention, width, dim, layer),
        layer.linear("indexer_q_proj", float(attention.query_rank), heads * dim),
        layer.rotary("indexer_q_rotary", heads * rope, 0.0),
        layer.linear("indexer_weights", width, heads, live=layer.stream + tokens * heads * dim),
        layer.selected_attention("indexer", shape, own.cache, fresh=tokens * heads, chosen=chosen),
    ]
