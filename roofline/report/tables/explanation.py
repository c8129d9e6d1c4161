"""The text of `roofline explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from roofline.analysis.estimate import Answer
from roofline.answer.derivation import Derivation, Term
from roofline.answer.plain import counted_whole
from roofline.evidence.runs.nearest import Nearest
from roofline.report.tables.belonging import assumptions_of, sources_of
from roofline.report.tables.console import Styled
from roofline.report.tables.estimate import print_warnings
from roofline.runs.telling.notes import taken_as
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console


def print_explanation(
    est: Answer,
    derivations: Sequence[Derivation],
    nearest: Sequence[Nearest],
    console: Console,
    terms: int = 6,
    *,
    some: bool = False,
) -> None:
    """The text of `roofline explain`: every number as formula, values, result, spec lines and source.

    With `some`, what was assumed and where values come from is told only as far as it belongs to these numbers.
    """
    question = est.question
    console.print([Styled(question.spec.title, "bold"), Styled(" on "), Styled(question.gpu.title, "bold")])
    for line in taken_as(question):
        console.print(line, style="dim")
    console.print()
    for d in derivations:
        print_derivation(d, console, terms)
    names = [d.quantity for d in derivations]
    assumed = assumptions_of(est, names) if some else est.assumptions
    console.notes("Assumed", assumed)
    console.notes("Sources", sources_of(est, names) if some else est.sources)
    evidence = nearest if any(name.endswith("expected_s") for name in names) else []
    console.notes("Nearest measurements", [str(run) for run in evidence])
    print_warnings(est.warnings, console)


def print_derivation(d: Derivation, console: Console, terms: int = 6) -> None:
    """One number: formula, values, result, its largest terms, spec lines and source."""
    console.print([Styled(d.quantity, "bold"), Styled(f" = {_value(d.value, d.unit)}")])
    console.print(f"  = {d.formula}")
    console.print(f"  = {d.substituted}")
    shown = sorted(d.terms, key=lambda term: -abs(term.value))
    most = len(shown) if d.unit in ("s", "") else terms  # the causes of a time, and figures, are few
    for term in shown[:most]:
        console.print(f"      {_line(term, d.unit)}")
    if len(shown) > most:
        rest = sum(term.value for term in shown[most:])
        console.print(f"      {counted_whole(len(shown) - most, 'more op')}: {_term(rest, d.unit)}")
    for line in d.lines:
        console.print(f"  from {line}", style="dim")
    console.print(f"  source: {d.source}\n", style="dim")


def _line(term: Term, unit: str) -> str:
    """A term as a line: what it is and what that makes; of a number without a unit the number first."""
    if not unit:
        return f"{term.name}: {term.value:.2f} ({term.text})"
    return f"{term.name}: {f'{term.text} = ' if term.text else ''}{_term(term.value, unit)}"


def _term(value: float, unit: str) -> str:
    return format_time(value) if unit == "s" else f"{value:,.0f}"


def _value(value: float, unit: str) -> str:
    if unit == "s":
        return f"{format_time(value, 4)} ({value:.6g} s)"
    if not unit:
        return f"{value:.2f}"
    exact = f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
    counted = unit[:-1] if value == 1 and unit.isalpha() and unit.endswith("s") else unit
    return f"{exact} {counted}" + (f" ({format_si(value, unit)})" if value >= 1e4 and unit in ("B", "FLOP") else "")
