"""Autoencoders between pixels and latents: the variational one of Stable Diffusion, and the tiny one.

`held` follows the reference code's variables, as in `roofline.architectures.image.blocks`.

Source: diffusers 0.42.1, autoencoder_kl.py, vae.py, autoencoder_tiny.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import Features, resnet_ops, upsample_ops
from roofline.architectures.image.pixel_attention import pixel_attention_ops
from roofline.architectures.image.plain import quantise_ops
from roofline.num import Num, floor
from roofline.specs.image.parts import AutoencoderSpec, TinyAutoencoderSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import TOP, Block, Plane
from roofline.workload.op import Op

#: Halvings of the masked picture beside the decoder, and one: of a stride of 16.
_MASK_STEPS = 4


def encode_ops(spec: AutoencoderSpec, pixels: Plane) -> list[Op]:
    """Pixels [b, 3, h, w] to the mean and variance of latents [b, 2 c, h / 8, w / 8]."""
    x, coded = Features(pixels, float(spec.channels[0])), spec.codes is not None
    groups, latent = float(spec.groups), (1.0 if coded else 2.0) * spec.latent_channels
    ops = [make.convolution("conv_in", "encoder.conv_in", pixels, pixels, float(spec.pixel_channels), x.channels)]
    last = len(spec.channels) - 1
    for index, width in enumerate(spec.channels):
        block = Block(f"encoder.down_blocks.{index}", float(spec.layers))
        ops += _resnets(block, x, float(width), groups, 0.0)
        x = Features(x.plane, float(width))
        if index < last:
            ops += _pad_and_halve(block.name, x)
            x = Features(_halved(x.plane), x.channels)
    ops += _mid_ops(spec, "encoder.mid_block", x, 0.0)
    ops += _out_ops("encoder", x, latent, groups, 0.0, copied=spec.mid_attention)
    if spec.quant:
        made = float(spec.code_width or spec.latent_channels) if coded else latent
        ops.append(make.convolution("quant_conv", "quant_conv", x.plane, x.plane, latent, made, 1.0))
    if coded:
        return ops
    # the distribution: clamp, two exponentials and a product of its logarithm
    z = spec.latent_channels * x.plane.pixels
    ops.append(TOP.times(4.0).field("posterior", "arithmetic", z, z, live=z))
    return ops


def decode_ops(spec: AutoencoderSpec, latents: Plane) -> list[Op]:
    """Latents [b, c, h, w] to pixels [b, 3, 8 h, 8 w]."""
    widths, layers = spec.widths_out, (spec.decoder_layers or spec.layers) + 1.0
    groups, latent, x = float(spec.groups), float(spec.latent_channels), Features(latents, float(widths[-1]))
    ops, held, given = _held_ops(spec), 0.0 * latents.pixels, latent
    if spec.codes is not None:
        given = float(spec.code_width or spec.latent_channels)
        ops += quantise_ops(float(spec.codes), given, latents)
    if spec.post_quant:
        ops.append(make.convolution("post_quant_conv", "post_quant_conv", latents, latents, given, latent, 1.0))
        held = latent * latents.pixels
    ops.append(make.convolution("conv_in", "decoder.conv_in", latents, latents, latent, x.channels))
    ops += _mid_ops(spec, "decoder.mid_block", x, held)
    last = len(widths) - 1
    for index, width in enumerate(reversed(widths)):
        block, below = Block(f"decoder.up_blocks.{index}", layers), x
        ops += _resnets(block, x, float(width), groups, held, copied=spec.mid_attention and index == 0)
        x = Features(x.plane, float(width))
        if index < last:
            target = x.plane.doubled()
            ops += upsample_ops(Block(block.name), x, target, held + below.elements)
            x = Features(target, x.channels)
    return ops + _out_ops("decoder", x, float(spec.pixel_channels), groups, held)


def _held_ops(spec: AutoencoderSpec) -> list[Op]:
    """The convolutions over a masked picture, which a decoder holds and runs only where one is given.

    The widths double from the decoder's first to its last, in four steps; the first two convolutions are 3×3, the rest
    4×4 of stride 2.
    """
    if not spec.masked:
        return []
    width, most, before, own = float(spec.widths_out[0]), float(spec.widths_out[-1]), float(spec.pixel_channels), 0.0
    outputs, last = [], most
    for _ in range(_MASK_STEPS):
        width = min(width, most)
        outputs.append(width)
        width *= 2.0
    for index, after in enumerate([*outputs, last]):
        own += before * after * (9.0 if index < 2 else 16.0) + after
        before = after
    return [Op("condition_encoder (idle)", "pointwise", "decoder", params=own, active=own, kernels=0.0)]


def _resnets(
    block: Block, source: Features, channels: float, groups: float, held: Num, *, copied: bool = False
) -> list[Op]:
    """The residual layers of a block in a row; its input stays until its end, but is the first layer's own input."""
    first, rest = source.elements, block.number - 1.0
    if source.channels == channels:
        copies, beside = block.number if copied else 0.0, held + (first if rest else 0.0)
        return resnet_ops(block, source, channels, groups, beside, copies=copies)
    ops = resnet_ops(Block(block.name), source, channels, groups, held, copies=1.0 if copied else 0.0)
    if rest:
        inner, copies = Features(source.plane, channels), rest if copied else 0.0
        ops += resnet_ops(Block(block.name, rest), inner, channels, groups, held + first, copies=copies)
    return ops


