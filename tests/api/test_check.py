"""What `rl.check` says, and when it stops."""

from __future__ import annotations

import pytest

import roofline as rl


def test_a_match_is_told_with_both_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    rl.check("parameters", 7_241_732_096, 7_241_732_096)
    assert capsys.readouterr().out == "parameters: we see 7,241,732,096, expected 7,241,732,096, match\n"
    rl.check("seconds", 1.004, 1.0, 0.01)
    assert capsys.readouterr().out == "seconds: we see 1.004, expected 1, match within 1 %\n"


def test_the_same_number_calculated_in_another_order_is_equal(capsys: pytest.CaptureFixture[str]) -> None:
    rl.check("microseconds", 0.1 + 0.2, 0.3)
    assert capsys.readouterr().out == "microseconds: we see 0.3, expected 0.3, match\n"
    with pytest.raises(AssertionError, match="no match"):
        rl.check("bytes", 7_241_732_097, 7_241_732_096)


def test_whole_numbers_are_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    rl.check("FLOP", 1_050_924_810_240, 1_050_924_810_240)
    rl.check("FLOP", 1_050_924_810_240.0, 1.05e12, 0.001)
    rl.check("FLOP", 1e20, 1e20)
    assert capsys.readouterr().out.splitlines() == [
        "FLOP: we see 1,050,924,810,240, expected 1,050,924,810,240, match",
        "FLOP: we see 1,050,924,810,240, expected 1,050,000,000,000, match within 0.1 %",
        "FLOP: we see 1e+20, expected 1e+20, match",
    ]


@pytest.mark.parametrize("seen", [1.02, float("nan"), float("inf")])
def test_a_difference_stops_with_the_same_sentence(seen: float) -> None:
    with pytest.raises(AssertionError, match="expected 1, no match within 1 %"):
        rl.check("seconds", seen, 1.0, 0.01)


@pytest.mark.parametrize("tolerance", [-0.1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(rl.UsageError, match="a share"):
        rl.check("seconds", 1.0, 1.0, tolerance)
