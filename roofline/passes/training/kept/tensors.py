"""Tensors that are kept between forward and backward: elements by width, of one layer, and how many layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from roofline.num import Num


class Kept(NamedTuple):
    """A tensor that autograd keeps of one execution of an op; `count` executions keep one each.

    half, wide, byte   elements of 16 bits, of 4 bytes, of 1 byte (masks of dropout)
    fixed      bytes whatever the formats: indices, random states
    estimated  nobody has measured what code of this kind keeps: its inputs are taken
    """

    op: str
    block: str
    count: float = 1.0  # type: ignore[assignment]  # of executions; tuple.count is not used
    half: Num = 0.0
    wide: Num = 0.0
    byte: Num = 0.0
    fixed: Num = 0.0
    estimated: bool = False

    @property
    def bytes(self) -> Num:
        """Bytes of one execution."""
        return 2.0 * self.half + 4.0 * self.wide + self.byte + self.fixed


def kept_bytes(kept: Iterable[Kept]) -> Num:
    """Bytes of all executions."""
    total: Num = 0.0
    for tensor in kept:
        total = total + tensor.count * tensor.bytes
    return total
