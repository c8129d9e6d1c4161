"""An image model's ops in the order in which they run, repeated blocks as loops.

A ledger groups like layers; here each follows the one whose output it reads, so that what stands before the first
trained weight is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from roofline.errors import UnsupportedError
from roofline.passes.training.image.unrolled import Loop, Piece, Program, runs
from roofline.passes.training.image.wires.wire import wires
from roofline.workload.op import Op
from roofline.workload.shapes import DenseAttentionShape, MatmulShape


def pieces_of(op: Op, repeats: float, table: Mapping[str, str]) -> Iterator[Piece]:
    """An op of a part that is there `repeats` times. Raises UnsupportedError for an op that no table wires."""
    text = table.get(f"{op.block}/{op.name}") or table.get(op.name)
    if text is None:
        raise UnsupportedError(f"training is not known of {op.block}: {op.name}")
    many = wires(text)
    op = _as_product(op)
    for place, wire in enumerate(many):
        yield Piece(op._replace(count=op.count / repeats / len(many)), wire, place)


def _as_product(op: Op) -> Op:
    """One of attention's two products, where both are ops of their own, with the shape of a product."""
    shape, (_, _, which) = op.shape, op.name.rpartition(".")
    if op.kind != "attention" or not isinstance(shape, DenseAttentionShape) or which not in ("scores", "values"):
        return op
    inner, outer = (shape.dim, shape.keys) if which == "scores" else (shape.keys, shape.dim)
    groups = shape.batch * shape.heads
    return op._replace(shape=MatmulShape(groups * shape.queries, inner, outer, groups=groups))


def plain_program(ops: Iterable[Op], table: Mapping[str, str]) -> Program:
    """Ops that run once each, in their order."""
    return tuple(piece for op in ops if runs(op) for piece in pieces_of(op, 1.0, table))


def looped_program(ops: Sequence[Op], blocks: Sequence[str], begins: str, table: Mapping[str, str]) -> Program:
    """Transformer denoisers: the ops of `blocks` are loops, each from an op named `begins` to the next."""
    out: list[Piece | Loop] = []
    for block, group in groupby(filter(runs, ops), key=lambda op: op.block):
        own = list(group)
        if block not in blocks:
            out += plain_program(own, table)
            continue
        for part in _layers(own, begins):
            times = min(op.count for op in part)
            body = tuple(piece for op in part for piece in pieces_of(op, times, table))
            out.append(Loop(times, body, region=any(op.kind == "attention" for op in part)))
    return tuple(out)


def _layers(ops: Iterable[Op], begins: str) -> list[list[Op]]:
    """Ops cut before the first of those with which a layer begins."""
    parts: list[list[Op]] = []
    for op in ops:
        if not parts or (op.name == begins and parts[-1][-1].name != begins):
            parts.append([])
        parts[-1].append(op)
    return parts
