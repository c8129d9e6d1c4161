"""A transformer spec and a run to phases of ops. Prefill and decode are one function over two spans."""

from __future__ import annotations

from roofline.architectures.text import side_paths, streams
from roofline.architectures.text.layers import block_ops, group_labels, norm_op
from roofline.architectures.text.reference import reference_spec
from roofline.architectures.text.stacks.embedding import convolution_ops, embedding_ops, padded
from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num
from roofline.specs.text.heads import Classifier
from roofline.specs.text.transformer import SoftmaxAttention, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.run import TextRun
from roofline.workload.shapes import Span
from roofline.workload.workload import Phase, Workload


def transformer_workload(spec: TransformerSpec, run: TextRun) -> Workload:
    """Prefill of the whole batch and, where more than one token is generated, decode steps."""
    every = run.logits == "all"
    if run.work == "reference":
        spec = reference_spec(spec)
    if spec.encoder:
        from roofline.architectures.text.stacks.encoder_decoder import encoder_decoder_workload

        return encoder_decoder_workload(spec, run)
    media = run.media.attended if run.media is not None else 0.0
    whole = Span(run.batch, run.prompt, run.past, run.passes, piece=run.piece, media=media, reads_media=True)
    prefill = _phase("prefill", spec, whole, 1.0, every)
    steps = 0.0 if encodes_only(spec) else run.steps
    if isinstance(steps, float) and steps == 0:
        return Workload((prefill,))
    span = Span(run.batch, 1.0, run.prompt, steps, absorbed=run.latent == "absorbed", media=media)
    return Workload((prefill, _phase("decode", spec, span, steps, every)))


def encodes_only(spec: TransformerSpec) -> bool:
    """Whether the model sees its whole input at once and generates nothing: it says so, or it has no head and no causal
    layer (BERT).
    """
    if not spec.generates:
        return True
    return not (spec.head or spec.encoder or spec.eagle) and all(
        isinstance(group.attention, SoftmaxAttention) and not group.attention.causal for group in spec.blocks
    )


def _phase(name: str, spec: TransformerSpec, span: Span, repeat: Num, every: bool) -> Phase:
    last = span.batch if name == "decode" else span.batch / span.steps
    ops = forward_ops(spec, span, rows=span.tokens if every else last)
    if not spec.generates:
        ops = [uncached(op) for op in ops]
    head = ops[-1]
    boundary = head.write if spec.head else span.tokens * spec.width
    return Phase(name, tuple(ops), repeat, boundary=boundary, context=span.mean_past, tokens=span.tokens)


def forward_ops(spec: TransformerSpec, span: Span, *, rows: Num | None = None) -> list[Op]:
    """The ops of one forward pass over a span, in order: embedding, blocks, final norm, head on so many `rows`.

    Without a number they are one per sequence.
    """
    span = padded(spec, span)
    tokens = span.tokens
    embedding, head = Sublayer("embedding", 1.0, span, tokens), Sublayer("head", 1.0, span, tokens)
    ops = embedding_ops(spec, embedding)
    aside = spec.per_layer_input is not None or spec.altup is not None or spec.laurel is not None
    if aside:
        ops.extend(side_paths.before_layers(spec, embedding))
    for label, group in zip(group_labels(spec.blocks), spec.blocks, strict=True):
        ops.extend(block_ops(spec, group, span, label))
        if aside:
            ops.extend(side_paths.in_layers(spec, group, span, label))
    if aside:
        ops.extend(side_paths.after_layers(spec, head))
    ops.extend(convolution_ops(spec, Sublayer("convolution", 1.0, span, tokens, tokens * float(spec.width))))
    ops.extend(_head_ops(spec, head, span.batch if rows is None else rows))
    return ops


def mtp_ops(spec: TransformerSpec, span: Span) -> list[Op]:
    """The ops of the heads that predict further tokens, which a forward pass leaves out.

    Per layer: norms of the hidden state and of the next token's embedding, a projection of both [t, 2 d] -> [t, d], a
    block, and the norm before the head, which is the model's own, as is the embedding.

    Source: DeepSeek-V3 Technical Report (arXiv:2412.19437), section 2.2.
    """
    if spec.mtp is None:
        return []
    width, mtp = float(spec.width), Sublayer("mtp", float(spec.mtp.layers), span, span.tokens)
    return [
        norm_op(spec, "mtp_hidden_norm", mtp),
        norm_op(spec, "mtp_embedding_norm", mtp),
        mtp.linear("mtp_projection", 2.0 * width, width),
        *block_ops(spec, spec.mtp, span, "mtp"),
        norm_op(spec, "mtp_final_norm", mtp),
    ]


def mtp_parameters(spec: TransformerSpec) -> float:
    """Parameters of the heads that predict further tokens; no part of the model's own number."""
    return sum(op.count * op.params for op in mtp_ops(spec, Span(1.0, 1.0, 0.0)))


def _head_ops(spec: TransformerSpec, head: Sublayer, rows: Num) -> list[Op]:
    """What stands behind the last layer; the head itself runs on so many `rows`."""
    ops: list[Op] = []
    width = float(spec.width)
    inner = float(spec.embedding_width or width)
    if spec.residual_streams is not None:
        ops += streams.head_ops(width, float(spec.residual_streams), head)
    if spec.final_norm:
        ops.append(norm_op(spec, "final_norm", head))
    if spec.pooler:
        ops.append(head.over(head.span.batch).linear("pooler", width, width, bias=True))
    if spec.embedding_width is not None and spec.head:
        ops.append(head.linear("head_projection", width, inner))
    if spec.head and spec.vocabulary is not None:
        ops.append(_head_op(spec, rows, inner, float(spec.logits)))
    if spec.classifier is not None:
        ops.extend(_classifier_ops(spec.classifier, width, head))
    return ops


def _head_op(spec: TransformerSpec, rows: Num, width: float, vocabulary: float) -> Op:
    """The logits [rows, vocabulary]; tied to the embedding, the head holds its bias alone."""
    held = not spec.tied_embeddings
    op = make.linear("head", "head", rows, width, vocabulary, bias=spec.head_bias, held=held)
    return op._replace(params=vocabulary, active=vocabulary) if spec.head_bias and not held else op


def _classifier_ops(classifier: Classifier, width: float, head: Sublayer) -> list[Op]:
    """Scores [rows, labels] of the last hidden states [rows, width]; rows are tokens, or one per sequence.

    Source: transformers 5.24.0, `GenericForSequenceClassification`, which scores every token and then chooses one.
    """
    rows = head if classifier.each == "token" else head.over(head.span.batch)
    ops, inner = [], width
    if classifier.inner is not None:
        inner = float(classifier.inner)
        ops.append(rows.linear("classifier_inner", width, inner, bias=True))
        ops.append(rows.activate("classifier_activation", inner, function=classifier.activation))
    return [*ops, rows.linear("classifier", inner, float(classifier.labels), bias=classifier.bias)]


def uncached(op: Op) -> Op:
    """An op of a layer that only encodes: no key, value or state outlives it."""
    if op.row is None and op.state_held == 0.0 and op.state_held_fp32 == 0.0:
        return op._replace(cache_write=0.0, cache_held=0.0, cache_grows=0.0)
    return op._replace(
        cache_read=0.0,
        cache_write=0.0,
        cache_held=0.0,
        cache_grows=0.0,
        row=None,
        state_held=0.0,
        state_held_fp32=0.0,
        state_moved_fp32=0.0,
    )
