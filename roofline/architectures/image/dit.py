"""DiT and PixArt: spec and plane of latents to ops.

Source: diffusers 0.42.1, dit_transformer_2d.py, pixart_transformer_2d.py, BasicTransformerBlock in attention.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import mlp_ops
from roofline.architectures.image.modulated_blocks import (
    feed_forward_ops,
    gate_ops,
    modulated_norm_ops,
    patch_ops,
    scales_ops,
    unpatch_op,
)
from roofline.num import Num, floor, minimum, where
from roofline.specs.image.transformers import DiTSpec, PixArtSpec
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import Plane, allocated
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape

_LAYERS, _TIME = "transformer_blocks", "adaln_single"


def dit_ops(spec: DiTSpec, latents: Plane) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and a class per image to a prediction and its variance."""
    batch, width, patch = latents.batch, float(spec.width), float(spec.patch)
    tokens = floor(latents.height / patch) * floor(latents.width / patch)
    rows, layers = batch * tokens, float(spec.layers)
    x = rows * width
    small = allocated(6.0 * batch * width)
    ops = _patches(batch, tokens, patch, float(spec.in_channels), width)
    for op in _label_ops(spec, batch, layers):
        ops.append(op)
    ops += scales_ops("norm1", _LAYERS, batch, width, 6.0, layers)
    ops += modulated_norm_ops("norm1", _LAYERS, batch, rows, width, x + small, layers)
    ops += _self_attention_ops(batch, tokens, width, float(spec.heads), x + small, layers)
    ops += gate_ops("attn1", _LAYERS, batch, rows, width, 2.0 * x + small, layers)
    ops += modulated_norm_ops("norm3", _LAYERS, batch, rows, width, 3.0 * x + small, layers)
    ops += feed_forward_ops("ff", _LAYERS, rows, width, 4.0 * x + small, layers)
    ops += gate_ops("ff", _LAYERS, batch, rows, width, 4.0 * x + small, layers)
    # the last scales come from the first layer's embedding, computed once more without its parameters
    ops += [op._replace(count=op.count / layers, params=0.0, active=0.0) for op in _label_ops(spec, batch, layers)]
    row = batch * width
    ops.append(make.field("norm_out.silu", "<top>", "silu", row, row))
    ops.append(make.linear("proj_out_1", "proj_out_1", batch, width, 2.0 * width))
    ops += _output_ops(batch, rows, width, patch * patch * spec.out_channels, "proj_out_2")
    return ops


def _patches(batch: Num, tokens: Num, patch: float, channels: float, width: float) -> list[Op]:
    """Patches, and the sum with a fixed table of positions."""
    x = batch * tokens * width
    return [
        *patch_ops("pos_embed", batch, tokens, patch, channels, width),
        make.field("positions.add", "pos_embed", "arithmetic", x + tokens * width, x),
    ]


def _label_ops(spec: DiTSpec, batch: Num, layers: float) -> list[Op]:
    """Time step and class label to one row per image, once per layer."""
    width, waves = float(spec.width), float(spec.frequencies)
    rows = spec.classes + 1.0
    ops = [
        *make.sinusoid(_LAYERS, batch, waves, integer=True, cast=False),
        make.field_fp32("time_narrow", _LAYERS, "copy", batch * waves, 0.0, write_half=batch * waves),
        *mlp_ops(_LAYERS, batch, waves, width, width),
        Op(
            "class_embedding", "gather", _LAYERS, params=rows * width, active=rows * width,
            weights=minimum(batch, rows) * width, read_fp32=2.0 * batch, write=batch * width,
            shape=FieldShape(batch * width, "table"),
        ),
        make.field("label_add", _LAYERS, "arithmetic", 2.0 * batch * width, batch * width),
    ]  # fmt: skip
    return [op._replace(count=op.count * layers) for op in ops]


def _self_attention_ops(batch: Num, tokens: Num, width: float, heads: float, held: Num, count: float) -> list[Op]:
    """Multi-head attention among the image's tokens, with biases. `held` excludes the normed input."""
    rows = batch * tokens
    x = rows * width
    return [
        make.linear("attn1.qkv", _LAYERS, rows, width, width, count=3.0 * count, live=held + 2.0 * x),
        make.attention("attn1", _LAYERS, batch, heads, tokens, tokens, width / heads, count=count, live=held + x),
        make.linear("attn1.to_out", _LAYERS, rows, width, width, count=count, live=held + 4.0 * x),
        make.field("attn1.rescale", _LAYERS, "arithmetic", x, x, count=count, live=held + 4.0 * x),
    ]


def _output_ops(batch: Num, rows: Num, width: float, outputs: float, name: str) -> list[Op]:
    x = rows * width
    norm, *modulation = modulated_norm_ops("norm_out", "<top>", batch, rows, width, x)
    return [
        norm._replace(block="norm_out"), *modulation, make.linear(name, name, rows, width, outputs),
        unpatch_op(rows, outputs),
    ]  # fmt: skip


