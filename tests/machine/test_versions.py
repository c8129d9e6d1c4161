"""Versions of engines: what stands for a number, a month, a year, and what an answer says of it."""

from __future__ import annotations

import math
import os
from itertools import pairwise
from pathlib import Path

import pytest

import roofline as rl
from roofline.errors import SpecError, UnknownNameError, UnknownVersionError
from roofline.machine.engine import GENERIC, IDEAL, engine_names, find_engine, load_engine, read_engine
from roofline.machine.engine_lookup import engine_told, other_versions, stands_for, version_told, versions_of
from roofline.machine.versions import VERSIONS_APART, Version, choose, in_order, widened
from roofline.specs.engine import INHERITED

VERSIONS = [
    Version("a", "2.0 to 2.4", "2025-01"),
    Version("a@1.2", "1.2 to 1.5", "2024-01", "2024-09"),
    Version("a@0.9", "0.9", "2023-02", "2023-06"),
]
FLAVOURS = [name for name in engine_names() if "@" in name]


@pytest.mark.parametrize(
    ("asked", "engine", "own"),
    [
        ("latest", "a", True),
        ("2", "a", True),
        ("2.4.1", "a", True),
        ("2.9", "a", False),  # later than all: the newest, not measured
        ("1.5", "a@1.2", True),
        ("v1.3.2", "a@1.2", True),
        ("1.2.0rc2", "a@1.2", True),
        ("1.7", "a@1.2", False),  # between two: the earlier one
        ("1.0", "a@0.9", False),
        ("0.9", "a@0.9", True),
        ("0.1", "a@0.9", False),  # earlier than all: the oldest
        ("2023-05", "a@0.9", True),
        ("2023-10", "a@0.9", False),  # in a gap: the earlier one
        ("2022", "a@0.9", False),
        ("2024-09-30", "a@1.2", True),
        ("2024", "a@1.2", True),
        ("2026-03", "a", True),
        ("1.2", "a@1.2", True),
    ],
)
def test_what_stands_for_a_version(asked: str, engine: str, own: bool) -> None:
    found = choose(VERSIONS, asked)
    assert found is not None
    assert (found.version.engine, found.own) == (engine, own)


@pytest.mark.parametrize("asked", ["", "new", "x1", "2024-13", "1..2", "1.2.3.4.5.6.7", "9" * 5000, "-1", "1@2"])
def test_what_says_no_version_is_refused(asked: str) -> None:
    assert choose(VERSIONS, asked) is None
    with pytest.raises(UnknownVersionError, match=r"vllm@0\.2"):
        find_engine(f"vllm@{asked}")


def test_the_newest_is_first_by_month_then_by_number() -> None:
    assert [each.engine for each in in_order(reversed(VERSIONS))] == ["a", "a@1.2", "a@0.9"]
    assert [each.engine for each in in_order([Version("x", "2"), Version("y", "10")])] == ["y", "x"]
    assert Version("b", "builds b2900 to b3100 of May 2024").numbers == ((2900,), (3100,))
    assert Version("b", "2024-05").numbers is None


def test_a_version_that_was_not_measured_has_a_wider_interval_and_says_so() -> None:
    """Half widths of engine and version add in quadrature."""
    low, high = widened((0.8, 1.25))
    assert math.log(high) == pytest.approx(math.hypot(math.log(1.25), VERSIONS_APART), rel=5e-3)
    assert low * high == pytest.approx(1.0, rel=5e-3)
    asked, newest = (
        rl.estimate("llama-3-8b", gpu="h100", engine="vllm@0.99"),
        rl.estimate("llama-3-8b", gpu="h100", engine="vllm"),
    )
    assert asked.latency.total.expected == newest.latency.total.expected
    assert asked.latency.total.low < newest.latency.total.low < newest.latency.total.high < asked.latency.total.high
    assert "engine-version-not-measured" in {warn.code for warn in asked.warnings}
    inputs = asked.to_dict()["inputs"]
    assert inputs["engine"] == "vllm@0.99"
    assert inputs["engine_version"] == f"0.99, as {read_engine('vllm').version}"


def test_an_answer_says_of_which_version_it_is() -> None:
    est = rl.estimate("llama-3-8b", gpu="h100", engine="vllm@2023")
    assert est.to_dict()["inputs"]["engine_version"] == "0.1 to 0.2"
    told = " ".join(est.to_dict()["assumptions"])
    assert "engine vllm 0.1 to 0.2: fitted to" in told
    assert f"others: vllm ({read_engine('vllm').version})" in told
    assert rl.estimate("llama-3-8b", gpu="h100", engine=GENERIC).to_dict()["inputs"]["engine_version"] is None
    assert version_told(IDEAL) is None


