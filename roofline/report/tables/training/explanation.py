"""The text of `roofline train --explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from roofline.report.tables.console import Styled
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.explanation import print_derivation

if TYPE_CHECKING:
    from roofline.analysis.training.answer import TrainAnswer
    from roofline.answer.derivation import Derivation
    from roofline.report.tables.console import Console


def print_explanation(answer: TrainAnswer, derivations: Sequence[Derivation], console: Console) -> None:
    """Every number as formula, values, result and source; then what was assumed, and where facts are from."""
    q = answer.question
    console.print([Styled(q.spec.title, "bold"), Styled(" on "), Styled(f"{q.gpu.title}\n", "bold")])
    for each in derivations:
        print_derivation(each, console)
    console.notes("Assumed", answer.assumptions)
    console.notes("Sources", answer.sources)
    print_warnings(answer.warnings, console)
