"""validate and calibrate as a user meets them: what is refused, by line and column, and what is written."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from roofline.cli import main
from roofline.errors import RooflineError, UsageError
from roofline.evidence.checks.validate import SHIPPED, validate_runs
from roofline.evidence.fits.calibrate import fit_file
from roofline.evidence.runs.rows import METRICS, by_reason, read_file
from roofline.machine.engine import Engine, load_engine, read_engine

HEAD = "model,gpu,engine,batch,prompt,generate,metric,value"
ROW = "mistral-7b,a100,mine,{batch},128,64,{metric},{value}"
STEPS = [ROW.format(batch=batch, metric="tpot_ms", value=value) for batch, value in ((1, 11.2), (8, 11.9), (32, 14.1))]


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def run(*arguments: str | Path) -> Ran:
    """The program in this process; whatever is not one of its errors fails the test."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["roofline", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
    code = left.value.code
    return Ran(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    return written(tmp_path, HEAD, *STEPS)


def written(tmp_path: Path, *lines: str, name: str = "runs.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_calibrate_overwrites_nothing_unless_told(steps: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    assert run("calibrate", steps, "-o", out).code == 0
    first = out.read_text(encoding="utf-8")
    again = run("calibrate", steps, "-o", out)
    assert again.code == 2
    assert f"{out}: exists; --force overwrites it" in again.err
    assert run("calibrate", steps, "-o", out, "--force").code == 0
    assert out.read_text(encoding="utf-8") == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "runs.csv"]


def test_calibrate_never_writes_over_what_it_reads(steps: Path, tmp_path: Path) -> None:
    text, link = steps.read_text(encoding="utf-8"), tmp_path / "link.csv"
    link.symlink_to(steps)
    for out in (steps, link):
        told = run("calibrate", steps, "-o", out, "--force")
        assert told.code == 2
        assert "is the file that is read" in told.err
    assert steps.read_text(encoding="utf-8") == text


def test_calibrate_says_where_it_cannot_write(steps: Path, tmp_path: Path) -> None:
    for out, why in ((tmp_path, "is a folder"), (tmp_path / "no" / "x.yaml", "there is no folder"),
                     (steps / "x.yaml", "there is no folder")):  # fmt: skip
        told = run("calibrate", steps, "-o", out)
        assert told.code == 2, told
        assert why in told.err
        assert not told.out  # before the fit, not after it


def test_a_fit_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    bad, out = written(tmp_path, HEAD, STEPS[0]), tmp_path / "mine.yaml"
    out.write_text("old", encoding="utf-8")
    assert run("calibrate", bad, "-o", out, "--force").code == 2
    assert out.read_text(encoding="utf-8") == "old"


def test_rows_that_cannot_be_do_not_enter_a_fit(steps: Path, tmp_path: Path) -> None:
    """A time to the first token in seconds, where the others are in milliseconds."""
    clean = fit_file(steps)
    wrong = written(tmp_path, HEAD, *STEPS, ROW.format(batch=8, metric="ttft_ms", value=0.018), name="wrong.csv")
    told = run("calibrate", wrong, "--json")
    assert told.code == 0
    assert "not used: line 5: 18.0 µs is below its floor" in told.err
    assert "suspect is the unit" in told.err
    answer = json.loads(told.out)
    assert answer["rows"] == 3
    assert answer["errors"] == pytest.approx(list(clean.fitted.errors))
    assert answer["refused"][0].startswith("line 5: ")


def test_too_few_possible_rows_are_refused_with_their_reasons(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD, STEPS[0], STEPS[1].replace("mistral-7b", "nobody"),
                   ROW.format(batch=1, metric="tpot_ms", value=0.01))  # fmt: skip
    told = run("calibrate", path)
    assert told.code == 2
    for words in ("1 usable row of engine mine", "needs 2", "line 3: no model named 'nobody'", "line 4: 10.0 µs"):
        assert words in told.err
    told = run("calibrate", path, "--engine", "yours")
    assert "no row of engine yours; there are rows of mine" in told.err


@pytest.mark.parametrize("value", ["1e9", "1e8", "5e7"])
def test_no_file_is_written_that_its_reader_refuses(tmp_path: Path, value: str) -> None:
    path, out = (
        written(tmp_path, HEAD, STEPS[0], ROW.format(batch=1, metric="tpot_ms", value=value)),
        tmp_path / "x.yaml",
    )
    told = run("calibrate", path, "-o", out)
    assert told.code == 2
    assert "line 3 misses most" in told.err
    assert not out.exists()


@pytest.mark.parametrize("engine", ["my server: v2", "123", "true", 'a"b', "tschüss", "../x", "~"])
def test_any_engine_name_makes_a_file_that_is_read(tmp_path: Path, engine: str) -> None:
    quoted = engine.replace('"', '""')
    path = written(tmp_path, HEAD, *(row.replace("mine", f'"{quoted}"') for row in STEPS), name='my "runs": 1.csv')
    out = tmp_path / "out.yaml"
    assert run("calibrate", path, "-o", out).code == 0
    spec = read_engine(str(out))
    assert spec.title == engine
    assert spec.fit.date == date.today().isoformat()
    assert 'my "runs": 1.csv' in spec.sources[0]


def test_what_is_told_of_a_fit_is_what_its_file_says(steps: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    answer = json.loads(run("calibrate", steps, "-o", out, "--json").out)
    engine = Engine.of(read_engine(str(out)))
    assert answer["engine"] == json.loads(json.dumps(engine._asdict()))
    assert answer["engine"]["measured_interval"] != [1.0, 1.0]
    assert not set(answer["fitted"]) & set(answer["undetermined"])
    file = yaml.safe_load(out.read_text(encoding="utf-8"))
    assert file["fit"]["coefficients"] == len(answer["fitted"])
    assert file["notes"].endswith(f"left at their start: {', '.join(answer['undetermined'])}.")


def test_a_coefficient_that_moves_no_row_is_not_called_fitted(tmp_path: Path) -> None:
    """The host hands over kernels in less time than those of large steps take."""
    rows = [ROW.format(batch=batch, metric="tpot_ms", value=11 + 0.1 * batch) for batch in (1, 2, 3, 4, 8, 12, 16, 20)]
    made = fit_file(written(tmp_path, HEAD, *rows))
    assert "kernel_s" in made.fitted.undetermined
    assert "kernel_s" not in made.fitted.free
    assert 0 < len(made.fitted.free) < len(rows) // 2
    assert f"coefficients: {len(made.fitted.free)}," in made.text


def test_what_rows_cannot_tell_of_a_shipped_engine_keeps_its_values(tmp_path: Path) -> None:
    path, shipped = written(tmp_path, HEAD, *(row.replace("mine", "vLLM") for row in STEPS)), load_engine("vllm")
    told = run("calibrate", path)
    assert "Started from vllm as shipped" in told.out
    made = fit_file(path)
    assert made.like == "vllm"
    assert "kept from vllm as shipped" in made.text
    for name in made.fitted.undetermined:
        assert getattr(made.fitted.engine, name) == getattr(shipped, name)
    assert made.fitted.engine.step_s > 0
    assert made.fitted.engine.mixes == shipped.mixes
    assert abs(made.fitted.engine.streaming / shipped.streaming - 1) < 0.5
    own = fit_file(written(tmp_path, HEAD, *STEPS))
    assert own.like is None


def test_the_roofline_itself_is_not_fitted(tmp_path: Path) -> None:
    told = run("calibrate", written(tmp_path, HEAD, *(row.replace("mine", "ideal") for row in STEPS)))
    assert told.code == 2
    assert "the roofline itself" in told.err


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x00\x01\x02\xff", "is a binary file"),
        (b"PK\x03\x04workbook", "is a binary file"),
        ("\n".join([HEAD, *STEPS]).encode("utf-16"), "is UTF-16"),
        ("\n".join([HEAD, *STEPS, "é"]).encode("latin-1"), "line 5: byte 0xe9 is not UTF-8"),
        (b"", "is empty"),
        (b"\n\n , \n", "is empty"),
        (HEAD.encode(), "no rows"),
        ("\n".join([HEAD, *STEPS]).replace(",", ";").encode(), "separated by semicolons"),
        ("\n".join([HEAD, *STEPS]).replace(",", ";").replace(".", ",").encode(), "separated by semicolons"),
        ("\n".join([HEAD, *STEPS]).replace(",", "\t").encode(), "separated by tabs"),
        (f'{HEAD}\n{STEPS[0]}\n"open'.encode(), "line 3: is not CSV"),
    ],
)
@pytest.mark.parametrize("command", ["validate", "calibrate"])
def test_files_that_are_no_csv_say_what_they_are(tmp_path: Path, raw: bytes, why: str, command: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(raw)
    told = run(command, path)
    assert told.code == 2
    assert str(path) in told.err
    assert why in told.err


@pytest.mark.parametrize("command", ["validate", "calibrate"])
def test_folders_and_missing_files_are_told_apart(tmp_path: Path, command: str) -> None:
    assert "is a folder; give a CSV file" in run(command, tmp_path).err
    assert "no such file" in run(command, tmp_path / "no.csv").err
    assert run(command, tmp_path).code == run(command, tmp_path / "no.csv").code == 2


def test_what_spreadsheets_write_is_read(steps: Path, tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    head = HEAD.replace(",", " , ").title().replace("Generate", "Output-Len") + ",Tensor Parallel,"
    text = "\r\n".join([head, *(row.replace(",", ", ") + ", 1," for row in STEPS), ",,,,,,,,,"])
    path.write_text("\ufeff" + text, encoding="utf-8", newline="")
    ours, theirs = read_file(path), read_file(steps)
    assert ours == theirs


@pytest.mark.parametrize(
    ("names", "cells"),
    [("tp", "2"), ("tensor_parallel", "2"), ("devices", "2"), ("gpus", "2"), ("gpus,tp", "2,2")],
)
def test_devices_have_more_names_than_one(tmp_path: Path, names: str, cells: str) -> None:
    (found,) = read_file(written(tmp_path, f"{HEAD},{names}", f"{STEPS[0]},{cells}")).runs
    assert (found.plan.tp, found.plan.pp) == (2, 1)


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


def test_other_columns_are_named_once(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD},Host,note,model_url", *(f"{row},a,b,c" for row in STEPS))
    for command in ("validate", "calibrate"):
        told = run(command, path)
        assert told.code == 0
        assert told.err.count("ignored columns: Host, note, model_url") == 1
    assert all(read_file(shipped).ignored == () for shipped in SHIPPED)


def test_engines_that_are_not_known_are_said_to_be_checked_as_generic(steps: Path, tmp_path: Path) -> None:
    assert "engine mine is not known: checked as generic" in flat(run("validate", steps).out)
    assert json.loads(run("validate", steps, "--json").out)["checked_as_generic"] == ["mine"]
    alias = written(tmp_path, HEAD, *(row.replace("mine", "TRTLLM") for row in STEPS), name="alias.csv")
    answer = json.loads(run("validate", alias, "--json").out)
    assert answer["checked_as_generic"] == []
    assert {row["engine"] for row in answer["rows"]} == {"tensorrt-llm"}
    assert run("validate", steps, "--engine", "trtlm").code == 2


def test_coefficients_of_a_file_count(steps: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    run("calibrate", steps, "-o", out)
    told = run("validate", steps, "--engine", out)
    assert "1 fitted coefficient:" in flat(told.out)
    assert "in-sample" in flat(told.out)
    assert "docs/validation.md" in flat(told.out)
    own = run("validate", steps, "--engine", "mine", "--spec-dir", tmp_path)
    assert "1 fitted coefficient:" in flat(own.out)
    assert run("validate", steps, "--engine", tmp_path / "no.yaml").code == 2


def test_a_file_of_unusable_rows_says_why_of_each(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD, STEPS[0].replace("mistral-7b", "nobody"), STEPS[0].replace("a100", "nowhere"))
    told = run("validate", path)
    assert told.code == 2
    assert "none of its 2 rows can be checked" in told.err
    assert "line 2: no model named 'nobody'" in told.err
    assert "line 3: no GPU named 'nowhere'" in told.err


def test_a_row_is_named_once() -> None:
    told = by_reason(["line 3: no such model: x", "a: b (line 4): no such model: x", "line 5: other"])
    assert told == ["line 3, a: b (line 4): no such model: x", "line 5: other"]


def test_markup_in_a_name_is_printed_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, f"id,{HEAD}", *(f"[/b]{n},{row}".replace("mine", "[red]") for n, row in enumerate(STEPS)))
    told = run("validate", path)
    assert told.code == 0
    assert "[/b]0" in told.out
    assert "engine [red] is not known" in flat(told.out)


@pytest.mark.parametrize("value", ["-5", "nan", "inf"])
def test_a_tolerance_is_a_number(steps: Path, value: str) -> None:
    told = run("validate", steps, "--tolerance", value)
    assert told.code == 2
    assert "--tolerance" in told.err


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
} | dict.fromkeys(("batch", "prompt", "generate", "gpus", "tensor_parallel", "pipeline_parallel", "height", "width",
                   "steps"), SIZES)  # fmt: skip
TEXT = {"model": "gpt2", "gpu": "a100", "engine": "mine", "batch": "4", "prompt": "64", "generate": "8",
        "metric": "tpot_ms", "value": "2"}  # fmt: skip
PICTURE = TEXT | {"model": "stable-diffusion-v1-5", "height": "512", "width": "512", "steps": "20",
                  "metric": "latency_ms", "value": "3000"}  # fmt: skip


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
