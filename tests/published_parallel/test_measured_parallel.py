"""Published runs on several GPUs: one alone is faster than the roofline with its communication, for a reason."""

from __future__ import annotations

import csv
from pathlib import Path

import roofline as rl

#: A row that is faster than the bound, and why.
ABOVE = {"FT-043": "8 x 3 GPUs at batch 256: the engine cuts the batch into more microbatches than stages"}


def _rows() -> list[dict[str, str]]:
    with (Path(__file__).parent / "measured_parallel.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def _share(row: dict[str, str]) -> float:
    """The bound as a share of what was measured."""
    alone = row["metric"] in ("ttft_ms", "prefill_tokens_per_s")
    batch, generate, value = int(row["batch"]), int(row["generate"]), float(row["value"])
    run = {"batch": batch, "prompt": int(row["prompt"]), "generate": 1 if alone else generate}
    plan = {"tp": int(row["tp"]), "pp": int(row["pp"])}
    formats = {"weights": row["weights"] or None, "kv_cache": row["kv_cache"] or None}
    est = rl.estimate(row["model"], gpu=row["gpu"], engine="ideal", **run, **plan, **formats)
    if row["metric"] == "output_tokens_per_s":
        return float(est.latency.total.bound) * value / (batch * generate)
    assert row["metric"] in ("latency_ms", "ttft_ms", "tpot_ms")
    times = {"latency_ms": est.latency.total, "ttft_ms": est.latency.ttft, "tpot_ms": est.latency.tpot}[row["metric"]]
    assert times is not None
    return float(times.bound) * 1e3 / value


def test_no_run_on_several_gpus_is_faster_than_its_roofline() -> None:
    rows = _rows()
    assert len(rows) == 314
    shares = {row["id"]: _share(row) for row in rows}
    assert {name for name, share in shares.items() if share > 1} == set(ABOVE)
    assert 0.4 < sorted(shares.values())[len(shares) // 2] < 0.55
