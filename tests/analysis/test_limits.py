"""The largest number that fits is found exactly, whatever the shape of the growth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from roofline.runs.limits import CEILING, largest


@given(st.floats(0, 1e6), st.floats(0.001, 1e3), st.floats(0, 1e-3), st.integers(0, 10**6), st.floats(0, 1e9))
def test_it_is_the_last_that_fits(base: float, slope: float, square: float, kink: int, limit: float) -> None:
    def amount(n: int) -> float:
        return base + slope * min(n, kink) + 0.1 * slope * n + square * n * n

    found = largest(amount, limit)
    assert found == 0 or amount(found) <= limit
    assert amount(found + 1) > limit or found == CEILING


def test_a_straight_line_takes_few_trials() -> None:
    trials = []
    assert largest(lambda n: trials.append(n) or 5.0 + 0.25 * n, 1e9) == 3999999980
    assert len(trials) <= 5


def test_what_never_grows_is_without_end() -> None:
    assert largest(lambda n: 1.0, 2.0) == CEILING
