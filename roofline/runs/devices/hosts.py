"""Whose cores compute what an offload keeps in host memory: the processor that is named, the node's, or a usual one."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any, Final, NamedTuple

from roofline.errors import UnknownNameError, UsageError
from roofline.machine.collectives import Fabric
from roofline.machine.cores import Cores
from roofline.machine.engine import IDEAL, bundled_engine, read_engine
from roofline.machine.machine import Machine
from roofline.passes.offload import Offload
from roofline.runs.load import is_path, locate_gpu
from roofline.runs.memory_size import sold_size
from roofline.specs.engine import HostCompute
from roofline.specs.files.library import of_kind
from roofline.specs.gpu import GPUSpec
from roofline.specs.node import NodeSpec
from roofline.workload.plan import Plan

_SOCKETS: Final = re.compile(r"\s*(\d+)\s*[x×]\s*(.+?)\s*", re.IGNORECASE)
_MOST_SOCKETS: Final = 16
#: A size of memory, alone or behind a processor and a colon.
_SIZED: Final = re.compile(r"(?:(.*):)?\s*(\d+(?:\.\d+)?\s*[kMGTP]i?B?)\s*", re.IGNORECASE)
#: Boards for desktops, by what their titles contain; all others stand in servers.
_DESKTOP: Final = ("GeForce", "Titan", "Radeon RX", "Intel Arc")
#: The usual hosts of both, and why: two channels of DDR5; two sockets of twelve channels of DDR5 each.
_USUAL: Final = {True: "ryzen-7950x", False: "2x epyc-9654"}


class Host(NamedTuple):
    """The processors of a host: their spec, sockets, and where that is known from.

    `memory` is what is fitted to all sockets [B], where that is known; `size` as it was asked for.
    """

    spec: GPUSpec
    sockets: int
    source: str
    memory: float | None = None
    size: str = ""

    @property
    def text(self) -> str:
        """As the option takes it."""
        processors = f"{self.sockets}x {self.spec.name}" if self.sockets > 1 else self.spec.name
        return f"{processors}:{self.size}" if self.size else processors

    @property
    def capacity(self) -> float:
        """Bytes of its memory: what is fitted, else what all sockets take at most."""
        return self.spec.memory.capacity * self.sockets if self.memory is None else self.memory

    @property
    def bandwidth(self) -> float:
        """Bytes per second of all sockets."""
        return self.spec.memory.bandwidth * self.sockets


class _Named(NamedTuple):
    """What was asked for: the name of processors, empty where only a size was; their sockets; memory and its size."""

    name: str
    sockets: int
    memory: float | None
    size: str


def _read_name(text: str) -> _Named:
    """`epyc-9654`, `2x epyc-9654`, `2xcpu.yaml`, each with a size behind it (`:768GB`), or a size alone.

    Raises UsageError for sockets and sizes that make no sense.
    """
    sized = _SIZED.fullmatch(text)
    if sized is None and ":" in text and not is_path(text):
        sold_size(text.rpartition(":")[2], "host")
    size, rest = (sized[2], sized[1] or "") if sized is not None else ("", text)
    memory = sold_size(size, "host") if size else None
    match = _SOCKETS.fullmatch(rest)
    sockets, name = (int(match[1]), match[2]) if match else (1, rest.strip())
    if not 1 <= sockets <= _MOST_SOCKETS:
        raise UsageError(f"--host {text[:80]}: sockets are 1 to {_MOST_SOCKETS}, for example '2x epyc-9654'")
    if not name and not size:
        raise UsageError("--host: an empty name for a processor; for example epyc-9654, or 'ryzen-7950x:64GB'")
    return _Named(name, sockets, memory, "".join(size.split()))


def _processor(name: str, spec_dir: str | None) -> GPUSpec:
    """The processor of a name or file. Raises UsageError for what is no processor, UnknownNameError or SpecError."""
    try:
        spec = locate_gpu(name, spec_dir)[0]
    except UnknownNameError:
        raise UnknownNameError("processor", name, of_kind("cpu", spec_dir), "roofline list gpus") from None
    return _checked(spec)


def _checked(spec: GPUSpec) -> GPUSpec:
    if spec.kind != "cpu":
        raise UsageError(f"--host {spec.name}: {spec.title} is no processor (its kind is {spec.kind}, not cpu)")
    return spec


def find_host(gpu: GPUSpec, named: Any, node: NodeSpec | None, spec_dir: str | None) -> Host:
    """The host of an accelerator: as named, else the node's, else a usual one for boards of its class.

    A size alone is that of the memory of the node's host or of a usual one.
    """
    if named is None:
        return _unnamed(gpu, node, spec_dir)
    if isinstance(named, GPUSpec):
        return Host(_checked(named), 1, "as asked")
    asked = _read_name(os.fspath(named))
    if asked.name:
        return Host(_processor(asked.name, spec_dir), asked.sockets, "as asked", asked.memory, asked.size)
    return _unnamed(gpu, node, spec_dir)._replace(memory=asked.memory, size=asked.size)


def _unnamed(gpu: GPUSpec, node: NodeSpec | None, spec_dir: str | None) -> Host:
    part = node.host if node is not None else None
    fitted = part.capacity if part is not None else None
    if node is not None and part is not None and part.cpu is not None:
        return Host(_processor(part.cpu, spec_dir), part.sockets, f"that of node {node.name}", fitted)
    desktop = any(word.lower() in gpu.title.lower() for word in _DESKTOP)
    where = "a desktop's" if desktop else "a server's"
    usual = _read_name(_USUAL[desktop])
    source = f"assumed, {where}: name yours with --host"
    return Host(_processor(usual.name, spec_dir), usual.sockets, source, fitted)


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
