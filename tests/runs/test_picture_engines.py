"""Engines of pictures: what they bring by themselves, and where they do not run."""

from __future__ import annotations

from typing import Any

import pytest

import roofline as rl
from roofline.evidence.runs.declared import DECLARED
from roofline.evidence.runs.declared_images import IMAGE_DECLARED
from roofline.machine.engine import read_engine
from roofline.runs.image.changes import runs_pictures


def asked(engine: str, gpu: str = "a100-sxm-80gb", **options: Any) -> Any:
    return rl.estimate("sd15", gpu=gpu, engine=engine, steps=2, **options)


def level(answer: Any) -> str:
    return str(answer.question.execution.level)


@pytest.mark.parametrize(
    ("engine", "own"),
    [
        ("pytorch-eager", "flash"),
        ("pytorch-eager@1.13", "classic"),
        ("pytorch-compile", "compiled"),
        ("pytorch-compile@2.0", "compiled"),
        ("tensorrt", "compiled"),
        ("ideal", "flash"),
    ],
)
def test_an_engine_cuts_the_work_into_kernels_as_it_does(engine: str, own: str) -> None:
    assert level(asked(engine)) == own


def test_fusion_says_otherwise_and_the_answer_tells() -> None:
    answer = asked("pytorch-compile", fusion="flash")
    assert level(answer) == "flash"
    assert any("by itself runs --fusion compiled" in note for note in answer.assumptions)
    assert any("runs where --fusion does not say" in note for note in asked("pytorch-compile").assumptions)


@pytest.mark.parametrize(
    ("engine", "gpu"), [("tensorrt", "mi300x"), ("pytorch-eager", "tpu-v5e"), ("nunchaku", "apple-m2-max")]
)
def test_an_engine_is_not_put_on_chips_that_it_does_not_run_on_in_silence(engine: str, gpu: str) -> None:
    warning = next(warn for warn in asked(engine, gpu).warnings if warn.code == "engine-not-there")
    assert engine in warning.text


@pytest.mark.parametrize("gpu", ["mi300x", "apple-m2-max", "rtx-4090"])
def test_what_runs_there_is_not_warned_of(gpu: str) -> None:
    assert all(warn.code != "engine-not-there" for warn in asked("pytorch-eager", gpu).warnings)


@pytest.mark.parametrize("engine", IMAGE_DECLARED)
def test_every_declared_engine_of_pictures_has_a_file_that_says_its_habits(engine: str) -> None:
    declared, spec = DECLARED[engine], read_engine(engine)
    assert runs_pictures(engine)
    assert spec.fed
    habits = ("unpacks", "fusion", "widens", "half_sums")
    assert [getattr(spec, habit) for habit in habits] == [getattr(declared, habit) for habit in habits]
    assert spec.runs_on == declared.runs_on


@pytest.mark.parametrize("engine", [name for name in IMAGE_DECLARED if not read_engine(name).fit.rows])
def test_an_engine_without_rows_has_a_wider_interval_than_the_one_that_it_is_like(engine: str) -> None:
    own, like = read_engine(engine).interval, read_engine(DECLARED[engine].like).interval
    for timed in ("step", "whole"):
        (low, high), (lower, higher) = (each.spans(timed)[0] for each in (like, own))
        assert lower < low
        assert higher > high


@pytest.mark.parametrize("weights", ["q4_1", "q2_k", "nf4", "int8", "fp8", "int4-g128"])
def test_widening_weights_takes_a_time_of_this_world_on_every_chip(weights: str) -> None:
    """Also where the rate of vector units is not stated, and where matrix units multiply whole tiles alone."""
    for gpu in ("h100", "b200", "a10g", "rtx-4090", "rtx-2080ti", "mi300x", "tpu-v6e", "gaudi3", "apple-m2-max"):
        total = rl.estimate("flux.1-dev", gpu=gpu, weights=weights).latency.total
        assert total.expected < 20 * total.bound, gpu
