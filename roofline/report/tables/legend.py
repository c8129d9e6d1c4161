"""The line under a table that says what its words mean: each the first time that an output has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roofline.report.glossary import TERMS, Term

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roofline.report.tables.console import Console
    from roofline.report.tables.grid import Grid


def print_table(table: Grid, console: Console, *, crop: bool = True) -> None:
    """A table, and under it what those of its words mean that this output has not yet explained."""
    words = "\n".join(table.words(console.width))
    console.print(table._replace(legend=explained(words, console)), crop=crop)


def print_legend(text: str, console: Console) -> None:
    """What words of a text that was printed mean, where this output has not yet explained them."""
    if legend := explained(text, console):
        console.print(legend, style="dim")


def explained(text: str, console: Console, terms: Iterable[Term] = TERMS, between: str = "; ") -> str:
    """Words of a glossary that are in a text, with what they mean, `between` them a sign; those that were explained are
    left out.
    """
    found = [term for term in terms if term.few and term.word not in console.explained and term.is_in(text)]
    console.explained.update(term.word for term in found)
    return between.join(f"{term.word}: {term.few}" for term in found)
