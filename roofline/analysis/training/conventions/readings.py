"""The published ways of counting, each as terms of a model; and of which models each can say nothing."""

from __future__ import annotations

from collections.abc import Iterator

from roofline.analysis.training.conventions.terms import STEP, TERMS, Core, Counted, Term, Terms

#: A multiply-add is two FLOPs, and a step three passes: FLOPs per token of a weight.
EACH = 2.0 * STEP
#: FLOPs of a softmax per score that Hoffmann et al. count: its greatest taken away, the exponential, the division.
_SOFTMAX = 3.0
#: FLOPs per element of state that Megatron-LM counts of a Mamba-2 scan, and products of a gated delta rule.
_MAMBA, _DELTA = 7.0, 4.0
#: Matrices that Megatron-LM's count passes over.
_ASIDE = ("router", "indexer")
_VOCABULARY: tuple[Term, ...] = ("embedding", "head")


def none_said(counted: Counted) -> str:
    """Of every model something is said."""
    return ""


def one_stack(counted: Counted) -> str:
    """Not of an encoder and a decoder that read different tokens."""
    if counted.spec.encoder:
        return "has one stack of layers, and here an encoder and a decoder read different tokens"
    return ""


def attends(counted: Counted) -> str:
    """Not of layers without attention."""
    without = counted.layers - sum(core.layers for core in counted.cores)
    if without > 0.5:
        return f"has attention in every layer, and here {without:,.0f} of {counted.layers:,.0f} layers have none"
    return one_stack(counted)


def dense(counted: Counted) -> str:
    """Not of routed experts."""
    if counted.held["experts"]:
        return "is written for dense layers, and says not which of the experts it means"
    return attends(counted)


def one_width(counted: Counted) -> str:
    """Not of keys and values that differ in width, nor of routed experts."""
    for core in counted.cores:
        if core.key_dim != core.value_dim:
            return f"knows one width of a head, and here keys have {core.key_dim:g} and values {core.value_dim:g}"
    return dense(counted)


def megatron_knows(counted: Counted) -> str:
    """Of layers without softmax attention, Mamba-2 and the gated delta rule alone."""
    return _unknown(counted, {"softmax", "latent", "mamba2", "gated_delta"})


def maxtext_knows(counted: Counted) -> str:
    """Of layers without softmax attention, the gated delta rule alone."""
    return _unknown(counted, {"softmax", "latent", "gated_delta"})


def _unknown(counted: Counted, known: set[str]) -> str:
    kinds = {group.attention.kind for group in counted.spec.blocks if group.attention is not None}
    unknown = sorted(set(kinds) - known)
    return f"does not know layers of kind {unknown[0]}" if unknown else one_stack(counted)


def six_n(counted: Counted) -> Terms:
    """6 N of all parameters."""
    return _weights(counted.held)


def six_n_active(counted: Counted) -> Terms:
    """6 N of the parameters that a token uses."""
    return _weights(counted.active)


def six_n_matrices(counted: Counted) -> Terms:
    """6 N without the tables of vocabulary and positions: Kaplan's N."""
    left_out = (*_VOCABULARY, "positions")
    return {term: 0.0 if term in left_out else value for term, value in _weights(counted.held).items()}


def kaplan(counted: Counted) -> Terms:
    """6 N without vocabulary, vectors and positions, and 6 L s d of attention, read as both products at half."""
    return _layers(counted) | counted.attention(0.5)


def kaplan_qk(counted: Counted) -> Terms:
    """The same figure, read as queries by keys in full and nothing for values."""
    whole = counted.attention(0.5)
    return _layers(counted) | {"scores": whole["scores"] + whole["values"], "values": 0.0}


def casson(counted: Counted) -> Terms:
    """Kaplan's table of operations, row by row: with 4 d of the embedding, and the logits."""
    return kaplan_qk(counted) | {"embedding": STEP * 4.0 * counted.width, "head": _logits(counted)}


def kipply(counted: Counted) -> Terms:
    """6 P with P = 12 L d²."""
    return _nothing() | {"matrices": EACH * 12.0 * counted.layers * counted.width**2}


def chinchilla(counted: Counted) -> Terms:
    """Appendix F as printed: the full square, the softmax, embedding and logits as products."""
    logits = _logits(counted)
    return chinchilla_tabled(counted) | {"embedding": logits, "head": logits}


def chinchilla_tabled(counted: Counted) -> Terms:
    """Appendix F as its table A4 was made: without embedding and logits."""
    scores = sum(core.layers * core.heads for core in counted.cores) * counted.sequence
    return _layers(counted) | counted.attention() | {"softmax": STEP * _SOFTMAX * scores}


def palm(counted: Counted) -> Terms:
    """6 N of all parameters, and 12 L H Q T."""
    return six_n(counted) | counted.attention()


def foundry(counted: Counted) -> Terms:
    """6 N of the parameters that a token uses, and 12 L d s with the width of the model."""
    return six_n_active(counted) | _by_width(counted)


def litgpt(counted: Counted) -> Terms:
    """6 N of all parameters, and 12 L d s with the width of the model."""
    return six_n(counted) | _by_width(counted)


def megatron_2022(counted: Counted) -> Terms:
    """72 L h² (1 + s / 6h + V / 12 L h)."""
    layers, width = counted.layers, counted.width
    terms = _nothing() | {"matrices": EACH * 12.0 * layers * width**2}
    return terms | _by_width(counted) | {"head": EACH * counted.vocabulary * width}


