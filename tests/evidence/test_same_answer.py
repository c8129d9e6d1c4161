"""What is fitted, what is validated and what a user is told are one number."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import roofline as rl
from roofline.evidence.runs.declared import rows_of
from roofline.evidence.runs.expecting import Expecting
from roofline.evidence.runs.rows import MeasuredRun, read_runs
from roofline.evidence.runs.runs import PreparedRun, prepare, prepare_all
from roofline.evidence.runs.shipped import IMAGES, MEASUREMENTS, SERVED
from roofline.machine.engine import load_engine

#: Engines of few and of many kinds of kernels, of experts, narrow weights and pictures.
ENGINES = ("tensorrt-llm", "sglang", "llama.cpp", "gpt-fast", "pytorch-eager")
#: The quantity of an estimate that a metric is.
ASKED = {"ttft_ms": "ttft", "prefill_tokens_per_s": "ttft", "tpot_ms": "tpot", "step_ms": "step"}


@cache
def static_runs() -> list[MeasuredRun]:
    return [run for path in (MEASUREMENTS, IMAGES) for run in read_runs(path) if not run.apart]


def told(row: PreparedRun) -> float:
    """The seconds that a user is told for the question of a row."""
    run = row.run
    options: dict[str, Any] = {"gpu": run.gpu, "engine": run.engine, "batch": run.batch}
    options |= {"weights": run.weights} if run.weights else {}
    options |= {"activations": run.activations} if run.activations else {}
    chunk = row.question.execution.chunk
    options |= {"chunk": int(chunk)} if chunk else {}
    if run.of_image:
        options = {name: value for name, value in options.items() if name != "chunk"}
        options |= dict(run.image) | {"fusion": run.fusion}
    else:
        alone = run.metric in ("ttft_ms", "prefill_tokens_per_s")
        options |= {"prompt": run.prompt, "generate": 1 if alone else max(run.generate, 1)}
        options |= {"kv_cache": run.kv_cache} if run.kv_cache and run.generate else {}
        options |= {} if run.plan.single else {"gpus": run.plan.devices, "tp": run.plan.tp, "pp": run.plan.pp}
    latency = rl.estimate(run.model, **options).latency
    return float(getattr(latency, ASKED.get(run.metric, "total")).expected)


@pytest.mark.parametrize("part", range(4))
def test_an_estimate_is_what_the_fit_of_its_row_expects(part: int) -> None:
    for run in static_runs()[part::4]:
        row = prepare(run)
        floor, bound = row.bounds()
        assert floor <= bound
        expected = max(row.expected(load_engine(row.question.engine)), bound)
        assert told(row) == pytest.approx(expected, rel=1e-9), run.label


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fit_that_keeps_times_expects_what_each_row_expects(engine: str) -> None:
    rows = rows_of(engine, prepare_all([run for path in (MEASUREMENTS, SERVED, IMAGES) for run in read_runs(path)])[0])
    some, start = rows[:: max(1, len(rows) // 12)], load_engine(engine)
    expecting = Expecting(some)
    moved = [name for name in start._fields if isinstance(getattr(start, name), float) and getattr(start, name)]
    for name in (*moved, "name"):
        changed = start if name == "name" else start._replace(**{name: getattr(start, name) * 0.97})
        expected = [row.expected(changed) for row in some]
        assert np.array_equal(expecting.seconds(changed), expected), name
