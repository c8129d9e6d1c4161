"""Why a way of counting differs from the ledger: the difference by terms, in words with numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from roofline.analysis.training.conventions.terms import TERMS, Counted, Terms, total
from roofline.units import format_si

#: Parts below this share of the ledger are told together.
_LEAST: Final = 0.0005
#: What a term is called where it is counted and the ledger counts less of it, and where it is less.
_WORDS: Final = {
    "matrices": ("matrices as larger than they are", "matrices as smaller than they are"),
    "experts": ("experts not visited", "no experts"),
    "scores": ("q kT in full", "less of q kT"),
    "values": ("values in full", "no product with values"),
    "indexer": ("the indexer in full", "no indexer"),
    "recurrence": ("recurrences as more work", "no recurrences"),
    "head": ("the head on every token", "no logits"),
    "embedding": ("input embedding", "no embedding"),
    "positions": ("positions", "no products with positions"),
    "vectors": ("norms and biases", "no mixing of streams"),
    "softmax": ("softmax", ""),
    "repeated": ("all layers again", ""),
}


class Part(NamedTuple):
    """A reason: in words, and its FLOPs per token."""

    words: str
    flops: float


def difference(terms: Terms, ledger: Terms) -> Terms:
    """Terms less those of the ledger: they sum to the difference of the two figures."""
    return {term: terms[term] - ledger[term] for term in TERMS}


def parts(terms: Terms, counted: Counted) -> list[Part]:
    """The reasons of a difference from the causal ledger, the largest first."""
    apart = difference(terms, counted.causal)
    found = [Part(_words(term, terms, counted), value) for term, value in _merged(apart, terms, counted)]
    return sorted(found, key=lambda part: -abs(part.flops))


def reason(terms: Terms, counted: Counted) -> str:
    """Why these terms are not the causal ledger's, in one line; its shares are of that ledger."""
    whole = total(counted.causal)
    told = [part for part in parts(terms, counted) if abs(part.flops) >= _LEAST * whole]
    if not told:
        return "the same"
    apart = (total(terms) - whole) / whole
    inner = ", ".join(f"{part.words} {signed(part.flops / whole)}" for part in told)
    if len(told) == 1:
        return f"{signed(apart)}: {told[0].words}"
    return f"{signed(apart)}: {inner}"


def signed(share: float) -> str:
    """A share with its sign: `+5.4 %`, `-12 %`, `0 %`."""
    percent = 100.0 * share
    if abs(percent) < 0.005:
        return "0 %"
    digits = 0 if abs(percent) >= 9.95 else 1 if abs(percent) >= 0.095 else 2
    return f"{percent:+,.{digits}f} %"


def _merged(apart: Terms, terms: Terms, counted: Counted) -> Iterator[tuple[str, float]]:
    """The terms that differ; attention's two products as one, where they differ alike."""
    scores, values = apart["scores"], apart["values"]
    together = scores * values >= 0.0
    for term in TERMS:
        if term == "scores" and together:
            yield "attention", scores + values
        elif not (term == "values" and together):
            yield term, apart[term]


def _words(term: str, terms: Terms, counted: Counted) -> str:
    if term == "attention":
        return _of_attention(terms, counted)
    ledger = counted.causal[term]  # type: ignore[index]
    if term == "matrices" and terms["matrices"]:
        if counted.spec.encoder:
            return "all weights on every token of the encoder"
        per = 6.0 * counted.layers
        return f"{_short(terms['matrices'] / per)} weights a layer for {_short(counted.causal['matrices'] / per)}"
    more = terms[term] > ledger  # type: ignore[index]
    if term == "head" and not more and terms["head"]:
        return "the logits as less"
    return _WORDS[term][0 if more else 1]


def _short(value: float) -> str:
    """A count of weights: `218M`."""
    return format_si(value).replace(" ", "")


def _of_attention(terms: Terms, counted: Counted) -> str:
    """What a way of counting makes of the products of attention."""
    counts, ledger, full = (each["scores"] + each["values"] for each in (terms, counted.causal, counted.full))
    if not counts:
        return "no attention"
    windows = any(core.window is not None for core in counted.cores)
    if counts > ledger and counts > 0.99 * full:
        return "attention in full, windows too" if windows else "attention in full"
    if counts > ledger:
        return "windows as if whole" if windows else "keys that are not chosen"
    return "less of attention" if _masked(counted) else "half of attention without a mask"


def _masked(counted: Counted) -> bool:
    return any(core.causal for core in counted.cores)
