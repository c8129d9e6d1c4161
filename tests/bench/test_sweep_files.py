"""Rows per second into files: `python -m pytest -m bench tests/bench/test_sweep_files.py -s -n 0`. Nothing is asserted.

The yardsticks are the same rows through Python's csv module, and the evaluation of the points alone.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from roofline.analysis.sweeping.plan import planned
from roofline.analysis.sweeping.stream import batches
from roofline.report.streams import parquet
from roofline.report.streams.text import CSV, JSON_LINES, lines

pytestmark = pytest.mark.bench

ASKED = {"batch": range(1, 129), "prompt": range(128, 12_801, 128), "generate": [1, 128]}


def seconds(call: Callable[[], object]) -> float:
    """Of the processor, the least of two calls."""
    times = []
    for _ in range(2):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("engine", ["ideal", "generic"])
def test_rows_into_files(engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    plan = planned("mistral-7b", ["a100", "h100"], {**ASKED, "engine": engine})
    blocks = [rows for batch in batches(plan, plan.parts(), None) for rows in batch.rows]
    few = [rows.take(slice(2_000)) for rows in blocks[:1]]
    part = tmp_path / "rows"
    part.write_bytes(parquet.schema(blocks[0]) + b"".join(map(parquet.messages, blocks)))

    def by_csv() -> None:
        writer = csv.writer(io.StringIO())
        for rows in few:
            writer.writerows(list(row.values()) for row in rows.records())

    rates = {
        "points alone": plan.points / seconds(lambda: list(batches(plan, plan.parts(), None))),
        "CSV": plan.points / seconds(lambda: [lines(rows, CSV) for rows in blocks]),
        "JSON lines": plan.points / seconds(lambda: [lines(rows, JSON_LINES) for rows in blocks]),
        "Parquet, gathered": plan.points / seconds(lambda: list(map(parquet.messages, blocks))),
        "Parquet, joined": plan.points / seconds(lambda: parquet.join(part, tmp_path / "rows.parquet")),
        "csv module": sum(map(len, few)) / seconds(by_csv),
    }
    with capsys.disabled():
        print(f"\n{plan.points:,} rows of {len(blocks[0].columns)} columns, engine {engine}")
        for name, rate in rates.items():
            print(f"  {name:<18}{rate / 1e3:8.0f} thousand/s, {rate / rates['csv module']:6.1f} of the csv module")
