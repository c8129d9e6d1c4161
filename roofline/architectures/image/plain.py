"""A plain latent diffusion model: its UNet and its autoencoder to ops.

Source: explainingai-code/StableDiffusion-PyTorch @f562b158 models/unet_cond_base.py, vqvae.py, vae.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import Features, mlp_ops
from roofline.architectures.image.plain_blocks import Style, attention_ops, double_op, halve_op, resnet_ops
from roofline.num import Num
from roofline.specs.image.plain import PlainUNetSpec, VQVAESpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import TOP, Block, Plane
from roofline.workload.op import Op


def plain_unet_ops(spec: PlainUNetSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and what conditions them to the noise in them."""
    x = Features(latents, float(spec.channels[0]))
    text_width = float(spec.context_width) if spec.context_width is not None else None
    style = Style(float(spec.groups), float(spec.heads), float(spec.time_width), text_width, text_tokens)
    ops = _input_ops(spec, latents, x.channels) + _time_ops(spec, latents.batch)
    layers, skips, held = float(spec.layers), [], _kept(spec, latents)
    for index, (width, halved) in enumerate(zip(spec.channels[1:], spec.downsample, strict=True)):
        name = f"downs.{index}"
        skips.append(x.channels)
        ops += _layers(style, Block(name, layers), x, float(width), held)
        held = held + x.elements
        x = Features(x.plane, float(width))
        if halved:
            op, x = halve_op(Block(name), x, held)
            ops.append(op)
    for index, width in enumerate(spec.mid[1:]):
        ops += _mid(style, Block(f"mids.{index}", layers), x, float(width), held)
        x = Features(x.plane, float(width))
    for index in reversed(range(len(spec.channels) - 1)):
        name = f"ups.{len(spec.channels) - 2 - index}"
        below = x.elements  # the block's input, which its caller keeps
        if spec.downsample[index]:
            op, x = double_op(Block(name), x, held)
            ops.append(op)
        skip = skips.pop()
        joint = Features(x.plane, x.channels + skip)
        ops.append(Block(name).field("concat", "copy", joint.elements, joint.elements, live=held))
        width = spec.channels[index - 1] if index else spec.out_width
        ops += _layers(style, Block(name, layers), joint, float(width), held + below)
        x = Features(x.plane, float(width))
        held = held - skip * x.plane.pixels
    return ops + _out_ops(style, x, "norm_out", "conv_out", float(spec.latent_channels))


