"""A plain latent diffusion model: its UNet and its autoencoder to ops.

Source: explainingai-code/StableDiffusion-PyTorch @f562b158 models/unet_cond_base.py, vqvae.py, vae.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import mlp_ops
from roofline.architectures.image.plain_blocks import Style, attention_ops, double_op, halve_op, resnet_ops
from roofline.num import Num
from roofline.specs.image.plain import PlainUNetSpec, VQVAESpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane
from roofline.workload.op import Op


def plain_unet_ops(spec: PlainUNetSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and what conditions them to the noise in them."""
    first, plane = float(spec.channels[0]), latents
    text_width = float(spec.context_width) if spec.context_width is not None else None
    style = Style(float(spec.groups), float(spec.heads), float(spec.time_width), text_width, text_tokens)
    ops = _input_ops(spec, latents, first) + _time_ops(spec, latents.batch)
    layers, skips, held, channels = float(spec.layers), [], _kept(spec, latents), first
    for index, (width, halved) in enumerate(zip(spec.channels[1:], spec.downsample, strict=True)):
        skips.append((plane, channels))
        ops += _layers(style, f"downs.{index}", plane, channels, float(width), layers, held)
        held = held + channels * plane.pixels
        channels = float(width)
        if halved:
            op, plane = halve_op(f"downs.{index}", plane, channels, held)
            ops.append(op)
    for index, width in enumerate(spec.mid[1:]):
        ops += _mid(style, f"mids.{index}", plane, channels, float(width), layers, held)
        channels = float(width)
    for index in reversed(range(len(spec.channels) - 1)):
        block = f"ups.{len(spec.channels) - 2 - index}"
        below = channels * plane.pixels  # the block's input, which its caller keeps
        if spec.downsample[index]:
            op, plane = double_op(block, plane, channels, held)
            ops.append(op)
        skip = skips.pop()[1]
        joint = (channels + skip) * plane.pixels
        ops.append(make.field("concat", block, "copy", joint, joint, live=held))
        width = spec.channels[index - 1] if index else spec.out_width
        ops += _layers(style, block, plane, channels + skip, float(width), layers, held + below)
        channels = float(width)
        held = held - skip * plane.pixels
    x = channels * plane.pixels
    return [
        *ops,
        make.group_norm("norm_out", "norm_out", plane, channels, style.groups),
        make.field("silu_out", "<top>", "silu", x, x),
        make.convolution("conv_out", "conv_out", plane, plane, channels, float(spec.latent_channels)),
    ]


def _kept(spec: PlainUNetSpec, latents: Plane) -> Num:
    """Elements that stay throughout: the embedded time step, and the picture beside the latents."""
    picture = spec.image_condition
    joint = spec.latent_channels + 2.0 * picture.out_channels if picture is not None else 0.0
    row = latents.batch * spec.time_width
    return row + (row if spec.classes is not None else 0.0) + joint * latents.pixels


def _input_ops(spec: PlainUNetSpec, latents: Plane, first: float) -> list[Op]:
    """The first convolution, over the latents and over a picture beside them where one conditions."""
    into, picture = float(spec.latent_channels), spec.image_condition
    if picture is None:
        return [make.convolution("conv_in", "conv_in", latents, latents, into, first)]
    given = picture.channels * latents.batch * picture.side * picture.side
    small, joint = picture.channels * latents.pixels, (into + picture.out_channels) * latents.pixels
    return [
        make.field("picture.resize", "<top>", "upsample", given, small),
        make.convolution("cond_conv_in", "cond_conv_in", latents, latents, float(picture.channels),
                         float(picture.out_channels), 1.0, bias=False),
        make.field("picture.concat", "<top>", "copy", joint, joint),
        make.convolution("conv_in_concat", "conv_in_concat", latents, latents, into + picture.out_channels, first),
    ]  # fmt: skip


