"""The sentence about a training run: its numbers are those of the answer, and a remedy that it names is one."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl
from roofline.analysis.training.telling.helping import first_fitting, options_text
from roofline.analysis.training.telling.words import gpu_hours, lasting, money, shown_rate
from roofline.report.tables.training.reached import _counted, unvisited_words


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


def test_an_option_that_is_taken_away_is_told_as_such() -> None:
    found = rl.train("llama-2-7b", gpu="a100", gpus=64, global_batch=512, attention="eager")
    assert "Without --attention eager it would" in found.verdict
    changes = {"attention": None, "zero": 3}
    assert options_text(changes, {"attention": "eager"}) == "--zero 3 without --attention eager"


def test_models_without_a_causal_mask_have_one_count_of_their_flops() -> None:
    for model in ("bert-large", "t5-large"):
        found = rl.train(model, gpu="h100", sequence=512)
        names = [name for name, _, _ in _counted(found)]
        assert "causal" not in found.verdict and names.count("model") == 1, model
    assert "encoder tokens/s" in found.verdict


def test_all_experts_are_said_to_be_why_a_share_is_more_than_the_peak() -> None:
    found = rl.train("deepseek-v3", gpu="h100", gpus=256, ep=32, pp=8, global_batch=1024, zero=3)
    assert "6 N, all and HF Trainer count all experts" in unvisited_words(found)
    assert not unvisited_words(rl.train("gpt2", gpu="h100"))


def test_a_part_is_named_once() -> None:
    control = rl.train("stable-diffusion-v1-5-controlnet", gpu="h100", part="controlnet")
    assert control.verdict.startswith("A ControlNet on Stable Diffusion 1.5 trains")
    assert rl.train("sd-vae", gpu="h100", part="vae").verdict.startswith("Autoencoder of Stable Diffusion")


def test_frozen_weights_are_explained_beside_those_that_are_trained() -> None:
    found = rl.train("sdxl", gpu="rtx-4090", lora=16, encode=True)
    told = next(each for each in found.explain() if each.quantity == "memory.weights_bytes")
    assert "4 B each of 23.2 million that are trained; 3.47 billion frozen: 2 B each" in told.substituted


def test_rows_have_their_conditions_and_the_step_is_their_sum() -> None:
    found = rl.train("llama-2-7b", gpu="a100", gpus=8, tp=2, zero=3, sequence=1024)
    rows = found.records()
    assert isinstance(rows, list) and [row["phase"] for row in rows][-1] == "step"
    assert {(row["tp"], row["dp"], row["zero"], row["sequence"], row["engine"]) for row in rows} == {
        (2, 4, 3, 1024, "torchtitan")
    }
    assert len({tuple(row) for row in rows}) == 1
    assert rows[-1]["flops"] == pytest.approx(sum(row["repeat"] * row["flops"] for row in rows[:-1]))
    assert rows[-1]["expected_s"] == pytest.approx(float(found.times.expected))


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("whisper-tiny", {}, "training of Whisper tiny 38M is not supported"),
        ("clip-l", {}, "nothing else of it can be trained"),
        ("mamba-2.8b", {"gpus": 8, "cp": 8}, "cannot be split over GPUs"),
        ("phi-3-medium", {"tp": 4}, "neither divides the other; use 1, 2, 5, 10$"),
    ],
)
def test_what_cannot_be_trained_is_said_plainly(model: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(rl.UsageError, match=words):
        rl.train(model, gpu="h100", **options)
