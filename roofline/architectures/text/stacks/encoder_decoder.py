"""Encoder and decoder (T5, BART): the prompt is encoded, and what is generated attends to it.

Prefill encodes the prompt, projects it to keys and values of every decoder layer and decodes the first token; each
further step reads these keys and values, which do not grow, and its own cache, which does.

Source: Vaswani et al. 2017 (arXiv:1706.03762); the model code of T5 and BART in transformers 5.23.0.
"""

from __future__ import annotations

from roofline.architectures.text.layers import block_ops, norm_op, stack_labels
from roofline.architectures.text.stacks.cross import Source, cross_ops
from roofline.architectures.text.stacks.embedding import padded
from roofline.architectures.text.stacks.sound import heard_tokens, sound_ops
from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num
from roofline.specs.text.stacks import SoundInput
from roofline.specs.text.transformer import BlockGroup, TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.run import TextRun
from roofline.workload.shapes import Span
from roofline.workload.workload import Phase, Workload


def encoder_decoder_workload(spec: TransformerSpec, run: TextRun) -> Workload:
    """Prefill of the encoder with one step of the decoder and, where more is generated, further steps.

    An encoder that hears is a phase of its own, and the prompt is the decoder's.
    """
    own = spec.encoder_input
    if own is not None and own.sound is not None:
        return _hearing(spec, own.sound, run)
    prompt, first = Span(run.batch, run.prompt, 0.0), Span(run.batch, 1.0, 0.0)
    ops = [*_encoder_ops(spec, prompt), *_decoder_ops(spec, first, prompt, fresh=True)]
    prefill = Phase("prefill", tuple(ops), 1.0, boundary=ops[-1].write, context=first.mean_past, tokens=prompt.tokens)
    steps = run.steps
    if isinstance(steps, float) and steps == 0:
        return Workload((prefill,))
    span = Span(run.batch, 1.0, 1.0, steps)
    ops = _decoder_ops(spec, span, prompt, fresh=False)
    decode = Phase("decode", tuple(ops), steps, boundary=ops[-1].write, context=span.mean_past, tokens=span.tokens)
    return Workload((prefill, decode))


def whole_ops(spec: TransformerSpec, batch: Num, prompt: Num, tokens: Num) -> list[Op]:
    """The ops of one pass in which the decoder reads so many tokens of each sequence at once, as in training."""
    source, span = Span(batch, prompt, 0.0), Span(batch, tokens, 0.0)
    own = spec.encoder_input
    if own is not None and own.sound is not None:
        seconds = float(own.sound.window or 30)
        source = Span(batch, heard_tokens(own.sound, seconds), 0.0)
        heard = [*sound_ops(encoder_view(spec), own.sound, batch, seconds), *_encoder_layers(spec, source)]
        return [*heard, *_decoder_ops(spec, span, source, fresh=True)]
    return [*_encoder_ops(spec, source), *_decoder_ops(spec, span, source, fresh=True)]


def _hearing(spec: TransformerSpec, sound: SoundInput, run: TextRun) -> Workload:
    """Encoding of the sound, prefill of the decoder's prompt with the keys and values of what was heard, and steps."""
    seconds = run.media.seconds if run.media is not None else float(sound.window or 30)
    source = Span(run.batch, heard_tokens(sound, seconds), 0.0)
    ops = [*sound_ops(encoder_view(spec), sound, run.batch, seconds), *_encoder_layers(spec, source)]
    boundary = ops[0].read + ops[-1].write
    encode = Phase("audio_encode", tuple(ops), 1.0, "encoder", boundary=boundary, tokens=source.tokens)
    first = Span(run.batch, run.prompt, 0.0)
    rows = first.tokens if run.logits == "all" else run.batch
    ops = _decoder_ops(spec, first, source, fresh=True, rows=rows)
    prefill = Phase("prefill", tuple(ops), 1.0, boundary=ops[-1].write, context=first.mean_past, tokens=first.tokens)
    steps = run.steps
    if isinstance(steps, float) and steps == 0:
        return Workload((encode, prefill))
    span = Span(run.batch, 1.0, run.prompt, steps)
    ops = _decoder_ops(spec, span, source, fresh=False)
    decode = Phase("decode", tuple(ops), steps, boundary=ops[-1].write, context=span.mean_past, tokens=span.tokens)
    return Workload((encode, prefill, decode))


def encoder_view(spec: TransformerSpec) -> TransformerSpec:
    """The model with what its encoder has of its own in place of what the decoder has."""
    own = spec.encoder_input
    if own is None:
        return spec
    found = {"width": own.width, "vocabulary": own.vocabulary, "positions": own.positions}
    return spec.model_copy(update={key: value for key, value in found.items() if value is not None})


