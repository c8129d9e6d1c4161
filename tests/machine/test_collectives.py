"""Nominal collectives: below every measured time, and each algorithm as its formula says."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roofline.analysis.spread.spread import locate_node
from roofline.errors import UsageError
from roofline.machine.collectives import Fabric, Link, algorithm_s, algorithms, collective_s, spread_over
from roofline.workload.constructors_collective import collective, wire_share
from roofline.workload.precision import Precision
from roofline.workload.shapes import CollectiveShape

NODES = {
    "a100-sxm-80gb": "dgx-a100",
    "h100-sxm": "hgx-h100",
    "b200-sxm": "hgx-b200",
    "gb200": "gb200-nvl72",
    "l40s": "l40s-pcie-4",
}
SWITCH = Link("switch", 100e9, 2e-6)
RING = Link("ring", 100e9, 2e-6, "ring")


def _rows() -> list[dict[str, str]]:
    with (Path(__file__).parent / "measured_collectives.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@pytest.mark.parametrize("row", _rows(), ids=lambda r: f"{r['gpu']}-{r['operation']}-{r['devices']}-{r['bytes']}")
def test_no_measured_collective_is_faster_than_the_nominal_one(row: dict[str, str]) -> None:
    link = Fabric.of(locate_node(NODES[row["gpu"]])[0]).scale_up
    assert link is not None
    nominal = algorithm_s(row["operation"], float(row["bytes"]), int(row["devices"]), link, int(row["devices"]))
    assert nominal <= float(row["us"]) * 1e-6


def test_the_algorithms_of_an_all_reduce() -> None:
    found = dict(algorithms("all_reduce", 8e6, 8, SWITCH))
    assert found["ring"] == pytest.approx(14 * 2e-6 + 14e6 / 100e9)
    assert found["tree"] == pytest.approx(6 * 2e-6 + 16e6 / 100e9)
    assert found["one-shot"] == pytest.approx(2e-6 + 56e6 / 100e9)
    assert found["two-shot"] == pytest.approx(4e-6 + 14e6 / 100e9)
    assert set(dict(algorithms("all_reduce", 8e6, 8, RING))) == {"ring", "tree"}


def test_small_messages_go_in_one_shot_and_large_ones_in_two() -> None:
    small = dict(algorithms("all_reduce", 1e3, 8, SWITCH))
    large = dict(algorithms("all_reduce", 1e9, 8, SWITCH))
    assert min(small, key=lambda name: small[name]) == "one-shot"
    assert min(large, key=lambda name: large[name]) in ("two-shot", "ring")


@given(
    operation=st.sampled_from(["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]),
    message=st.floats(1.0, 1e10),
    devices=st.integers(2, 64),
    link=st.sampled_from([SWITCH, RING]),
)
def test_more_bytes_or_less_bandwidth_never_take_less_time(
    operation: str, message: float, devices: int, link: Link
) -> None:
    time = algorithm_s(operation, message, devices, link)
    assert algorithm_s(operation, 2 * message, devices, link) >= time
    assert algorithm_s(operation, message, devices, Link("slow", 50e9, link.latency, link.topology)) >= time
    assert time >= wire_share(operation, devices) / 2 * message / link.bandwidth


def test_an_all_reduce_is_a_reduce_scatter_and_an_all_gather() -> None:
    parts = algorithm_s("reduce_scatter", 1e8, 4, SWITCH) + algorithm_s("all_gather", 1e8, 4, SWITCH)
    assert dict(algorithms("all_reduce", 1e8, 4, SWITCH))["two-shot"] == pytest.approx(parts)


def test_a_group_over_two_nodes_sends_its_shares_over_the_network() -> None:
    """16 devices on nodes of 8: 7/8 S inside to reduce, 2 · 1/2 · S/8 between, 7/8 S inside to gather."""
    fabric = Fabric("pair", 8, Link("up", 100e9), Link("out", 10e9))
    op = collective("x", "b", "all_reduce", 1e9, 16.0)
    seconds = collective_s(op, Precision.of("bf16"), fabric)
    assert seconds == pytest.approx(2 * (7 / 8 * 2e9 / 100e9) + 2e9 / 8 / 10e9)


def test_a_stride_decides_which_link_is_used() -> None:
    fabric = Fabric("node", 8, SWITCH, SWITCH)
    assert spread_over(CollectiveShape("all_reduce", 1.0, 8.0, 1.0), fabric) == (8, 1)
    assert spread_over(CollectiveShape("all_reduce", 1.0, 4.0, 8.0), fabric) == (1, 4)
    assert spread_over(CollectiveShape("all_reduce", 1.0, 4.0, 4.0), fabric) == (2, 2)
    assert spread_over(CollectiveShape("send", 1.0, 2.0, 8.0), fabric) == (1, 2)


def test_a_link_that_is_not_there_is_refused_by_name() -> None:
    op = collective("x", "b", "all_reduce", 1e9, 16.0)
    with pytest.raises(UsageError, match="no network to further nodes"):
        collective_s(op, Precision.of("bf16"), Fabric("lonely", 8, SWITCH))


def test_peers_of_a_mesh_share_its_bandwidth() -> None:
    mesh = Link("mesh", 448e9, 0.0, "mesh")
    assert algorithm_s("all_gather", 1e9, 2, mesh, 8) == pytest.approx(0.5e9 / 64e9)
    assert algorithm_s("all_gather", 1e9, 8, mesh, 8) == pytest.approx(7 / 8 * 1e9 / 448e9)
