"""The laws of the ledger hold for latent, sparse, compressed and linear attention and for state spaces too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roofline.architectures.build import build_workload
from roofline.architectures.text.transformer import forward_ops
from roofline.passes.fusion.levels import apply_fusion
from roofline.runs.load import load_model
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.shapes import Span
from roofline.workload.span_sums import compressed_cached, compressed_pairs, sum_of_floors

MODELS = [
    "deepseek-v2-lite",
    "glm-5.2",
    "deepseek-v4-flash",
    "minimax-m3",
    "minimax-text-01",
    "qwen3-next-80b-a3b",
    "kimi-linear-48b-a3b",
    "mamba-130m",
    "mamba2-130m",
    "jamba-v0.1",
    "nemotron-3-super-120b-a12b",
    "recurrentgemma-2b",
]
models = st.sampled_from(MODELS)
small = st.integers(1, 64).map(float)
length = st.integers(1, 9000).map(float)
#: Ops whose work does not depend on how the tokens come: latent attention takes another form in a decode step.
FORMS = {"attention", "kv_b_proj", "k_up_proj", "v_up_proj"}


@settings(max_examples=40, deadline=None)
@given(models, st.integers(1, 300))
def test_prefill_is_the_sum_of_its_decode_steps(model: str, n: int) -> None:
    spec = load_model(model)
    latent = any(g.attention is not None and g.attention.kind == "latent" for g in spec.blocks)
    whole = forward_ops(spec, Span(2.0, float(n), 0.0))
    steps = forward_ops(spec, Span(2.0, 1.0, 0.0, float(n)))
    for a, b in zip(whole, steps, strict=True):
        if a.block in ("embedding", "head") or (latent and a.name in FORMS):
            continue
        assert n * float(b.flops) == pytest.approx(float(a.flops), rel=1e-12), a.name
        assert float(b.cache_held + b.state_held) == float(a.cache_held + a.state_held), a.name


@settings(max_examples=40, deadline=None)
@given(models, st.integers(2, 64), length, st.integers(0, 40).map(float))
def test_batch_scales_everything_but_weights(model: str, k: int, prompt: float, generate: float) -> None:
    spec, precision = load_model(model), Precision.of("bf16")
    one, many = (build_workload(spec, TextRun(batch, prompt, generate)) for batch in (1.0, float(k)))
    for a, b in zip(one.phases, many.phases, strict=True):
        assert float(b.flops) == pytest.approx(k * float(a.flops), rel=1e-12)
        assert float(b.vector_flops) == pytest.approx(k * float(a.vector_flops), rel=1e-12)
    assert float(many.cache_elements()) == k * float(one.cache_elements())
    assert float(many.state_bytes(precision)) == k * float(one.state_bytes(precision))
    assert many.parameters == one.parameters


@settings(max_examples=30, deadline=None)
@given(models, small, length, st.integers(2, 400).map(float))
def test_mean_decode_step_is_the_mean_over_the_steps(model: str, batch: float, prompt: float, generate: float) -> None:
    spec = load_model(model)
    steps = min(generate - 1.0, 30.0)
    mean = build_workload(spec, TextRun(batch, prompt, steps + 1.0))["decode"]
    each = [build_workload(spec, TextRun(batch, prompt + t, 2.0))["decode"] for t in range(int(steps))]
    precision = Precision.of("bf16")
    assert float(mean.flops) == pytest.approx(sum(float(p.flops) for p in each) / steps, rel=1e-12)
    assert float(mean.bytes(precision)) == pytest.approx(
        sum(float(p.bytes(precision)) for p in each) / steps, rel=1e-12
    )


@settings(max_examples=20, deadline=None)
@given(
    models,
    st.lists(small, min_size=1, max_size=3),
    st.lists(length, min_size=1, max_size=3),
    st.sampled_from(["eager", "flash", "compiled"]),
)
def test_a_grid_is_its_scalars(model: str, batches: list[float], prompts: list[float], level: str) -> None:
    spec, precision = load_model(model), Precision.of("bf16")
    grid = apply_fusion(
        build_workload(spec, TextRun(np.array(batches)[:, None], np.array(prompts)[None, :], 33.0)), level
    )  # type: ignore[arg-type]
    for i, batch in enumerate(batches):
        for j, prompt in enumerate(prompts):
            one = apply_fusion(build_workload(spec, TextRun(batch, prompt, 33.0)), level)  # type: ignore[arg-type]
            for whole, part in zip(grid.phases, one.phases, strict=True):
                for quantity in ("flops", "vector_flops", "kernels"):
                    values = np.broadcast_to(getattr(whole, quantity), (len(batches), len(prompts)))
                    assert values[i, j] == pytest.approx(getattr(part, quantity), rel=1e-12), quantity
                values = np.broadcast_to(whole.bytes(precision), (len(batches), len(prompts)))
                assert values[i, j] == pytest.approx(part.bytes(precision), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(models, small, st.integers(1, 5000).map(float))
def test_unfused_code_computes_no_less(model: str, batch: float, prompt: float) -> None:
    workload = build_workload(load_model(model), TextRun(batch, prompt, 9.0, "all"))
    unfused = apply_fusion(workload, "eager")
    precision = Precision.of("bf16")
    for phase in workload.phases:
        other = unfused[phase.name]
        assert float(other.flops) >= float(phase.flops) * (1 - 1e-12)
        assert float(other.bytes(precision)) >= float(phase.bytes(precision)) * (1 - 1e-12)
    assert unfused.parameters == workload.parameters
    assert float(unfused.cache_elements()) == float(workload.cache_elements())


@given(st.integers(0, 3000), st.integers(1, 200), st.integers(1, 300), st.one_of(st.none(), st.integers(1, 40)))
def test_sums_of_floors_are_what_a_loop_gives(past: int, steps: int, rate: int, limit: int | None) -> None:
    bound, top = float(rate), None if limit is None else float(limit)
    entries = [min(t // rate, limit if limit is not None else t) for t in range(past + steps + 1)]
    assert sum_of_floors(float(past + steps), bound, top) == sum(entries)
    span = Span(1.0, 1.0, float(past), float(steps))
    assert compressed_pairs(span, bound, top) * steps == pytest.approx(sum(entries[past + 1 :]), rel=1e-12)
    assert compressed_cached(span, bound, top) * steps == pytest.approx(sum(entries[past : past + steps]), rel=1e-12)
