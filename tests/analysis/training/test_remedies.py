"""What is proposed where a step does not fit can be asked, changes one thing, and does not need more."""

from __future__ import annotations

from typing import Any

import pytest

from roofline.analysis.training.answer import TrainAnswer
from roofline.analysis.training.evaluate import evaluate_training
from roofline.analysis.training.remedies import remedies
from roofline.runs.training.ask import train_question

_ASKED: dict[str, Any] = {"sequence": 2048, "micro_batch": 4, "global_batch": 64, "engine": "megatron"}


def _needed(options: dict[str, Any]) -> float:
    question = train_question("llama-2-7b", gpu="a100", **options)
    return float(evaluate_training(question, TrainAnswer).memory.total_bytes)


@pytest.mark.parametrize("more", [{}, {"gpus": 8}, {"gpus": 16, "zero": 2, "tp": 2}, {"zero": 0, "gpus": 2}])
def test_each_can_be_asked_and_helps(more: dict[str, Any]) -> None:
    """Every proposal is a question of its own that needs less than the one it mends."""
    asked = {**_ASKED, **more}
    question, before = train_question("llama-2-7b", gpu="a100", **asked), _needed(asked)
    found = remedies(question)
    assert {"recompute", "micro_batch", "optimizer"} <= {name for remedy in found for name in remedy.changes}
    for remedy in found:
        if "lora" not in remedy.changes:
            assert _needed(remedy.asked(question)) < before, remedy.words


def test_nothing_is_proposed_that_is_done_already() -> None:
    """Layers that are done again, one sequence at a time, moments in 8 bit, one GPU."""
    asked = {**_ASKED, "recompute": "full", "micro_batch": 1, "optimizer": "adamw-8bit", "precision": "bf16-pure"}
    changed = [set(remedy.changes) for remedy in remedies(train_question("llama-2-7b", gpu="a100", **asked))]
    assert not any({"recompute", "micro_batch", "optimizer", "precision", "zero"} & names for names in changed)


def test_a_micro_batch_that_still_divides_is_proposed() -> None:
    """Of 6 sequences on one replica in steps of 18: 3, whose steps are whole; of 1 none."""
    question = train_question("llama-2-7b", gpu="a100", **{**_ASKED, "micro_batch": 6, "global_batch": 18})
    assert [r.changes["micro_batch"] for r in remedies(question) if "micro_batch" in r.changes] == [3]
