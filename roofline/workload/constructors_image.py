"""Constructors of image ops: one small function per kernel that the reference framework launches.

An op is what PyTorch dispatches for the reference code, so that FLOPs, bytes and launches can be compared with a
framework's own counters: each distinct input once, the output once. The passes rewrite these ops for other levels of
execution.

Convention: torch 2.13.0 and diffusers 0.42.1, operator by operator.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.num import Num, ceil
from roofline.workload.op import Op
from roofline.workload.shapes import ConvolutionShape, DenseAttentionShape, FieldShape, MatmulShape

#: Vector FLOPs per element written. Copies have none; a transcendental counts as one operation.
STYLES: Final[dict[str, float]] = {
    "group": 7.0,  # mean, centre, square, sum, scale, weight, bias
    "layer": 7.0,
    "reduce": 1.0,
    "silu": 4.0,
    "gelu": 8.0,
    "relu": 1.0,
    "sigmoid": 3.0,
    "tanh": 1.0,
    "softmax": 5.0,
    "arithmetic": 1.0,
    "copy": 0.0,
    "table": 0.0,
    "upsample": 0.0,
    "factory": 0.0,
}
#: Elements of 16 bit in the smallest block that the framework's allocator hands out (512 bytes).
ALLOCATION: Final = 256.0


class Plane(NamedTuple):
    """A stack of images: how many, how high and how wide."""

    batch: Num
    height: Num
    width: Num

    @property
    def pixels(self) -> Num:
        """Pixels over the batch."""
        return self.batch * self.height * self.width

    @property
    def area(self) -> Num:
        """Pixels of one image."""
        return self.height * self.width

    def halved(self) -> Plane:
        """After a convolution of stride 2 that pads on both sides: odd sizes round up."""
        return Plane(self.batch, ceil(self.height / 2.0), ceil(self.width / 2.0))

    def doubled(self) -> Plane:
        """After upsampling by 2."""
        return Plane(self.batch, self.height * 2.0, self.width * 2.0)


def allocated(elements: Num) -> Num:
    """Elements of 16 bit that a small tensor takes in memory: whole blocks of 512 bytes."""
    return ceil(elements / ALLOCATION) * ALLOCATION


def convolution(
    name: str, block: str, source: Plane, target: Plane, channels_in: float, channels_out: float, kernel: float = 3.0,
    *, bias: bool = True, count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """X [b, i, h, w] * w [o, i, k, k] (+ b [o]) -> [b, o, h', w']; 2 i o k k FLOPs per output pixel.

    Every output sees the full kernel, the zeros of the padding included, as framework counters count.
    """
    weights = channels_in * channels_out * kernel * kernel
    pixels = target.pixels
    params = weights + channels_out if bias else weights
    return Op(
        name, "convolution", block, count, flops=2.0 * weights * pixels,
        vector_flops=channels_out * pixels if bias else 0.0, params=params, active=params, weights=params,
        read=channels_in * source.pixels, write=channels_out * pixels, live=live,
        shape=ConvolutionShape(pixels, channels_in, channels_out, kernel, bias),
    )  # fmt: skip


def linear(
    name: str, block: str, rows: Num, d_in: float, d_out: float, *, bias: bool = True, count: float = 1.0,
    live: Num = 0.0,
) -> Op:  # fmt: skip
    """X [r, i] @ w [i, o] (+ b [o]) -> [r, o] in one kernel."""
    weights = d_in * d_out + d_out if bias else d_in * d_out
    return Op(
        name, "linear", block, count, flops=2.0 * rows * (d_in * d_out), vector_flops=rows * d_out if bias else 0.0,
        params=weights, active=weights, weights=weights, read=rows * d_in, write=rows * d_out, live=live,
        shape=MatmulShape(rows, d_in, d_out, bias),
    )  # fmt: skip


def field(
    name: str, block: str, style: str, read: Num, write: Num, *, weights: float = 0.0, count: float = 1.0,
    live: Num = 0.0, kernels: Num = 1.0,
) -> Op:  # fmt: skip
    """One element-wise kernel: activations read, activations written, weights (a bias or a scale) streamed."""
    return Op(
        name, "pointwise", block, count, vector_flops=STYLES[style] * write,
        params=weights, active=weights, weights=weights, read=read, write=write, live=live, kernels=kernels,
        shape=FieldShape(write, style),
    )  # fmt: skip


def field_fp32(
    name: str, block: str, style: str, read: Num, write: Num, *, read_half: Num = 0.0, write_half: Num = 0.0,
    count: float = 1.0, live: Num = 0.0, kernels: Num = 1.0,
) -> Op:  # fmt: skip
    """One element-wise kernel over elements of 4 bytes, some of them (`*_half`) in the activations' format."""
    return Op(
        name, "pointwise", block, count, vector_flops=STYLES[style] * (write + write_half), read=read_half,
        write=write_half, read_fp32=read, write_fp32=write, live=live, kernels=kernels,
        shape=FieldShape(write + write_half, style, "fp32"),
    )  # fmt: skip


