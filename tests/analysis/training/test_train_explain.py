"""Every headline number of a training run has its derivation, and what it is made of sums to it."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl

PLANS: list[dict[str, Any]] = [
    {},
    {"recompute": "full"},
    {"gpus": 8, "zero": 3, "global_batch": 32},
    {"gpus": 16, "tp": 2, "pp": 2, "global_batch": 64},
    {"gpus": 8, "pp": 4, "vpp": 2, "global_batch": 64},
    {"engine": "ideal", "gpus": 4, "pp": 4, "schedule": "zero-bubble"},
]


@pytest.mark.parametrize("options", PLANS)
def test_the_parts_of_a_step_and_of_memory_sum_to_it(options: dict[str, Any]) -> None:
    answer = rl.train("llama-2-7b", gpu="a100", sequence=1024, tokens=1e9, **options)
    found = {each.quantity: each for each in answer.explain()}
    for name, value in (
        ("step.expected_s", answer.times.expected),
        ("step.exposed_communication_s", answer.step.exposed_s),
        ("memory.total_bytes", answer.memory.total_bytes),
    ):
        assert found[name].value == pytest.approx(float(value))
        assert sum(term.value for term in found[name].terms) == pytest.approx(float(value), rel=1e-6, abs=1e-9)
    for name in ("step.floor_s", "step.bound_s", "step.bubble_s", "mfu", "hfu", "run.cost", "run.energy_j"):
        assert found[name].source


def test_every_part_of_memory_is_explained() -> None:
    answer = rl.train("llama-2-7b", gpu="a100", gpus=8, zero=1, sequence=1024)
    names = {each.quantity for each in answer.explain()}
    assert {f"memory.{part.name}" for part in answer.memory.parts if float(part.bytes)} <= names


def test_explaining_costs_no_other_number() -> None:
    answer = rl.train("gpt2", gpu="a100", sequence=512)
    found = {each.quantity: each.value for each in answer.explain()}
    assert found["mfu"] == answer.mfu and found["hfu"] == answer.hfu
    assert found["flops.model_causal"] == answer.flops.causal
    assert "run.seconds" not in found