def _out_ops(style: Style, source: Features, norm: str, convolution: str, channels: float) -> list[Op]:
    """Norm, silu and a last convolution; `norm` and `convolution` are the names of their blocks."""
    (plane, width), x = source, source.elements
    return [
        Block(norm).group_norm("norm_out", plane, width, style.groups),
        TOP.field("silu_out", "silu", x, x),
        make.convolution("conv_out", convolution, plane, plane, width, channels),
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
    given, out = picture.channels * latents.batch * picture.side * picture.side, float(picture.out_channels)
    small, joint = picture.channels * latents.pixels, (into + out) * latents.pixels
    beside = Block("cond_conv_in")
    return [
        TOP.field("picture.resize", "upsample", given, small),
        beside.convolution("cond_conv_in", latents, latents, float(picture.channels), out, 1.0, bias=False),
        TOP.field("picture.concat", "copy", joint, joint),
        make.convolution("conv_in_concat", "conv_in_concat", latents, latents, into + out, first),
    ]


def _time_ops(spec: PlainUNetSpec, batch: Num) -> list[Op]:
    """Sines and cosines of the time step, two dense layers, and the class's row where there are classes."""
    width, half = float(spec.time_width), spec.time_width / 2.0
    grid, row = batch * half, batch * width
    ops = [
        TOP.field_fp32("time.frequencies", "factory", 0.0, half),
        TOP.times(2.0).field_fp32("time.frequencies", "arithmetic", half, half),
        TOP.field_fp32("time.repeat", "copy", 2.0 * batch, 2.0 * grid),
        TOP.field_fp32("time.angles", "arithmetic", 2.0 * grid + half, grid),
        TOP.times(2.0).field_fp32("time.waves", "arithmetic", grid, grid),
        TOP.field_fp32("time.concat", "copy", 2.0 * grid, 2.0 * grid),
        *mlp_ops(Block("t_proj"), batch, width, width, width),
    ]
    if spec.classes is not None:
        ops.append(TOP.linear("class_emb", batch, float(spec.classes), width, bias=False))
        ops.append(TOP.field("class_add", "arithmetic", 2.0 * row, row))
    return ops


def _attend(style: Style, block: Block, x: Features, held: Num) -> list[Op]:
    ops = attention_ops(style, block, x, held)
    return ops if style.text_width is None else ops + attention_ops(style, block, x, held, cross=True)


def _layers(style: Style, block: Block, source: Features, width: float, held: Num) -> list[Op]:
    """Residual layers, each followed by attention."""
    plane, x = source.plane, Features(source.plane, width)
    ops = resnet_ops(style, Block(block.name), source, width, held)
    if block.number > 1:
        ops += resnet_ops(style, Block(block.name, block.number - 1.0), x, width, held)
    # the last attention's weights, averaged over the heads, and its output stay while the next layer attends
    keys = plane.area if style.text_width is None else style.text_tokens
    text = 0.0 if style.text_width is None else plane.batch * keys * width
    kept = x.elements + plane.batch * plane.area * keys + text if block.number > 1 else 0.0 * plane.pixels
    return ops + _attend(style, block, x, held + source.elements + kept)


def _mid(style: Style, block: Block, source: Features, width: float, held: Num) -> list[Op]:
    """A residual layer, then attention and another residual layer, as often as there are layers."""
    x = Features(source.plane, width)
    return [
        *resnet_ops(style, Block(block.name), source, width, held),
        *_attend(style, block, x, held + source.elements),
        *resnet_ops(style, block, x, width, held),
    ]


def plain_encode_ops(spec: VQVAESpec, pixels: Plane) -> list[Op]:
    """Pixels to latents: the nearest vectors of the codebook, or a sample of a normal distribution."""
    style, layers, x = (
        Style(float(spec.groups), float(spec.heads)),
        float(spec.layers),
        Features(pixels, float(spec.channels[0])),
    )
    ops = [make.convolution("conv_in", "encoder_conv_in", pixels, pixels, float(spec.pixel_channels), x.channels)]
    for index, (width, halved) in enumerate(zip(spec.channels[1:], spec.downsample, strict=True)):
        block = Block(f"encoder_layers.{index}", layers)
        ops += _residuals(style, block, x, float(width))
        x = Features(x.plane, float(width))
        if halved:
            op, x = halve_op(Block(block.name), x, x.elements)
            ops.append(op)
    for width in spec.mid[1:]:
        ops += _mid(style, Block("encoder_mids", layers), x, float(width), 0.0 * x.plane.pixels)
        x = Features(x.plane, float(width))
    latent, plane = float(spec.latent_channels) * (1.0 if spec.codes is not None else 2.0), x.plane
    ops += _out_ops(style, x, "encoder_norm_out", "encoder_conv_out", latent)
    ops.append(make.convolution("pre_quant_conv", "pre_quant_conv", plane, plane, latent, latent, 1.0))
    if spec.codes is not None:
        return ops + quantise_ops(float(spec.codes), float(spec.latent_channels), plane)
    return ops + _sample_ops(spec, plane)


def plain_decode_ops(spec: VQVAESpec, latents: Plane) -> list[Op]:
    """Latents to pixels."""
    style, layers, x = (
        Style(float(spec.groups), float(spec.heads)),
        float(spec.layers),
        Features(latents, float(spec.mid[-1])),
    )
    latent = float(spec.latent_channels)
    ops = [
        make.convolution("post_quant_conv", "post_quant_conv", latents, latents, latent, latent, 1.0),
        make.convolution("conv_in", "decoder_conv_in", latents, latents, latent, x.channels),
    ]
    for width in reversed(spec.mid[:-1]):
        ops += _mid(style, Block("decoder_mids", layers), x, float(width), 0.0 * latents.pixels)
        x = Features(latents, float(width))
    steps = list(zip(spec.channels[:-1], spec.downsample, strict=True))
    for index, (width, doubled) in enumerate(reversed(steps)):
        block = Block(f"decoder_layers.{index}", layers)
        below = x.elements  # the block's input, which its caller keeps
        if doubled:
            op, x = double_op(Block(block.name), x, 0.0 * below)
            ops.append(op)
        ops += _residuals(style, block, x, float(width), below)
        x = Features(x.plane, float(width))
    return ops + _out_ops(style, x, "decoder_norm_out", "decoder_conv_out", float(spec.pixel_channels))


def _residuals(style: Style, block: Block, source: Features, width: float, held: Num = 0.0) -> list[Op]:
    """Residual layers without attention; the block's input stays while all of them run."""
    ops = resnet_ops(style, Block(block.name), source, width, held)
    if block.number > 1:
        inner, rest = Features(source.plane, width), Block(block.name, block.number - 1.0)
        ops += resnet_ops(style, rest, inner, width, held + source.elements)
    return ops


def quantise_ops(codes: float, width: float, plane: Plane) -> list[Op]:
    """Distances to every vector of the codebook, the nearest of them, and the losses that training reads."""
    table, n = codes * width, plane.pixels
    z = width * n
    lookup = TOP.field_fp32("quantise.select", "table", 2.0 * n, 0.0, write_half=z)
    return [
        TOP.field("quantise.order", "copy", z, z),
        TOP.field("quantise.repeat", "copy", 0.0 * n, plane.batch * table, weights=table)._replace(params=0.0),
        TOP.field("quantise.distances", "arithmetic", z + plane.batch * table, n * codes),
        TOP.field_fp32("quantise.nearest", "reduce", 0.0, 2.0 * n, read_half=n * codes),
        lookup._replace(weights=table, params=table, active=table),
        TOP.times(3.0).field("quantise.differences", "arithmetic", 2.0 * z, z),
        TOP.times(2.0).field("quantise.squares", "arithmetic", z, z),
        TOP.times(2.0).field("quantise.losses", "reduce", z, 1.0),
        TOP.field("quantise.through", "arithmetic", 2.0 * z, z),
    ]


def _sample_ops(spec: VQVAESpec, plane: Plane) -> list[Op]:
    """A sample: mean + deviation × noise."""
    z = spec.latent_channels * plane.pixels
    return [
        TOP.times(2.0).field("sample.deviation", "arithmetic", z, z),
        TOP.field("sample.noise", "factory", 0.0 * z, z),
        TOP.field("sample.noise_copy", "copy", z, z),
        TOP.times(2.0).field("sample.mix", "arithmetic", 2.0 * z, z),
    ]
