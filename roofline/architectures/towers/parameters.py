"""The parameters of a tower: its layers are those of a transformer, what stands around them is a list of pieces."""

from __future__ import annotations

from math import prod
from typing import assert_never

from roofline.architectures.text.layers import block_ops
from roofline.specs.text.feed_forward import DenseFeedForward
from roofline.specs.text.positions import Positions
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
    TowerLayers,
)
from roofline.specs.text.transformer import (
    BlockGroup,
    Norm,
    SoftmaxAttention,
    TransformerSpec,
)
from roofline.workload.op import Op
from roofline.workload.shapes import Span

_TOKEN = Span(1.0, 1.0, 0.0)


def tower_parameters(tower: Tower) -> float:
    """All parameters of a tower, its projector included."""
    around = sum(piece_parameters(piece) for piece in (*tower.before, *tower.after))
    scales = sum(float(group.layers * group.scales) for group in tower.blocks)
    return around + scales + sum(op.count * op.params for op in layer_ops(tower, _TOKEN))


def layer_ops(tower: Tower, span: Span, windows: Span | None = None) -> list[Op]:
    """The ops of the layers over a span of patches or frames, of those with windows over `windows`."""
    stack = _stack(tower)
    ops: list[Op] = []
    for index, (layers, group) in enumerate(zip(tower.blocks, stack.blocks, strict=True)):
        label = f"{tower.name}.{index}" if len(tower.blocks) > 1 else tower.name
        own = windows if windows is not None and layers.window else span
        ops += block_ops(stack, group, own, label)
    return ops


def piece_parameters(piece: Piece) -> float:
    """Parameters of one piece."""
    if isinstance(piece, TablePiece):
        return float(piece.rows * piece.width)
    if isinstance(piece, LinearPiece):
        return float(piece.number * piece.outputs * (piece.inputs + piece.bias))
    if isinstance(piece, ConvolutionPiece):
        return float(piece.number * piece.outputs * (piece.inputs * prod(piece.kernel) + piece.bias))
    if isinstance(piece, NormPiece):
        return float(piece.number * piece.width * (1 + piece.bias))
    if isinstance(piece, ScalePiece):
        return float(piece.elements)
    if isinstance(piece, (PoolPiece, QueriesPiece)):
        return 0.0
    assert_never(piece)


def _stack(tower: Tower) -> TransformerSpec:
    """The layers as a model of their own, without embedding and head."""
    return TransformerSpec(
        family="transformer",
        name=tower.kind,
        title=tower.kind,
        vocabulary=None,
        width=tower.width,
        positions=Positions(kind="rotary" if tower.rotary else "none"),
        norm=Norm(kind=tower.norm, bias=tower.norm_bias),
        head=False,
        blocks=tuple(_group(layers) for layers in tower.blocks),
        sources=(tower.source or tower.kind,),
    )


def _group(layers: TowerLayers) -> BlockGroup:
    attention = SoftmaxAttention(
        kind="softmax",
        heads=layers.heads,
        kv_heads=layers.kv_heads or layers.heads,
        head_dim=layers.head_dim,
        causal=False,
        qkv_bias=layers.qkv_bias,
        key_bias=layers.key_bias,
        output_bias=layers.output_bias,
        qk_norm=layers.qk_norm,
    )
    activation, bias = layers.activation, layers.mlp_bias
    mlp = DenseFeedForward(kind="dense", width=layers.mlp, gated=layers.gated, activation=activation, bias=bias)
    return BlockGroup(layers=layers.layers, attention=attention, feed_forward=mlp, norms=layers.norms)
