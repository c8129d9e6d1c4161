"""Where a number comes from: formula, substituted values, result, the lines of the specs, the source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from roofline.answer.plain import plain


class Term(NamedTuple):
    """One summand: what it is, its formula with values, and its value."""

    name: str
    text: str
    value: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "text": self.text, "value": plain(self.value)}


@dataclass(frozen=True)
class Derivation:
    """One headline number: formula, values, result, and the spec lines that the values were read from."""

    quantity: str
    unit: str
    value: float
    formula: str
    substituted: str
    source: str
    terms: list[Term] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "quantity": self.quantity,
            "unit": self.unit,
            "value": plain(self.value),
            "formula": self.formula,
            "substituted": self.substituted,
            "source": self.source,
            "lines": self.lines,
            "terms": [term.to_dict() for term in self.terms],
        }
