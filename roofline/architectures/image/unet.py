"""A denoising UNet, and the ControlNet that copies its way down: spec and plane of latents to ops.

Source: diffusers 0.42.1, unet_2d_condition.py, unet_2d_blocks.py, controlnet.py.
"""

from __future__ import annotations

from itertools import pairwise

from roofline.architectures.image.blocks import (
    Context,
    downsample_op,
    mlp_ops,
    resnet_ops,
    spatial_transformer_ops,
    time_embedding_ops,
    upsample_ops,
)
from roofline.num import Num
from roofline.specs.image.parts import ControlNetSpec, UNetBlock, UNetSpec, UNetTrunk
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane, allocated
from roofline.workload.op import Op

#: The plane of a skip, and its channels.
Skip = tuple[Plane, float]


def unet_ops(spec: UNetSpec, latents: Plane, text_tokens: Num, *, control: bool = False) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and a text [b, s, d] to a prediction of the latents' size.

    `control`: the skips and the middle are first added to what a ControlNet gives.
    """
    ops, skips, plane, context, small = _trunk_ops(spec, latents, text_tokens)
    channels = float(spec.down[-1].channels)
    held = small + _elements(skips)
    if spec.mid is not None:
        ops += _mid_ops(spec, plane, channels, context, held)
    if control:
        ops += _control_adds(skips, plane, channels, held)
    every = _elements(skips)  # with a ControlNet a second variable names the sums until the end
    for index, block in enumerate(spec.up):
        taken = [skips.pop() for _ in range(block.resnets)]
        target = skips[-1][0] if skips else plane
        ops += _up_ops(f"up_blocks.{index}", block, plane, channels, taken, target, context,
                       small + (every if control else _elements(skips) + _elements(taken)))  # fmt: skip
        channels, plane = float(block.channels), target if block.resample else plane
    x = channels * plane.pixels
    ops += [
        make.group_norm("conv_norm_out", "conv_norm_out", plane, channels, float(spec.groups), live=small),
        make.field("conv_act", "conv_act", "silu", x, x, live=small),
        make.convolution("conv_out", "conv_out", plane, plane, channels, float(spec.out_channels), live=small),
    ]
    return ops


def controlnet_ops(spec: ControlNetSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents, text and a picture to one feature per skip of the UNet and one for its middle."""
    ops, skips, plane, context, small = _trunk_ops(spec, latents, text_tokens, hint=spec)
    channels, held = float(spec.down[-1].channels), small + _elements(skips)
    if spec.mid is not None:
        ops += _mid_ops(spec, plane, channels, context, held)
    zeros: list[Op] = []
    beside = held + channels * plane.pixels
    for index, (where, width) in enumerate([*skips, (plane, channels)]):
        x = width * where.pixels
        block = "controlnet_mid_block" if index == len(skips) else "controlnet_down_blocks"
        zeros.append(make.convolution("zero_convolution", block, where, where, width, width, 1.0, live=beside - x))
        beside = beside + x
    for where, width in [*skips, (plane, channels)]:
        x = width * where.pixels
        zeros.append(make.field("scale", "<top>", "arithmetic", x, x, live=beside))
    return ops + zeros


def _elements(skips: list[Skip]) -> Num:
    total: Num = 0.0
    for plane, channels in skips:
        total = total + channels * plane.pixels
    return total


def _trunk_ops(
    spec: UNetTrunk, latents: Plane, text_tokens: Num, hint: ControlNetSpec | None = None
) -> tuple[list[Op], list[Skip], Plane, Context, Num]:
    """Time embedding, first convolution and the way down; the skips it leaves, and the small tensors that stay."""
    first = float(spec.down[0].channels)
    context = Context(4.0 * first, float(spec.context_width), text_tokens, float(spec.groups), spec.linear_projection)
    ops = _condition_ops(spec, latents.batch, first, context.time_width)
    small = allocated(latents.batch * first) + allocated(latents.batch * context.time_width)
    if spec.added_conditions is not None:
        small = small + allocated(latents.batch * context.time_width)
    ops.append(make.convolution("conv_in", "conv_in", latents, latents, float(spec.in_channels), first, live=small))
    if hint is not None:
        ops += _hint_ops(hint, latents, first, small)
        small = small + first * latents.pixels
    skips: list[Skip] = [(latents, first)]
    plane, channels = latents, first
    for index, block in enumerate(spec.down):
        ops += _down_ops(f"down_blocks.{index}", block, plane, channels, context, small + _elements(skips))
        channels = float(block.channels)
        skips += [(plane, channels)] * block.resnets
        if block.resample:
            plane = plane.halved()
            skips.append((plane, channels))
    return ops, skips, plane, context, small


def _condition_ops(spec: UNetTrunk, batch: Num, first: float, width: float) -> list[Op]:
    guidance = float(spec.guidance_width) if spec.guidance_width is not None else None
    ops = time_embedding_ops(batch, first, width, guidance)
    added = spec.added_conditions
    if added is not None:
        numbers, pooled = batch * added.numbers, batch * added.pooled_width
        waves = numbers * added.number_width
        ops += make.sinusoid("add_time_proj", numbers, float(added.number_width), integer=False, cast=False)
        ops += [
            make.field_fp32("add_concat", "<top>", "copy", waves, waves + pooled, read_half=pooled),
            make.field_fp32("add_narrow", "<top>", "copy", waves + pooled, 0.0, write_half=waves + pooled),
            *mlp_ops("add_embedding", batch, float(added.width), width, width),
            make.field("add_embed", "<top>", "arithmetic", 2.0 * batch * width, batch * width),
        ]
    return ops


