"""The page on training runs: what the shipped frameworks make of the shipped rows, and figures to reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roofline.evidence.training.all_frameworks import read_left_out
from roofline.evidence.training.errors import Errors, judge
from roofline.evidence.training.fit import LeftOut
from roofline.evidence.training.prepared import prepare
from roofline.evidence.training.report import coverage, page
from roofline.evidence.training.rows import read_training

PAGE = Path(__file__).resolve().parents[2] / "docs" / "training.md"


def test_the_page_is_what_its_command_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_no_run_is_faster_than_its_floor() -> None:
    runs, _ = prepare(read_training())
    judged = judge(runs)
    assert all(each.floor <= each.bound <= each.expected for each in judged)
    assert [each.run.row.id for each in judged if each.measured < each.floor] == []


def test_rows_of_models_left_out_are_met_and_intervals_hold_four_fifths_of_them() -> None:
    left = read_left_out()
    errors = Errors.of([line.error for line in left if line.way == "model"])
    assert errors.median < 0.11
    inside, _ = coverage(left)
    assert 0.75 <= inside <= 0.88


def test_errors_are_shares_in_both_directions() -> None:
    """A step expected twice as long is as far off as one expected half as long."""
    errors = Errors.of([float(np.log(2.0)), float(-np.log(2.0))])
    assert errors.rows == 2
    assert errors.median == pytest.approx(1.0)
    assert errors.bias == pytest.approx(0.0)


def test_a_group_is_covered_by_the_others_where_they_err_alike() -> None:
    lines = [
        LeftOut("a", "model", f"m{place % 4}", f"{place}", float(error))
        for place, error in enumerate(np.linspace(-0.2, 0.2, 200))
    ]
    inside, unseen = coverage(lines)
    assert inside == pytest.approx(0.8, abs=0.02)
    assert unseen == pytest.approx(0.8, abs=0.04)
