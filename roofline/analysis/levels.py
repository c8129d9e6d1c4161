"""One phase of a model at every level of execution, side by side."""

from __future__ import annotations

from typing import Any

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.answer.plain import plain
from roofline.runs.ask import ask, ask_again
from roofline.runs.kind import Question
from roofline.runs.load import GPULike, ModelLike


def levels(
    model: ModelLike, gpu: GPULike | None = None, *, phase: str | None = None, **options: Any
) -> list[dict[str, Any]]:
    """Kernels, bytes, peak of activations, bound and expected time of one call of a phase per level: fusion levels for
    text.

    The phase is by default `denoise` of a picture, the last of another model. Options are those of `estimate`, but for
    `fusion`. Raises UsageError for a phase that the run does not have.
    """
    return _rows(ask(model, gpu, options), phase)


def levels_of(est: Answer, phase: str | None = None) -> list[dict[str, Any]]:
    """The same of what an estimate was asked, whatever its own level."""
    return _rows(est.question, phase)


def _rows(question: Question, phase: str | None) -> list[dict[str, Any]]:
    each = {level: ask_again(question, {"fusion": level}) for level in question.kind.levels}
    return [_row(evaluate(one, Answer), level, phase) for level, one in each.items()]


def _row(est: Answer, level: str, phase: str | None) -> dict[str, Any]:
    names = [part.name for part in est.phases]
    usual = est.question.kind.level_phase
    chosen = est.phase(phase or (usual if usual in names else names[-1]))
    ledger = est.workload[chosen.name]
    precision = est.question.precision_of(ledger)
    return {
        "level": level,
        "phase": chosen.name,
        "kernels": plain(chosen.kernels),
        "flops": plain(chosen.flops),
        "bytes": plain(chosen.bytes),
        "peak_bytes": plain(ledger.peak(precision.live_bytes)),
        "floor_s": plain(chosen.times.floor),
        "bound_s": plain(chosen.times.bound),
        "expected_s": plain(chosen.times.expected),
        "total_bound_s": plain(est.latency.total.bound),
        "total_expected_s": plain(est.latency.total.expected),
    }