def _hint_ops(spec: ControlNetSpec, latents: Plane, width: float, small: Num) -> list[Op]:
    """The picture, in pixels, through convolutions of stride 2 to the latents' size, and added to them."""
    block, scale = "controlnet_cond_embedding", float(spec.scale)
    plane = Plane(latents.batch, latents.height * scale, latents.width * scale)
    hint = [float(channels) for channels in spec.hint_channels]
    held = small + width * latents.pixels
    ops = [make.convolution("hint.conv_in", block, plane, plane, 3.0, hint[0], live=held)]
    ops.append(_silu(block, plane, hint[0], held))
    for before, after in pairwise(hint):
        ops.append(make.convolution("hint.conv", block, plane, plane, before, before, live=held))
        ops.append(_silu(block, plane, before, held))
        smaller = plane.halved()
        ops.append(make.convolution("hint.down", block, plane, smaller, before, after, live=held))
        ops.append(_silu(block, smaller, after, held))
        plane = smaller
    x = width * latents.pixels
    ops.append(make.convolution("hint.conv_out", block, plane, plane, hint[-1], width, live=held))
    ops.append(make.field("hint.add", "<top>", "arithmetic", 2.0 * x, x, live=small))
    return ops


def _silu(block: str, plane: Plane, channels: float, held: Num) -> Op:
    x = channels * plane.pixels
    return make.field("hint.silu", block, "silu", x, x, live=held)


def _runs(depths: tuple[int, ...]) -> list[tuple[int, int]]:
    """Depths of transformer stacks and how many stacks have each, in order of first occurrence; none without layers."""
    return [(depth, depths.count(depth)) for depth in dict.fromkeys(depths) if depth]


def _down_ops(block: str, spec: UNetBlock, plane: Plane, before: float, context: Context, held: Num) -> list[Op]:
    """Residual layers, transformer stacks, and a convolution that halves the plane. Every output stays as a skip."""
    channels, x, source = float(spec.channels), spec.channels * plane.pixels, before * plane.pixels
    rest, groups, time = spec.resnets - 1.0, context.groups, context.time_width
    if before == channels:
        ops = resnet_ops(block, plane, channels, channels, groups, held + rest * x - source, time_width=time,
                         count=float(spec.resnets))  # fmt: skip
    else:
        ops = resnet_ops(block, plane, before, channels, groups, held - source, time_width=time)
        if rest:
            ops += resnet_ops(block, plane, channels, channels, groups, held + (rest - 1.0) * x, time_width=time,
                              count=rest)  # fmt: skip
    for depth, stacks in _runs(spec.depths):
        ops += spatial_transformer_ops(block, plane, channels, float(spec.heads or 1), float(depth), context,
                                       held + rest * x, float(stacks))  # fmt: skip
    if spec.resample:
        ops.append(downsample_op(block, plane, channels, held + rest * x))
    return ops


def _mid_ops(spec: UNetTrunk, plane: Plane, channels: float, context: Context, held: Num) -> list[Op]:
    mid = spec.mid
    ops = resnet_ops("mid_block", plane, channels, channels, context.groups, held, time_width=context.time_width,
                     count=2.0 if mid is not None else 0.0)  # fmt: skip
    if mid is not None and mid.transformer_layers:
        ops += spatial_transformer_ops("mid_block", plane, channels, float(mid.heads), float(mid.transformer_layers),
                                       context, held, 1.0)  # fmt: skip
    return ops


def _control_adds(skips: list[Skip], plane: Plane, channels: float, held: Num) -> list[Op]:
    """The ControlNet's features, added to every skip and to the middle."""
    ops = []
    for where, width in [*skips, (plane, channels)]:
        x = width * where.pixels
        ops.append(make.field("control.add", "<top>", "arithmetic", 2.0 * x, x, live=held))
    return ops


def _up_ops(
    block: str, spec: UNetBlock, plane: Plane, before: float, taken: list[Skip], target: Plane, context: Context,
    held: Num,
) -> list[Op]:  # fmt: skip
    """Residual layers, each behind a concatenation with a skip, transformer stacks, and upsampling to the next skip."""
    channels, inputs = float(spec.channels), before * plane.pixels
    beside = held + inputs
    widths = [(before if index == 0 else channels, skip[1]) for index, skip in enumerate(taken)]
    ops = []
    for own, skip in dict.fromkeys(widths):
        count = float(widths.count((own, skip)))
        joint = (own + skip) * plane.pixels
        ops.append(
            make.field("concat", block, "copy", joint, joint, count=count, live=beside - joint + own * plane.pixels)
        )
        ops += resnet_ops(block, plane, own + skip, channels, context.groups, beside, time_width=context.time_width,
                          count=count)  # fmt: skip
    for depth, stacks in _runs(spec.depths):
        ops += spatial_transformer_ops(block, plane, channels, float(spec.heads or 1), float(depth), context, beside,
                                       float(stacks))  # fmt: skip
    if spec.resample:
        ops += upsample_ops(block, plane, target, channels, beside)
    return ops
