"""Intervals from rows that were left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roofline.analysis.measured.intervals import (
    FEW_INTERVAL,
    QUALITIES,
    LeftOut,
    coverage,
    intervals,
    medians,
    read_left_out,
)
from roofline.analysis.measured.residuals import write_left_out
from roofline.machine.engine import load_engine

RANDOM = np.random.default_rng(6)


def lines(known: str, errors: np.ndarray, groups: int = 5) -> list[LeftOut]:
    return [
        LeftOut("mine", "model", f"{known}-{i % groups}", f"{known}-{i}", known, float(error))
        for i, error in enumerate(errors)
    ]


def test_an_interval_covers_eighty_per_cent_of_rows_like_those_it_is_from() -> None:
    found = intervals(lines("measured", RANDOM.normal(0.0, 0.2, 400)), 400)
    ratios = np.exp(-RANDOM.normal(0.0, 0.2, 10_000))
    low, high = found[0]
    assert 0.75 < np.mean((low <= ratios) & (ratios <= high)) < 0.85


def test_to_know_less_of_a_chip_never_makes_an_interval_narrower() -> None:
    known = lines("measured", RANDOM.normal(0.0, 0.3, 200))
    found = intervals([*known, *lines("class", RANDOM.normal(0.0, 0.1, 200))], 400)
    assert found[0] == found[1]
    assert found[2][0] < found[1][0] and found[2][1] > found[1][1]  # no errors of other chips: wider by guess


def test_a_group_of_nearly_all_rows_says_nothing_of_the_engine() -> None:
    usual = lines("measured", RANDOM.normal(0.0, 0.1, 300))
    far = [x._replace(out="source", group="one", error=-0.6) for x in usual[:280]]
    assert intervals([*usual, *far], 300) == intervals(usual, 300)


def test_few_rows_make_no_narrow_interval() -> None:
    assert intervals(lines("measured", np.full(5, 0.001)), 5)[0] == FEW_INTERVAL
    assert intervals([], 40, [0.3, -0.3] * 20)[0][1] == pytest.approx(np.exp(0.3), rel=0.01)


def test_coverage_without_the_group_is_that_of_other_groups_interval() -> None:
    usual = lines("measured", RANDOM.normal(0.0, 0.1, 300), groups=10)
    strange = [x._replace(group="strange", row=f"s{i}", error=0.9) for i, x in enumerate(usual[:30])]
    found = coverage([*usual, *strange], lambda _: (0.1, 10.0), lambda x: x.group)
    by_name = {each.name: each for each in found}
    assert by_name["strange"].unseen == 0.0 and by_name["strange"].shipped == 1.0
    assert by_name["all"].lines == 330


def test_errors_are_written_and_read_as_they_are(tmp_path: Path) -> None:
    some = lines("class", np.asarray([0.125, -0.5]))
    write_left_out(some, tmp_path / "errors.csv")
    assert read_left_out(tmp_path / "errors.csv") == some
    assert medians(some) == {"model": pytest.approx(0.312, abs=0.001)}


def test_shipped_intervals_are_those_of_the_shipped_errors_and_cover_them() -> None:
    shipped = read_left_out()
    for name in {line.engine for line in shipped}:
        own = [line for line in shipped if line.engine == name]
        engine = load_engine(name)
        for quality, span in zip(QUALITIES, intervals(own, len({line.row for line in own})), strict=True):
            assert engine.interval(quality) == pytest.approx(span, rel=6e-3)
    of_all = coverage(shipped, lambda x: load_engine(x.engine).interval(x.chip_known), lambda x: x.engine)[-1]
    assert of_all.name == "all" and 0.75 <= of_all.shipped <= 0.85
