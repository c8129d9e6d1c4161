"""The building blocks of convolutional image models: residual layers, transformer stacks, resampling, time embedding.

`held` is what stays in memory throughout, beside a block's own input and what it makes, in elements. It follows the
reference code's variables, for a tensor lives as long as a variable of some caller names it.

Source: diffusers 0.42.1, resnet.py, attention.py, attention_processor.py, transformer_2d.py.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num, where
from roofline.workload.constructors_image import TOP, Block, Plane
from roofline.workload.op import Op


class Context(NamedTuple):
    """What conditions a denoiser: the width of its time embedding, and the text that cross-attention reads."""

    time_width: float
    text_width: float
    text_tokens: Num
    groups: float
    linear_projection: bool


class Features(NamedTuple):
    """Feature maps [b, c, h, w]: planes of pixels with so many channels."""

    plane: Plane
    channels: float

    @property
    def elements(self) -> Num:
        """All elements."""
        return self.channels * self.plane.pixels


class Tokens(NamedTuple):
    """Tokens [b, n, d]: `each` per image of a batch, of a width."""

    batch: Num
    each: Num
    width: float

    @property
    def rows(self) -> Num:
        """Tokens over the batch."""
        return self.batch * self.each

    @property
    def elements(self) -> Num:
        """All elements."""
        return self.batch * self.each * self.width


def more_than_one(batch: Num) -> Num:
    """1 where the batch is larger than 1, else 0: some reshapes need a copy only then."""
    return where(batch > 1.0, 1.0, 0.0)


def sinusoid_ops(block: Block, values: Num, width: float, *, integer: bool) -> list[Op]:
    """Sines and cosines of `values` numbers at `width` / 2 frequencies, as eager code makes them: 11 kernels in fp32.

    `integer` where the numbers are 8-byte time steps, else in the activations' format.
    """
    half, three = width / 2.0, block.times(3.0)
    grid = values * half
    read, read_half = (2.0 * values, 0.0) if integer else (0.0, values)
    return [
        block.field_fp32("frequencies", "factory", 0.0, half),
        three.field_fp32("frequencies", "arithmetic", half, half),
        block.field_fp32("time_cast", "copy", read, values, read_half=read_half),
        block.field_fp32("time_angles", "arithmetic", values + half, grid),
        three.field_fp32("time_angles", "arithmetic", grid, grid),
        block.times(2.0).field_fp32("time_waves", "copy", 2.0 * grid, 2.0 * grid),
    ]


def narrow_op(name: str, block: Block, elements: Num) -> Op:
    """Elements of 4 bytes to the activations' format."""
    return block.field_fp32(name, "copy", elements, 0.0, write_half=elements)


def time_embedding_ops(batch: Num, frequencies: float, width: float, condition: float | None = None) -> list[Op]:
    """A time step per image to a vector: sinusoid, two dense layers with silu; a guidance embedding is added first."""
    ops = sinusoid_ops(Block("time_proj"), batch, frequencies, integer=True)
    ops.append(narrow_op("time_narrow", TOP, batch * frequencies))
    block = Block("time_embedding")
    if condition is not None:
        ops.append(block.linear("cond_proj", batch, condition, frequencies, bias=False))
        ops.append(block.field("cond_add", "arithmetic", 2.0 * batch * frequencies, batch * frequencies))
    return ops + mlp_ops(block, batch, frequencies, width, width)


def mlp_ops(block: Block, rows: Num, d_in: float, hidden: float, d_out: float) -> list[Op]:
    """Two dense layers with silu between."""
    return [
        block.linear("linear_1", rows, d_in, hidden),
        block.field("act", "silu", rows * hidden, rows * hidden),
        block.linear("linear_2", rows, hidden, d_out),
    ]