def _encoder_ops(model: TransformerSpec, prompt: Span) -> list[Op]:
    spec, prompt = encoder_view(model), padded(model, prompt)
    return [*_embedded(spec, prompt, "encoder", held=True), *_encoder_layers(model, prompt)]


def _encoder_layers(model: TransformerSpec, prompt: Span) -> list[Op]:
    spec, ops = encoder_view(model), list[Op]()
    for label, group in zip(stack_labels(spec.encoder), spec.encoder, strict=True):
        ops += block_ops(spec, group, prompt, f"encoder.{label}")
    if spec.final_norm:
        ops.append(norm_op(spec, "encoder_norm", Sublayer("encoder", 1.0, prompt, prompt.tokens)))
    return ops


def _decoder_ops(spec: TransformerSpec, span: Span, prompt: Span, *, fresh: bool, rows: Num | None = None) -> list[Op]:
    """`fresh`: the prompt is projected to keys and values, and an embedding of the decoder's own counts as held.

    The head runs on `rows`, by default on all tokens.
    """
    own = spec.encoder_input
    apart = own is not None and (own.vocabulary is not None or own.sound is not None)
    ops = _embedded(spec, span, "decoder", held=fresh and apart)
    for label, group in zip(stack_labels(spec.blocks), spec.blocks, strict=True):
        ops += _layer_ops(spec, group, span, prompt, f"decoder.{label}", fresh)
    tokens, vocabulary, held = span.tokens, float(spec.vocabulary or 0), not spec.tied_embeddings
    if spec.final_norm:
        ops.append(norm_op(spec, "final_norm", Sublayer("head", 1.0, span, tokens)))
    tokens = tokens if rows is None else rows
    head = make.linear("head", "head", tokens, float(spec.width), vocabulary, bias=spec.head_bias, held=held)
    return [*ops, head]


def _embedded(spec: TransformerSpec, span: Span, where: str, *, held: bool) -> list[Op]:
    """Tokens, positions of each stack's own, and distances in buckets, whose scores all layers of a stack share."""
    tokens, width = span.tokens, float(spec.width)
    table = make.embedding("embedding", "embedding", tokens, float(spec.vocabulary or 0), width)
    ops = [table if held else table._replace(params=0.0, active=0.0)]
    if spec.positions.size is not None:
        size = float(spec.positions.size)
        ops.append(make.embedding(f"{where}_position_embedding", where, span.new, size, width))
    if spec.positions.kind in ("learned", "sinusoidal"):
        ops.append(make.add("position_add", where, tokens, width, shared_rows=span.new))
    if spec.positions.buckets is not None and not spec.positions.per_layer:
        stack = spec.encoder if where == "encoder" else spec.blocks
        heads = float(stack[0].attention.heads) if stack[0].attention is not None else 0.0
        keys = span.new * (span.mean_past + span.new)
        ops.append(make.embedding(f"{where}_distance_bias", where, keys, float(spec.positions.buckets), heads))
    if spec.embedding_norm:
        ops.append(norm_op(spec, f"{where}_embedding_norm", Sublayer(where, 1.0, span, tokens)))
    return ops


def _layer_ops(spec: TransformerSpec, group: BlockGroup, span: Span, prompt: Span, label: str, fresh: bool) -> list[Op]:
    """Attention to what was generated, attention to the prompt, feed-forward; a norm with each, or one on each side."""
    both = group.norms >= 4
    own = group.model_copy(update={"feed_forward": None, "cross_attention": None, "norms": 3 if both else 1})
    last = group.model_copy(update={"attention": None, "cross_attention": None, "norms": 4 if both else 1})
    ops = block_ops(spec, own, span, label)
    if group.cross_attention is not None:
        stream = span.tokens * float(spec.width)
        layer = Sublayer(f"{label}.cross", float(group.layers), span, span.tokens, stream)
        rows = prompt.tokens if fresh else 0.0
        source = Source(prompt.new, float(encoder_view(spec).width), rows, cached=not fresh)
        inner = [*cross_ops(group.cross_attention, float(spec.width), source, layer)]
        inner.append(layer.add("cross_residual", float(spec.width)))
        norm = norm_op(spec, "cross_norm", layer, 0.0)
        if group.norm_placement == "pre":
            ops.append(norm)
        ops += inner
        if both:
            ops.insert(-1, norm_op(spec, "cross_post_norm", layer, layer.tokens * spec.width))
        if group.norm_placement == "post":
            ops.append(norm)
    return [*ops, *block_ops(spec, last, span, label)]
