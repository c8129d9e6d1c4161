"""The deep-compression autoencoder of Sana and its kin: spec and plane to ops.

Source: diffusers 0.42.1, autoencoder_dc.py; SanaMultiscaleLinearAttention in attention_processor.py, GLUMBConv in
sana_transformer.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import Features
from roofline.num import Num, where
from roofline.specs.image.codecs import DeepAutoencoderSpec, DeepLevel
from roofline.workload.constructors_image import Block, Plane
from roofline.workload.op import Op
from roofline.workload.shapes import DenseAttentionShape

#: How much wider the gated convolution behind an attention is.
_EXPANSION = 4.0


def deep_encode_ops(spec: DeepAutoencoderSpec, pixels: Plane) -> list[Op]:
    """Pixels [b, 3, h, w] to latents [b, c, h / scale, w / scale]."""
    levels, into = spec.encoder, Features(pixels, float(spec.pixel_channels))
    first, block = levels[0], Block("encoder.conv_in")
    if first.layers:
        ops = [block.convolution("conv_in", pixels, pixels, into.channels, float(first.channels))]
        x = Features(pixels, float(first.channels))
    else:
        ops, x = _down_ops(spec, block, into, float(levels[1].channels), shortcut=False)
    for index, level in enumerate(levels):
        ops += _level_ops(spec, f"encoder.down_blocks.{index}", level, x)
        if level.layers and index < len(levels) - 1:
            name, width = Block(f"encoder.down_blocks.{index}"), float(levels[index + 1].channels)
            more, x = _down_ops(spec, name, x, width)
            ops += more
    latent, out = float(spec.latent_channels), Block("encoder.conv_out")
    z = latent * x.plane.pixels
    return [
        *ops,
        out.convolution("conv_out", x.plane, x.plane, x.channels, latent, live=x.elements),
        out.field("shortcut", "reduce", x.elements, z, live=z),
        out.field("shortcut.add", "arithmetic", 2.0 * z, z),
    ]


def deep_decode_ops(spec: DeepAutoencoderSpec, latents: Plane) -> list[Op]:
    """Latents to pixels."""
    levels, latent = spec.decoder, float(spec.latent_channels)
    x, block = Features(latents, float(levels[-1].channels)), Block("decoder.conv_in")
    n = x.elements
    ops = [
        block.field("shortcut", "copy", latent * latents.pixels, n),
        block.convolution("conv_in", latents, latents, latent, x.channels, live=n),
        block.field("shortcut.add", "arithmetic", 2.0 * n, n),
    ]
    for index in reversed(range(len(levels))):
        level, name = levels[index], f"decoder.up_blocks.{index}"
        if level.layers and index < len(levels) - 1:
            more, x = _up_ops(spec, Block(name), x, float(level.channels))
            ops += more
        ops += _level_ops(spec, name, level, x)
    n, end, outputs = x.elements, Block("decoder.norm_out"), float(spec.pixel_channels)
    ops += [*_norm_ops("norm_out", end, x, 0.0 * n), end.field("conv_act", "relu", n, n)]
    last = Block("decoder.conv_out")
    if levels[0].layers:
        return [*ops, last.convolution("conv_out", x.plane, x.plane, x.channels, outputs)]
    return ops + _up_ops(spec, last, x, outputs, shortcut=False)[0]


def _down_ops(
    spec: DeepAutoencoderSpec, block: Block, source: Features, width: float, *, shortcut: bool = True
) -> tuple[list[Op], Features]:
    """Half the plane: a convolution, with four pixels moved into channels or a stride, plus means of the input."""
    plane, x = source.plane, source.elements
    target = Features(plane.halved(), width)
    y = target.elements
    if spec.unshuffle:
        ops = [
            block.convolution("downsample", plane, plane, source.channels, width / 4.0, live=x),
            block.field("unshuffle", "copy", y, y, live=x),
        ]
    else:
        ops = [block.convolution("downsample", plane, target.plane, source.channels, width, live=x)]
    if shortcut:
        ops += [
            block.field("shortcut.unshuffle", "copy", x, x, live=y),
            block.field("shortcut.mean", "reduce", x, y, live=y),
            block.field("shortcut.add", "arithmetic", 2.0 * y, y),
        ]
    return ops, target


def _up_ops(
    spec: DeepAutoencoderSpec, block: Block, source: Features, width: float, *, shortcut: bool = True
) -> tuple[list[Op], Features]:
    """Twice the plane: a convolution of repeated pixels, or one to channels that become pixels, plus the input."""
    plane, x = source.plane, source.elements
    target = Features(plane.doubled(), width)
    y = target.elements
    if spec.interpolate:
        wide = source.channels * target.plane.pixels
        ops = [
            block.field("upsample", "upsample", x, wide, live=0.0 * x),
            block.convolution("upsample.conv", target.plane, target.plane, source.channels, width, live=x),
        ]
    else:
        ops = [
            block.convolution("upsample.conv", plane, plane, source.channels, 4.0 * width),
            block.field("shuffle", "copy", y, y, live=x),
        ]
    if shortcut:
        ops += [
            block.times(2.0).field("shortcut.repeat", "copy", y, y, live=y),
            block.field("shortcut.add", "arithmetic", 2.0 * y, y),
        ]
    return ops, target


def _level_ops(spec: DeepAutoencoderSpec, name: str, level: DeepLevel, x: Features) -> list[Op]:
    if not level.layers:
        return []
    block, held = Block(name, float(level.layers)), x.elements
    if level.kind == "residual":
        return _residual_ops(block, x, held)
    kernels = tuple(float(kernel) for kernel in level.kernels)
    return _attention_ops(block, x, float(spec.head_dim), kernels, held) + _gated_ops(block, x, held)


def _residual_ops(block: Block, x: Features, held: Num) -> list[Op]:
    """Two 3×3 convolutions, the second without bias, a norm over the channels, plus the input."""
    (plane, width), n = x, x.elements
    return [
        block.convolution("conv1", plane, plane, width, width, live=held),
        block.field("act", "silu", n, n, live=held),
        block.convolution("conv2", plane, plane, width, width, bias=False, live=held),
        *_norm_ops("norm", block, x, held),
        block.field("residual", "arithmetic", 2.0 * n, n),
    ]


def _norm_ops(name: str, block: Block, x: Features, held: Num) -> list[Op]:
    """A norm over the channels with weight and bias, and the copies that bring these last and back."""
    n, width = x.elements, x.channels
    return [
        block.field(name, "layer", n, n, weights=2.0 * width, live=held),
        block.field(f"{name}.order", "copy", n, n, live=held),
    ]


def _depthwise(name: str, block: Block, x: Features, kernel: float, groups: float, *, bias: bool, live: Num) -> Op:
    """A convolution in groups: every output sees the channels of its group."""
    plane, width = x
    op = block.convolution(name, plane, plane, width / groups, width, kernel, bias=bias, live=live)
    return op._replace(read=x.elements)


def _attention_ops(block: Block, x: Features, dim: float, kernels: tuple[float, ...], held: Num) -> list[Op]:
    """Attention without a softmax, whose cost grows with the pixels; further queries, keys and values by convolutions.

    A plane of no more pixels than a head is wide is attended to in full.
    """
    (plane, width), n, heads = x, x.elements, x.channels / dim
    scales, three = 1.0 + len(kernels), Features(plane, 3.0 * width)
    ops = [
        block.times(3.0).linear("attention.qkv", plane.pixels, width, width, bias=False, live=held),
        block.field("attention.join", "copy", 3.0 * n, 3.0 * n, live=held + 3.0 * n),
    ]
    for kernel in kernels:
        wide, group = 3.0 * width, 3.0 * heads
        ops.append(_depthwise("attention.near", block, three, kernel, wide, bias=False, live=held + 3.0 * n))
        ops.append(_depthwise("attention.mix", block, three, 1.0, group, bias=False, live=held + 3.0 * n))
    area, every = plane.area, plane.batch * heads * scales
    linear = 4.0 * (dim + 1.0) * dim * area
    flops = every * where(area > dim, linear, 4.0 * dim * area * area)
    m = scales * n
    shape = DenseAttentionShape(plane.batch, heads * scales, area, dim, dim)
    return [
        *ops,
        block.field_fp32("attention.widen", "copy", 0.0, 3.0 * m, read_half=3.0 * m, live=held),
        block.times(2.0).field_fp32("attention.relu", "relu", m, m, live=held + 6.0 * m),
        Op(
            "attention",
            "attention",
            block.name,
            block.number,
            flops,
            2.0 * m,
            read=3.0 * m,
            write=m,
            live=held,
            shape=shape,
        ),
        block.field_fp32("attention.divide", "arithmetic", m, 0.0, write_half=m, live=held),
        block.linear("attention.to_out", plane.pixels, scales * width, width, bias=False, live=held),
        *_norm_ops("attention.norm_out", block, x, held),
        block.field("attention.residual", "arithmetic", 2.0 * n, n),
    ]


def _gated_ops(block: Block, x: Features, held: Num) -> list[Op]:
    """A 1×1 convolution to a value and a gate, a depthwise 3×3 over both, their product, and a 1×1 back."""
    (plane, width), n = x, x.elements
    hidden = _EXPANSION * width
    both = Features(plane, 2.0 * hidden)
    h = hidden * plane.pixels
    return [
        block.convolution("gated.inverted", plane, plane, width, 2.0 * hidden, 1.0, live=held),
        block.field("gated.silu", "silu", 2.0 * h, 2.0 * h, live=held),
        _depthwise("gated.depth", block, both, 3.0, 2.0 * hidden, bias=True, live=held),
        block.field("gated.gate", "silu", h, h, live=held + 2.0 * h),
        block.field("gated.product", "arithmetic", 2.0 * h, h, live=held + 2.0 * h),
        block.convolution("gated.point", plane, plane, hidden, width, 1.0, bias=False, live=held),
        *_norm_ops("gated.norm", block, x, held),
        block.field("gated.residual", "arithmetic", 2.0 * n, n),
    ]
