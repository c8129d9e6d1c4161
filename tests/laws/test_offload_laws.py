"""Laws of readings with offload of pictures: floor <= bound <= expected, and the interval around what is expected."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl
from roofline.analysis.explain import explain
from roofline.analysis.explain_expected import explain_expected

MODELS = ("flux.1-dev", "sdxl", "sd3-medium", "t5-xxl", "sd-vae")
GPUS = ("rtx-3070", "rtx-4090", "l40s", "h100", "mi300x")
MODES = ("none", "model", "model@pinned", "leaf", "leaf@pinned", "group", "group=4", "group@pageable")
#: A last place of what is summed in another order.
_ROUNDING = 1e-9


def _lawful(times: Any) -> bool:
    slack = 1.0 + _ROUNDING
    rising = times.floor <= times.bound * slack and times.bound <= times.expected * slack
    return rising and times.low <= times.expected * slack and times.expected <= times.high * slack


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("engine", ["generic", "ideal"])
def test_every_quantity_has_its_readings_in_order(mode: str, engine: str) -> None:
    for model in MODELS:
        for gpu in GPUS:
            est = rl.estimate(model, gpu=gpu, offload=mode, engine=engine)
            for quantity in est.quantities:
                if quantity.times is not None and quantity.unit == "s":
                    assert _lawful(quantity.times), (model, gpu, quantity.name, quantity.times)


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("gpu", GPUS)
def test_a_run_takes_no_less_than_its_work_and_no_less_than_its_copies(mode: str, gpu: str) -> None:
    """Copies that go on behind work hide what they can of it, and no more."""
    here, away = (rl.estimate("flux.1-dev", gpu=gpu, offload=offload).latency for offload in ("none", mode))
    for reading in ("floor", "bound", "expected", "low", "high"):
        work, copies, total = (getattr(times, reading) for times in (here.total, away.transfer, away.total))
        assert max(work, copies) <= total * (1.0 + _ROUNDING)
        assert total <= (work + copies) * (1.0 + _ROUNDING)


@pytest.mark.parametrize("mode", MODES[1:])
def test_what_is_explained_is_the_sum_of_its_terms(mode: str) -> None:
    est = rl.estimate("flux.1-dev", gpu="rtx-3070", offload=mode)
    bound = next(found for found in explain(est) if found.quantity == "latency.total_s")
    assert bound.value == est.latency.total.bound
    assert ("beyond the work that hides it" in bound.substituted) == (mode in ("group", "group=4"))
    expected = next(found for found in explain_expected(est) if found.quantity == "latency.total_expected_s")
    assert sum(term.value for term in expected.terms) == pytest.approx(est.latency.total.expected, rel=1e-6)


@pytest.mark.parametrize("mode", ["model", "leaf", "group@pageable"])
def test_pageable_copies_may_be_slower_than_expected_and_quicker(mode: str) -> None:
    """What one host showed is no end of the interval: another is quicker, up to its link, or slower."""
    for gpu in GPUS:
        times = rl.estimate("sdxl", gpu=gpu, offload=mode).latency.transfer
        assert times.low < times.expected < times.high
