"""The least that must stay with the host is a remedy, in whole layers and in the engine's own words."""

from __future__ import annotations

import re
from typing import Any

import pytest

import roofline as rl

CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("llama-3.1-70b", "rtx-4090", {"engine": "llama.cpp", "weights": "q4_k_m"}),
    ("gpt-oss-20b", "rtx-3060", {"engine": "llama.cpp"}),
    ("qwen3-30b-a3b", "rtx-4090", {"engine": "generic"}),
    ("deepseek-v3", "h100", {"engine": "ktransformers", "weights": "q4_k_m"}),
]


@pytest.mark.parametrize(("model", "gpu", "options"), CASES)
def test_the_least_share_fits_and_a_layer_less_does_not(model: str, gpu: str, options: dict[str, Any]) -> None:
    fit = rl.fit(model, gpu=gpu, **options)
    trial = next(t for t in fit.remedies.each if re.match(r"(experts of )?\d+ of \d+ layers on the host", t.words))
    assert trial.fits
    part, away, layers = re.fullmatch(r"(\w+)=(\d+)/(\d+)@cpu", trial.options["offload"]).groups()  # type: ignore[union-attr]
    assert f"{away} of {layers} layers" in trial.words
    assert rl.estimate(model, gpu=gpu, **options, **trial.options).memory.fits
    less = f"{part}={int(away) - 1}/{layers}@cpu"
    assert not rl.estimate(model, gpu=gpu, **options, offload=less).memory.fits


@pytest.mark.parametrize(
    ("model", "option", "counted"),
    [("llama-3.1-70b", "-ngl", lambda away, layers: layers + 1 - away), ("gpt-oss-20b", "--n-cpu-moe", lambda a, _: a)],
)
def test_llama_cpp_is_told_in_its_own_words(model: str, option: str, counted: Any) -> None:
    """src/llama-model.cpp: layers before n_layer + 1 - n_gpu_layers lie with the CPU, the head is the last to go."""
    gpu, weights = ("rtx-4090", {"weights": "q4_k_m"}) if option == "-ngl" else ("rtx-3060", {})
    fit = rl.fit(model, gpu=gpu, engine="llama.cpp", **weights)
    found = [re.search(rf"(\d+) of (\d+) layers .*\({option} (\d+)\)$", t.words) for t in fit.remedies.each]
    away, layers, said = next(tuple(map(int, match.groups())) for match in found if match)
    assert said == counted(away, layers)


def test_layers_without_experts_count_for_llama_cpp_too() -> None:
    """DeepSeek's first three layers have none: so many layers from the first have three sets of experts fewer."""
    fit = rl.fit("deepseek-v3", gpu="h100", engine="llama.cpp", weights="q4_k_m")
    words = next(t.words for t in fit.remedies.each if "--n-cpu-moe" in t.words)
    away, said = map(int, re.search(r"of (\d+) of 58 layers .*--n-cpu-moe (\d+)", words).groups())  # type: ignore[union-attr]
    assert said == away + 3


def test_engines_that_fetch_are_not_told_to_compute_there() -> None:
    fit = rl.fit("llama-3.1-70b", gpu="rtx-4090", engine="vllm")
    assert not any("host" in trial.words for trial in fit.remedies.each)


def test_nothing_stays_away_where_it_fits() -> None:
    fit = rl.fit("llama-3.1-8b", gpu="h100", engine="llama.cpp")
    assert not any("of 32 layers" in trial.words for trial in fit.remedies.each)


@pytest.mark.parametrize("share", ["0/24", "25/24", "9/0", "9/", "a/24", "1.5/3"])
def test_parts_of_a_number_are_a_share_between_nothing_and_all(share: str) -> None:
    with pytest.raises(rl.UsageError, match="no share between 0 and 1"):
        rl.estimate("qwen3-30b-a3b", gpu="rtx-4090", offload=f"experts={share}@cpu")


def test_llama_cpp_lays_layers_over_gpus() -> None:
    """--split-mode is layer where nothing is said; a plan that is asked for stays."""
    options: dict[str, Any] = {"gpu": "rtx-4090", "engine": "llama.cpp", "weights": "q4_k_m"}
    est = rl.estimate("llama-3.1-70b", **options, gpus=2)
    assert (est.inputs["tp"], est.inputs["pp"]) == (1, 2)
    assert any("--gpus 2 is --pp 2" in note and "--split-mode layer" in note for note in est.assumptions)
    assert rl.estimate("llama-3.1-70b", **options, tp=2).inputs["tp"] == 2
    assert rl.estimate("llama-3.1-70b", **options | {"engine": "vllm"}, gpus=2).inputs["tp"] == 2
    with pytest.raises(rl.UsageError, match=r"--gpus 81 \(taken as --pp 81\)"):
        rl.estimate("llama-3.1-70b", **options, gpus=81)
    plans = [trial["plan"] for trial in rl.fit("llama-3.1-70b", **options).to_dict()["remedies"]]
    assert {plan["tp"] for plan in plans} == {1}
    assert 2 in {plan["pp"] for plan in plans}


def test_a_host_that_is_too_small_is_told_with_what_would_do() -> None:
    fit = rl.fit("deepseek-v3", gpu="rtx-4090", engine="ktransformers")
    assert "With experts on the host's cores it would, with 654 GB of host memory" in fit.verdict
    assert "--offload experts=1@cpu --host NAME" in fit.verdict
    larger = rl.fit(
        "deepseek-v3", gpu="rtx-4090", engine="ktransformers", offload="experts@cpu", host="ryzen-7950x:768GB"
    )
    assert larger.fits
