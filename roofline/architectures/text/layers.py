"""A group of layers: attention and feed-forward, each with its norms and its residual."""

from __future__ import annotations

from typing import Any

from roofline.architectures.text import streams
from roofline.architectures.text.feed_forward import feed_forward_ops
from roofline.architectures.text.mixers import mixer_ops
from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num, is_nothing, maximum, where
from roofline.specs.text.transformer import BlockGroup, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def block_ops(spec: TransformerSpec, group: BlockGroup, span: Span, label: str) -> list[Op]:
    """The ops of one group of layers; `count` of each is the number of layers.

    Layers that are those of an earlier group once more read its weights and hold none.
    """
    if getattr(group.attention, "kind", "") == "cross":
        return _where_seen(spec, group, span, label)
    return _group_ops(spec, group, span, label)


def _where_seen(spec: TransformerSpec, group: BlockGroup, span: Span, label: str) -> list[Op]:
    """Layers that attend to pictures: passed over where there are none, which leaves what they hold in memory.

    At points of a grid without pictures they are run 0 times.
    """
    ops = _group_ops(spec, group, span._replace(media=maximum(span.media, 1.0)), label)
    if isinstance(span.media, float) and span.media:
        return ops
    held = [Op(op.name, op.kind, op.block, op.count, params=op.params, kernels=0.0) for op in ops if op.params]
    if is_nothing(span.media):
        return held
    some: Any = where(span.media > 0.0, 1.0, 0.0)  # executions of a grid's points differ
    return held + [op._replace(count=op.count * some, params=0.0, active=0.0) for op in ops]


def _group_ops(spec: TransformerSpec, group: BlockGroup, span: Span, label: str) -> list[Op]:
    tokens, layers = span.tokens, float(group.layers)
    stream = tokens * (spec.width * (spec.residual_streams or 1))
    attention = Sublayer(f"{label}.attention", layers, span, tokens, stream)
    feed_forward = Sublayer(f"{label}.feed_forward", layers, span, tokens, stream)
    if group.parallel and group.attention is not None and group.feed_forward is not None:
        return _parallel_ops(spec, group, attention, feed_forward)
    ops = _sequence_ops(spec, group, attention, feed_forward)
    if group.scales:
        ops.append(_scales_op(float(group.scales), attention))
    return ops if group.held else [op._replace(params=0.0, active=0.0) for op in ops]


def _scales_op(scales: float, layer: Sublayer) -> Op:
    """Learned factors, so many per token: each a product."""
    return layer.pointwise("scales", scales, reads=1.0, each=1.0, params=scales)


def _sequence_ops(spec: TransformerSpec, group: BlockGroup, attention: Sublayer, feed_forward: Sublayer) -> list[Op]:
    """Attention, then feed-forward, each where there is one."""
    ops: list[Op] = []
    if group.attention is not None:
        inner = mixer_ops(spec, group.attention, attention)
        own, after = group.norms >= 1 and group.attention_norm, group.norms >= 3
        ops += _sublayer_ops(spec, group, "attention", attention, inner, normed=own, output_normed=after)
    if group.feed_forward is not None:
        inner = feed_forward_ops(spec, group.feed_forward, feed_forward)
        for index in range(4, group.norms):
            inner.append(norm_op(spec, f"feed_forward_norm_{index - 2}", feed_forward))
        own, after = group.norms >= (2 if group.attention is not None and group.attention_norm else 1), group.norms >= 4
        ops += _sublayer_ops(spec, group, "feed_forward", feed_forward, inner, normed=own, output_normed=after)
    return ops


def _sublayer_ops(
    spec: TransformerSpec,
    group: BlockGroup,
    name: str,
    layer: Sublayer,
    inner: list[Op],
    *,
    normed: bool,
    output_normed: bool,
) -> list[Op]:
    """One sublayer f: x + f(norm(x)), or norm(x + f(x)) where the group places its norms behind the sum.

    `output_normed` adds a norm of f's output, before the sum. With several residual streams f reads their weighted sum.
    """
    place, width = group.norm_placement, float(spec.width)
    ops: list[Op] = []
    if spec.residual_streams is not None:
        ops += streams.collapse_ops(name, width, float(spec.residual_streams), layer, mixed=spec.streams_mix)
    if normed and place == "pre":
        ops.append(norm_op(spec, f"{name}_norm", layer, 0.0))
        if group.norm_gates > (name == "feed_forward"):
            ops += _norm_gate_ops(f"{name}_norm_gate", width, float(group.norm_gate_rank), layer)
    ops += inner
    if group.gated_residuals:
        ops.append(layer.pointwise(f"{name}_gate", width, reads=1.0, each=1.0, params=1.0))
    if output_normed or (normed and place == "output"):
        ops.append(norm_op(spec, f"{name}_post_norm", layer, layer.tokens * spec.width))
    if spec.residual_streams is None:
        ops.append(layer.add(f"{name}_residual", width))
    else:
        ops.append(streams.mix_op(name, width, float(spec.residual_streams), layer, mixed=spec.streams_mix))
    if normed and place == "post":
        ops.append(norm_op(spec, f"{name}_norm", layer, 0.0))
    return ops


def _norm_gate_ops(name: str, width: float, rank: float, layer: Sublayer) -> list[Op]:
    """A normed input y times the sigmoid of up(silu(down(y))).

    Source: transformers 5.24.0, axk2.
    """
    return [
        layer.linear(f"{name}_down", width, rank),
        layer.activate(f"{name}_activation", rank, function="silu"),
        layer.linear(f"{name}_up", rank, width),
        layer.pointwise(name, width, reads=2.0, each=4.0),
    ]


def _parallel_ops(spec: TransformerSpec, group: BlockGroup, attention: Sublayer, feed_forward: Sublayer) -> list[Op]:
    """Attention f and feed-forward g side by side: x + f(norm(x)) + g(norm(x)).

    With one norm both read the same normed input, which then stays in memory beside x while the attention runs; the
    attention's output stays while the feed-forward runs.
    """
    width = float(spec.width)
    stream = attention.tokens * width
    ops: list[Op] = []
    if group.norms >= 1:
        ops.append(norm_op(spec, "attention_norm", attention, 0.0))
    shared = stream + stream if group.norms == 1 else stream
    ops += mixer_ops(spec, group.attention, attention.beside(shared))
    if group.norms >= 2:
        ops.append(norm_op(spec, "feed_forward_norm", feed_forward, stream))
    if group.feed_forward is not None:
        ops += feed_forward_ops(spec, group.feed_forward, feed_forward.beside(stream + stream))
    return [*ops, feed_forward.add("attention_residual", width), feed_forward.add("feed_forward_residual", width)]


def norm_op(spec: TransformerSpec, name: str, layer: Sublayer, live: Num | None = None) -> Op:
    """A norm of rows over the model width."""
    norm = spec.norm
    return make.norm(
        name,
        layer.block,
        layer.tokens,
        float(spec.width),
        style=norm.kind,
        weight=norm.weight,
        bias=norm.bias,
        count=layer.layers,
        live=layer.stream if live is None else live,
    )


def stack_labels(groups: tuple[BlockGroup, ...]) -> list[str]:
    """A name for each group of layers of an encoder, or of the decoder behind it: its own, else its number."""
    return [group.name or str(index) for index, group in enumerate(groups)]


def group_labels(blocks: tuple[BlockGroup, ...]) -> list[str]:
    """A name for each group of layers: its own, else `layers`, numbered where there are several."""
    if len(blocks) == 1:
        return [blocks[0].name or "layers"]
    return [group.name or f"layers.{index}" for index, group in enumerate(blocks)]
