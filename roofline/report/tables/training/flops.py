"""The tables of `roofline flops`: conventions side by side, and scaling laws."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from roofline.analysis.training.conventions.reasons import reason
from roofline.analysis.training.conventions.words import plain_digits
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_table
from roofline.units import format_count, format_si, short_count

if TYPE_CHECKING:
    from roofline.analysis.training.conventions.answer import Counting
    from roofline.analysis.training.conventions.counts import Count
    from roofline.analysis.training.laws import Laws
    from roofline.report.tables.console import Console


def print_flops(found: Counting, console: Console) -> None:
    """The verdict first, then the conventions, how attention's share grows, and the laws."""
    console.print(found.verdict, style="bold")
    console.print()
    if found.counts:
        print_table(convention_table(found), console)
        for line in (*_unsaid(found), *_shares(found)):
            console.print(line)
        console.print()
    if found.laws is not None and found.laws.optima:
        print_table(law_table(found.laws), console)
    elif found.laws is not None:
        console.print(f"Scaling laws: {found.laws.unsaid}.")
    for text in found.assumptions:
        console.print(text, style="dim")
    print_warnings(found.warnings, console)


def convention_table(found: Counting) -> Grid:
    """One line for each convention: FLOPs per token, over the ledger, and why."""
    counted, speed = found.question.counted, found.question.speed
    assert counted is not None
    columns = [("convention", "name"), ("a token", "right"), ("/ causal", "right?"), ("/ full", "right?")]
    rated = speed is not None and (speed.tokens_per_s is not None or speed.mfu is not None)
    if speed is not None and speed.tokens_per_s is not None:
        columns.append(("MFU", "right"))
    elif rated:
        columns.append(("tokens/s", "right"))
    columns.append(("why not the causal ledger", "text"))
    rows = [_row(found, count, rated) for count in found.counts if count.terms is not None and not _twin(found, count)]
    title = f"{counted.spec.title}: FLOP per token of a training step at {counted.sequence:,.0f} tokens"
    return grid(title, columns, rows)


def _twin(found: Counting, count: Count) -> bool:
    """Whether a reading for mixtures of experts says of a dense model what another says."""
    counted = found.question.counted
    return count.convention.key == "six_n_active" and counted is not None and not counted.held["experts"]


def _row(found: Counting, count: Count, rated: bool) -> list[str]:
    counted, each = found.question.counted, count.per_token
    assert counted is not None
    assert count.terms is not None and each is not None
    shares = [each / (found.count(key).per_token or 1.0) for key in ("ledger_causal", "ledger_full")]
    row = [count.convention.title, format_si(each, "", 4), *(f"{share:.3f}" for share in shares)]
    if rated:
        row.append(_rated(found, count))
    return [*row, reason(count.terms, counted)]


def _rated(found: Counting, count: Count) -> str:
    used, rate = found.used(count), found.rate(count)
    if used is not None:
        return f"({100.0 * used:,.1f} %)" if count.convention.hardware else f"{100.0 * used:,.1f} %"
    return f"{rate:,.0f}" if rate is not None else "–"


def _unsaid(found: Counting) -> Iterator[str]:
    """Which conventions say nothing of the model, by why; and what brackets are."""
    speed = found.question.speed
    if speed is not None and speed.tokens_per_s is not None:
        yield "In brackets: HFU, over what is computed again as well."
    why: dict[str, list[str]] = {}
    for count in found.counts:
        if count.unsaid:
            why.setdefault(count.unsaid, []).append(count.convention.title)
    for unsaid, titles in why.items():
        yield f"Nothing by {'; '.join(titles)}: each {unsaid}."


def _shares(found: Counting) -> Iterator[str]:
    told = ", ".join(f"{short_count(share.sequence)} {100.0 * share.causal:.2g} %" for share in found.shares)
    yield f"Attention's share of the causal ledger by context: {told}."


def law_table(laws: Laws) -> Grid:
    """One line for each law: its optimum, and the loss where it has one."""
    asked = {
        "budget": f"What {laws.value:.3g} FLOP train best",
        "parameters": f"What {format_count(laws.value)} parameters are the best for",
        "tokens": f"What {format_count(laws.value)} tokens are the best for",
    }[laws.asked]
    columns = [("scaling law", "left"), ("parameters", "right"), ("tokens", "right"), ("each", "right")]
    columns += [("FLOP", "right?"), ("loss", "right")]
    if laws.given is not None:
        columns.append(("as given", "right"))
        given = f"{format_count(laws.given.parameters)} parameters on {format_count(laws.given.tokens)} tokens"
        asked += f"; as given: {given}"
    rows = []
    for law, best in laws.optima:
        each = plain_digits(best.tokens_per_parameter)
        row = [law.title, format_count(best.parameters), format_count(best.tokens), each]
        row += [f"{best.flops:.3g}", _loss(best.loss)]
        rows.append(row + ([_loss(laws.given_loss(law))] if laws.given is not None else []))
    return grid(asked, columns, rows)


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