def megatron_2021(counted: Counted) -> Terms:
    """96 L h² (1 + s / 6h + V / 16 L h): as above, and all layers forward once more."""
    once = megatron_2022(counted)
    return once | {"repeated": sum(value for term, value in once.items() if term != "head") / STEP}


def megatron(counted: Counted) -> Terms:
    """Today's code: projections, the experts that a token visits, logits, and half of attention's square."""
    return _projected(counted, 0.5)


def megatron_full(counted: Counted) -> Terms:
    """The same with the whole square, as the examples and NeMo up to 25 count."""
    return _projected(counted, 1.0)


def maxtext(counted: Counted) -> Terms:
    """The matrices that tokens pass, routers too, and half of attention's square, or of what windows hold."""
    terms = _nothing() | {term: counted.causal[term] for term in ("matrices", "experts", "head")}
    return terms | _windowed(counted) | {"recurrence": sum(_recurrences(counted))}


def maxtext_before(counted: Counted) -> Terms:
    """The same with the whole square."""
    return maxtext(counted) | counted.attention() | {"indexer": 0.0}


def torchtitan(counted: Counted) -> Terms:
    """6 N of what a token uses but the input embedding, and the whole square."""
    return six_n_active(counted) | {"embedding": 0.0} | counted.attention()


def trainer(counted: Counted) -> Terms:
    """6 N of all parameters but those of embedding modules; a head that shares the table goes with it."""
    tied = counted.spec.tied_embeddings
    left_out: tuple[Term, ...] = ("embedding", "positions", *(("head",) if tied else ()))
    return {term: 0.0 if term in left_out else value for term, value in _weights(counted.held).items()}


def repeated(terms: Terms, counted: Counted) -> Terms:
    """Terms of a step, and one pass forward of all its layers: what checkpoints of whole layers repeat."""
    inner = (term for term in TERMS if term not in ("head", "repeated"))
    return terms | {"repeated": sum(terms[term] for term in inner) / STEP}


def full(counted: Counted) -> Terms:
    """The ledger with every query against every key, as a framework's counter counts unfused code."""
    return counted.full


def causal(counted: Counted) -> Terms:
    """The ledger with the pairs that masks let through."""
    return counted.causal


def hardware_full(counted: Counted) -> Terms:
    """The ledger in full, with all layers repeated."""
    return repeated(counted.full, counted)


def hardware_causal(counted: Counted) -> Terms:
    """The ledger under masks, with all layers repeated."""
    return repeated(counted.causal, counted)


def _nothing() -> Terms:
    return dict.fromkeys(TERMS, 0.0)


def _weights(parameters: Terms) -> Terms:
    return {term: EACH * value for term, value in parameters.items()}


def _layers(counted: Counted) -> Terms:
    """The matrices of the layers, each for what it multiplies."""
    return _nothing() | {"matrices": EACH * counted.held["matrices"]}


def _logits(counted: Counted) -> float:
    return EACH * counted.width * counted.vocabulary


def _by_width(counted: Counted) -> Terms:
    """12 L d s, in two halves."""
    each = EACH * counted.layers * counted.width * counted.sequence
    return {"scores": each, "values": each}


def _projected(counted: Counted, share: float) -> Terms:
    aside = [op for op in counted.ops if op.kind == "linear" and op.name.startswith(_ASIDE)]
    matrices = counted.causal["matrices"] - STEP * float(sum(op.count * op.flops for op in aside)) / counted.tokens
    terms = _nothing() | {"matrices": matrices, "experts": counted.causal["experts"], "head": _logits(counted)}
    return terms | counted.attention(share) | {"recurrence": sum(_recurrences(counted))}


def _recurrences(counted: Counted) -> Iterator[float]:
    """What Megatron-LM counts of layers without attention, beside their projections."""
    for group in counted.spec.blocks:
        values = group.attention.model_dump() if group.attention is not None else {}
        kind, layers = values.get("kind"), float(group.layers)
        if kind == "mamba2":
            yield STEP * layers * _MAMBA * values["heads"] * values["head_dim"] * values["state"]
        elif kind == "gated_delta":
            keys, wide = values["key_heads"] * values["key_dim"], values["value_heads"] * values["value_dim"]
            taps = values["kernel"] * (2.0 * keys + wide)
            yield EACH * layers * (taps + _DELTA * wide * values["value_dim"])


def _windowed(counted: Counted) -> Terms:
    """Half of attention's square: of a window that alternates with whole layers half of s times the window, of chunks
    half of their squares; behind an indexer, what it chooses and its own scores.
    """
    if counted.causal["indexer"]:
        return {term: counted.causal[term] for term in ("scores", "values", "indexer")}
    mixed = any(core.window is None for core in counted.cores)
    found: Terms = {"scores": 0.0, "values": 0.0}
    for core in counted.cores:
        each = EACH * core.layers * core.heads * _keys(core, counted.sequence, mixed) / 2.0
        found["scores"] += each * core.key_dim
        found["values"] += each * core.value_dim
    return found


def _keys(core: Core, length: float, mixed: bool) -> float:
    """Keys per query before masks, as MaxText counts them."""
    if core.window is None or not mixed:
        return length
    if core.chunked:
        whole = length // core.window
        return (whole * core.window**2 + (length - whole * core.window) ** 2) / length
    return min(core.window, length)
