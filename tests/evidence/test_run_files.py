"""Files of measured runs: what is read, what is refused by line and column, and that nothing else happens."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from roofline.errors import RooflineError, UsageError
from roofline.evidence.checks.validate import validate_runs
from roofline.evidence.fits.calibrate import fit_file
from roofline.evidence.runs.rows import METRICS, by_reason, read_file, read_runs
from roofline.evidence.runs.runs import prepare_all
from roofline.evidence.runs.shipped import SHIPPED

HEAD = "model,gpu,engine,batch,prompt,generate,metric,value"
ROW = "mistral-7b,a100,mine,{batch},128,64,{metric},{value}"
STEPS = [ROW.format(batch=batch, metric="tpot_ms", value=value) for batch, value in ((1, 11.2), (8, 11.9), (32, 14.1))]


def written(tmp_path: Path, *lines: str, name: str = "runs.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_shipped_files_have_no_column_that_nothing_is_made_of() -> None:
    assert all(read_file(shipped).ignored == () for shipped in SHIPPED)


def test_what_spreadsheets_write_is_read(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    head = HEAD.replace(",", " , ").title().replace("Generate", "Output-Len") + ",Tensor Parallel,"
    text = "\r\n".join([head, *(row.replace(",", ", ") + ", 1," for row in STEPS), ",,,,,,,,,"])
    path.write_text("\ufeff" + text, encoding="utf-8", newline="")
    ours, theirs = read_file(path), read_file(written(tmp_path, HEAD, *STEPS))
    assert ours == theirs


@pytest.mark.parametrize(
    ("names", "cells"),
    [("tp", "2"), ("tensor_parallel", "2"), ("devices", "2"), ("gpus", "2"), ("gpus,tp", "2,2")],
)
def test_devices_have_more_names_than_one(tmp_path: Path, names: str, cells: str) -> None:
    (found,) = read_file(written(tmp_path, f"{HEAD},{names}", f"{STEPS[0]},{cells}")).runs
    assert (found.plan.tp, found.plan.pp) == (2, 1)


def test_whole_experts_on_each_device_are_a_column(tmp_path: Path) -> None:
    head, row = HEAD.replace("model,", "model,tp,ep,"), STEPS[0].replace(",", ",4,{},", 1)
    for experts, shares in (("", 1), ("2", 2), ("4", 4)):
        (found,) = read_file(written(tmp_path, head, row.format(experts))).runs
        assert (found.plan.tp, found.plan.ep, found.plan.devices) == (4, shares, 4)
    with pytest.raises(UsageError, match="ep is 3, which does not divide the 4 tensor-parallel devices"):
        read_file(written(tmp_path, head, row.format("3")))


@pytest.mark.parametrize(
    ("head", "row", "why"),
    [
        (HEAD.replace("prompt", "promt"), STEPS[0], "line 1: no column is called 'promt'; 'prompt' may be meant"),
        (HEAD.replace("model", "modle"), STEPS[0], "'modle'; 'model' may be meant"),
        (f"{HEAD},wieghts", f"{STEPS[0]},fp8", "'weights' may be meant"),
        (f"{HEAD},num_gpus", f"{STEPS[0]},8", "'gpus' may be meant"),
        (f"{HEAD},tensor_parallel_size", f"{STEPS[0]},8", "'tensor_parallel' may be meant"),
        (f"{HEAD},prompt", f"{STEPS[0]},8", "line 1: column prompt twice"),
        (f"{HEAD},input_len", f"{STEPS[0]},8", "line 1: columns prompt and input_len, which are the same"),
        (HEAD, f"{STEPS[0]},99", "line 2: cell 9 ('99') is under no column"),
        (f"{HEAD},", f"{STEPS[0]},99", "line 2: cell 9 ('99') is under no column"),
        (HEAD, STEPS[0].replace("128", "1.5"), "line 2: prompt is 1.5, not a whole number"),
        (HEAD, STEPS[0].replace("128", "nan"), "line 2: prompt is nan, not a whole number"),
        (HEAD.replace("prompt", "input_len"), STEPS[0].replace("128", "x"), "line 2: input_len is 'x'"),
        (HEAD, STEPS[0].replace("128", "1e23"), "line 2: prompt is '1e23', more than 1,000,000,000"),
        (HEAD, STEPS[0].replace("128", ""), "line 2: prompt is not given, and tpot_ms depends on it"),
        (HEAD, STEPS[0].replace("64", "0"), "line 2: generate is 0"),
        (HEAD, STEPS[0].replace("mistral-7b", ""), "line 2: model is empty"),
        (HEAD, STEPS[0].replace("11.2", ""), "line 2: value is empty"),
        (HEAD, STEPS[0].replace("11.2", '"11,2"'), "decimals with a point"),
        (HEAD, STEPS[0].replace("11.2", "1e300"), "line 2: value is 1e+300, not between"),
        (HEAD, STEPS[0].replace("11.2", "1e-300"), "line 2: value is 1e-300, not between"),
        (HEAD, STEPS[0].replace("11.2", "inf"), "line 2: value is inf, not a positive"),
        (f"{HEAD},gpus,tp,pp", f"{STEPS[0]},8,2,2", "line 2: gpus is 8, not tensor-parallel 2"),
        (f"{HEAD},gpus,pp", f"{STEPS[0]},3,2", "line 2: gpus is 3, not tensor-parallel 1"),
    ],
)
def test_mistakes_are_told_by_line_and_by_the_users_own_names(tmp_path: Path, head: str, row: str, why: str) -> None:
    with pytest.raises(UsageError) as told:
        read_file(written(tmp_path, head, row))
    assert why in str(told.value)


def test_a_row_is_named_once() -> None:
    told = by_reason(["line 3: no such model: x", "a: b (line 4): no such model: x", "line 5: other"])
    assert told == ["line 3, a: b (line 4): no such model: x", "line 5: other"]


def test_rows_that_are_set_apart_are_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        "model,gpu,engine,batch,height,width,steps,metric,value,apart\n"
        "sd15,a100,pytorch-eager,1,512,512,50,latency_ms,2000,\n"
        "sd15,rtx-4090,xformers,1,512,512,50,latency_ms,4000,older than the chip\n"
    )
    prepared, refused = prepare_all(read_runs(path))
    assert len(prepared) == 1
    assert refused == ["line 3: set apart: older than the chip"]


def test_a_coefficient_that_moves_no_row_is_not_called_fitted(tmp_path: Path) -> None:
    """The host hands over kernels in less time than those of large steps take."""
    rows = [ROW.format(batch=batch, metric="tpot_ms", value=11 + 0.1 * batch) for batch in (1, 2, 3, 4, 8, 12, 16, 20)]
    made = fit_file(written(tmp_path, HEAD, *rows))
    assert "kernel_s" in made.fitted.undetermined
    assert "kernel_s" not in made.fitted.free
    assert 0 < len(made.fitted.free) < len(rows) // 2
    assert f"coefficients: {len(made.fitted.free)}," in made.text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"{HEAD}\n{text}".encode("utf-8", "replace"))
)
@example(raw=b'"')
@example(raw=b"\xff\xfe")
@example(raw=f"{HEAD}\n,,,,,,,".encode())
def test_any_bytes_are_read_or_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "fuzz.csv"
    path.write_bytes(raw)
    with contextlib.suppress(RooflineError):
        read_file(path)


SIZES = st.sampled_from(["0", "1", "2", "7", "1e9", "1e300", "-1", "nan", "inf", "", "0.5", "x"])
VALUES = st.sampled_from(["1", "20", "300", "1e-6", "1e4", "1e8", "1e9", "0", "nan", "1e-300", "1e300", ""])
CELLS = {
    "model": st.sampled_from(["gpt2", "stable-diffusion-v1-5", "bert-base-uncased", ".", "/", "\x1b", "no.yaml"]),
    "gpu": st.sampled_from(["h100-sxm", "apple-m1-max", "v100", "/", "", "no.yaml"]),
    "engine": st.sampled_from(["vllm", "ideal", "no.yaml", "[/x]", "pytorch-eager", ""]) | st.text(max_size=8),
    "metric": st.sampled_from([*METRICS, "x"]),
    "value": VALUES,
    "weights": st.sampled_from(["fp8", "int4", "banana", "q4_k_m", "fp32"]),
    "kv_cache": st.sampled_from(["fp8", "x"]),
    "fusion": st.sampled_from(["eager", "x"]),
    "apart": st.just("no"),
    "id": st.text(max_size=8),
}
LENGTHS = (
    "batch",
    "prompt",
    "generate",
    "gpus",
    "tensor_parallel",
    "pipeline_parallel",
    "expert_parallel",
    "height",
    "width",
    "steps",
)
CELLS |= dict.fromkeys(LENGTHS, SIZES)
RUN = {"model": "gpt2", "gpu": "a100", "engine": "mine", "batch": "4", "prompt": "64", "generate": "8"}
TEXT = RUN | {"metric": "tpot_ms", "value": "2"}
SIZE = {"height": "512", "width": "512", "steps": "20"}
PICTURE = RUN | {"model": "stable-diffusion-v1-5", "metric": "latency_ms", "value": "3000"} | SIZE


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_cells_are_checked_and_fitted_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    """Rows that would do, with a few cells of each changed."""
    lines = [",".join(CELLS)]
    for _ in range(data.draw(st.integers(1, 3))):
        row = dict(data.draw(st.sampled_from([TEXT, TEXT, TEXT, PICTURE])))
        for column in data.draw(st.lists(st.sampled_from(list(CELLS)), max_size=2)):
            row[column] = data.draw(CELLS[column])
        cells = [row.get(name, "").replace('"', '""').encode("utf-8", "replace").decode() for name in CELLS]
        lines.append(",".join(f'"{cell}"' for cell in cells))
    path = written(tmp_path, *lines, name="fuzz.csv")
    with contextlib.suppress(RooflineError):
        validate_runs(path).to_dict()
    with contextlib.suppress(RooflineError):
        fit_file(path)


def test_a_step_of_what_takes_no_steps_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        "id,model,gpu,engine,batch,metric,value\nx,clip-l,a100,pytorch-eager,1,step_ms,5\n", encoding="utf-8"
    )
    prepared, refused = prepare_all(read_runs(path))
    assert not prepared and "no denoising step" in refused[0]
