"""An answer in few words: its verdict, and the figures that matter."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final, NamedTuple

from roofline.answer.plain import plain

_WIDE: Final = 88


class Fact(NamedTuple):
    """A figure of a summary: its name in JSON, its title, its value in SI units, and how it is written."""

    name: str
    title: str
    value: Any
    text: str


class Summary(str):
    """The verdict and a few figures below it, as text that prints well; `to_dict()` has the figures in SI units."""

    verdict: str
    facts: tuple[Fact, ...]

    @classmethod
    def of(cls, verdict: str, facts: Sequence[Fact]) -> Summary:
        """The summary of a verdict and figures."""
        widest = max((len(fact.title) for fact in facts), default=0)
        lines = [f"  {fact.title:<{widest}}  {fact.text}" for fact in facts]
        found = cls("\n".join([*wrap(verdict, _WIDE), *lines]))
        found.verdict, found.facts = verdict, tuple(facts)
        return found

    def to_dict(self) -> dict[str, Any]:
        """The verdict, and each figure by its name."""
        return {"verdict": self.verdict, **{fact.name: plain(fact.value) for fact in self.facts}}

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from roofline.report.notebook.answers import summary_html

        return summary_html(self.verdict, [(fact.title, fact.text) for fact in self.facts])
