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


def test_a_run_that_nothing_holds_has_no_answer() -> None:
    assert found("llama-3-70b", "m3-max", batch=10000) is None


def test_devices_without_links_are_not_put_together() -> None:
    assert found("llama-3-70b", "m3-max", weights="fp16", batch=400) is None


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
