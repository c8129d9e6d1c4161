"""How a UNet's feature maps lie in memory: pixels or channels last; what needs them otherwise copies them first.

Attention to pixels leaves its output channels last, sums lie as their first operand, what a convolution makes pixels
last, a concatenation channels last only where both of its inputs are; in training, shortcuts read pixels last.

Source: torch 2.14 (`cat`, TensorIterator); diffusers 0.42.1, resnet.py, of a layer in training mode.
"""

from __future__ import annotations

from typing import Final

from roofline.passes.training.image.unrolled import Loop, Piece, Program

_COPIES: Final = ("resnet.shortcut",)


#: What ends with pixels last: convolutions, and stacks whose own output is the first operand of their sum.
_PIXELS_LAST: Final = {"resnet.shortcut", "transformer.norm", "downsample", "upsample.conv"}


class Layout:
    """The layout of the stream, and of the skips that were left on the way."""

    def __init__(self) -> None:
        self.last = False
        self.skips = [False]

    def passes(self, program: Program, *, down: bool = False) -> Program:
        """A part that reads the stream and hands it on; on the way `down` its output also stays as a skip."""
        names = _names(program)
        if "concat" in names:
            skip = self.skips.pop() if self.skips else False
            self.last = self.last and skip
        out = _copying(program) if self.last else program
        if names & _PIXELS_LAST:
            self.last = False
        if "attention.residual" in names:
            self.last = True
        if down:
            self.skips.append(self.last)
        return out


def _names(program: Program) -> set[str]:
    return {name for item in program for name in (_names(item.body) if isinstance(item, Loop) else (item.op.name,))}


def _copying(program: Program) -> Program:
    return tuple(_copied(item) for item in program)


def _copied(item: Piece | Loop) -> Piece | Loop:
    if isinstance(item, Loop):
        return item._replace(body=_copying(item.body))
    return item._replace(wire=item.wire._replace(sign=":")) if item.op.name in _COPIES else item
