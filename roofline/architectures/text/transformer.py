"""A transformer spec and a run to phases of ops. Prefill and decode are one function over two spans."""

from __future__ import annotations

from roofline.architectures.text import side_paths, streams
from roofline.architectures.text.feed_forward import feed_forward_ops
from roofline.architectures.text.mixers import mixer_ops
from roofline.architectures.text.reference import reference_spec
from roofline.num import Num, maximum
from roofline.specs.text.transformer import (
    BlockGroup,
    DenseFeedForward,
    ExpertsFeedForward,
    SoftmaxAttention,
    TransformerSpec,
)
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
        from roofline.architectures.text.encoder_decoder import encoder_decoder_workload

        return encoder_decoder_workload(spec, run)
    prefill = _phase("prefill", spec, Span(run.batch, run.prompt, 0.0), 1.0, every)
    steps = 0.0 if encodes_only(spec) else maximum(run.generate - 1.0, 0.0)
    if isinstance(steps, float) and steps == 0:
        return Workload((prefill,))
    span = Span(run.batch, 1.0, run.prompt, steps, absorbed=run.latent == "absorbed")
    return Workload((prefill, _phase("decode", spec, span, steps, every)))


def encodes_only(spec: TransformerSpec) -> bool:
    """Whether the model sees its whole input at once and generates nothing: no head, and no causal layer (BERT)."""
    return not (spec.head or spec.encoder) and all(
        isinstance(group.attention, SoftmaxAttention) and not group.attention.causal for group in spec.blocks
    )


def _phase(name: str, spec: TransformerSpec, span: Span, repeat: Num, every: bool) -> Phase:
    ops = forward_ops(spec, span, all_logits=every)
    head = ops[-1]
    boundary = head.write if spec.head else span.tokens * spec.width
    return Phase(name, tuple(ops), repeat, boundary=boundary, context=span.mean_past, tokens=span.tokens)


def forward_ops(spec: TransformerSpec, span: Span, *, all_logits: bool = False) -> list[Op]:
    """The ops of one forward pass over a span, in order: embedding, blocks, final norm, head."""
    ops = _embedding_ops(spec, span)
    labels = group_labels(spec.blocks)
    aside = spec.per_layer_input is not None or spec.altup is not None or spec.laurel is not None
    if aside:
        ops.extend(side_paths.before_layers(spec, span.tokens))
    for label, group in zip(labels, spec.blocks, strict=True):
        ops.extend(block_ops(spec, group, span, label))
        if aside:
            ops.extend(side_paths.in_layers(spec, group, span.tokens, label))
    if aside:
        ops.extend(side_paths.after_layers(spec, span.tokens))
    rows = span.tokens if all_logits else span.batch
    ops.extend(_head_ops(spec, span, rows))
    return ops


def mtp_ops(spec: TransformerSpec, span: Span) -> list[Op]:
    """The ops of the heads that predict further tokens, which a forward pass leaves out.

    Per layer: norms of the hidden state and of the next token's embedding, a projection of both [t, 2 d] -> [t, d], a
    block, and the norm before the head, which is the model's own, as is the embedding.

    Source: DeepSeek-V3 Technical Report (arXiv:2412.19437), section 2.2.
    """
    if spec.mtp is None:
        return []
    tokens, width, count = span.tokens, float(spec.width), float(spec.mtp.layers)
    return [
        norm_op(spec, "mtp_hidden_norm", "mtp", tokens, count),
        norm_op(spec, "mtp_embedding_norm", "mtp", tokens, count),
        make.linear("mtp_projection", "mtp", tokens, 2.0 * width, width, count=count),
        *block_ops(spec, spec.mtp, span, "mtp"),
        norm_op(spec, "mtp_final_norm", "mtp", tokens, count),
    ]


def mtp_parameters(spec: TransformerSpec) -> float:
    """Parameters of the heads that predict further tokens; no part of the model's own number."""
    return sum(op.count * op.params for op in mtp_ops(spec, Span(1.0, 1.0, 0.0)))


def group_labels(blocks: tuple[BlockGroup, ...]) -> list[str]:
    """A name for each group of layers: its own, else `layers`, numbered where there are several."""
    if len(blocks) == 1:
        return [blocks[0].name or "layers"]
    return [group.name or f"layers.{index}" for index, group in enumerate(blocks)]


def _embedding_ops(spec: TransformerSpec, span: Span) -> list[Op]:
    ops: list[Op] = []
    tokens = span.tokens
    width = float(spec.embedding_width or spec.width)
    if spec.vocabulary is not None:
        ops.append(make.embedding("embedding", "embedding", tokens, float(spec.vocabulary), width))
    if spec.embedding_width is not None:
        ops.append(make.linear("embedding_projection", "embedding", tokens, width, float(spec.width)))
    positions = spec.positions
    if positions.size is not None:
        ops.append(
            make.embedding("position_embedding", "embedding", span.new, float(positions.size), float(spec.width))
        )
    if positions.kind in ("learned", "sinusoidal"):
        ops.append(make.add("position_add", "embedding", tokens, float(spec.width), shared_rows=span.new))
    if spec.token_types is not None:
        ops.append(make.embedding("type_embedding", "embedding", tokens, float(spec.token_types), float(spec.width)))
        ops.append(make.add("type_add", "embedding", tokens, float(spec.width)))
    if spec.embedding_norm:
        ops.append(norm_op(spec, "embedding_norm", "embedding", tokens))
    return ops


