"""DiT and PixArt: spec and plane of latents to ops.

Source: diffusers 0.42.1, dit_transformer_2d.py, pixart_transformer_2d.py, BasicTransformerBlock in attention.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import Tokens, mlp_ops, narrow_op, sinusoid_ops
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
from roofline.workload.constructors_image import TOP, Block, Plane, allocated
from roofline.workload.op import Op
from roofline.workload.shapes import FieldShape

_LAYERS, _TIME = "transformer_blocks", "adaln_single"


def dit_ops(spec: DiTSpec, latents: Plane) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and a class per image to a prediction and its variance."""
    tokens, layers = _tokens(spec, latents), Block(_LAYERS, float(spec.layers))
    batch, width, x = tokens.batch, tokens.width, tokens.elements
    small, row = allocated(6.0 * batch * width), batch * width
    label = _label_ops(spec, batch, layers.number)
    # the last scales come from the first layer's embedding, computed once more without its parameters
    again = [op._replace(count=op.count / layers.number, params=0.0, active=0.0) for op in label]
    return [
        *patch_ops("pos_embed", tokens, float(spec.patch), float(spec.in_channels)),
        Block("pos_embed").field("positions.add", "arithmetic", x + tokens.each * width, x),
        *label,
        *scales_ops("norm1", layers, batch, width, 6.0),
        *modulated_norm_ops("norm1", layers, tokens, x + small),
        *_self_attention_ops(layers, tokens, spec, x + small),
        *gate_ops("attn1", layers, tokens, 2.0 * x + small),
        *modulated_norm_ops("norm3", layers, tokens, 3.0 * x + small, affine=spec.affine),
        *feed_forward_ops("ff", layers, tokens, 4.0 * x + small),
        *gate_ops("ff", layers, tokens, 4.0 * x + small),
        *again,
        TOP.field("norm_out.silu", "silu", row, row),
        make.linear("proj_out_1", "proj_out_1", batch, width, 2.0 * width),
        *_output_ops(spec, tokens, "proj_out_2"),
    ]


def _tokens(spec: DiTSpec | PixArtSpec, latents: Plane) -> Tokens:
    """One token per patch of the latents."""
    patch = float(spec.patch)
    return Tokens(latents.batch, floor(latents.height / patch) * floor(latents.width / patch), float(spec.width))


def _label_ops(spec: DiTSpec, batch: Num, layers: float) -> list[Op]:
    """Time step and class label to one row per image, once per layer."""
    width, waves, rows = float(spec.width), float(spec.frequencies), spec.classes + 1.0
    table, row = rows * width, batch * width
    amounts = (0.0, 0.0, table, table, minimum(batch, rows) * width, 0.0, row)
    shape, block = FieldShape(row, "table"), Block(_LAYERS)
    ops = [
        *sinusoid_ops(block, batch, waves, integer=True),
        narrow_op("time_narrow", block, batch * waves),
        *mlp_ops(block, batch, waves, width, width),
        Op("class_embedding", "gather", _LAYERS, 1.0, *amounts, read_fp32=2.0 * batch, shape=shape),
        block.field("label_add", "arithmetic", 2.0 * row, row),
    ]
    return [op._replace(count=op.count * layers) for op in ops]


def _self_attention_ops(block: Block, tokens: Tokens, spec: DiTSpec | PixArtSpec, held: Num) -> list[Op]:
    """Multi-head attention among the image's tokens. `held` excludes the normed input."""
    batch, each, width = tokens
    rows, x, heads, bias = tokens.rows, tokens.elements, float(spec.heads), spec.attention_bias
    return [
        block.times(3.0).linear("attn1.qkv", rows, width, width, bias=bias, live=held + 2.0 * x),
        block.attention("attn1", batch, heads, each, each, width / heads, live=held + x),
        block.linear("attn1.to_out", rows, width, width, live=held + 4.0 * x),
        block.field("attn1.rescale", "arithmetic", x, x, live=held + 4.0 * x),
    ]


def _output_ops(spec: DiTSpec | PixArtSpec, tokens: Tokens, name: str) -> list[Op]:
    """Tokens to patches of the prediction."""
    rows, outputs = tokens.rows, float(spec.patch) * float(spec.patch) * spec.out_channels
    norm, *modulation = modulated_norm_ops("norm_out", TOP, tokens, tokens.elements)
    product = make.linear(name, name, rows, tokens.width, outputs)
    return [norm._replace(block="norm_out"), *modulation, product, unpatch_op(rows, outputs)]