def group_norm(
    name: str, block: str, plane: Plane, channels: float, groups: float, *, count: float = 1.0, live: Num = 0.0
) -> Op:
    """A norm over groups of channels, with weight and bias; mean and deviation of each group are written too."""
    elements = channels * plane.pixels
    return Op(
        name, "norm", block, count, vector_flops=STYLES["group"] * elements, params=2.0 * channels,
        active=2.0 * channels, weights=2.0 * channels, read=elements,
        write=elements + 2.0 * groups * plane.batch, live=live, shape=FieldShape(elements, "group"),
    )  # fmt: skip


def layer_norm(
    name: str, block: str, rows: Num, width: float, *, affine: bool = True, count: float = 1.0, live: Num = 0.0
) -> Op:
    """A norm over the width of each row; mean and deviation of each row are written in fp32."""
    elements, params = rows * width, 2.0 * width if affine else 0.0
    return Op(
        name, "norm", block, count, vector_flops=STYLES["layer"] * elements, params=params, active=params,
        weights=params, read=elements, write=elements, write_fp32=2.0 * rows, live=live,
        shape=FieldShape(elements, "layer"),
    )  # fmt: skip


def attention(
    name: str, block: str, batch: Num, heads: float, queries: Num, keys: Num, dim: float, *,
    bias: Num = 0.0, wide_softmax: bool = False, count: float = 1.0, live: Num = 0.0,
) -> Op:  # fmt: skip
    """Fused attention: q [b, h, n, d], k and v [b, h, s, d] -> o [b, h, n, d]; scores never reach memory.

    4 d FLOPs per head and query-key pair, all pairs counted.
    """
    width = batch * heads * dim
    scores = batch * heads * queries * keys
    return Op(
        name, "attention", block, count, flops=4.0 * dim * scores, vector_flops=STYLES["softmax"] * scores,
        read=width * (queries + 2.0 * keys) + bias, write=width * queries, live=live,
        shape=DenseAttentionShape(batch, heads, queries, keys, dim, bias, wide_softmax),
    )  # fmt: skip


def sinusoid(block: str, values: Num, width: float, *, integer: bool, cast: bool = True) -> list[Op]:
    """Sines and cosines of `values` numbers at `width` / 2 frequencies, as eager code makes them: 11 kernels in fp32.

    `integer` where the numbers are 8-byte time steps, else in the activations' format.
    """
    half = width / 2.0
    grid = values * half
    widen = field_fp32("time_cast", block, "copy", 2.0 * values, values, count=1.0) if integer else field_fp32(
        "time_cast", block, "copy", 0.0, values, read_half=values
    )  # fmt: skip
    ops = [
        field_fp32("frequencies", block, "factory", 0.0, half),
        field_fp32("frequencies", block, "arithmetic", half, half, count=3.0),
        widen,
        field_fp32("time_angles", block, "arithmetic", values + half, grid),
        field_fp32("time_angles", block, "arithmetic", grid, grid, count=3.0),
        field_fp32("time_waves", block, "copy", 2.0 * grid, 2.0 * grid, count=2.0),
    ]
    if cast:
        ops.append(field_fp32("time_narrow", "<top>", "copy", 2.0 * grid, 0.0, write_half=2.0 * grid))
    return ops
