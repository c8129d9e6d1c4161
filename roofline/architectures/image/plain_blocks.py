"""Blocks of a plain latent diffusion model: residual layers, and multi-head attention that stores its scores.

The framework's attention module is asked for its weights, so scores go through memory and their mean over the heads is
computed too.

Source: explainingai-code/StableDiffusion-PyTorch @f562b158 models/blocks.py; torch 2.13.0 nn.MultiheadAttention.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.image.blocks import Features, more_than_one
from roofline.num import Num, floor
from roofline.workload.constructors_image import Block, Plane
from roofline.workload.op import Op
from roofline.workload.shapes import DenseAttentionShape


class Style(NamedTuple):
    """What all blocks of a model share: groups, heads, the width of the time embedding, the text that conditions."""

    groups: float
    heads: float
    time_width: float | None = None
    text_width: float | None = None
    text_tokens: Num = 0.0


def resnet_ops(style: Style, block: Block, source: Features, channels: float, held: Num) -> list[Op]:
    """norm, silu, convolution (plus the time embedding), again, plus a 1×1 convolution of the input."""
    plane, before = source
    x, h, batch = before * plane.pixels, channels * plane.pixels, plane.batch
    beside = held + x
    ops = [
        block.group_norm("resnet.norm1", plane, before, style.groups, live=held),
        block.field("resnet.silu1", "silu", x, x, live=beside),
        block.convolution("resnet.conv1", plane, plane, before, channels, live=beside),
    ]
    if style.time_width is not None:
        t = batch * style.time_width
        ops += [
            block.field("resnet.time_silu", "silu", t, t, live=beside),
            block.linear("resnet.time", batch, style.time_width, channels, live=beside + h),
            block.field("resnet.time_add", "arithmetic", h + batch * channels, h, live=beside),
        ]
    return [
        *ops,
        block.group_norm("resnet.norm2", plane, channels, style.groups, live=beside),
        block.field("resnet.silu2", "silu", h, h, live=beside),
        block.convolution("resnet.conv2", plane, plane, channels, channels, live=beside),
        block.convolution("resnet.shortcut", plane, plane, before, channels, 1.0, live=held + h),
        block.field("resnet.add", "arithmetic", 2.0 * h, h, live=beside),
    ]


def attention_ops(style: Style, block: Block, source: Features, held: Num, *, cross: bool = False) -> list[Op]:
    """Attention of the pixels to each other or, `cross`, to the text; its output is added to the input."""
    (plane, width), x = source, source.elements
    batch, pixels, name = plane.batch, plane.area, "cross" if cross else "self"
    keys = style.text_tokens if cross else pixels
    ops = [block.group_norm(f"{name}.norm", plane, width, style.groups, live=held)]
    if cross and style.text_width is not None:
        ops.append(block.linear(f"{name}.text", batch * keys, style.text_width, width, live=held + x))
    ops.append(block.copies(f"{name}.order", more_than_one(batch), x, live=held + x))
    ops += _text_projections(name, block, source, keys, held) if cross else _projections(name, block, source, held)
    k, scores = batch * keys * width, batch * style.heads * pixels * keys
    beside = held + 2.0 * x
    shape = DenseAttentionShape(batch, style.heads, pixels, keys, width / style.heads)
    return [
        *ops,
        block.field(f"{name}.scale", "arithmetic", x, x, live=beside + 2.0 * k),
        _product(f"{name}.scores", block, shape, x + k, scores, beside + 2.0 * k),
        block.field(f"{name}.softmax", "softmax", scores, scores, live=beside + 2.0 * x + 2.0 * k),
        _product(f"{name}.values", block, shape, scores + k, x, beside + x + k),
        block.field(f"{name}.merge", "copy", x, x, live=beside + scores),
        block.linear(f"{name}.out", plane.pixels, width, width, live=beside + scores),
        block.field(f"{name}.mean", "reduce", scores, batch * pixels * keys, live=beside + x),
        block.field(f"{name}.residual", "arithmetic", 2.0 * x, x, live=held),
    ]


def _projections(name: str, block: Block, source: Features, held: Num) -> list[Op]:
    """Queries, keys and values of the pixels, in one product."""
    (plane, width), three = source, 3.0 * source.elements
    live = held + source.elements
    return [
        block.linear(f"{name}.qkv", plane.pixels, width, 3.0 * width, bias=False, live=live),
        block.field(f"{name}.bias", "arithmetic", three, three, weights=3.0 * width, live=live),
        block.field(f"{name}.split", "copy", three, three, live=live),
    ]


def _text_projections(name: str, block: Block, source: Features, keys: Num, held: Num) -> list[Op]:
    """Queries of the pixels, keys and values of the text."""
    (plane, width), x = source, source.elements
    several, words = more_than_one(plane.batch), plane.batch * keys
    k, live = words * width, held + 2.0 * x
    product = block.linear(f"{name}.kv", words, width, 2.0 * width, live=live)
    biased = several * 2.0 * k
    bias = block.field(f"{name}.kv_bias", "arithmetic", biased, biased, kernels=several, live=live)
    return [
        block.linear(f"{name}.q", plane.pixels, width, width, bias=False, live=held + x),
        block.field(f"{name}.q_bias", "arithmetic", x, x, weights=width, live=held + x),
        block.copies(f"{name}.order_text", several, k, live=live),
        product._replace(weights=product.weights - several * 2.0 * width),
        bias._replace(weights=several * 2.0 * width),
        block.field(f"{name}.split", "copy", 2.0 * k, 2.0 * k, live=live),
    ]


def _product(name: str, block: Block, shape: DenseAttentionShape, read: Num, write: Num, held: Num) -> Op:
    """One of attention's two batched products: 2 d FLOPs per head and pair."""
    flops = 2.0 * shape.dim * (shape.batch * shape.heads * shape.queries * shape.keys)
    where, count = block.name, block.number
    return Op(name, "attention", where, count, flops=flops, read=read, write=write, live=held, shape=shape)


def halve_op(block: Block, source: Features, held: Num) -> tuple[Op, Features]:
    """A 4×4 convolution of stride 2; odd sizes round down."""
    plane, channels = source
    half = Plane(plane.batch, floor(plane.height / 2.0), floor(plane.width / 2.0))
    op = block.convolution("downsample", plane, half, channels, channels, 4.0, live=held)
    return op, Features(half, channels)


def double_op(block: Block, source: Features, held: Num) -> tuple[Op, Features]:
    """A 4×4 transposed convolution of stride 2: every input element meets the whole kernel."""
    plane, channels = source
    target = Features(plane.doubled(), channels)
    op = block.convolution("upsample", plane, plane, channels, channels, 4.0, live=held)
    return op._replace(write=target.elements, vector_flops=target.elements), target