def _time_ops(spec: PlainUNetSpec, batch: Num) -> list[Op]:
    """Sines and cosines of the time step, two dense layers, and the class's row where there are classes."""
    width, half = float(spec.time_width), spec.time_width / 2.0
    grid, row = batch * half, batch * width
    ops = [
        make.field_fp32("time.frequencies", "<top>", "factory", 0.0, half),
        make.field_fp32("time.frequencies", "<top>", "arithmetic", half, half, count=2.0),
        make.field_fp32("time.repeat", "<top>", "copy", 2.0 * batch, 2.0 * grid),
        make.field_fp32("time.angles", "<top>", "arithmetic", 2.0 * grid + half, grid),
        make.field_fp32("time.waves", "<top>", "arithmetic", grid, grid, count=2.0),
        make.field_fp32("time.concat", "<top>", "copy", 2.0 * grid, 2.0 * grid),
        *mlp_ops("t_proj", batch, width, width, width),
    ]
    if spec.classes is not None:
        table = make.linear("class_emb", "<top>", batch, float(spec.classes), width, bias=False)
        ops += [table, make.field("class_add", "<top>", "arithmetic", 2.0 * row, row)]
    return ops


def _attend(style: Style, block: str, plane: Plane, width: float, held: Num, count: float) -> list[Op]:
    ops = attention_ops(style, block, plane, width, held, count)
    if style.text_width is not None:
        ops += attention_ops(style, block, plane, width, held, count, cross=True)
    return ops


def _layers(style: Style, block: str, plane: Plane, before: float, width: float, layers: float, held: Num) -> list[Op]:
    """Residual layers, each followed by attention."""
    ops = resnet_ops(style, block, plane, before, width, held)
    if layers > 1:
        ops += resnet_ops(style, block, plane, width, width, held, layers - 1.0)
    # the last attention's weights, averaged over the heads, and its output stay while the next layer attends
    keys = plane.area if style.text_width is None else style.text_tokens
    text = 0.0 if style.text_width is None else plane.batch * keys * width
    kept = width * plane.pixels + plane.batch * plane.area * keys + text if layers > 1 else 0.0 * plane.pixels
    return ops + _attend(style, block, plane, width, held + before * plane.pixels + kept, layers)


def _mid(style: Style, block: str, plane: Plane, before: float, width: float, layers: float, held: Num) -> list[Op]:
    """A residual layer, then attention and another residual layer, as often as there are layers."""
    return [
        *resnet_ops(style, block, plane, before, width, held),
        *_attend(style, block, plane, width, held + before * plane.pixels, layers),
        *resnet_ops(style, block, plane, width, width, held, layers),
    ]


def plain_encode_ops(spec: VQVAESpec, pixels: Plane) -> list[Op]:
    """Pixels to latents: the nearest vectors of the codebook, or a sample of a normal distribution."""
    style, plane = Style(float(spec.groups), float(spec.heads)), pixels
    channels, layers = float(spec.channels[0]), float(spec.layers)
    ops = [make.convolution("conv_in", "encoder_conv_in", plane, plane, float(spec.pixel_channels), channels)]
    for index, (width, halved) in enumerate(zip(spec.channels[1:], spec.downsample, strict=True)):
        ops += _residuals(style, f"encoder_layers.{index}", plane, channels, float(width), layers)
        channels = float(width)
        if halved:
            op, plane = halve_op(f"encoder_layers.{index}", plane, channels, channels * plane.pixels)
            ops.append(op)
    for width in spec.mid[1:]:
        ops += _mid(style, "encoder_mids", plane, channels, float(width), layers, 0.0 * plane.pixels)
        channels = float(width)
    latent = float(spec.latent_channels) * (1.0 if spec.codes is not None else 2.0)
    x = channels * plane.pixels
    ops += [
        make.group_norm("norm_out", "encoder_norm_out", plane, channels, style.groups),
        make.field("silu_out", "<top>", "silu", x, x),
        make.convolution("conv_out", "encoder_conv_out", plane, plane, channels, latent),
        make.convolution("pre_quant_conv", "pre_quant_conv", plane, plane, latent, latent, 1.0),
    ]
    return ops + (_quantise_ops(spec, plane) if spec.codes is not None else _sample_ops(spec, plane))


