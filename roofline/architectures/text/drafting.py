"""What drafts tokens for a model to verify: layers of its own (MTP), an EAGLE head, or a smaller model."""

from __future__ import annotations

from roofline.architectures.text.attention import attention_ops
from roofline.architectures.text.feed_forward import feed_forward_ops
from roofline.architectures.text.layers import block_ops, norm_op
from roofline.architectures.text.sublayer import Sublayer
from roofline.architectures.text.transformer import forward_ops, mtp_ops
from roofline.num import Num
from roofline.specs.text.heads import Eagle
from roofline.specs.text.transformer import BlockGroup, SoftmaxAttention, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def draft_ops(spec: TransformerSpec, span: Span, *, mtp: bool = False) -> list[Op]:
    """The ops of one step of a draft over a span: of the model's own MTP layers, an EAGLE head, or a whole model.

    A table or a head that is the drafted model's is read, and held by that.
    """
    if mtp:
        return [_embedding(spec, span, held=False), *mtp_ops(spec, span), _head(spec, span, None)]
    if spec.eagle is not None:
        return _eagle_ops(spec, spec.eagle, span)
    return forward_ops(spec, span)


def draft_parameters(spec: TransformerSpec, *, mtp: bool = False) -> float:
    """Parameters that a draft holds beside those of the model that it drafts for."""
    return sum(op.count * op.params for op in draft_ops(spec, Span(1.0, 1.0, 0.0), mtp=mtp))


def _embedding(spec: TransformerSpec, span: Span, *, held: bool) -> Op:
    table = make.embedding("embedding", "embedding", span.tokens, float(spec.vocabulary or 0), float(spec.width))
    return table if held else table._replace(params=0.0, active=0.0)


def _head(spec: TransformerSpec, span: Span, own: int | None) -> Op:
    """The logits of each sequence's last token, of a head of its own or the model's."""
    vocabulary = float(own or spec.vocabulary or 0)
    return make.linear("head", "head", span.batch, float(spec.width), vocabulary, held=own is not None)


def _eagle_ops(spec: TransformerSpec, eagle: Eagle, span: Span) -> list[Op]:
    """The projection of what the model computed, the layers, and the head."""
    width, tokens = float(spec.width), span.tokens
    layer = Sublayer("eagle", 1.0, span, tokens, tokens * width)
    taken = float(eagle.features * eagle.target_width) + (width if eagle.version == 1 else 0.0)
    ops = [_embedding(spec, span, held=eagle.own_embedding)]
    if eagle.projection_norm:
        ops.append(layer.norm("eagle_projection_norm", taken))
    ops.append(layer.linear("eagle_projection", taken, width, bias=eagle.projection_bias))
    for index, group in enumerate(spec.blocks):
        ops += _layers(spec, eagle, group, span, index)
    if eagle.last_norm:
        ops.append(norm_op(spec, "final_norm", Sublayer("head", 1.0, span, tokens)))
    return [*ops, _head(spec, span, eagle.head_vocabulary)]


def _layers(spec: TransformerSpec, eagle: Eagle, group: BlockGroup, span: Span, index: int) -> list[Op]:
    """A group of layers, of which the very first reads the embedding as well, or has one norm less."""
    label = f"eagle.{index}"
    if index or not isinstance(group.attention, SoftmaxAttention):
        return block_ops(spec, group, span, label)
    first = _first_layer(spec, eagle, group, group.attention, span)
    if group.layers == 1:
        return first
    others = group.model_copy(update={"layers": group.layers - 1})
    return [*first, *block_ops(spec, others, span, label)]


def _first_layer(
    spec: TransformerSpec, eagle: Eagle, group: BlockGroup, attention: SoftmaxAttention, span: Span
) -> list[Op]:
    """Attention to what was drafted, and a feed-forward.

    Version 3: queries, keys and values are projected from 2 d elements, embedding and hidden state, each normed.
    """
    tokens, width = span.tokens, float(spec.width)
    stream: Num = tokens * width
    layer = Sublayer("eagle.first.attention", 1.0, span, tokens, stream)
    below = Sublayer("eagle.first.feed_forward", 1.0, span, tokens, stream)
    ops: list[Op] = []
    if eagle.first_norm:
        ops.append(norm_op(spec, "attention_norm", layer))
    inputs = spec
    if eagle.version == 3:
        ops.append(norm_op(spec, "eagle_hidden_norm", layer))
        inputs = spec.model_copy(update={"width": 2 * spec.width})
    *inner, _ = attention_ops(inputs, attention, layer)
    values = float(attention.heads * (attention.value_dim or attention.head_dim))
    ops += [*inner, layer.linear("o_proj", values, width, bias=attention.output_bias)]
    ops += [layer.add("attention_residual", width), norm_op(spec, "feed_forward_norm", below)]
    if group.feed_forward is not None:
        ops += feed_forward_ops(spec, group.feed_forward, below)
    return [*ops, below.add("feed_forward_residual", width)]
