"""Laws of the fusion levels, over models drawn at random and models of the library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.passes.fusion.levels import apply_fusion
from roofline.runs.load import load_model
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.workload import FUSIONS, Phase, Workload

from .traffic_tables import spec_of

LIBRARY = ["mistral-7b", "gpt2", "gpt-j-6b", "mixtral-8x7b", "opt-350m", "bert-large-block", "chinchilla-73m"]
SUMMED = [name for name, kind in Op.__annotations__.items() if "Num" in str(kind) and name not in ("reused", "live")]
FORMATS = ("bf16", "fp8", "fp32")
POSITIONS = [
    {"kind": "rotary"},
    {"kind": "rotary", "rotary_dim": 4},
    {"kind": "learned", "size": 64},
    {"kind": "sinusoidal"},
    {"kind": "relative"},
    {"kind": "alibi"},
    {"kind": "none"},
]


@st.composite
def attentions(draw: st.DrawFn) -> dict[str, Any]:
    kv_heads, group = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    limit = draw(st.sampled_from([{}, {"window": 5}, {"window": 30}, {"chunk": 16}]))
    return limit | {
        "kind": "softmax",
        "heads": kv_heads * group,
        "kv_heads": kv_heads,
        "head_dim": draw(st.sampled_from([8, 16])),
        "value_dim": draw(st.sampled_from([None, 12])),
        "causal": draw(st.booleans()),
        "packed": draw(st.booleans()),
        "softmax_fp32": draw(st.booleans()),
        "sinks": draw(st.booleans()),
        "shared_cache": draw(st.booleans()),
        "value_norm": draw(st.booleans()),
        "output_norm": draw(st.booleans()),
        "qk_norm": draw(st.sampled_from([None, "head", "width"])),
        "qkv_bias": draw(st.booleans()),
    }


@st.composite
def feed_forwards(draw: st.DrawFn) -> dict[str, Any]:
    gated = draw(st.booleans())
    activation = draw(st.sampled_from(["silu", "gelu", "gelu_tanh", "gelu_new", "relu", "relu2", "quick_gelu"]))
    if draw(st.booleans()):
        extras = {"bias": draw(st.booleans()), "inner_norm": draw(st.booleans())}
        return {"kind": "dense", "width": 64, "gated": gated, "activation": activation} | extras
    routing = {"experts": 6, "top_k": draw(st.integers(1, 6)), "shared_width": draw(st.sampled_from([0, 32]))}
    return {"kind": "experts", "width": 24, "gated": gated, "activation": activation} | routing


@st.composite
def groups(draw: st.DrawFn) -> dict[str, Any]:
    parallel = draw(st.booleans())
    placement = "pre" if parallel else draw(st.sampled_from(["pre", "post"]))
    most = 2 if parallel or placement == "post" else 4
    return {
        "layers": draw(st.integers(1, 5)),
        "attention": draw(attentions()),
        "feed_forward": draw(feed_forwards()),
        "norms": draw(st.integers(0, most)),
        "parallel": parallel,
        "norm_placement": placement,
    }


@st.composite
def models(draw: st.DrawFn) -> TransformerSpec:
    positions = draw(st.sampled_from(POSITIONS))
    kind = draw(st.sampled_from(["rms", "layer"]))
    document = {
        "family": "transformer",
        "name": "drawn",
        "title": "Drawn",
        "vocabulary": 97,
        "width": 32,
        "embedding_width": draw(st.sampled_from([None, 20])),
        "max_context": 10_000,
        "positions": positions,
        "norm": {"kind": kind, "bias": kind == "layer", "weight": draw(st.booleans())},
        "embedding_norm": draw(st.booleans()),
        "final_norm": draw(st.booleans()),
        "tied_embeddings": draw(st.booleans()),
        "head": draw(st.booleans()),
        "head_bias": draw(st.booleans()),
        "blocks": tuple(draw(st.lists(groups(), min_size=1, max_size=3))),
        "sources": ("none",),
    }
    return TransformerSpec.model_validate(document)


specs = models() | st.sampled_from(LIBRARY).map(load_model) | st.just(spec_of("deepseek-v2-lite"))
runs = st.builds(
    TextRun,
    batch=st.integers(1, 9).map(float),
    prompt=st.integers(1, 90).map(float),
    generate=st.integers(1, 60).map(float),
    logits=st.sampled_from(["last", "all"]),
    latent=st.sampled_from(["naive", "absorbed"]),
)


def levels(spec: TransformerSpec, run: TextRun) -> list[Workload]:
    """The four levels, each of which should move no more than the one before."""
    ideal = build_workload(spec, run)
    eager, flash, compiled = (apply_fusion(ideal, level) for level in FUSIONS)
    return [eager, apply_fusion(ideal, "eager", attention="sdpa"), flash, compiled]


def phases(spec: TransformerSpec, run: TextRun) -> list[tuple[Phase, ...]]:
    """Prefill and, where there is one, decode, each at the four levels."""
    return list(zip(*(workload.phases for workload in levels(spec, run)), strict=True))


@settings(max_examples=150, deadline=None)
@given(specs, runs, st.sampled_from(FORMATS))
def test_more_fusion_never_moves_more_nor_launches_more(spec: TransformerSpec, run: TextRun, form: str) -> None:
    precision = Precision.of("bf16", form, form)
    for eager, sdpa, flash, compiled in phases(spec, run):
        moved = [phase.bytes(precision) for phase in (eager, sdpa, flash, compiled)]
        assert moved == sorted(moved, reverse=True)
        launched = [phase.kernels for phase in (eager, sdpa, flash, compiled)]
        assert launched == sorted(launched, reverse=True)


@settings(max_examples=150, deadline=None)
@given(specs, runs)
def test_only_eager_attention_computes_more(spec: TransformerSpec, run: TextRun) -> None:
    for eager, sdpa, flash, compiled in phases(spec, run):
        assert flash.flops == compiled.flops == sdpa.flops
        assert flash.vector_flops == compiled.vector_flops
        assert eager.flops >= flash.flops * (1 - 1e-12)


@settings(max_examples=100, deadline=None)
@given(specs, runs)
def test_no_level_changes_parameters_streamed_weights_or_the_cache(spec: TransformerSpec, run: TextRun) -> None:
    ideal = build_workload(spec, run)
    for workload in levels(spec, run):
        assert workload.parameters == ideal.parameters
        assert workload.active_parameters == ideal.active_parameters
        assert workload.embedding_parameters == ideal.embedding_parameters
        assert workload.cache_elements() == ideal.cache_elements()
        for phase, other in zip(workload.phases, ideal.phases, strict=True):
            assert phase.total(lambda op: op.weights) == other.total(lambda op: op.weights)
            for part in ("name", "repeat", "component", "boundary", "context", "tokens"):
                assert getattr(phase, part) == getattr(other, part)


@settings(max_examples=100, deadline=None)
@given(specs, runs, st.sampled_from(FORMATS))
def test_no_op_takes_back_what_it_never_used(spec: TransformerSpec, run: TextRun, form: str) -> None:
    precision = Precision.of("bf16", form, form)
    for workload in levels(spec, run):
        for phase in workload.phases:
            for op in phase.ops:
                assert min(getattr(op, name) for name in SUMMED) >= 0, op
                assert precision.live_bytes(op) >= 0, op


COUNTS = (Phase.flops.fget, Phase.vector_flops.fget, Phase.kernels.fget)


@settings(max_examples=40, deadline=None)
@given(
    specs,
    st.lists(st.integers(1, 9).map(float), min_size=1, max_size=3),
    st.lists(st.integers(1, 90).map(float), min_size=1, max_size=3),
    st.integers(1, 60).map(float),
)
def test_a_grid_is_its_scalars(
    spec: TransformerSpec, batches: list[float], prompts: list[float], generate: float
) -> None:
    precision = Precision.of("bf16")
    grid = levels(spec, TextRun(np.array(batches)[:, None], np.array(prompts)[None, :], generate))
    for i, batch in enumerate(batches):
        for j, prompt in enumerate(prompts):
            for whole, part in zip(grid, levels(spec, TextRun(batch, prompt, generate)), strict=True):
                for a, b in zip(whole.phases, part.phases, strict=True):
                    assert [op.name for op in a.ops] == [op.name for op in b.ops]
                    for of in (*COUNTS, lambda phase: phase.bytes(precision)):
                        values = np.broadcast_to(of(a), (len(batches), len(prompts)))
                        assert values[i, j] == pytest.approx(of(b), rel=1e-13)


@pytest.mark.parametrize("model", ["mistral-7b", "gpt2"])
def test_the_levels_reach_the_answer(model: str) -> None:
    eager, flash, compiled = (rl.estimate(model, gpu="a100", batch=2, fusion=level) for level in FUSIONS)
    assert len({est.memory.kv_cache_bytes_per_token for est in (eager, flash, compiled)}) == 1
    assert eager.latency.total.bound > flash.latency.total.bound > compiled.latency.total.bound
    assert eager.latency.total.floor == flash.latency.total.floor == compiled.latency.total.floor
    assert all(row.intensity >= 0 for est in (eager, compiled) for row in est.ops("decode"))


def test_flash_is_the_ledger_itself() -> None:
    workload = build_workload(load_model("mistral-7b"), TextRun())
    assert apply_fusion(workload, "flash") is workload


def test_an_unknown_level_is_refused() -> None:
    workload = build_workload(load_model("mistral-7b"), TextRun())
    with pytest.raises(ValueError, match="no fusion level 'turbo'"):
        apply_fusion(workload, "turbo")  # type: ignore[arg-type]
