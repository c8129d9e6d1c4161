"""State spaces and other recurrences: Mamba, Mamba-2, LFM2's short convolution, Griffin's gated recurrence."""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.specs.text.recurrence import GatedRecurrence, Mamba, Mamba2, PlainMatrix, ShortConvolution
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.shapes import ScanShape


def mamba_ops(spec: TransformerSpec, mamba: Mamba, layer: Sublayer) -> list[Op]:
    """Channels and gate; convolution; step, input and output vectors; selective scan; output projection.

    h = exp(dt A) h + dt B x, y = C h + D x per channel, with a state of n elements; the gate multiplies y in the scan.

    Source: Gu and Dao 2023 (arXiv:2312.00752), section 3.4; transformers 5.23.0, mamba, falcon_mamba, jamba.
    """
    stream, width = layer.stream, float(spec.width)
    inner, state, rank = float(mamba.inner), float(mamba.state), float(mamba.rank)
    row, vectors = layer.tokens * inner, rank + 2.0 * state
    ops = [
        layer.linear("in_proj", width, 2.0 * inner, bias=mamba.bias),
        layer.depthwise(inner, float(mamba.kernel), bias=mamba.conv_bias, live=stream + row),
        layer.linear("x_proj", inner, vectors, live=stream + row),
    ]
    if mamba.norms is not None:
        weighted = mamba.norms == "weighted"
        ops.append(layer.norm("vector_norms", vectors, weight=weighted, live=stream + 2.0 * row))
    shape, read = ScanShape(layer.span, inner, state, 1.0, "selective"), 3.0 * inner + 2.0 * state
    return [
        *ops,
        layer.linear("dt_proj", rank, inner, bias=True, live=stream + 2.0 * row),
        layer.scan(shape, read=read, write=inner, params=inner * state + inner),
        layer.linear("out_proj", inner, width, bias=mamba.bias),
    ]


def mamba2_ops(spec: TransformerSpec, mamba: Mamba2, layer: Sublayer) -> list[Op]:
    """One projection to gate, channels, input and output vectors and steps; convolution; scan; gated norm; output.

    S = a S + (dt x) B^T, y = S C + D x per head of p channels, with a state of [p, n].

    Source: Dao and Gu 2024 (arXiv:2405.21060), section 7; transformers 5.23.0, mamba2, bamba, nemotron_h.
    """
    tokens, width = layer.tokens, float(spec.width)
    heads, dim, state = float(mamba.heads), float(mamba.head_dim), float(mamba.state)
    inner, vectors = heads * dim, 2.0 * mamba.groups * state
    mixed, gate = inner + vectors, layer.stream + tokens * inner
    shape = ScanShape(layer.span, heads, state, dim, "decay")
    if mamba.norm:
        gated = layer.gated_norm("gated_norm", inner, inner)
    else:
        gated = layer.activate("gate", inner, function="silu", gated=True)
    return [
        layer.linear("in_proj", width, 2.0 * inner + vectors + heads, bias=mamba.bias),
        layer.depthwise(mixed, float(mamba.kernel), bias=mamba.conv_bias, live=gate + tokens * heads),
        layer.scan(shape, read=mixed + heads, write=inner, params=3.0 * heads, live=gate),
        gated,
        layer.linear("out_proj", inner, width, bias=mamba.bias),
    ]


def short_conv_ops(spec: TransformerSpec, conv: ShortConvolution, layer: Sublayer) -> list[Op]:
    """b, c, x = in_proj(u); out_proj(c conv(b x)).

    Source: Liquid AI 2025, LFM2; transformers 5.23.0, lfm2.
    """
    width, inner, bias = float(spec.width), float(conv.width), conv.bias
    beside = layer.stream + layer.tokens * inner
    return [
        layer.linear("in_proj", width, 3.0 * inner, bias=bias),
        layer.pointwise("input_gate", inner, reads=2.0, each=1.0, live=beside),
        layer.depthwise(inner, float(conv.kernel), bias=bias, function=None, live=beside),
        layer.pointwise("output_gate", inner, reads=2.0, each=1.0),
        layer.linear("out_proj", inner, width, bias=bias),
    ]


def plain_matrix_ops(spec: TransformerSpec, matrix: PlainMatrix, layer: Sublayer) -> list[Op]:
    """A product with one matrix of the model width.

    Source: nvidia/Llama-3_1-Nemotron-51B-Instruct, modeling_decilm.py (`replace_with_linear`).
    """
    width = float(spec.width)
    return [layer.linear("plain_matrix", width, width, bias=matrix.bias)]


def gated_recurrence_ops(spec: TransformerSpec, recurrence: GatedRecurrence, layer: Sublayer) -> list[Op]:
    """out(gelu(y) * rglru(conv(x))) with two projections of the input, x and y.

    h = a h + sqrt(1 - a^2) (i x); the gates i and a come from block-diagonal matrices.

    Source: De et al. 2024 (arXiv:2402.19427), section 2.4; transformers 5.23.0, recurrent_gemma.
    """
    stream, width, inner = layer.stream, float(spec.width), float(recurrence.width)
    heads, kernel = float(recurrence.heads), float(recurrence.kernel)
    row, each = layer.tokens * inner, inner / heads
    shape = ScanShape(layer.span, inner, 1.0, 1.0, "gated")
    return [
        layer.linear("y_proj", width, inner, bias=True),
        layer.activate("y_activation", inner, function="gelu_tanh"),
        layer.linear("x_proj", width, inner, bias=True, live=stream + row),
        layer.depthwise(inner, kernel, bias=True, function=None, kept=kernel - 1.0, live=stream + row),
        layer.heads_linear("input_gate", heads, each, each, bias=True, live=stream + 2.0 * row),
        layer.heads_linear("recurrence_gate", heads, each, each, bias=True, live=stream + 3.0 * row),
        layer.scan(shape, read=3.0 * inner, write=inner, params=inner, live=stream + row),
        layer.pointwise("gate", inner, reads=2.0, each=1.0),
        layer.linear("out_proj", inner, width, bias=True),
    ]