def _mid_ops(spec: AutoencoderSpec, name: str, x: Features, held: Num) -> list[Op]:
    """Two residual layers with attention of one head over all pixels between."""
    copies, beside = 1.0 if spec.mid_attention else 0.0, held + x.elements
    ops = resnet_ops(Block(name, 2.0), x, x.channels, float(spec.groups), beside, copies=copies)
    return ops + pixel_attention_ops(Block(name), x, 1.0, float(spec.groups), held) if spec.mid_attention else ops


def _halved(plane: Plane) -> Plane:
    """After a convolution of stride 2 that pads on one side: odd sizes round down."""
    return Plane(plane.batch, floor(plane.height / 2.0), floor(plane.width / 2.0))


def _pad_and_halve(name: str, source: Features) -> list[Op]:
    """A row and a column of zeros, then a 3×3 convolution of stride 2 without padding."""
    (plane, channels), x, block = source, source.elements, Block(name)
    padded = Plane(plane.batch, plane.height + 1.0, plane.width + 1.0)
    return [
        block.field("downsample.pad", "copy", x, channels * padded.pixels, live=x),
        block.convolution("downsample", padded, _halved(plane), channels, channels, live=x + x),
    ]


def _out_ops(
    part: str, source: Features, outputs: float, groups: float, held: Num, *, copied: bool = False
) -> list[Op]:
    (plane, channels), x = source, source.elements
    norm = Block(f"{part}.conv_norm_out")
    ops = [norm.field("conv_norm_out.copy", "copy", x, x, live=held)] if copied else []
    return [
        *ops,
        norm.group_norm("conv_norm_out", plane, channels, groups, live=held + (x if copied else 0.0)),
        Block(f"{part}.conv_act").field("conv_act", "silu", x, x, live=held),
        make.convolution("conv_out", f"{part}.conv_out", plane, plane, channels, outputs, live=held),
    ]


def tiny_encode_ops(spec: TinyAutoencoderSpec, pixels: Plane) -> list[Op]:
    """Pixels to latents [b, c, h / 8, w / 8]."""
    channels, plane = float(spec.channels), pixels
    scaled = spec.pixel_channels * plane.pixels
    ops = [Block("encoder").field("scale", "arithmetic", scaled, scaled) for _ in range(2)]
    layer = 0
    for index, blocks in enumerate(spec.encoder):
        block = Block(f"encoder.layers.{layer}")
        if index == 0:
            ops.append(block.convolution("conv_in", plane, plane, float(spec.pixel_channels), channels))
        else:
            half = plane.halved()
            ops.append(block.convolution("downsample", plane, half, channels, channels, bias=False, live=scaled))
            plane = half
        ops += _tiny_blocks("encoder", layer + 1, Features(plane, channels), float(blocks), scaled)
        layer += 1 + blocks
    block = Block(f"encoder.layers.{layer}")
    ops.append(block.convolution("conv_out", plane, plane, channels, float(spec.latent_channels), live=scaled))
    return ops


def tiny_decode_ops(spec: TinyAutoencoderSpec, latents: Plane) -> list[Op]:
    """Latents to pixels. The latents are clamped smoothly first: 3 tanh(z / 3)."""
    channels, plane = float(spec.channels), latents
    z, x = spec.latent_channels * plane.pixels, channels * plane.pixels
    ops = [
        Block("decoder", 2.0).field("clamp", "arithmetic", z, z),
        Block("decoder").field("clamp.tanh", "tanh", z, z),
        make.convolution("conv_in", "decoder.layers.0", plane, plane, float(spec.latent_channels), channels),
        Block("decoder.layers.1").field("relu", "relu", x, x, live=z),
    ]
    layer, last = 2, len(spec.decoder) - 1
    for index, blocks in enumerate(spec.decoder):
        ops += _tiny_blocks("decoder", layer, Features(plane, channels), float(blocks), z)
        layer += blocks
        if index < last:
            ops += _tiny_upsample(layer, Features(plane, channels), z)
            plane, layer = plane.doubled(), layer + 2
    outputs, out = float(spec.pixel_channels), Block(f"decoder.layers.{layer}")
    p = spec.pixel_channels * plane.pixels
    ops.append(out.convolution("conv_out", plane, plane, channels, outputs, live=z))
    ops.append(Block("decoder", 2.0).field("rescale", "arithmetic", p, p))
    return ops


def _tiny_upsample(layer: int, source: Features, held: Num) -> list[Op]:
    """Twice the pixels, and a convolution without bias."""
    channels, target = source.channels, source.plane.doubled()
    upsample, block = Block(f"decoder.layers.{layer}"), Block(f"decoder.layers.{layer + 1}")
    return [
        upsample.field("upsample", "upsample", source.elements, channels * target.pixels, live=held),
        block.convolution("conv", target, target, channels, channels, bias=False, live=held),
    ]


def _tiny_blocks(part: str, layer: int, source: Features, blocks: float, held: Num) -> list[Op]:
    """Residual blocks: three 3×3 convolutions with relu between, plus the input, relu."""
    (plane, channels), x, name = source, source.elements, f"{part}.layers.{layer}"
    if blocks > 1:
        name += f"-{layer + int(blocks) - 1}"
    block = Block(name, blocks)
    return [
        block.times(3.0).convolution("conv", plane, plane, channels, channels, live=held + x),
        block.times(2.0).field("relu", "relu", x, x, live=held + x),
        block.field("residual", "arithmetic", 2.0 * x, x, live=held),
        block.field("fuse", "relu", x, x, live=held + x),
    ]
