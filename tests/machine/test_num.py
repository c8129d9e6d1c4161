"""Choices and likeness of grids: what is left out of a pass changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roofline.machine.likeness import Places
from roofline.num import ceil, is_nothing, span_many, where_either, where_holds


def test_many_points_are_those_that_sizes_span_together() -> None:
    rows, columns = np.ones((64, 1)), np.ones(64)
    assert span_many(rows, 3.0, columns)
    assert not span_many(rows, 3.0)
    assert not span_many(1.0, 2)


@pytest.mark.parametrize("limit", [0.0, 3.0, 50.0, 1e4])
def test_each_of_two_formulas_is_worked_out_where_it_holds_and_only_there(limit: float) -> None:
    grid, chips = np.arange(1.0, 101.0), np.asarray([1.0, 2.0]).reshape(-1, 1)
    seen: list[int] = []

    def small(value: np.ndarray, factor: np.ndarray) -> np.ndarray:
        seen.append(np.broadcast(value, factor).size)
        return -value * factor

    def large(value: np.ndarray, factor: np.ndarray) -> np.ndarray:
        seen.append(np.broadcast(value, factor).size)
        return value * factor

    found = where_either(grid < limit, small, large, grid, chips)
    assert np.array_equal(found, np.where(grid < limit, -grid * chips, grid * chips))
    assert sum(seen) == 200


def test_what_holds_everywhere_or_nowhere_is_no_work() -> None:
    grid = np.arange(3.0)
    assert where_holds(grid >= 0.0, grid) is grid
    assert where_holds(grid < 0.0, grid) == 0.0
    assert where_holds(grid > 1.0, grid).tolist() == [0.0, 0.0, 2.0]
    assert where_holds(True, 2.0) == 2.0
    assert where_holds(False, 2.0) == 0.0


@given(st.floats(0.0, 1e15))
def test_rounding_up_is_that_of_the_grid(value: float) -> None:
    assert ceil(value) == float(np.ceil(value))
    assert is_nothing(value) == (value == 0.0)


def test_equal_keys_share_a_place_whoever_made_their_arrays() -> None:
    places, grid = Places(), np.arange(5.0)
    other = np.asarray([0.0, 1.0, 2.0, 9.0, 4.0])  # of the same ends
    keys = [("a", 1.0), ("a", (grid, 1.0)), ("a", (grid + 0.0, 1.0)), ("a", (other, 1.0)), ("a", 1.0), ("b", grid)]
    assert [places.of(key) for key in keys] == [0, 1, 1, 2, 0, 3]
