"""What a file in `hardware/nodes/` may say: how accelerators of one kind are put together, and by which links.

Bandwidths are per accelerator and direction. `latency` is what one message costs before its first byte: a nominal
value, below what was measured for the smallest messages, so that a bound stays a bound.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from roofline.specs.base import Bandwidth, Bytes, Name, Names, Power, Size, Spec, Text, Texts, Time


class NodeLink(Spec):
    """A link between accelerators.

    `switch`: any pair at full bandwidth; `mesh`: a link of its own to each other device, which share the bandwidth;
    `ring`: to neighbours only, as in a torus slice or through a PCIe root complex. `reduces`: the switch itself adds up
    what passes through it (NVLink SHARP).
    """

    name: Text
    bandwidth: Bandwidth
    latency: Time
    topology: Literal["switch", "mesh", "ring"] = "switch"
    reduces: bool = False


class HostPart(Spec):
    """Host memory or disk behind each accelerator: bandwidth per accelerator and direction; capacity of the node.

    `cpu` names the processor of the host, of which it has `sockets`.
    """

    name: Text
    bandwidth: Bandwidth
    latency: Time = 0.0
    capacity: Bytes | None = None
    cpu: Name | None = None
    sockets: Size = 1


class NodeSpec(Spec):
    """`count` accelerators of one kind with the links between them, and the network to further nodes.

    `default`: whether an accelerator may be taken to stand in it where no node is named. `power` is the most that the
    whole system draws. Machines that cables join are a node whose `scale_up` are the cables.
    """

    kind: Literal["node"]
    name: Name
    title: Text
    aliases: Names = ()
    gpu: Name
    count: Size
    default: bool = True
    scale_up: NodeLink
    scale_out: NodeLink | None = None
    host: HostPart | None = None
    disk: HostPart | None = None
    power: Power | None = None
    sources: Annotated[Texts, Field(min_length=1)]
    unverified: Texts = ()
    notes: Text | None = None
