"""The fewest GPUs that hold a run."""

from __future__ import annotations

import pytest
from roofline.analysis.fewest import fewest_gpus


@pytest.mark.parametrize(
    ("model", "gpu", "options", "plan"),
    [
        ("llama-2-7b", "h100", {}, (1, 1)),
        ("llama-3-70b", "h100", {}, (2, 1)),
        ("llama-3-70b", "a100-sxm-40gb", {}, (4, 1)),
        ("deepseek-v3", "h200", {}, (8, 1)),
        ("deepseek-v3", "h100", {}, (8, 2)),
        ("mixtral-8x7b", "l40s", {"weights": "int8"}, (1, 1)),
    ],
)
def test_the_fewest_gpus(model: str, gpu: str, options: dict[str, str], plan: tuple[int, int]) -> None:
    """141 GB of weights need two cards of 80 GB and four of 40; heads do not divide by three."""
    est = fewest_gpus(model, gpu, **options)
    assert est is not None
    assert est.memory.fits
    assert (est.inputs["tp"], est.inputs["pp"]) == plan


def test_a_run_that_nothing_holds_has_no_answer() -> None:
    assert fewest_gpus("llama-3-70b", "m3-max", batch=10000) is None
