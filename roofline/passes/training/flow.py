"""What a backward pass must give of each op of a forward pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from roofline.workload.op import Op


class Flow(NamedTuple):
    """An op of a forward pass, and which gradients a backward pass must give of it.

    weights   of its own weights: they are trained
    inputs    of what it reads: something before it is trained. Of attention: of its queries
    keys, values   of attention alone: of its keys, and of its values

    Frozen weights have no gradient, and neither has what no trained weight stands before: the inputs of the first
    layer of a model whose embeddings are frozen, a picture's noise, the embedding of a prompt.
    """

    op: Op
    weights: bool = True
    inputs: bool = True
    keys: bool = True
    values: bool = True


def trained(ops: Iterable[Op]) -> tuple[Flow, ...]:
    """All gradients of all ops: every parameter is trained, the embeddings too."""
    return tuple(map(Flow, ops))
