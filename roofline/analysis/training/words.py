"""The sentences about a training run, made from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roofline.analysis.training.answer import TrainAnswer


def verdict(answer: TrainAnswer) -> str:
    """How fast, how long, at which cost, in which memory."""
    return f"{answer.question.spec.title} trains on {answer.question.gpus} × {answer.question.gpu.title}."
