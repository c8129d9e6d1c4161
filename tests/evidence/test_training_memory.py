"""Measured peaks of memory beside what is said: sources count unlike things, frameworks reserve a share each."""

from __future__ import annotations

from statistics import median

import pytest

from roofline.evidence.training.memory import Peak, left_out_errors, peak_of, reserve_of
from roofline.evidence.training.prepared import prepare
from roofline.evidence.training.rows import read_training


@pytest.fixture(scope="module")
def peaks() -> list[Peak]:
    """Rows of frameworks that train all weights."""
    rows = [row for row in read_training() if row.of_memory and row.family in ("SMX", "BLM", "IEV")]
    return [peak_of(run) for run in prepare(rows)[0]]


def _of(peaks: list[Peak], family: str) -> list[Peak]:
    return [peak for peak in peaks if peak.run.row.family == family]


def test_megatron_allocates_what_is_said(peaks: list[Peak]) -> None:
    """SimuMax's real runs, which list what is allocated, over tp, cp, ep and pp: median within 3 %."""
    errors = [abs(peak.error(0.0)) for peak in _of(peaks, "SMX")]
    assert len(errors) == 10
    assert median(errors) < 0.03


@pytest.mark.parametrize(("family", "most"), [("BLM", 0.05), ("IEV", 0.05)])
def test_a_share_per_framework_tells_other_models(peaks: list[Peak], family: str, most: float) -> None:
    """One share that the allocator reserves, from other models' rows: fp16 and bf16, tp 2 to 8, pp 2 to 48."""
    found = left_out_errors(_of(peaks, family), 0.06)
    assert len(found) == len(_of(peaks, family))
    assert median(abs(error) for _, error in found) < most


def test_rows_that_count_no_reserve_tell_none(peaks: list[Peak]) -> None:
    """What is allocated says nothing of what is reserved."""
    assert reserve_of(_of(peaks, "SMX"), 0.06) == 0.06
