"""Runs over several devices, through the public call: plans, memory per GPU, communication, offload."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.errors import UnknownNameError, UsageError
from roofline.machine.engine import read_engine
from roofline.runs.devices.resolve import TRANSFORMERS, plan_of, read_reserve
from roofline.workload.plan import Plan

ROW = {"weights": "fp8", "kv_cache": "fp8", "batch": 64, "prompt": 2048, "generate": 512}


def _estimate(model: str = "llama-3-70b", **options: Any) -> rl.Estimate:
    return rl.estimate(model, gpu=options.pop("gpu", "h100"), **options)


@pytest.mark.parametrize(
    ("options", "plan"),
    [
        ({"gpus": 4}, Plan(tp=4)),
        ({"tp": 4, "pp": 2}, Plan(tp=4, pp=2)),
        ({"gpus": 8, "tp": 4, "dp": 2}, Plan(tp=4, dp=2)),
        ({"gpus": 8, "ep": 8}, Plan(dp=8, ep=8)),
        ({"ep": 8}, Plan(dp=8, ep=8)),
        ({"tp": 8, "ep": 8}, Plan(tp=8, ep=8)),
        ({}, Plan()),
    ],
)
def test_options_name_a_plan(options: dict[str, int], plan: Plan) -> None:
    assert plan_of(options)[0] == plan


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tp": 3}, "does not divide the 64 query heads"),
        ({"pp": 81}, "more than the 80 layers"),
        ({"gpus": 4, "tp": 2}, "--gpus 4 does not match tp 2 × pp 1 × cp 1 × dp 1 = 2"),
        ({"tp": 0}, "--tp must be a whole number"),
        ({"tp": 1.5}, "--tp must be a whole number"),
        ({"tp": True}, "--tp must be a whole number"),
        ({"gpus": 8, "ep": 8}, "no routed experts"),
        ({"tp": 2, "node": "dgx-a100"}, "has a100-sxm-80gb, not h100-sxm"),
        ({"tp": 2, "gpu": "m3-max"}, "no link between its devices"),
        ({"tp": 16, "gpu": "rtx-4090"}, "no network to further nodes"),
        ({"tp": 2, "overlap": "some"}, "--overlap must be one of"),
        ({"offload": "heads"}, "none of weights, experts, cache"),
        ({"offload": "weights=2"}, "no share between 0 and 1"),
        ({"offload": "weights@moon"}, "neither host nor disk"),
        ({"offload": "weights,experts"}, "experts are weights"),
        ({"offload": "cache@disk", "gpu": "rtx-4090"}, "no disk"),
        ({"microbatches": 4}, "name its stages with --pp"),
        ({"runtime_reserve": "much"}, "--runtime-reserve"),
        ({"runtime_reserve": -1.0}, "--runtime-reserve"),
    ],
)
def test_what_cannot_be_is_one_clear_error(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        _estimate(**options)


def test_an_unknown_node_is_refused_with_its_neighbours() -> None:
    with pytest.raises(UnknownNameError, match="hgx-h100"):
        _estimate(tp=2, node="hgx-h10")


@given(model=st.sampled_from(["llama-2-7b", "mixtral-8x7b", "gpt2"]), batch=st.integers(1, 64))
@settings(deadline=None, max_examples=20)
def test_one_gpu_is_the_identity_and_does_not_talk(model: str, batch: int) -> None:
    plain, one = _estimate(model, batch=batch), _estimate(model, batch=batch, tp=1, pp=1, dp=1, cp=1, ep=1, gpus=1)
    assert plain.to_dict() == one.to_dict()
    assert [phase.communication_bytes for phase in one.phases] == [0.0, 0.0]


def test_tensor_parallelism_divides_memory_and_adds_communication() -> None:
    one, four = _estimate(**ROW), _estimate(**ROW, tp=4)
    assert four.memory.weights_bytes == pytest.approx(one.memory.weights_bytes / 4, rel=1e-3)
    assert four.memory.kv_cache_bytes == one.memory.kv_cache_bytes / 4
    assert four.parameters == one.parameters
    assert four.phase("prefill").flops == pytest.approx(one.phase("prefill").flops / 4, rel=1e-3)
    for phase in four.phases:
        assert phase.communication_bytes > 0
        assert phase.times.floor <= phase.times.bound
        assert phase.overlapped_s <= phase.times.bound == phase.serial_s
        assert phase.serial_s <= phase.overlapped_s + phase.communication_s


def test_the_ledger_of_a_device_adds_up_to_its_phase() -> None:
    est = _estimate(**ROW, tp=4, pp=2)
    for phase in est.phases:
        rows = est.ops(phase.name)
        assert sum(row.communication_bytes for row in rows) == pytest.approx(phase.communication_bytes)
        assert sum(row.flops for row in rows) == pytest.approx(phase.flops)
        assert sum(row.bytes for row in rows) == pytest.approx(phase.bytes)


def test_sixteen_gpus_over_two_nodes_are_bound_by_communication_in_the_prefill() -> None:
    est = _estimate(tp=16, batch=8)
    assert est.phase("prefill").bound_by == "communication"
    assert any("between nodes" in note for note in est.assumptions)


def test_replicas_multiply_throughput_and_nothing_else() -> None:
    one, three = _estimate("llama-2-7b", batch=4), _estimate("llama-2-7b", batch=4, dp=3)
    assert three.throughput.output_tokens.bound == pytest.approx(3 * one.throughput.output_tokens.bound)
    assert three.latency == one.latency
    assert three.memory.total_bytes == one.memory.total_bytes


def test_a_pipeline_holds_less_and_is_no_faster_for_one_sequence() -> None:
    one, four = _estimate("llama-2-7b"), _estimate("llama-2-7b", pp=4)
    assert four.memory.weights_bytes < 0.3 * one.memory.weights_bytes
    assert four.latency.tpot.bound >= one.latency.tpot.bound


def test_microbatches_fill_a_pipeline() -> None:
    """Sixteen sequences in four microbatches: 7 of 16 slots are bubbles in time, not 12 of 16."""
    one, four = _estimate("llama-2-7b", batch=16, prompt=2048), _estimate("llama-2-7b", batch=16, prompt=2048, pp=4)
    assert one.latency.ttft.bound / 4 < four.latency.ttft.bound < one.latency.ttft.bound * 7 / 16 * 1.15


def test_more_microbatches_leave_smaller_bubbles() -> None:
    """A prefill of 64 sequences in m parts through 4 stages takes (m + 3) / m of the work of a stage."""
    times = [
        _estimate("llama-2-7b", batch=64, prompt=2048, pp=4, microbatches=m).latency.ttft.floor for m in (1, 4, 16)
    ]
    assert times[0] / times[1] == pytest.approx(4 / (7 / 4), rel=0.02)
    assert times[1] / times[2] == pytest.approx((7 / 4) / (19 / 16), rel=0.02)


def test_experts_over_eight_gpus_hold_an_eighth_each() -> None:
    one, eight = _estimate("mixtral-8x7b"), _estimate("mixtral-8x7b", gpus=8, ep=8)
    held = [sum(row.params for row in est.ops("decode") if row.name == "experts") for est in (one, eight)]
    assert held[1] == held[0] / 8
    collectives = {row.name for row in eight.ops("decode") if row.kind == "collective"}
    assert collectives == {"experts.dispatch", "experts.combine"}


def test_what_fits_follows_from_the_spread() -> None:
    est = _estimate(tp=8, prompt=4096, generate=128)
    limit = est.memory.max_batch
    assert _estimate(tp=8, batch=limit, prompt=4096, generate=128).memory.fits
    assert not _estimate(tp=8, batch=limit + 1, prompt=4096, generate=128).memory.fits
    assert not _estimate().memory.fits


def test_the_runtime_reserve_is_held_back() -> None:
    plain, kept = (
        _estimate("llama-2-7b", engine="ideal"),
        _estimate("llama-2-7b", engine="ideal", runtime_reserve="2 GB"),
    )
    assert kept.memory.runtime_bytes == 2e9
    assert kept.memory.total_bytes == plain.memory.total_bytes + 2e9
    assert kept.memory.max_batch < plain.memory.max_batch
    assert kept.latency == plain.latency
    assert read_reserve(5, 80e9)[:2] == (5.0, "as asked")
    assert read_reserve("10%", 80e9)[0] == 8e9


@pytest.mark.parametrize("name", ["vllm", "fastertransformer", "ft", "pytorch-eager"])
def test_the_reserve_of_an_engine_is_what_its_file_says(name: str) -> None:
    found = read_reserve(name, 80e9)
    memory = read_engine(found.engine).memory
    assert found.bytes == memory.runtime
    assert read_reserve(name, 80e9, several=True).bytes == memory.runtime + memory.linked


@pytest.mark.parametrize("name", ["transformers", "fastertransformer"])
def test_a_named_reserve_says_where_it_was_read(name: str) -> None:
    est = _estimate("llama-2-7b", runtime_reserve=name)
    source = TRANSFORMERS.source if name == "transformers" else read_engine(name).memory.sources[0]
    assert est.memory.runtime_bytes > 0
    assert any(source in note for note in est.assumptions)


def test_an_engine_named_as_its_own_reserve_keeps_its_own_budget() -> None:
    """The share, the pool and the runtime are those of the engine alone."""
    plain, named = (_estimate(engine="vllm", tp=4, **reserve) for reserve in ({}, {"runtime_reserve": "vllm"}))
    assert named.memory.to_dict() == plain.memory.to_dict()


@pytest.mark.parametrize("name", ["ideal", "mlx"])
def test_a_reserve_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not known; give bytes"):
        _estimate("llama-2-7b", runtime_reserve=name)


def test_offloaded_weights_cross_the_host_link_in_every_step() -> None:
    """Half of the weights over 31.5 GB/s: 6.74e9 parameters less the embedding, of which a step reads one row."""
    est = _estimate("llama-2-7b", gpu="rtx-4090", offload="weights=0.5")
    plain = _estimate("llama-2-7b", gpu="rtx-4090")
    streamed = (6738415616 - 32000 * 4096) * 2 * 0.5
    step = est.phase("decode")
    assert step.communication_bytes == pytest.approx(streamed, rel=1e-3)
    assert step.communication_s == pytest.approx(streamed / 31.5e9, rel=1e-3)
    assert step.bound_by == "communication"
    assert est.memory.weights_bytes < 0.53 * plain.memory.weights_bytes
    hidden = _estimate("llama-2-7b", gpu="rtx-4090", offload="weights=0.5", overlap="full")
    assert hidden.latency.tpot.bound == pytest.approx(max(step.communication_s, step.serial_s - step.communication_s))


def test_offloaded_experts_leave_the_rest_at_home() -> None:
    est = _estimate("mixtral-8x7b", gpu="rtx-4090", weights="q4_k_m", offload="experts")
    loads = {row.name for row in est.ops("decode") if row.kind == "collective"}
    assert loads == {"load.experts"}
    assert est.memory.fits
    assert not _estimate("mixtral-8x7b", gpu="rtx-4090", weights="q4_k_m").memory.fits


def test_an_offloaded_cache_is_read_back_each_step() -> None:
    est = _estimate("llama-2-7b", batch=8, prompt=4096, offload="cache@host")
    plain = _estimate("llama-2-7b", batch=8, prompt=4096)
    assert est.memory.kv_cache_bytes == pytest.approx(plain.memory.kv_cache_bytes / 32)
    assert est.phase("decode").communication_bytes > 8 * 4096 * 524288


@settings(deadline=None, max_examples=15)
@given(
    tp=st.sampled_from([1, 2, 4, 8]), weights=st.sampled_from([("int4-g128", "fp8"), ("fp8", "bf16"), ("bf16", "fp32")])
)
def test_more_bits_or_fewer_gpus_never_take_less_memory(tp: int, weights: tuple[str, str]) -> None:
    few, many = (_estimate(tp=tp, weights=name).memory for name in weights)
    assert few.weights_bytes <= many.weights_bytes
    assert _estimate(tp=8, weights=weights[0]).memory.weights_bytes <= few.weights_bytes


@pytest.mark.parametrize("fusion", ["eager", "flash", "compiled"])
def test_every_fusion_level_can_be_sharded(fusion: str) -> None:
    est = _estimate(tp=2, fusion=fusion, prompt=128)
    for phase in est.phases:
        assert phase.times.floor <= phase.times.bound
    assert sum(row.count for row in est.ops("decode") if row.name.endswith("proj.all_reduce")) == 160


def test_a_node_can_be_named_in_place_of_a_gpu() -> None:
    est = rl.estimate("llama-3-8b", gpu="gb200-nvl72", tp=4)
    assert (est.inputs["gpu"], est.inputs["node"], est.inputs["gpus"]) == ("gb200", "gb200-nvl72", 4)
    assert rl.estimate("llama-3-8b", node="gb200-nvl72", tp=4).to_dict() == est.to_dict()


def test_deepseek_v3_on_a_node_of_h200_and_on_a_rack_of_gb200() -> None:
    """671 B parameters, mostly in fp8: they fit on eight H200, and 72 GB200 hold four of the 256 experts each."""
    node = rl.estimate("deepseek-v3", node="hgx-h200", tp=8, ep=8, batch=64, prompt=2048, generate=512)
    rack = rl.estimate("deepseek-v3", node="gb200-nvl72", gpus=72, ep=72, batch=64, prompt=1024, generate=512)
    assert node.memory.fits
    assert rack.memory.fits
    experts = next(op for op in rack.workload["decode"].ops if op.kind == "experts")
    assert experts.shape.experts == 4
    assert rack.throughput.output_tokens.bound > 20 * node.throughput.output_tokens.bound


def test_a_grid_over_several_gpus_equals_its_points() -> None:
    import numpy as np

    grid = _estimate(tp=2, batch=np.array([1.0, 4.0, 16.0]), pp=2)
    for index, batch in enumerate((1, 4, 16)):
        point = _estimate(tp=2, batch=batch, pp=2)
        assert grid.latency.total.bound[index] == pytest.approx(point.latency.total.bound, rel=1e-12)
        assert grid.memory.total_bytes[index] == pytest.approx(point.memory.total_bytes, rel=1e-12)


@pytest.mark.parametrize(
    "options",
    [{"tp": 4}, {"tp": 4, "pp": 2, "batch": 16}, {"tp": 16}, {"cp": 4, "overlap": "full"}, {"offload": "weights=0.5"}],
)
def test_every_number_of_a_spread_run_is_explained(options: dict[str, Any]) -> None:
    from roofline.analysis.explain import explain

    est = _estimate(**options)
    found = {d.quantity: d for d in explain(est)}
    micro = float(est.microbatches)
    for phase in est.phases:
        assert found[f"{phase.name}.flops"].value == phase.flops
        for quantity in ("flops", "bytes", "communication_bytes", "communication_s"):
            d = found[f"{phase.name}.{quantity}"]
            assert micro * sum(term.value for term in d.terms) == pytest.approx(d.value)
    weights = found["memory.weights_bytes"]
    assert sum(term.value for term in weights.terms) == pytest.approx(weights.value)
    assert found["spread.gpus"].value == est.inputs["gpus"]


def test_a_sweep_over_plans_equals_its_points() -> None:
    grid = rl.sweep("llama-3-8b", gpu="h100", tp=[1, 2, 4], batch=[1, 8])
    for i, tp in enumerate((1, 2, 4)):
        for j, batch in enumerate((1, 8)):
            point = _estimate("llama-3-8b", tp=tp, batch=batch)
            assert grid["total_s_bound"][i, j] == pytest.approx(point.latency.total.bound, rel=1e-12)


def test_exchanges_are_a_kind_of_their_own_in_the_ledger() -> None:
    from roofline.analysis.ledger import group_rows

    rows = {row.name: row for row in group_rows(_estimate(tp=4).ops("decode"), "kind")}
    assert rows["collective"].bound_by == "communication"
    assert rows["collective"].communication_bytes > 0 == rows["linear"].communication_bytes
