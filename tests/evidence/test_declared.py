"""Engines as they are declared before any row, and the files that stand for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import roofline as rl
from roofline.evidence.fits.engine_files import KEPT
from roofline.evidence.fits.fit_engines import fit_engine
from roofline.evidence.runs.declared import DECLARED
from roofline.evidence.runs.declaring import HABITS, Declared
from roofline.evidence.runs.rows import read_runs
from roofline.evidence.runs.runs import prepare
from roofline.evidence.runs.shipped import MEASUREMENTS
from roofline.evidence.runs.without_rows import WITHOUT_ROWS
from roofline.machine.engine import GENERIC, engine_names, load_engine, read_engine


def test_every_file_is_declared_and_every_declaration_has_a_file() -> None:
    assert {*DECLARED, GENERIC} == set(engine_names()[1:])
    assert WITHOUT_ROWS.keys() <= DECLARED.keys()


@pytest.mark.parametrize(("name", "declared"), DECLARED.items())
def test_a_file_says_what_is_declared(name: str, declared: Declared) -> None:
    spec = read_engine(name)
    assert (spec.title, spec.aliases) == (declared.title, declared.aliases)
    assert (spec.of or "", spec.version or "") == (declared.of, declared.version)
    assert (spec.since or "", spec.until or "", spec.vendors) == (declared.since, declared.until, declared.vendors)
    for habit in HABITS:
        like = spec.fit.rows == 0 and getattr(spec, habit) == getattr(read_engine(declared.like), habit)
        assert getattr(spec, habit) == getattr(declared, habit) or like


@pytest.mark.parametrize("name", sorted(WITHOUT_ROWS))
def test_without_rows_the_interval_is_that_of_the_engine_like_it_but_wider(name: str) -> None:
    spec, like = read_engine(name), read_engine(WITHOUT_ROWS[name].like)
    assert spec.fit.rows == 0
    for timed in ("prefill", "decode"):
        for own, others in zip(spec.interval.spans(timed), like.interval.spans(timed), strict=True):
            assert own[0] < others[0] and own[1] > others[1]
    assert load_engine(name).kernel_s == load_engine(WITHOUT_ROWS[name].like).kernel_s


def test_habits_are_told_with_their_source() -> None:
    """What no row can show stands in somebody's code or documentation."""
    assert "habit_sources" in KEPT
    for name in engine_names()[1:]:
        spec = read_engine(name)
        if spec.first_from_decode or spec.shares:
            assert spec.habit_sources


def test_a_row_may_say_the_chunk_of_its_prompts(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    head = "model,gpu,engine,batch,prompt,generate,metric,value,ubatch\n"
    path.write_text(head + "gpt2,a100,llama.cpp,1,4096,1,ttft_ms,9,2048\ngpt2,a100,llama.cpp,1,4096,1,ttft_ms,9,\n")
    told, usual = (prepare(run) for run in read_runs(path))
    assert told.question.execution.chunk == 2048.0
    assert usual.question.execution.chunk == 512.0
    engine = load_engine("llama.cpp")
    assert told.expected(engine) < usual.expected(engine)
    shipped = [run for run in read_runs(MEASUREMENTS) if run.gpu == "gb10"]
    assert shipped and all(run.chunk == 2048 for run in shipped)


def test_few_coefficients_of_a_version_stray_from_its_neighbour() -> None:
    declared, like = DECLARED["tensorrt-llm@0.9"], load_engine("tensorrt-llm")
    runs = [run for run in read_runs(MEASUREMENTS) if run.engine == "tensorrt-llm@0.9" and run.model == "mistral-7b"]
    rows = [prepare(run) for run in runs]
    base = like._replace(name="v", shares=declared.shares)
    fitted = fit_engine(base, rows, like=like, only=("compute", "reread"))
    assert set(fitted.free) == {"compute", "reread"}
    assert fitted.engine.reread > 0.0
    assert fitted.engine.streaming == like.streaming
    assert np.abs(fitted.errors).mean() < 0.1


def test_groups_that_kernels_serve_do_not_read_a_cached_key_again() -> None:
    """TensorRT-LLM 0.9 serves eight query heads per group, not four: only the first gain from it."""
    asked = {"gpu": "a100", "batch": 64, "prompt": 4096, "generate": 2, "weights": "bf16", "engine": "tensorrt-llm@0.9"}
    gain = {}
    for model, tp in (("llama-2-70b", 4), ("mistral-7b", 1)):
        question = rl.estimate(model, tp=tp, **asked).question
        expectation = question.expectation(question.machine(), question.run.batch)
        assert expectation is not None
        chip, phase = expectation.chip, question.stages().each[0].workload["decode"]
        times = []
        for shares in ((), (8,)):
            other = replace(chip, engine=chip.engine._replace(shares=shares), _known={})
            times.append(float(expectation._replace(chip=other).seconds(phase, question.precision, 0.0)))
        none, eight = times
        gain[model] = none / eight
    assert gain["llama-2-70b"] > 1.1
    assert gain["mistral-7b"] == pytest.approx(1.0)
