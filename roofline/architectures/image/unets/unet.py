"""A denoising UNet, and the ControlNet that copies its way down: spec and plane of latents to ops.

Source: diffusers 0.42.1, unet_2d_condition.py, unet_2d_blocks.py, unet_2d.py, controlnet.py.
"""

from __future__ import annotations

from typing import NamedTuple

from roofline.architectures.image.blocks import (
    Context,
    Features,
    TimeInput,
    downsample_op,
    resampling_resnet_ops,
    resnet_ops,
    upsample_ops,
)
from roofline.architectures.image.unets.attention import Attends, attend_ops
from roofline.architectures.image.unets.conditions import condition_ops, context_length
from roofline.architectures.image.unets.hints import hint_ops
from roofline.num import Num
from roofline.specs.image.parts import ControlNetSpec, UNetSpec, UNetTrunk
from roofline.specs.image.unet_parts import UNetBlock
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import TOP, Block, Plane, allocated
from roofline.workload.op import Op


class _Trunk(NamedTuple):
    """What the way down leaves: ops, skips, its last output, what conditions the model, and small tensors that stay."""

    ops: list[Op]
    skips: list[Features]
    x: Features
    context: Context
    small: Num


def unet_ops(spec: UNetSpec, latents: Plane, text_tokens: Num, *, control: bool = False) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and a text [b, s, d] to a prediction of the latents' size.

    `control`: the skips and the middle are first added to what a ControlNet gives.
    """
    ops, skips, x, context, small = _trunk(spec, latents, text_tokens)
    held = small + _elements(skips)
    ops += _mid_ops(spec, x, context, held)
    if control:
        ops += _control_adds([*skips, x], held)
    every = _elements(skips)  # with a ControlNet a second variable names the sums until the end
    for index, block in enumerate(spec.up):
        taken = [skips.pop() for _ in range(block.resnets)]
        target = skips[-1].plane if skips else x.plane
        beside = small + (every if control else _elements(skips) + _elements(taken))
        ops += _up_ops(f"up_blocks.{index}", block, x, taken, target, context, beside)
        x = Features(target if block.resample else x.plane, float(block.channels))
    return ops + _out_ops(spec, x, small)


def _out_ops(spec: UNetSpec, x: Features, small: Num) -> list[Op]:
    (plane, channels), n, kernel = x, x.elements, float(spec.kernel_out)
    outputs = float(spec.out_channels)
    return [
        Block("conv_norm_out").group_norm("conv_norm_out", plane, channels, float(spec.groups), live=small),
        Block("conv_act").field("conv_act", "silu", n, n, live=small),
        make.convolution("conv_out", "conv_out", plane, plane, channels, outputs, kernel, live=small),
    ]


def controlnet_ops(spec: ControlNetSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents, text and a picture to one feature per skip of the UNet and one for its middle."""
    ops, skips, x, context, small = _trunk(spec, latents, text_tokens, hint=spec)
    held = small + _elements(skips)
    ops += _mid_ops(spec, x, context, held)
    beside = held + x.elements
    for index, (plane, channels) in enumerate([*skips, x]):
        n, block = channels * plane.pixels, "controlnet_mid_block" if index == len(skips) else "controlnet_down_blocks"
        ops.append(make.convolution("zero_convolution", block, plane, plane, channels, channels, 1.0, live=beside - n))
        beside = beside + n
    for made in [*skips, x]:
        n = made.elements
        ops.append(TOP.field("scale", "arithmetic", n, n, live=beside))
    return ops


def _elements(many: list[Features]) -> Num:
    total: Num = 0.0
    for each in many:
        total = total + each.elements
    return total


def _trunk(spec: UNetTrunk, latents: Plane, text_tokens: Num, hint: ControlNetSpec | None = None) -> _Trunk:
    """Time embedding, first convolution and the way down."""
    first, batch = float(spec.down[0].channels), latents.batch
    context = _context(spec, first, text_tokens)
    width = float(spec.time_width or 4.0 * first)
    ops = condition_ops(spec, batch, width, text_tokens)
    small = allocated(batch * first) + allocated(batch * width)
    if spec.added_conditions is not None:
        small = small + allocated(batch * width)
    into, kernel = float(spec.in_channels), float(spec.kernel_in)
    ops.append(make.convolution("conv_in", "conv_in", latents, latents, into, first, kernel, live=small))
    x = Features(latents, first)
    if hint is not None:
        widths = tuple(float(channels) for channels in hint.hint_channels)
        scale = float(spec.scale)
        pixels = Plane(batch, latents.height * scale, latents.width * scale)
        ends, picture = (float(hint.picture_channels), first), Block("controlnet_cond_embedding")
        ops += hint_ops(picture, widths, ends, pixels, small + x.elements)
        ops.append(TOP.field("hint.add", "arithmetic", 2.0 * x.elements, x.elements, live=small))
        small = small + x.elements
    skips = [x]
    for index, block in enumerate(spec.down):
        ops += _down_ops(f"down_blocks.{index}", block, x, context, small + _elements(skips))
        x = Features(x.plane, float(block.channels))
        skips += [x] * block.resnets
        if block.resample:
            x = Features(x.plane.halved(), x.channels)
            skips.append(x)
    return _Trunk(ops, skips, x, context, small)


