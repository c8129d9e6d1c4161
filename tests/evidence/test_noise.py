"""How far measurements of one condition differ, and that none is shipped twice."""

from __future__ import annotations

import csv
from math import log
from pathlib import Path

import pytest

from roofline.evidence.checks.noise import of_shipped, of_table, read_noise, repeats
from roofline.evidence.runs.shipped import SHIPPED


def run(version: str, tpot: float, ttft: float = 100.0, **others: str) -> dict[str, str]:
    """A row of a published table."""
    told = {"id": f"{version}-{tpot}", "mode": "agg", "model_path": "lab/Model-A-FP8", "backend_version": version}
    return told | {"batch": "4", "silicon_tpot_ms": str(tpot), "silicon_ttft_ms": str(ttft)} | others


def test_runs_again_and_other_versions_are_told_apart() -> None:
    rows = [run("1", 10.0), run("1", 11.0), run("2", 20.0), run("1", 99.0, batch="8"), run("1", 50.0, mode="disagg")]
    again, other = of_table(rows)
    assert again.pairs == 1 and again.median == pytest.approx(log(1.1), abs=1e-4)
    assert other.pairs == 2 and other.what.startswith("another version")


def test_a_measurement_that_is_told_again_is_no_second_one() -> None:
    assert of_table([run("1", 7.4233, 163.725), run("1", 7.42, 163.73, model_path="other/model-a")]) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_no_shipped_table_tells_a_measurement_twice(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        assert repeats(list(csv.DictReader(file))) == []


def test_a_value_that_is_rounded_is_found() -> None:
    row = {"id": "a", "engine": "vllm", "engine_as_published": "vllm 1", "source": "s", "batch": "4", "value": "7.4233"}
    assert repeats([row, row | {"id": "b", "value": "7.42"}, row | {"id": "c", "value": "7.06"}]) == [("a", "b")]
    assert repeats([row, row | {"id": "b", "value": "7.42", "engine_as_published": "vllm 2"}]) == []


def test_what_is_shipped_of_it_can_be_read() -> None:
    found = read_noise()
    assert [each.pairs > 20 for each in found] == [True, True]
    assert found[0].median < found[1].median < 0.3
    assert all(0.0 <= each.median <= each.p90 for each in of_shipped())
