"""Measured kernels: what the shipped coefficients rest on, and how well they meet a sample of the measurements."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from roofline.evidence.kernels.experts_load import rank_load
from roofline.evidence.kernels.fit import chip_of
from roofline.evidence.kernels.problems import (
    collective_problem,
    decode_problem,
    experts_problem,
    matmul_problem,
    prefill_problem,
)
from roofline.evidence.kernels.ranges import RANGES
from roofline.machine.chips import stand_ins
from roofline.machine.chips.coefficients import measured_ceilings


def test_the_shipped_document_says_whose_measurements_it_rests_on() -> None:
    data = json.loads((Path(stand_ins.__file__).parent / "chip_efficiency.json").read_text(encoding="utf-8"))
    assert "Apache-2.0" in data["source"]
    assert data["fitted"]


def test_every_coefficient_lies_within_its_physical_range() -> None:
    families = {"encoder": "prefill", "gated delta net": "scan", "kda": "scan", "mamba-2": "scan"}
    for kind, by_chip in measured_ceilings().rows.items():
        ranges = list(RANGES[families.get(kind, kind)].values())
        for rows in by_chip.values():
            for row in rows:
                for value, (_, low, high) in zip(row.values, ranges, strict=False):
                    assert low * 0.999 <= value <= high * 1.001, (kind, row)


@given(st.integers(1, 4096), st.sampled_from([(8, 128), (1, 16), (6, 64), (8, 256)]), st.sampled_from([1, 4, 16]))
def test_the_busiest_rank_has_its_share_and_no_more_than_all(tokens: int, experts: tuple[int, int], ranks: int) -> None:
    top_k, number = experts
    table = {"num_tokens": [tokens], "topk": [top_k], "num_experts": [number], "moe_ep_size": [ranks]}
    columns: dict[str, Any] = {name: np.asarray(v, dtype=np.float64) for name, v in table.items()}
    columns["distribution"] = np.asarray(["power_law_1.2"], dtype=object)
    (rows,), (touched,) = rank_load(columns)
    assert tokens * top_k / ranks - 1e-9 <= rows <= tokens * top_k
    assert 1.0 <= touched <= min(number / ranks, rows)
    if ranks == 1:
        assert rows == tokens * top_k


MAKERS = {
    "matmul": matmul_problem,
    "prefill": prefill_problem,
    "decode": decode_problem,
    "experts": experts_problem,
    "collective": collective_problem,
}


def sampled_rows() -> list[dict[str, str]]:
    with (Path(__file__).parent / "kernel_rows.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_measured_kernels_are_met_within_the_reported_errors() -> None:
    """The median error of a sample of measured kernels, per kind, stays near what the document reports for all."""
    errors: dict[str, list[float]] = {}
    skipped = 0
    for row in sampled_rows():
        cells = json.loads(row["shape"])
        table = {k: np.asarray([v], dtype=object if isinstance(v, str) else np.float64) for k, v in cells.items()}
        table["latency_ms"] = np.asarray([float(row["latency_ms"])])
        table["kernel_source"] = np.asarray([row["kernel"].split(" ")[-1]], dtype=object)
        problem = MAKERS[row["kind"]](table, chip_of(row["chip"]))
        rows, group = measured_ceilings().rows[row["kind"]][row["chip"]], (row["engine"], row["format"], row["kernel"])
        found = [m for m in rows if (m.engine, m.format, m.kernel) == group]
        if not found:  # of a group with too few rows to be fitted
            skipped += 1
            continue
        predicted = float(problem.predict(np.asarray(found[0].values))[0])
        errors.setdefault(row["kind"], []).append(abs(math.log(predicted / float(problem.measured[0]))))
    assert skipped <= 2
    limits = {"matmul": 0.10, "prefill": 0.12, "decode": 0.15, "experts": 0.15, "collective": 0.15}
    for kind, found in errors.items():
        assert np.median(found) < limits[kind], (kind, np.median(found))
