"""Recommendations: a plan that is told does what is wanted by `estimate` too, and a cheaper one is not passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.errors import UnknownNameError, UsageError

HARDWARE = Path(__file__).parents[2] / "hardware"
FOUR = ["a10g", "l4", "a100", "h100"]
SERVICE: dict[str, Any] = {"users": 50, "tokens_per_s": 30, "prompt": 1000, "generate": 300}


def again(plan: Any) -> rl.Estimate:
    """The plan's run, asked for anew."""
    case = plan.case
    return rl.estimate(case.model, case.gpu, **{**case.options, **plan.options})


@pytest.fixture(scope="module")
def served() -> rl.Recommendation:
    return rl.recommend("mistral-7b", FOUR, **SERVICE)


def test_a_plan_and_what_is_out_show_themselves_on_one_line(served: rl.Recommendation) -> None:
    assert repr(served.plans[0]).startswith(f"<Plan: {served.plans[0].gpus} x {served.plans[0].gpu}, ")
    assert len(repr(served.out)) < 1000


def test_every_plan_does_what_is_wanted_by_estimate(served: rl.Recommendation) -> None:
    assert served.plans
    for plan in served.plans:
        est = again(plan)
        assert est.memory.fits and est.service is not None
        assert est.service.users == 50 and est.service.waiting == 0
        assert est.service.tpot_s is not None
        assert est.service.tpot_s.expected <= 1 / 30
        assert plan.times["tpot_s"].expected == pytest.approx(est.service.tpot_s.expected)
        assert est.inputs["gpus"] == plan.gpus


def test_plans_come_by_cost_and_the_quickest_is_among_them(served: rl.Recommendation) -> None:
    costs = [plan.cost_per_hour for plan in served.plans[:3]]
    assert costs == sorted(costs)
    best = {by: served.plans[place] for place, names in served.best.items() for by in names}
    assert set(best) == {"cost", "speed", "headroom"}
    assert best["speed"].speed == min(plan.speed for plan in served.plans)
    assert best["headroom"].headroom == max(plan.headroom for plan in served.plans)


def test_one_replica_less_does_not_do(served: rl.Recommendation) -> None:
    for plan in served.plans:
        if plan.replicas > 1 and plan.replicas <= 8:
            est = rl.estimate(
                plan.case.model, plan.case.gpu, **{**plan.options, **SERVICE_RUN, "dp": plan.replicas - 1}
            )
            assert est.service is not None and est.service.tpot_s is not None
            assert est.service.waiting > 0 or est.service.tpot_s.expected > 1 / 30


SERVICE_RUN = {"users": 50, "prompt": 1000, "generate": 300}


def test_a_million_tokens_cost_the_hour_over_what_is_written_in_it(served: rl.Recommendation) -> None:
    plan = served.plans[0]
    service = again(plan).service
    assert service is not None and plan.cost_per_hour is not None
    written = 3600 * service.output_tokens_per_s.expected
    assert plan.cost_per_million == pytest.approx(plan.cost_per_hour / written * 1e6)


def test_every_accelerator_is_told_with_its_reason(served: rl.Recommendation) -> None:
    told = {plan.gpu for plan in served.plans} | {out.gpu for out in served.out}
    assert told == {"a10g", "l4", "a100-sxm-80gb", "h100-sxm"}
    assert all(out.reason for out in served.out)
    assert any(out.reason == "would do; no price is known" for out in served.out if out.gpu == "a10g")


def test_the_verdict_names_the_first_and_the_runner_up(served: rl.Recommendation) -> None:
    assert served.verdict.startswith("Take one A100")
    assert "Runner-up: one H100" in served.verdict and "per million output tokens" in served.verdict
    assert str(served) == served.verdict and served.verdict[:60] in served._repr_html_()


def test_the_json_has_the_fields_of_the_contract(served: rl.Recommendation) -> None:
    found = served.to_dict()
    assert list(found)[:2] == ["verdict", "schema_version"]
    assert {"asked", "plans", "out"} <= set(found)
    fields = {"gpu", "gpus", "plan", "weights", "engine", "cost_per_hour", "cost_per_million_tokens", "reason"}
    assert fields <= set(found["plans"][0])
    assert {"gpu", "reason"} <= set(found["out"][0])
    json.dumps(found, allow_nan=False)


