"""A serving engine's answer: laws over users, what validate expects, and what is told where there is none."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.answer.service import LIMITS, Service
from roofline.errors import UsageError
from roofline.evidence.runs.rows import read_runs
from roofline.evidence.runs.runs import prepare
from roofline.evidence.runs.shipped import SERVED
from roofline.machine.engine import engine_names, load_engine, read_engine
from roofline.specs.server import Server
from tests.laws.questions import at_rates

MODELS = ("llama-3.1-8b", "mixtral-8x7b", "bamba-9b", "gemma-2-9b", "deepseek-v2-lite")
GPUS = ("h100", "a100", "l4", "b200", "mi300x")
SERVERS = ("vllm", "sglang", "tensorrt-llm", "lmdeploy", "generic", "llama.cpp")
USERS = (1, 2, 3, 8, 17, 64, 256, 5000)
RATES = ((1.3, 1.0), (1.0, 2.0), (3.0, 3.0))
READINGS = ("floor", "bound", "expected", "low", "high")
SLACK = 1e-6

QUESTIONS = st.fixed_dictionaries(
    {
        "gpu": st.sampled_from(GPUS),
        "engine": st.sampled_from(SERVERS),
        "prompt": st.sampled_from((1, 64, 500, 2000, 9000)),
        "generate": st.sampled_from((1, 2, 10, 100, 1000)),
        "tp": st.sampled_from((1, 2)),
    }
)


def served(model: str, **options: Any) -> Service:
    """The steady load of a question."""
    found = rl.estimate(model, **options).service
    assert found is not None
    return found


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(MODELS), QUESTIONS)
def test_one_user_has_the_static_answer(model: str, options: dict[str, Any]) -> None:
    est = rl.estimate(model, users=1, **options)
    assert est.service is not None
    assert est.service.ttft_s == est.latency.ttft
    assert est.service.tpot_s == (est.latency.tpot if options["generate"] > 1 else None)
    for reading in READINGS:
        static = getattr(est.latency.total, reading)
        assert getattr(est.service.request_s, reading) == pytest.approx(static, rel=1e-9)


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(MODELS), QUESTIONS)
def test_more_users_are_never_quicker_and_never_make_less_while_all_of_them_run(
    model: str, options: dict[str, Any]
) -> None:
    found = [served(model, users=users, **options) for users in USERS]
    for before, after in pairwise(found):
        for name in ("ttft_s", "tpot_s", "request_s"):
            first, then = getattr(before, name), getattr(after, name)
            if first is not None:
                assert all(getattr(then, r) >= getattr(first, r) * (1 - SLACK) for r in READINGS), (name, first, then)
        if not after.waiting:
            less, more = before.output_tokens_per_s.expected, after.output_tokens_per_s.expected
            assert more >= less * (1 - 1e-3)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(MODELS), QUESTIONS, st.sampled_from(USERS))
def test_readings_are_in_order_and_a_token_takes_a_step_at_least(
    model: str, options: dict[str, Any], users: int
) -> None:
    est = rl.estimate(model, users=users, **options)
    assert est.service is not None
    for name, times in est.service.quantities():
        if times is not None:
            floor, bound, expected, low, high = (float(value) for value in times)
            sign = -1.0 if "per_s" in name else 1.0
            assert sign * floor <= sign * bound + SLACK * abs(bound)
            assert sign * bound <= sign * expected + SLACK * abs(expected)
            assert low <= expected * (1 + SLACK)
            assert expected <= high * (1 + SLACK)
    if est.service.tpot_s is not None:
        assert est.latency.tpot is not None
        assert all(getattr(est.service.tpot_s, r) >= getattr(est.latency.tpot, r) * (1 - SLACK) for r in READINGS)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(MODELS), QUESTIONS, st.sampled_from(USERS))
def test_users_are_requests_per_second_times_the_time_of_a_request(
    model: str, options: dict[str, Any], users: int
) -> None:
    found = served(model, users=users, **options)
    assert found.requests_per_s.expected * found.request_s.expected == pytest.approx(users)
    assert found.running + found.waiting == users
    assert found.limited_by in LIMITS
    assert (found.limited_by in ("cache", "sequences")) == (found.waiting > 0)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(MODELS), QUESTIONS, st.sampled_from(USERS), st.sampled_from(RATES))
def test_a_faster_chip_is_never_slower_per_token_and_per_request(
    model: str, options: dict[str, Any], users: int, rates: tuple[float, float]
) -> None:
    """The first token may come later where decoding is faster: then prompts come more often."""
    gpu = rl.load_gpu(options["gpu"])
    slow = served(model, users=users, **options | {"gpu": gpu})
    fast = served(model, users=users, **options | {"gpu": at_rates(gpu, *rates)})
    assert fast.request_s.expected <= slow.request_s.expected * (1 + SLACK)
    if slow.tpot_s is not None:
        assert fast.tpot_s is not None
        assert all(getattr(fast.tpot_s, r) <= getattr(slow.tpot_s, r) * (1 + SLACK) for r in READINGS)


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(MODELS), QUESTIONS)
def test_a_sweep_over_users_is_what_single_answers_are(model: str, options: dict[str, Any]) -> None:
    swept = rl.sweep(model, users=USERS, **options)
    for place, users in enumerate(USERS):
        est = rl.estimate(model, users=users, **options)
        assert est.service is not None
        assert swept["served_running"][place] == est.service.running
        for name, times in est.service.quantities():
            value = swept[f"served_{name}"][place]
            expected = None if times is None else times.expected
            assert value == pytest.approx(float("nan") if expected is None else expected, rel=1e-9, nan_ok=True)
        assert swept["ttft_s"][place] == pytest.approx(est.latency.ttft.expected, rel=1e-9)


def test_a_sweep_over_chips_gives_each_the_batch_that_it_holds() -> None:
    swept = rl.sweep("llama-3.1-8b", gpu=["l4", "h100"], engine="vllm", users=[2, 900], prompt=4000)
    assert swept["fits"].all()
    assert swept["served_running"][0, 1] < 20 < swept["served_running"][1, 1]


def test_a_sweep_without_users_has_no_columns_of_them() -> None:
    assert not any(name.startswith("served") for name in rl.sweep("llama-3.1-8b", gpu="h100", batch=[1, 2]).columns)


@pytest.mark.parametrize("place", range(0, 420, 35))
def test_a_token_takes_what_validate_expects_of_served_runs(place: int) -> None:
    run = read_runs(SERVED)[place]
    prepared = prepare(run)
    options: dict[str, Any] = {"tp": run.plan.tp, "ep": run.plan.ep, "weights": run.weights, "kv_cache": run.kv_cache}
    lengths: dict[str, Any] = {"prompt": run.prompt, "generate": run.generate, "users": run.batch}
    est = rl.estimate(run.model, gpu=run.gpu, engine=run.engine, batch=run.batch, **options | lengths)
    assert est.service is not None
    if not est.service.waiting:
        assert est.service.tpot_s is not None
        expected = prepared.expected(load_engine(run.engine))
        assert est.service.tpot_s.expected == pytest.approx(expected, rel=1e-3)


def test_others_prompts_slow_a_service_down() -> None:
    """Llama 3.1 70B on two H200 at 50 users: 27 ms per token of a static batch, 41 ms of a served one."""
    est = rl.estimate("llama-3.1-70b", gpu="h200", tp=2, engine="vllm", users=50, prompt=1000, generate=300)
    assert est.service is not None
    assert est.service.tpot_s is not None
    assert est.latency.tpot is not None
    assert est.latency.tpot.expected == pytest.approx(26.8e-3, rel=0.05)
    assert est.service.tpot_s.expected == pytest.approx(40.7e-3, rel=0.05)


def test_users_make_the_batch_of_a_replica_where_none_is_given() -> None:
    est = rl.estimate("llama-3.1-8b", gpu="h100", engine="vllm", users=50, dp=4)
    assert (est.question.run.batch, est.inputs["users"], est.inputs["batch"]) == (13.0, 50, 13)
    both = rl.estimate("llama-3.1-8b", gpu="h100", engine="vllm", users=50, batch=1)
    assert both.question.run.batch == 1.0
    assert both.service == served("llama-3.1-8b", gpu="h100", engine="vllm", users=50)
    assert served("llama-3.1-8b", gpu="h100", engine="vllm", batch=8, dp=2).users == 16


@pytest.mark.parametrize(
    ("options", "limit"),
    [({"prompt": 8000}, "cache"), ({"max_sequences": 4}, "sequences"), ({"chunk": "none"}, "cache")],
)
def test_the_batch_of_many_users_fits_and_the_others_wait(options: dict[str, Any], limit: str) -> None:
    given: dict[str, Any] = {"gpu": "l4", "engine": "vllm", "users": 2000, "prompt": 3000, **options}
    est = rl.estimate("llama-3.1-8b", **given)
    assert est.memory.fits
    assert est.service is not None
    assert est.service.limited_by == limit
    assert est.question.run.batch <= est.service.running < 2000
    assert "users-wait" in [warn.code for warn in est.warnings]
    less = served("llama-3.1-8b", **given | {"users": 1000})
    assert est.service.tpot_s == less.tpot_s
    assert est.service.requests_per_s.expected == pytest.approx(less.requests_per_s.expected)


def test_json_names_the_service_or_null() -> None:
    block = rl.estimate("llama-3.1-8b", gpu="h100", engine="vllm", users=9).to_dict()["service"]
    times = ("ttft_s", "client_ttft_s", "tpot_s", "request_s")
    rates = ("output_tokens_per_s", "output_tokens_per_s_per_user", "requests_per_s")
    rest = ("limited_by", "prompts_share", "overhead_s")
    assert tuple(block) == ("users", "running", "waiting", *times, *rates, *rest)
    assert set(block["tpot_s"]) == set(READINGS)
    others = (("llama-3.1-8b", "ideal"), ("llama-3.1-8b", "mlx"), ("bert-base", "generic"), ("sdxl", "generic"))
    for model, engine in others:
        assert rl.estimate(model, gpu="h100", engine=engine).to_dict()["service"] is None


def server_of(engine: str) -> Server:
    """What an engine's file says of it as a server."""
    found = read_engine(engine).server
    assert found is not None
    return found


