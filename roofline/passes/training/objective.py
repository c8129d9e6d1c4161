"""What a model that only encodes is trained with: a head that predicts tokens that were masked."""

from __future__ import annotations

from collections.abc import Sequence

from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import RowShape


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
    vocabulary = float(spec.vocabulary)
    norm = spec.norm
    head = make.linear("head", "head", tokens, inner, vocabulary, bias=True, held=False)
    return (
        *body,
        make.linear("head_transform", "head", tokens, width, inner, bias=True),
        make.activate("head_activation", "head", tokens, inner, function="gelu", gated=False),
        make.norm("head_norm", "head", tokens, inner, style=norm.kind, weight=norm.weight, bias=norm.bias),
        head._replace(params=vocabulary, active=vocabulary),
    )
