"""A tower as a phase of its own: what stands before its layers, the layers, and what stands behind them.

FLOPs are those of the reference code, operator by operator: a convolution of patches counts, windows count as windows,
all other attention as full squares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

from roofline.architectures.towers.parameters import layer_ops, piece_parameters
from roofline.architectures.towers.seen import Seen, seen_by
from roofline.num import Num, is_nothing, maximum, where
from roofline.specs.text.reading import CanvasPicture
from roofline.specs.text.tower import (
    ConvolutionPiece,
    LinearPiece,
    NormPiece,
    Piece,
    PoolPiece,
    QueriesPiece,
    ScalePiece,
    TablePiece,
    Tower,
)
from roofline.workload import constructors as make
from roofline.workload.media import Media
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape, Span
from roofline.workload.workload import Phase


def tower_phases(towers: Iterable[Tower], media: Media, batch: Num) -> Iterator[Phase]:
    """The phases of the towers that see anything of what each of `batch` sequences brings."""
    for tower in towers:
        seen = seen_by(tower, media)
        if not is_nothing(seen.items):
            yield tower_phase(tower, seen, batch)


def tower_phase(tower: Tower, seen: Seen, batch: Num) -> Phase:
    """The phase `vision_encode` or `audio_encode`: what the tower does for a batch of sequences.

    At points of a grid that bring nothing it is repeated 0 times.
    """
    some = seen.items > 0.0
    whole = Seen(*(where(some, value * batch, 1.0) for value in seen))
    ops = [op for piece in tower.before for op in _piece_ops(tower, piece, whole, "before")]
    if isinstance(tower.tokens, CanvasPicture):
        ops.append(_mask(tower, whole))
    ops += layer_ops(tower, _span(whole.layers, whole.pairs), windows=_span(whole.layers, whole.windowed))
    ops += [op for piece in tower.after for op in _piece_ops(tower, piece, whole, "after")]
    boundary = ops[-1].write + ops[0].read
    name = f"{tower.name}_encode"
    return Phase(name, tuple(ops), where(some, 1.0, 0.0), name, boundary=boundary, tokens=whole.layers, beside=True)


def _mask(tower: Tower, seen: Seen) -> Op:
    """Which tiles of a canvas hold a picture: m [l, 1] @ m^T [1, l] -> [l, l], once for all layers."""
    shape = MatmulShape(seen.layers, 1.0, seen.pairs / maximum(seen.layers, 1.0), groups=seen.items)
    block = f"{tower.name}.before"
    return Op("tile_mask", "linear", block, flops=2.0 * seen.pairs, read=seen.layers, write=seen.pairs, shape=shape)


def _span(rows: Num, pairs: Num) -> Span:
    """Sequences of one length that have as many rows and pairs in all as there are: sum n² / sum n is their length."""
    length = maximum(pairs / maximum(rows, 1.0), 1.0)
    return Span(rows / length, length, 0.0)


def _piece_ops(tower: Tower, piece: Piece, seen: Seen, place: str) -> list[Op]:
    block = f"{tower.name}.{place}"
    if isinstance(piece, PoolPiece):
        return [_pool(piece, block, seen)]
    if isinstance(piece, QueriesPiece):
        return [_queries(piece, block, seen)]
    rows = _rows(piece, seen, place)
    if isinstance(piece, TablePiece):
        return [_table(piece, block, rows)]
    if isinstance(piece, (LinearPiece, ConvolutionPiece)):
        times = rows * piece.times
        op = _linear(piece, block, times) if isinstance(piece, LinearPiece) else _convolution(piece, block, times)
        return [op, *_activated(piece, block, times)]
    return [_vector(tower, piece, block, rows)]


def _vector(tower: Tower, piece: NormPiece | ScalePiece, block: str, rows: Num) -> Op:
    """A norm of rows, or factors that are held alone."""
    if isinstance(piece, NormPiece):
        width, count = float(piece.width), float(piece.number)
        return make.norm(piece.name, block, rows, width, style=tower.norm, bias=piece.bias, count=count)
    held = float(piece.elements)
    return Op(piece.name, "pointwise", block, params=held, active=held, weights=held)


def _linear(piece: LinearPiece, block: str, rows: Num) -> Op:
    sizes, count = (float(piece.inputs), float(piece.outputs)), float(piece.number)
    return make.linear(piece.name, block, rows, *sizes, bias=piece.bias, count=count)


def _rows(piece: Piece, seen: Seen, place: str) -> Num:
    over = piece.over or ("layers" if isinstance(piece, TablePiece) else "patches" if place == "before" else "merged")
    if over == "none":
        return 0.0
    return {
        "patches": seen.patches,
        "layers": seen.layers,
        "merged": seen.merged,
        "tokens": seen.tokens,
        "views": seen.views,
    }[over]


def _pool(piece: PoolPiece, block: str, seen: Seen) -> Op:
    """[merged, patches] by [patches, width] for each view."""
    width, each = float(piece.width), seen.patches / maximum(seen.views, 1.0)
    flops, read, write = (
        2.0 * seen.merged * each * width,
        seen.merged * each + seen.patches * width,
        seen.merged * width,
    )
    shape = MatmulShape(seen.merged, each, width, groups=seen.views)
    return Op(piece.name, "attention", block, 1.0, flops, read=read, write=write, shape=shape)


def _queries(piece: QueriesPiece, block: str, seen: Seen) -> Op:
    """Scores [queries, rows] of each view and their product with values [rows, width]."""
    width, queries, views = float(piece.width), seen.views * piece.number, maximum(seen.views, 1.0)
    each = seen.layers / views
    flops, read = 4.0 * queries * each * width, queries * width + 2.0 * seen.layers * width
    shape = MatmulShape(queries, width, each, groups=seen.views)
    return Op(piece.name, "attention", block, 1.0, flops, read=read, write=queries * width, shape=shape)


def _table(piece: TablePiece, block: str, rows: Num) -> Op:
    """Rows of a table that are added to what there is, interpolated by a product where the code does so."""
    held, table, width = piece_parameters(piece), float(piece.rows), float(piece.width)
    op = make.add(piece.name, block, rows, width, shared_rows=0.0)._replace(params=held, active=held, weights=held)
    if not piece.product:
        return op
    flops, shape = 2.0 * rows * table * width, MatmulShape(rows, table, width)
    return op._replace(kind="linear", flops=flops, read=op.read + rows * table, shape=shape)


def _convolution(piece: ConvolutionPiece, block: str, rows: Num) -> Op:
    """An implicit product of [rows, inputs × kernel] by [inputs × kernel, outputs]."""
    depth, width = float(piece.inputs * prod(piece.kernel)), float(piece.outputs)
    own = depth * width + (width if piece.bias else 0.0)
    flops, vector = 2.0 * rows * depth * width, rows * width if piece.bias else 0.0
    shape = MatmulShape(rows, depth, width, piece.bias)
    count = float(piece.number)
    read = rows * depth if piece.inputs > 1 else rows * width
    return Op(piece.name, "convolution", block, count, flops, vector, own, own, own, read, rows * width, shape=shape)


def _activated(piece: LinearPiece | ConvolutionPiece, block: str, rows: Num) -> list[Op]:
    if piece.activation is None:
        return []
    name, width, count = f"{piece.name}_activation", float(piece.outputs), float(piece.number)
    return [make.activate(name, block, rows, width, function=piece.activation, gated=False, count=count)]
