"""The correlations that are shipped are those that follow from the shipped rows, by the rule that is stated."""

from __future__ import annotations

import numpy as np
import pytest

from roofline.analysis.comparing.correlation import FACETS, correlations
from roofline.evidence.fits.correlation import coverage, covering, derived, moment, shipped


def test_the_shipped_file_follows_from_the_shipped_rows() -> None:
    assert {row.shared: row for row in shipped()} == correlations()


def test_the_intervals_hold_four_fifths_of_measured_ratios() -> None:
    """But for one set of what two runs may share: where they share little the correlation is 0, and can be no less."""
    held = {row.shared: row.coverage for row in correlations().values()}
    low = [shared for shared, share in held.items() if share < 0.8]
    assert len(low) <= 1
    assert min(held.values()) > 0.75


@pytest.mark.parametrize("r", [0.0, 0.5, 0.9])
def test_a_correlation_is_found_again(r: float) -> None:
    rng, s = np.random.default_rng(7), 0.2
    covariance = (s / 1.2816) ** 2 * np.array([[1.0, r], [r, 1.0]])
    errors = rng.multivariate_normal([0.0, 0.0], covariance, 40_000)
    found = [np.column_stack([errors, np.full((len(errors), 2), s)])]
    assert moment(found) == pytest.approx(r, abs=0.02)
    assert covering(found) == pytest.approx(r, abs=0.05)
    assert coverage(found, r) == pytest.approx(0.8, abs=0.01)


def test_few_pairs_tell_nothing() -> None:
    few = np.array([[0.1, 0.1, 0.3, 0.3]] * 5)
    assert {row.value for row in derived({FACETS: [few]})} == {0.0}
