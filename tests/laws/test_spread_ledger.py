"""The ledger of a device, its groups and its derivations are sums of the same thing, however the run is spread."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import roofline as rl
from roofline.analysis.explain import explain
from roofline.analysis.ledger import group_rows

PLANS: list[dict[str, Any]] = [
    {},
    {"tp": 4},
    {"tp": 16},
    {"tp": 4, "pp": 2},
    {"pp": 4},
    {"pp": 3},
    {"cp": 2},
    {"dp": 2},
    {"tp": 2, "dp": 2},
    {"offload": "weights=0.5"},
    {"tp": 4, "overlap": "full"},
]
COUNTS = ("flops", "vector_flops", "bytes", "kernels", "communication_bytes")


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["llama-3-70b", "llama-3-8b"]),
    st.sampled_from(PLANS),
    st.integers(1, 64),
    st.sampled_from(["flash", "compiled", "eager"]),
)
def test_ops_and_groups_and_derivations_add_up_to_the_phase(
    model: str, plan: dict[str, Any], batch: int, fusion: str
) -> None:
    est = rl.estimate(model, "h100-sxm", batch=batch, prompt=2048, generate=256, fusion=fusion, **plan)
    derived = {d.quantity: d.value for d in explain(est)}
    for phase in est.phases:
        rows = est.ops(phase.name)
        for by in ("op", "kind", "block"):
            groups = group_rows(rows, by)
            for name in COUNTS:
                assert sum(float(getattr(row, name)) for row in groups) == pytest.approx(getattr(phase, name)), name
        assert derived[f"{phase.name}.bytes"] == phase.bytes
        parts = sum(float(row.weight_bytes + row.cache_bytes + row.activation_bytes) for row in rows)
        assert parts == pytest.approx(phase.bytes)
        talk = sum(float(row.bound_s) for row in rows if row.kind == "collective")
        assert talk == pytest.approx(phase.communication_s)
        assert sum(float(row.bound_s) for row in rows) == pytest.approx(phase.times.bound)
        if "pp" not in plan:
            assert sum(float(row.bound_s) for row in rows if row.kind != "outside") == pytest.approx(phase.serial_s)


def test_what_crosses_links_is_not_counted_as_memory_traffic_too() -> None:
    """Llama 3 70B over four devices: all-reduces move 0.35 TB to and from memory, beside 2.10 TB of own work."""
    est = rl.estimate("llama-3-70b", "h100-sxm", tp=4, batch=32, prompt=2048, generate=256, chunk="none")
    assert est.phase("prefill").bytes == pytest.approx(2.10e12, rel=2e-3)
    assert sum(row.bytes for row in est.ops("prefill")) == pytest.approx(est.phase("prefill").bytes)


def test_a_group_says_what_bounds_it_and_where_its_rows_differ() -> None:
    est = rl.estimate("llama-3-70b", "h100-sxm", tp=4, batch=32)
    kinds = {row.name: row for row in group_rows(est.ops("prefill"), "kind")}
    assert kinds["collective"].bound_by == "communication"
    assert kinds["collective"].communication_bytes == pytest.approx(est.phase("prefill").communication_bytes)
    assert (kinds["linear"].kind, kinds["linear"].block) == ("linear", "mixed")
    blocks = {row.name: row for row in group_rows(est.ops("prefill"), "block")}
    assert (blocks["layers.attention"].kind, blocks["layers.attention"].block) == ("mixed", "layers.attention")
    assert blocks["embedding"].bound_by == "communication"


@pytest.mark.parametrize("pp", [2, 3, 4, 8])
def test_a_pipeline_sends_tokens_times_width_from_stage_to_stage(pp: int) -> None:
    """Llama 3 70B: 8192 values of 2 bytes per token, whole batch; whichever stage is the busiest, it has a transfer."""
    est = rl.estimate("llama-3-70b", "h100-sxm", pp=pp, batch=64, prompt=512, generate=128)
    for phase, tokens in (("prefill", 64 * 512), ("decode", 64)):
        rows = [row for row in est.ops(phase) if row.kind == "collective"]
        assert [row.name for row in rows] in (["send"], ["receive"])
        assert est.phase(phase).communication_bytes == pytest.approx(tokens * 8192 * 2)
        assert rows[0].communication_bytes == est.phase(phase).communication_bytes
        assert est.phase(phase).communication_s > tokens * 8192 * 2 / 450e9


@pytest.mark.parametrize("pp", [2, 4])
def test_a_microbatch_crosses_one_link_fewer_than_there_are_stages(pp: int) -> None:
    """One sequence through equal stages: serial less hidden time is pp - 1 transfers, not pp."""
    est = rl.estimate("llama-3-70b", "h100-sxm", pp=pp, batch=1, prompt=512, generate=2)
    for phase in est.phases:
        assert phase.serial_s - phase.overlapped_s == pytest.approx((pp - 1) * phase.communication_s, rel=1e-6)
