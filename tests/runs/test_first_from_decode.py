"""An engine whose prefill leaves out the prompt's last token: a decode step reads it and gives the first one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roofline as rl
from roofline.evidence.runs.rows import read_runs
from roofline.evidence.runs.runs import prepare
from roofline.machine.engine import load_engine
from roofline.workload.run import TextRun

ENGINE = "lmdeploy@0.1"


def test_the_run_has_a_token_less_in_its_prefill_and_a_step_more() -> None:
    run = TextRun(batch=2.0, prompt=100.0, generate=5.0, first_apart=True)
    assert (run.as_run.prompt, run.as_run.generate) == (99.0, 6.0)
    assert run.as_run.cached == run.cached  # the same tokens are cached in the end
    plain = TextRun(prompt=100.0)
    assert plain.as_run is plain
    nothing = TextRun(prompt=100.0, generate=0.0, first_apart=True)
    assert (nothing.as_run.prompt, nothing.as_run.generate) == (100.0, 0.0)
    assert TextRun(prompt=1.0, first_apart=True).as_run.prompt == 1.0


@pytest.mark.parametrize("generate", [1, 2, 64])
def test_the_first_token_waits_for_a_decode_step(generate: int) -> None:
    assert load_engine(ENGINE).first_from_decode
    asked = {"gpu": "a100", "prompt": 900, "generate": generate, "batch": 4}
    apart, usual = (
        rl.estimate("llama-3-8b", engine=ENGINE, **asked),
        rl.estimate("llama-3-8b", engine="lmdeploy", **asked),
    )
    step = rl.estimate("llama-3-8b", engine=ENGINE, **asked | {"generate": 2}).latency.tpot.expected
    assert apart.latency.ttft.expected == pytest.approx(usual.latency.ttft.expected + step, rel=5e-3)
    later = apart.latency.total.expected - apart.latency.ttft.expected
    assert later == pytest.approx((generate - 1) * step, rel=1e-2, abs=1e-9)
    assert (apart.latency.tpot is None) == (usual.latency.tpot is None) == (generate == 1)


def test_behind_a_server_the_first_token_waits_as_well() -> None:
    asked = {"gpu": "a100", "prompt": 900, "generate": 64, "users": 1}
    found = {e: rl.estimate("llama-3-8b", engine=e, **asked).service for e in (ENGINE, "lmdeploy")}
    apart, usual = found[ENGINE], found["lmdeploy"]
    assert apart is not None and usual is not None and apart.tpot_s is not None
    assert apart.ttft_s.expected == pytest.approx(usual.ttft_s.expected + apart.tpot_s.expected, rel=2e-2)


def test_a_grid_expects_what_its_scalars_expect() -> None:
    grid = rl.estimate("llama-3-8b", gpu="a100", engine=ENGINE, generate=np.asarray([1.0, 7.0, 30.0]))
    for place, generate in enumerate((1, 7, 30)):
        one = rl.estimate("llama-3-8b", gpu="a100", engine=ENGINE, generate=generate)
        got = np.broadcast_to(np.asarray(grid.latency.total.expected), (3,))[place]
        assert got == pytest.approx(one.latency.total.expected, rel=1e-9)


@pytest.mark.parametrize("metric", ["ttft_ms", "latency_ms", "tpot_ms"])
def test_a_row_is_expected_as_an_estimate_is(metric: str, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        f"model,gpu,engine,batch,prompt,generate,metric,value\nllama-3-8b,a100,{ENGINE},4,900,64,{metric},9\n"
    )
    row = prepare(read_runs(path)[0])
    est = rl.estimate("llama-3-8b", gpu="a100", engine=ENGINE, batch=4, prompt=900, generate=64)
    times = {"ttft_ms": est.latency.ttft, "latency_ms": est.latency.total, "tpot_ms": est.latency.tpot}[metric]
    assert row.expected(load_engine(ENGINE)) == pytest.approx(times.expected, rel=2e-3)
