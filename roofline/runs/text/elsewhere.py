"""What stays in the memory of a host: how much it is, and whether the host takes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from roofline.answer.memory import HostRoom, Memory
from roofline.answer.phase import Warn
from roofline.machine.cores import CEILING, CORES_INTERVAL, CROSSING_S, REACHED
from roofline.machine.engine import IDEAL
from roofline.num import Num, all_hold, first_value
from roofline.passes.offload import Offload
from roofline.runs.devices.spread import Spread
from roofline.runs.execution import Stage, Stages
from roofline.runs.kind import Question
from roofline.workload.precision import Precision
from roofline.workload.shapes import CollectiveShape
from roofline.workload.workload import Phase


def host_bytes(question: Question, stage: Stage, micro: Num) -> Num:
    """Bytes that one device of a stage leaves in its host's memory: weights, cache and state, all microbatches'."""
    precision, phases = question.precision, stage.workload.own
    return _weights(phases[0], precision) + _cache(phases[-1], precision) * micro


def _weights(phase: Phase, precision: Precision) -> float:
    total = 0.0
    for op in phase.holders:
        shape = op.shape
        if op.runs_on == "host":
            total += op.count * precision.held_bytes(op)
        elif op.source is not None and isinstance(shape, CollectiveShape) and shape.place == "host":
            kept = 0.0 if op.name.endswith(".cache") else shape.share
            total += op.source.count * kept * precision.held_bytes(op.source)
    return total


def _cache(phase: Phase, precision: Precision) -> Num:
    total: Num = 0.0
    for op in phase.holders:
        shape = op.shape
        if op.runs_on == "host":
            total = total + op.count * (precision.cached_bytes(op) + precision.state_bytes(op))
        elif op.source is not None and isinstance(shape, CollectiveShape) and shape.place == "host":
            kept = shape.share if op.name.endswith(".cache") else 0.0
            total = total + op.source.count * kept * precision.cached_bytes(op.source)
    return total


def host_room(question: Question, fullest: Stage, stages: Stages) -> HostRoom | None:
    """What stays with a host beside what it takes; None where nothing does."""
    host = question.spread.host
    if host is None:
        return None
    left = host_bytes(question, fullest, stages.microbatches)
    return HostRoom(host.text, left, _together(question, stages), host.capacity)


def _together(question: Question, stages: Stages) -> Num:
    """Bytes that all devices of one host leave there; beyond one host, as many devices of the mean stage."""
    total: Num = 0.0
    for stage in stages.each:
        total = total + stage.number * host_bytes(question, stage, stages.microbatches)
    return total * (_devices(question.spread) / question.spread.plan.pp)


def of_device(question: Question, stages: Stages) -> Num:
    """What stays with the host, as the same share of the device's memory [B]."""
    host, machine = question.spread.host, question.machine()
    assert host is not None
    seen = machine.capacity if question.execution.budget.all_seen else machine.capacity - machine.unseen
    return _together(question, stages) * (seen / host.capacity)


def host_warnings(question: Question, memory: Memory) -> Iterator[Warn]:
    """Where a host has less memory than what its devices leave there, and where it is not known how much it has."""
    room, host = memory.host, question.spread.host
    if room is None or host is None:
        return
    held = f"{first_value(room.together) / 1e9:,.1f} GB stay in host memory"
    takes = f"{host.text} takes {room.capacity / 1e9:,.1f} GB"
    if not all_hold(room.fits):
        yield Warn("host-memory", f"{held}, {takes}")
    if host.memory is None:
        sized = f"--host '{host.text}:SIZE'"
        yield Warn("host-memory-assumed", f"{held}; {takes} at most: what is fitted is not known, say it with {sized}")


def _devices(spread: Spread) -> int:
    """The devices of one host."""
    devices = spread.plan.devices
    return min(devices, spread.fabric.node) if spread.fabric is not None else devices


def host_notes(question: Question) -> Iterator[str]:
    """How what is away is dealt with: computed by which cores, or fetched over the link."""
    spread = question.spread
    away, host, cores = cast("Offload | None", spread.away), spread.host, spread.cores
    if away is None:
        return
    if away.fetched:
        hidden = "hidden behind work" if spread.overlap else "not hidden (--overlap full hides it)"
        yield f"offload {away.text()}: fetched in every step, {hidden}; a buffer for one layer stays"
    if host is None:
        return
    if cores is None:
        yield f"host {host.text} ({host.source}): its memory alone counts"
        return
    yield (
        f"offload {away.text()}: computed where it is, by the cores of {host.text} ({host.source}), "
        f"{host.bandwidth / 1e9:,.4g} GB/s in all; device and host take turns"
    )
    yield from _computed(question)


def _computed(question: Question) -> Iterator[str]:
    """What is assumed of cores that compute."""
    spread = question.spread
    away, host, cores = cast("Offload", spread.away), spread.host, spread.cores
    assert host is not None and cores is not None
    if away.weights.computed:
        yield "layers on the host are whole, with their cache; embedding and head stay on the GPU while any layer does"
    if question.engine != IDEAL:
        reached = f"{100 * REACHED * cores.sockets:.0f} % of the host's bandwidth"
        several = " (one copy of the weights for all sockets)" if host.sockets > 1 and cores.sockets < 1 else ""
        yield (
            f"expected of the host: {reached}{several}, {100 * CEILING:.0f} % of its peak, "
            f"{CROSSING_S * 1e6:.0f} µs per crossing; not fitted, so the interval is at least "
            f"{CORES_INTERVAL[0]:g} to {CORES_INTERVAL[1]:g} times the expected time"
        )
    if cores.fetches:
        yield (
            f"steps of {cores.streams_from:.0f} tokens or more: weights on the host are fetched and multiplied on the "
            "GPU where that is quicker"
        )
