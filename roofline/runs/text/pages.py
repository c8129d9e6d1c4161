"""Pages that hold keys or the state of a recurrent layer alike: as large as the larger of the two.

An engine that gives both one kind of page makes a page of keys so long that a state fits into it, and pads the states.

Source: vLLM's unified cache of hybrid models (vllm/v1/core/kv_cache_utils.py): the block of the attention layers is
raised, in steps of 16 tokens, until its page is at least that of a state.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from roofline.num import Num, ceil, first_value, maximum
from roofline.workload.allocation import CacheLayout, kept_tokens
from roofline.workload.op import Op
from roofline.workload.precision import Precision

_STEP: Final = 16.0


class Pages(NamedTuple):
    """By how much cache and state grow when they are held in pages of `tokens` tokens."""

    tokens: Num
    cache: Num
    state: Num


def unified(
    holders: Iterable[Op], precision: Precision, sequences: Num, end: Num, layout: CacheLayout | None
) -> Pages | None:
    """The pages of layers with keys and layers with states, for `sequences` of `end` tokens; None without both.

    What a layer holds is taken as the layout has it, in its own blocks; here it becomes whole pages.
    """
    kept = [op for op in holders if first_value(op.cache_held) or first_value(precision.state_bytes(op))]
    keys = [op for op in kept if first_value(op.cache_held)]
    states = [op for op in kept if first_value(precision.state_bytes(op))]
    if not keys or not states or not first_value(end):
        return None
    per_token: Num = 0.0
    tokens_of = [kept_tokens(op, end, layout or CacheLayout()) for op in keys]
    for op, own in zip(keys, tokens_of, strict=True):
        per_token = maximum(per_token, op.cache_held * precision.cache_element(op) / (sequences * own))
    state = _each(states, precision) / sequences
    tokens = ceil(state / (per_token * _STEP)) * _STEP
    held: Num = 0.0
    paged: Num = 0.0
    for op, own in zip(keys, tokens_of, strict=True):
        size = op.count * precision.cached_bytes(op)
        held, paged = held + size, paged + size * (ceil(own / tokens) * tokens / own)
    return Pages(tokens, paged / held, tokens * per_token / state)


def _each(states: Iterable[Op], precision: Precision) -> Num:
    """Bytes of the states of one layer, whose parts are ops of one block."""
    by_block: dict[str, Num] = {}
    for op in states:
        by_block[op.block] = by_block.get(op.block, 0.0) + precision.state_bytes(op)
    largest: Num = 0.0
    for state in by_block.values():
        largest = maximum(largest, state)
    return largest
