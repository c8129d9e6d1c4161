"""What an expected time consists of."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl
from roofline.analysis.explain import Derivation, explain

CASES: list[dict[str, Any]] = [
    {"model": "llama-2-7b", "gpu": "a100", "engine": "tensorrt-llm", "batch": 8},
    {"model": "llama-2-7b", "gpu": "a100", "engine": "pytorch-eager", "fusion": "eager"},
    {"model": "llama-3-70b", "gpu": "h100-sxm", "engine": "vllm", "batch": 32, "tp": 4},
    {"model": "llama-3-70b", "gpu": "h100-sxm", "engine": "vllm", "batch": 32, "tp": 2, "pp": 4},
    {"model": "mixtral-8x7b", "gpu": "rtx-4090", "engine": "llama.cpp", "weights": "int4"},
    {"model": "sdxl", "gpu": "a100", "engine": "pytorch-compile"},
    {"model": "flux.1-dev", "gpu": "h100-sxm", "engine": "pytorch-eager", "gpus": 4},
]


def expected(**options: Any) -> dict[str, Derivation]:
    return {d.quantity: d for d in explain(rl.estimate(**options)) if d.quantity.endswith("expected_s")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['model']}-{case['engine']}")
def test_causes_sum_to_the_expected_time_and_none_is_negative(case: dict[str, Any]) -> None:
    est, found = rl.estimate(**case), expected(**case)
    for phase in est.phases:
        assert found[f"{phase.name}.expected_s"].value == float(phase.times.expected)
    assert found["latency.total_expected_s"].value == float(est.latency.total.expected)
    for derivation in found.values():
        assert sum(term.value for term in derivation.terms) == pytest.approx(derivation.value, rel=1e-9)
        assert all(term.value > 0.0 for term in derivation.terms)


def test_the_ideal_engine_has_no_expected_time_beside_the_bound() -> None:
    assert not expected(model="llama-2-7b", gpu="a100", engine="ideal")


def test_causes_follow_what_is_asked() -> None:
    def share(name: str, **options: Any) -> float:
        decode = expected(model="llama-2-7b", gpu="a100", engine="vllm", **options)["decode.expected_s"]
        return {term.name: term.value for term in decode.terms}.get(name, 0.0)

    assert share("weights", batch=1) > 0.5 * float(rl.estimate("llama-2-7b", "a100").latency.tpot.bound)  # type: ignore[union-attr]
    assert share("cache", batch=32, prompt=2048) == pytest.approx(2 * share("cache", batch=16, prompt=2048), rel=0.2)
    assert share("sequences", batch=32) == pytest.approx(2 * share("sequences", batch=16), rel=1e-6)
    assert share("step", batch=32) == pytest.approx(share("step", batch=1), rel=1e-6)
    assert share("communication") == 0.0
    assert share("communication", tp=2) > 0.0


def test_the_source_names_both_fits_and_the_lines_are_those_of_the_engine() -> None:
    decode = expected(model="llama-2-7b", gpu="a100", engine="vllm")["decode.expected_s"]
    assert "engine vllm 0.6 to 0.19: fit of" in decode.source
    assert "kernels of a100-sxm-80gb: fit of" in decode.source
    assert any(line.startswith("vllm.yaml:") and "host:" in line for line in decode.lines)
