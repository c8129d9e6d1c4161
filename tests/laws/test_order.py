"""Answers do not depend on what was asked before in the same process: what is kept is kept by all that it rests on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import roofline as rl
from roofline.specs.files.engines import ENGINES
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.precision import Precision

#: Asks random questions, from the first to the last or the other way round, and prints a few numbers of each.
_ASK = """
import json, sys
from random import Random
from roofline.errors import RooflineError
from tests.laws.questions import chance
found = {}
for number in list(range(int(sys.argv[1])))[:: int(sys.argv[2])]:
    question = chance(Random(f"order/{number}"))
    try:
        est = question.ask()
    except RooflineError as error:
        found[number] = str(error)
    else:
        total, first = est.latency.total, est.phases[0]
        found[number] = [total.expected, total.bound, est.memory.total_bytes, first.bytes]
print(json.dumps({str(number): found[number] for number in sorted(found)}))
"""


def test_answers_do_not_depend_on_the_order_of_questions() -> None:
    root = Path(__file__).parents[2]
    found = []
    for direction in ("1", "-1"):
        command = [sys.executable, "-c", _ASK, "60", direction]
        done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]


def test_experts_of_half_the_number_and_of_half_the_width_are_not_alike() -> None:
    """Both hold as many parameters under one name; the sides of their matrices say how many scales they have."""

    def experts(number: float, hidden: float) -> Op:
        return make.experts(
            "experts", "layers.feed_forward", 8.0, width=2880.0, hidden=hidden, number=number, top_k=4.0, gated=True
        )

    few, narrow = experts(16.0, 2880.0), experts(32.0, 1440.0)
    assert few.params == narrow.params
    shared = Precision.of("int4-g128")
    for op in (few, narrow, few):
        assert shared.weight_bits(op) == Precision.of("int4-g128").weight_bits(op)
    assert shared.weight_bits(few) != shared.weight_bits(narrow)


def test_an_engine_file_that_changed_is_another_engine(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    shutil.copy(ENGINES / "vllm.yaml", path)
    before = rl.estimate("mistral-7b", "a100", engine=str(path)).latency.total.expected
    text = path.read_text(encoding="utf-8")
    changed = re.sub(r"step: [0-9.]+ us", "step: 9999 us", text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    assert rl.estimate("mistral-7b", "a100", engine=str(path)).latency.total.expected > before


def test_a_spec_of_ones_own_counts_from_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that meant a bundled file means one's own as soon as there is one; an alias that a file takes up, that."""
    monkeypatch.setenv("ROOFLINE_PATH", str(tmp_path))
    before = rl.load_gpu("a100").memory.bandwidth
    text = (Path(__file__).parents[2] / "hardware" / "t4.yaml").read_text(encoding="utf-8")
    own = tmp_path / "mine.yaml"
    own.write_text(text.replace("name: t4", "name: mine"), encoding="utf-8")
    assert rl.load_gpu("a100").memory.bandwidth == before
    lines = [line for line in text.replace("name: t4", "name: mine").splitlines() if not line.startswith("aliases:")]
    own.write_text("\n".join([*lines, "aliases: [a100, my-card]"]) + "\n", encoding="utf-8")
    assert rl.load_gpu("my-card").name == "mine"
    assert rl.load_gpu("a100").name == "mine"
