"""The answer of `roofline flops`: a sentence, a table of conventions, utilisations, and what scaling laws say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar

from roofline.analysis.estimate import SCHEMA_VERSION
from roofline.analysis.training.conventions.ask import Question, ask
from roofline.analysis.training.conventions.published import CONVENTIONS, Convention
from roofline.analysis.training.conventions.reasons import difference, reason
from roofline.analysis.training.conventions.terms import Counted, Terms, total
from roofline.analysis.training.conventions.words import verdict
from roofline.analysis.training.laws import Laws
from roofline.answer.phase import Warn
from roofline.answer.plain import plain
from roofline.runs.load import ModelLike
from roofline.specs.text.transformer import TransformerSpec

Form = TypeVar("Form", bound="Counting")
#: Contexts at which attention's share is told, over the one that was asked.
_AT: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
#: A pass more than the three of a step.
_REPEATS: Final = 4.0 / 3.0


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
class Counting:
    """What a training step costs by every convention, and what follows from it.

    `counts`: one for each convention, in the order of the table; `shares`: attention's share as the context grows;
    `laws`: what scaling laws say; `verdict`: the sentences that people see first.
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

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        return verdict(self)

    def count(self, key: str) -> Count:
        """What one convention says. Raises KeyError."""
        for count in self.counts:
            if count.convention.key == key:
                return count
        raise KeyError(key)

    @property
    def warnings(self) -> list[Warn]:
        """What the user should know."""
        return list(_warnings(self))

    @property
    def assumptions(self) -> list[str]:
        """What was taken for granted."""
        found = list(self.question.notes)
        if self.counts:
            found.append("all parameters are trained: a step is three passes, two of them backward")
        counted = self.question.counted
        if counted is not None and counted.spec.encoder:
            found.append("a token is one that the encoder reads")
        if counted is not None and counted.spec.mtp is not None:
            found.append("heads that predict further tokens are left out")
        if counted is not None and counted.spec.towers:
            found.append("text alone: encoders of pictures and sound are left out")
        return found

    def to_dict(self) -> dict[str, Any]:
        """As the command line's JSON."""
        counted, speed, laws = self.question.counted, self.question.speed, self.laws
        by_key = {count.convention.key: count for count in self.counts}
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            "inputs": self.inputs,
            "parameters": _parameters(counted) if counted is not None else None,
            "flops": {
                "per_token": {key: plain(count.per_token) for key, count in by_key.items()},
                "per_step": {key: self._step(count) for key, count in by_key.items()},
                "of_full": {key: self._ratio(count, "ledger_full") for key, count in by_key.items()},
                "of_causal": {key: self._ratio(count, "ledger_causal") for key, count in by_key.items()},
            }
            if counted is not None
            else None,
            "conventions": [self._row(count) for count in self.counts],
            "attention": [share._asdict() for share in self.shares],
            "utilisation": self._utilisation() if speed is not None else None,
            "scaling": laws.to_dict() if laws is not None else None,
            "assumptions": self.assumptions,
            "warnings": [warn._asdict() for warn in self.warnings],
            "sources": list(dict.fromkeys(count.convention.source for count in self.counts)),
        }

    @property
    def inputs(self) -> dict[str, Any]:
        """What was asked, as resolved."""
        counted, speed, wanted = self.question.counted, self.question.speed, self.question.wanted
        found: dict[str, Any] = {}
        if counted is not None:
            found |= {"model": counted.spec.name, "sequence": plain(counted.sequence), "batch": plain(counted.batch)}
            found |= {"decoder": plain(counted.decoder) or None}
        if speed is not None:
            found |= {"gpu": speed.gpu.name, "gpus": plain(speed.gpus), "precision": speed.precision}
            found |= {"tokens_per_s": plain(speed.tokens_per_s), "mfu": speed.mfu}
        return found | {name: plain(value) for name, value in wanted._asdict().items() if value is not None}

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat row for each convention, or for each law where there is no model."""
        if not self.counts and self.laws is not None:
            yield from self.laws.records()
        for count in self.counts:
            row = self._row(count)
            del row["difference"]
            yield row

    def used(self, count: Count) -> float | None:
        """MFU by a convention, HFU by one that counts what is repeated; None where no rate is given."""
        speed, each = self.question.speed, count.per_token
        return None if speed is None or each is None else speed.used(each)

    def rate(self, count: Count) -> float | None:
        """Tokens per second of all accelerators at the utilisation asked for, by a convention."""
        speed, each = self.question.speed, count.per_token
        return None if speed is None or not each else speed.rate(each)

    def _ratio(self, count: Count, key: str) -> float | None:
        ledger, each = self.count(key).per_token, count.per_token
        return None if each is None or not ledger else each / ledger

    def _step(self, count: Count) -> float | None:
        counted, each = self.question.counted, count.per_token
        return None if counted is None or each is None else plain(each * counted.tokens)

    def _row(self, count: Count) -> dict[str, Any]:
        counted, convention, used = self.question.counted, count.convention, self.used(count)
        assert counted is not None
        terms = count.terms
        return {
            **{name: getattr(convention, name) for name in ("key", "title", "formula", "source", "counts")},
            "leaves_out": convention.leaves_out,
            "hardware": convention.hardware,
            "per_token": plain(count.per_token),
            "per_step": self._step(count),
            "of_full": self._ratio(count, "ledger_full"),
            "of_causal": self._ratio(count, "ledger_causal"),
            "reason": reason(terms, counted) if terms is not None else None,
            "unsaid": count.unsaid or None,
            "mfu": None if convention.hardware else used,
            "hfu": used if convention.hardware else used * _REPEATS if used and convention.repeats else None,
            "tokens_per_s": self.rate(count),
            "difference": difference(terms, counted.causal) if terms is not None else None,
        }

    def _utilisation(self) -> dict[str, Any]:
        speed, rows = self.question.speed, [self._row(count) for count in self.counts]
        assert speed is not None
        return {
            "gpu": speed.gpu.name,
            "gpus": plain(speed.gpus),
            "precision": speed.precision,
            "peak_of": speed.unit,
            "peak_flops": speed.peak,
            **{name: {row["key"]: row[name] for row in rows} for name in ("mfu", "hfu", "tokens_per_s")},
        }


def counts_of(counted: Counted) -> tuple[Count, ...]:
    """What each convention says of a model at one length."""
    return tuple(_count(convention, counted) for convention in CONVENTIONS)


def conventions_of(
    spec: TransformerSpec, sequence: float, *, batch: float = 1.0, decoder: float = 0.0
) -> dict[str, float]:
    """FLOPs per token of a training step by the key of each convention that can say so of this model."""
    counts = counts_of(Counted(spec, sequence, batch, decoder))
    return {count.convention.key: total(count.terms) for count in counts if count.terms is not None}


def count_flops(model: ModelLike | None, options: Mapping[str, Any], form: type[Form]) -> Form:
    """The answer, as an object of `form`. Raises UsageError, UnknownNameError or SpecError."""
    return form(ask(model, options))


def _count(convention: Convention, counted: Counted) -> Count:
    unsaid = convention.unsaid(counted)
    return Count(convention, None, unsaid) if unsaid else Count(convention, convention.terms(counted))


def _share(counted: Counted, sequence: float) -> Share:
    decoder = max(1.0, sequence * counted.decoder / counted.sequence) if counted.decoder else 0.0
    at = Counted(counted.spec, sequence, 1.0, decoder)
    return Share(sequence, _attention(at.causal), _attention(at.full))


def _attention(terms: Terms) -> float:
    return (terms["scores"] + terms["values"] + terms["indexer"] + terms["positions"]) / total(terms)


def _parameters(counted: Counted) -> dict[str, Any]:
    held = {term: plain(value) for term, value in counted.held.items() if value}
    return {"total": plain(total(counted.held)), "active": plain(total(counted.active)), "by_term": held}


def _warnings(found: Counting) -> Iterator[Warn]:
    speed, counted = found.question.speed, found.question.counted
    if speed is not None:
        yield from speed.warnings()
    longest = counted.spec.max_context if counted is not None else None
    if counted is not None and longest is not None and counted.sequence > longest:
        yield Warn("context", f"{counted.sequence:,.0f} tokens are more than the {longest:,} the model is made for")
    used = found.used(found.count("ledger_causal")) if counted is not None else None
    if used is not None and used > 1.0:
        text = "more than the peak: are tokens/s of all GPUs, their number and the format of the matrices right?"
        yield Warn("faster-than-peak", text)
