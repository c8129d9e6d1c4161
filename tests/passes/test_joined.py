"""Projections of one input as one product: what is kept, what is saved, what is never joined."""

from __future__ import annotations

import pytest

import roofline as rl
from roofline.passes.fusion.joined import JOINS, join_projections
from roofline.workload.shapes import MatmulShape

MODELS = ("mistral-7b", "qwen3-32b", "deepseek-v3", "gpt-oss-20b", "gpt2", "gemma-2-9b")


def total(ops, name):  # type: ignore[no-untyped-def]
    return sum(op.count * getattr(op, name) for op in ops)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("which", JOINS)
@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_joining_keeps_flops_weights_and_results(model: str, which: str, phase: str) -> None:
    ops = rl.estimate(model, gpu="h100", batch=3, prompt=100, generate=4).workload[phase].ops
    joined = join_projections(ops, which)
    for name in ("flops", "vector_flops", "params", "active", "weights", "write", "cache_read", "cache_write"):
        assert total(joined, name) == pytest.approx(total(ops, name), rel=1e-12)
    assert total(joined, "read") <= total(ops, "read")
    assert join_projections(joined, which) == joined  # nothing is left to join


def test_a_serving_engine_runs_two_products_instead_of_five() -> None:
    ops = rl.estimate("mistral-7b", gpu="h100", generate=4).workload["decode"].ops
    products = [op for op in join_projections(ops, "all") if type(op.shape) is MatmulShape and op.block != "head"]
    widths = {"q_proj": 4096.0 + 2 * 1024.0, "o_proj": 4096.0, "gate_proj": 2 * 14336.0, "down_proj": 4096.0}
    assert [(op.name, op.shape.n) for op in products] == list(widths.items())


def test_a_packed_projection_has_no_launch_of_its_own_whatever_the_engine() -> None:
    ops = rl.estimate("gpt2", gpu="h100", generate=4).workload["decode"].ops
    names = [op.name for op in join_projections(ops, "none")]
    assert "q_proj" in names and "k_proj" not in names and "v_proj" not in names


def test_projections_of_other_inputs_stay_apart() -> None:
    """The down projections of a latent attention feed norms; what follows the norms is apart."""
    ops = rl.estimate("deepseek-v3", gpu="b200", generate=4).workload["decode"].ops
    names = [op.name for op in join_projections(ops, "all")]
    assert {"q_b_proj", "o_proj", "down_proj", "shared_down_proj"} <= set(names)
    assert "q_a_proj" not in names and "shared_up_proj" not in names
