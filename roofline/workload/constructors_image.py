"""Constructors of image ops: one small method of a block per kernel that the reference framework launches.

An op is what PyTorch dispatches for the reference code, so that FLOPs, bytes and launches can be compared with a
framework's own counters: each distinct input once, the output once. The passes rewrite these ops for other levels of
execution. What stands in an op without a keyword is in the order of its fields, as in `roofline.workload.constructors`.

Convention: torch 2.13.0 and diffusers 0.42.1, operator by operator.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(slots=True)
class Block:
    """A block of an image model, by name, and how many alike there are; its methods make the ops of one.

    Not frozen, which would make it slower to make.
    """

    name: str
    number: float = 1.0

    def times(self, many: float) -> Block:
        """The same block, for an op that it has `many` of."""
        return Block(self.name, many * self.number)

    def convolution(
        self,
        name: str,
        source: Plane,
        target: Plane,
        channels_in: float,
        channels_out: float,
        kernel: float = 3.0,
        *,
        bias: bool = True,
        live: Num = 0.0,
    ) -> Op:
        """X [b, i, h, w] * w [o, i, k, k] (+ b [o]) -> [b, o, h', w']; 2 i o k k FLOPs per output pixel.

        Every output sees the full kernel, the zeros of the padding included, as framework counters count.
        """
        weights, pixels = channels_in * channels_out * kernel * kernel, target.pixels
        own = weights + channels_out if bias else weights
        x, y = channels_in * source.pixels, channels_out * pixels
        flops, vector = 2.0 * weights * pixels, y if bias else 0.0
        shape = ConvolutionShape(pixels, channels_in, channels_out, kernel, bias, target.batch)
        return Op(
            name, "convolution", self.name, self.number, flops, vector, own, own, own, x, y, live=live, shape=shape
        )

    def linear(self, name: str, rows: Num, d_in: float, d_out: float, *, bias: bool = True, live: Num = 0.0) -> Op:
        """X [r, i] @ w [i, o] (+ b [o]) -> [r, o] in one kernel."""
        own = d_in * d_out + d_out if bias else d_in * d_out
        x, y, shape = rows * d_in, rows * d_out, MatmulShape(rows, d_in, d_out, bias)
        flops, vector = 2.0 * rows * (d_in * d_out), y if bias else 0.0
        return Op(name, "linear", self.name, self.number, flops, vector, own, own, own, x, y, live=live, shape=shape)

    def field(
        self,
        name: str,
        style: str,
        read: Num,
        write: Num,
        *,
        weights: float = 0.0,
        live: Num = 0.0,
        kernels: Num = 1.0,
    ) -> Op:
        """One element-wise kernel: activations read, activations written, weights (a bias or a scale) streamed."""
        block, count, own = self.name, self.number, weights
        x, y, work, shape = read, write, STYLES[style] * write, FieldShape(write, style)
        return Op(
            name, "pointwise", block, count, 0.0, work, own, own, own, x, y, live=live, kernels=kernels, shape=shape
        )

    def copies(self, name: str, kernels: Num, elements: Num, *, live: Num = 0.0) -> Op:
        """Kernels that copy as many elements each: where there are none, nothing is moved."""
        moved = kernels * elements
        return self.field(name, "copy", moved, moved, live=live, kernels=kernels)

    def field_fp32(
        self,
        name: str,
        style: str,
        read: Num,
        write: Num,
        *,
        read_half: Num = 0.0,
        write_half: Num = 0.0,
        live: Num = 0.0,
        kernels: Num = 1.0,
    ) -> Op:
        """One element-wise kernel over elements of 4 bytes, some of them (`*_half`) in the activations' format."""
        elements = write + write_half
        amounts = (0.0, STYLES[style] * elements, 0.0, 0.0, 0.0, read_half, write_half, read, write)
        shape = FieldShape(elements, style, "fp32")
        return Op(name, "pointwise", self.name, self.number, *amounts, live=live, kernels=kernels, shape=shape)

    def group_norm(self, name: str, plane: Plane, channels: float, groups: float, *, live: Num = 0.0) -> Op:
        """A norm over groups of channels, with weight and bias; mean and deviation of each group are written too."""
        x, own = channels * plane.pixels, 2.0 * channels
        vector, y, shape = STYLES["group"] * x, x + 2.0 * groups * plane.batch, FieldShape(x, "group")
        return Op(name, "norm", self.name, self.number, 0.0, vector, own, own, own, x, y, live=live, shape=shape)

    def layer_norm(self, name: str, rows: Num, width: float, *, affine: bool = True, live: Num = 0.0) -> Op:
        """A norm over the width of each row; mean and deviation of each row are written in fp32."""
        x, own = rows * width, 2.0 * width if affine else 0.0
        vector, wide, shape = STYLES["layer"] * x, 2.0 * rows, FieldShape(x, "layer")
        return Op(
            name, "norm", self.name, self.number, 0.0, vector, own, own, own, x, x, 0.0, wide, live=live, shape=shape
        )

    def attention(
        self,
        name: str,
        batch: Num,
        heads: float,
        queries: Num,
        keys: Num,
        dim: float,
        *,
        bias: Num = 0.0,
        wide_softmax: bool = False,
        live: Num = 0.0,
    ) -> Op:
        """Fused attention: q [b, h, n, d], k and v [b, h, s, d] -> o [b, h, n, d]; scores never reach memory.

        4 d FLOPs per head and query-key pair, all pairs counted.
        """
        width, scores = batch * heads * dim, batch * heads * queries * keys
        flops, vector = 4.0 * dim * scores, STYLES["softmax"] * scores
        x, y = width * (queries + 2.0 * keys) + bias, width * queries
        shape = DenseAttentionShape(batch, heads, queries, keys, dim, bias, wide_softmax)
        return Op(name, "attention", self.name, self.number, flops, vector, read=x, write=y, live=live, shape=shape)


#: The model's own code, in no block of it.
TOP: Final = Block("<top>")


def convolution(
    name: str,
    block: str,
    source: Plane,
    target: Plane,
    channels_in: float,
    channels_out: float,
    kernel: float = 3.0,
    *,
    live: Num = 0.0,
) -> Op:
    """A convolution with biases in a block that occurs once."""
    return Block(block).convolution(name, source, target, channels_in, channels_out, kernel, live=live)


def linear(name: str, block: str, rows: Num, d_in: float, d_out: float, *, bias: bool = True) -> Op:
    """A dense layer in a block that occurs once."""
    return Block(block).linear(name, rows, d_in, d_out, bias=bias)


def attention(name: str, block: str, batch: Num, heads: float, queries: Num, keys: Num, dim: float) -> Op:
    """Fused attention in a block that occurs once."""
    return Block(block).attention(name, batch, heads, queries, keys, dim)
