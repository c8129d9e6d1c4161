"""RWKV-4 and xLSTM: recurrences that mix each token with the one before, or keep a matrix of memory."""

from __future__ import annotations

from roofline.num import Num, where
from roofline.specs.text.recurrence import ChannelMix, MatrixLSTM, TimeMix
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.constructors_state import gated_norm, pointwise, scan
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def _shift(name: str, block: str, span: Span, width: float, mixes: float, count: float, live: Num) -> Op:
    """`mixes` blends of each token with the one before, each with a weight per channel; the last token is kept."""
    op = pointwise(
        name, block, span.tokens, width, reads=1.0, writes=mixes, each=3.0 * mixes, params=mixes * width, count=count,
        live=live,
    )  # fmt: skip
    held = span.batch * width
    return op._replace(cache_read=held * where(span.past > 0.0, 1.0, 0.0), cache_write=held, state_held=held)


def time_mix_ops(spec: TransformerSpec, mix: TimeMix, span: Span, block: str, count: float, stream: Num) -> list[Op]:
    """Key, value and receptance of blended tokens; wkv; output of the gated sum.

    wkv is a weighted mean of the values so far whose weights decay, kept as numerator, denominator and largest exponent
    per channel in fp32.

    Source: Peng et al. 2023 (arXiv:2305.13048), section 3; transformers 5.23.0, rwkv.
    """
    tokens, width, inner = span.tokens, float(spec.width), float(mix.width)
    row = tokens * inner
    return [
        _shift("time_shift", block, span, width, 3.0, count, stream),
        make.linear("k_proj", block, tokens, width, inner, count=count, live=stream + 2.0 * tokens * width),
        make.linear("v_proj", block, tokens, width, inner, count=count, live=stream + row + tokens * width),
        make.linear("receptance_proj", block, tokens, width, inner, count=count, live=stream + 2.0 * row),
        scan("scan", block, span, rule="rwkv", heads=inner, key_dim=1.0, value_dim=1.0, states=3.0, read=3.0 * inner,
             write=inner, params=2.0 * inner, count=count, live=stream),
        make.linear("o_proj", block, tokens, inner, width, count=count, live=stream),
    ]  # fmt: skip


def channel_mix_ops(
    spec: TransformerSpec, mix: ChannelMix, span: Span, block: str, count: float, stream: Num
) -> list[Op]:
    """sigmoid(receptance) * value(relu(key)^2) of tokens blended with the one before.

    Source: Peng et al. 2023 (arXiv:2305.13048), section 3; transformers 5.23.0, rwkv.
    """
    tokens, width, hidden = span.tokens, float(spec.width), float(mix.hidden)
    row = tokens * width
    return [
        _shift("channel_shift", block, span, width, 2.0, count, stream),
        make.linear("channel_key_proj", block, tokens, width, hidden, count=count, live=stream + row),
        make.activate("activation", block, tokens, hidden, function="relu2", gated=False, count=count,
                      live=stream + row),
        make.linear("channel_value_proj", block, tokens, hidden, width, count=count, live=stream + row),
        make.linear("channel_receptance", block, tokens, width, width, count=count, live=stream + row),
        pointwise("channel_gate", block, tokens, width, reads=2.0, each=4.0, count=count, live=stream),
    ]  # fmt: skip


def mlstm_ops(spec: TransformerSpec, lstm: MatrixLSTM, span: Span, block: str, count: float, stream: Num) -> list[Op]:
    """Queries, keys, values and output gate; input and forget gates per head; memory; norm per head; output.

    C = f C + i k v^T, n = f n + i k, h = C q / |n q|; a normaliser n and a largest exponent are kept beside the memory.

    Source: Beck et al. 2025 (arXiv:2503.13427), section 2; transformers 5.23.0, xlstm.
    """
    tokens, width, bias = span.tokens, float(spec.width), lstm.bias
    heads, key, value = float(lstm.heads), float(lstm.key_dim), float(lstm.value_dim)
    keys, values = heads * key, heads * value
    read = 2.0 * keys + values + 2.0 * heads
    beside = stream + tokens * (2.0 * keys + values)
    core = scan(
        "scan", block, span, rule="mlstm", heads=heads, key_dim=key, value_dim=value, read=read, write=values,
        fp32=False, count=count, live=stream + tokens * values,
    )  # fmt: skip
    more = span.batch * (heads * key + heads)
    core = core._replace(
        flops=core.flops + 2.0 * tokens * keys, state_held=core.state_held + more, cache_write=core.cache_write + more,
        cache_read=core.cache_read + more * where(span.past > 0.0, 1.0, 0.0),
    )  # fmt: skip
    return [
        make.linear("q_proj", block, tokens, width, keys, bias=bias, count=count, live=stream),
        make.linear("k_proj", block, tokens, width, keys, bias=bias, count=count, live=stream + tokens * keys),
        make.linear("v_proj", block, tokens, width, values, bias=bias, count=count, live=stream + 2.0 * tokens * keys),
        make.linear("gate_proj", block, tokens, width, values, bias=bias, count=count, live=beside),
        make.linear("input_gate", block, tokens, width, heads, bias=True, count=count, live=beside),
        make.linear("forget_gate", block, tokens, width, heads, bias=True, count=count, live=beside),
        core,
        gated_norm("gated_norm", block, tokens * heads, value, values * (2.0 if bias else 1.0), function="sigmoid",
                   count=count, live=stream),
        make.linear("o_proj", block, tokens, values, width, bias=bias, count=count, live=stream),
    ]  # fmt: skip
