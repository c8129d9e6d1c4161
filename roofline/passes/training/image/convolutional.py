"""Convolutional models' ops in the order in which they run: UNets, ControlNets and autoencoders, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import Final, NamedTuple

from roofline.num import where
from roofline.passes.training.image.layouts import Layout
from roofline.passes.training.image.unroll import pieces_of, plain_program
from roofline.passes.training.image.unrolled import Loop, Piece, Program, runs
from roofline.workload.constructors_image import Block
from roofline.workload.op import Op
from roofline.workload.shapes import DenseAttentionShape

#: Ops with which a part of a block begins.
_BEGINS: Final = (
    *("resnet.copy", "resnet.norm1", "concat", "transformer.norm", "text.norm", "attention.norm", "attention.copy"),
    *("downsample", "downsample.pad", "upsample", "self.norm", "norm1", "proj_out.copy", "proj_out"),
)
_TAILS: Final = ("downsample", "downsample.pad", "upsample")


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
    layout = Layout() if checkpoints == "layers" else None
    for block, group in groupby(filter(runs, ops), key=lambda op: op.block):
        own = list(group)
        parts = _parts(own)
        if not any("." in part.name or part.name in _BEGINS for part in parts):
            out += plain_program(own, table)
            continue
        given = {**table, "attn1.to_k": "text > k", "attn1.to_v": "text > v"} if block in reads_text else table
        body = tuple(_interleaved(parts, given, layout, block))
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
        if op.name in ("resnet.norm1", "attention"):
            parts[-1] = last._replace(times=op.count)
    return parts


def _begins(op: Op, last: _Part) -> bool:
    inside = last.name == "transformer.norm" and op.name in ("norm1", "proj_out.copy", "proj_out")
    if op.name not in _BEGINS or inside:
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
    parts: list[_Part], table: Mapping[str, str], layout: Layout | None, block: str
) -> Iterator[Piece | Loop]:
    """Residual layers and attentions in turn, then what resamples.

    Layers of a UNet, which has a `layout`, are regions; but the first residual layer of its middle stands outside of
    all, and where attention reads added words, the second does too.
    """
    layers = layout is not None
    residual, attends, tails = list[Program](), list[Program](), list[Program]()
    for part in parts:
        names = {op.name for op in part.ops}
        body = tuple(_part_program(part, table, layers))
        if part.name in _TAILS or "resnet.resample" in names:
            tails.append((Loop(part.times, body),))
        elif "resnet.norm1" in names:
            joined = body[:1] if part.name == "concat" else ()
            residual += [(*joined, Loop(1.0, body[len(joined) :], region=layers))] * round(part.times)
        else:
            attends += [body] * round(part.times)
    if "mid" in block:
        added = any(op.name == "attention.add_kv" for part in parts for op in part.ops)
        free = len(residual) if added else 1
        residual = [_without_region(one) if index < free else one for index, one in enumerate(residual)]
    down = block.startswith("down")
    for one, two in zip_longest(residual, attends, fillvalue=()):
        yield from _laid(layout, one, down and not two)
        yield from _laid(layout, two, down)
    for tail in tails:
        yield from _laid(layout, tail, down)


def _laid(layout: Layout | None, program: Program, skip: bool) -> Program:
    """A part as the layout of the feature maps lets it run."""
    return layout.passes(program, down=skip) if layout is not None and program else program


def _without_region(program: Program) -> Program:
    return tuple(item._replace(region=False) if isinstance(item, Loop) else item for item in program)


def _part_program(part: _Part, table: Mapping[str, str], layers: bool) -> Iterator[Piece | Loop]:
    """One part; the layers of a stack are a loop of their own."""
    names = [op.name for op in part.ops]
    table = {**table, **_own_wires(part, names)}
    if "attention.add_kv" in names:
        part = _with_copies(part)
    if not {"norm1", "ff.residual"} <= set(names):
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


def _own_wires(part: _Part, names: Sequence[str]) -> dict[str, str]:
    """What some parts wire otherwise than others with the same ops."""
    if part.name == "attention.copy":
        return {"attention.copy": "x > hq; x > hk; x > hv"}
    if "attention.add_kv" in names:
        own = {"attention.to_q": "hq > q", "attention.to_kv": "hk > k; hv > v"}
        alone = {"attention.copy": "h > hq", "attention.add_kv": "normed|text > k; normed|text > v"}
        return own if "attention.to_kv" in names else own | alone
    if "resnet.resample" in names and part.ops[0].block.startswith("down"):
        return {"resnet.resample": "h ^ h; x ^ x"}  # means of 2×2 pixels, not repeated ones
    return {}


def _with_copies(part: _Part) -> _Part:
    """Attention to added words: pixels of several images, channels last, are copied for each product that reads them.

    Source: torch 2.14, `linear` of an input that is not contiguous.
    """
    place = next(index for index, op in enumerate(part.ops) if op.name == "attention.to_q")
    shape = next(op.shape for op in part.ops if isinstance(op.shape, DenseAttentionShape))
    query, many = part.ops[place], 3.0 if any(op.name == "attention.to_kv" for op in part.ops) else 1.0
    several = where(shape.batch > 1.0, 1.0, 0.0)
    copy = Block(query.block, many * part.times).copies("attention.copy", several, query.read)
    return part._replace(ops=[*part.ops[:place], copy, *part.ops[place:]])
