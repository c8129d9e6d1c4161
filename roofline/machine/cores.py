"""The host's cores: what ops take that run beside what the host's memory holds.

An op takes the longer of its products at the processor's peak and its bytes at its memory's bandwidth, as on a device.
What is expected of it are fixed shares of both and a meeting of all threads. An engine may fetch the weights of an op
of many tokens over the link instead and multiply on the device: the quicker way counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from roofline.machine.collectives import Link
from roofline.machine.machine import Machine
from roofline.machine.time import Longest, PhaseCost, op_cost
from roofline.num import Num, maximum, where
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import ExpertsShape, MatmulShape

#: Share of the nominal bandwidth at which cores read weights, of their peak that they reach; seconds in which the
#: threads of one op meet, and in which device and host wait for each other where activations cross. Source: chosen
#: with four published runs of llama.cpp in view, told in docs/hosts.md; not a fit. The share of the peak and both
#: times are nominal, unverified.
REACHED: Final = 0.6
CEILING: Final = 0.25
MEETING_S: Final = 5e-6
CROSSING_S: Final = 15e-6
#: 80 % of runs lie between these multiples of what is expected, by the same few runs: wide.
CORES_INTERVAL: Final = (0.6, 1.7)


class Cores(NamedTuple):
    """The cores of a host as one device has them: peaks and memory of all sockets, shared with the devices beside it.

    `sockets` is the share of the bandwidth of several sockets that is reached. From `streams_from` tokens on (infinite:
    never) an op's weights may be fetched over the `link` instead.
    """

    machine: Machine
    sockets: float = 1.0
    link: Link | None = None
    streams_from: float = float("inf")

    @property
    def fetches(self) -> bool:
        """Whether weights may be fetched instead."""
        return self.link is not None and self.streams_from < float("inf")

    @property
    def bandwidth(self) -> Num:
        """Bytes per second that the cores of all sockets can read together."""
        return self.machine.bandwidth * self.sockets


class CoreTime(NamedTuple):
    """One execution of an op that the host holds: seconds of compute, of memory, and of the link; bytes on the link.

    Where its weights are fetched, compute and memory are those of the device.
    """

    compute_s: Num
    memory_s: Num
    link_s: Num
    link_bytes: Num

    @property
    def own_s(self) -> Num:
        """Seconds beside the link."""
        return maximum(self.compute_s, self.memory_s)


def core_time(op: Op, precision: Precision, cores: Cores, device: Machine) -> CoreTime:
    """The roofline of one execution: on the cores, or fetched, where the engine does so and that is quicker."""
    here = op_cost(op, precision, cores.machine)
    own = CoreTime(maximum(here.compute_s, here.vector_s), here.memory_s, 0.0, 0.0)
    fetch = _fetch_of(op, precision, cores)
    if fetch is None:
        return own
    there = op_cost(op, precision, device)
    fetched = fetch.pays(there.bound_s, own.own_s)
    return CoreTime(
        where(fetched, maximum(there.compute_s, there.vector_s), own.compute_s),
        where(fetched, there.memory_s, own.memory_s),
        where(fetched, fetch.link_s, 0.0),
        where(fetched, fetch.bytes, 0.0),
    )


def expected_core_time(op: Op, precision: Precision, cores: Cores, on_device: Num) -> tuple[Num, Num]:
    """Expected seconds of one execution, beside the link and on it.

    `on_device` are those that the device takes for it, which count where the weights are fetched.
    """
    cost = op_cost(op, precision, cores.machine)
    own = cores_s(maximum(cost.compute_s, cost.vector_s), cost.bytes, cores.bandwidth)
    fetch = _fetch_of(op, precision, cores)
    if fetch is None:
        return own, 0.0
    fetched = fetch.pays(on_device, own)
    return where(fetched, on_device, own), where(fetched, fetch.link_s, 0.0)


class _Fetch(NamedTuple):
    """The other way: an op's weights over the link. Bytes, seconds, and whether the engine takes it for so many tokens.

    `allowed` is a truth value, or an array of them.
    """

    bytes: Num
    link_s: Num
    allowed: Any

    def pays(self, on_device: Num, on_cores: Num) -> Any:
        """Whether it is taken and quicker, by the seconds of the op on the device and on the cores."""
        return self.allowed & (self.link_s + on_device < on_cores)


def _fetch_of(op: Op, precision: Precision, cores: Cores) -> _Fetch | None:
    """The other way of an op; None where it has no weights or the engine never fetches them."""
    tokens = _tokens(op)
    if tokens is None or cores.link is None or not cores.fetches:
        return None
    moved = precision.weight_bytes(op)
    return _Fetch(moved, cores.link.latency + moved / cores.link.bandwidth, tokens >= cores.streams_from)


def cores_s(compute_s: Num, moved: Num, bandwidth: Num) -> Num:
    """Expected seconds of an op on cores, from those at their peak and its bytes.

    One is hidden behind the other; then all threads meet.
    """
    return maximum(compute_s / CEILING, moved / (bandwidth * REACHED)) + MEETING_S


def _tokens(op: Op) -> Num | None:
    """Rows of an op's product with its weights; None where it has none."""
    shape = op.shape
    if isinstance(shape, ExpertsShape):
        return shape.tokens
    return shape.m if isinstance(shape, MatmulShape) and op.kind == "linear" else None


