"""The needless work of reference code: what the framework's own implementation of a model does beyond its shapes.

Source: the model code of transformers 5.23.0 (Llama 4 runs every expert, Falcon caches heads repeated for the queries,
GPT-Neo caches beyond its window).
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from roofline.specs.text.feed_forward import ExpertsFeedForward
from roofline.specs.text.transformer import BlockGroup, SoftmaxAttention, TransformerSpec

M = TypeVar("M", bound=BaseModel)


def reference_spec(spec: TransformerSpec) -> TransformerSpec:
    """The model as its reference code runs it; the same model where that does no needless work."""
    blocks, encoder = (tuple(map(_reference_block, stack)) for stack in (spec.blocks, spec.encoder))
    pairs = zip((*spec.blocks, *spec.encoder), (*blocks, *encoder), strict=True)
    return spec if all(ours is theirs for ours, theirs in pairs) else _changed(spec, blocks=blocks, encoder=encoder)


def _reference_block(block: BlockGroup) -> BlockGroup:
    attention: Any = block.attention
    feed_forward = block.feed_forward
    if attention is not None and attention.kind == "compressed" and attention.rate is None:
        attention = _changed(attention, values_cached=True)
    if isinstance(attention, SoftmaxAttention) and attention.reference_cache == "broadcast":
        attention = _changed(attention, cache_heads=attention.heads)
    if isinstance(attention, SoftmaxAttention) and attention.reference_cache == "full":
        attention = _changed(attention, window=None)
    if isinstance(feed_forward, ExpertsFeedForward) and feed_forward.reference_all:
        feed_forward = _changed(feed_forward, computed=feed_forward.experts)
    if attention is block.attention and feed_forward is block.feed_forward:
        return block
    return _changed(block, attention=attention, feed_forward=feed_forward)


def _changed(model: M, **changes: object) -> M:
    return model.model_copy(update=changes)
