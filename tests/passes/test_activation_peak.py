"""Activations in memory at once: the fullest moment of routed experts, against sums by hand."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl

BF16 = 2.0


def _peak(model: str, **options: Any) -> float:
    return float(rl.estimate(model, "h200-sxm", generate=1, chunk="none", **options).memory.activation_peak_bytes)


@pytest.mark.parametrize("fusion", ["flash", "compiled"])
def test_experts_hold_gate_up_and_their_product_beside_input_and_residual(fusion: str) -> None:
    """Mixtral, 32 · 512 tokens: 2 rows each; x and the residual [t, 4096], three times [2 t, 14336]."""
    tokens, width, hidden = 32 * 512, 4096, 14336
    by_hand = BF16 * (tokens * width + tokens * width + 3 * 2 * tokens * hidden)
    assert _peak("mixtral-8x7b", batch=32, fusion=fusion) == by_hand


def test_reference_code_holds_rows_by_expert_and_the_activation_apart_too() -> None:
    """Gate and up side by side, silu(gate), and the product: four times [2 t, f], and x sorted by expert [2 t, d]."""
    tokens, width, hidden = 32 * 512, 4096, 14336
    by_hand = BF16 * (tokens * width + tokens * width + 2 * tokens * width + 4 * 2 * tokens * hidden)
    assert _peak("mixtral-8x7b", batch=32, fusion="eager") == by_hand


def test_narrow_shards_are_fullest_where_their_results_are_summed() -> None:
    """A 16th of Mixtral's hidden width: x, residual, the rows that came down and their sum outweigh 3 · 896."""
    tokens, width, hidden = 32 * 512, 4096, 14336 / 16
    by_hand = BF16 * (2 * tokens * width + 2 * tokens * width + max(2 * tokens * hidden, tokens * width))
    experts = _experts("mixtral-8x7b", batch=32, tp=16, pad_heads=True)
    assert experts == by_hand


def test_experts_over_sixteen_devices_hold_the_tokens_that_arrive() -> None:
    """DeepSeek-V3, 16 devices of 16 experts each: a token arrives with 1 - (15/16)^8, and 8 t rows are computed."""
    tokens, width, hidden = 16 * 256 * 512, 7168, 2048
    arrived, rows = tokens * (1 - (15 / 16) ** 8), tokens * 8 / 16
    residual = tokens / 16 * width
    moments = (3 * rows * hidden, rows * hidden + rows * width, rows * width + arrived * width)
    by_hand = BF16 * (residual + arrived * width + max(moments))
    assert _experts("deepseek-v3", batch=256, ep=16) == pytest.approx(by_hand, rel=1e-12)


def _experts(model: str, **options: Any) -> float:
    """Bytes in memory while the routed experts of a prefill run."""
    est = rl.estimate(model, "h200-sxm", generate=1, weights="bf16", chunk="none", **options)
    op = next(op for op in est.workload["prefill"].ops if op.kind == "experts")
    return float(est.question.precision.live_bytes(op))


@pytest.mark.parametrize("model", ["mixtral-8x7b", "deepseek-v3", "qwen3-30b-a3b", "gpt-oss-20b"])
@pytest.mark.parametrize("options", [{}, {"tp": 4}, {"ep": 4}, {"tp": 4, "ep": 2}, {"tp": 2, "ep": 2}, {"pp": 2}])
def test_unfused_code_never_holds_less(model: str, options: dict[str, int]) -> None:
    levels = {fusion: _peak(model, batch=8, fusion=fusion, **options) for fusion in ("eager", "flash", "compiled")}
    assert levels["eager"] >= levels["flash"] >= levels["compiled"] > 0
