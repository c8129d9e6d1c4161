"""The forward pass of a training step: labels for every token, and for encoders the head that they are trained with."""

from __future__ import annotations

from collections.abc import Sequence

from roofline.architectures.text.stacks.encoder_decoder import teacher_forced_ops
from roofline.architectures.text.transformer import encodes_only, forward_ops
from roofline.errors import UnsupportedError
from roofline.num import Num
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import RowShape, Span


def training_ops(spec: TransformerSpec, batch: Num, sequence: Num, decoder: Num | None = None) -> tuple[Op, ...]:
    """The ops of one forward pass over `batch` sequences of `sequence` tokens, the head on all of them.

    Of an encoder and a decoder `sequence` tokens are encoded and `decoder` decoded, by default as many. Encoders
    without a head get that of masked language modelling. Raises UnsupportedError where the encoder reads no tokens.
    """
    whole = Span(batch, sequence, 0.0)
    if spec.encoder:
        if spec.encoder_input is not None and spec.encoder_input.sound is not None:
            raise UnsupportedError(f"{spec.name}: training of a model that hears is not modelled")
        return tuple(teacher_forced_ops(spec, whole, whole._replace(new=sequence if decoder is None else decoder)))
    ops = forward_ops(spec, whole, rows=whole.tokens)
    return masked_head(spec, ops) if encodes_only(spec) else tuple(ops)


def masked_head(spec: TransformerSpec, ops: Sequence[Op]) -> tuple[Op, ...]:
    """The ops of an encoder with the head of masked language modelling, and without its pooler; others as they are.

    h [t, d] @ w [d, e], an activation, a norm, @ the embedding's table [e, V] with a bias of its own.

    Source: Devlin et al. 2019 (arXiv:1810.04805), section 3.1; transformers 5.24.0, `BertLMPredictionHead`.
    """
    if spec.head or spec.encoder or spec.classifier is not None or spec.vocabulary is None:
        return tuple(ops)
    body = [op for op in ops if op.name != "pooler"]
    tokens = next(op.shape.rows for op in body if isinstance(op.shape, RowShape))
    width, inner = float(spec.width), float(spec.embedding_width or spec.width)
    vocabulary, norm = float(spec.vocabulary), spec.norm
    head = make.linear("head", "head", tokens, inner, vocabulary, bias=True, held=False)
    return (
        *body,
        make.linear("head_transform", "head", tokens, width, inner, bias=True),
        make.activate("head_activation", "head", tokens, inner, function="gelu", gated=False),
        make.norm("head_norm", "head", tokens, inner, style=norm.kind, weight=norm.weight, bias=norm.bias),
        head._replace(params=vocabulary, active=vocabulary),
    )
