"""Blocks of a plain latent diffusion model: residual layers, and multi-head attention that stores its scores.

The framework's attention module is asked for its weights, so scores go through memory and their mean over the heads is
computed too.

Source: explainingai-code/StableDiffusion-PyTorch @f562b158 models/blocks.py; torch 2.13.0 nn.MultiheadAttention.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.image.blocks import more_than_one
from roofline.num import Num, floor
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op
from roofline.workload.shapes import DenseAttentionShape


class Style(NamedTuple):
    """What all blocks of a model share: groups, heads, the width of the time embedding, the text that conditions."""

    groups: float
    heads: float
    time_width: float | None = None
    text_width: float | None = None
    text_tokens: Num = 0.0


def resnet_ops(
    style: Style, block: str, plane: Plane, channels_in: float, channels_out: float, held: Num, count: float = 1.0
) -> list[Op]:
    """norm, silu, convolution (plus the time embedding), again, plus a 1×1 convolution of the input."""
    x, h, batch = channels_in * plane.pixels, channels_out * plane.pixels, plane.batch
    beside = held + x
    ops = [
        make.group_norm("resnet.norm1", block, plane, channels_in, style.groups, count=count, live=held),
        make.field("resnet.silu1", block, "silu", x, x, count=count, live=beside),
        make.convolution("resnet.conv1", block, plane, plane, channels_in, channels_out, count=count, live=beside),
    ]
    if style.time_width is not None:
        t = batch * style.time_width
        ops += [
            make.field("resnet.time_silu", block, "silu", t, t, count=count, live=beside),
            make.linear("resnet.time", block, batch, style.time_width, channels_out, count=count, live=beside + h),
            make.field("resnet.time_add", block, "arithmetic", h + batch * channels_out, h, count=count, live=beside),
        ]
    ops += [
        make.group_norm("resnet.norm2", block, plane, channels_out, style.groups, count=count, live=beside),
        make.field("resnet.silu2", block, "silu", h, h, count=count, live=beside),
        make.convolution("resnet.conv2", block, plane, plane, channels_out, channels_out, count=count, live=beside),
        make.convolution("resnet.shortcut", block, plane, plane, channels_in, channels_out, 1.0, count=count,
                         live=held + h),
        make.field("resnet.add", block, "arithmetic", 2.0 * h, h, count=count, live=beside),
    ]  # fmt: skip
    return ops


def attention_ops(
    style: Style, block: str, plane: Plane, width: float, held: Num, count: float, *, cross: bool = False
) -> list[Op]:
    """Attention of the pixels to each other or, `cross`, to the text; its output is added to the input."""
    x, batch, pixels = width * plane.pixels, plane.batch, plane.area
    several = more_than_one(batch)
    keys = style.text_tokens if cross else pixels
    scores = batch * style.heads * pixels * keys
    name = "cross" if cross else "self"
    ops = [make.group_norm(f"{name}.norm", block, plane, width, style.groups, count=count, live=held)]
    if cross and style.text_width is not None:
        ops.append(
            make.linear(f"{name}.text", block, batch * keys, style.text_width, width, count=count, live=held + x)
        )
    ops.append(
        make.field(
            f"{name}.order", block, "copy", several * x, several * x, count=count, kernels=several, live=held + x
        )
    )
    ops += _projection_ops(name, block, plane, width, keys, held, count, cross=cross)
    k = batch * keys * width
    beside = held + 2.0 * x
    shape = DenseAttentionShape(batch, style.heads, pixels, keys, width / style.heads)
    ops += [
        make.field(f"{name}.scale", block, "arithmetic", x, x, count=count, live=beside + 2.0 * k),
        _product(f"{name}.scores", block, shape, x + k, scores, beside + 2.0 * k, count),
        make.field(f"{name}.softmax", block, "softmax", scores, scores, count=count, live=beside + 2.0 * x + 2.0 * k),
        _product(f"{name}.values", block, shape, scores + k, x, beside + x + k, count),
        make.field(f"{name}.merge", block, "copy", x, x, count=count, live=beside + scores),
        make.linear(f"{name}.out", block, plane.pixels, width, width, count=count, live=beside + scores),
        make.field(f"{name}.mean", block, "reduce", scores, batch * pixels * keys, count=count, live=beside + x),
        make.field(f"{name}.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held),
    ]
    return ops


def _projection_ops(
    name: str, block: str, plane: Plane, width: float, keys: Num, held: Num, count: float, *, cross: bool
) -> list[Op]:
    """Queries, keys and values: three in one product, or queries from the pixels and the other two from the text."""
    x, batch = width * plane.pixels, plane.batch
    several = more_than_one(batch)
    if not cross:
        return [
            make.linear(f"{name}.qkv", block, plane.pixels, width, 3.0 * width, bias=False, count=count, live=held + x),
            make.field(f"{name}.bias", block, "arithmetic", 3.0 * x, 3.0 * x, weights=3.0 * width, count=count,
                       live=held + x),
            make.field(f"{name}.split", block, "copy", 3.0 * x, 3.0 * x, count=count, live=held + x),
        ]  # fmt: skip
    k = batch * keys * width
    product = make.linear(f"{name}.kv", block, batch * keys, width, 2.0 * width, count=count, live=held + 2.0 * x)
    bias = make.field(f"{name}.kv_bias", block, "arithmetic", several * 2.0 * k, several * 2.0 * k, count=count,
                      kernels=several, live=held + 2.0 * x)  # fmt: skip
    return [
        make.linear(f"{name}.q", block, plane.pixels, width, width, bias=False, count=count, live=held + x),
        make.field(f"{name}.q_bias", block, "arithmetic", x, x, weights=width, count=count, live=held + x),
        make.field(f"{name}.order_text", block, "copy", several * k, several * k, count=count, kernels=several,
                   live=held + 2.0 * x),
        product._replace(weights=product.weights - several * 2.0 * width),
        bias._replace(weights=several * 2.0 * width),
        make.field(f"{name}.split", block, "copy", 2.0 * k, 2.0 * k, count=count, live=held + 2.0 * x),
    ]  # fmt: skip


def _product(name: str, block: str, shape: DenseAttentionShape, read: Num, write: Num, held: Num, count: float) -> Op:
    """One of attention's two batched products: 2 d FLOPs per head and pair."""
    pairs = shape.batch * shape.heads * shape.queries * shape.keys
    return Op(name, "attention", block, count, flops=2.0 * shape.dim * pairs, read=read, write=write, live=held,
              shape=shape)  # fmt: skip


def halve_op(block: str, plane: Plane, channels: float, held: Num) -> tuple[Op, Plane]:
    """A 4×4 convolution of stride 2; odd sizes round down."""
    half = Plane(plane.batch, floor(plane.height / 2.0), floor(plane.width / 2.0))
    return make.convolution("downsample", block, plane, half, channels, channels, 4.0, live=held), half


def double_op(block: str, plane: Plane, channels: float, held: Num) -> tuple[Op, Plane]:
    """A 4×4 transposed convolution of stride 2: every input element meets the whole kernel."""
    target = plane.doubled()
    op = make.convolution("upsample", block, plane, plane, channels, channels, 4.0, live=held)
    return op._replace(write=channels * target.pixels, vector_flops=channels * target.pixels), target
