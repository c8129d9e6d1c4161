"""Image models over several GPUs: the denoiser's tokens shared, or batches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.errors import UsageError


def _flux(**options: Any) -> rl.Estimate:
    return rl.estimate("flux.1-dev", gpu="h100", **options)


@settings(deadline=None, max_examples=12)
@given(
    cp=st.sampled_from([2, 3, 4, 8]),
    side=st.sampled_from([512, 1024]),
    fusion=st.sampled_from(["flash", "compiled", "eager"]),
)
def test_the_tokens_of_a_step_are_shared(cp: int, side: int, fusion: str) -> None:
    """FLOPs of tokens divide exactly; those of the time step and the modulations, a few rows, are done by all."""
    one, many = (
        _flux(height=side, width=side, fusion=fusion, **options).phase("denoise") for options in ({}, {"cp": cp})
    )
    assert one.flops / cp <= many.flops <= one.flops / cp * 1.01
    assert many.bytes < one.bytes
    assert many.times.floor <= many.times.bound
    assert many.communication_bytes > 0


def test_flux_on_two_gpus_is_nearly_twice_as_fast_a_step() -> None:
    one, two = _flux(), _flux(gpus=2)
    ratio = one.latency.step.bound / two.latency.step.bound
    assert 1.7 < ratio < 2
    assert two.inputs["gpus"] == two.inputs["cp"] == 2
    assert two.memory.weights_bytes == one.memory.weights_bytes
    assert two.phase("vae_decode").times == one.phase("vae_decode").times


def test_an_attention_sends_queries_keys_values_and_output() -> None:
    """Per block 4 times tokens · width / cp elements, of which half stays on each of two devices."""
    est = _flux(cp=2)
    rows = [row for row in est.ops("denoise") if row.kind == "collective"]
    tokens, width, blocks = 4096 + 512, 3072, 19 + 38
    assert sum(row.communication_bytes for row in rows) == pytest.approx(4 * tokens * width / 2 / 2 * 2 * blocks)


def test_replicas_of_an_image_model_multiply_pictures() -> None:
    one, two = (rl.estimate("sdxl", gpu="h100", **options) for options in ({}, {"dp": 2}))
    assert two.throughput.images.bound == pytest.approx(2 * one.throughput.images.bound)
    assert two.latency == one.latency


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        ("sdxl", {"cp": 2}, "is a convolution over the whole picture"),
        ("flux.1-dev", {"cp": 5}, "does not divide the 24 heads"),
        ("flux.1-dev", {"tp": 2}, "--tp is not modelled for image models"),
        ("flux.1-dev", {"gpus": 4, "cp": 2}, "does not match"),
    ],
)
def test_what_an_image_model_cannot_do_is_refused(model: str, options: dict[str, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rl.estimate(model, gpu="h100", **options)