def pixart_ops(spec: PixArtSpec, latents: Plane, text_tokens: Num) -> list[Op]:
    """One forward pass: latents [b, c, h, w] and a text [b, s, d] to a prediction and its variance."""
    tokens, layers = _tokens(spec, latents), Block(_LAYERS, float(spec.layers))
    batch, width, x = tokens.batch, tokens.width, tokens.elements
    text, row = Tokens(batch, text_tokens, width if spec.text_projection else float(spec.text_width)), batch * width
    small = allocated(row) + 2.0 * allocated(6.0 * row) + text.elements
    return [
        *patch_ops("pos_embed", tokens, float(spec.patch), float(spec.in_channels)),
        *_position_ops(spec, latents, tokens.each),
        *_pixart_time_ops(spec, batch),
        *(_caption_ops(spec, text) if spec.text_projection else ()),
        _table_op("scales", layers, batch, width, 6.0),
        *modulated_norm_ops("norm1", layers, tokens, x + small, affine=spec.affine),
        *_self_attention_ops(layers, tokens, spec, x + small),
        *gate_ops("attn1", layers, tokens, 2.0 * x + small),
        *_cross_attention_ops(layers, tokens, text, spec, 2.0 * x + small),
        *modulated_norm_ops("norm2", layers, tokens, 3.0 * x + small, affine=spec.affine),
        *feed_forward_ops("ff", layers, tokens, 4.0 * x + small),
        *gate_ops("ff", layers, tokens, 4.0 * x + small),
        _table_op("norm_out.scales", TOP, batch, width, 2.0),
        *_output_ops(spec, tokens, "proj_out"),
    ]


def _caption_ops(spec: PixArtSpec, text: Tokens) -> list[Op]:
    """The text to the width of the tokens: two dense layers with gelu between."""
    t, width = text.elements, text.width
    up, act, down = mlp_ops(Block("caption_projection"), text.rows, float(spec.text_width), width, width)
    return [up, act._replace(shape=FieldShape(t, "gelu"), vector_flops=make.STYLES["gelu"] * t), down]


def _cross_attention_ops(block: Block, tokens: Tokens, text: Tokens, spec: PixArtSpec, held: Num) -> list[Op]:
    """Multi-head attention to the text."""
    batch, each, width = tokens
    rows, x, t, bias = tokens.rows, tokens.elements, text.rows * width, spec.attention_bias
    after = held + 2.0 * x + 2.0 * t
    return [
        block.linear("attn2.to_q", rows, width, width, bias=bias, live=held),
        block.times(2.0).linear("attn2.to_kv", text.rows, text.width, width, bias=bias, live=held + x),
        block.attention("attn2", batch, float(spec.heads), each, text.each, width / spec.heads, live=held),
        block.linear("attn2.to_out", rows, width, width, live=after),
        block.field("attn2.rescale", "arithmetic", x, x, live=after),
        block.field("attn2.residual", "arithmetic", 2.0 * x, x, live=held),
    ]


def _table_op(name: str, block: Block, batch: Num, width: float, number: float) -> Op:
    """A learned table of scales and shifts, added to those of the time step."""
    y = number * batch * width
    source = y if number == 6.0 else batch * width
    return block.field(name, "arithmetic", source, y, weights=number * width)


def _pixart_time_ops(spec: PixArtSpec, batch: Num) -> list[Op]:
    """The time step, and the picture's resolution and aspect ratio where they count, to the scales of all layers."""
    width, waves, block = float(spec.width), float(spec.frequencies), Block(_TIME)
    row = batch * width
    ops = [
        *sinusoid_ops(block, batch, waves, integer=True),
        narrow_op("time_narrow", block, batch * waves),
        *mlp_ops(block, batch, waves, width, width),
    ]
    if spec.size_conditions:
        third = width / 3.0
        for numbers in (2.0 * batch, batch):
            ops += sinusoid_ops(block, numbers, waves, integer=False)
            ops.append(narrow_op("size_narrow", block, numbers * waves))
            ops += mlp_ops(block, numbers, waves, third, third)
        ops.append(block.field("size_concat", "copy", row, row))
        ops.append(block.field("size_add", "arithmetic", 2.0 * row, row))
    return [*ops, *scales_ops("scales", block, batch, width, 6.0)]


def _position_ops(spec: PixArtSpec, latents: Plane, tokens: Num) -> list[Op]:
    """Positions added to the patches: a table; for a size that is not the model's own made anew, 28 kernels of fp64."""
    side = float(spec.sample // spec.patch)
    height, width = floor(latents.height / spec.patch), floor(latents.width / spec.patch)
    own = where(height == side, 1.0, 0.0) * where(width == side, 1.0, 0.0)
    new = 1.0 - own
    quarter, whole = spec.width / 4.0, float(spec.width)
    grid, table = tokens * quarter, tokens * whole
    x, block = latents.batch * table, Block("pos_embed")

    def op(style: str, read: Num, write: Num, kernels: float) -> Op:
        """Elements of 4 bytes; an fp64 element is two."""
        return block.field_fp32("positions", style, new * read, new * write, kernels=new * kernels)

    sides = height + width
    both = x + own * table
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
        block.field_fp32("positions.add", "arithmetic", new * table, new * x, read_half=both, write_half=own * x),
        block.field_fp32("positions", "copy", new * x, 0.0, write_half=new * x, kernels=new),
    ]