def plain_decode_ops(spec: VQVAESpec, latents: Plane) -> list[Op]:
    """Latents to pixels."""
    style, plane, layers = Style(float(spec.groups), float(spec.heads)), latents, float(spec.layers)
    latent, channels = float(spec.latent_channels), float(spec.mid[-1])
    ops = [
        make.convolution("post_quant_conv", "post_quant_conv", plane, plane, latent, latent, 1.0),
        make.convolution("conv_in", "decoder_conv_in", plane, plane, latent, channels),
    ]
    for width in reversed(spec.mid[:-1]):
        ops += _mid(style, "decoder_mids", plane, channels, float(width), layers, 0.0 * plane.pixels)
        channels = float(width)
    steps = list(zip(spec.channels[:-1], spec.downsample, strict=True))
    for index, (width, doubled) in enumerate(reversed(steps)):
        block = f"decoder_layers.{index}"
        below = channels * plane.pixels  # the block's input, which its caller keeps
        if doubled:
            op, plane = double_op(block, plane, channels, 0.0 * below)
            ops.append(op)
        ops += _residuals(style, block, plane, channels, float(width), layers, below)
        channels = float(width)
    x = channels * plane.pixels
    return [
        *ops,
        make.group_norm("norm_out", "decoder_norm_out", plane, channels, style.groups),
        make.field("silu_out", "<top>", "silu", x, x),
        make.convolution("conv_out", "decoder_conv_out", plane, plane, channels, float(spec.pixel_channels)),
    ]


def _residuals(
    style: Style, block: str, plane: Plane, before: float, width: float, layers: float, held: Num = 0.0
) -> list[Op]:
    """Residual layers without attention; the block's input stays while all of them run."""
    first = before * plane.pixels
    ops = resnet_ops(style, block, plane, before, width, held)
    return ops + (resnet_ops(style, block, plane, width, width, held + first, layers - 1.0) if layers > 1 else [])


def _quantise_ops(spec: VQVAESpec, plane: Plane) -> list[Op]:
    """Distances to every vector of the codebook, the nearest of them, and the losses that training reads."""
    codes, width = float(spec.codes or 1), float(spec.latent_channels)
    table, n = codes * width, plane.pixels
    z, block = width * n, "<top>"
    lookup = make.field_fp32("quantise.select", block, "table", 2.0 * n, 0.0, write_half=z)
    return [
        make.field("quantise.order", block, "copy", z, z),
        make.field("quantise.repeat", block, "copy", 0.0 * n, plane.batch * table, weights=table)._replace(params=0.0),
        make.field("quantise.distances", block, "arithmetic", z + plane.batch * table, n * codes),
        make.field_fp32("quantise.nearest", block, "reduce", 0.0, 2.0 * n, read_half=n * codes),
        lookup._replace(weights=table, params=table, active=table),
        make.field("quantise.differences", block, "arithmetic", 2.0 * z, z, count=3.0),
        make.field("quantise.squares", block, "arithmetic", z, z, count=2.0),
        make.field("quantise.losses", block, "reduce", z, 1.0, count=2.0),
        make.field("quantise.through", block, "arithmetic", 2.0 * z, z),
    ]


def _sample_ops(spec: VQVAESpec, plane: Plane) -> list[Op]:
    """A sample: mean + deviation × noise."""
    z, block = spec.latent_channels * plane.pixels, "<top>"
    return [
        make.field("sample.deviation", block, "arithmetic", z, z, count=2.0),
        make.field("sample.noise", block, "factory", 0.0 * z, z),
        make.field("sample.noise_copy", block, "copy", z, z),
        make.field("sample.mix", block, "arithmetic", 2.0 * z, z, count=2.0),
    ]
