"""Laws that hold for every workload, whatever the model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.architectures.text.transformer import forward_ops
from roofline.machine.machine import Machine
from roofline.machine.time import phase_cost
from roofline.runs.load import load_model
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.shapes import Span

MODELS = ["mistral-7b", "llama-2-7b", "gpt2", "gpt-j-6b", "mixtral-8x7b", "opt-350m"]
models = st.sampled_from(MODELS)
small = st.integers(1, 64).map(float)
length = st.integers(1, 9000).map(float)


def total(ops: list, quantity: str) -> float:
    return sum(op.count * getattr(op, quantity) for op in ops)


@settings(max_examples=40, deadline=None)
@given(models, st.integers(1, 300), small)
def test_causal_prefill_is_the_sum_of_its_decode_steps(model: str, n: int, batch: float) -> None:
    spec = load_model(model)
    blocks = [op for op in forward_ops(spec, Span(batch, float(n), 0.0)) if op.block.startswith("layers")]
    steps = [op for op in forward_ops(spec, Span(batch, 1.0, 0.0, float(n))) if op.block.startswith("layers")]
    assert n * total(steps, "flops") == pytest.approx(total(blocks, "flops"), rel=1e-12)
    assert total(steps, "cache_held") == total(blocks, "cache_held")


@settings(max_examples=40, deadline=None)
@given(models, st.integers(2, 64), length, st.integers(0, 40).map(float))
def test_batch_scales_flops_cache_and_activations_exactly(model: str, k: int, prompt: float, generate: float) -> None:
    spec = load_model(model)
    one = build_workload(spec, TextRun(1.0, prompt, generate))
    many = build_workload(spec, TextRun(float(k), prompt, generate))
    precision = Precision.of("bf16")
    for a, b in zip(one.phases, many.phases, strict=True):
        assert b.flops == k * a.flops
        assert b.vector_flops == k * a.vector_flops
    assert many.cache_elements() == k * one.cache_elements()
    assert many.activation_peak_bytes(precision) == k * one.activation_peak_bytes(precision)
    assert many.parameters == one.parameters


@settings(max_examples=30, deadline=None)
@given(models, small, length, st.integers(2, 5000).map(float))
def test_mean_decode_step_is_the_mean_over_the_steps(model: str, batch: float, prompt: float, generate: float) -> None:
    spec = load_model(model)
    steps = min(generate - 1.0, 50.0)
    mean = build_workload(spec, TextRun(batch, prompt, steps + 1.0))["decode"]
    each = [build_workload(spec, TextRun(batch, prompt + t, 2.0))["decode"] for t in range(int(steps))]
    precision = Precision.of("bf16")
    assert mean.flops == pytest.approx(sum(p.flops for p in each) / steps, rel=1e-12)
    assert mean.bytes(precision) == pytest.approx(sum(p.bytes(precision) for p in each) / steps, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(models, st.lists(small, min_size=1, max_size=3), st.lists(length, min_size=1, max_size=3))
def test_a_grid_is_its_scalars(model: str, batches: list[float], prompts: list[float]) -> None:
    spec = load_model(model)
    machine, precision = Machine.of(rl.load_gpu("a100")), Precision.of("bf16")
    grid = build_workload(spec, TextRun(np.array(batches)[:, None], np.array(prompts)[None, :], 33.0))
    for i, batch in enumerate(batches):
        for j, prompt in enumerate(prompts):
            scalar = build_workload(spec, TextRun(batch, prompt, 33.0))
            for whole, part in zip(grid.phases, scalar.phases, strict=True):
                a, b = phase_cost(whole, precision, machine), phase_cost(part, precision, machine)
                for name in ("flops", "bytes", "floor_s", "bound_s", "kernels", "vector_flops"):
                    values = np.broadcast_to(getattr(a, name), (len(batches), len(prompts)))
                    assert values[i, j] == pytest.approx(getattr(b, name), rel=1e-13), name


@settings(max_examples=60, deadline=None)
@given(
    models,
    st.sampled_from(["a100", "h100", "t4", "a10g", "tpu-v5e", "apple-m2"]),
    small,
    length,
    st.integers(0, 300),
    st.sampled_from(["fp32", "bf16", "fp8", "int8", "int4-g128", "q4_k", "nvfp4"]),
    st.sampled_from(["eager", "flash", "compiled"]),
)
def test_floor_is_below_bound_is_below_expected(
    model: str, gpu: str, batch: float, prompt: float, generate: int, weights: str, fusion: str
) -> None:
    est = rl.estimate(model, gpu, batch=batch, prompt=prompt, generate=generate, weights=weights, fusion=fusion)
    for phase in est.phases:
        t = phase.times
        assert 0 < t.floor <= t.bound * (1 + 1e-12)
        assert t.bound <= t.expected * (1 + 1e-12)
        assert t.low <= t.expected <= t.high


@settings(max_examples=30, deadline=None)
@given(models, small, length)
def test_more_bandwidth_never_takes_longer(model: str, batch: float, prompt: float) -> None:
    slow, fast = rl.load_gpu("a100-pcie-40gb"), rl.load_gpu("a100")
    times = [rl.estimate(model, gpu, batch=batch, prompt=prompt, generate=9).latency.total for gpu in (slow, fast)]
    assert times[1].bound <= times[0].bound
    assert times[1].floor <= times[0].floor


@settings(max_examples=30, deadline=None)
@given(models, small, length)
def test_more_bits_never_take_less_memory(model: str, batch: float, prompt: float) -> None:
    sizes = [
        float(rl.estimate(model, "a100", batch=batch, prompt=prompt, weights=weights).memory.weights_bytes)
        for weights in ("int4", "int4-g128", "int4-g32", "q5_k", "q6_k", "fp8", "q8_0", "bf16", "fp32")
    ]
    assert sizes == sorted(sizes)
