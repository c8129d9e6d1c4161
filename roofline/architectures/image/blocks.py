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


class TimeInput(NamedTuple):
    """How a residual layer takes the time step: an embedding of a width, added or as scales and shifts of its norm."""

    width: float
    scale_shift: bool = False


class Context(NamedTuple):
    """What conditions a denoiser: its time embedding, and the text that cross-attention reads."""

    time: TimeInput
    text_width: float
    text_tokens: Num
    groups: float
    linear_projection: bool
    gated: bool = False
    text_norm: float | None = None


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
    time: TimeInput | None = None,
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
    if time is not None:
        ops += _time_ops(block, plane.batch, time, Features(plane, channels), beside)
    ops += [
        block.group_norm("resnet.norm2", plane, channels, groups, live=beside),
        *_scale_ops(block, time, Features(plane, channels), beside),
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


def _time_ops(block: Block, batch: Num, time: TimeInput, target: Features, beside: Num) -> list[Op]:
    """The time embedding [b, t], through silu and a dense layer, added to all pixels, or kept as scales and shifts."""
    t, h, channels = batch * time.width, target.elements, target.channels
    outputs = 2.0 * channels if time.scale_shift else channels
    ops = [
        block.field("resnet.time_silu", "silu", t, t, live=beside + h),
        block.linear("resnet.time_emb_proj", batch, time.width, outputs, live=beside + h),
    ]
    if not time.scale_shift:
        ops.append(block.field("resnet.time_add", "arithmetic", h + batch * channels, h, live=beside))
    return ops


def _scale_ops(block: Block, time: TimeInput | None, target: Features, beside: Num) -> list[Op]:
    """Scaled and shifted: x (1 + scale) + shift, a scale and a shift per image and channel."""
    if time is None or not time.scale_shift:
        return []
    h, row = target.elements, target.plane.batch * target.channels
    return [
        block.field("resnet.time_one", "arithmetic", row, row, live=beside + h),
        block.field("resnet.time_scale", "arithmetic", h + row, h, live=beside),
        block.field("resnet.time_shift", "arithmetic", h + row, h, live=beside),
    ]


def resampling_resnet_ops(
    block: Block, source: Features, target: Plane, groups: float, held: Num, time: TimeInput
) -> list[Op]:
    """A residual layer that resamples: its convolutions run on the target's plane, its first norm on the source's."""
    x, y, channels = source.elements, source.channels * target.pixels, source.channels
    rest = resnet_ops(block, Features(target, channels), channels, groups, held, time=time)[2:]
    return [
        block.group_norm("resnet.norm1", source.plane, channels, groups, live=held),
        block.field("resnet.silu1", "silu", x, x, live=held + x),
        block.times(2.0).field("resnet.resample", "upsample", x, y, live=held + x + y),
        *rest,
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
