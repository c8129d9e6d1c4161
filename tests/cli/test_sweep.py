"""`roofline sweep`: rows to files and pipes, stopped and gone on with, and what is told."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import roofline as rl

ASKED = ["--model", "mistral-7b", "--gpu", "a100,h100", "--batch", "1:8:x2", "--prompt", "128:512:+128"]
LARGE = ["--model", "mistral-7b", "--gpu", "a100", "--batch", "1:300", "--prompt", "1:4000", "--engine", "ideal"]
FEW = ["--columns", "batch,prompt,ttft_s"]


def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "roofline", "sweep", *arguments], capture_output=True, check=False, **more
    )


def grid() -> list[dict[str, Any]]:
    return list(rl.sweep("mistral-7b", gpu=["a100", "h100"], batch=[1, 2, 4, 8], prompt=range(128, 513, 128)).records())


def order(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["gpu"], int(row["batch"]), int(row["prompt"])


def test_rows_are_the_points_of_the_grid_in_every_form(tmp_path: Path) -> None:
    lines = run(*ASKED, "--json")
    rows = [json.loads(line) for line in lines.stdout.splitlines()]
    assert lines.stderr == b"" and sorted(rows, key=order) == grid()
    for name, flags in (("a.jsonl", []), ("b.txt", ["--json"])):
        assert run(*ASKED, "-o", str(tmp_path / name), *flags).returncode == 0
        assert (tmp_path / name).read_bytes() == lines.stdout
    table = run(*ASKED, "--csv").stdout.decode()
    read = list(csv.DictReader(io.StringIO(table)))
    assert [{name: str(value).lower() for name, value in row.items()} for row in rows] == read
    assert run(*ASKED, "-o", str(tmp_path / "c.csv")).returncode == 0
    assert (tmp_path / "c.csv").read_text() == table
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "b.txt", "c.csv"]


def test_parquet_holds_the_same_rows(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run(*ASKED, "-o", str(tmp_path / "a.parquet")).returncode == 0
    assert sorted(parquet.read_table(tmp_path / "a.parquet").to_pylist(), key=order) == grid()
    assert os.listdir(tmp_path) == ["a.parquet"]


def test_parquet_without_its_extra_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    found = run(*LARGE, "-o", "a.parquet", cwd=tmp_path, env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"})
    assert found.returncode == 2 and b"roofline[data]" in found.stderr and b"Traceback" not in found.stderr


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_the_first_rows_and_how_many_more(width: int) -> None:
    found = run(*ASKED, env={**os.environ, "COLUMNS": str(width)})
    lines = found.stdout.decode().splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.split()[:1] in (["a100"], ["h100"]) for line in lines) == 20
    assert b"12 rows more" in found.stderr


def test_what_is_wanted_of_the_rows() -> None:
    rows = grid()
    best = run(*ASKED, "--json", "--where", "gpu == 'a100' and batch > 1", "--sort=-ttft_s", "--top", "2")
    wanted = sorted((r for r in rows if r["gpu"] == "a100" and r["batch"] > 1), key=lambda r: -r["ttft_s"])[:2]
    assert [json.loads(line) for line in best.stdout.splitlines()] == wanted
    front = run(*ASKED, "--csv", "--pareto", "ttft_s,output_tokens_per_s", "--columns", "batch,gpu")
    assert front.stdout.splitlines()[0] == b"batch,gpu" and b"a100" not in front.stdout
    none = run(*ASKED, "--csv", "--where", "batch > 1000", *FEW)
    assert (none.returncode, none.stdout) == (0, b"batch,prompt,ttft_s\n") and b"no row meets" in none.stderr


def test_points_that_cannot_be_are_left_out_and_told() -> None:
    found = run(*ASKED, "--tp", "1,3", "--csv")
    assert found.returncode == 0 and len(found.stdout.splitlines()) == 33
    assert b"32 of 64 points cannot be and are left out: --tp 3 does not divide" in found.stderr
    assert run(*ASKED, "--tp", "1,3", "--csv", "--strict").returncode == 2
    assert run(*ASKED, "--tp", "3", "--csv").returncode == 2


WRONG = [
    (["--where", "fitz"], b"no column 'fitz'; did you mean 'fits'"),
    (["--where", "__import__('os').system('true')"], b"character"),
    (["--where", "gpu > 3"], b"compared by =="),
    (["--sort", "nothing"], b"no column 'nothing'"),
    (["--sort", ""], b"empty"),
    (["--top", "3"], b"--sort"),
    (["--top", "0", "--sort", "ttft_s"], b"from 1"),
    (["--top", "many", "--sort", "ttft_s"], b"--top"),
    (["--pareto", "gpu,ttft_s"], b"gpu"),
    (["--pareto", "batch"], b"say which is better"),
    (["--columns", "a,,b"], b"empty"),
    (["--columns", "gpu,gpu"], b"twice"),
    (["--columns", "gpu,tft_s"], b"did you mean 'ttft_s'"),
    (["--batch", "8:1"], b"backward"),
    (["--batch", "1:8:+0"], b"above 0"),
    (["--batch", "1:8:x1"], b"above 1"),
    (["--batch", "@nowhere"], b"cannot be read"),
    (["--batch", "1:49999999", "--prompt", "1:49999999"], b"at most 10,000,000,000"),
    (["-o", "x.txt"], b"ending"),
    (["-o", "x.json"], b".jsonl"),
    (["-o", "x.csv", "--json"], b"ends in .csv"),
    (["-o", "nowhere/x.csv"], b"no folder"),
    (["-o", "folder.csv"], b"is a folder"),
    (["--resume"], b"--output"),
    (["--csv", "--json"], b"one of the two"),
    (["--gpu", "a100,nothing-like-it"], b"no GPU named"),
    (["--weights", "bf16,bf61"], b"bf61"),
]


@pytest.mark.parametrize(("more", "said"), WRONG)
def test_what_is_wrong_is_one_line(more: list[str], said: bytes, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    asked = ["--model", "mistral-7b", *(["--gpu", "a100"] if "--gpu" not in more else [])]
    found = run(*asked, *(["--batch", "1,2"] if "--batch" not in more else []), *more, cwd=tmp_path)
    assert found.returncode == 2 and said in found.stderr, found.stderr
    assert found.stderr.count(b"\n") == 1 and found.stdout == b"" and os.listdir(tmp_path) == ["folder.csv"]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("mine")
    for flags in ([], ["--resume"]):
        assert run(*ASKED, "-o", str(out), *flags).returncode == 2 and out.read_text() == "mine"
    assert run(*ASKED, "-o", str(out), "--force").returncode == 0 and len(out.read_text()) > 4000


def started(out: Path, *flags: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "roofline", "sweep", *LARGE, *FEW, "-o", str(out), *flags]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def stopped(process: subprocess.Popen[bytes], part: Path, size: int, by: int) -> tuple[int, bytes]:
    """Stop a process once a file has so many bytes, if it has not ended before."""
    while process.poll() is None and not (part.exists() and part.stat().st_size > size):
        time.sleep(0.005)
    process.send_signal(by)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_sweep_that_is_stopped_goes_on_to_the_same_file(ending: str, tmp_path: Path) -> None:
    """Killed in the middle of writing, then by Ctrl-C: the file is that of one in one go, byte for byte."""
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    whole, out = tmp_path / f"whole.{ending}", tmp_path / f"a.{ending}"
    assert run(*LARGE, *FEW, "-o", str(whole)).returncode == 0
    part = tmp_path / f"a.{ending}.part"
    stopped(started(out), part, 2_000_000, signal.SIGKILL)
    if out.exists():
        pytest.skip("it ended before it could be stopped")
    code, said = stopped(started(out, "--resume"), part, 9_000_000, signal.SIGINT)
    if not out.exists():
        assert code == 130 and b"--resume goes on" in said
        if ending == "csv":
            assert part.read_bytes().endswith(b"\n") and whole.read_bytes().startswith(part.read_bytes())
        assert run(*LARGE, *FEW, "-o", str(out)).returncode == 2
        changed = run(*LARGE, "--columns", "batch", "-o", str(out), "--resume")
        assert changed.returncode == 2 and b"of another sweep" in changed.stderr
        assert run(*LARGE, *FEW, "-o", str(out), "--resume").returncode == 0
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(os.listdir(tmp_path)) == [f"a.{ending}", f"whole.{ending}"]


def test_a_full_disk_leaves_whole_rows_and_goes_on(tmp_path: Path) -> None:
    out, whole = tmp_path / "a.csv", tmp_path / "whole.csv"
    assert run(*LARGE, *FEW, "-o", str(whole)).returncode == 0
    limited = f"ulimit -f 6000; exec {sys.executable} -m roofline sweep {' '.join([*LARGE, *FEW])} -o {out}"
    found = subprocess.run(["bash", "-c", limited], capture_output=True, check=False)
    assert found.returncode == 2 and b"--resume goes on" in found.stderr and b"Traceback" not in found.stderr
    part = (tmp_path / "a.csv.part").read_bytes()
    assert part.endswith(b"\n") and whole.read_bytes().startswith(part) and len(part) > 1_000_000
    assert run(*LARGE, *FEW, "-o", str(out), "--resume").returncode == 0
    assert out.read_bytes() == whole.read_bytes()


def test_very_many_points_are_not_begun_unasked() -> None:
    found = run("--model", "mistral-7b", "--gpu", "a100", "--batch", "1:40000", "--prompt", "1:4000", "--csv")
    assert found.returncode == 2 and b"160,000,000 points" in found.stderr and b"--yes" in found.stderr


def test_a_table_says_what_all_points_share_and_each_warning_once() -> None:
    asked = ["--model", "llama-3.1-8b", "--gpu", "rtx-4090", "--weights", "q4_k_m,q8_0", "--batch", "1:8:x2"]
    text = " ".join(run(*asked).stdout.decode().split())
    est = rl.estimate("llama-3.1-8b", "rtx-4090", weights="q4_k_m")
    for words in ("prompt 512", "generate 128", "engine generic", "as expected of the engine"):
        assert words in text.partition("Sweep of")[0]
    for warn in est.warnings:
        assert text.count(f"warning {warn.code}: {warn.text}") == 1
    given = " ".join(run(*asked, "--prompt", "64", "--engine", "vllm").stdout.decode().split())
    shared = given.partition("Sweep of")[0]
    assert "generate 128" in shared and "prompt" not in shared and "engine vllm" not in shared


def test_warnings_of_points_that_differ_are_told_and_those_of_many_are_few() -> None:
    cards = "rtx-4090,rtx-3060-12gb,rtx-5090,rtx-4070,rtx-4080"
    text = " ".join(run("--model", "mistral-7b", "--gpu", cards, "--prompt", "100,100000").stdout.decode().split())
    assert "context-exceeds-maximum" in text  # of the longest prompt alone
    assert text.count("warning efficiency-of-class") == 3
    assert "(and 2 more)" in text
