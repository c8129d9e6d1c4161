"""An image model on several devices: its plan, and one phase with its communication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.expectation import Expectation
from roofline.analysis.result import PhaseEstimate, Times
from roofline.analysis.spread.cost import first_value
from roofline.analysis.spread.exchanges import exchange_s, own_work
from roofline.analysis.spread.spread import Spread, default_node, own_links, resolve_spread
from roofline.analysis.spread.text import link_notes
from roofline.machine.collectives import Fabric
from roofline.machine.machine import Machine
from roofline.machine.time import phase_cost
from roofline.num import maximum
from roofline.specs.gpu import GPUSpec
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase

if TYPE_CHECKING:
    from roofline.analysis.images.question import ImageQuestion

#: The options of several devices that image models take.
SPREADS: Final = frozenset({"gpus", "cp", "dp", "node", "overlap"})


def spread_of_pictures(gpu: GPUSpec, given: Mapping[str, Any]) -> Spread | None:
    """How an image run is spread; devices alone share the tokens of the pictures. None for one device."""
    options = {name: given[name] for name in SPREADS & given.keys()}
    if not options:
        return None
    if "gpus" in options and not options.keys() & {"cp", "dp"}:
        options["cp"] = options["gpus"]
    return resolve_spread(gpu, options, None)


def host_links(gpu: GPUSpec) -> Fabric | None:
    """The links of one GPU: those of the first node made of it, or its own."""
    node, _ = default_node(gpu)
    return Fabric.of(node) if node is not None else own_links(gpu)


def spread_phase(
    phase: Phase, spread: Spread, machine: Machine, precision: Precision, reference: Phase | None,
    expectation: Expectation | None,
) -> PhaseEstimate:  # fmt: skip
    """One repeat of a phase on one device: its own work, and what it exchanges with the others."""
    cost = phase_cost(own_work(phase), precision, machine, reference and own_work(reference))
    seconds, crossing = exchange_s(phase, precision, spread.fabric)
    serial, overlapped = cost.bound_s + seconds, maximum(cost.bound_s, seconds)
    bound = overlapped if spread.overlap else serial
    parts = {"compute": cost.compute_bound_s, "memory": cost.memory_bound_s, "communication": seconds}
    times = Times(cost.floor_s, bound, bound, bound, bound)
    if expectation is not None:
        times = expectation.times(cost.floor_s, bound, expectation.seconds(phase, precision))
    return PhaseEstimate(
        name=phase.name, repeat=phase.repeat, context=phase.context, flops=cost.flops, vector_flops=cost.vector_flops,
        bytes=cost.bytes, kernels=phase.kernels, communication_bytes=crossing,
        bound_by=max(parts, key=lambda name: first_value(parts[name])),
        times=times, communication_s=seconds, overlapped_s=overlapped, serial_s=serial,
    )  # fmt: skip


def picture_notes(question: ImageQuestion) -> list[str]:
    """What was assumed about several devices."""
    spread = question.spread
    if spread is None:
        return []
    plan, notes = spread.plan, []
    if plan.cp > 1:
        notes.append(f"{plan.cp} GPUs share the tokens of the denoiser, all weights on each; text encoders and "
                     "autoencoder run on one; counts, times and memory are those of that one")  # fmt: skip
    if plan.dp > 1:
        notes.append(f"the batch is that of each of {plan.dp} replicas; throughput is that of all")
    return [*notes, *link_notes(spread)]