def block_ops(spec: TransformerSpec, group: BlockGroup, span: Span, label: str) -> list[Op]:
    """The ops of one group of layers; `count` of each is the number of layers."""
    attention, feed_forward = group.attention, group.feed_forward
    if group.parallel and attention is not None and feed_forward is not None:
        return _parallel_ops(spec, group, attention, feed_forward, span, label)
    tokens, count = span.tokens, float(group.layers)
    stream = tokens * (spec.width * (spec.residual_streams or 1))
    ops: list[Op] = []
    if attention is not None:
        where = f"{label}.attention"
        inner = mixer_ops(spec, attention, span, where, count, stream)
        ops += _sublayer(spec, group, "attention", where, inner, tokens, group.norms >= 1, group.norms >= 3)
    if feed_forward is not None:
        where = f"{label}.feed_forward"
        inner = feed_forward_ops(spec, feed_forward, tokens, where, count, stream)
        own = group.norms >= (1 if attention is None else 2)
        for index in range(4, group.norms):
            inner.append(norm_op(spec, f"feed_forward_norm_{index - 2}", where, tokens, count, live=stream))
        ops += _sublayer(spec, group, "feed_forward", where, inner, tokens, own, group.norms >= 4)
    return ops


def _sublayer(
    spec: TransformerSpec, group: BlockGroup, name: str, where: str, inner: list[Op], tokens: Num,
    normed: bool, output_normed: bool,
) -> list[Op]:  # fmt: skip
    """One sublayer f: x + f(norm(x)), or norm(x + f(x)) where the group places its norms behind the sum.

    `output_normed` adds a norm of f's output, before the sum. With several residual streams f reads their weighted sum.
    """
    count, place = float(group.layers), group.norm_placement
    ops: list[Op] = []
    if spec.residual_streams is not None:
        ops += streams.collapse_ops(name, where, tokens, float(spec.width), float(spec.residual_streams), count)
    if normed and place == "pre":
        ops.append(norm_op(spec, f"{name}_norm", where, tokens, count))
    ops += inner
    if output_normed or (normed and place == "output"):
        ops.append(norm_op(spec, f"{name}_post_norm", where, tokens, count, live=tokens * spec.width))
    if spec.residual_streams is None:
        ops.append(make.add(f"{name}_residual", where, tokens, float(spec.width), count=count))
    else:
        ops.append(streams.mix_op(name, where, tokens, float(spec.width), float(spec.residual_streams), count))
    if normed and place == "post":
        ops.append(norm_op(spec, f"{name}_norm", where, tokens, count))
    return ops


def _parallel_ops(
    spec: TransformerSpec, group: BlockGroup, attention: SoftmaxAttention,
    feed_forward: DenseFeedForward | ExpertsFeedForward, span: Span, label: str,
) -> list[Op]:  # fmt: skip
    """Attention f and feed-forward g side by side: x + f(norm(x)) + g(norm(x)).

    With one norm both read the same normed input, which then stays in memory beside x while the attention runs; the
    attention's output stays while the feed-forward runs.
    """
    tokens, width, count = span.tokens, float(spec.width), float(group.layers)
    stream, where_a, where_f = tokens * width, f"{label}.attention", f"{label}.feed_forward"
    ops: list[Op] = []
    if group.norms >= 1:
        ops.append(norm_op(spec, "attention_norm", where_a, tokens, count))
    shared = stream + stream if group.norms == 1 else stream
    ops += mixer_ops(spec, attention, span, where_a, count, shared)
    if group.norms >= 2:
        ops.append(norm_op(spec, "feed_forward_norm", where_f, tokens, count, live=stream))
    ops += feed_forward_ops(spec, feed_forward, tokens, where_f, count, stream + stream)
    ops.append(make.add("attention_residual", where_f, tokens, width, count=count))
    ops.append(make.add("feed_forward_residual", where_f, tokens, width, count=count))
    return ops


def norm_op(spec: TransformerSpec, name: str, block: str, tokens: Num, count: float = 1.0, live: Num = 0.0) -> Op:
    """A norm of rows over the model width."""
    norm, width = spec.norm, float(spec.width)
    return make.norm(
        name, block, tokens, width, style=norm.kind, weight=norm.weight, bias=norm.bias, count=count, live=live
    )


def _head_ops(spec: TransformerSpec, span: Span, rows: Num) -> list[Op]:
    ops: list[Op] = []
    if spec.residual_streams is not None:
        ops += streams.head_ops(span.tokens, float(spec.width), float(spec.residual_streams))
    if spec.final_norm:
        ops.append(norm_op(spec, "final_norm", "head", span.tokens))
    if spec.pooler:
        ops.append(make.linear("pooler", "head", span.batch, float(spec.width), float(spec.width), bias=True))
    if spec.embedding_width is not None and spec.head:
        ops.append(make.linear("head_projection", "head", span.tokens, float(spec.width), float(spec.embedding_width)))
    if spec.head and spec.vocabulary is not None:
        width = float(spec.embedding_width or spec.width)
        held = not spec.tied_embeddings
        head = make.linear("head", "head", rows, width, float(spec.vocabulary), bias=spec.head_bias, held=held)
        if spec.head_bias and not held:
            head = head._replace(params=float(spec.vocabulary), active=float(spec.vocabulary))
        ops.append(head)
    return ops