def test_the_server_s_own_time_stands_apart() -> None:
    found = served("llama-3.1-8b", gpu="h100", engine="vllm", users=9)
    assert found.overhead is not None
    own = server_of("vllm")
    assert found.overhead_s == pytest.approx(own.overhead + 512 * own.overhead_token)
    assert found.client_ttft_s is not None
    assert found.client_ttft_s.expected == found.ttft_s.expected + found.overhead_s
    assert found.client_ttft_s.floor == found.ttft_s.floor  # no physics asks for it
    assert found.overhead.low < found.overhead.expected < found.overhead.high
    assert served("llama-3.1-8b", gpu="h100", engine="lmdeploy", users=9).client_ttft_s is None


def test_a_server_s_own_time_counts_experts_their_spread_and_tokens() -> None:
    def own(model: str, **options: Any) -> float:
        overhead = served(model, gpu="b200", users=4, **options).overhead
        assert overhead is not None
        return float(overhead.expected)

    vllm, trt = {"engine": "vllm"}, {"engine": "tensorrt-llm"}
    said, dense = server_of("vllm"), own("llama-3.1-8b", prompt=1000, **vllm)
    assert own("llama-3.1-8b", prompt=3000, **vllm) - dense == pytest.approx(2000 * said.overhead_token)
    assert own("gpt-oss-120b", prompt=1000, **vllm) - dense == pytest.approx(36 * said.overhead_experts)
    routed = own("deepseek-v3", prompt=1000, tp=8, **vllm) - dense  # three of its layers are dense
    assert routed == pytest.approx(58 * (said.overhead_experts + 3 * said.overhead_spread))
    spread = own("gpt-oss-120b", tp=8, **trt) - own("gpt-oss-120b", **trt)
    assert spread == pytest.approx(36 * 3 * server_of("tensorrt-llm").overhead_spread)


