"""What some models run beside attention and feed-forward: an input per layer, alternating updates, a low-rank path.

Source: the reference code of Gemma 3n and Gemma 4 (transformers 5.23.0).
"""

from __future__ import annotations

from roofline.num import Num
from roofline.specs.text.transformer import BlockGroup, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape


def before_layers(spec: TransformerSpec, tokens: Num) -> list[Op]:
    """Behind the embedding: the inputs of all layers, and the streams that alternate.

    Inputs per layer are rows of a second table [vocabulary, layers w] plus a projection of the embedding.
    """
    ops: list[Op] = []
    width = float(spec.width)
    if spec.per_layer_input is not None:
        inner = float(spec.per_layer_input.width)
        layers = float(sum(group.layers for group in spec.blocks))
        rows = float(spec.per_layer_input.vocabulary)
        ops += [
            make.embedding("per_layer_embedding", "embedding", tokens, rows, layers * inner),
            make.linear("per_layer_model_projection", "embedding", tokens, width, layers * inner),
            make.norm("per_layer_norm", "embedding", tokens * layers, inner),
            make.add("per_layer_add", "embedding", tokens, layers * inner),
        ]
    if spec.altup is not None:
        ops.append(make.linear("altup_projections", "embedding", tokens, width, width, count=spec.altup.inputs - 1.0))
    return ops


def after_layers(spec: TransformerSpec, tokens: Num) -> list[Op]:
    """Before the final norm: the streams that alternate become one."""
    if spec.altup is None:
        return []
    width, others = float(spec.width), spec.altup.inputs - 1.0
    return [
        make.linear("altup_unembed_projections", "head", tokens, width, width, count=others),
        make.add("altup_mean", "head", tokens, width, count=others),
    ]


def in_layers(spec: TransformerSpec, group: BlockGroup, tokens: Num, label: str) -> list[Op]:
    """Per layer: prediction and correction of the streams, the low-rank path, the input of the layer."""
    ops: list[Op] = []
    width, count, where = float(spec.width), float(group.layers), f"{label}.side"
    stream = tokens * width
    if spec.altup is not None:
        ops += _alternating(float(spec.altup.inputs), tokens, width, where, count)
    if spec.laurel is not None:
        rank = float(spec.laurel)
        ops += [
            make.linear("laurel_left", where, tokens, width, rank, count=count, live=stream),
            make.linear("laurel_right", where, tokens, rank, width, count=count, live=stream),
            make.norm("laurel_norm", where, tokens, width, count=count, live=stream),
            make.add("laurel_residual", where, tokens, width, count=count),
        ]
    if spec.per_layer_input is not None:
        inner = float(spec.per_layer_input.width)
        ops += [
            make.linear("per_layer_gate", where, tokens, width, inner, count=count, live=stream),
            make.activate("per_layer_activation", where, tokens, inner, function="gelu_tanh", gated=True, count=count,
                          live=stream),
            make.linear("per_layer_projection", where, tokens, inner, width, count=count, live=stream),
            make.norm("per_layer_post_norm", where, tokens, width, count=count, live=stream),
            make.add("per_layer_residual", where, tokens, width, count=count),
        ]  # fmt: skip
    return ops


def _alternating(inputs: float, tokens: Num, width: float, where: str, count: float) -> list[Op]:
    """Two runs of a router, coefficients [i, i] and [i], and the product of the streams with the former.

    streams [t, d, i] @ coefficients [t, i, i] -> [t, d, i]: 2 t d i^2 FLOPs.
    """
    router = make.linear("altup_router", where, tokens, width, inputs, count=count)
    again = make.linear("altup_router_again", where, tokens, width, inputs, held=False, count=count)
    streams = tokens * width * inputs
    predict = Op(
        "altup_predict", "linear", where, count, flops=2.0 * streams * inputs, read=streams + tokens * inputs * inputs,
        write=streams, shape=MatmulShape(tokens * width, inputs, inputs, groups=tokens),
    )  # fmt: skip
    correct = make.norm("altup_scale", where, tokens, width, count=count)
    return [
        make.norm("altup_router_norm", where, tokens, width, count=count),
        router,
        make.linear("altup_prediction_coefs", where, tokens, inputs, inputs * inputs, count=count),
        predict,
        again,
        make.linear("altup_correction_coefs", where, tokens, inputs, inputs, count=count),
        correct,
        make.add("altup_correct", where, tokens, width * inputs, count=count),
    ]
