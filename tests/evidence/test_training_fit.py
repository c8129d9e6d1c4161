"""Coefficients of frameworks: found again where they are known, and kept in the file of a framework."""

from __future__ import annotations

import numpy as np
import pytest

from roofline.evidence.training.files import blocks_of, fitted_text, spans_of, with_interval
from roofline.evidence.training.fit import Fitted, LeftOut, current, fit, moved, start_of
from roofline.evidence.training.measured import Megatron
from roofline.evidence.training.prepared import TrainingRun, prepare
from roofline.evidence.training.rows import read_training
from roofline.machine.engine import engine_path
from roofline.specs.files.engines import trainer_names


@pytest.fixture(scope="module")
def runs() -> list[TrainingRun]:
    found, _ = prepare([row for row in read_training() if row.family == "MLM" and row.date >= "2023"])
    return found


def test_the_formulas_of_megatron_give_what_their_papers_print() -> None:
    """Narayanan et al. 2021, section 5.1: 145.6 B parameters at 148 TFLOP/s on 1,536 GPUs, 2,304 sequences: its days
    for 300 B tokens follow from the formula; Korthikanti's is three quarters of it but for the head.
    """
    counted = Megatron(80.0, 12288.0, 51200.0, 2048.0)
    each = counted.hardware(1.0)
    assert each == pytest.approx(96 * 80 * 12288**2 * (1 + 2048 / (6 * 12288) + 51200 / (16 * 80 * 12288)))
    assert counted.model(1.0) / each == pytest.approx(0.75, rel=0.002)


def test_coefficients_that_made_the_times_are_found_again(runs: list[TrainingRun]) -> None:
    start = start_of("megatron")
    known = moved(start, {"compute": 0.8, "backward": 1.1})
    made = [_like(run, float(run.step(known).expected_s)) for run in runs]
    found = fit(start, made, ["compute", "backward"])
    assert current(found.framework, "compute") == pytest.approx(0.8, rel=0.05)
    assert current(found.framework, "backward") == pytest.approx(1.1, rel=0.05)  # beliefs pull a little
    assert np.abs(found.errors).max() < 0.03


def _like(run: TrainingRun, seconds: float) -> TrainingRun:
    return TrainingRun(run.asked, run.question, run.passes, seconds, 0.0)


@pytest.mark.parametrize("name", trainer_names())
def test_a_fit_keeps_what_stands_in_a_file_by_hand(name: str, runs: list[TrainingRun]) -> None:
    """Habits and their sources, line by line; what it writes is what its framework has."""
    before = blocks_of(engine_path(name).read_text(encoding="utf-8"))
    fitted = Fitted(start_of(name), np.asarray([0.1, -0.1]), ("compute",), ())
    after = blocks_of(fitted_text(name, fitted, runs, [], "2026-11-28"))
    for key in ("kind", "name", "title", "aliases", "joins", "runs_on"):
        assert after.get(key) == before.get(key)
    coefficients = ("hidden", "network", "backward", "experts", "update")
    kept = [line for line in before["training"] if line.strip().partition(":")[0] not in coefficients]
    assert [line for line in after["training"] if line in kept] == kept
    assert "compute: 0.9" in after["factors"][0]


def test_intervals_follow_from_what_was_left_out() -> None:
    lines = [LeftOut("a", "model", "m", str(place), error) for place, error in enumerate(np.linspace(-0.2, 0.1, 41))]
    chips = [LeftOut("a", "gpu", "g", str(place), error) for place, error in enumerate(np.linspace(-0.4, 0.4, 41))]
    measured, sibling, other = spans_of([*lines, *chips], lines)
    assert measured[0] == pytest.approx(np.exp(-0.07), rel=0.02)
    assert measured[1] == pytest.approx(np.exp(0.17), rel=0.02)
    assert sibling == other
    assert sibling[0] < measured[0] < 1.0 < measured[1] < sibling[1]
    text = with_interval(engine_path("megatron").read_text(encoding="utf-8"), (measured, sibling, other))
    assert blocks_of(text)["interval"][0].startswith("interval: {measured: [")


def test_hidden_is_what_does_not_show() -> None:
    start = start_of("llm-foundry")
    assert moved(start, {"shown": 0.25}).habits.hidden == pytest.approx(0.75)
    assert current(moved(start, {"shown": 0.25}), "shown") == pytest.approx(0.25)
