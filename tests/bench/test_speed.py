"""Speed, as figures and ratios in one run: `python -m pytest -m bench tests/bench -s -n 0`. Nothing is asserted."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple

import pytest

import roofline as rl

pytestmark = pytest.mark.bench

ROUNDS = 15
COMPLETED = {
    "_ROOFLINE_COMPLETE": "complete_bash",
    "COMP_WORDS": "roofline estimate --model mist",
    "COMP_CWORD": "3",
}


class Door(NamedTuple):
    """What is started, the environment that it needs, and the wanted ratio to the import of what it is built on."""

    arguments: list[str]
    wanted: float
    environment: Mapping[str, str] = MappingProxyType({})


def _door(command: str, wanted: float = 1.25) -> Door:
    return Door(["-m", "roofline", *command.split()], wanted)


ESTIMATE = "estimate -m mistral-7b -g a100 -b 8"
FLOOR = Door(["-c", "import numpy, pydantic, typer, yaml"], 1.0)
DOORS = {
    "import roofline": Door(["-c", "import roofline"], 1.0),
    "estimate --json": _door(f"{ESTIMATE} --json"),
    "estimate": _door(ESTIMATE, 1.5),
    "list models": _door("list models"),
    "list gpus": _door("list gpus"),
    "list nodes": _door("list nodes"),
    "list engines": _door("list engines"),
    "list precisions": _door("list precisions"),
    "list schedulers": _door("list schedulers"),
    "--help": _door("--help"),
    "estimate --help": _door("estimate --help"),
    "completion of a model": Door(["-m", "roofline"], 1.25, COMPLETED),
}


def _cpu_seconds(door: Door, environment: dict[str, str]) -> float:
    """User and system time of a fresh process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *door.arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, env={**environment, **door.environment}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_doors_open_fast(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The least of several rounds, in each of which every door opens once; all is compiled, as when installed."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    doors = {"": FLOOR, **DOORS}
    for door in doors.values():
        _cpu_seconds(door, environment)
    rounds = [{name: _cpu_seconds(door, environment) for name, door in doors.items()} for _ in range(ROUNDS)]
    least = {name: min(times[name] for times in rounds) for name in doors}
    with capsys.disabled():
        print(f"\nCPU time over that of `{FLOOR.arguments[-1]}`, {least['']:.3f} s:")
        for name, door in DOORS.items():
            print(f"  {name:24}{least[name] / least['']:5.2f}  (at most {door.wanted:g})")


#: Runs the command and tells the most memory that the process has held, as Linux notes it.
PEAK = """
import pathlib, runpy, sys
try: runpy.run_module("roofline", run_name="__main__")
except SystemExit: pass
print(pathlib.Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0], file=sys.stderr)
"""


def test_peak_memory_of_an_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", PEAK, *ESTIMATE.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    with capsys.disabled():
        print(f"\npeak memory of `roofline estimate`: {int(done.stderr.split()[-1]) / 1024:.0f} MB (under 80)")


def _least_seconds(call: Callable[[], object], rounds: int = 300) -> float:
    """The least time of a call that was made before."""
    call()
    times = []
    for _ in range(rounds):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def test_warm_estimates(capsys: pytest.CaptureFixture[str]) -> None:
    text = _least_seconds(lambda: rl.estimate("mistral-7b", gpu="a100", batch=8))
    pictures = _least_seconds(lambda: rl.estimate("sdxl", gpu="a100"))
    with capsys.disabled():
        print(f"\nwarm estimate of mistral-7b: {1e6 * text:.0f} us (at most 300)")
        print(f"warm estimate of sdxl: {1e3 * pictures:.2f} ms (at most 1.5)")
