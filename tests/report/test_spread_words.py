"""Pictures and tables say over what a run is spread, whether it fits, and whose batch it is."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.report.plots.roofline import memory_figure, roofline_figure
from tests.report.figures import texts


def _said(figure: Figure, kind: str) -> str:
    return " ".join(" ".join(text.get_text().split()) for text in texts(figure, kind))


@pytest.mark.parametrize("draw", [lambda est: roofline_figure([est]), memory_figure], ids=["roofline", "memory"])
def test_a_picture_says_over_how_many_accelerators(draw: Any) -> None:
    assert "4 GPUs (tp 4)" in _said(draw(rl.estimate("llama-3-70b", "h100", tp=4)), "conditions")
    assert "each replica" in _said(draw(rl.estimate("llama-3-70b", "h100", tp=4, dp=2)), "conditions")
    assert "GPU" not in _said(draw(rl.estimate("llama-3-8b", "h100")), "conditions")


def test_plans_tell_bars_apart() -> None:
    figure = memory_figure(*(rl.estimate("llama-3-70b", "h200", **plan) for plan in ({}, {"tp": 2}, {"pp": 4})))
    names = [text.get_text() for text in texts(figure, "name")]
    assert names == ["1 GPU", "2 GPUs (tp 2)", "4 GPUs (pp 4)"]


def test_the_roofline_says_that_a_model_does_not_fit() -> None:
    """Llama 3 70B in bf16: 141 GB of weights on 80 GB; over two accelerators it fits."""
    over, fits = rl.estimate("llama-3-70b", "h100", batch=1), rl.estimate("llama-3-70b", "h100", tp=2)
    assert "Does not fit in memory: needs 142 GB, 85.0 GB usable" in _said(roofline_figure([over]), "note")
    assert "Does not fit" not in _said(roofline_figure([fits]), "note")
    assert "Does not fit in memory: 1 GPU (needs 142 GB" in _said(roofline_figure([over, fits]), "note")


def test_a_batch_of_replicas_is_told_of_each_and_of_all() -> None:
    def run(*options: str) -> str:
        command = ["estimate", "-m", "llama-3-70b", "-g", "h100", "--tp", "4", "-b", "32", *options]
        return " ".join(CliRunner().invoke(app, command).stdout.split())

    two = run("--dp", "2")
    assert "batch 32 per replica, prompt" in two
    assert "2 replicas, each with a batch of 32: 64 in all" in two
    assert "One batch of 32 per replica, all at once (static); throughput of 2 replicas (64 sequences)" in two
    assert "whole batch" not in two
    one = run()
    assert "replica" not in one
    assert "One batch, all at once (static)" in one
    assert rl.estimate("llama-3-70b", "h100", tp=4, dp=2, batch=32).inputs["batch_in_all"] == 64
    assert rl.estimate("llama-3-8b", "h100", batch=32).inputs["batch_in_all"] == 32


def test_experts_alone_make_replicas_of_the_attention() -> None:
    est = rl.estimate("deepseek-v3", "h200", ep=16, batch=4)
    assert (est.inputs["batch"], est.inputs["batch_in_all"]) == (4, 64)
    assert "batch 4 per replica" in str(est)
