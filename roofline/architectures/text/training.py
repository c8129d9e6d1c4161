"""One pass of a language model as it is trained: all tokens at once, logits of all, nothing cached."""

from __future__ import annotations

from roofline.architectures.text.transformer import forward_ops, uncached
from roofline.num import Num
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def training_ops(spec: TransformerSpec, batch: Num, sequence: Num, decoder: Num = 0.0) -> tuple[Op, ...]:
    """The ops of one forward pass over `batch` sequences, in order, at one kernel per operation.

    A model with an encoder reads `sequence` tokens there and `decoder` tokens in its decoder.
    """
    if spec.encoder:
        from roofline.architectures.text.stacks.encoder_decoder import whole_ops

        return tuple(map(uncached, whole_ops(spec, batch, sequence, decoder)))
    span = Span(batch, sequence, 0.0, reads_media=True)
    return tuple(map(uncached, forward_ops(spec, span, rows=span.tokens)))
