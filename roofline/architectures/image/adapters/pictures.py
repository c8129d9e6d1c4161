"""A T2I adapter: spec and plane of pixels to ops.

Source: diffusers 0.42.1, adapter.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import Features
from roofline.num import Num
from roofline.specs.image.codecs import AdapterSpec
from roofline.workload.constructors_image import Block, Plane
from roofline.workload.op import Op


def adapter_ops(spec: AdapterSpec, pixels: Plane) -> list[Op]:
    """One forward pass: a picture [b, c, h, w] to one feature per level."""
    factor = float(spec.unshuffle)
    plane = Plane(pixels.batch, pixels.height / factor, pixels.width / factor)
    x = Features(plane, spec.pixel_channels * factor * factor)
    ops = [Block("adapter.unshuffle").field("unshuffle", "copy", x.elements, x.elements)]
    widths = [float(channels) for channels in spec.channels]
    light, layers, held = spec.kind == "light", float(spec.layers), 0.0 * plane.pixels
    if light:
        widths.append(widths[-1])
    else:
        ops.append(Block("adapter.conv_in").convolution("conv_in", plane, plane, x.channels, widths[0]))
        x = Features(plane, widths[0])
    for index, width in enumerate(widths):
        block = Block(f"adapter.body.{index}")
        if index == 2 if spec.kind == "full_xl" else index > 0:
            ops.append(_pool(block, x, held))
            x = Features(x.plane.halved(), x.channels)
        if spec.kind == "full_xl" and index not in (1, 2):
            x = Features(x.plane, width)
        ops += _light_ops(block, x, width, layers, held) if light else _full_ops(block, x, width, layers, held)
        x = Features(x.plane, width)
        held = held + x.elements
    return ops


def _pool(block: Block, x: Features, held: Num) -> Op:
    return block.field("pool", "arithmetic", x.elements, x.channels * x.plane.halved().pixels, live=held)


def _full_ops(block: Block, source: Features, width: float, layers: float, held: Num) -> list[Op]:
    """A 1×1 convolution where the channels change, then residual layers of a 3×3 and a 1×1 convolution."""
    plane = source.plane
    ops = []
    if source.channels != width:
        ops.append(block.convolution("in_conv", plane, plane, source.channels, width, 1.0, live=held))
    return ops + _residual_ops(block.times(layers), Features(plane, width), 1.0, held)


def _residual_ops(block: Block, x: Features, kernel: float, held: Num) -> list[Op]:
    n, (plane, width) = x.elements, x
    return [
        block.convolution("block1", plane, plane, width, width, live=held),
        block.field("relu", "relu", n, n, live=held + n),
        block.convolution("block2", plane, plane, width, width, kernel, live=held + n),
        block.field("residual", "arithmetic", 2.0 * n, n, live=held),
    ]


def _light_ops(block: Block, source: Features, width: float, layers: float, held: Num) -> list[Op]:
    """Residual layers of a quarter of the channels between two 1×1 convolutions."""
    plane, inner = source.plane, float(width // 4)
    return [
        block.convolution("in_conv", plane, plane, source.channels, inner, 1.0, live=held),
        *_residual_ops(block.times(layers), Features(plane, inner), 3.0, held),
        block.convolution("out_conv", plane, plane, inner, width, 1.0, live=held),
    ]
