"""What one device of a training run holds at the fullest moment of a step, part by part."""

from __future__ import annotations

from collections.abc import Sequence

from roofline.analysis.training.stages import StageWork
from roofline.analysis.training.step import shared_weights
from roofline.answer.memory import Memory, Part
from roofline.runs.training.run import TrainQuestion


def memory_of(question: TrainQuestion, works: Sequence[StageWork]) -> Memory:
    """The parts on the device of the fullest stage."""
    parts = max((_parts(question, work) for work in works), key=lambda found: sum(float(part.bytes) for part in found))
    return Memory(tuple(parts), question.machine().capacity)


def _parts(question: TrainQuestion, work: StageWork) -> list[Part]:
    recipe, zero = question.recipe, question.layout.zero
    weights = gradients = states = 0.0
    for group in shared_weights(question, work):
        taught = group.parameters * group.trained
        weights += group.parameters * recipe.weights / (group.devices if zero > 2 else 1)
        gradients += taught * recipe.gradients / (group.devices if zero > 1 else 1)
        states += taught * (recipe.master + recipe.optimizer) / (group.devices if zero else 1)
    return [
        Part("weights_bytes", "weights", weights),
        Part("gradients_bytes", "gradients", gradients),
        Part("optimizer_bytes", "optimizer", states),
    ]
