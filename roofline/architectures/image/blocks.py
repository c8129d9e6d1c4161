"""The building blocks of convolutional image models: residual layers, transformer stacks, resampling, time embedding.

`held` is what stays in memory throughout, beside a block's own input and what it makes, in elements. It follows the
reference code's variables, for a tensor lives as long as a variable of some caller names it.

Source: diffusers 0.42.1, resnet.py, attention.py, attention_processor.py, transformer_2d.py.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num, where
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op


class Context(NamedTuple):
    """What conditions a denoiser: the width of its time embedding, and the text that cross-attention reads."""

    time_width: float
    text_width: float
    text_tokens: Num
    groups: float
    linear_projection: bool


def more_than_one(batch: Num) -> Num:
    """1 where the batch is larger than 1, else 0: some reshapes need a copy only then."""
    return where(batch > 1.0, 1.0, 0.0)


def time_embedding_ops(batch: Num, frequencies: float, width: float, condition: float | None = None) -> list[Op]:
    """A time step per image to a vector: sinusoid, two dense layers with silu; a guidance embedding is added first."""
    ops = make.sinusoid("time_proj", batch, frequencies, integer=True)
    where_ = "time_embedding"
    if condition is not None:
        ops.append(make.linear("cond_proj", where_, batch, condition, frequencies, bias=False))
        ops.append(make.field("cond_add", where_, "arithmetic", 2.0 * batch * frequencies, batch * frequencies))
    return ops + mlp_ops(where_, batch, frequencies, width, width)


def mlp_ops(block: str, rows: Num, d_in: float, hidden: float, d_out: float, count: float = 1.0) -> list[Op]:
    """Two dense layers with silu between."""
    return [
        make.linear("linear_1", block, rows, d_in, hidden, count=count),
        make.field("act", block, "silu", rows * hidden, rows * hidden, count=count),
        make.linear("linear_2", block, rows, hidden, d_out, count=count),
    ]


def resnet_ops(
    block: str, plane: Plane, channels_in: float, channels_out: float, groups: float, held: Num, *,
    time_width: float | None = None, count: float = 1.0, copies: float = 0.0,
) -> list[Op]:  # fmt: skip
    """A residual layer: norm, silu, 3×3 convolution (plus the time embedding), again, plus the input.

    x [b, i, h, w] -> [b, o, h, w]. Where the channels change, the input passes through a 1×1 convolution. `copies` is
    how many of the `count` layers get their input in an order that the norm must copy first.
    """
    x, h, batch = channels_in * plane.pixels, channels_out * plane.pixels, plane.batch
    beside = held + x
    ops = []
    if copies:
        ops.append(make.field("resnet.copy", block, "copy", x, x, count=copies, live=held))
    ops += [
        make.group_norm("resnet.norm1", block, plane, channels_in, groups, count=count, live=held),
        make.field("resnet.silu1", block, "silu", x, x, count=count, live=beside),
        make.convolution("resnet.conv1", block, plane, plane, channels_in, channels_out, count=count, live=beside),
    ]
    if time_width is not None:
        t = batch * time_width
        ops += [
            make.field("resnet.time_silu", block, "silu", t, t, count=count, live=beside + h),
            make.linear("resnet.time_emb_proj", block, batch, time_width, channels_out, count=count, live=beside + h),
            make.field("resnet.time_add", block, "arithmetic", h + batch * channels_out, h, count=count, live=beside),
        ]
    ops += [
        make.group_norm("resnet.norm2", block, plane, channels_out, groups, count=count, live=beside),
        make.field("resnet.silu2", block, "silu", h, h, count=count, live=beside),
        make.convolution("resnet.conv2", block, plane, plane, channels_out, channels_out, count=count, live=beside),
    ]
    kept: Num = 0.0
    if channels_in != channels_out:
        kept = x
        ops.append(
            make.convolution("resnet.shortcut", block, plane, plane, channels_in, channels_out, 1.0, count=count,
                             live=held + h)
        )  # fmt: skip
    ops += [
        make.field("resnet.add", block, "arithmetic", 2.0 * h, h, count=count, live=held + kept),
        make.field("resnet.rescale", block, "arithmetic", h, h, count=count, live=held + kept + 2.0 * h),
    ]
    return ops


def spatial_transformer_ops(
    block: str, plane: Plane, channels: float, heads: float, depth: float, context: Context, held: Num, count: float
) -> list[Op]:
    """A stack of `depth` transformer layers over the pixels of a plane, with a projection on either side.

    x [b, c, h, w] -> tokens [b, h w, c] -> [b, c, h, w], plus x. `count` such stacks.
    """
    rows, x = plane.pixels, channels * plane.pixels
    beside, groups = held + x, context.groups
    several = more_than_one(plane.batch)
    ops = [make.group_norm("transformer.norm", block, plane, channels, groups, count=count, live=held)]
    if context.linear_projection:
        ops += [
            make.field("proj_in.copy", block, "copy", several * x, several * x, kernels=several, count=count,
                       live=beside),
            make.linear("proj_in", block, rows, channels, channels, bias=False, count=count, live=beside),
            make.field("proj_in.bias", block, "arithmetic", x, x, weights=channels, count=count, live=beside + x),
        ]  # fmt: skip
    else:
        ops.append(make.convolution("proj_in", block, plane, plane, channels, channels, 1.0, count=count, live=beside))
    ops += transformer_layer_ops(block, plane.batch, plane.area, channels, heads, context, beside, count * depth)
    if context.linear_projection:
        ops.append(make.linear("proj_out", block, rows, channels, channels, count=count, live=beside))
        ops.append(make.field("proj_out.copy", block, "copy", x, x, count=count, live=beside + x))
    else:
        ops.append(make.field("proj_out.copy", block, "copy", x, x, count=count, live=beside))
        ops.append(
            make.convolution("proj_out", block, plane, plane, channels, channels, 1.0, count=count, live=beside + x)
        )
    ops.append(make.field("transformer.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held + x))
    return ops


def transformer_layer_ops(
    block: str, batch: Num, tokens: Num, width: float, heads: float, context: Context, held: Num, count: float
) -> list[Op]:
    """A transformer layer: self-attention, cross-attention to the text, feed-forward gated by gelu (4 times as wide).

    x [b, n, c] -> [b, n, c]. Queries, keys and values have no bias.
    """
    rows = batch * tokens
    x, inner = rows * width, 4.0 * rows * width
    ops = [make.layer_norm("norm1", block, rows, width, count=count, live=held)]
    ops += _attention_ops("attn1", block, batch, tokens, width, heads, held + x, count=count)
    ops.append(make.field("attn1.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held + x))
    ops.append(make.layer_norm("norm2", block, rows, width, count=count, live=held + 3.0 * x))
    ops += _attention_ops("attn2", block, batch, tokens, width, heads, held + 3.0 * x, count=count, text=context)
    ops += [
        make.field("attn2.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held + 2.0 * x),
        make.layer_norm("norm3", block, rows, width, count=count, live=held + 3.0 * x),
        make.linear("ff.proj", block, rows, width, 8.0 * width, count=count, live=held + 3.0 * x),
        make.field("ff.gelu", block, "gelu", inner, inner, count=count, live=held + 4.0 * x + inner),
        make.field("ff.gate", block, "arithmetic", 2.0 * inner, inner, count=count, live=held + 4.0 * x + inner),
        make.linear("ff.out", block, rows, 4.0 * width, width, count=count, live=held + 4.0 * x),
        make.field("ff.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held + 3.0 * x),
    ]
    return ops


def _attention_ops(
    name: str, block: str, batch: Num, tokens: Num, width: float, heads: float, held: Num, *,
    count: float, text: Context | None = None,
) -> list[Op]:  # fmt: skip
    """Multi-head attention to the tokens themselves or to a text, without biases but that of the output.

    The division by the scale of the residual is a kernel even where the scale is 1.
    """
    keys, source = (text.text_tokens, text.text_width) if text is not None else (tokens, width)
    rows, sources, queries = batch * tokens, batch * keys, tokens
    x, k = rows * width, sources * width
    beside = held if text is None else held + x
    return [
        make.linear(f"{name}.to_q", block, rows, width, width, bias=False, count=count, live=held),
        make.linear(f"{name}.to_k", block, sources, source, width, bias=False, count=count, live=beside + x),
        make.linear(f"{name}.to_v", block, sources, source, width, bias=False, count=count, live=beside + x + k),
        make.attention(name, block, batch, heads, queries, keys, width / heads, count=count, live=held + x),
        make.linear(f"{name}.to_out", block, rows, width, width, count=count, live=held + 2.0 * x + 2.0 * k),
        make.field(f"{name}.rescale", block, "arithmetic", x, x, count=count, live=held + 2.0 * x + 2.0 * k),
    ]


def downsample_op(block: str, plane: Plane, channels: float, held: Num) -> Op:
    """A 3×3 convolution of stride 2: odd sizes round up."""
    return make.convolution("downsample", block, plane, plane.halved(), channels, channels, live=held)


def upsample_ops(block: str, plane: Plane, target: Plane, channels: float, held: Num) -> list[Op]:
    """Nearest-neighbour upsampling to the size of the target, and a 3×3 convolution."""
    x, y = channels * plane.pixels, channels * target.pixels
    return [
        make.field("upsample", block, "upsample", x, y, live=held),
        make.convolution("upsample.conv", block, target, target, channels, channels, live=held + x),
    ]
