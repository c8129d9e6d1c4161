"""RWKV-4 and xLSTM: recurrences that mix each token with the one before, or keep a matrix of memory."""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.num import where
from roofline.specs.text.recurrence import ChannelMix, MatrixLSTM, TimeMix
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.shapes import ScanShape


def _shift(name: str, width: float, mixes: float, layer: Sublayer) -> Op:
    """`mixes` blends of each token with the one before, each with a weight per channel; the last token is kept."""
    span = layer.span
    op = layer.pointwise(name, width, reads=1.0, writes=mixes, each=3.0 * mixes, params=mixes * width)
    held = span.batch * width
    return op._replace(cache_read=held * where(span.past > 0.0, 1.0, 0.0), cache_write=held, state_held=held)


def time_mix_ops(spec: TransformerSpec, mix: TimeMix, layer: Sublayer) -> list[Op]:
    """Key, value and receptance of blended tokens; wkv; output of the gated sum.

    wkv is a weighted mean of the values so far whose weights decay, kept as numerator, denominator and largest exponent
    per channel in fp32.

    Source: Peng et al. 2023 (arXiv:2305.13048), section 3; transformers 5.23.0, rwkv.
    """
    tokens, stream, width, inner = layer.tokens, layer.stream, float(spec.width), float(mix.width)
    row = tokens * inner
    shape = ScanShape(layer.span, inner, 1.0, 1.0, "rwkv")
    return [
        _shift("time_shift", width, 3.0, layer),
        layer.linear("k_proj", width, inner, live=stream + 2.0 * tokens * width),
        layer.linear("v_proj", width, inner, live=stream + row + tokens * width),
        layer.linear("receptance_proj", width, inner, live=stream + 2.0 * row),
        layer.scan(shape, read=3.0 * inner, write=inner, params=2.0 * inner, states=3.0),
        layer.linear("o_proj", inner, width),
    ]


def channel_mix_ops(spec: TransformerSpec, mix: ChannelMix, layer: Sublayer) -> list[Op]:
    """sigmoid(receptance) * value(relu(key)^2) of tokens blended with the one before.

    Source: Peng et al. 2023 (arXiv:2305.13048), section 3; transformers 5.23.0, rwkv.
    """
    width, hidden = float(spec.width), float(mix.hidden)
    beside = layer.stream + layer.tokens * width
    return [
        _shift("channel_shift", width, 2.0, layer),
        layer.linear("channel_key_proj", width, hidden, live=beside),
        layer.activate("activation", hidden, function="relu2", live=beside),
        layer.linear("channel_value_proj", hidden, width, live=beside),
        layer.linear("channel_receptance", width, width, live=beside),
        layer.pointwise("channel_gate", width, reads=2.0, each=4.0),
    ]


def mlstm_ops(spec: TransformerSpec, lstm: MatrixLSTM, layer: Sublayer) -> list[Op]:
    """Queries, keys, values and output gate; input and forget gates per head; memory; norm per head; output.

    C = f C + i k v^T, n = f n + i k, h = C q / |n q|; a normaliser n and a largest exponent are kept beside the memory.

    Source: Beck et al. 2025 (arXiv:2503.13427), section 2; transformers 5.23.0, xlstm.
    """
    tokens, stream, width, bias = layer.tokens, layer.stream, float(spec.width), lstm.bias
    heads, value = float(lstm.heads), float(lstm.value_dim)
    keys, values = heads * float(lstm.key_dim), heads * value
    beside = stream + tokens * (2.0 * keys + values)
    rows, weights = layer.over(tokens * heads), values * (2.0 if bias else 1.0)
    return [
        layer.linear("q_proj", width, keys, bias=bias),
        layer.linear("k_proj", width, keys, bias=bias, live=stream + tokens * keys),
        layer.linear("v_proj", width, values, bias=bias, live=stream + 2.0 * tokens * keys),
        layer.linear("output_gate_proj", width, values, bias=bias, live=beside),
        layer.linear("input_gate", width, heads, bias=True, live=beside),
        layer.linear("forget_gate", width, heads, bias=True, live=beside),
        _memory(lstm, layer),
        rows.gated_norm("gated_norm", value, weights, function="sigmoid"),
        layer.linear("o_proj", values, width, bias=bias),
    ]


def _memory(lstm: MatrixLSTM, layer: Sublayer) -> Op:
    """The memory, its normaliser [heads, key_dim] and the largest exponent of each head."""
    span, tokens = layer.span, layer.tokens
    heads, key, value = float(lstm.heads), float(lstm.key_dim), float(lstm.value_dim)
    keys, values = heads * key, heads * value
    shape, read = ScanShape(span, heads, key, value, "mlstm"), 2.0 * keys + values + 2.0 * heads
    core = layer.scan(shape, read=read, write=values, fp32=False, live=layer.stream + tokens * values)
    more = span.batch * (heads * key + heads)
    again = more * where(span.past > 0.0, 1.0, 0.0)
    return core._replace(
        flops=core.flops + 2.0 * tokens * keys,
        state_held=core.state_held + more,
        cache_write=core.cache_write + more,
        cache_read=core.cache_read + again,
    )