def _context(spec: UNetTrunk, first: float, text_tokens: Num) -> Context:
    """What all blocks read; a class beside the time step makes their rows twice as wide."""
    width = float(spec.time_width or 4.0 * first)
    beside = spec.class_condition is not None and spec.class_condition.concatenated
    time = TimeInput(2.0 * width if beside else width, spec.scale_shift)
    tokens, norm = context_length(spec, text_tokens), float(spec.text_norm) if spec.text_norm is not None else None
    text, groups = float(spec.context_width or 0), float(spec.groups)
    return Context(time, text, tokens, groups, spec.linear_projection, spec.gated is not None, norm)


def _down_ops(name: str, spec: UNetBlock, source: Features, context: Context, held: Num) -> list[Op]:
    """Residual layers, transformer stacks, and a convolution that halves the plane. Every output stays as a skip."""
    groups, time, rest = context.groups, context.time, spec.resnets - 1.0
    target = Features(source.plane, float(spec.channels))
    x, first = target.elements, source.elements
    if source.channels == target.channels:
        block, beside = Block(name, float(spec.resnets)), held + rest * x - first
        ops = resnet_ops(block, source, target.channels, groups, beside, time=time)
    else:
        ops = resnet_ops(Block(name), source, target.channels, groups, held - first, time=time)
        if rest:
            block, beside = Block(name, rest), held + (rest - 1.0) * x
            ops += resnet_ops(block, target, target.channels, groups, beside, time=time)
    ops += _stack_ops(name, spec, target, context, held + rest * x)
    if spec.residual_resample:
        ops += resampling_resnet_ops(Block(name), target, target.plane.halved(), groups, held + rest * x, time)
    elif spec.resample:
        ops.append(downsample_op(Block(name), target, held + rest * x))
    return ops


def _stack_ops(name: str, spec: UNetBlock, x: Features, context: Context, held: Num) -> list[Op]:
    """The attention of a block: stacks of one depth together, in order of first occurrence."""
    if spec.heads is None:
        return []
    ops: list[Op] = []
    depths = spec.depths
    if spec.context_width is not None:
        context = context._replace(text_width=float(spec.context_width))
    for depth in dict.fromkeys(depths):
        stacks = Block(name, float(depths.count(depth)))
        how = Attends(spec.attention, float(spec.heads), float(depth), spec.only_cross)
        ops += attend_ops(stacks, x, how, context, held)
    return ops


def _mid_ops(spec: UNetTrunk, x: Features, context: Context, held: Num) -> list[Op]:
    """Residual layers, in most models two with attention between, in a model that has them."""
    mid = spec.mid
    if mid is None:
        return []
    layers = Block("mid_block", float(mid.resnets))
    ops = resnet_ops(layers, x, x.channels, context.groups, held, time=context.time)
    if mid.heads is not None:
        how = Attends(mid.attention, float(mid.heads), float(mid.transformer_layers), mid.only_cross, mid.normed)
        own = mid.context_width or spec.down[-1].context_width
        inside = context if own is None else context._replace(text_width=float(own))
        ops += attend_ops(Block("mid_block"), x, how, inside, held)
    return ops


def _control_adds(made: list[Features], held: Num) -> list[Op]:
    """The ControlNet's features, added to every skip and to the middle."""
    sizes = [each.elements for each in made]
    return [TOP.field("control.add", "arithmetic", 2.0 * x, x, live=held) for x in sizes]


def _up_ops(
    name: str, spec: UNetBlock, source: Features, taken: list[Features], target: Plane, context: Context, held: Num
) -> list[Op]:
    """Residual layers, each behind a concatenation with a skip, transformer stacks, and upsampling to the next skip."""
    plane, channels, groups, time = source.plane, float(spec.channels), context.groups, context.time
    beside = held + source.elements
    widths = [(channels if index else source.channels, skip.channels) for index, skip in enumerate(taken)]
    ops: list[Op] = []
    for own, skip in dict.fromkeys(widths):
        block, joint = Block(name, float(widths.count((own, skip)))), Features(plane, own + skip)
        n = joint.elements
        ops.append(block.field("concat", "copy", n, n, live=beside - n + own * plane.pixels))
        ops += resnet_ops(block, joint, channels, groups, beside, time=time)
    x = Features(plane, channels)
    ops += _stack_ops(name, spec, x, context, beside)
    if spec.residual_resample:
        ops += resampling_resnet_ops(Block(name), x, target, groups, beside, time)
    elif spec.resample:
        ops += upsample_ops(Block(name), x, target, beside)
    return ops
