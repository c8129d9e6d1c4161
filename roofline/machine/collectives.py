"""Links between devices, and what a collective costs on them: latency and bandwidth (α–β), nominal.

The algorithms of an all-reduce of S bytes among n devices with links of B bytes/s and a latency of α:

    ring      2 (n - 1) α + 2 (n - 1) / n · S / B      neighbours only; every link at work all the time
    tree      2 ⌈log2 n⌉ α + 2 S / B                   fewer steps, more bytes
    one-shot      α + (n - 1) S / B                    everyone sends all to everyone; needs any pair connected
    two-shot    2 α + 2 (n - 1) / n · S / B            reduce-scatter and all-gather, each in one step; likewise
    in-switch   2 α + S / B                            a switch that adds up (NVLink SHARP): each byte goes up and down

The fastest one that the links allow is taken. A group that spans nodes reduces within each node first, sends its share
to its peers on the other nodes, and gathers within the node.

Source: Thakur, Rabenseifner, Gropp 2005, Optimization of Collective Communication Operations in MPICH; Sanders, Speck,
Träff 2009, Two-tree algorithms; kipp.ly, Transformer Inference Arithmetic (8 µs a step on A100).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from roofline.errors import UsageError
from roofline.num import Num, minimum
from roofline.workload.constructors_collective import wire_share
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import CollectiveShape

if TYPE_CHECKING:
    from roofline.specs.node import NodeSpec

#: What the links of a machine are, for people.
_LINKS: Final = {
    "scale_up": "link between its devices",
    "scale_out": "network to further nodes",
    "host": "link to host memory",
    "disk": "disk",
}


class Link(NamedTuple):
    """A link of one device: bytes/s per direction, seconds before the first byte, who is reached directly.

    `reduces`: the switch adds up what passes through it.
    """

    name: str
    bandwidth: Num
    latency: float = 0.0
    topology: Literal["switch", "mesh", "ring"] = "switch"
    reduces: bool = False


class Fabric(NamedTuple):
    """The links of a machine of many devices, `node` of them in a node. A link that it does not have is None."""

    name: str
    node: int
    scale_up: Link | None = None
    scale_out: Link | None = None
    host: Link | None = None
    disk: Link | None = None

    @classmethod
    def of(cls, spec: NodeSpec) -> Fabric:
        """The links of a node."""
        up, out, host, disk = spec.scale_up, spec.scale_out, spec.host, spec.disk
        return cls(
            spec.name,
            spec.count,
            scale_up=Link(up.name, up.bandwidth, up.latency, up.topology, up.reduces),
            scale_out=Link(out.name, out.bandwidth, out.latency, out.topology, out.reduces) if out else None,
            host=Link(host.name, host.bandwidth, host.latency) if host else None,
            disk=Link(disk.name, disk.bandwidth, disk.latency) if disk else None,
        )


def collective_s(op: Op, precision: Precision, fabric: Fabric) -> Num:
    """Seconds of one execution of a collective op. Raises UsageError for a link that the machine does not have."""
    shape = op.shape
    if not isinstance(shape, CollectiveShape):
        raise TypeError(f"{op.name} is no collective")
    width = precision.activations.bits / 8
    if shape.operation == "load":
        return _load_s(op, shape, precision, fabric)
    inside, nodes = spread_over(shape, fabric)
    message = shape.elements * width
    if shape.operation == "send":
        return _send_s(message, _link(fabric, "scale_out" if nodes > 1 else "scale_up"))
    if nodes == 1:
        return algorithm_s(shape.operation, message, inside, _link(fabric, "scale_up"), fabric.node)
    return _between_nodes_s(shape.operation, message, inside, nodes, fabric)


def communication_bytes(op: Op, precision: Precision) -> Num:
    """Bytes that cross the link of one device in one execution of a collective op."""
    loaded = precision.weight_bytes(op) + precision.cache_bytes(op)
    return loaded + op.communication * (precision.activations.bits / 8)


def spread_over(shape: CollectiveShape, fabric: Fabric) -> tuple[int, int]:
    """How many devices of the group share a node, and over how many nodes it spreads."""
    devices, stride = int(shape.devices), int(shape.stride)
    if shape.operation == "send":
        return (2, 1) if stride < fabric.node else (1, 2)
    inside = max(1, min(devices, fabric.node // stride))
    return inside, -(-devices // inside)


def algorithm_s(operation: str, message: Num, devices: int, link: Link, node: int = 0) -> Num:
    """Seconds of a collective among devices of one kind of link: the fastest algorithm that it allows."""
    return _fastest([time for _, time in algorithms(operation, message, devices, link, node)])


def algorithms(operation: str, message: Num, devices: int, link: Link, node: int = 0) -> list[tuple[str, Num]]:
    """Name and seconds of every algorithm that the links allow."""
    if devices <= 1:
        return [("none", 0.0)]
    n, alpha, bandwidth = float(devices), link.latency, link.bandwidth
    if link.topology == "mesh" and node > devices:
        bandwidth = bandwidth * ((n - 1.0) / (node - 1.0))
    wire = wire_share(operation, n) * message / bandwidth
    if operation == "all_to_all":
        if link.topology != "ring":
            return [("direct", alpha + wire)]
        # a message passes n / 4 links on average, and both directions are at work
        return [("ring", (n - 1.0) * alpha + message * (n / 4.0) / bandwidth)]
    steps = 2.0 if operation == "all_reduce" else 1.0
    found = [("ring", steps * (n - 1.0) * alpha + wire)]
    if operation == "all_reduce":
        found.append(("tree", 2.0 * math.ceil(math.log2(n)) * alpha + 2.0 * message / bandwidth))
    if link.topology != "ring":
        found.append(("two-shot" if steps == 2.0 else "direct", steps * alpha + wire))
        if operation == "all_reduce":
            found.append(("one-shot", alpha + (n - 1.0) * message / bandwidth))
    if link.reduces and operation == "all_reduce":
        found.append(("in-switch", 2.0 * alpha + message / bandwidth))
    return found


def _fastest(times: list[Num]) -> Num:
    best = times[0]
    for time in times[1:]:
        best = minimum(best, time)
    return best


def _between_nodes_s(operation: str, message: Num, inside: int, nodes: int, fabric: Fabric) -> Num:
    """Within the node, between the nodes with the share of each device, and within the node again."""
    out, share = _link(fabric, "scale_out"), message / inside

    def within(operation: str, message: Num) -> Num:
        return algorithm_s(operation, message, inside, _link(fabric, "scale_up"), fabric.node) if inside > 1 else 0.0

    if operation == "all_to_all":
        devices, local = inside * nodes, within(operation, share * inside / nodes)
        return local + out.latency + message * ((devices - inside) / devices) / out.bandwidth
    between = algorithm_s(operation, share, nodes, out)
    if operation == "all_reduce":
        return within("reduce_scatter", message) + between + within("all_gather", message)
    return between + within(operation, message)


def _send_s(message: Num, link: Link) -> Num:
    return link.latency + message / link.bandwidth


def _load_s(op: Op, shape: CollectiveShape, precision: Precision, fabric: Fabric) -> Num:
    link = _link(fabric, "disk" if shape.place == "disk" else "host")
    return _send_s(communication_bytes(op, precision), link)


def _link(fabric: Fabric, which: Literal["scale_up", "scale_out", "host", "disk"]) -> Link:
    link: Link | None = getattr(fabric, which)
    if link is None:
        raise UsageError(
            f"{fabric.name} has no {_LINKS[which]}: its description names none. Name a machine that has one with "
            f"--node (`roofline list nodes`), or spread over fewer devices (a node has {fabric.node})."
        )
    return link
