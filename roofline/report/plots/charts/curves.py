"""Throughput or latency of estimates over the batch: each asked again at every batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.estimate import Answer, totals
from roofline.analysis.evaluate import evaluate
from roofline.errors import UsageError
from roofline.report.plots.series import cautions, distinct, machine_title
from roofline.report.plots.sweep import sweep_figure
from roofline.runs.ask import ask_again

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BATCHES: Final = tuple(2**power for power in range(10))


def curves_figure(
    estimates: Sequence[Answer],
    kind: str,
    batches: Sequence[int] | None = None,
    *,
    title: str | None = None,
    theme: str | None = None,
) -> Figure:
    """`throughput` or `latency` over batches, by default 1, 2, 4 … 512: a curve for each estimate, whatever its batch.

    `theme`: light or dark. Raises UsageError for models of tokens beside models of pictures, and as
    `sweep_figure` does.
    """
    each = distinct(estimates)
    curves = {est.question.kind.curves[kind] for est in each}
    if len(curves) > 1:
        raise UsageError(f"--kind {kind}: models of tokens and of pictures have no axis in common; plot them apart")
    found = [
        evaluate(ask_again(est.question, {"batch": batch}), Answer) for batch in batches or _BATCHES for est in each
    ]
    told = cautions(found[-len(each) :])
    return sweep_figure(map(_row, found), x="batch", y=curves.pop(), title=title, theme=theme, note=told)


def _row(est: Answer) -> dict[str, Any]:
    """The settings of a run, and what it takes in all readings: of tokens, or of pictures."""
    titles = {"model": est.question.spec.title, "gpu": machine_title(est)}
    return {name: value for name, value in (est.inputs | totals(est) | titles).items() if value is not None}
