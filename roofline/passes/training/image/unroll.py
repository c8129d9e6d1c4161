"""An image model's ops in the order in which they run, repeated blocks as loops.

A ledger groups like layers; here each follows the one whose output it reads, so that what stands before the first
trained weight is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Final, NamedTuple

from roofline.errors import UnsupportedError
from roofline.passes.training.image.wires.wire import Wire, wires
from roofline.workload.op import Op
from roofline.workload.shapes import DenseAttentionShape, MatmulShape


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
#: Ops with which a part of a block begins.
_BEGINS: Final = (
    *("resnet.copy", "resnet.norm1", "concat", "transformer.norm", "text.norm", "attention.norm", "attention.copy"),
    *("downsample", "downsample.pad", "upsample", "self.norm", "norm1", "proj_out.copy", "proj_out"),
)
_TAILS: Final = ("downsample", "downsample.pad", "upsample")


def runs(op: Op) -> bool:
    """Whether an op does anything: parameters that a pass does not use stand in an op that does not."""
    return not op.name.endswith("(idle)")


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


class _Part(NamedTuple):
    """A part of a block: what it begins with, how often it is there, and its ops."""

    name: str
    times: float
    ops: list[Op]


def block_programs(
    ops: Sequence[Op], table: Mapping[str, str], reads_text: Sequence[str] = (), *, checkpoints: str = ""
) -> Program:
    """Convolutional models: in each block a residual layer, its attention, the next residual layer.

    `reads_text`: blocks whose first attention of a layer reads the text. `checkpoints`: `layers`, residual layers and
    transformer layers are regions of their own, as in a UNet; `blocks`, each block is one, as in an autoencoder.
    """
    out: list[Piece | Loop] = []
    for block, group in groupby(filter(runs, ops), key=lambda op: op.block):
        own = list(group)
        parts = _parts(own)
        if not any("." in part.name or part.name in _BEGINS for part in parts):
            out += plain_program(own, table)
            continue
        given = {**table, "attn1.to_k": "text > k", "attn1.to_v": "text > v"} if block in reads_text else table
        body = tuple(_interleaved(parts, given, checkpoints, first_free="mid" in block))
        out += [Loop(1.0, body, region=True)] if checkpoints == "blocks" and "block" in block else body
    return tuple(out)


def _parts(ops: list[Op]) -> list[_Part]:
    """A block's parts; what precedes a norm belongs to it, layers of a stack to the stack."""
    parts: list[_Part] = []
    for op in ops:
        last = parts[-1] if parts else None
        goes_on = last is not None and not _begins(op, last)
        if last is None or not goes_on:
            parts.append(_Part(op.name, op.count, []))
            last = parts[-1]
        last.ops.append(op)
        if op.name == "resnet.norm1":
            parts[-1] = last._replace(times=op.count)
    return parts


def _begins(op: Op, last: _Part) -> bool:
    if op.name not in _BEGINS or (
        last.name == "transformer.norm" and op.name in ("norm1", "proj_out.copy", "proj_out")
    ):
        return False
    names = {other.name for other in last.ops}
    alone = names <= {"concat", "resnet.copy"} and op.name in ("resnet.copy", "resnet.norm1")
    return not (
        alone
        or names == {"text.norm"}
        or (op.name == "attention.copy" and names == {"attention.norm"})
        or (op.name == "downsample" and names == {"downsample.pad"})
    )


def _interleaved(
    parts: list[_Part], table: Mapping[str, str], checkpoints: str, *, first_free: bool
) -> Iterator[Piece | Loop]:
    """Residual layers and attentions in turn, then what resamples.

    A UNet's first residual layer of the middle (`first_free`) stands outside of all checkpoints.
    """
    layers = checkpoints == "layers"
    residual, attends, tails = list[Program](), list[Program](), list[Loop]()
    for part in parts:
        names = {op.name for op in part.ops}
        body = tuple(_part_program(part, table, layers))
        if part.name in _TAILS or "resnet.resample" in names:
            tails.append(Loop(part.times, body))
        elif "resnet.norm1" in names:
            joined = body[:1] if part.name == "concat" else ()
            residual += [(*joined, Loop(1.0, body[len(joined) :], region=layers))] * round(part.times)
        else:
            attends += [body] * round(part.times)
    if first_free and residual:
        residual[0] = tuple(item._replace(region=False) if isinstance(item, Loop) else item for item in residual[0])
    for one, two in zip_longest(residual, attends, fillvalue=()):
        yield from (*one, *two)
    yield from tails


def _part_program(part: _Part, table: Mapping[str, str], layers: bool) -> Iterator[Piece | Loop]:
    """One part; the layers of a stack are a loop of their own."""
    names = [op.name for op in part.ops]
    if part.name == "attention.copy":
        table = {**table, "attention.copy": "x > hq; x > hk; x > hv"}
    if "attention.add_kv" in names and "attention.to_kv" not in names:
        table = {**table, "attention.add_kv": "normed|text > k; normed|text > v"}
    if "norm1" not in names:
        for op in part.ops:
            yield from pieces_of(op, part.times, table)
        return
    first, last = names.index("norm1"), names.index("ff.residual") + 1
    for op in part.ops[:first]:
        yield from pieces_of(op, part.times, table)
    times = part.ops[first].count
    body = tuple(piece for op in part.ops[first:last] for piece in pieces_of(op, times, table))
    yield Loop(times / part.times, body, region=layers)
    for op in part.ops[last:]:
        yield from pieces_of(op, part.times, table)