def test_a_sweep_over_prompts_has_a_server_s_own_time_at_each() -> None:
    wide, own = rl.sweep("llama-3.1-8b", gpu="h100", engine="vllm", prompt=[128, 4096], users=[2]), server_of("vllm")
    waits = [point["served_client_ttft_s"] - point["served_ttft_s"] for point in wide.records()]
    assert waits == pytest.approx([own.overhead + prompt * own.overhead_token for prompt in (128, 4096)])


def test_which_engines_are_servers_is_a_fact_with_a_source() -> None:
    servers = {name for name in engine_names()[1:] if read_engine(name).server is not None}
    alone = {name for name in servers if read_engine(name).of is None}
    assert alone == {*SERVERS, "deepspeed", "mlc-llm"}
    others = {name for name in engine_names()[1:] if read_engine(name).of in alone}
    assert servers == alone | others  # versions and backends of a server are servers


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("llama-3.1-8b", {"engine": "mlx"}, "mlx-cuda is not known to serve"),
        ("llama-3.1-8b", {"engine": "ideal"}, "ideal is not known to serve"),
        ("sdxl", {}, "--users goes with language models"),
        ("bert-base", {}, "--users goes with models that generate"),
        ("llama-3.1-8b", {"users": 0}, "--users must be a whole number from 1"),
        ("llama-3.1-8b", {"users": 1.5}, "--users must be a whole number"),
        ("llama-3.1-8b", {"users": float("nan")}, "--users must be a whole number"),
    ],
)
def test_users_of_what_is_no_service_are_refused(model: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        rl.estimate(model, gpu="h100", **{"users": 5} | options)


def test_fit_looks_at_a_batch_and_refuses_users() -> None:
    with pytest.raises(UsageError, match="--batch N"):
        rl.fit("llama-3.1-8b", gpu="h100", users=5)


def test_a_flat_row_has_the_service_where_users_were_asked_for() -> None:
    row = rl.estimate("llama-3.1-8b", gpu="h100", engine="vllm", users=9).records()[0]
    assert (row["served_running"], row["served_waiting"]) == (9, 0)
    assert row["served_tpot_s"] > row["tpot_s"]
