"""The command line as a user meets it: exit codes, streams, words."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import roofline as rl
from roofline.cli.app import app
from roofline.errors import RooflineError

MAIN = ["--model", "mistral-7b", "--gpu", "a100", "--batch", "8"]


def run(*arguments: str, columns: int = 80) -> str:
    result = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"}).invoke(app, list(arguments))
    assert result.exception is None, result.exception
    return result.stdout


def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "roofline", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_main_job_prints_a_table() -> None:
    text = run("estimate", *MAIN)
    names = ("Mistral 7B v0.1", "NVIDIA A100 SXM4 80GB", "GPU a100 is taken as a100-sxm-80gb")
    for words in (*names, "prefill", "decode", "weights", "of 85.9 GB"):
        assert words in text


def test_json_is_alone_on_standard_output() -> None:
    done = shell("estimate", "--model", "llama-2-70b", "--gpu", "a100", "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["schema_version"] == 1
    assert answer["memory"]["fits"] is False
    assert "does-not-fit" in done.stderr


def test_csv_has_a_row_per_phase() -> None:
    rows = list(csv.DictReader(io.StringIO(run("estimate", *MAIN, "--csv"))))
    assert [row["phase"] for row in rows] == ["prefill", "decode"]
    assert float(rows[1]["bound_s"]) > 0
    for name in ("ttft_s", "tpot_s", "total_s", "output_tokens_per_s", "total_bytes", "capacity_bytes"):
        assert float(rows[0][name]) > 0
    assert rows[0]["fits"] == "true"


@pytest.mark.parametrize(
    "command",
    [
        *(["estimate", *MAIN], ["ops", *MAIN], ["explain", *MAIN], ["show", "a100"]),
        *(["list", "gpus"], ["list", "models"], ["list", "precisions"]),
    ],
)
@pytest.mark.parametrize("columns", [80, 200])
def test_tables_stay_within_the_terminal(command: list[str], columns: int) -> None:
    text = run(*command, columns=columns)
    if command[0] != "show":
        assert max(len(line) for line in text.splitlines()) <= columns
    assert "…" not in text or columns == 80


def test_ops_by_kind_and_block_sum_to_the_same() -> None:
    sums = []
    for by in ("op", "kind", "block"):
        rows = json.loads(run("ops", *MAIN, "--by", by, "--phase", "decode", "--json"))["ops"]
        sums.append(sum(row["bound_s"] for row in rows))
    assert sums[0] == pytest.approx(sums[1]) == pytest.approx(sums[2])


def test_ops_tell_the_expected_time_in_json_and_csv() -> None:
    est = rl.estimate("mistral-7b", gpu="a100", batch=8)
    found = json.loads(run("ops", *MAIN, "--json"))["ops"]
    assert [row["phase"] for row in found] == sorted((row["phase"] for row in found), reverse=True)
    for phase in est.phases:
        rows = [row for row in found if row["phase"] == phase.name]
        assert sum(row["expected_s"] for row in rows) == pytest.approx(phase.times.expected)
        assert rows[0]["expected_s"] == max(row["expected_s"] for row in rows)
        assert rows[0]["reached"] == rows[0]["bound_s"] / rows[0]["expected_s"]
        assert (rows[-1]["kind"], rows[-1]["reached"]) == ("outside", None)
    rows = list(csv.DictReader(io.StringIO(run("ops", *MAIN, "--csv"))))
    assert [float(row["share"]) for row in rows] == [row["share"] for row in found]
    assert rows[-1]["reached"] == ""


def test_ops_show_the_longest_rows_and_the_rest_as_one() -> None:
    rows = json.loads(run("ops", *MAIN, "--phase", "decode", "--top", "3", "--json"))["ops"]
    assert [row["name"] for row in rows][:4] == ["gate_up_proj", "down_proj", "qkv_proj", "11 other ops"]
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)
    split = ["--phase", "decode", "--split", "--sort", "order", "--top", "3"]
    rows = json.loads(run("ops", *MAIN, *split, "--json"))["ops"]
    assert [row["name"] for row in rows][:4] == ["gate_proj", "up_proj", "down_proj", "14 other ops"]


def test_tables_of_ops_have_the_longest_rows_and_say_how_to_see_all_and_files_have_each() -> None:
    asked = ["ops", "--model", "sd15", "--gpu", "a100", "--phase", "denoise"]
    few, whole = run(*asked, columns=120), run(*asked, "--top", "all", columns=120)
    assert "other ops" in few and "--top all shows the others" in few
    assert "other ops" not in whole and "--top" not in whole
    rows = json.loads(run(*asked, "--json"))["ops"]
    assert len(rows) > len(whole.splitlines()) > len(few.splitlines())
    assert rows == json.loads(run(*asked, "--json", "--top", "all"))["ops"]
    labels = [line[:45] for line in whole.split("─\n")[1].split("\n\n")[0].splitlines()]
    assert len(set(labels)) == len(labels)  # no two rows that nothing tells apart
    assert "one row: --csv and --json have each" in " ".join(whole.split())


def test_ops_of_all_phases_are_asked_for_by_that_word() -> None:
    assert run("ops", *MAIN, "--phase", "all") == run("ops", *MAIN)


def test_explain_shows_formula_values_line_and_source() -> None:
    text = run("explain", *MAIN, "--only", "kv_cache_bytes_per_token", columns=120)
    for words in ("131,072 B/token", "32 · 8 · (128 + 128) · 2", "mistral-7b.yaml:", "kipp.ly"):
        assert words in text


def test_show_prints_the_file_alone_and_where_it_was_found_beside() -> None:
    from roofline.specs.files.library import bundled

    result = CliRunner().invoke(app, ["show", "a100"])
    assert result.stdout == (bundled("hardware") / "a100-sxm-80gb.yaml").read_text(encoding="utf-8")
    assert "a100-sxm-80gb.yaml" in result.stderr
    assert "a100 is an alias of a100-sxm-80gb" in result.stderr


def test_a_shown_file_can_be_estimated_as_the_readme_says(tmp_path: Path) -> None:
    own = tmp_path / "m.yaml"
    own.write_text(CliRunner(env={"COLUMNS": "40"}).invoke(app, ["show", "mistral-7b"]).stdout)
    answer = json.loads(run("estimate", "-m", str(own), "-g", "a100", "--json"))
    assert answer["phases"] == json.loads(run("estimate", "-m", "mistral-7b", "-g", "a100", "--json"))["phases"]


@pytest.mark.parametrize(
    ("name", "what"),
    [("vllm", "engine"), ("ft", "engine"), ("ideal", "engine"), ("dgx-a100", "node"), ("q4_k_m", "precision")],
)
def test_show_finds_what_list_lists(name: str, what: str) -> None:
    assert json.loads(run("show", name, "--json"))["what"] == what


@pytest.mark.parametrize("what", ["model", "gpu", "node", "engine"])
def test_schema_is_json_schema(what: str) -> None:
    schema = json.loads(run("schema", what))
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "properties" in schema or "oneOf" in schema


def test_version() -> None:
    assert run("--version").startswith("roofline 0.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["estimate", "--model", "mistral-7c", "--gpu", "a100"], "Nearest: mistral-7b"),
        (["estimate", "--model", "mistral-7b", "--gpu", "a1000"], "roofline list gpus"),
        (["estimate", "--model", "mistral-7b"], "--gpu"),
        (["estimate", *MAIN, "--weights", "fp9"], "Nearest: fp8"),
        (["estimate", *MAIN, "--engine", "vlm"], "roofline list engines"),
        (["estimate", "--model", "mistral-7b", "--gpu", "a100", "--batch", "0"], "batch"),
        (["estimate", "--model", "mistral-7b", "--gpu", "a100", "--batch", "-3"], "batch"),
        (["estimate", "--model", "mistral-7b", "--gpu", "a100", "--batch", "nan"], "batch"),
        (["estimate", "--model", "mistral-7b", "--gpu", "a100", "--batch", "1e30"], "batch"),
        (["estimate", "--model", "mistral-7b", "--gpu", "a100", "--prompt", "many"], "prompt"),
        (["ops", *MAIN, "--phase", "denoise"], "prefill, decode"),
        (["ops", *MAIN, "--by", "layer"], "op, kind, block"),
        (["ops", *MAIN, "--sort", "speed"], "order"),
        (["ops", *MAIN, "--top", "0"], "or all"),
        (["ops", *MAIN, "--top", "some"], "or all"),
        (["explain", *MAIN, "--only", "nothing"], "parameters, memory"),
        (["show", "b1000"], "Nearest"),
        (["schema", "cat"], "model, gpu"),
        (["list", "things"], "models"),
        (["estimate", "--model", ".", "--gpu", "a100"], "folder"),
        (["estimate", "--model", "./nowhere.yaml", "--gpu", "a100"], "no such"),
        (["estimate", "--model", "", "--gpu", "a100"], "empty name"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(arguments: list[str], words: str) -> None:
    done = shell(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert words in done.stderr


def test_debug_shows_the_traceback() -> None:
    done = shell("estimate", "--model", "mistral-7c", "--gpu", "a100", "--debug")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_a_spec_of_ones_own(tmp_path: Path) -> None:
    from roofline.specs.files.library import bundled

    text = (bundled("hardware") / "a100-sxm-80gb.yaml").read_text()
    text = text.replace("name: a100-sxm-80gb", "name: dream").replace("2039 GB/s", "9999 GB/s")
    (tmp_path / "dream.yaml").write_text(text)
    by_dir = json.loads(run("estimate", "-m", "gpt2", "-g", "dream", "--spec-dir", str(tmp_path), "--json"))
    by_path = json.loads(run("estimate", "-m", "gpt2", "-g", str(tmp_path / "dream.yaml"), "--json"))
    assert by_dir["machine"] == by_path["machine"]
    assert by_dir["machine"]["bandwidth_bytes_per_s"] == 9999e9


_LINE = """
    --model --gpu --batch --prompt --generate --weights --json --csv mistral-7b a100 gpt2 t4 1 -1 0 1e9 fp8 q4_k é ../x
    --fusion eager --phase decode estimate ops explain list
"""
_WORDS = st.sampled_from(["", *_LINE.split()])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["estimate", "ops", "explain", "list", "show", "schema"]), st.lists(_WORDS, max_size=9))
def test_any_words_end_in_an_answer_or_a_message(command: str, words: list[str]) -> None:
    result = CliRunner().invoke(app, [command, *words])
    assert result.exit_code in (0, 1, 2)
    assert result.exception is None or isinstance(result.exception, (RooflineError, SystemExit))
