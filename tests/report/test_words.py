"""Words that several answers share are made in one place, and an answer shows itself without the tables of others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import roofline as rl
from roofline.answer.plain import listed
from roofline.report.tables.estimate import phase_table
from roofline.units import format_host_time, format_ratio

PACKAGE = Path(__file__).parents[2] / "roofline"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234"), (23.4, "23"), (9.96, "10"), (1.74, "1.7"), (1.04, "1.04"), (0.5, "0.50"), (0.0123, "0.012")],
)
def test_a_ratio_has_two_digits_and_three_about_one(value: float, text: str) -> None:
    assert format_ratio(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.24e-3, "3.24 ms"), (999.6e-6, "1 ms"), (499e-6, "499 us"), (2e-6, "2 us"), (0.0131, "13.1 ms")],
)
def test_a_time_of_a_host_has_no_exponent(seconds: float, text: str) -> None:
    assert format_host_time(seconds) == text


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_in_a_row(parts: list[str], text: str) -> None:
    assert listed(parts) == text


def test_an_answer_in_a_notebook_loads_no_tables_of_others() -> None:
    code = "import sys, roofline.report.notebook.answers; print([n for n in sys.modules if 'tables.deciding' in n])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_floor_at_the_rate_of_sums_in_16_bit_says_so() -> None:
    """Such sums run at twice the rate on which balance and MFU stand; bf16 has none."""
    assert "the floor lets products sum in 16 bit: 330 TFLOP/s" in _heading("sd-1.5", "rtx-4090")
    assert "sum in 16 bit" not in _heading("mistral-7b", "rtx-4090")


def _heading(model: str, gpu: str) -> str:
    return phase_table(rl.estimate(model, gpu=gpu)).title