def resnet_ops(
    block: Block,
    source: Features,
    channels: float,
    groups: float,
    held: Num,
    *,
    time_width: float | None = None,
    copies: float = 0.0,
) -> list[Op]:
    """A residual layer: norm, silu, 3×3 convolution (plus the time embedding), again, plus the input.

    x [b, i, h, w] -> [b, o, h, w]. Where the channels change, the input passes through a 1×1 convolution. `copies` is
    how many of the layers get their input in an order that the norm must copy first.
    """
    plane, before = source.plane, source.channels
    x, h = before * plane.pixels, channels * plane.pixels
    beside = held + x
    ops = [Block(block.name, copies).field("resnet.copy", "copy", x, x, live=held)] if copies else []
    ops += [
        block.group_norm("resnet.norm1", plane, before, groups, live=held),
        block.field("resnet.silu1", "silu", x, x, live=beside),
        block.convolution("resnet.conv1", plane, plane, before, channels, live=beside),
    ]
    if time_width is not None:
        ops += _time_ops(block, plane.batch, time_width, Features(plane, channels), beside)
    ops += [
        block.group_norm("resnet.norm2", plane, channels, groups, live=beside),
        block.field("resnet.silu2", "silu", h, h, live=beside),
        block.convolution("resnet.conv2", plane, plane, channels, channels, live=beside),
    ]
    kept = held
    if before != channels:
        kept = held + x
        ops.append(block.convolution("resnet.shortcut", plane, plane, before, channels, 1.0, live=held + h))
    return [
        *ops,
        block.field("resnet.add", "arithmetic", 2.0 * h, h, live=kept),
        block.field("resnet.rescale", "arithmetic", h, h, live=kept + 2.0 * h),
    ]


def _time_ops(block: Block, batch: Num, width: float, target: Features, beside: Num) -> list[Op]:
    """The time embedding [b, t], through silu and a dense layer, added to all pixels."""
    t, h, channels = batch * width, target.elements, target.channels
    return [
        block.field("resnet.time_silu", "silu", t, t, live=beside + h),
        block.linear("resnet.time_emb_proj", batch, width, channels, live=beside + h),
        block.field("resnet.time_add", "arithmetic", h + batch * channels, h, live=beside),
    ]


def spatial_transformer_ops(
    block: Block, source: Features, heads: float, depth: float, context: Context, held: Num
) -> list[Op]:
    """A stack of `depth` transformer layers over the pixels of a plane, with a projection on either side.

    x [b, c, h, w] -> tokens [b, h w, c] -> [b, c, h, w], plus x.
    """
    plane, channels = source.plane, source.channels
    x = source.elements
    beside = held + x
    tokens = Tokens(plane.batch, plane.area, channels)
    return [
        block.group_norm("transformer.norm", plane, channels, context.groups, live=held),
        *_project_in_ops(block, source, context, beside),
        *transformer_layer_ops(block.times(depth), tokens, heads, context, beside),
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


def transformer_layer_ops(block: Block, tokens: Tokens, heads: float, context: Context, held: Num) -> list[Op]:
    """A transformer layer: self-attention, cross-attention to the text, feed-forward gated by gelu (4 times as wide).

    x [b, n, c] -> [b, n, c]. Queries, keys and values have no bias.
    """
    rows, x, width = tokens.rows, tokens.elements, tokens.width
    inner, wide = 4.0 * rows * width, 4.0 * width
    return [
        block.layer_norm("norm1", rows, width, live=held),
        *_attention_ops("attn1", block, tokens, heads, held + x),
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


def downsample_op(block: Block, source: Features, held: Num) -> Op:
    """A 3×3 convolution of stride 2: odd sizes round up."""
    plane, channels = source
    return block.convolution("downsample", plane, plane.halved(), channels, channels, live=held)


def upsample_ops(block: Block, source: Features, target: Plane, held: Num) -> list[Op]:
    """Nearest-neighbour upsampling to the size of the target, and a 3×3 convolution."""
    channels, x = source.channels, source.elements
    return [
        block.field("upsample", "upsample", x, channels * target.pixels, live=held),
        block.convolution("upsample.conv", target, target, channels, channels, live=held + x),
    ]
