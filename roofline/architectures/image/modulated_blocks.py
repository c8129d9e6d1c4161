"""What transformer denoisers share: norms scaled and shifted by a time step, gates, norms of queries and keys.

Tokens are rows of `width`; a scale, shift or gate is one row per image. `held` as in image_blocks.

Source: diffusers 0.42.1, normalization.py, embeddings.py, attention.py.
"""

from __future__ import annotations

from roofline.architectures.image.blocks import more_than_one
from roofline.num import Num
from roofline.workload import constructors_image as make
from roofline.workload.op import Op


def scales_ops(name: str, block: str, batch: Num, width: float, number: float, count: float = 1.0) -> list[Op]:
    """`number` rows of scales, shifts and gates from the embedded time step: silu and a dense layer."""
    row = batch * width
    return [
        make.field(f"{name}.silu", block, "silu", row, row, count=count),
        make.linear(f"{name}.scales", block, batch, width, number * width, count=count),
    ]


def modulate_ops(name: str, block: str, batch: Num, rows: Num, width: float, held: Num, count: float = 1.0) -> list[Op]:
    """Scale and shift: x (1 + scale) + shift, in three kernels."""
    x, row = rows * width, batch * width
    return [
        make.field(f"{name}.scale", block, "arithmetic", row, row, count=count, live=held + x),
        make.field(f"{name}.modulate", block, "arithmetic", x + row, x, count=count, live=held),
        make.field(f"{name}.shift", block, "arithmetic", x + row, x, count=count, live=held + x),
    ]


def modulated_norm_ops(
    name: str, block: str, batch: Num, rows: Num, width: float, held: Num, count: float = 1.0
) -> list[Op]:
    """A norm without weights, then scale and shift: x [r, d] -> [r, d]. `held` includes x."""
    return [
        make.layer_norm(f"{name}.norm", block, rows, width, affine=False, count=count, live=held - rows * width),
        *modulate_ops(name, block, batch, rows, width, held, count),
    ]


def gate_ops(name: str, block: str, batch: Num, rows: Num, width: float, held: Num, count: float = 1.0) -> list[Op]:
    """A gated sum: x + gate y, in two kernels. `held` includes x."""
    x = rows * width
    return [
        make.field(f"{name}.gate", block, "arithmetic", x + batch * width, x, count=count, live=held),
        make.field(f"{name}.residual", block, "arithmetic", 2.0 * x, x, count=count, live=held),
    ]


def head_norm_ops(
    name: str, block: str, tokens: Num, heads: float, dim: float, held: Num, *, weight_fp32: bool, count: float = 1.0
) -> list[Op]:
    """An RMS norm per head in fp32, in eight kernels: cast, square, mean, add, root, scale, weight, cast.

    `weight_fp32`: the weight is applied before the result is narrowed (torch's own RMSNorm) or after (diffusers').
    """
    x, rows = tokens * heads * dim, tokens * heads
    wide = 2.0 * x  # an fp32 copy, in elements of 16 bit
    ops = [
        make.field_fp32(f"{name}.widen", block, "copy", 0.0, x, read_half=x, count=count, live=held),
        make.field_fp32(f"{name}.square", block, "arithmetic", x, x, count=count, live=held + x),
        make.field_fp32(f"{name}.mean", block, "reduce", x, rows, count=count, live=held + x),
        make.field_fp32(f"{name}.epsilon", block, "arithmetic", rows, rows, count=count, live=held + x),
        make.field_fp32(f"{name}.root", block, "reduce", rows, rows, count=count, live=held + x),
    ]
    if weight_fp32:
        return [
            *ops,
            make.field_fp32(f"{name}.scale", block, "arithmetic", x + rows, x, count=count, live=held + x),
            _weighted(f"{name}.weight", block, x, dim, held + x, count, fp32=True),
            make.field_fp32(f"{name}.narrow", block, "copy", x, 0.0, write_half=x, count=count, live=held + x),
        ]
    return [
        *ops,
        make.field_fp32(f"{name}.scale", block, "arithmetic", rows, x, read_half=x, count=count, live=held),
        make.field_fp32(f"{name}.narrow", block, "copy", x, 0.0, write_half=x, count=count, live=held + x),
        _weighted(f"{name}.weight", block, x, dim, held + wide - x, count, fp32=False),
    ]


def _weighted(name: str, block: str, x: Num, dim: float, held: Num, count: float, *, fp32: bool) -> Op:
    if fp32:
        op = make.field_fp32(name, block, "arithmetic", x, x, count=count, live=held)
        return op._replace(params=dim, active=dim, weights=dim)
    return make.field(name, block, "arithmetic", x, x, weights=dim, count=count, live=held)


def feed_forward_ops(
    name: str, block: str, rows: Num, width: float, held: Num, count: float = 1.0, *, ratio: float = 4.0
) -> list[Op]:
    """Two dense layers with gelu between, `ratio` times as wide. `held` includes the input."""
    x, inner = rows * width, ratio * rows * width
    return [
        make.linear(f"{name}.up", block, rows, width, ratio * width, count=count, live=held - x),
        make.field(f"{name}.gelu", block, "gelu", inner, inner, count=count, live=held),
        make.linear(f"{name}.down", block, rows, ratio * width, width, count=count, live=held),
    ]


def patch_ops(block: str, batch: Num, tokens: Num, patch: float, channels: float, width: float) -> list[Op]:
    """Latents cut into patches by a convolution whose stride is its size, one token of `width` each."""
    plane = make.Plane(batch, tokens, 1.0)
    source = make.Plane(batch, tokens * patch * patch, 1.0)
    return [make.convolution("patches", block, source, plane, channels, width, patch)]


def sliced_linear_ops(
    name: str, block: str, batch: Num, rows: Num, d_in: float, d_out: float, held: Num, count: float = 1.0
) -> list[Op]:
    """A dense layer over some of the tokens of each image: with more than one image the slice must be copied first.

    Then the framework also adds the bias in a kernel of its own. `held` as for a linear layer's `live`.
    """
    several = more_than_one(batch)
    x, y = several * rows * d_in, several * rows * d_out
    product = make.linear(name, block, rows, d_in, d_out, count=count, live=held)
    bias = make.field(f"{name}.bias", block, "arithmetic", y, y, count=count, live=held, kernels=several)
    return [
        make.field(f"{name}.copy", block, "copy", x, x, count=count, live=held, kernels=several),
        product._replace(weights=product.weights - several * d_out),
        bias._replace(weights=several * d_out),
    ]


def unpatch_op(rows: Num, outputs: float) -> Op:
    """Tokens put back into an image: one copy."""
    x = rows * outputs
    return make.field("unpatch", "<top>", "copy", x, x)
