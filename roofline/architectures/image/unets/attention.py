"""Attention behind the residual layers of a UNet: a stack of transformer layers, or one plain attention.

`held` as in `roofline.architectures.image.blocks`.

Source: diffusers 0.42.1, attention.py, attention_processor.py, transformer_2d.py.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.image.blocks import Context, Features, Tokens, more_than_one
from roofline.architectures.image.pixel_attention import pixel_attention_ops
from roofline.num import Num
from roofline.workload.constructors_image import Block
from roofline.workload.op import Op


class Attends(NamedTuple):
    """What attends in a block: its kind, heads, layers of a stack, and whether its first attention reads the text."""

    kind: str
    heads: float
    depth: float = 0.0
    only_cross: bool = False
    normed: bool = True


def attend_ops(block: Block, source: Features, how: Attends, context: Context, held: Num) -> list[Op]:
    """The attention behind a residual layer. x [b, c, h, w] -> [b, c, h, w]."""
    if how.kind == "self":
        groups = context.groups if how.normed else None
        return pixel_attention_ops(block, source, how.heads, groups, held)
    if how.kind == "added":
        return _added_attention_ops(block, source, how, context, held)
    return spatial_transformer_ops(block, source, how, context, held)


def _added_attention_ops(block: Block, source: Features, how: Attends, context: Context, held: Num) -> list[Op]:
    """Pixels attend to themselves and to a text in one softmax; `only_cross`: to the text alone."""
    (plane, width), x, text = source, source.elements, context.text_tokens
    rows, words = plane.pixels, plane.batch * text
    k, beside = words * width, held + 2.0 * x
    ops = []
    if context.text_norm is not None:
        size = words * context.text_width
        ops.append(block.field("text.norm", "group", size, size, weights=2.0 * context.text_width, live=held + x))
    ops += [
        block.group_norm("attention.norm", plane, width, context.groups, live=held + x),
        block.linear("attention.to_q", rows, width, width, live=beside),
        block.times(2.0).linear("attention.add_kv", words, context.text_width, width, live=beside + x),
    ]
    keys = text
    if not how.only_cross:
        keys = text + plane.area
        ops.append(block.times(2.0).linear("attention.to_kv", rows, width, width, live=beside + 2.0 * x + 2.0 * k))
        ops.append(block.times(2.0).field("attention.join", "copy", x + k, x + k, live=beside + 2.0 * x + k))
    return [
        *ops,
        block.attention("attention", plane.batch, how.heads, plane.area, keys, width / how.heads, live=held + x),
        block.linear("attention.to_out", rows, width, width, live=beside),
        block.field("attention.residual", "arithmetic", 2.0 * x, x, live=held),
    ]


def spatial_transformer_ops(block: Block, source: Features, how: Attends, context: Context, held: Num) -> list[Op]:
    """A stack of transformer layers, or none, over the pixels of a plane, with a projection on either side.

    x [b, c, h, w] -> tokens [b, h w, c] -> [b, c, h, w], plus x.
    """
    plane, channels = source.plane, source.channels
    x = source.elements
    beside = held + x
    tokens = Tokens(plane.batch, plane.area, channels)
    return [
        block.group_norm("transformer.norm", plane, channels, context.groups, live=held),
        *_project_in_ops(block, source, context, beside),
        *(transformer_layer_ops(block.times(how.depth), tokens, how, context, beside) if how.depth else ()),
        *_project_out_ops(block, source, context, beside),
        block.field("transformer.residual", "arithmetic", 2.0 * x, x, live=beside),
    ]


def _project_in_ops(block: Block, source: Features, context: Context, beside: Num) -> list[Op]:
    """Feature maps to tokens: by a dense layer over copied rows, or by a 1×1 convolution."""
    (plane, channels), x = source, source.elements
    if not context.linear_projection:
        return [block.convolution("proj_in", plane, plane, channels, channels, 1.0, live=beside)]
    return [
        block.copies("proj_in.copy", more_than_one(plane.batch), x, live=beside),
        block.linear("proj_in", plane.pixels, channels, channels, bias=False, live=beside),
        block.field("proj_in.bias", "arithmetic", x, x, weights=channels, live=beside + x),
    ]


def _project_out_ops(block: Block, source: Features, context: Context, beside: Num) -> list[Op]:
    """Tokens to feature maps."""
    (plane, channels), x = source, source.elements
    if context.linear_projection:
        return [
            block.linear("proj_out", plane.pixels, channels, channels, live=beside),
            block.field("proj_out.copy", "copy", x, x, live=beside + x),
        ]
    return [
        block.field("proj_out.copy", "copy", x, x, live=beside),
        block.convolution("proj_out", plane, plane, channels, channels, 1.0, live=beside + x),
    ]


def transformer_layer_ops(block: Block, tokens: Tokens, how: Attends, context: Context, held: Num) -> list[Op]:
    """A transformer layer: self-attention, cross-attention to the text, feed-forward gated by gelu (4 times as wide).

    x [b, n, c] -> [b, n, c]. Queries, keys and values have no bias. In some blocks the first attention reads the text
    as well.
    """
    rows, x, width = tokens.rows, tokens.elements, tokens.width
    inner, wide, heads = 4.0 * rows * width, 4.0 * width, how.heads
    return [
        *(_gated_ops(block, width, context) if context.gated else ()),
        block.layer_norm("norm1", rows, width, live=held),
        *_attention_ops("attn1", block, tokens, heads, held + x, context if how.only_cross else None),
        block.field("attn1.residual", "arithmetic", 2.0 * x, x, live=held + x),
        block.layer_norm("norm2", rows, width, live=held + 3.0 * x),
        *_attention_ops("attn2", block, tokens, heads, held + 3.0 * x, context),
        block.field("attn2.residual", "arithmetic", 2.0 * x, x, live=held + 2.0 * x),
        block.layer_norm("norm3", rows, width, live=held + 3.0 * x),
        block.linear("ff.proj", rows, width, 2.0 * wide, live=held + 3.0 * x),
        block.field("ff.gelu", "gelu", inner, inner, live=held + 4.0 * x + inner),
        block.field("ff.gate", "arithmetic", 2.0 * inner, inner, live=held + 4.0 * x + inner),
        block.linear("ff.out", rows, wide, width, live=held + 4.0 * x),
        block.field("ff.residual", "arithmetic", 2.0 * x, x, live=held + 3.0 * x),
    ]


def _attention_ops(
    name: str, block: Block, tokens: Tokens, heads: float, held: Num, text: Context | None = None
) -> list[Op]:
    """Multi-head attention to the tokens themselves or to a text, without biases but that of the output.

    The division by the scale of the residual is a kernel even where the scale is 1.
    """
    batch, queries, width = tokens
    keys, source = (text.text_tokens, text.text_width) if text is not None else (queries, width)
    rows, sources = batch * queries, batch * keys
    x, k = rows * width, sources * width
    beside, after = held if text is None else held + x, held + 2.0 * x + 2.0 * k
    return [
        block.linear(f"{name}.to_q", rows, width, width, bias=False, live=held),
        block.linear(f"{name}.to_k", sources, source, width, bias=False, live=beside + x),
        block.linear(f"{name}.to_v", sources, source, width, bias=False, live=beside + x + k),
        block.attention(name, batch, heads, queries, keys, width / heads, live=held + x),
        block.linear(f"{name}.to_out", rows, width, width, live=after),
        block.field(f"{name}.rescale", "arithmetic", x, x, live=after),
    ]


def _gated_ops(block: Block, width: float, context: Context) -> list[Op]:
    """The gated attention to boxes, which a forward pass without boxes only holds (GLIGEN).

    A dense layer from the text's width, self-attention and a gated feed-forward, two norms and two gates.
    """
    attention, feed_forward = 4.0 * width * width + width, 12.0 * width * width + 9.0 * width
    own = context.text_width * width + width + attention + feed_forward + 4.0 * width + 2.0
    name, count = block.name, block.number
    return [Op("fuser (idle)", "pointwise", name, count, params=own, active=own, kernels=0.0)]
