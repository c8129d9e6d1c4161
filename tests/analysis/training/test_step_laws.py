"""Laws of a training step: the order of its times, and which way more devices, sharing and repetition change it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl

_MODELS = (
    "llama-3.1-8b",
    "mixtral-8x7b",
    "deepseek-v2-lite",
    "gpt2-xl",
    "qwen3-0.6b",
    "mamba2-2.7b",
    "t5-base",
    "bert-base",
)
_SPLIT = ("llama-3.1-8b", "mixtral-8x7b", "qwen3-0.6b")
_FEW = settings(max_examples=12, deadline=None)
_SIZES = st.sampled_from([256, 512])


def _train(model: str, **options: Any) -> rl.Train:
    return rl.train(model, gpu="h100", **{"engine": "megatron", **options})


@_FEW
@given(st.sampled_from(_MODELS), _SIZES, st.sampled_from([1, 4]), st.sampled_from(["none", "full"]))
def test_no_time_is_below_the_one_before(model: str, sequence: int, micro: int, recompute: str) -> None:
    """Floor, bound, expectation, and the interval around it; the expectation is the sum of its phases."""
    found = _train(model, sequence=sequence, micro_batch=micro, recompute=recompute)
    times = found.times
    assert 0.0 < times.floor <= times.bound <= times.expected <= times.high
    assert times.bound <= times.low <= times.expected
    phases = sum(float(phase.times.expected * phase.repeat) for phase in found.phases)
    assert phases <= float(times.expected) * 1.0001


@_FEW
@given(st.sampled_from(_MODELS), _SIZES)
def test_repeating_costs_work_and_saves_memory(model: str, sequence: int) -> None:
    """What is done again is hardware's work, and none of the model's."""
    plain, again = (_train(model, sequence=sequence, micro_batch=4, recompute=how) for how in ("none", "full"))
    assert again.flops.hardware > plain.flops.hardware
    assert again.flops.causal == plain.flops.causal
    assert again.memory.total_bytes < plain.memory.total_bytes
    assert again.times.expected > plain.times.expected


@_FEW
@given(st.sampled_from(_SPLIT), st.sampled_from([2, 8, 64]))
def test_each_stage_of_sharing_holds_less(model: str, gpus: int) -> None:
    """ZeRO: what replicas share, none of them holds whole; what is gathered of the weights needs room for a while."""
    held = [float(_train(model, gpus=gpus, zero=zero, sequence=512).memory.total_bytes) for zero in range(4)]
    assert held[0] > held[1] >= held[2]
    assert gpus == 2 or held[2] > held[3]


@_FEW
@given(
    st.sampled_from(_SPLIT), st.sampled_from([{"tp": 2}, {"pp": 2}, {"cp": 2}, {"dp": 2}, {"tp": 2, "pp": 2, "dp": 2}])
)
def test_the_model_has_the_same_work_however_it_is_laid_out(model: str, plan: dict[str, int]) -> None:
    """FLOPs of a step follow from tokens, not from the plan."""
    alone = _train(model, sequence=512, global_batch=16)
    spread = _train(model, sequence=512, global_batch=16, **plan)
    assert spread.flops.causal == pytest.approx(alone.flops.causal, rel=1e-12)
    assert spread.parameters.total == pytest.approx(alone.parameters.total)


@_FEW
@given(st.sampled_from(("llama-3.1-8b", "gpt2-xl", "qwen3-0.6b")), st.integers(1, 64))
def test_adapters_take_less_than_all_weights(model: str, rank: int) -> None:
    """A frozen base has no gradients of weights, no optimizer, and nothing to exchange."""
    whole, adapters = _train(model, sequence=512), _train(model, sequence=512, lora=rank)
    assert adapters.flops.causal < whole.flops.causal
    assert adapters.memory.optimizer_bytes < whole.memory.optimizer_bytes
    assert adapters.parameters.beside["trainable"] < whole.parameters.beside["trainable"] / 10


def test_a_longer_pipeline_waits_longer_and_chunks_shorten_it() -> None:
    """(p - 1) / m of the time, divided by the chunks; a third of it where gradients of weights fill the gaps."""
    options: dict[str, Any] = {"sequence": 2048, "global_batch": 32, "gpus": 4, "pp": 4}
    plain = _train("llama-3.1-8b", **options)
    chunks, filled = _train("llama-3.1-8b", **options, vpp=4), _train("llama-3.1-8b", **options, schedule="zero-bubble")
    assert float(plain.step.bubble_s) > float(chunks.step.bubble_s) > 0.0
    assert float(filled.step.bubble_s) == pytest.approx(float(plain.step.bubble_s) / 3.0, rel=0.05)