#: What is summed over the ops of a phase.
_SUMS: Final = ("flops", "vector", "bytes", "bound", "compute", "stream", "fetch", "link", "moved")


class CoresCost(NamedTuple):
    """What the host adds to one repeat of a phase: a cost like the device's, and the link's seconds and bytes."""

    cost: PhaseCost
    link_s: Num
    link_bytes: Num


def cores_cost(ops: Sequence[Op], precision: Precision, cores: Cores, device: Machine) -> CoresCost:
    """What the ops that the host runs need.

    The floor is what the host's peak, its memory or the link need at least, whichever is longest, all ops together; at
    the speed of light weights are fetched wherever that is quicker, for however few tokens.
    """
    freely = cores._replace(streams_from=0.0) if cores.fetches else cores
    sums: dict[str, Num] = dict.fromkeys(_SUMS, 0.0)
    parts: list[Longest] = []
    for op in ops:
        time, moved = core_time(op, precision, cores, device), precision.bytes(op)
        unavoidable = precision.weight_bytes(op) + precision.cache_bytes(op)
        own = time.own_s
        parts.append(Longest(op.count * own, time.compute_s, time.memory_s))
        least = core_time(op, precision, freely, device)
        streamed = least.memory_s * (unavoidable / maximum(moved, 1e-300))
        light = (least.compute_s, streamed, least.link_s)
        each = (op.flops, op.vector_flops, moved, own, *light, time.link_s, time.link_bytes)
        for name, value in zip(sums, each, strict=True):
            sums[name] = sums[name] + op.count * value
    floor = maximum(maximum(sums["compute"], sums["stream"]), sums["fetch"])
    counts = sums["flops"], sums["vector"], sums["bytes"], 0.0, 0.0
    return CoresCost(PhaseCost(*counts, floor, sums["bound"], tuple(parts)), sums["link"], sums["moved"])


def beside(device: PhaseCost, host: PhaseCost) -> PhaseCost:
    """Both in one phase: one after the other in the bound, at the same time at the speed of light."""
    return PhaseCost(
        flops=device.flops + host.flops,
        vector_flops=device.vector_flops + host.vector_flops,
        bytes=device.bytes + host.bytes,
        kernels=device.kernels,
        communication_bytes=device.communication_bytes,
        floor_s=maximum(device.floor_s, host.floor_s),
        bound_s=device.bound_s + host.bound_s,
        parts=(*device.parts, *host.parts),
    )
