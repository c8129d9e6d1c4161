"""What each convention says of a model, and what follows from it at a speed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from roofline.analysis.training.conventions.ask import Question
from roofline.analysis.training.conventions.published import CONVENTIONS, Convention
from roofline.analysis.training.conventions.terms import Counted, Terms, total
from roofline.analysis.training.laws import Laws
from roofline.answer.names import unknown
from roofline.specs.text.transformer import TransformerSpec

#: Contexts at which attention's share is told, over the one that was asked.
_AT: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


class Count(NamedTuple):
    """What a convention says of a model: its terms, or why it says nothing."""

    convention: Convention
    terms: Terms | None
    unsaid: str = ""

    @property
    def per_token(self) -> float | None:
        """FLOPs per token of a step."""
        return None if self.terms is None else total(self.terms)


class Share(NamedTuple):
    """Attention's share of a step's FLOPs at a context, under masks and in full."""

    sequence: float
    causal: float
    full: float


@dataclass(frozen=True)
class Counts:
    """What every convention says, what scaling laws say, and rates and utilisations.

    `counts`: one for each convention, in the order of the table; `shares`: attention's share as the context grows;
    `laws`: what scaling laws say.
    """

    question: Question

    @cached_property
    def counts(self) -> tuple[Count, ...]:
        """Every convention; empty without a model."""
        return counts_of(self.question.counted) if self.question.counted is not None else ()

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        """Attention's share of a step from a quarter of the context to eight times as much."""
        counted = self.question.counted
        if counted is None:
            return ()
        lengths = sorted({max(1.0, float(int(counted.sequence * factor))) for factor in _AT})
        return tuple(_share(counted, length) for length in lengths)

    @cached_property
    def laws(self) -> Laws | None:
        """What scaling laws say of the model, or of the point that was asked for."""
        return Laws.of(self.question)

    def count(self, key: str) -> Count:
        """What one convention says. Raises UnknownPartError, which is a KeyError too."""
        for count in self.counts:
            if count.convention.key == key:
                return count
        raise unknown("convention", key, (count.convention.key for count in self.counts))

    def used(self, count: Count) -> float | None:
        """MFU by a convention, HFU by one that counts what is repeated; None where no rate is given."""
        speed, each = self.question.speed, count.per_token
        return None if speed is None or each is None else speed.used(each)

    def rate(self, count: Count) -> float | None:
        """Tokens per second of all accelerators at the utilisation asked for, by a convention."""
        speed, each = self.question.speed, count.per_token
        return None if speed is None or not each else speed.rate(each)


def counts_of(counted: Counted) -> tuple[Count, ...]:
    """What each convention says of a model at one length."""
    return tuple(_count(convention, counted) for convention in CONVENTIONS)


def conventions_of(
    spec: TransformerSpec, sequence: float, *, batch: float = 1.0, decoder: float = 0.0
) -> dict[str, float]:
    """FLOPs per token of a training step by the key of each convention that can say so of this model."""
    counts = counts_of(Counted(spec, sequence, batch, decoder))
    return {count.convention.key: total(count.terms) for count in counts if count.terms is not None}


def _count(convention: Convention, counted: Counted) -> Count:
    unsaid = convention.unsaid(counted)
    return Count(convention, None, unsaid) if unsaid else Count(convention, convention.terms(counted))


def _share(counted: Counted, sequence: float) -> Share:
    decoder = max(1.0, sequence * counted.decoder / counted.sequence) if counted.decoder else 0.0
    at = Counted(counted.spec, sequence, 1.0, decoder)
    return Share(sequence, _attention(at.causal), _attention(at.full))


def _attention(terms: Terms) -> float:
    return (terms["scores"] + terms["values"] + terms["indexer"] + terms["positions"]) / total(terms)
