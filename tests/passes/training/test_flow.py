"""Which gradients are needed: what stands before a trained weight, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.architectures.text.training import training_ops
from roofline.errors import UnsupportedError, UsageError
from roofline.passes.parallel.tensor import split_tensors
from roofline.passes.training.adapters import Adapters, adapted, default_targets
from roofline.passes.training.flow import Flow, adapters_only, every_op, flows
from roofline.passes.training.gradients import backward_ops
from roofline.passes.training.kept.rules import Rules
from roofline.passes.training.kept.whole import checkpointed_of, kept_of
from roofline.passes.training.recompute import Policy, recomputed
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.plan import Plan

MODELS = ["llama-3-8b", "mixtral-8x7b", "deepseek-v2-lite", "qwen3-next-80b-a3b", "gpt2", "falcon-7b", "mamba-1.4b"]
MODELS += ["jamba-v0.1", "bert-base", "t5-base", "deepseek-v3.2", "kimi-linear-48b-a3b", "rwkv-4-7b", "gemma-3n-e4b"]


def _spec(name: str) -> TransformerSpec:
    spec = rl.load_model(name)
    assert isinstance(spec, TransformerSpec)
    return spec


def _ops(name: str, batch: float = 1.0) -> tuple[Op, ...]:
    return training_ops(_spec(name), batch, 256.0, 64.0)


def _flops(ops: tuple[Op, ...]) -> float:
    return float(sum(op.count * op.flops for op in ops))


def _lora(name: str, targets: tuple[str, ...] = ()) -> tuple[Op, ...]:
    ops = _ops(name)
    return adapted(ops, Adapters(8, targets or default_targets(ops)))


@pytest.mark.parametrize("name", MODELS)
def test_a_frozen_base_needs_fewer_gradients_than_a_trained_one(name: str) -> None:
    """With its embeddings made to need gradients, no more than all inputs; without, less."""
    ops = _lora(name)
    full, rooted, bare = (
        _flops(backward_ops(one))
        for one in (flows(ops), flows(ops, adapters_only, rooted=True), flows(ops, adapters_only))
    )
    assert bare <= rooted < full


@pytest.mark.parametrize("name", MODELS)
def test_no_policy_repeats_more_than_the_forward_pass(name: str) -> None:
    given, code = flows(_ops(name)), _spec(name).reference
    policies: tuple[Policy, ...] = ("none", "selective", "full-early", "full")
    none, core, early, full = (_flops(recomputed(given, policy, Rules(code=code))) for policy in policies)
    assert 0.0 == none <= core <= full
    assert early <= full < _flops(tuple(flow.op for flow in given))


def _kept(name: str, batch: float, *, fused: bool = False, whole: bool = True) -> float:
    rules, given = Rules(fused, code=_spec(name).reference, batch=batch), flows(_ops(name, batch))
    groups = kept_of(given, rules) if whole else checkpointed_of(given, rules)
    return float(sum(group.bytes for group in groups))


@settings(deadline=None, max_examples=30)
@given(name=st.sampled_from(MODELS), batch=st.integers(3, 16), fused=st.booleans(), whole=st.booleans())
def test_what_is_kept_grows_with_the_batch(name: str, batch: int, fused: bool, whole: bool) -> None:
    """In a straight line: what does not depend on the batch is tables and weights with an offset."""
    one, two, many = (_kept(name, float(b), fused=fused, whole=whole) for b in (2, 3, batch))
    assert many == pytest.approx(one + (two - one) * (batch - 2.0), rel=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_checkpoints_keep_less_than_layers(name: str) -> None:
    assert 0.0 < _kept(name, 1.0, whole=False) < _kept(name, 1.0)


def test_first_layer_of_a_frozen_base_is_set_apart() -> None:
    """Its projections of queries read what nothing trained stands before."""
    given = flows(_lora("llama-3-8b", ("q_proj", "v_proj")), adapters_only)
    queries = [flow for flow in given if flow.op.name == "q_proj"]
    assert [(flow.op.count, flow.inputs) for flow in queries] == [(1.0, False), (31.0, True)]
    cores = [flow for flow in given if flow.op.name == "attention"]
    assert [(flow.inputs, flow.keys, flow.values) for flow in cores] == [(True, False, True), (True, True, True)]


def test_what_an_indexer_chooses_has_no_gradient() -> None:
    """Reference code runs it without gradients: torch.no_grad in deepseek_v32 of transformers."""
    given = flows(_ops("deepseek-v3.2"))
    assert not any(flow.weights or flow.inputs for flow in given if flow.op.name.startswith("indexer"))


def test_layers_that_alternate_with_trained_ones_need_gradients_above_the_first() -> None:
    """Three of four layers are linear attention without such a matrix; the first three stand below all adapters."""
    given = flows(_lora("qwen3-next-80b-a3b", ("q_proj", "v_proj")), adapters_only)
    linear = [flow for flow in given if flow.op.name == "in_proj_qkv"]
    assert [(flow.op.count, flow.inputs) for flow in linear] == [(3.0, False), (33.0, True)]


def test_an_op_that_nobody_has_described_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="strange"):
        flows([Op("strange", "linear", "layers.attention", flops=1.0)])


def test_only_what_is_trained_has_weight_gradients() -> None:
    given: tuple[Flow, ...] = flows(_lora("gpt2"), adapters_only)
    assert {flow.op.name for flow in given if flow.weights} == {
        "qkv_proj.lora_a",
        "q_proj.lora_b",
        "k_proj.lora_b",
        "v_proj.lora_b",
    }
    assert all(flow.weights for flow in flows(_ops("gpt2"), every_op) if flow.op.params)


@pytest.mark.parametrize(("rank", "targets", "word"), [(0, ("q_proj",), "rank"), (8, (), "no names")])
def test_adapters_without_rank_or_targets_are_refused(rank: int, targets: tuple[str, ...], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        adapted(_ops("gpt2"), Adapters(rank, targets))


def test_a_target_that_matches_nothing_is_told_what_there_is() -> None:
    with pytest.raises(UsageError, match="qkv_proj, o_proj, up_proj, down_proj"):
        adapted(_ops("gpt2"), Adapters(8, ("q_proj",)))


def test_a_path_says_which_of_two_matrices_is_meant() -> None:
    ops = _ops("gpt2")
    names = {op.name for op in adapted(ops, Adapters(8, ("mlp.c_proj",))) if op.name.endswith(".lora_a")}
    assert names == {"down_proj.lora_a"}


@pytest.mark.parametrize("tp", [2, 4])
def test_adapters_are_split_with_their_matrices(tp: int) -> None:
    """All devices together do the products of B beside columns and of A beside rows once."""
    ops = _lora("llama-3-8b", ("all-linear",))
    parts = [split_tensors(ops, Plan(tp=tp), rank) for rank in range(tp)]
    for name in ("q_proj.lora_b", "v_proj.lora_b", "down_proj.lora_a", "o_proj.lora_a"):
        whole = sum(op.count * op.flops for op in ops if op.name == name)
        assert sum(op.count * op.flops for part in parts for op in part if op.name == name) == whole
    flows(parts[0], adapters_only)
