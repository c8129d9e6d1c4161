"""Whose cores compute what an offload keeps in host memory: the processor that is named, the node's, or a usual one."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any, Final, NamedTuple

from roofline.errors import UsageError
from roofline.machine.collectives import Fabric
from roofline.machine.cores import Cores
from roofline.machine.engine import IDEAL, bundled_engine, read_engine
from roofline.machine.machine import Machine
from roofline.passes.offload import Offload
from roofline.runs.load import locate_gpu
from roofline.specs.engine import HostCompute
from roofline.specs.gpu import GPUSpec
from roofline.specs.node import NodeSpec
from roofline.workload.plan import Plan

_SOCKETS: Final = re.compile(r"\s*(\d+)\s*[x×]\s*(.+?)\s*", re.IGNORECASE)
_MOST_SOCKETS: Final = 16
#: Boards for desktops, by what their titles contain; all others stand in servers.
_DESKTOP: Final = ("GeForce", "Titan", "Radeon RX", "Intel Arc")
#: The usual hosts of both, and why: two channels of DDR5; two sockets of twelve channels of DDR5 each.
_USUAL: Final = {True: "ryzen-7950x", False: "2x epyc-9654"}


class Host(NamedTuple):
    """The processors of a host: their spec, sockets, where that is known from, and whether they were asked for."""

    spec: GPUSpec
    sockets: int
    source: str
    named: bool = False

    @property
    def text(self) -> str:
        """As the option takes it."""
        return f"{self.sockets}x {self.spec.name}" if self.sockets > 1 else self.spec.name

    @property
    def capacity(self) -> float:
        """Bytes of memory that all sockets take at most."""
        return self.spec.memory.capacity * self.sockets

    @property
    def bandwidth(self) -> float:
        """Bytes per second of all sockets."""
        return self.spec.memory.bandwidth * self.sockets


def read_host(value: Any, spec_dir: str | None) -> tuple[GPUSpec, int]:
    """A processor by name or file, and sockets: `epyc-9654`, `2x epyc-9654`, `2xcpu.yaml`.

    Raises UsageError for what is no processor, UnknownNameError or SpecError.
    """
    text = os.fspath(value) if not isinstance(value, GPUSpec) else ""
    match = _SOCKETS.fullmatch(text)
    sockets, name = (int(match[1]), match[2]) if match else (1, text.strip())
    if not 1 <= sockets <= _MOST_SOCKETS:
        raise UsageError(f"--host {text[:80]}: sockets are 1 to {_MOST_SOCKETS}, for example '2x epyc-9654'")
    spec = value if isinstance(value, GPUSpec) else locate_gpu(name, spec_dir)[0]
    if spec.kind != "cpu":
        raise UsageError(f"--host {spec.name}: {spec.title} is no processor (its kind is {spec.kind}, not cpu)")
    return spec, sockets


def find_host(gpu: GPUSpec, named: Any, node: NodeSpec | None, spec_dir: str | None) -> Host:
    """The host of an accelerator: as named, else the node's, else a usual one for boards of its class."""
    if named is not None:
        return Host(*read_host(named, spec_dir), "as asked", named=True)
    part = node.host if node is not None else None
    if node is not None and part is not None and part.cpu is not None:
        return Host(read_host(part.cpu, spec_dir)[0], part.sockets, f"that of node {node.name}")
    desktop = any(word.lower() in gpu.title.lower() for word in _DESKTOP)
    where = "a desktop's" if desktop else "a server's"
    return Host(*read_host(_USUAL[desktop], spec_dir), f"assumed, {where}: name yours with --host")


def habits_of(engine: str) -> HostCompute | None:
    """What an engine does with what stays in host memory; None where its file says nothing: it streams."""
    return read_engine(engine).offload if bundled_engine(engine) != IDEAL else None


def placed(away: Offload, engine: str) -> Offload:
    """What is away, where the engine has it: an engine that computes on the host does so with what is at `host`."""
    habits = habits_of(engine)
    return away.computed_on_host() if habits is not None and habits.computes else away


def cores_of(host: Host, engine: str, plan: Plan, fabric: Fabric | None) -> Cores:
    """The host's cores as one of the devices has them that run at the same time on one node, with the engine's ways."""
    habits = habits_of(engine)
    beside = plan.tp * plan.cp * plan.dp
    share = host.sockets / min(beside, fabric.node if fabric is not None else beside)
    machine = Machine.of(host.spec)
    machine = replace(
        machine,
        tensor={name: peak * share for name, peak in machine.tensor.items()},
        vector=machine.vector * share,
        bandwidth=machine.bandwidth * share,
        capacity=machine.capacity * share,
        dot=machine.dot * share,
    )
    link = fabric.host if fabric is not None else None
    if habits is None:
        return Cores(machine, link=link)
    return Cores(
        machine,
        sockets=habits.sockets if host.sockets > 1 else 1.0,
        link=link,
        streams_from=float(habits.streams_from) if habits.streams_from else float("inf"),
    )
