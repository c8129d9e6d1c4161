"""Intervals from rows that were left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roofline.evidence.fits.intervals import LeftOut, coverage, medians, read_left_out, shipped_interval
from roofline.evidence.fits.residuals import write_left_out
from roofline.evidence.fits.spans import (
    FEW_INTERVAL,
    Evidence,
    fit_intervals,
    intervals_of,
    unseen_intervals,
    wider,
)
from roofline.evidence.runs.declared import DECLARED, timed_by
from roofline.evidence.runs.phases import REQUEST, span_of, told_by
from roofline.machine.engine import GENERIC, load_engine, read_engine
from roofline.machine.intervals import QUALITIES, TIMED, Spans

RANDOM = np.random.default_rng(6)


def lines(
    errors: np.ndarray, timed: str = "decode", engine: str = "mine", groups: int = 10, known: str = "measured"
) -> list[LeftOut]:
    """Errors of rows that were left out model by model."""
    return [
        LeftOut(engine, "model", f"{known}-{i % groups}", f"{timed}-{known}-{i}", known, float(error), timed)
        for i, error in enumerate(errors)
    ]


def inside(span: tuple[float, float], ratios: np.ndarray) -> float:
    return float(np.mean((span[0] <= ratios) & (ratios <= span[1])))


def test_an_interval_covers_eighty_per_cent_of_rows_like_those_it_is_from() -> None:
    found = intervals_of(Evidence(lines(RANDOM.normal(0.0, 0.2, 800), groups=40)), "mine", ["decode"])["decode"]
    assert 0.75 < inside(found.measured, np.exp(RANDOM.normal(0.0, 0.2, 10_000))) < 0.85


def test_each_thing_that_is_timed_has_an_interval_of_its_own() -> None:
    both = [*lines(RANDOM.normal(0.0, 0.05, 400)), *lines(RANDOM.normal(0.0, 0.4, 400), "prefill")]
    found = intervals_of(Evidence(both), "mine", ["prefill", "decode", "served"])
    assert set(found) == {"prefill", "decode"}  # nothing is known of serving
    assert 0.75 < inside(found["decode"].measured, np.exp(RANDOM.normal(0.0, 0.05, 10_000))) < 0.85
    assert 0.75 < inside(found["prefill"].measured, np.exp(RANDOM.normal(0.0, 0.4, 10_000))) < 0.85


def test_an_interval_is_never_longer_to_the_quick_side() -> None:
    """What is not known of a run makes it slower; errors of the other sign alone are those of few laboratories."""
    for tail in (-0.6, 0.6):
        errors = np.where(RANDOM.random(400) < 0.2, tail, RANDOM.normal(0.0, 0.05, 400))
        span = intervals_of(Evidence(lines(errors)), "mine", ["decode"])["decode"].measured
        low, high = -np.log(span[0]), np.log(span[1])
        assert high >= 0.99 * low
        assert (high > 2.0 * low) == (tail < 0.0)  # a negative error: measured slower than expected


def test_to_know_less_of_a_chip_never_makes_an_interval_narrower() -> None:
    known, less = RANDOM.normal(0.0, 0.2, 400), RANDOM.normal(0.0, 0.1, 400)
    same = intervals_of(Evidence([*lines(known), *lines(less, known="class")]), "mine", ["decode"])["decode"]
    assert same.measured == same.sibling == same.other
    grown = intervals_of(Evidence([*lines(less), *lines(known, known="class")]), "mine", ["decode"])["decode"]
    assert grown.sibling[1] > grown.measured[1] and grown.sibling[0] < grown.measured[0]
    assert np.log(grown.sibling[1]) <= 1.51 * np.log(grown.measured[1])  # no more than half as much again


def test_an_engine_of_few_rows_has_the_interval_of_all_of_that_phase() -> None:
    others = lines(RANDOM.normal(0.0, 0.2, 400), engine="other")
    few = [*lines(np.full(4, 0.001), groups=2), *others]
    span = intervals_of(Evidence(few), "mine", ["decode"])["decode"].measured
    whose = intervals_of(Evidence(few), "other", ["decode"])["decode"].measured
    assert np.log(span[1]) > 0.6 * np.log(whose[1])
    absent = intervals_of(Evidence(others), "absent", ["decode"])["decode"].measured
    assert np.log(absent[1]) == pytest.approx(1.5 * np.log(whose[1]), rel=0.05)


def test_rows_of_the_generic_engine_widen_no_other() -> None:
    own = lines(RANDOM.normal(0.0, 0.1, 400))
    generic = [x._replace(engine=GENERIC, out="engine", error=0.9) for x in own[:200]]
    scale = Evidence(own).scale("mine", "decode")
    assert Evidence([*own, *generic]).scale("mine", "decode") == pytest.approx(scale)
    assert Evidence([*own, *generic]).scale(GENERIC, "decode") == pytest.approx(0.9)


def test_a_large_group_counts_as_its_root() -> None:
    """A fifth of the rows, in one group among 37, is less than a tenth of what counts."""
    errors = RANDOM.normal(0.0, 0.05, 144)
    small = [LeftOut("mine", "model", f"g{i // 4}", f"s{i}", "measured", float(e)) for i, e in enumerate(errors)]
    large = [LeftOut("mine", "model", "large", f"l{i}", "measured", -0.6) for i in range(36)]
    assert Evidence([*small, *large]).scale("mine", "decode") < 0.1


def test_a_group_of_nearly_all_rows_says_nothing_of_the_engine() -> None:
    often = lines(RANDOM.normal(0.0, 0.1, 300))
    far = [x._replace(out="source", group="one", error=-0.6) for x in often[:280]]
    scale = Evidence(often).scale("mine", "decode")
    assert Evidence([*often, *far]).scale("mine", "decode") == pytest.approx(scale)


def test_a_request_tells_of_the_phase_that_it_mostly_is() -> None:
    assert told_by("prefill", 0.0) == ("prefill",)
    assert [told_by(REQUEST, share) for share in (0.1, 0.5, 0.9)] == [("decode",), (), ("prefill",)]
    spans = {"prefill": (0.5, 2.0), "decode": (0.9, 1.1)}
    assert span_of(spans.__getitem__, "decode", 0.0) == (0.9, 1.1)
    assert span_of(spans.__getitem__, REQUEST, 0.25) == pytest.approx((0.8, 1.325))


def test_few_rows_make_no_narrow_interval() -> None:
    found = fit_intervals({"decode": np.full(5, 0.001), "prefill": np.asarray([0.3, -0.3] * 20)})
    assert found["decode"].measured == FEW_INTERVAL
    assert found["prefill"].measured[1] == pytest.approx(np.exp(0.3), rel=0.01)


def test_coverage_without_the_group_is_that_of_other_groups_interval() -> None:
    often = lines(RANDOM.normal(0.0, 0.1, 300))
    strange = [x._replace(group="strange", row=f"s{i}", error=0.9) for i, x in enumerate(often[:30])]
    every = [*often, *strange]
    found = coverage(every, [(0.1, 10.0)] * len(every), unseen_intervals(Evidence(every)), lambda x: x.group)
    by_name = {each.name: each for each in found}
    assert by_name["strange"].unseen == 0.0 and by_name["strange"].shipped == 1.0
    assert by_name["all"].lines == 330 and by_name["all"].groups == 11


def test_errors_are_written_and_read_as_they_are(tmp_path: Path) -> None:
    some = [*lines(np.asarray([0.125, -0.5])), lines(np.asarray([0.2]))[0]._replace(timed=REQUEST, prefill=0.37)]
    write_left_out(some, tmp_path / "errors.csv")
    assert read_left_out(tmp_path / "errors.csv") == some
    assert medians(some[:2]) == {"model": pytest.approx(0.312, abs=0.001)}


def test_shipped_intervals_are_those_of_the_shipped_errors() -> None:
    evidence = Evidence(read_left_out())
    for name in (GENERIC, *DECLARED):
        spec = read_engine(name)
        timed = timed_by(name, server=spec.server is not None)
        found = intervals_of(evidence, name, timed)
        if not spec.fit.rows:
            found = wider(intervals_of(evidence, DECLARED[name].like, timed))
        for what, spans in found.items():
            for quality in QUALITIES:
                assert load_engine(name).interval(what, quality) == pytest.approx(spans.of(quality), rel=6e-3)


def test_shipped_intervals_cover_four_fifths_of_each_thing_that_is_timed() -> None:
    """Of rows that were left out, by intervals that were made without all rows of their group, and as shipped."""
    shipped = read_left_out()
    spans = [shipped_interval(line) for line in shipped], unseen_intervals(Evidence(shipped))
    for each in coverage(shipped, *spans, lambda line: line.timed):
        assert 0.75 <= each.unseen <= 0.86, each
        assert 0.75 <= each.shipped <= 0.88, each
    assert {line.timed for line in shipped} <= {*TIMED, REQUEST}


def test_less_well_known_is_wider() -> None:
    spans = {"decode": Spans((0.8, 1.2), (0.8, 1.3), (0.7, 1.5))}
    assert wider(spans)["decode"].measured == pytest.approx((0.8**1.5, 1.2**1.5), rel=0.01)
