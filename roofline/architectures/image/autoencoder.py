"""Autoencoders between pixels and latents: the variational one of Stable Diffusion, and the tiny one.

`held` follows the reference code's variables, as in image_blocks.

Source: diffusers 0.42.1, autoencoder_kl.py, vae.py, autoencoder_tiny.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import more_than_one, resnet_ops, upsample_ops
from roofline.num import Num, floor
from roofline.specs.image.parts import AutoencoderSpec, TinyAutoencoderSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op


def encode_ops(spec: AutoencoderSpec, pixels: Plane) -> list[Op]:
    """Pixels [b, 3, h, w] to the mean and variance of latents [b, 2 c, h / 8, w / 8]."""
    groups, plane, before = float(spec.groups), pixels, float(spec.channels[0])
    ops = [make.convolution("conv_in", "encoder.conv_in", plane, plane, float(spec.pixel_channels), before)]
    last = len(spec.channels) - 1
    for index, width in enumerate(spec.channels):
        block, channels = f"encoder.down_blocks.{index}", float(width)
        ops += _resnets(block, plane, before, channels, groups, float(spec.layers), 0.0)
        if index < last:
            ops += _pad_and_halve(block, plane, channels, channels * plane.pixels)
            plane = Plane(plane.batch, floor(plane.height / 2.0), floor(plane.width / 2.0))
        before = channels
    ops += _mid_ops(spec, "encoder.mid_block", plane, before, 0.0)
    ops += _out_ops("encoder", plane, before, 2.0 * spec.latent_channels, groups, 0.0, copied=spec.mid_attention)
    if spec.quant:
        latent = 2.0 * spec.latent_channels
        ops.append(make.convolution("quant_conv", "quant_conv", plane, plane, latent, latent, 1.0))
    z = spec.latent_channels * plane.pixels  # the distribution: clamp, two exponentials and a product of its logarithm
    ops.append(make.field("posterior", "<top>", "arithmetic", z, z, count=4.0, live=z))
    return ops


def decode_ops(spec: AutoencoderSpec, latents: Plane) -> list[Op]:
    """Latents [b, c, h, w] to pixels [b, 3, 8 h, 8 w]."""
    groups, plane, latent = float(spec.groups), latents, float(spec.latent_channels)
    ops, held = [], 0.0 * plane.pixels
    if spec.post_quant:
        ops.append(make.convolution("post_quant_conv", "post_quant_conv", plane, plane, latent, latent, 1.0))
        held = latent * plane.pixels
    before = float(spec.channels[-1])
    ops.append(make.convolution("conv_in", "decoder.conv_in", plane, plane, latent, before))
    ops += _mid_ops(spec, "decoder.mid_block", plane, before, held)
    last = len(spec.channels) - 1
    for index, width in enumerate(reversed(spec.channels)):
        block, channels = f"decoder.up_blocks.{index}", float(width)
        copied = spec.mid_attention and index == 0
        ops += _resnets(block, plane, before, channels, groups, spec.layers + 1.0, held, copied=copied)
        if index < last:
            target = plane.doubled()
            ops += upsample_ops(block, plane, target, channels, held + before * plane.pixels)
            plane = target
        before = channels
    return ops + _out_ops("decoder", plane, before, float(spec.pixel_channels), groups, held)


def _resnets(
    block: str, plane: Plane, before: float, channels: float, groups: float, layers: float, held: Num, *,
    copied: bool = False,
) -> list[Op]:  # fmt: skip
    """Residual layers in a row; the block's input stays until its end, but is the first layer's own input."""
    first, rest = before * plane.pixels, layers - 1.0
    if before == channels:
        return resnet_ops(block, plane, channels, channels, groups, held + (first if rest else 0.0), count=layers,
                          copies=layers if copied else 0.0)  # fmt: skip
    ops = resnet_ops(block, plane, before, channels, groups, held, copies=1.0 if copied else 0.0)
    if rest:
        ops += resnet_ops(block, plane, channels, channels, groups, held + first, count=rest,
                          copies=rest if copied else 0.0)  # fmt: skip
    return ops


def _mid_ops(spec: AutoencoderSpec, block: str, plane: Plane, channels: float, held: Num) -> list[Op]:
    """Two residual layers with attention of one head over all pixels between."""
    groups, x = float(spec.groups), channels * plane.pixels
    copies = 1.0 if spec.mid_attention else 0.0
    ops = resnet_ops(block, plane, channels, channels, groups, held + x, count=2.0, copies=copies)
    if not spec.mid_attention:
        return ops
    several, beside, rows = more_than_one(plane.batch), held + 2.0 * x, plane.pixels
    ops += [
        make.group_norm("attention.norm", block, plane, channels, groups, live=held + x),
        make.field("attention.copy", block, "copy", several * x, several * x, kernels=several, count=3.0,
                   live=beside + 2.0 * x),
        make.linear("attention.qkv", block, rows, channels, channels, bias=False, count=3.0, live=beside + 2.0 * x),
        make.field("attention.bias", block, "arithmetic", x, x, weights=channels, count=3.0, live=beside + 3.0 * x),
        make.attention(
            "attention", block, plane.batch, 1.0, plane.area, plane.area, channels, wide_softmax=True, live=beside + x
        ),
        make.linear("attention.to_out", block, rows, channels, channels, live=beside + 4.0 * x),
        make.field("attention.residual", block, "arithmetic", 2.0 * x, x, live=held + 5.0 * x),
        make.field("attention.rescale", block, "arithmetic", x, x, live=beside + 4.0 * x),
    ]  # fmt: skip
    return ops


def _pad_and_halve(block: str, plane: Plane, channels: float, held: Num) -> list[Op]:
    """A row and a column of zeros, then a 3×3 convolution of stride 2 without padding: odd sizes round down."""
    x = channels * plane.pixels
    padded = Plane(plane.batch, plane.height + 1.0, plane.width + 1.0)
    half = Plane(plane.batch, floor(plane.height / 2.0), floor(plane.width / 2.0))
    return [
        make.field("downsample.pad", block, "copy", x, channels * padded.pixels, live=held),
        make.convolution("downsample", block, padded, half, channels, channels, live=held + x),
    ]


def _out_ops(
    part: str, plane: Plane, channels: float, outputs: float, groups: float, held: Num, *, copied: bool = False
) -> list[Op]:
    x = channels * plane.pixels
    ops = [make.field("conv_norm_out.copy", f"{part}.conv_norm_out", "copy", x, x, live=held)] if copied else []
    return [
        *ops,
        make.group_norm(
            "conv_norm_out", f"{part}.conv_norm_out", plane, channels, groups, live=held + (x if copied else 0.0)
        ),
        make.field("conv_act", f"{part}.conv_act", "silu", x, x, live=held),
        make.convolution("conv_out", f"{part}.conv_out", plane, plane, channels, outputs, live=held),
    ]


def tiny_encode_ops(spec: TinyAutoencoderSpec, pixels: Plane) -> list[Op]:
    """Pixels to latents [b, c, h / 8, w / 8]."""
    channels, plane = float(spec.channels), pixels
    x = spec.pixel_channels * plane.pixels
    scaled = x
    ops = [
        make.field("scale", "encoder", "arithmetic", x, x),
        make.field("scale", "encoder", "arithmetic", x, x),
    ]
    layer = 0
    for index, blocks in enumerate(spec.encoder):
        name = f"encoder.layers.{layer}"
        if index == 0:
            ops.append(make.convolution("conv_in", name, plane, plane, float(spec.pixel_channels), channels))
        else:
            half = plane.halved()
            ops.append(make.convolution("downsample", name, plane, half, channels, channels, bias=False, live=scaled))
            plane = half
        ops += _tiny_blocks("encoder", layer + 1, plane, channels, float(blocks), scaled)
        layer += 1 + blocks
    ops.append(
        make.convolution("conv_out", f"encoder.layers.{layer}", plane, plane, channels, float(spec.latent_channels),
                         live=scaled)
    )  # fmt: skip
    return ops


def tiny_decode_ops(spec: TinyAutoencoderSpec, latents: Plane) -> list[Op]:
    """Latents to pixels. The latents are clamped smoothly first: 3 tanh(z / 3)."""
    channels, plane = float(spec.channels), latents
    z, x = spec.latent_channels * plane.pixels, channels * plane.pixels
    ops = [
        make.field("clamp", "decoder", "arithmetic", z, z, count=2.0),
        make.field("clamp.tanh", "decoder", "tanh", z, z),
        make.convolution("conv_in", "decoder.layers.0", plane, plane, float(spec.latent_channels), channels),
        make.field("relu", "decoder.layers.1", "relu", x, x, live=z),
    ]
    layer, last = 2, len(spec.decoder) - 1
    for index, blocks in enumerate(spec.decoder):
        ops += _tiny_blocks("decoder", layer, plane, channels, float(blocks), z)
        layer += blocks
        if index < last:
            target = plane.doubled()
            ops.append(
                make.field("upsample", f"decoder.layers.{layer}", "upsample", channels * plane.pixels,
                           channels * target.pixels, live=z)
            )  # fmt: skip
            plane, layer = target, layer + 1
            ops.append(
                make.convolution(
                    "conv", f"decoder.layers.{layer}", plane, plane, channels, channels, bias=False, live=z
                )
            )
            layer += 1
    p = spec.pixel_channels * plane.pixels
    ops += [
        make.convolution("conv_out", f"decoder.layers.{layer}", plane, plane, channels, float(spec.pixel_channels),
                         live=z),
        make.field("rescale", "decoder", "arithmetic", p, p, count=2.0),
    ]  # fmt: skip
    return ops


def _tiny_blocks(part: str, layer: int, plane: Plane, channels: float, blocks: float, held: Num) -> list[Op]:
    """Residual blocks: three 3×3 convolutions with relu between, plus the input, relu."""
    name, x = f"{part}.layers.{layer}", channels * plane.pixels
    if blocks > 1:
        name += f"-{layer + int(blocks) - 1}"
    return [
        make.convolution("conv", name, plane, plane, channels, channels, count=3.0 * blocks, live=held + x),
        make.field("relu", name, "relu", x, x, count=2.0 * blocks, live=held + x),
        make.field("residual", name, "arithmetic", 2.0 * x, x, count=blocks, live=held),
        make.field("fuse", name, "relu", x, x, count=blocks, live=held + x),
    ]
