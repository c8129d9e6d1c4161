"""A group of layers: attention and feed-forward, each with its norms and its residual."""

from __future__ import annotations

from roofline.architectures.text import streams
from roofline.architectures.text.feed_forward import feed_forward_ops
from roofline.architectures.text.mixers import mixer_ops
from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num
from roofline.specs.text.transformer import BlockGroup, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def block_ops(spec: TransformerSpec, group: BlockGroup, span: Span, label: str) -> list[Op]:
    """The ops of one group of layers; `count` of each is the number of layers."""
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
        own, after = group.norms >= 1, group.norms >= 3
        ops += _sublayer_ops(spec, group, "attention", attention, inner, normed=own, output_normed=after)
    if group.feed_forward is not None:
        inner = feed_forward_ops(spec, group.feed_forward, feed_forward)
        for index in range(4, group.norms):
            inner.append(norm_op(spec, f"feed_forward_norm_{index - 2}", feed_forward))
        own, after = group.norms >= (1 if group.attention is None else 2), group.norms >= 4
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
        ops += streams.collapse_ops(name, width, float(spec.residual_streams), layer)
    if normed and place == "pre":
        ops.append(norm_op(spec, f"{name}_norm", layer, 0.0))
    ops += inner
    if output_normed or (normed and place == "output"):
        ops.append(norm_op(spec, f"{name}_post_norm", layer, layer.tokens * spec.width))
    if spec.residual_streams is None:
        ops.append(layer.add(f"{name}_residual", width))
    else:
        ops.append(streams.mix_op(name, width, float(spec.residual_streams), layer))
    if normed and place == "post":
        ops.append(norm_op(spec, f"{name}_norm", layer, 0.0))
    return ops


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