def test_a_rate_is_met_and_one_replica_less_does_not_meet_it() -> None:
    found = rl.recommend("mistral-7b", ["l4", "a100"], rate=20.0, tpot="60ms", prompt=500, generate=200)
    for plan in found.plans:
        made = plan.made_per_s.expected
        assert made >= 20.0 * (1 - 1e-6)
        assert plan.load == pytest.approx(20.0 / made)
        assert again(plan).service.requests_per_s.expected == pytest.approx(made)  # type: ignore[union-attr]


def test_pictures_are_made_at_a_rate_within_a_time() -> None:
    found = rl.recommend("sdxl", ["l4", "h100"], rate=2.0, total=10)
    assert [plan.gpu for plan in found.plans][:1] == ["h100-sxm"]
    for plan in found.plans:
        est = again(plan)
        assert est.latency.total.expected <= 10
        assert est.throughput.images.expected >= 2.0
        assert plan.cost_per_thousand == pytest.approx(plan.cost_per_hour / 3600 / 2.0 * 1e3)
    assert {out.gpu for out in found.out} == {"l4"}


def test_narrower_formats_are_taken_only_where_they_will_do() -> None:
    wide = rl.recommend("llama-3.1-70b", "h100", users=20, tokens_per_s=10)
    both = rl.recommend("llama-3.1-70b", "h100", users=20, tokens_per_s=10, formats="bf16,fp8")
    assert {plan.answer.inputs["weights"] for plan in wide.plans} == {"bf16"}
    assert both.plans[0].answer.inputs["weights"] == "fp8"
    assert both.plans[0].gpus < wide.plans[0].gpus


def test_nothing_that_does_is_exit_1_with_the_nearest_miss() -> None:
    result = CliRunner().invoke(
        app, ["recommend", "-m", "mistral-7b", "-g", "l4,a100", "--users", "5", "--tpot", "1us"], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 1
    assert result.stdout.startswith("None of 2 accelerators does what is wanted; nearest is")
    budget = rl.recommend("mistral-7b", ["h100"], users=5, budget=0.01)
    assert not budget.found and "0.01 is the budget" in budget.verdict


def test_without_users_the_run_is_taken_as_asked() -> None:
    found = rl.recommend("mistral-7b", ["l4", "h100"], batch=8, ttft=2.0)
    est = again(found.plans[0])
    assert found.plans[0].times["ttft_s"].expected == pytest.approx(est.latency.ttft.expected)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"users": 5, "rate": 1.0}, "say one of them"),
        ({"users": 0}, "users"),
        ({"rate": -1.0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"users": 5, "ttft": "5 bananas"}, "ttft"),
        ({"users": 5, "tpot": 0}, "tpot"),
        ({"users": 5, "budget": float("inf")}, "budget"),
        ({"users": 5, "max_gpus": 10_000}, "max-gpus"),
        ({"users": 5, "prompt": [1, 2]}, "takes one value"),
        ({"users": 5, "batch": 8}, "make the batch"),
        ({"users": 5, "dp": 2}, "how many replicas"),
        ({"rate": 1.0, "load": 0.5}, "give one of the two"),
        ({"users": 5, "engine": "mlx"}, "not served"),
        ({"users": 5, "colour": "red"}, "unknown option"),
        ({"users": 5, "price": -1}, "price"),
    ],
)
def test_what_has_no_sense_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rl.recommend("mistral-7b", "a100", **options)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError):
        rl.recommend("mistral-7b", ["a100", "h1000"], users=5)
    with pytest.raises(UnknownNameError):
        rl.recommend("mistral-7b", "a100", users=5, formats="q99")
    with pytest.raises(UsageError, match="one model"):
        rl.recommend(["mistral-7b", "phi-4"], "a100", users=5)  # type: ignore[arg-type]


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 300), st.floats(5.0, 80.0))
def test_more_users_never_cost_less(users: int, speed: float) -> None:
    few, many = (rl.recommend("mistral-7b", "a100", users=n, tokens_per_s=speed) for n in (users, users + 50))
    if many.found:
        assert few.found
        assert few.plans[0].cost_per_hour <= many.plans[0].cost_per_hour  # type: ignore[operator]


def test_users_that_would_wait_are_no_plan_whatever_the_bound_on_gpus() -> None:
    """A tighter bound on GPUs never makes a plan where a looser one has none, nor a cheaper one."""
    costs = []
    for most in (1, 4, 64):
        found = rl.recommend("mistral-7b", "a100", users=5000, max_gpus=most)
        costs.append(found.plans[0].cost_per_hour if found.found else float("inf"))
        assert found.found or "the others wait" in found.verdict
    assert costs == sorted(costs, reverse=True) and costs[0] == float("inf")


