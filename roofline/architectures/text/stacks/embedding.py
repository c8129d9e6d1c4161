"""What stands before the first layer: tokens, positions, types of tokens, distances and their norms."""

from __future__ import annotations

from roofline.architectures.text.layers import norm_op
from roofline.architectures.text.stacks.patterns import whole_blocks
from roofline.architectures.text.sublayer import Sublayer
from roofline.num import ceil
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def embedding_ops(spec: TransformerSpec, embedding: Sublayer) -> list[Op]:
    """Rows of the tables, their sum, its norm, and where the tables are narrower a projection to the model's width.

    That stands behind the rows of the tokens alone (OPT), behind their sum with others (DeBERTa), or behind the norm of
    that (ALBERT, ELECTRA).
    """
    ops: list[Op] = []
    block, tokens, new, positions = embedding.block, embedding.tokens, embedding.span.new, spec.positions
    inner, width = float(spec.embedding_width or spec.width), float(spec.width)
    projected = spec.embedding_projected if spec.embedding_width is not None else None
    projection = embedding.linear("embedding_projection", inner, width, bias=spec.embedding_bias)
    if spec.vocabulary is not None:
        rows = float(spec.embedding_rows or spec.vocabulary)
        ops.append(make.embedding("embedding", block, tokens, rows, inner))
    if projected == "tokens":
        ops.append(projection)
        inner = width
    if positions.size is not None:
        ops.append(make.embedding("position_embedding", block, new, float(positions.size), inner))
    if positions.kind in ("learned", "sinusoidal"):
        ops.append(make.add("position_add", block, tokens, inner, shared_rows=new))
    if spec.token_types is not None:
        ops.append(make.embedding("type_embedding", block, tokens, float(spec.token_types), inner))
        ops.append(embedding.add("type_add", inner))
    if projected == "sum":
        ops.append(projection)
        inner = width
    if spec.embedding_norm:
        norm = spec.norm
        ops.append(embedding.norm("embedding_norm", inner, style=norm.kind, weight=norm.weight, bias=norm.bias))
    if projected == "normed":
        ops.append(projection)
    return [*ops, *distance_ops(spec, embedding)]


def padded(spec: TransformerSpec, span: Span) -> Span:
    """The tokens that an encoder runs: those of the span, and what fills them up to a whole multiple."""
    pattern = getattr(spec.blocks[0].attention, "pattern", None)
    if pattern is not None:
        return span._replace(new=whole_blocks(pattern, span.new))
    if spec.multiple_of is None:
        return span
    return span._replace(new=ceil(span.new / spec.multiple_of) * float(spec.multiple_of))


def distance_ops(spec: TransformerSpec, embedding: Sublayer) -> list[Op]:
    """Scores of distances that all layers share, or the table of distances that every layer projects."""
    span, positions, found = embedding.span, spec.positions, positions_rows(spec)
    ops: list[Op] = []
    if positions.buckets is not None and not positions.per_layer:
        pairs, heads = span.new * (span.mean_past + span.new), _heads(spec)
        ops.append(make.embedding("distance_bias", embedding.block, pairs, float(positions.buckets), heads))
    if positions.disentangled is not None:
        rows = embedding.over(found)
        ops.append(make.embedding("distance_embedding", embedding.block, found, found, float(spec.width)))
        if positions.disentangled.norm:
            ops.append(norm_op(spec, "distance_norm", rows))
    return ops


def positions_rows(spec: TransformerSpec) -> float:
    """Rows of the table of distances: both directions."""
    return 2.0 * spec.positions.disentangled.span if spec.positions.disentangled is not None else 0.0


def _heads(spec: TransformerSpec) -> float:
    return float(next((group.attention.heads for group in spec.blocks if group.attention is not None), 0))


def convolution_ops(spec: TransformerSpec, span_layer: Sublayer) -> list[Op]:
    """A convolution over `k` tokens of what was embedded, beside the first layer: a product [t, k d] @ [k d, d].

    Source: He et al. 2020 (arXiv:2006.03654), appendix; transformers 5.24.0, deberta_v2.
    """
    if spec.convolution is None:
        return []
    width, taps = float(spec.width), float(spec.convolution)
    product = span_layer.linear("token_convolution", taps * width, width, bias=True)
    return [
        product._replace(read=span_layer.tokens * width),
        span_layer.activate("token_convolution_activation", width, function="gelu"),
        span_layer.add("token_convolution_add", width),
        norm_op(spec, "token_convolution_norm", span_layer),
    ]
