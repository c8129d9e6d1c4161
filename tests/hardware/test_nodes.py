"""Systems are named; which one an accelerator is taken to stand in stays as it was."""

from __future__ import annotations

import pytest

import roofline as rl
from roofline.runs.devices.resolve import default_node, locate_node, own_links
from roofline.specs.files.library import files
from roofline.specs.files.reader import read_node

NODES = {name: read_node(path) for name, path in files("nodes").items()}
#: The node that each accelerator had before the systems of clouds and rigs came in; those without had their own links.
BEFORE = {
    "a100-sxm-40gb": "dgx-a100-40gb",
    "a100-sxm-80gb": "dgx-a100",
    "b200-sxm": "hgx-b200",
    "gb200": "gb200-nvl72",
    "h100-sxm": "hgx-h100",
    "h200-sxm": "hgx-h200",
    "l40s": "l40s-pcie-4",
    "mi300x": "mi300x-8",
    "tpu-v5e": "tpu-v5e-16",
    "tpu-v5p": "tpu-v5p-64",
    **dict.fromkeys(("rtx-3090", "rtx-4090", "rtx-5090", "a10g", "l4", "t4", "h20", "b300-sxm", "gb300", "trainium2")),
    **dict.fromkeys(("mi325x", "mi355x", "mi250x", "a100-pcie-80gb")),
}


@pytest.mark.parametrize(("gpu", "node"), BEFORE.items())
def test_the_node_of_an_accelerator_is_the_one_it_was(gpu: str, node: str | None) -> None:
    found = default_node(rl.load_gpu(gpu))
    assert (found.name if found is not None else None) == node
    assert node is not None or own_links(rl.load_gpu(gpu)) is not None


def test_names_and_aliases_of_nodes_are_unique() -> None:
    names = [name.lower() for node in NODES.values() for name in (node.name, *node.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", NODES)
def test_a_node_is_made_of_a_known_accelerator(name: str) -> None:
    node = NODES[name]
    assert node.name == name
    assert rl.load_gpu(node.gpu).name == node.gpu
    assert locate_node(name)[0] == node


@pytest.mark.parametrize(
    ("gpu", "node", "cable", "bandwidth"),
    [("gb10", "dgx-spark-2", "ConnectX-7", 23.7e9), ("m3-ultra", "mac-studio-m3-ultra-4", "Thunderbolt 5", 30e9)],
)
def test_machines_that_cables_join_are_a_node(gpu: str, node: str, cable: str, bandwidth: float) -> None:
    """23.7 GB/s of all-gather were measured between two DGX Sparks; three cables of 80 Gb/s leave each of four Macs."""
    est = rl.estimate("llama-3.1-70b", gpu=gpu, tp=2, weights="int8")
    assert est.inputs["node"] == node
    assert cable in NODES[node].scale_up.name
    assert NODES[node].scale_up.bandwidth == bandwidth
    assert sum(phase.communication_bytes for phase in est.phases) > 0


def test_a_system_may_be_named_by_its_instance() -> None:
    est = rl.estimate("llama-3.1-70b", gpu="p5.48xlarge", tp=8)
    assert (est.inputs["gpu"], est.inputs["node"]) == ("h100-sxm", "aws-p5.48xlarge")
