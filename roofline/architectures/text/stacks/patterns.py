"""Attention of blocks of tokens to some blocks, as BigBird has it.

Source: Zaheer et al. 2020 (arXiv:2007.14062), section 2; the model code of big_bird in transformers 5.24.0.
"""

from __future__ import annotations

from roofline.num import Num, ceil, maximum, where
from roofline.specs.text.transformer import BlockPattern


def _longest(pattern: BlockPattern) -> float:
    """Tokens that all see each other: beyond these there are blocks."""
    return float((5 + 2 * pattern.random) * pattern.block)


def whole_blocks(pattern: BlockPattern, tokens: Num) -> Num:
    """The tokens that are run: filled up to whole blocks where there are blocks."""
    block = float(pattern.block)
    return where(tokens > _longest(pattern), ceil(tokens / block) * block, tokens)


def block_pairs(pattern: BlockPattern, tokens: Num) -> Num:
    """Query-key pairs per sequence of so many tokens, in whole blocks.

    Of n tokens in blocks of b with r random ones: 2 b n of the first and the last, 2 b² (4 + r) of those next to them,
    (n / b - 4) b² (5 + r) of the rest.
    """
    block, further = float(pattern.block), float(pattern.random)
    blocks = maximum(tokens / block - 4.0, 0.0)
    sparse = 2.0 * block * tokens + block * block * (2.0 * (4.0 + further) + blocks * (5.0 + further))
    return where(tokens > _longest(pattern), sparse, tokens * tokens)
