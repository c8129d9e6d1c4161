"""What some models run beside attention and feed-forward: an input per layer, alternating updates, a low-rank path.

Source: the reference code of Gemma 3n and Gemma 4 (transformers 5.23.0).
"""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.specs.text.transformer import BlockGroup, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape, Span


def before_layers(spec: TransformerSpec, embedding: Sublayer) -> list[Op]:
    """Behind the embedding: the inputs of all layers, and the streams that alternate.

    Inputs per layer are rows of a second table [vocabulary, layers w] plus a projection of the embedding.
    """
    ops: list[Op] = []
    width, tokens, block = float(spec.width), embedding.tokens, embedding.block
    if spec.per_layer_input is not None:
        inner, rows = float(spec.per_layer_input.width), float(spec.per_layer_input.vocabulary)
        layers = float(sum(group.layers for group in spec.blocks))
        ops += [
            make.embedding("per_layer_embedding", block, tokens, rows, layers * inner),
            embedding.linear("per_layer_model_projection", width, layers * inner),
            embedding.over(tokens * layers).norm("per_layer_norm", inner),
            embedding.add("per_layer_add", layers * inner),
        ]
    if spec.altup is not None:
        others = spec.altup.inputs - 1.0
        ops.append(make.linear("altup_projections", block, tokens, width, width, count=others))
    return ops


def after_layers(spec: TransformerSpec, head: Sublayer) -> list[Op]:
    """Before the final norm: the streams that alternate become one."""
    if spec.altup is None:
        return []
    width, others = float(spec.width), spec.altup.inputs - 1.0
    return [
        make.linear("altup_unembed_projections", head.block, head.tokens, width, width, count=others),
        make.add("altup_mean", head.block, head.tokens, width, count=others),
    ]


def in_layers(spec: TransformerSpec, group: BlockGroup, span: Span, label: str) -> list[Op]:
    """Per layer: prediction and correction of the streams, the low-rank path, the input of the layer."""
    ops: list[Op] = []
    tokens, width = span.tokens, float(spec.width)
    side = Sublayer(f"{label}.side", float(group.layers), span, tokens, tokens * width)
    if spec.altup is not None:
        ops += _alternating(float(spec.altup.inputs), width, side.beside(0.0))
    if spec.laurel is not None:
        rank = float(spec.laurel)
        ops += [
            side.linear("laurel_left", width, rank),
            side.linear("laurel_right", rank, width),
            side.norm("laurel_norm", width),
            side.add("laurel_residual", width),
        ]
    if spec.per_layer_input is not None:
        inner = float(spec.per_layer_input.width)
        ops += [
            side.linear("per_layer_gate", width, inner),
            side.activate("per_layer_activation", inner, function="gelu_tanh", gated=True),
            side.linear("per_layer_projection", inner, width),
            side.norm("per_layer_post_norm", width),
            side.add("per_layer_residual", width),
        ]
    return ops


def _alternating(inputs: float, width: float, side: Sublayer) -> list[Op]:
    """Two runs of a router, coefficients [i, i] and [i], and the product of the streams with the former.

    streams [t, d, i] @ coefficients [t, i, i] -> [t, d, i]: 2 t d i^2 FLOPs.
    """
    block, count, tokens = side.block, side.layers, side.tokens
    streams = tokens * width * inputs
    flops, read = 2.0 * streams * inputs, streams + tokens * inputs * inputs
    shape = MatmulShape(tokens * width, inputs, inputs, groups=tokens)
    return [
        side.norm("altup_router_norm", width),
        side.linear("altup_router", width, inputs),
        side.linear("altup_prediction_coefs", inputs, inputs * inputs),
        Op("altup_predict", "linear", block, count, flops=flops, read=read, write=streams, shape=shape),
        make.linear("altup_router_again", block, tokens, width, inputs, held=False, count=count),
        side.linear("altup_correction_coefs", inputs, inputs),
        side.norm("altup_scale", width),
        side.add("altup_correct", width * inputs),
    ]
