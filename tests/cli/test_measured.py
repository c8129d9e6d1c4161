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

from roofline.cli import main
from roofline.evidence.fits.calibrate import fit_file
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
    nowhere = "there is no folder"
    for out, why in ((tmp_path, "is a folder"), (tmp_path / "no" / "x.yaml", nowhere), (steps / "x.yaml", nowhere)):
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
    unknown, impossible = STEPS[1].replace("mistral-7b", "nobody"), ROW.format(batch=1, metric="tpot_ms", value=0.01)
    path = written(tmp_path, HEAD, STEPS[0], unknown, impossible)
    told = run("calibrate", path)
    assert told.code == 2
    for words in ("1 usable row of engine mine", "needs 2", "line 3: no model named 'nobody'", "line 4: 10.0 µs"):
        assert words in told.err
    told = run("calibrate", path, "--engine", "yours")
    assert "no row of engine yours; there are rows of mine" in told.err


@pytest.mark.parametrize("value", ["1e9", "1e8", "5e7"])
def test_no_file_is_written_that_its_reader_refuses(tmp_path: Path, value: str) -> None:
    path = written(tmp_path, HEAD, STEPS[0], ROW.format(batch=1, metric="tpot_ms", value=value))
    out = tmp_path / "x.yaml"
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
    assert answer["engine"] == json.loads(json.dumps(engine.to_dict()))
    assert answer["engine"]["intervals"]["decode"]["measured"] != [1.0, 1.0]
    assert not set(answer["fitted"]) & set(answer["undetermined"])
    file = yaml.safe_load(out.read_text(encoding="utf-8"))
    assert file["fit"]["coefficients"] == len(answer["fitted"])
    assert file["notes"].endswith(f"left at their start: {', '.join(answer['undetermined'])}.")


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


def test_other_columns_are_named_once(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD},Host,note,model_url", *(f"{row},a,b,c" for row in STEPS))
    for command in ("validate", "calibrate"):
        told = run(command, path)
        assert told.code == 0
        assert told.err.count("ignored columns: Host, note, model_url") == 1


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
