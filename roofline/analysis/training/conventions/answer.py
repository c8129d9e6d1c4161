"""The answer of `roofline flops`: a sentence, a table of conventions, utilisations, and what scaling laws say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from roofline.analysis.estimate import SCHEMA_VERSION
from roofline.analysis.training.conventions.ask import ask
from roofline.analysis.training.conventions.counts import Count, Counts
from roofline.analysis.training.conventions.reasons import difference, reason
from roofline.analysis.training.conventions.terms import Counted, total
from roofline.analysis.training.conventions.words import verdict
from roofline.answer.phase import Warn
from roofline.answer.plain import plain
from roofline.errors import UsageError
from roofline.runs.checks import is_many
from roofline.runs.load import ModelLike
from roofline.units import format_si

Form = TypeVar("Form", bound="Counting")
#: A pass more than the three of a step.
_REPEATS: Final = 4.0 / 3.0


@dataclass(frozen=True)
class Counting(Counts):
    """What a training step costs by every convention, and what follows from it.

    `counts`: one for each convention, in the order of the table; `shares`: attention's share as the context grows;
    `laws`: what scaling laws say; `verdict`: the sentences that people see first.
    """

    @cached_property
    def verdict(self) -> str:
        """The answer in sentences."""
        return verdict(self)

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
            more = format_si(counted.further, "FLOP")
            found.append(f"heads that predict further tokens are left out; trained as well they add {more} a token")
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
                "further_tokens": plain(counted.further),
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

    def records(self) -> list[dict[str, Any]]:
        """One flat row for each convention, or for each law where there is no model."""
        if not self.counts and self.laws is not None:
            return list(self.laws.records())
        rows = [self._row(count) for count in self.counts]
        return [{name: value for name, value in row.items() if name != "difference"} for row in rows]

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


def count_flops(model: ModelLike | None, options: Mapping[str, Any], form: type[Form]) -> Form:
    """The answer, as an object of `form`. Raises UsageError, UnknownNameError or SpecError."""
    for name, value in options.items():
        if is_many(value):
            raise UsageError(f"{name} takes one value here, not {str(value)[:40]}; ask once for each")
    return form(ask(model, options))


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
        text = "no MFU is more than 100 %: are tokens/s of all GPUs, their number and the format of the matrices right?"
        yield Warn("faster-than-peak", text)
