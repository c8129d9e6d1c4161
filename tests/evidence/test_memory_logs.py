"""What engines log of their memory, against ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from roofline.evidence.memory.logs import LogLine, read_logs
from roofline.evidence.memory.report import page

#: Lines that are not met, with the reason.
NOT_MET = {
    "MEM-14": "MLX keeps a cache of freed buffers, whose size is not known",
    "MEM-16": "the checkpoint holds more than its layers in fp8",
}


@pytest.mark.parametrize("line", read_logs(), ids=lambda line: line.id)
def test_a_log_is_met_within_five_per_cent(line: LogLine) -> None:
    assert (abs(line.error) <= 0.05) == (line.id not in NOT_MET)


def test_the_page_is_current() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "memory.md"
    assert docs.read_text(encoding="utf-8") == page(read_logs())
