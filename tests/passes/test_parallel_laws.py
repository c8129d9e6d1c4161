"""Laws of sharding: what is split adds up to the whole, one device is the identity, and nothing talks to itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.architectures.build import build_workload
from roofline.errors import UnsupportedError, UsageError
from roofline.passes.parallel.rules import rule_of
from roofline.passes.parallel.shard import shard
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.plan import Plan
from roofline.workload.run import TextRun
from roofline.workload.shapes import AttentionShape
from roofline.workload.workload import Workload

MODELS = ["llama-3-70b", "mixtral-8x7b", "gpt-j-6b", "mistral-7b", "opt-125m", "gpt2", "llama-2-7b"]
RUN = TextRun(8.0, 512.0, 128.0)


def _whole(model: str, run: TextRun = RUN) -> Workload:
    return build_workload(rl.load_model(model), run)


def _devices(workload: Workload, plan: Plan) -> list[Workload]:
    ranks = max(plan.tp, plan.ep)
    return [shard(workload, plan, stage=s, rank=r) for s in range(plan.pp) for r in range(ranks)]


def _is_split(op: Op) -> bool:
    return op.kind != "collective" and rule_of(op) not in ("whole",)


def _sum(workload: Workload, phase: str, quantity: str) -> float:
    return float(sum(op.count * getattr(op, quantity) for op in workload[phase].ops if _is_split(op)))


@settings(deadline=None, max_examples=40)
@given(
    model=st.sampled_from(MODELS),
    tp=st.sampled_from([2, 3, 4, 6, 8, 12]),
    pp=st.sampled_from([1, 2, 3, 5]),
    phase=st.sampled_from(["prefill", "decode"]),
)
def test_split_ops_add_up_to_the_whole(model: str, tp: int, pp: int, phase: str) -> None:
    """FLOPs of every op that is split, over tensor ranks and stages; key-value heads only where each has its own."""
    workload, plan = _whole(model), Plan(tp=tp, pp=pp)
    core = next(op.shape for op in workload["prefill"].ops if isinstance(op.shape, AttentionShape))
    if core.heads % tp or core.kv_heads % tp:
        return
    devices = _devices(workload, plan)
    for quantity in ("flops", "cache_read", "cache_write", "cache_held"):
        split = sum(_sum(device, phase, quantity) for device in devices)
        assert split == pytest.approx(_sum(workload, phase, quantity), rel=1e-12)


@settings(deadline=None, max_examples=40)
@given(model=st.sampled_from(MODELS), tp=st.sampled_from([2, 4, 8]), pp=st.sampled_from([1, 2, 3]))
def test_parameters_add_up_but_for_what_is_replicated(model: str, tp: int, pp: int) -> None:
    workload = _whole(model)
    core = next(op.shape for op in workload["prefill"].ops if isinstance(op.shape, AttentionShape))
    if core.heads % tp or core.kv_heads % tp:
        return
    devices = _devices(workload, Plan(tp=tp, pp=pp))
    ops = workload["prefill"].ops
    replicated = sum(op.count * op.params for op in ops if not _is_split(op))
    replicated += sum(op.count * _bias(op) for op in ops if rule_of(op) == "row" or op.name == "experts")
    tied = next((op for op in ops if op.name == "head"), None)
    copy = float(tied.weights) if tied is not None and not tied.params and pp > 1 else 0.0
    assert sum(device.parameters for device in devices) == pytest.approx(
        workload.parameters + (tp - 1) * replicated + copy, rel=1e-12
    )


def _bias(op: Op) -> float:
    shape = op.shape
    return float(shape.n) if getattr(shape, "bias", False) else 0.0


@given(model=st.sampled_from(MODELS))
def test_one_device_is_the_identity(model: str) -> None:
    workload = _whole(model)
    assert shard(workload, Plan()) is workload


@given(model=st.sampled_from(MODELS), dp=st.sampled_from([1, 2, 7]))
def test_replicas_do_not_talk(model: str, dp: int) -> None:
    for phase in shard(_whole(model), Plan(dp=dp)).phases:
        assert not any(op.kind == "collective" for op in phase.ops)
        assert phase.total(lambda op: op.communication) == 0.0


@settings(deadline=None)
@given(ep=st.sampled_from([2, 4, 8]), batch=st.integers(1, 64))
def test_experts_add_up_over_an_expert_parallel_group(ep: int, batch: int) -> None:
    """Replicas send their tokens: all experts of the group do the work of all its tokens."""
    workload = _whole("mixtral-8x7b", TextRun(float(batch), 64.0, 8.0))
    devices = [shard(workload, Plan(dp=ep, ep=ep), rank=rank) for rank in range(ep)]
    for phase in ("prefill", "decode"):
        whole = next(op for op in workload[phase].ops if op.kind == "experts")
        own = [next(op for op in device[phase].ops if op.kind == "experts") for device in devices]
        assert sum(op.params for op in own) == whole.params
        assert sum(op.flops for op in own) == pytest.approx(ep * whole.flops)
        assert sum(float(op.weights) for op in own) >= float(whole.weights) * (1 - 1e-12)


def test_uneven_experts_leave_the_first_devices_with_more() -> None:
    workload = _whole("mixtral-8x7b")
    held = [
        next(op for op in shard(workload, Plan(dp=3, ep=3), rank=r)["decode"].ops if op.kind == "experts").params
        for r in range(3)
    ]
    each = held[0] / 3
    assert held == [3 * each, 3 * each, 2 * each]


@settings(deadline=None)
@given(cp=st.sampled_from([2, 4, 8]), tp=st.sampled_from([1, 2]))
def test_a_prompt_adds_up_over_context_ranks(cp: int, tp: int) -> None:
    workload = _whole("mistral-7b")
    device = shard(workload, Plan(tp=tp, cp=cp))["prefill"]
    blocks = [op for op in workload["prefill"].ops if op.block != "head"]
    own = sum(op.count * op.flops for op in device.ops if op.block != "head")
    assert own * cp * tp == pytest.approx(sum(op.count * op.flops for op in blocks), rel=1e-12)
    assert device.total(lambda op: op.cache_held) * cp * tp == workload["prefill"].total(lambda op: op.cache_held)


def test_key_value_heads_are_replicated_beyond_their_number() -> None:
    """64 query heads and 8 key-value heads on 16 devices: each has 4 query heads and one key-value head."""
    device = shard(_whole("llama-3-70b"), Plan(tp=16))
    core = next(op.shape for op in device["decode"].ops if isinstance(op.shape, AttentionShape))
    assert (core.heads, core.kv_heads) == (4.0, 1.0)
    assert device.cache_elements() * 8 == _whole("llama-3-70b").cache_elements()


def test_a_layer_has_two_all_reduces_and_side_by_side_blocks_one() -> None:
    def count(model: str) -> float:
        ops = shard(_whole(model), Plan(tp=2))["decode"].ops
        return sum(op.count for op in ops if op.name.endswith("proj.all_reduce"))

    assert count("llama-3-70b") == 160
    assert count("gpt-j-6b") == 28


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan(tp=3), "does not divide the 32 query heads"),
        (Plan(pp=33), "more than the 32 layers"),
        (Plan(dp=8, ep=8), "no routed experts"),
        (Plan(tp=2, ep=3), "one must divide the other"),
        (Plan(tp=2, dp=2, ep=8), "does not fit on"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(plan: Plan, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        shard(_whole("mistral-7b"), plan)


def test_more_devices_than_experts_are_refused() -> None:
    with pytest.raises(UsageError, match="more than the 8 experts"):
        shard(_whole("mixtral-8x7b"), Plan(dp=16, ep=16))


def test_heads_are_padded_where_that_is_asked() -> None:
    device = shard(_whole("mistral-7b"), Plan(tp=3, pad_heads=True))
    core = next(op.shape for op in device["decode"].ops if isinstance(op.shape, AttentionShape))
    assert core.heads == pytest.approx(11)


def test_an_op_that_does_not_say_how_it_is_split_is_refused() -> None:
    workload = Workload((_whole("mistral-7b").phases[0],))
    strange = Op("strange", "scan", "layers.attention")
    ops = (*workload.phases[0].ops, strange)
    changed = Workload((type(workload.phases[0])("prefill", ops, tokens=1.0),))
    with pytest.raises(UnsupportedError, match="does not say how it is split"):
        shard(changed, Plan(tp=2))
    assert shard(changed, Plan(pp=2))


@pytest.mark.parametrize(
    "model", [name for name in rl.list_models() if isinstance(rl.load_model(name), TransformerSpec)]
)
def test_no_part_of_any_model_gets_lost(model: str) -> None:
    """Two devices together do, hold and cache no less than one, and what they have twice is a small part of it."""
    workload = _whole(model, TextRun(4.0, 256.0, 64.0))
    try:
        devices = _devices(workload, Plan(tp=2))
    except UsageError as error:
        assert "divide" in str(error)
        return
    for phase in [phase.name for phase in workload.phases]:
        ratio = sum(float(device[phase].flops) for device in devices) / float(workload[phase].flops)
        assert 1 - 1e-9 <= ratio <= 1.15
    assert 1 - 1e-9 <= sum(device.parameters for device in devices) / workload.parameters <= 1.1
    cache = sum(float(device.cache_elements()) for device in devices)
    assert float(workload.cache_elements()) * (1 - 1e-9) <= cache <= 2 * float(workload.cache_elements())


@settings(deadline=None, max_examples=20)
@given(
    model=st.sampled_from(["qwen3-next-80b-a3b", "mamba-2.8b", "granite-4.0-h-small", "minimax-text-01"]),
    pp=st.integers(1, 5),
)
def test_stages_of_a_hybrid_add_up(model: str, pp: int) -> None:
    workload = _whole(model, TextRun(4.0, 256.0, 64.0))
    devices = [shard(workload, Plan(pp=pp), stage=stage) for stage in range(pp)]
    for phase in ("prefill", "decode"):
        assert sum(float(d[phase].flops) for d in devices) == pytest.approx(float(workload[phase].flops), rel=1e-12)
