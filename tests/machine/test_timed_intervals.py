"""Intervals by what is timed: what a file may say, and which one each answer has."""

from __future__ import annotations

from pathlib import Path

import pytest

import roofline as rl
from roofline.errors import SpecError
from roofline.machine.engine import load_engine
from roofline.machine.intervals import OTHER_MAKER, TIMED, Spans, timed_as, widened

HEAD = "kind: engine\nname: mine\ntitle: Mine\nfit: {rows: 0, coefficients: 0, date: today}\nsources: [me]\ninterval:\n"
ONE = "measured: [0.9, 1.1], sibling: [0.8, 1.2], other: [0.5, 2.0]"


def engine(folder: Path, *lines: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(HEAD + "".join(f"  {line}\n" for line in lines), encoding="utf-8")
    return str(path)


def spans(low: float, high: float) -> str:
    return f"{{measured: [{low}, {high}], sibling: [{low}, {high}], other: [{low}, {high}]}}"


def test_a_file_that_states_one_interval_states_it_of_all(tmp_path: Path) -> None:
    made = load_engine(engine(tmp_path, *ONE.replace("], ", "]\n").split("\n")))
    assert set(made.intervals) == {Spans((0.9, 1.1), (0.8, 1.2), (0.5, 2.0))}


def test_a_phase_that_is_stated_beside_it_has_its_own(tmp_path: Path) -> None:
    made = load_engine(engine(tmp_path, *ONE.replace("], ", "]\n").split("\n"), f"decode: {spans(0.99, 1.01)}"))
    assert made.interval("decode", "measured") == (0.99, 1.01)
    assert made.interval("prefill", "measured") == (0.9, 1.1)


def test_what_is_not_stated_is_that_of_what_is_nearest(tmp_path: Path) -> None:
    made = load_engine(engine(tmp_path, f"prefill: {spans(0.5, 2.0)}", f"decode: {spans(0.8, 1.2)}"))
    assert [made.interval(timed, "other") for timed in ("first", "served")] == [(0.5, 2.0), (0.8, 1.2)]
    pictures = load_engine(engine(tmp_path, f"whole: {spans(0.7, 1.6)}"))
    assert {pictures.interval(timed, "class") for timed in TIMED} == {(0.7, 1.6)}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("measured: [0.9, 1.1]",), "sibling and other missing"),
        (("{}",), "is empty"),
        ((f"decod: {spans(0.9, 1.1)}",), "decod"),
        (("decode: {measured: [0.9, 1.1]}",), "sibling"),
        (("decode: {measured: [1.1, 1.2], sibling: [0.9, 1.1], other: [0.9, 1.1]}",), "decode"),
    ],
)
def test_a_file_that_states_too_little_is_refused(tmp_path: Path, lines: tuple[str, ...], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        load_engine(engine(tmp_path, *lines))


def test_each_phase_of_an_answer_has_its_own_interval(tmp_path: Path) -> None:
    name = engine(tmp_path, f"prefill: {spans(0.5, 3.0)}", f"decode: {spans(0.9, 1.2)}")
    est = rl.estimate("llama-3-8b", gpu="h100", engine=name, prompt=2000, generate=50)
    first, step, total = est.latency.ttft, est.latency.tpot, est.latency.total
    assert first.high == pytest.approx(3.0 * first.expected)
    assert step.high == pytest.approx(1.2 * step.expected)
    assert total.high == pytest.approx(first.high + 49 * step.high)
    assert total.low == pytest.approx(first.low + 49 * step.low)


def test_a_picture_has_the_interval_of_whole_pictures_and_its_step_that_of_steps(tmp_path: Path) -> None:
    name = engine(tmp_path, f"step: {spans(0.9, 1.1)}", f"whole: {spans(0.6, 2.0)}")
    est = rl.estimate("sdxl", gpu="h100", engine=name)
    assert est.latency.step.high == pytest.approx(1.1 * est.latency.step.expected)
    assert est.latency.total.high == pytest.approx(2.0 * est.latency.total.expected)


def test_a_token_among_others_has_the_interval_of_servers_and_takes_a_step_at_least(tmp_path: Path) -> None:
    text = f"decode: {spans(0.9, 1.1)}", f"served: {spans(0.7, 1.6)}", f"prefill: {spans(0.8, 1.3)}"
    name = engine(tmp_path, *text)
    path = Path(name)
    path.write_text(path.read_text() + "server: {sources: [me]}\nmixes: true\n", encoding="utf-8")
    alone, among = (
        rl.estimate("llama-3-8b", gpu="h100", engine=name, users=n, prompt=500, generate=100) for n in (1, 16)
    )
    assert alone.service is not None and among.service is not None
    assert alone.service.tpot_s == alone.latency.tpot
    served = among.service.tpot_s
    assert served is not None
    assert served.high == pytest.approx(1.6 * served.expected)
    assert served.low == pytest.approx(max(0.7 * served.expected, among.latency.tpot.low))


def test_a_maker_none_of_whose_chips_were_run_has_a_wider_interval() -> None:
    made = load_engine("vllm")
    own, other = (made.interval("decode", "other", maker) for maker in ("nvidia", "intel"))
    assert other == widened(own, OTHER_MAKER) and other[0] < own[0] and other[1] > own[1]
    borrowed = load_engine("lmdeploy")  # without rows: the makers are those of the engine that it is like
    own, other = (borrowed.interval("decode", "other", maker) for maker in ("nvidia", "intel"))
    assert other == widened(own, OTHER_MAKER)


def test_phases_that_are_not_named_read_what_is_given() -> None:
    assert [timed_as(name) for name in ("decode", "draft", "denoise", "prefill", "vision", "vae_decode")] == [
        *("decode", "decode", "step", "prefill", "prefill", "prefill"),
    ]
