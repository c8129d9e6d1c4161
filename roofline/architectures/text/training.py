"""One pass of a language model as it is trained: all tokens at once, logits of all, nothing cached."""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.architectures.text.transformer import encodes_only, forward_ops, uncached
from roofline.num import Num
from roofline.specs.text.feed_forward import DenseFeedForward
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def training_ops(spec: TransformerSpec, batch: Num, sequence: Num, decoder: Num = 0.0) -> tuple[Op, ...]:
    """The ops of one forward pass over `batch` sequences, in order, at one kernel per operation.

    A model with an encoder reads `sequence` tokens there and `decoder` tokens in its decoder. An encoder alone has the
    head that says which words were masked.
    """
    if spec.encoder:
        from roofline.architectures.text.stacks.encoder_decoder import whole_ops

        return tuple(map(uncached, whole_ops(spec, batch, sequence, decoder)))
    span = Span(batch, sequence, 0.0, reads_media=True)
    ops = list(map(uncached, forward_ops(spec, span, rows=span.tokens)))
    if fills_masks(spec):
        ops = [op for op in ops if op.name != "pooler"] + _masked_head(spec, span)
    return tuple(ops)


def fills_masks(spec: TransformerSpec) -> bool:
    """Whether a model is trained to say which words were masked: an encoder without another head."""
    return encodes_only(spec) and not spec.head and spec.classifier is None and spec.vocabulary is not None


def _masked_head(spec: TransformerSpec, span: Span) -> list[Op]:
    """A matrix [d, d], its activation, a norm, and logits by the table of words, with a bias.

    Source: transformers 5.24.0, BertLMPredictionHead; RoBERTa's is alike.
    """
    width, head = float(spec.width), Sublayer("head", 1.0, span, span.tokens)
    inner = spec.blocks[0].feed_forward
    function = inner.activation if isinstance(inner, DenseFeedForward) else "gelu"
    vocabulary = float(spec.vocabulary or 0)
    logits = make.linear("head", "head", span.tokens, width, vocabulary, bias=True, held=False)
    return [
        head.linear("masked_transform", width, width, bias=True),
        head.activate("masked_activation", width, function=function),
        head.norm("masked_norm", width, style=spec.norm.kind, bias=spec.norm.bias),
        logits._replace(params=vocabulary, active=vocabulary),
    ]
