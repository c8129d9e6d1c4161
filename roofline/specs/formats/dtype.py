"""What a number format is."""

from __future__ import annotations

from typing import NamedTuple


class DType(NamedTuple):
    """A number format.

    `bits` is what one element takes in memory with its share of the scales of its group. `channel_bits` is what each
    output channel of a matrix takes beside (a scale per channel), `row_bits` what each input channel takes,
    `tensor_bits` what each matrix takes. A group is `block` = (inputs, outputs) elements with `block_bits` of scales:
    where a matrix does not divide by it, the last one is as large. `compute` is the format whose peak multiplies it: a
    weight-only format is widened before the multiplication, so it computes in 16 bit. `layout` says what the bits are,
    for people. `mix`: a file format that stores matrices in several formats; `bits` is then that of most of them.
    `rank` of a low-rank branch in 16 bit beside each matrix. `parts`: formats of parts of one size each, with their
    number, the most frequent first. `whole`: `bits` is the mean of all parameters of an operation as a file stores
    them, biases and scales included. `beside`: bits of the activations that the format's own name says it is
    multiplied with; 0: it says nothing. `against`: the format of activations that it meets by habit, where that is
    another than its own.
    """

    name: str
    bits: float
    compute: str
    layout: str
    channel_bits: float = 0.0
    tensor_bits: float = 0.0
    mix: bool = False
    rank: float = 0.0
    row_bits: float = 0.0
    block: tuple[int, int] = (1, 1)
    block_bits: float = 0.0
    parts: tuple[tuple[str, float], ...] = ()
    whole: bool = False
    beside: int = 0
    against: str = ""

    @property
    def bytes(self) -> float:
        """Bytes per element."""
        return self.bits / 8


def grouped(name: str, bits: float, scales: float, size: int, compute: str, layout: str) -> DType:
    """A format of `bits` per element, with `scales` bits for each `size` elements of an output channel."""
    return DType(name, bits + scales / size, compute, layout, block=(size, 1), block_bits=scales)
