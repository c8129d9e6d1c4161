"""The verdict: what it says is what the numbers say, and what it promises is what the changed run gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import roofline as rl
from roofline.analysis.elasticity import elasticities
from roofline.analysis.verdict.helps import Help, _best
from roofline.cli.app import app
from roofline.errors import UsageError
from roofline.machine.faster import FIGURES

RUNS: list[dict[str, Any]] = [
    {"model": "mistral-7b", "gpu": "a100", "batch": 8},
    {"model": "mistral-7b", "gpu": "h100", "batch": 1, "generate": 1, "prompt": 4096},
    {"model": "llama-3.1-70b", "gpu": "h100", "gpus": 4, "engine": "vllm"},
    {"model": "deepseek-v3", "gpu": "h200", "gpus": 8},
    {"model": "sdxl", "gpu": "a100", "batch": 2},
    {"model": "bge-m3", "gpu": "l4", "batch": 16},
    {"model": "gpt-oss-120b", "gpu": "rtx-5090", "engine": "llama.cpp", "offload": "experts=0.6@cpu"},
    {"model": "mistral-7b", "gpu": "a100", "engine": "ideal"},
    {"model": "sdxl", "gpu": "rtx-4090", "offload": "model"},
    {"model": "sdxl", "gpu": "rtx-4090", "offload": "group"},
]
#: Codes that programs read.
LIMITS = ("memory", "compute", "communication", "overhead", "host")


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run['model']}-{run['gpu']}")
def test_a_verdict_names_what_binds_the_longest_phase_with_its_time(run: dict[str, Any]) -> None:
    est = rl.estimate(**run)
    focus = est.decision.focus
    longest = max(est.phases, key=lambda phase: phase.repeat * phase.times.expected)
    assert focus.name == longest.name
    assert est.to_dict()["limits"]["limited_by"] in LIMITS
    assert est.verdict.startswith(est.question.kind.focus[longest.name].title)
    assert focus.bound_words in est.verdict
    assert est.to_dict()["verdict"] == est.verdict == next(iter(est.to_dict().values()))


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run['model']}-{run['gpu']}")
def test_what_would_help_is_what_the_changed_run_gives(run: dict[str, Any]) -> None:
    est = rl.estimate(**run)
    name = est.decision.focus.judged.name
    for help_ in est.decision.helps:
        anew = dict.fromkeys(("gpus", "tp", "pp", "ep")) if help_.kind == "gpus" else {}
        gpu = help_.change if help_.kind == "gpu" else run["gpu"]
        then = rl.estimate(**{**run, **anew, **help_.options, "gpu": gpu})
        assert then.memory.fits
        assert then.latency[name].expected == pytest.approx(help_.slower * est.latency[name].expected)
        assert help_.ratio >= 1.1


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run['model']}-{run['gpu']}")
def test_elasticities_of_a_time_are_shares_of_it(run: dict[str, Any]) -> None:
    """Better by the same factor everywhere is quicker by that factor at most."""
    est = rl.estimate(**run)
    for name, parts in elasticities(est).items():
        sign = -1.0 if name.endswith("_s") and not name.endswith("per_s") else 1.0
        assert all(-0.01 <= sign * value <= 1.01 for value in parts.values()), name
        assert 0.3 <= sum(sign * value for value in parts.values()) <= 1.05, name


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["mistral-7b", "mixtral-8x7b", "gemma-3-4b"]), st.integers(1, 64), st.integers(1, 4000))
def test_any_run_has_a_verdict(model: str, batch: int, prompt: int) -> None:
    est = rl.estimate(model, "a100", batch=batch, prompt=prompt)
    assert re.match(r"[A-Z].*\.$", est.verdict)
    assert ("does not fit" in est.verdict) == (not est.memory.fits)


def test_a_run_that_does_not_fit_says_so_first_and_names_what_would() -> None:
    est = rl.estimate("llama-3.1-70b", "a10g")
    assert est.verdict.startswith("Llama 3.1 70B in bf16 does not fit on one A10G")
    assert "it fits" in est.verdict and "cannot happen" in est.verdict
    result = CliRunner().invoke(app, ["estimate", "-m", "llama-3.1-70b", "-g", "a10g"], env={"FORCE_COLOR": "1"})
    assert result.exit_code == 0
    assert CliRunner().invoke(app, ["estimate", "-m", "llama-3.1-70b", "-g", "a10g", "--must-fit"]).exit_code == 1
    assert CliRunner().invoke(app, ["estimate", "-m", "mistral-7b", "-g", "a10g", "--must-fit"]).exit_code == 0


def test_users_of_a_service_are_told_what_each_of_them_sees() -> None:
    est = rl.estimate("llama-3.1-70b", "h200", gpus=2, engine="vllm", users=50, prompt=1000, generate=300)
    assert "Each of 50 users waits" in est.verdict and "for each further one" in est.verdict
    assert not any(help_.kind == "batch" for help_ in est.decision.helps)
    assert "does not fit" in rl.estimate("llama-3.1-70b", "a10g", users=5).verdict


def test_shares_of_the_peaks_are_those_of_the_expected_time() -> None:
    est = rl.estimate("mistral-7b", "a100", batch=8)
    for phase in est.phases:
        assert phase.mfu == pytest.approx(phase.flops / 312e12 / phase.times.expected)
        assert phase.mbu == pytest.approx(phase.bytes / 2039e9 / phase.times.expected)
        assert 0.0 < phase.mfu <= 1.0 and 0.0 < phase.mbu <= 1.0
    assert est.to_dict()["phases"][0]["mfu"] == est.phases[0].mfu


def test_writing_speed_is_one_over_the_time_per_token() -> None:
    est = rl.estimate("mistral-7b", "a100", batch=8, dp=2)
    step, rates = est.latency.tpot, est.throughput
    assert rates["decode_tokens_per_s_per_user"].expected == pytest.approx(1.0 / step.expected)
    assert rates["decode_tokens_per_s"].expected == pytest.approx(16.0 / step.expected)
    assert rates["output_tokens_per_s_per_user"].expected == pytest.approx(rates.output_tokens.expected / 16.0)


def test_pictures_are_told_each_and_per_hour() -> None:
    est = rl.estimate("sdxl", "a100", batch=2)
    assert est.latency["image_s"].expected == pytest.approx(est.latency.total.expected / 2)
    assert est.throughput["images_per_hour"].expected == pytest.approx(3600 * est.throughput.images.expected)


def test_a_grid_has_no_verdict() -> None:
    est = rl.estimate("mistral-7b", "a100", batch=np.array([1, 2]))
    with pytest.raises(UsageError, match="verdict"):
        _ = est.verdict


def test_explain_tells_the_shadow_price_of_each_figure() -> None:
    result = CliRunner().invoke(app, ["explain", "-m", "mistral-7b", "-g", "a100", "--only", "elasticity.tpot"])
    assert "10 % more, 2.24 TB/s instead of 2.04 TB/s" in " ".join(result.stdout.split())


def test_explain_tells_an_elasticity_as_the_number_that_json_has() -> None:
    result = CliRunner().invoke(app, ["explain", "-m", "mistral-7b", "-g", "a100", "--only", "elasticity.tpot"])
    told = " ".join(result.stdout.split())
    value = elasticities(rl.estimate("mistral-7b", "a100"))["tpot_s"]["bandwidth"]
    assert re.search(r"elasticity\.tpot = -(0\.9\d|1\.0\d) ", told) and "%" not in told.partition(" = d ln")[0]
    assert f"memory bandwidth: {value:.2f} (10 % more" in told


@pytest.mark.parametrize(("offload", "figure"), [("model", "host"), ("leaf@pinned", "links"), ("group", "links")])
def test_fetched_weights_depend_on_the_links_or_the_host(offload: str, figure: str) -> None:
    """Pageable copies are the host's, pinned ones the link's: no part of a fetch is `inside kernels`."""
    est = rl.estimate("sdxl", "rtx-4090", offload=offload)
    found = elasticities(est)
    assert found["transfer_s"][figure] == pytest.approx(-1.0, abs=0.01)
    assert sum(found["total_s"].values()) == pytest.approx(-1.0, abs=0.02)


def test_a_run_that_waits_for_weights_says_so() -> None:
    est = rl.estimate("sdxl", "rtx-4090", offload="model")
    times, total = est.latency, est.latency.total.expected
    share = times["transfer_s"].expected / total
    steps = 50 * times.step.expected / total
    assert f"{100 * share:.0f} % of it fetching weights" in est.verdict
    assert est.verdict.startswith(f"Denoising, {100 * steps:.0f} % of the time, is bound by compute")
    assert est.to_dict()["limits"]["fetched_share"] == pytest.approx(share)
    table = CliRunner().invoke(app, ["estimate", "-m", "sdxl", "-g", "rtx-4090", "--offload", "model"]).stdout
    goes = table.partition("Where the time goes")[2].partition("Latency")[0]
    assert "weights from the host" in goes and f"{100 * share:.1f} %" in goes


def test_weights_that_are_fetched_in_every_step_are_what_limits() -> None:
    est = rl.estimate("sdxl", "rtx-4090", offload="leaf")
    assert est.verdict.startswith("Fetching weights from the host is bound by the host")
    assert est.decision.focus.to_dict()["phase"] == "transfer"
    assert all(help_.kind != "gpu" for help_ in est.decision.helps), "a quicker GPU fetches no quicker"


def test_the_best_accelerator_brings_most_for_its_price_even_beside_one_without_a_price() -> None:
    cheap = Help("gpu", "cheap", {}, 1.5, 1 / 1.5, None, 1.0)
    dear = Help("gpu", "dear", {}, 3.0, 1 / 3.0, None, 9.0)
    idle = Help("gpu", "idle", {}, 1.01, 1 / 1.01, None, 0.1)
    assert _best([dear, cheap, idle]) == cheap, "what helps by less than a tenth is none"
    assert _best([idle]) is None


def test_the_batch_that_is_told_is_the_largest_in_doublings_that_is_quick_enough() -> None:
    est = rl.estimate("mistral-7b", "a100", batch=8)
    (found,) = [help_ for help_ in est.decision.helps if help_.kind == "batch"]
    batch, now = found.options["batch"], est.latency.tpot.expected
    assert rl.estimate("mistral-7b", "a100", batch=batch).latency.tpot.expected <= 2.0 * now
    larger = rl.estimate("mistral-7b", "a100", batch=2 * batch)
    assert larger.latency.tpot.expected > 2.0 * now or not larger.memory.fits


def test_what_limits_is_documented_code_by_code() -> None:
    """Both vocabularies that are called `limited_by` stand in the docs, each with a hint at the other."""
    docs = Path(__file__).parents[2] / "docs"
    page = (docs / "decisions.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `limited_by`"))
    assert re.findall(r"`(\w+)`", row)[1:] == list(LIMITS) == [figure.code for figure in FIGURES.values()]
    assert "service.limited_by" in page
    assert "limits.limited_by" in (docs / "serving.md").read_text(encoding="utf-8")
    for key in rl.estimate("mistral-7b", "a100").to_dict()["limits"]:
        assert f"`{key}`" in page, key
