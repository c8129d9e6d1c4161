"""What scaling laws say: of a model, of a budget, of parameters or tokens, or of two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from roofline.analysis.training.scaling import LAWS, Law, Optimum
from roofline.answer.plain import plain

if TYPE_CHECKING:
    from roofline.analysis.training.conventions.ask import Question

_SIX = 6.0


class Given(NamedTuple):
    """A model of so many parameters trained on so many tokens; its budget is 6 N D."""

    parameters: float
    tokens: float

    @property
    def flops(self) -> float:
        """6 N D."""
        return _SIX * self.parameters * self.tokens


class Laws(NamedTuple):
    """The optimum of each law. `asked` is what they are asked of: budget, parameters or tokens.

    `given`: the point that was asked about, where it is not the optimum; `unsaid`: why the laws say nothing.
    """

    asked: str
    value: float
    optima: tuple[tuple[Law, Optimum], ...]
    given: Given | None = None
    unsaid: str = ""

    @classmethod
    def of(cls, question: Question) -> Laws | None:
        """The laws of a question; None where nothing is asked of them."""
        budget, params, tokens, _ = question.wanted
        unsaid = ""
        if params is None and question.counted is not None:
            unsaid = _unsaid(question)
            params = None if unsaid else sum(question.counted.held.values())
        if unsaid and budget is None:
            return cls("parameters", 0.0, (), unsaid=unsaid)
        if budget is not None:
            given = Given(params, budget / (_SIX * params)) if params is not None else None
            given = Given(budget / (_SIX * tokens), tokens) if tokens is not None and given is None else given
            return cls._asked("budget", budget, lambda law: law.of_budget(budget), given)
        if params is not None and tokens is not None:
            given = Given(params, tokens)
            return cls._asked("budget", given.flops, lambda law: law.of_budget(given.flops), given)
        if params is not None:
            return cls._asked("parameters", params, lambda law: law.of_parameters(params))
        if tokens is not None:
            return cls._asked("tokens", tokens, lambda law: law.of_tokens(tokens))
        return None

    @classmethod
    def _asked(cls, asked: str, value: float, best: Callable[[Law], Optimum], given: Given | None = None) -> Laws:
        return cls(asked, value, tuple((law, best(law)) for law in LAWS), given)

    def optimum(self, key: str) -> Optimum:
        """The optimum of one law. Raises KeyError."""
        return {law.key: optimum for law, optimum in self.optima}[key]

    def given_loss(self, law: Law) -> float | None:
        """The loss that a law expects of the point that was asked about."""
        if self.given is None or law.loss is None:
            return None
        return law.loss.at(self.given.parameters, self.given.tokens)

    def records(self) -> Iterator[dict[str, Any]]:
        """One flat row for each law."""
        for law, optimum in self.optima:
            yield {
                "key": law.key,
                "title": law.title,
                "source": law.source,
                "parameters": optimum.parameters,
                "tokens": optimum.tokens,
                "flops": optimum.flops,
                "tokens_per_parameter": optimum.tokens_per_parameter,
                "loss": optimum.loss,
                "given_loss": self.given_loss(law),
            }

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        given = self.given
        return {
            "asked": self.asked,
            "value": plain(self.value),
            "given": None
            if given is None
            else {"parameters": plain(given.parameters), "tokens": plain(given.tokens), "flops": plain(given.flops)},
            "unsaid": self.unsaid or None,
            "laws": list(self.records()),
        }


def _unsaid(question: Question) -> str:
    """Why laws that were fitted to dense decoders say nothing of a model."""
    counted = question.counted
    assert counted is not None
    if counted.held["experts"]:
        return "the laws were fitted to dense models, and this one has routed experts"
    if counted.spec.encoder or not counted.spec.generates or not any(core.causal for core in counted.cores):
        return "the laws were fitted to causal decoders of text, and this is none"
    return ""
