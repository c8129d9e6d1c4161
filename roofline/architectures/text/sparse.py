"""Attention to a part of the keys: blocks that an indexer chooses (MiniMax M3), or a window and compressed entries
beyond it (DeepSeek V4).
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num, where
from roofline.specs.text.attention import BlockSparseAttention, CompressedAttention, Indexer
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.constructors_state import pointwise, selected_attention
from roofline.workload.op import Op
from roofline.workload.shapes import SelectedAttentionShape, Span
from roofline.workload.span_sums import (
    compressed_cached,
    compressed_entries,
    compressed_held,
    compressed_pairs,
    compressed_rectangle,
    leftover,
)


def block_sparse_ops(
    spec: TransformerSpec, attention: BlockSparseAttention, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """Grouped-query attention with normed queries and keys, and the indexer that chooses blocks of keys per group.

    The indexer scores every key, keeps the best of each block, and of the blocks the best; the query's own block is
    always among them. Taken here: each query sees min(position, blocks times block) keys.
    """
    tokens, width, dim = span.tokens, float(spec.width), float(attention.head_dim)
    heads, groups = float(attention.heads), float(attention.kv_heads)
    index_heads, index_dim = float(attention.index_heads), float(attention.index_dim)
    rotated = float(attention.rotary_dim or dim)
    beside = stream + tokens * heads * dim
    ops = [
        make.linear("q_proj", block, tokens, width, heads * dim, count=count, live=stream),
        make.linear("k_proj", block, tokens, width, groups * dim, count=count, live=beside),
        make.linear("v_proj", block, tokens, width, groups * dim, count=count, live=beside + tokens * groups * dim),
    ]
    if attention.qk_norm:
        ops.append(make.norm("q_norm", block, tokens * heads, dim, count=count, live=stream))
        ops.append(make.norm("k_norm", block, tokens * groups, dim, count=count, live=beside))
    ops.append(make.rotary("rotary", block, tokens, heads * rotated, groups * rotated, count=count, live=stream))
    turned = min(rotated, index_dim)
    ops += [
        make.linear("indexer_q_proj", block, tokens, width, index_heads * index_dim, count=count, live=beside),
        make.linear("indexer_k_proj", block, tokens, width, index_dim, count=count, live=beside),
        make.norm("indexer_q_norm", block, tokens * index_heads, index_dim, count=count, live=beside),
        make.norm("indexer_k_norm", block, tokens, index_dim, count=count, live=beside),
        make.rotary("indexer_rotary", block, tokens, index_heads * turned, turned, count=count, live=beside),
    ]
    limit = float(attention.block * attention.top_blocks)
    every, rectangle, keys = span.causal_pairs(), span.rectangle_pairs(), span.mean_past + span.new
    chosen = span.new * (index_heads * attention.top_blocks)
    ops.append(
        selected_attention(
            "indexer", block,
            SelectedAttentionShape(span, index_heads, 1.0, index_dim, 0.0, every, rectangle, keys, True),
            fresh=tokens * index_dim, chosen=chosen, cache_read=span.batch * span.mean_past * index_dim,
            cache_write=tokens * index_dim, cache_held=span.batch * span.end * index_dim, count=count, live=beside,
        )
    )  # fmt: skip
    store, fresh = 2.0 * groups * dim, tokens * (2.0 * groups * dim)
    ops.append(
        selected_attention(
            "attention", block,
            SelectedAttentionShape(span, heads, groups, dim, dim, span.causal_pairs(limit), rectangle, keys),
            fresh=fresh, chosen=chosen, cache_read=span.batch * span.cached_keys(limit) * store, cache_write=fresh,
            cache_held=span.batch * span.end * store, count=count, live=stream,
        )
    )  # fmt: skip
    ops.append(make.linear("o_proj", block, tokens, heads * dim, width, count=count, live=stream))
    return ops


def compressed_ops(
    spec: TransformerSpec, attention: CompressedAttention, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """Low-rank queries, one head that is key and value, compressed entries and their indexer, grouped output.

    Queries are normed without weights after the projection; the output is rotated back. Every head has a sink.

    Source: DeepSeek-AI 2026, DeepSeek-V4 technical report, section 2.3; transformers 5.23.0, deepseek_v4.
    """
    tokens, width, dim = span.tokens, float(spec.width), float(attention.head_dim)
    heads, rank, rope = float(attention.heads), float(attention.query_rank), float(attention.rope_dim)
    groups, output = float(attention.output_groups), float(attention.output_rank)
    beside = stream + tokens * (rank + dim)
    ops = [
        make.linear("kv_proj", block, tokens, width, dim, count=count, live=stream),
        make.norm("kv_norm", block, tokens, dim, count=count, live=stream),
        make.linear("q_a_proj", block, tokens, width, rank, count=count, live=beside),
        make.norm("q_a_norm", block, tokens, rank, count=count, live=beside),
        make.linear("q_b_proj", block, tokens, rank, heads * dim, count=count, live=beside),
        make.norm("q_b_norm", block, tokens * heads, dim, weight=False, count=count, live=beside),
        make.rotary("rotary", block, tokens, heads * rope, rope, count=count, live=beside),
    ]
    entries = _Entries(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    copies = 2.0 if attention.values_cached else 1.0
    held = span.batch * span.held_keys(float(attention.window)) * (dim * copies)
    written: Num = tokens * dim * copies
    read: Num = span.batch * span.cached_keys(float(attention.window)) * (dim * copies)
    state: Num = 0.0
    chosen: Num = 0.0
    if attention.rate is not None:
        limit = None if attention.indexer is None else float(attention.indexer.top_k)
        entries = _entries(span, float(attention.rate), dim, attention.overlap, limit)
        ops += _compressor_ops("compressor", attention, span, block, width, dim, count, beside)
        held, written, read = held + entries.held, written + entries.written, read + entries.read
        state = entries.state
        if attention.indexer is not None:
            chosen = entries.pairs
            ops += _indexer_ops(attention, attention.indexer, span, block, width, chosen, count, beside)
    window = float(attention.window)
    shape = SelectedAttentionShape(
        span, heads, 1.0, dim, dim, span.causal_pairs(window) + entries.pairs,
        span.rectangle_pairs(window) + entries.rectangle, span.cached_keys(window) + span.new,
    )  # fmt: skip
    ops += [
        selected_attention(
            "attention", block, shape, fresh=tokens * dim, chosen=chosen, cache_read=read, cache_write=written,
            cache_held=held, state_held=state, params=heads, count=count, live=stream,
        ),
        make.rotary("output_rotary", block, tokens, heads * rope, 0.0, count=count, live=stream),
        make.heads_linear("o_a_proj", block, tokens, groups, heads * dim / groups, output, count=count, live=stream),
        make.linear("o_b_proj", block, tokens, groups * output, width, count=count, live=stream),
    ]  # fmt: skip
    return ops


class _Entries(NamedTuple):
    """Compressed entries of a layer: pairs to compute and pairs that unfused code computes, per sequence; elements
    held, written and read in the cache, and held as state, over the batch.
    """

    pairs: Num
    rectangle: Num
    held: Num
    written: Num
    read: Num
    state: Num


def _entries(span: Span, rate: float, dim: float, overlap: bool, limit: float | None) -> _Entries:
    """The cache of a compressor: closed entries, the projections of the tokens that wait for theirs to close (value and
    gate, both series where entries overlap), and with overlap those of the last closed entry.

    What waits is written once and read once, by the compressor.
    """
    waiting = 2.0 * dim * (2.0 if overlap else 1.0)
    return _Entries(
        pairs=compressed_pairs(span, rate, limit),
        rectangle=compressed_rectangle(span, rate),
        held=span.batch * (compressed_held(span, rate) * dim + leftover(span, rate) * waiting),
        written=span.tokens * (dim / rate),
        read=span.batch * compressed_cached(span, rate, limit) * dim,
        state=span.batch * (2.0 * rate * dim) if overlap else 0.0,
    )


def _compressor_ops(
    name: str, attention: CompressedAttention, span: Span, block: str, width: float, dim: float, count: float, live: Num
) -> list[Op]:
    """Value and gate of every token, and the gated mean, norm and rotation of each closed entry.

    Tokens of a decode step wait in the cache until their entry closes: each is written once and read once.
    """
    tokens, rate = span.tokens, float(attention.rate or 1)
    doubled = 2.0 if attention.overlap else 1.0
    rows = tokens * (dim * doubled)
    waiting = where(span.past > 0.0, 2.0 * rows, 0.0)
    pool = pointwise(
        f"{name}_pool", block, tokens, dim * doubled, reads=2.0, writes=1.0 / (rate * doubled), each=7.0,
        params=rate * dim * doubled, count=count, live=live,
    )._replace(cache_read=waiting, cache_write=waiting)  # fmt: skip
    return [
        make.linear(f"{name}_kv_proj", block, tokens, width, dim * doubled, count=count, live=live),
        make.linear(f"{name}_gate_proj", block, tokens, width, dim * doubled, count=count, live=live + rows),
        pool,
        make.norm(f"{name}_norm", block, tokens / rate, dim, count=count, live=live),
        make.rotary(f"{name}_rotary", block, tokens / rate, 0.0, float(attention.rope_dim), count=count, live=live),
    ]  # fmt: skip


def _indexer_ops(
    attention: CompressedAttention, indexer: Indexer, span: Span, block: str, width: float, chosen: Num, count: float,
    live: Num,
) -> list[Op]:  # fmt: skip
    """Scores of queries against compressed keys of the indexer's own; its weighted sum over heads is element-wise."""
    tokens, rate = span.tokens, float(attention.rate or 1)
    heads, dim, rope = float(indexer.heads), float(indexer.dim), float(attention.rope_dim)
    own = _entries(span, rate, dim, attention.overlap, None)
    shape = SelectedAttentionShape(
        span, heads, 1.0, dim, 0.0, own.pairs, own.rectangle, compressed_entries(span, rate), True
    )
    return [
        *_compressor_ops("indexer", attention, span, block, width, dim, count, live),
        make.linear("indexer_q_proj", block, tokens, float(attention.query_rank), heads * dim, count=count, live=live),
        make.rotary("indexer_q_rotary", block, tokens, heads * rope, 0.0, count=count, live=live),
        make.linear("indexer_weights", block, tokens, width, heads, count=count, live=live + tokens * heads * dim),
        selected_attention(
            "indexer", block, shape, fresh=tokens * heads, chosen=chosen, cache_read=own.read, cache_write=own.written,
            cache_held=own.held, state_held=own.state, count=count, live=live,
        ),
    ]  # fmt: skip
