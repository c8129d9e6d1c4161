"""The sentence about a training run: its numbers are those of the answer, and a remedy that it names is one."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl
from roofline.analysis.training.telling.helping import first_fitting, options_text
from roofline.analysis.training.telling.words import gpu_hours, lasting, money, shown_rate


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (45.0, "45.0 s"),
        (720.0, "12 min"),
        (11_520.0, "3 h 12 min"),
        (7_200.0, "2 h"),
        (110 * 86_400.0, "110 days"),
        (8.13 * 86_400.0, "8.1 days"),
        (4.2 * 365.25 * 86_400.0, "4.2 years"),
    ],
)
def test_lengths_of_time_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


def test_numbers_have_three_digits() -> None:
    assert shown_rate(3293.7) == "3,290"
    assert shown_rate(0.18632) == "0.186"
    assert gpu_hours(168_123.0) == "168,000 GPU-hours"
    assert money(234_444.0) == "234,000"


def test_the_verdict_says_what_the_answer_has() -> None:
    found = rl.train("llama-2-7b", gpu="a100", gpus=64, zero=3, global_batch=512, tokens=2e12)
    assert found.whole is not None
    rate = float(found.tokens_per_s.expected) / 64
    assert f"at {shown_rate(rate)} tokens/s per GPU" in found.verdict
    assert f"2 trillion tokens take {lasting(float(found.whole.seconds.expected))}" in found.verdict
    assert "causal model FLOPs" in found.verdict
    assert str(found) == found.verdict


def test_without_a_length_a_billion_tokens_are_told() -> None:
    assert "a billion tokens take" in rl.train("gpt2", gpu="a100", sequence=512).verdict


def test_the_roofline_alone_is_said_to_be_the_most() -> None:
    verdict = rl.train("gpt2", gpu="a100", sequence=512, engine="ideal").verdict
    assert "at most (the roofline's bound" in verdict


@pytest.mark.parametrize("options", [{}, {"gpus": 2, "tp": 2}, {"micro_batch": 4, "recompute": "full"}])
def test_a_remedy_that_the_verdict_names_makes_it_fit(options: dict[str, Any]) -> None:
    found = rl.train("llama-3.1-8b", gpu="rtx-4090", sequence=2048, **options)
    assert not found.memory.fits
    remedy = first_fitting(found.remedies)
    assert remedy is not None and f"With {remedy.options} it would" in found.verdict
    asked = {**options, "sequence": 2048, **remedy.changes}
    again = rl.train(
        "llama-3.1-8b", gpu="rtx-4090", **{name: value for name, value in asked.items() if value is not None}
    )
    assert again.memory.fits
    assert float(again.memory.total_bytes) == pytest.approx(float(remedy.memory.total_bytes))


def test_changes_read_as_one_would_type_them() -> None:
    assert options_text({"recompute": "full", "micro_batch": 1, "global_batch": 8}, {"micro_batch": 2}) == (
        "--recompute full --micro-batch 1 --global-batch 8"
    )
    assert options_text({"tp": 2, "pp": 1, "gpus": None}, {"gpus": 4}) == "--tp 2"
    assert options_text({"attention": None}, {"attention": "eager"}) == "without --attention eager"


def test_what_fits_has_no_remedies() -> None:
    assert rl.train("gpt2", gpu="a100", sequence=512).remedies == ()


def test_beside_adapters_it_is_told_what_trains_all_weights() -> None:
    verdict = rl.train("llama-3.1-8b", gpu="rtx-4090", sequence=2048).verdict
    assert "With --lora 16" in verdict and "; all weights with --gpus" in verdict
    adapted = rl.train("llama-3.1-8b", gpu="rtx-4090", sequence=4096, lora=16, targets="all-linear").verdict
    assert "all weights" not in adapted
