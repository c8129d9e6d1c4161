"""What transformer denoisers share: norms scaled and shifted by a time step, gates, norms of queries and keys.

A scale, shift or gate is one row per image. `held` as in `roofline.architectures.image.blocks`.

Source: diffusers 0.42.1, normalization.py, embeddings.py, attention.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import Tokens, more_than_one
from roofline.num import Num
from roofline.workload import constructors_image as make
from roofline.workload.constructors_image import TOP, Block, Plane
from roofline.workload.op import Op


def scales_ops(name: str, block: Block, batch: Num, width: float, number: float) -> list[Op]:
    """`number` rows of scales, shifts and gates from the embedded time step: silu and a dense layer."""
    row = batch * width
    return [
        block.field(f"{name}.silu", "silu", row, row),
        block.linear(f"{name}.scales", batch, width, number * width),
    ]


def modulate_ops(name: str, block: Block, tokens: Tokens, held: Num) -> list[Op]:
    """Scale and shift: x (1 + scale) + shift, in three kernels."""
    x, row = tokens.elements, tokens.batch * tokens.width
    return [
        block.field(f"{name}.scale", "arithmetic", row, row, live=held + x),
        block.field(f"{name}.modulate", "arithmetic", x + row, x, live=held),
        block.field(f"{name}.shift", "arithmetic", x + row, x, live=held + x),
    ]


def modulated_norm_ops(name: str, block: Block, tokens: Tokens, held: Num, *, affine: bool = False) -> list[Op]:
    """A norm, in most models without weights, then scale and shift: x [r, d] -> [r, d]. `held` includes x."""
    beside = held - tokens.elements
    return [
        block.layer_norm(f"{name}.norm", tokens.rows, tokens.width, affine=affine, live=beside),
        *modulate_ops(name, block, tokens, held),
    ]


def gate_ops(name: str, block: Block, tokens: Tokens, held: Num) -> list[Op]:
    """A gated sum: x + gate y, in two kernels. `held` includes x."""
    x, row = tokens.elements, tokens.batch * tokens.width
    return [
        block.field(f"{name}.gate", "arithmetic", x + row, x, live=held),
        block.field(f"{name}.residual", "arithmetic", 2.0 * x, x, live=held),
    ]


def head_norm_ops(
    name: str, block: Block, tokens: Num, heads: float, dim: float, held: Num, *, weight_fp32: bool
) -> list[Op]:
    """An RMS norm per head in fp32, in eight kernels: cast, square, mean, add, root, scale, weight, cast.

    `weight_fp32`: the weight is applied before the result is narrowed (torch's own RMSNorm) or after (diffusers').
    """
    x, rows = tokens * heads * dim, tokens * heads
    beside = held + x
    ops = [
        block.field_fp32(f"{name}.widen", "copy", 0.0, x, read_half=x, live=held),
        block.field_fp32(f"{name}.square", "arithmetic", x, x, live=beside),
        block.field_fp32(f"{name}.mean", "reduce", x, rows, live=beside),
        block.field_fp32(f"{name}.epsilon", "arithmetic", rows, rows, live=beside),
        block.field_fp32(f"{name}.root", "reduce", rows, rows, live=beside),
    ]
    narrow = block.field_fp32(f"{name}.narrow", "copy", x, 0.0, write_half=x, live=beside)
    if weight_fp32:
        weight = block.field_fp32(f"{name}.weight", "arithmetic", x, x, live=beside)
        return [
            *ops,
            block.field_fp32(f"{name}.scale", "arithmetic", x + rows, x, live=beside),
            weight._replace(params=dim, active=dim, weights=dim),
            narrow,
        ]
    wide = 2.0 * x  # an fp32 copy, in elements of 16 bit
    return [
        *ops,
        block.field_fp32(f"{name}.scale", "arithmetic", rows, x, read_half=x, live=held),
        narrow,
        block.field(f"{name}.weight", "arithmetic", x, x, weights=dim, live=held + wide - x),
    ]


def feed_forward_ops(name: str, block: Block, tokens: Tokens, held: Num) -> list[Op]:
    """Two dense layers with gelu between, four times as wide. `held` includes the input."""
    rows, width, x = tokens.rows, tokens.width, tokens.elements
    inner, hidden = 4.0 * rows * width, 4.0 * width
    return [
        block.linear(f"{name}.up", rows, width, hidden, live=held - x),
        block.field(f"{name}.gelu", "gelu", inner, inner, live=held),
        block.linear(f"{name}.down", rows, hidden, width, live=held),
    ]


def patch_ops(block: str, tokens: Tokens, patch: float, channels: float) -> list[Op]:
    """Latents cut into patches by a convolution whose stride is its size, one token of `width` each."""
    plane = Plane(tokens.batch, tokens.each, 1.0)
    source = Plane(tokens.batch, tokens.each * patch * patch, 1.0)
    return [make.convolution("patches", block, source, plane, channels, tokens.width, patch)]


def sliced_linear_ops(name: str, block: Block, tokens: Tokens, held: Num) -> list[Op]:
    """A dense layer over some of the tokens of each image: with more than one image the slice must be copied first.

    Then the framework also adds the bias in a kernel of its own. `held` as for a linear layer's `live`.
    """
    several, width = more_than_one(tokens.batch), tokens.width
    x = several * tokens.rows * width
    product = block.linear(name, tokens.rows, width, width, live=held)
    bias = block.field(f"{name}.bias", "arithmetic", x, x, live=held, kernels=several)
    return [
        block.field(f"{name}.copy", "copy", x, x, live=held, kernels=several),
        product._replace(weights=product.weights - several * width),
        bias._replace(weights=several * width),
    ]


def unpatch_op(rows: Num, outputs: float) -> Op:
    """Tokens put back into an image: one copy."""
    x = rows * outputs
    return TOP.field("unpatch", "copy", x, x)