def pixart_ops(spec: PixArtSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and a text [b, s, d] to a prediction and its variance."""
    batch, width, patch, layers = latents.batch, float(spec.width), float(spec.patch), float(spec.layers)
    tokens = floor(latents.height / patch) * floor(latents.width / patch)
    rows, words, heads = batch * tokens, batch * text_tokens, float(spec.heads)
    x, t, row = rows * width, words * width, batch * width
    small = allocated(row) + 2.0 * allocated(6.0 * row) + t
    ops = patch_ops("pos_embed", batch, tokens, patch, float(spec.in_channels), width)
    ops += _position_ops(spec, latents, tokens)
    ops += _pixart_time_ops(spec, batch)
    text = mlp_ops("caption_projection", words, float(spec.text_width), width, width)
    ops += [text[0], text[1]._replace(shape=FieldShape(t, "gelu"), vector_flops=make.STYLES["gelu"] * t), text[2]]
    ops.append(_table_op("scales", _LAYERS, batch, width, 6.0, layers))
    ops += modulated_norm_ops("norm1", _LAYERS, batch, rows, width, x + small, layers)
    ops += _self_attention_ops(batch, tokens, width, heads, x + small, layers)
    ops += gate_ops("attn1", _LAYERS, batch, rows, width, 2.0 * x + small, layers)
    held = 2.0 * x + small
    ops += [
        make.linear("attn2.to_q", _LAYERS, rows, width, width, count=layers, live=held),
        make.linear("attn2.to_kv", _LAYERS, words, width, width, count=2.0 * layers, live=held + x),
        make.attention("attn2", _LAYERS, batch, heads, tokens, text_tokens, width / heads, count=layers, live=held),
        make.linear("attn2.to_out", _LAYERS, rows, width, width, count=layers, live=held + 2.0 * x + 2.0 * t),
        make.field("attn2.rescale", _LAYERS, "arithmetic", x, x, count=layers, live=held + 2.0 * x + 2.0 * t),
        make.field("attn2.residual", _LAYERS, "arithmetic", 2.0 * x, x, count=layers, live=held),
    ]
    ops += modulated_norm_ops("norm2", _LAYERS, batch, rows, width, 3.0 * x + small, layers)
    ops += feed_forward_ops("ff", _LAYERS, rows, width, 4.0 * x + small, layers)
    ops += gate_ops("ff", _LAYERS, batch, rows, width, 4.0 * x + small, layers)
    ops.append(_table_op("norm_out.scales", "<top>", batch, width, 2.0, 1.0))
    ops += _output_ops(batch, rows, width, patch * patch * spec.out_channels, "proj_out")
    return ops


def _table_op(name: str, block: str, batch: Num, width: float, number: float, count: float) -> Op:
    """A learned table of scales and shifts, added to those of the time step."""
    y = number * batch * width
    source = y if number == 6.0 else batch * width
    return make.field(name, block, "arithmetic", source, y, weights=number * width, count=count)


def _pixart_time_ops(spec: PixArtSpec, batch: Num) -> list[Op]:
    """The time step, and the picture's resolution and aspect ratio where they count, to the scales of all layers."""
    width, waves = float(spec.width), float(spec.frequencies)
    row = batch * width
    ops = [
        *make.sinusoid(_TIME, batch, waves, integer=True, cast=False),
        make.field_fp32("time_narrow", _TIME, "copy", batch * waves, 0.0, write_half=batch * waves),
        *mlp_ops(_TIME, batch, waves, width, width),
    ]
    if spec.size_conditions:
        third = width / 3.0
        for numbers in (2.0 * batch, batch):
            ops += make.sinusoid(_TIME, numbers, waves, integer=False, cast=False)
            ops.append(make.field_fp32("size_narrow", _TIME, "copy", numbers * waves, 0.0, write_half=numbers * waves))
            ops += mlp_ops(_TIME, numbers, waves, third, third)
        ops.append(make.field("size_concat", _TIME, "copy", row, row))
        ops.append(make.field("size_add", _TIME, "arithmetic", 2.0 * row, row))
    return [*ops, *scales_ops("scales", _TIME, batch, width, 6.0)]


def _position_ops(spec: PixArtSpec, latents: Plane, tokens: Num) -> list[Op]:
    """Positions added to the patches: a table; for a size that is not the model's own made anew, 28 kernels of fp64."""
    side = float(spec.sample // spec.patch)
    height, width = floor(latents.height / spec.patch), floor(latents.width / spec.patch)
    own = where(height == side, 1.0, 0.0) * where(width == side, 1.0, 0.0)
    new = 1.0 - own
    quarter, whole = spec.width / 4.0, float(spec.width)
    grid, table = tokens * quarter, tokens * whole
    x = latents.batch * table

    def op(style: str, read: Num, write: Num, kernels: float, half: Num = 0.0, half_out: Num = 0.0) -> Op:
        """Elements of 4 bytes; an fp64 element is two."""
        return make.field_fp32("positions", "pos_embed", style, new * read, new * write, read_half=new * half,
                               write_half=new * half_out, kernels=new * kernels)  # fmt: skip

    sides = height + width
    return [
        op("factory", 0.0, sides, 2.0),
        op("arithmetic", 2.0 * sides, 2.0 * sides, 4.0),
        op("copy", sides, 2.0 * tokens, 1.0),
        op("factory", 0.0, 4.0 * quarter, 2.0),
        op("arithmetic", 16.0 * quarter, 16.0 * quarter, 8.0),
        op("arithmetic", 2.0 * tokens + 4.0 * quarter, 4.0 * grid, 2.0),
        op("arithmetic", 8.0 * grid, 8.0 * grid, 4.0),
        op("copy", 8.0 * grid, 8.0 * grid, 2.0),
        op("copy", 8.0 * grid, 8.0 * grid, 1.0),
        op("copy", 2.0 * tokens * whole, tokens * whole, 1.0),
        make.field_fp32(
            "positions.add", "pos_embed", "arithmetic", new * table, new * x, read_half=x + own * table,
            write_half=own * x,
        ),
        op("copy", x, 0.0, 1.0, half_out=x),
    ]  # fmt: skip
