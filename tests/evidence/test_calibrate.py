"""Measured runs: reading, fitting, judging."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.errors import UsageError
from roofline.evidence.checks.validate import validate_runs
from roofline.evidence.fits.fit_engines import fit_engine, interval, left_out, weights_of
from roofline.evidence.fits.robust import Search, fit_robust
from roofline.evidence.runs.rows import read_runs
from roofline.evidence.runs.runs import prepare_all
from roofline.evidence.runs.shipped import IMAGES, MEASUREMENTS
from roofline.machine.engine import Engine
from roofline.runs.load import load_gpu

HEAD = "model,gpu,engine,batch,prompt,generate,metric,value\n"
ROW = "mistral-7b,a100,mine,{batch},{prompt},{generate},{metric},{value}\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def invented(tmp_path: Path, engine: Engine, models: tuple[str, ...] = ("mistral-7b", "llama-2-7b")) -> Path:
    """Runs that took exactly what an engine expects."""
    lines = []
    for model in models:
        for batch in (1, 2, 4, 8, 16, 32, 64):
            for prompt, metric in ((128, "tpot_ms"), (1024, "tpot_ms"), (128, "ttft_ms"), (2048, "ttft_ms")):
                lines.append(f"{model},a100,mine,{batch},{prompt},64,{metric},1")
    rows, _ = prepare_all(read_runs(written(tmp_path, HEAD + "\n".join(lines) + "\n")))
    text = [f"{line.rsplit(',', 1)[0]},{row.expected(engine) * 1e3:.9g}" for line, row in zip(lines, rows, strict=True)]
    return written(tmp_path, HEAD + "\n".join(text) + "\n")


def test_calibrating_runs_of_a_known_engine_finds_what_it_takes(tmp_path: Path) -> None:
    """Coefficients can stand in for each other (launch, step, streaming): other runs are what is compared."""
    true = Engine("mine", streaming=0.7, compute=0.8, step_s=1e-2, kernel_s=1e-7, rows=0.8)
    unseen, _ = prepare_all(read_runs(invented(tmp_path, true, ("llama-2-13b",))))
    rows, refused = prepare_all(read_runs(invented(tmp_path, true)))
    assert not refused
    fitted = fit_engine(Engine("mine"), rows, optional=())
    assert np.median(np.abs(fitted.errors)) < 0.02
    assert fitted.engine.compute == pytest.approx(0.8, rel=0.1)
    assert fitted.engine.step_s == pytest.approx(1e-2, rel=0.5)
    for row in unseen:
        assert row.expected(fitted.engine) == pytest.approx(row.expected(true), rel=0.1)
    again = fit_engine(Engine("mine"), rows, optional=())
    assert again.engine == fitted.engine  # to the digit


def test_few_rows_fit_few_coefficients_and_name_the_others(tmp_path: Path) -> None:
    rows, _ = prepare_all(read_runs(invented(tmp_path, Engine("mine"), ("mistral-7b",)))[:5])
    fitted = fit_engine(Engine("mine"), rows, optional=())
    assert len(fitted.free) == 2
    assert {"sequence_s", "cache", "attention", "rows"} <= set(fitted.undetermined)
    with pytest.raises(UsageError, match="1 rows"):
        fit_engine(Engine("mine"), rows[:1])


def test_a_group_left_out_is_judged_by_the_others(tmp_path: Path) -> None:
    rows, _ = prepare_all(read_runs(invented(tmp_path, Engine("mine", streaming=0.8))))
    fitted = fit_engine(Engine("mine"), rows, optional=())
    errors = left_out(fitted, rows, lambda row: row.run.model)
    assert set(errors) == {"mistral-7b", "llama-2-7b"}
    assert all(np.median(np.abs(e)) < 0.1 for e in errors.values())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (ROW.format(batch=1, prompt=8, generate=8, metric="tpot_ms", value=0), "line 2: value is 0, not a positive"),
        (ROW.format(batch=1, prompt=8, generate=8, metric="tpot_ms", value=-3), "not a positive number"),
        (ROW.format(batch=1, prompt=8, generate=8, metric="tpot_ms", value="9 ms"), "'9 ms', not a number"),
        (ROW.format(batch=1, prompt=8, generate=8, metric="seconds", value=1), "metric 'seconds' is none of"),
        (ROW.format(batch=0, prompt=8, generate=8, metric="tpot_ms", value=1), "batch is 0"),
        (ROW.format(batch="many", prompt=8, generate=8, metric="tpot_ms", value=1), "batch is 'many'"),
        ("", "no rows"),
    ],
)
def test_bad_rows_are_named_by_line(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_runs(written(tmp_path, HEAD + row))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="line 1: no column engine, value"):
        read_runs(written(tmp_path, "model,gpu,batch,metric\nx,y,1,tpot_ms\n"))


def test_unknown_models_and_gpus_are_refused_by_line_not_guessed(tmp_path: Path) -> None:
    text = HEAD + ROW.format(batch=1, prompt=8, generate=8, metric="tpot_ms", value=9).replace("mistral-7b", "nobody")
    rows, refused = prepare_all(read_runs(written(tmp_path, text)))
    assert not rows
    assert "line 2" in refused[0]
    assert "nobody" in refused[0]


def test_a_served_token_is_a_step_and_its_share_of_the_other_prefills(tmp_path: Path) -> None:
    """Of 9 requests at work, 8 others are prefilled once while one decodes its 64 tokens."""
    lines = [
        ROW.format(batch=b, prompt=512, generate=64, metric=metric, value=9)
        for b, metric in ((9, "served_tpot_ms"), (9, "tpot_ms"), (1, "ttft_ms"), (1, "served_tpot_ms"), (1, "tpot_ms"))
    ]
    rows, refused = prepare_all(read_runs(written(tmp_path, HEAD + "".join(lines))))
    assert not refused
    served, step, prefill, alone, single = (row.expected(Engine("mine", request_s=1e-3, joins="all")) for row in rows)
    assert served == pytest.approx(step + 8 / 64 * prefill, rel=1e-9)
    assert alone == pytest.approx(single, rel=1e-9)
    floor, bound = rows[0].bounds()
    assert floor <= bound <= served


def test_a_server_that_prefills_within_decode_steps_reads_the_weights_once(tmp_path: Path) -> None:
    line = ROW.format(batch=33, prompt=512, generate=64, metric="served_tpot_ms", value=9)
    row = prepare_all(read_runs(written(tmp_path, HEAD + line)))[0][0]
    apart, mixed = (row.expected(Engine("mine", mixes=mixes, joins="all")) for mixes in (False, True))
    assert 0.7 * apart < mixed < apart
    alone = ROW.format(batch=1, prompt=512, generate=64, metric="served_tpot_ms", value=9)
    row = prepare_all(read_runs(written(tmp_path, HEAD + alone)))[0][0]
    assert row.expected(Engine("mine", mixes=True)) == row.expected(Engine("mine"))


def test_weights_that_no_device_holds_cannot_have_run(tmp_path: Path) -> None:
    line = "llama-3-70b,rtx-4090,mine,1,64,8,tpot_ms,200\n"
    rows, refused = prepare_all(read_runs(written(tmp_path, HEAD + line)))
    assert not rows
    assert "141 GB of weights cannot have run on 1 x rtx-4090 of 26 GB" in refused[0]


def test_weights_that_a_device_holds_may_have_run(tmp_path: Path) -> None:
    """A card of 16 GB has 16,376 MiB; what macOS lets the GPU have of 128 GiB can be raised."""
    head = f"weights,{HEAD}"
    for line in ("bf16,llama-3-8b,rtx-4080", "int8,mistral-large-123b,apple-m4-max"):
        rows, refused = prepare_all(read_runs(written(tmp_path, f"{head}{line},mine,1,64,8,tpot_ms,400\n")))
        assert rows, refused


def test_an_unknown_engine_of_pictures_is_checked_as_one_of_pictures(tmp_path: Path) -> None:
    text = "model,gpu,engine,batch,height,width,steps,metric,value\nsdxl,a100,mine,1,1024,1024,30,latency_ms,3700\n"
    found = validate_runs(written(tmp_path, text))
    assert [row.engine for row in found.rows] == ["pytorch-eager"]
    est = rl.estimate("sdxl", gpu="a100", steps=30)
    assert found.rows[0].expected_s == pytest.approx(est.latency.total.expected, rel=0.02)


def test_rows_of_one_source_weigh_as_their_root_and_engines_alike(tmp_path: Path) -> None:
    many = [ROW.format(batch=b, prompt=64, generate=8, metric="tpot_ms", value=9) for b in range(1, 17)]
    one = [ROW.format(batch=1, prompt=64, generate=8, metric="tpot_ms", value=9).replace("mistral-7b", "llama-2-7b")]
    rows, _ = prepare_all(read_runs(written(tmp_path, HEAD + "".join(many + one))))
    weights = weights_of(rows)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[16] / weights[0] == pytest.approx(4.0)
    other = [row.replace(",mine,", ",other,") for row in one]
    rows, _ = prepare_all(read_runs(written(tmp_path, HEAD + "".join(many + other))))
    assert weights_of(rows)[:16].sum() == pytest.approx(weights_of(rows)[16])


#: Within a few per cent of a V100's fp32 peak and beyond: convolutions in fp32 run as Winograd's, with fewer products.
WINOGRAD = {"IMG-472", "IMG-473", "IMG-474", "IMG-475"}


@pytest.fixture(scope="module")
def validation():  # type: ignore[no-untyped-def]
    return validate_runs(MEASUREMENTS)


@pytest.fixture(scope="module")
def images():  # type: ignore[no-untyped-def]
    return validate_runs(IMAGES)


def test_the_shipped_engines_meet_the_shipped_runs(validation) -> None:  # type: ignore[no-untyped-def]
    total = validation.all
    assert total.rows > 600
    assert total.median < 0.11
    assert total.mean < 0.16
    assert total.median < total.constant_median / 2 < total.bound_median
    assert total.coverage > 0.75


def test_no_measured_run_of_a_language_model_is_below_its_floor(validation) -> None:  # type: ignore[no-untyped-def]
    assert [row.label for row in validation.below_floor] == []


def test_image_runs_are_met_and_those_below_the_floor_are_known(images) -> None:  # type: ignore[no-untyped-def]
    """GeForce multiplies twice as fast as its listed fp16 peak where sums are kept in 16 bit, as OneDiff keeps them."""
    assert images.all.rows > 500
    assert images.all.median < 0.2
    below = {row for row in images.below_floor if row.label not in WINOGRAD}
    assert {row.engine for row in below} <= {"onediff"}
    assert all(load_gpu(row.gpu).peak.tensor.fp16_acc16 for row in below)
    assert all(row.measured_s > 0.5 * row.floor_s for row in below)


def test_nothing_is_expected_below_its_bound(validation) -> None:  # type: ignore[no-untyped-def]
    for row in validation.rows:
        assert row.floor_s <= row.bound_s * (1 + 1e-12)
        assert row.bound_s <= row.expected_s
        assert row.low_s <= row.expected_s <= row.high_s


def test_the_complaint_about_pure_rooflines_is_met(validation) -> None:  # type: ignore[no-untyped-def]
    """LLaMA-7B on an A100 with TensorRT-LLM: throughput of four shapes, first token of two."""
    labels = {"TRT-279", "TRT-280", "TRT-281", "TRT-282"}
    rows = [row for row in validation.rows if row.label in labels]
    assert len(rows) == 4
    for row in rows:
        assert abs(row.error) < 0.12, row


def test_validate_answers_with_its_exit_code(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + ROW.format(batch=1, prompt=128, generate=64, metric="tpot_ms", value=90))
    run = CliRunner().invoke
    assert run(app, ["validate", str(path)]).exit_code == 0
    assert run(app, ["validate", str(path), "--tolerance", "10"]).exit_code == 1
    assert run(app, ["validate", str(path), "--tolerance", "300"]).exit_code == 0
    told = json.loads(run(app, ["validate", str(path), "--json"]).stdout)
    assert told["rows"][0]["measured_s"] == pytest.approx(0.09)
    impossible = written(tmp_path, HEAD + ROW.format(batch=1, prompt=128, generate=64, metric="tpot_ms", value=1))
    assert "unphysical" in run(app, ["validate", str(impossible)]).stdout
    assert run(app, ["validate", str(impossible), "--tolerance", "900"]).exit_code == 1


def test_calibrate_writes_a_file_that_estimate_takes(tmp_path: Path) -> None:
    path, out = invented(tmp_path, Engine("mine", streaming=0.8)), tmp_path / "mine.yaml"
    run = CliRunner().invoke
    told = run(app, ["calibrate", str(path), "-o", str(out)])
    assert told.exit_code == 0, told.output
    assert "streaming" in told.stdout
    answer = run(app, ["estimate", "-m", "gpt2", "-g", "a100", "--engine", str(out), "--json"])
    assert answer.exit_code == 0
    latency = json.loads(answer.stdout)["latency"]["total_s"]
    assert latency["bound"] < latency["expected"]


def test_the_interval_is_wider_where_rows_are_few() -> None:
    errors = np.linspace(-0.3, 0.3, 101)
    low, high = interval(errors)
    assert low == pytest.approx(np.exp(-0.24), abs=0.01)
    assert high == pytest.approx(np.exp(0.24), abs=0.01)
    few_low, few_high = interval(errors[::20])
    assert few_low < low < 1 < high < few_high


def test_a_third_of_the_rows_may_be_outliers() -> None:
    x = np.linspace(1.0, 10.0, 40)
    y = 3.0 * x**0.5
    y[::3] *= 8.0
    fit = fit_robust(lambda v: v[0] * x ** v[1], y, Search((1.0, 1.0), (0.1, 0.1), (10.0, 3.0)))
    assert fit.values == pytest.approx([3.0, 0.5], rel=0.05)
    assert not any(fit.at_bound)


def test_shipped_runs_have_a_source_each() -> None:
    assert MEASUREMENTS.is_file()
    assert all(run.source for run in read_runs(MEASUREMENTS))
