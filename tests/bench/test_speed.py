"""Speed, as figures and ratios in one run: `python -m pytest -m bench tests/bench`. Nothing is asserted."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import pytest

import roofline as rl

pytestmark = pytest.mark.bench

MAIN = ["-m", "roofline", "estimate", "-m", "mistral-7b", "-g", "a100", "-b", "8", "--json"]


def _cpu_seconds(arguments: list[str], tries: int = 7) -> float:
    """The least user and system time of a fresh process."""
    best = float("inf")
    for _ in range(tries):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def test_process_start(capsys: pytest.CaptureFixture[str]) -> None:
    base = _cpu_seconds(["-c", "import numpy, pydantic, typer, yaml"])
    main = _cpu_seconds(MAIN)
    library = _cpu_seconds(["-c", "import numpy, pydantic, yaml"])
    package = _cpu_seconds(["-c", "import roofline"])
    peak = (
        "import resource, runpy, sys; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_module('roofline', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", peak, "roofline", *MAIN[2:]], capture_output=True, text=True, check=True
    )
    with capsys.disabled():
        command = f"{main:.3f} s / {base:.3f} s = {main / base:.2f} (at most 1.5)"
        print(f"\nroofline estimate --json / import numpy, pydantic, typer, yaml: {command}")
        imported = f"{package:.3f} s / {library:.3f} s = {package / library:.2f} (at most 1.2)"
        print(f"import roofline / import numpy, pydantic, yaml: {imported}")
        print(f"peak memory of the command: {int(done.stderr.split()[-1]) / 1024:.0f} MB (under 80)")


def test_warm_scalar_estimate(benchmark: Any) -> None:
    rl.estimate("mistral-7b", gpu="a100", batch=8)
    benchmark(rl.estimate, "mistral-7b", gpu="a100", batch=8)
