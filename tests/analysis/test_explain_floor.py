"""The floor of a phase is explained by the values that it is the larger of, and says which that is."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl
from roofline.machine.time import floor_parts

RUNS: list[tuple[str, str, dict[str, Any]]] = [
    ("llama-3.1-8b", "rtx-3090", {"weights": "q4_k_m"}),
    ("llama-3.1-8b", "rtx-3090", {"fusion": "eager", "chunk": 128}),
    ("deepseek-v3", "h200-sxm", {"tp": 8, "ep": 8}),
    ("sdxl", "gtx-1080-ti", {}),
    ("sdxl", "rtx-4090", {"fusion": "compiled"}),
    ("flux.1-dev", "rtx-4090", {"offload": "model"}),
    ("whisper-large-v3", "a100", {"seconds": 30}),
]


@pytest.mark.parametrize(("model", "gpu", "options"), RUNS)
def test_the_longer_of_both_parts_is_the_floor(model: str, gpu: str, options: dict[str, Any]) -> None:
    est = rl.estimate(model, gpu, **options)
    told = {each.quantity: each.substituted for each in est.explain()}
    q, stage = est.question, est.question.stages().each[0]
    for phase in est.phases:
        ledger = est.workload[phase.name]
        reference = None if q.execution.level == "flash" else stage.ideal[phase.name]
        parts = floor_parts(ledger, q.precision_of(ledger), q.machine(), reference)
        assert max(parts.compute_s, parts.memory_s) == pytest.approx(phase.times.floor, rel=1e-9)
        words = told[f"{phase.name}.floor_s"]
        if parts.products:
            longer = "first" if parts.compute_s > parts.memory_s else "second"
            assert f"the {longer} is longer" in words
            assert all(part.unit in words for part in parts.products)
        else:
            assert words.startswith("no matrix products")


def test_peaks_beyond_that_of_the_format_and_saved_multiplications_are_named() -> None:
    def floor(model: str, gpu: str, phase: str, **options: Any) -> str:
        found = {each.quantity: each.substituted for each in rl.estimate(model, gpu, **options).explain()}
        return found[f"{phase}.floor_s"]

    assert "142 TFLOP/s (fp16_acc16, sums in 16 bit)" in floor("sd15", "rtx-3090", "denoise", weights="fp16")
    assert "Winograd" in floor("sdxl", "gtx-1080-ti", "vae_decode")
    assert "Winograd" not in floor("sdxl", "rtx-4090", "vae_decode")


def test_floors_of_several_stages_have_no_values() -> None:
    found = {each.quantity: each for each in rl.estimate("mixtral-8x7b", "h100-sxm", pp=4).explain()}
    assert found["decode.floor_s"].substituted == "per device, over the stages"
