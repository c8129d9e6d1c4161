"""Intervals from rows that were left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roofline.evidence.fits.intervals import (
    FEW_INTERVAL,
    QUALITIES,
    LeftOut,
    coverage,
    intervals,
    medians,
    others_of,
    read_left_out,
)
from roofline.evidence.fits.residuals import write_left_out
from roofline.evidence.runs.declared import IMAGE_ENGINES
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


def test_errors_lean_to_one_side_and_the_interval_allows_for_the_other() -> None:
    low, high = intervals(lines("measured", RANDOM.normal(-0.3, 0.02, 200)), 200)[0]
    assert high > 1.3 and low < 0.8


def test_a_large_group_counts_as_its_root() -> None:
    """A fifth of the rows, in one group among 37, is less than a tenth of what counts."""
    errors = RANDOM.normal(0.0, 0.05, 144)
    small = [LeftOut("mine", "model", f"g{i // 4}", f"s{i}", "measured", float(e)) for i, e in enumerate(errors)]
    large = [LeftOut("mine", "model", "large", f"l{i}", "measured", -0.6) for i in range(36)]
    low, high = intervals([*small, *large], 180)[0]
    assert 0.85 < low < 1.0 < high < 1.25


def test_other_engines_stand_beside_those_that_serve_the_same_models() -> None:
    own = lines("measured", RANDOM.normal(0.0, 0.02, 40))
    other = [x._replace(engine="other", error=0.5) for x in own]
    images = [x._replace(engine="pictures", error=0.5) for x in own]
    generic = [x._replace(engine="generic", out="engine") for x in own]
    every = [*own, *other, *images, *generic]
    assert {x.engine for x in others_of("mine", every, {"pictures"})} == {"other"}
    assert intervals(own, 40, (), other)[0][0] < intervals(own, 40)[0][0]


def test_shipped_intervals_are_those_of_the_shipped_errors_and_cover_them() -> None:
    shipped = read_left_out()
    for name in {line.engine for line in shipped}:
        own = [line for line in shipped if line.engine == name]
        engine, others = load_engine(name), others_of(name, shipped, IMAGE_ENGINES)
        spans = intervals(own, len({line.row for line in own}), (), others)
        for quality, span in zip(QUALITIES, spans, strict=True):
            assert engine.interval(quality) == pytest.approx(span, rel=6e-3)
    of_all = coverage(
        shipped, lambda x: load_engine(x.engine).interval(x.chip_known), lambda x: x.engine, IMAGE_ENGINES
    )[-1]
    assert of_all.name == "all" and 0.75 <= of_all.shipped <= 0.85 and 0.75 <= of_all.unseen <= 0.85
