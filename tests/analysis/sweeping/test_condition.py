"""A condition on rows: what it means, and what is refused with its place."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.analysis.sweeping.condition.parse import parse
from roofline.analysis.sweeping.rows import Rows

GRID = rl.sweep("mistral-7b", gpu=["a100", "l4"], batch=[1, 8, 300], prompt=[100, 9000], weights=["bf16", None])
RECORDS = list(GRID.rows.records())


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("fits", lambda r: r["fits"]),
        ("not fits", lambda r: not r["fits"]),
        ("fits and ttft_s < 0.5 and gpu == 'a100'", lambda r: r["fits"] and r["ttft_s"] < 0.5 and r["gpu"] == "a100"),
        ("ttft_s < 500ms or batch >= 300", lambda r: r["ttft_s"] < 0.5 or r["batch"] >= 300),
        ('gpu != "a100" and not (batch in (1, 8))', lambda r: r["gpu"] != "a100" and r["batch"] not in (1, 8)),
        ("batch not in (1, 8)", lambda r: r["batch"] not in (1, 8)),
        ("gpu in ('l4', 'h100')", lambda r: r["gpu"] in ("l4", "h100")),
        ("total_bytes / 1e9 > 20 + 2 * 3 - 1", lambda r: r["total_bytes"] / 1e9 > 25),
        ("total_bytes > 24GiB", lambda r: r["total_bytes"] > 24 * 2**30),
        ("batch*prompt == 800 OR -batch > -2", lambda r: r["batch"] * r["prompt"] == 800 or r["batch"] < 2),
        ("fits == false", lambda r: not r["fits"]),
        ("weights == 'bf16'", lambda r: r["weights"] == "bf16"),
        ("weights != 'bf16'", lambda r: r["weights"] is not None and r["weights"] != "bf16"),
        ("true", lambda r: True),
        ("1 > 2", lambda r: False),
    ],
)
def test_a_condition_is_the_filter_of_its_records(condition: str, holds: object) -> None:
    assert list(GRID.where(condition).records()) == [row for row in RECORDS if holds(row)]  # type: ignore[operator]


def test_what_has_no_meaning_compares_with_nothing() -> None:
    columns = {"x": np.array([1.0, math.nan, 3.0]), "t": np.array(["a", None, "b"], dtype=object)}
    rows = Rows((3,), columns, {})
    assert [row["x"] for row in rows.where("x != 1").records()] == [3]
    assert [row["x"] for row in rows.where("x == x").records()] == [1, 3]
    assert [row["x"] for row in rows.where("x not in (1, 2)").records()] == [3]
    assert [row["t"] for row in rows.where("t != 'a'").records()] == ["b"]
    assert [row["x"] for row in rows.where("x / 0 > 5").records()] == [1, 3]


@pytest.mark.parametrize(
    ("condition", "place", "said"),
    [
        ("", 1, "ends too early"),
        ("fits and", 9, "ends too early"),
        ("ttft_s = 3", 8, "write =="),
        ("fits && fits", 6, "write and"),
        ("1 < 2 < 3", 7, "one comparison at a time"),
        ("__import__('os')", 11, "here it should end"),
        ("gpu.x", 4, "no part of a condition"),
        ("gpu == 'a100", 8, "quotation mark"),
        ("ttft_s < 5parsec", 11, "5parsec"),
        ("1e999 > 1", 1, "too large"),
        ("(fits", 6, "not closed"),
        ("gpu in 'a100'", 8, "in brackets"),
        ("fits not true", 10, "followed by in"),
        ("(" * 60 + "fits", 42, "within each other"),
        ("not " * 60 + "fits", 165, "within each other"),
        ("-" * 60 + "1 > 0", 42, "within each other"),
        ("lambda: 1", 7, "no part"),
        ("fits\x00", 5, "no part"),
        ("ttft_s < ½", 10, "no part"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(condition: str, place: int, said: str) -> None:
    with pytest.raises(rl.UsageError, match=rf"character {place}:.*{said}"):
        parse(condition)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("ttft < 0.5", "no column 'ttft'; did you mean 'ttft_s'"),
        ("gpu > 3", "compared by =="),
        ("gpu == 3", "never a number"),
        ("ttft_s", "neither true nor false"),
        ("ttft_s and fits", "neither true nor false"),
        ("gpu + 1 > 2", "is no number"),
        ("fits * 2 > 1", "is no number"),
        ("x" * 5000, "at most 4,000"),
    ],
)
def test_what_means_nothing_on_the_columns_is_refused(condition: str, said: str) -> None:
    with pytest.raises(rl.UsageError, match=said):
        GRID.where(condition)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="fits andorgpu()'<>=!0123456789.+-*/,_~$\"\\\n", max_size=60))
def test_any_text_is_a_condition_or_a_refusal(text: str) -> None:
    with suppress(rl.UsageError):
        assert len(GRID.where(text)) <= len(GRID)
