"""The fewest GPUs that hold a run, with the plan over them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.analysis.fit.fewest import Reach, fewest, laid_over
from roofline.analysis.fit.trial import Case, Trial


def found(model: str, gpu: str, **options: Any) -> Trial | None:
    return fewest(Case(model, gpu, options, {}))


@pytest.mark.parametrize(
    ("model", "gpu", "options", "plan"),
    [
        ("llama-2-7b", "h100", {}, (1, 1)),
        ("llama-3-70b", "h100", {}, (2, 1)),
        ("llama-3-70b", "a100-sxm-40gb", {}, (4, 1)),
        ("deepseek-v3", "h200", {"runtime_reserve": "10%"}, (2, 3)),
        ("deepseek-v3", "h100", {"runtime_reserve": "10%"}, (8, 2)),
        ("mixtral-8x7b", "l40s", {"weights": "int8"}, (1, 1)),
    ],
)
def test_the_fewest_gpus(model: str, gpu: str, options: dict[str, str], plan: tuple[int, int]) -> None:
    """141 GB of weights need two cards of 80 GB and four of 40, 671 GB six of 141 less a tenth; beyond a node whole
    nodes count.
    """
    trial = found(model, gpu, **options)
    assert trial is not None
    assert trial.fits
    assert (trial.plan.tp, trial.plan.pp) == plan


@pytest.mark.parametrize(("gpus", "plan"), [(2, (2, 1)), (4, (2, 2)), (5, (1, 5)), (6, (2, 3)), (8, (2, 4))])
def test_where_heads_do_not_divide_layers_are_laid_over_stages(gpus: int, plan: tuple[int, int]) -> None:
    """14 heads and two of the cache are shared by two devices; for the rest there are stages."""
    case = Case("qwen2.5-0.5b", "l4", {}, {})
    single = case.tried("one GPU", {})
    first = next(laid_over(case, single, gpus, Reach.of(single, case)))
    assert (first.plan.tp, first.plan.pp) == plan


@pytest.mark.parametrize(("gpu", "batch", "devices"), [("h100", 1_000_000, 64 * 8), ("rtx-4090", 3_000, 8)])
def test_a_run_that_nothing_holds_has_no_answer(gpu: str, batch: int, devices: int) -> None:
    """All devices that links reach, nodes of a fabric or one node without, have less together than it needs."""
    case = Case("llama-3-70b", gpu, {"batch": batch}, {})
    single = case.tried("one GPU", {})
    reach = Reach.of(single, case)
    assert reach.node * reach.nodes == devices
    assert single.memory.total_bytes > devices * single.memory.usable_bytes
    assert fewest(case) is None


def test_devices_without_links_are_not_put_together() -> None:
    """Two would have the memory, as two of the same with links do."""
    case = Case("llama-3-70b", "m3-max", {}, {})
    single = case.tried("one GPU", {})
    assert single.memory.usable_bytes < single.memory.total_bytes < 2 * single.memory.usable_bytes
    assert Reach.of(single, case) == Reach(1, 1)
    assert fewest(case) is None
    linked = found("deepseek-v3", "m3-ultra", weights="mlx-8bit", node="mac-studio-2-tb5-tcp")
    assert linked is not None
    assert linked.plan.devices == 2


def test_the_plan_that_was_asked_for_does_not_matter() -> None:
    plans = [found("llama-3-70b", "h100", **options) for options in ({}, {"tp": 8}, {"pp": 4}, {"gpus": 2, "dp": 2})]
    assert {trial.plan for trial in plans if trial} == {plans[0].plan if plans[0] else None}


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["llama-2-13b", "mixtral-8x7b", "qwen2.5-14b", "llama-3-70b"]),
    st.sampled_from(["l40s", "rtx-4090", "a100-sxm-40gb", "h100"]),
    st.integers(1, 500),
)
def test_one_fewer_does_not_fit_under_the_same_rule(model: str, gpu: str, batch: int) -> None:
    """Every smaller number of devices is too small by every plan that is tried, and the answer is a run that fits."""
    case = Case(model, gpu, {"batch": batch}, {})
    trial, single = fewest(case), case.tried("one GPU", {})
    if trial is None:
        return
    assert trial.fits
    assert rl.estimate(model, gpu=gpu, batch=batch, **trial.options).memory.fits
    reach = Reach.of(single, case)
    for count in (1, *reach.counts()):
        if count < trial.plan.devices:
            assert not any(less.fits for less in laid_over(case, single, count, reach))
