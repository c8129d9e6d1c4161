"""State spaces and other recurrences: Mamba, Mamba-2, LFM2's short convolution, Griffin's gated recurrence."""

from __future__ import annotations

from roofline.num import Num
from roofline.specs.text.recurrence import GatedRecurrence, Mamba, Mamba2, ShortConvolution
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.constructors_state import depthwise, gated_norm, pointwise, scan
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def mamba_ops(spec: TransformerSpec, mamba: Mamba, span: Span, block: str, count: float, stream: Num) -> list[Op]:
    """Channels and gate; convolution; step, input and output vectors; selective scan; output projection.

    h = exp(dt A) h + dt B x, y = C h + D x per channel, with a state of n elements; the gate multiplies y in the scan.

    Source: Gu and Dao 2023 (arXiv:2312.00752), section 3.4; transformers 5.23.0, mamba, falcon_mamba, jamba.
    """
    tokens, width = span.tokens, float(spec.width)
    inner, state, rank = float(mamba.inner), float(mamba.state), float(mamba.rank)
    row, vectors = tokens * inner, rank + 2.0 * state
    ops = [
        make.linear("in_proj", block, tokens, width, 2.0 * inner, bias=mamba.bias, count=count, live=stream),
        depthwise(
            "conv", block, span, inner, float(mamba.kernel), bias=mamba.conv_bias, count=count, live=stream + row
        ),
        make.linear("x_proj", block, tokens, inner, vectors, count=count, live=stream + row),
    ]
    if mamba.norms is not None:
        weighted = mamba.norms == "weighted"
        ops.append(
            make.norm("vector_norms", block, tokens, vectors, weight=weighted, count=count, live=stream + 2.0 * row)
        )
    ops += [
        make.linear("dt_proj", block, tokens, rank, inner, bias=True, count=count, live=stream + 2.0 * row),
        scan("scan", block, span, rule="selective", heads=inner, key_dim=state, value_dim=1.0,
             read=3.0 * inner + 2.0 * state, write=inner, params=inner * state + inner, count=count, live=stream),
        make.linear("out_proj", block, tokens, inner, width, bias=mamba.bias, count=count, live=stream),
    ]  # fmt: skip
    return ops


def mamba2_ops(spec: TransformerSpec, mamba: Mamba2, span: Span, block: str, count: float, stream: Num) -> list[Op]:
    """One projection to gate, channels, input and output vectors and steps; convolution; scan; gated norm; output.

    S = a S + (dt x) B^T, y = S C + D x per head of p channels, with a state of [p, n].

    Source: Dao and Gu 2024 (arXiv:2405.21060), section 7; transformers 5.23.0, mamba2, bamba, nemotron_h.
    """
    tokens, width = span.tokens, float(spec.width)
    heads, dim, state = float(mamba.heads), float(mamba.head_dim), float(mamba.state)
    inner, vectors = heads * dim, 2.0 * mamba.groups * state
    gate = stream + tokens * inner
    ops = [
        make.linear("in_proj", block, tokens, width, 2.0 * inner + vectors + heads, bias=mamba.bias, count=count,
                    live=stream),
        depthwise("conv", block, span, inner + vectors, float(mamba.kernel), bias=mamba.conv_bias, count=count,
                  live=gate + tokens * heads),
        scan("scan", block, span, rule="decay", heads=heads, key_dim=state, value_dim=dim,
             read=inner + vectors + heads, write=inner, params=3.0 * heads, count=count, live=gate),
    ]  # fmt: skip
    if mamba.norm:
        ops.append(gated_norm("gated_norm", block, tokens, inner, inner, count=count, live=stream))
    else:
        ops.append(make.activate("gate", block, tokens, inner, function="silu", gated=True, count=count, live=stream))
    ops.append(make.linear("out_proj", block, tokens, inner, width, bias=mamba.bias, count=count, live=stream))
    return ops


def short_conv_ops(
    spec: TransformerSpec, conv: ShortConvolution, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """b, c, x = in_proj(u); out_proj(c conv(b x)).

    Source: Liquid AI 2025, LFM2; transformers 5.23.0, lfm2.
    """
    tokens, width, inner, bias = span.tokens, float(spec.width), float(conv.width), conv.bias
    row = tokens * inner
    return [
        make.linear("in_proj", block, tokens, width, 3.0 * inner, bias=bias, count=count, live=stream),
        pointwise("input_gate", block, tokens, inner, reads=2.0, each=1.0, count=count, live=stream + row),
        depthwise("conv", block, span, inner, float(conv.kernel), bias=bias, function=None, count=count,
                  live=stream + row),
        pointwise("output_gate", block, tokens, inner, reads=2.0, each=1.0, count=count, live=stream),
        make.linear("out_proj", block, tokens, inner, width, bias=bias, count=count, live=stream),
    ]  # fmt: skip


def gated_recurrence_ops(
    spec: TransformerSpec, recurrence: GatedRecurrence, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """out(gelu(y) * rglru(conv(x))) with two projections of the input, x and y.

    h = a h + sqrt(1 - a^2) (i x); the gates i and a come from block-diagonal matrices.

    Source: De et al. 2024 (arXiv:2402.19427), section 2.4; transformers 5.23.0, recurrent_gemma.
    """
    tokens, width, inner, heads = span.tokens, float(spec.width), float(recurrence.width), float(recurrence.heads)
    row, each = tokens * inner, inner / heads
    return [
        make.linear("y_proj", block, tokens, width, inner, bias=True, count=count, live=stream),
        make.activate("y_activation", block, tokens, inner, function="gelu_tanh", gated=False, count=count,
                      live=stream),
        make.linear("x_proj", block, tokens, width, inner, bias=True, count=count, live=stream + row),
        depthwise("conv", block, span, inner, float(recurrence.kernel), bias=True, function=None,
                  kept=recurrence.kernel - 1.0, count=count, live=stream + row),
        make.heads_linear("input_gate", block, tokens, heads, each, each, bias=True, count=count,
                          live=stream + 2.0 * row),
        make.heads_linear("recurrence_gate", block, tokens, heads, each, each, bias=True, count=count,
                          live=stream + 3.0 * row),
        scan("scan", block, span, rule="gated", heads=inner, key_dim=1.0, value_dim=1.0, read=3.0 * inner, write=inner,
             params=inner, count=count, live=stream + row),
        pointwise("gate", block, tokens, inner, reads=2.0, each=1.0, count=count, live=stream),
        make.linear("out_proj", block, tokens, inner, width, bias=True, count=count, live=stream),
    ]  # fmt: skip