def test_a_run_that_writes_nothing_has_no_cost_of_tokens() -> None:
    found = rl.recommend("mistral-7b", "a100", users=5, generate=0)
    assert found.plans[0].cost_per_million is None


def test_own_accelerators_that_are_out_are_told_by_name(tmp_path: Any) -> None:
    text = (rl.load_gpu("l4").name, "l4")
    own = tmp_path / "mine-l4.yaml"
    source = next(path for path in HARDWARE.glob("l4.yaml"))
    own.write_text(source.read_text(encoding="utf-8").replace(f"name: {text[1]}", "name: mine-l4"), encoding="utf-8")
    found = rl.recommend("mistral-7b", ["mine-l4"], users=5, tpot="1us", spec_dir=str(tmp_path))
    assert not found.found and found.out[0].gpu == "mine-l4"


def test_a_limit_that_a_run_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="no first token"):
        rl.recommend("sdxl", "h100", rate=1.0, ttft=1.0)


def test_a_budget_is_not_met_by_an_unknown_price() -> None:
    found = rl.recommend("mistral-7b", "a10g", users=4, budget=1.0)
    assert not found.found and "no price is known" in found.out[0].reason


def test_prices_in_several_currencies_are_not_compared(tmp_path: Any) -> None:
    table = tmp_path / "prices.csv"
    table.write_text("name,value,currency\na100,1,EUR\nh100,1.2,USD\nl4,0.1,JPY\n", encoding="utf-8")
    found = rl.recommend("mistral-7b", ["a100", "h100", "l4"], users=20, prices=str(table))
    assert [plan.gpu for plan in found.plans if plan.cost_per_hour is not None] == ["h100-sxm"] * sum(
        plan.cost_per_hour is not None for plan in found.plans
    )


def test_pictures_are_laid_over_several_gpus_and_replicas() -> None:
    found = rl.recommend("flux.1-dev", ["a100", "rtx-4090"], rate=0.5)
    for plan in found.plans:
        assert again(plan).inputs["gpus"] == plan.gpus


def test_a_rate_may_be_given_per_minute_and_its_share_of_the_most_is_told() -> None:
    found = rl.recommend("mistral-7b", "a100", rate="240/min")
    assert found.plans[0].cost_per_hour == rl.recommend("mistral-7b", "a100", rate=4.0).plans[0].cost_per_hour
    share = found.plans[0].share
    assert share is not None and share < 0.5
    assert "a peak would wait" not in found.verdict
    near = rl.recommend("mistral-7b", "a100", rate=0.97 * 4.0 / share, max_gpus=1)
    assert "a peak would wait" in near.verdict


def test_a_plan_that_fits_is_the_reason_before_one_that_does_not() -> None:
    """Two of them hold the model: that one alone does not is no reason, a price that is not known is."""
    found = rl.recommend("llama-3.1-8b", ["4070", "4090"], users=1, budget=0.3)
    out = next(each for each in found.out if each.gpu == "rtx-4070")
    assert out.plan is not None and out.plan.gpus == 2 and "no price is known" in out.reason


def test_the_table_tells_how_many_gpus_miss_and_which_names_were_taken_for_others() -> None:
    line = ["recommend", "-m", "llama-3.1-8b", "-g", "3060,4060ti,4090", "--users", "1", "--tpot", "20ms"]
    line += ["--max-gpus", "2"]
    result = CliRunner().invoke(app, line, env={"COLUMNS": "120"})
    assert "4060ti is taken as rtx-4060-ti-8gb; there is rtx-4060-ti-16gb too" in result.stdout
    found = rl.recommend("llama-3.1-8b", ["3060", "4060ti", "4090"], users=1, tpot="20ms", max_gpus=2)
    row = next(line for line in result.stdout.splitlines() if line.startswith(" rtx-3060-12gb"))
    nearest = next(out.plan for out in found.out if out.gpu == "rtx-3060-12gb")
    assert nearest is not None and row.split()[1] == str(nearest.gpus)


def test_a_column_that_is_empty_in_every_row_is_left_out_and_others_are_explained() -> None:
    line = ["recommend", "-m", "mistral-7b", "-g", "a100"]
    users = CliRunner().invoke(app, [*line, "--users", "5"], env={"COLUMNS": "120"}).stdout
    rate = CliRunner().invoke(app, [*line, "--rate", "2"], env={"COLUMNS": "120"}).stdout
    assert "of most" not in users and "headroom: " in users and "batch: " in users
    assert "of most: " in rate
