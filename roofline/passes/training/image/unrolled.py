"""What a program is made of: pieces that run once, and loops of them."""

from __future__ import annotations

from typing import NamedTuple

from roofline.passes.training.image.wires.wire import Wire
from roofline.workload.op import Op


class Piece(NamedTuple):
    """One execution of an op; `place` says which of several alike."""

    op: Op
    wire: Wire
    place: int = 0


class Loop(NamedTuple):
    """Pieces that run so many times in a row; `region`: what a checkpoint surrounds, one a time."""

    times: float
    body: tuple[Piece | Loop, ...]
    region: bool = False


Program = tuple["Piece | Loop", ...]


def runs(op: Op) -> bool:
    """Whether an op does anything: parameters that a pass does not use stand in an op that does not."""
    return not op.name.endswith("(idle)")
