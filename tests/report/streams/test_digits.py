"""Numbers are written as Python writes them, many at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roofline.report.streams.digits import cells, number


def texts(values: np.ndarray) -> list[bytes]:
    return [bytes(row).replace(b"\0", b"") for row in cells(values, b"null")]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(width=64), min_size=1, max_size=40))
def test_every_number_is_the_shortest_that_reads_the_same(values: list[float]) -> None:
    found = texts(np.array(values))
    assert found == [number(value, b"null") for value in values]
    for value, text in zip(values, found, strict=True):
        assert text == b"null" or float(text) == value


@pytest.mark.parametrize("decimals", [0, 1, 5, 12, None])
def test_numbers_of_every_size_and_length(decimals: int | None) -> None:
    """Few digits and many, ties of the last one, powers of two and of ten and their neighbours."""
    random = np.random.default_rng(13)
    values = np.exp(random.uniform(-40, 36, 20_000)) * random.choice([-1.0, 1.0], 20_000)
    if decimals is not None:
        values = np.round(values, decimals)
    assert texts(values) == [number(value, b"null") for value in values.tolist()]


def test_powers_and_their_neighbours() -> None:
    powers = np.array([float(f"1e{e}") for e in range(-210, 30)] + [2.0**e for e in range(-700, 70)])
    values = np.concatenate([powers, np.nextafter(powers, 0), np.nextafter(powers, np.inf), [np.nan, np.inf, -0.0]])
    assert texts(values) == [number(value, b"null") for value in values.tolist()]
    assert [texts(values[place : place + 1])[0] for place in range(0, len(values), 37)] == texts(values)[::37]


def test_the_shape_stays() -> None:
    assert cells(np.full((2, 1, 3), 0.25), b"").shape[:3] == (2, 1, 3)