def test_names_of_the_bundled_versions() -> None:
    for asked, name in {
        "vllm@2023": "vllm@0.2",
        "vllm@2023-11": "vllm@0.2",
        "vllm@0.4": "vllm@0.3",
        "VLLM@latest": "vllm",
        "vllm-eager": "vllm@0.2",
        "tensorrt-llm-0.5": "tensorrt-llm@0.5",
        "trtllm@0.9": "tensorrt-llm@0.9",
        "turbomind@2023": "lmdeploy@0.1",
    }.items():
        assert find_engine(asked) == name
    assert find_engine("trtllm@v0.15") == "tensorrt-llm@0.15"  # not measured: it keeps its name
    assert stands_for("tensorrt-llm@0.15") == "tensorrt-llm@0.9"
    assert engine_told("tensorrt-llm@0.15") == "tensorrt-llm 0.15, as 0.9"
    assert [each.engine for each in other_versions("vllm@0.3")] == ["vllm", "vllm@0.2"]
    with pytest.raises(UnknownNameError, match="vllm"):
        find_engine("vlm@0.3")
    with pytest.raises(UnknownVersionError, match="Leave out @1"):
        find_engine("generic@1")


@pytest.mark.parametrize("name", FLAVOURS)
def test_a_version_has_what_it_does_not_state_from_its_engine(name: str) -> None:
    spec = read_engine(name)
    assert spec.of == name.partition("@")[0]
    assert spec.version
    base = read_engine(spec.of)
    for block in INHERITED:
        if block not in spec.model_fields_set and "chunk" not in spec.model_fields_set:
            assert getattr(spec, block) == getattr(base, block)
    assert base.of is None
    assert versions_of(spec.of)[0].engine == spec.of


def test_the_head_of_a_file_says_what_its_spec_says() -> None:
    for name in engine_names()[1:]:
        spec = read_engine(name)
        assert versions_of(name)[0] == Version(name, spec.version, spec.since, spec.until)


def test_versions_of_an_engine_do_not_overlap() -> None:
    """Each month and each number has one version."""
    for base in {name.partition("@")[0] for name in FLAVOURS}:
        versions = versions_of(base)
        for newer, older in pairwise(versions):
            assert older.numbers is None or newer.numbers is None or older.numbers[1] < newer.numbers[0]
            assert older.months is None or newer.months is None or older.months[1] < newer.months[0]


OWN = (
    "kind: engine\nname: {name}\ntitle: Mine\n{more}\nhost: {{step: {step}}}\n"
    "interval: {{measured: [0.9, 1.1], sibling: [0.8, 1.2], other: [0.5, 2.0]}}\n"
    "fit: {{rows: 0, coefficients: 0, date: today}}\nsources: [me]\n"
)


def test_files_of_ones_own_have_versions_too(tmp_path: Path) -> None:
    texts = {
        "mine.yaml": OWN.format(name="mine", more='version: "2.0"\nchunk: 64\nchunk_sources: [me]', step="5 ms"),
        "mine@1.0.yaml": OWN.format(name="mine@1.0", more='of: mine\nversion: "1.0"\nsince: 2024-02', step="9 ms"),
        "vllm@0.30.yaml": OWN.format(name="vllm@0.30", more='of: vllm\nversion: "0.30"', step="1 ms"),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    folder = str(tmp_path)
    assert find_engine("mine@1.0.2", folder) == str(tmp_path / "mine@1.0.yaml")
    assert find_engine("mine@2024-05", folder) == str(tmp_path / "mine@1.0.yaml")
    assert find_engine("mine@latest", folder) == str(tmp_path / "mine.yaml")
    assert find_engine("vllm@0.30", folder) == str(tmp_path / "vllm@0.30.yaml")
    between = find_engine("mine@1.5", folder)
    assert read_engine(between).interval.measured[1] > 1.1
    assert load_engine(between).step_s == pytest.approx(9e-3)
    est = rl.estimate("gpt2", gpu="a100", engine="mine@1.0", spec_dir=folder)
    assert est.to_dict()["inputs"]["chunk"] == 64.0  # of the engine that it is of
    changed = texts["mine.yaml"].replace("chunk: 64", "chunk: 32")
    (tmp_path / "mine.yaml").write_text(changed, encoding="utf-8")
    os.utime(tmp_path / "mine.yaml", ns=(1, 1))
    assert rl.estimate("gpt2", gpu="a100", engine="mine@1.0", spec_dir=folder).to_dict()["inputs"]["chunk"] == 32.0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("of: nothing", "of: no engine named 'nothing'"),
        ("of: ideal", "no engine that one can be a version of"),
        ("of: mine@1", "no engine that one can be a version of"),
        ("since: 2024-13", "since"),
        ("since: 2024-02\nuntil: 2023-02", "ends before it begins"),
        ("version: 0.5", "version"),
    ],
)
def test_a_version_that_cannot_be_one_is_refused_with_its_place(tmp_path: Path, more: str, message: str) -> None:
    path = tmp_path / "mine@1.yaml"
    path.write_text(OWN.format(name="mine@1", more=more, step="5 ms"), encoding="utf-8")
    with pytest.raises(SpecError, match=message) as caught:
        read_engine(str(path))
    assert "mine@1.yaml" in str(caught.value)


def test_versions_can_be_compared_and_swept() -> None:
    found = rl.compare("llama-3-8b", gpu="h100", engine=["vllm", "vllm@2023", "vllm@2024-03"]).to_dict()
    assert [row["engine"] for row in found["rows"]] == ["vllm", "vllm@0.2", "vllm@0.3"]
