"""Where the headline numbers of a run on several devices come from: those of one device, and what crosses the links."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from roofline.analysis.estimate import Estimate
from roofline.analysis.explain import (
    CASSON,
    LEDGER,
    ROOFLINE,
    Derivation,
    Lines,
    Term,
    activation_derivation,
    bytes_text,
    cache_text,
    flops_text,
    held_text,
    number,
    parameter_text,
    ridge_derivation,
    terms,
    times,
    total_derivation,
)
from roofline.analysis.result import PhaseEstimate
from roofline.analysis.spread.cost import Stage, fullest, stages_of
from roofline.analysis.spread.spread import Spread
from roofline.machine.collectives import algorithms, collective_s, communication_bytes, spread_over
from roofline.num import Num
from roofline.workload.op import Op
from roofline.workload.shapes import CollectiveShape

_COLLECTIVES: Final = "Thakur, Rabenseifner, Gropp 2005, Optimization of Collective Communication Operations in MPICH"
_GPIPE: Final = "Huang et al. 2019, GPipe (arXiv:1811.06965); Narayanan et al. 2021 (arXiv:2104.04473)"


def explain_spread(est: Estimate, lines: Lines) -> Iterator[Derivation]:
    """The derivations for one device, the busiest, in the order in which one follows from the other."""
    q = est.question
    spread = q.spread
    assert spread is not None
    stages, micro = stages_of(q, spread, q.run)
    stage = fullest(q, spread, stages, micro)
    yield from _placement(est, spread, lines)
    yield from _memory(est, stage, float(micro), lines)
    yield ridge_derivation(est, lines)
    for phase in est.phases:
        yield from _phase(est, spread, phase)


def _placement(est: Estimate, spread: Spread, lines: Lines) -> Iterator[Derivation]:
    plan = spread.plan
    whole = est.question.ideal_workload().holders()
    yield Derivation(
        "spread.gpus", "GPUs", float(plan.devices), "tp × pp × cp × dp",
        f"{plan.tp} × {plan.pp} × {plan.cp} × {plan.dp}; experts over {plan.ep}", "the options",
    )  # fmt: skip
    yield Derivation(
        "parameters.total", "parameters", est.parameters.total,
        "sum of layers × parameters of each op, of the whole model",
        f"{len(whole)} ops", LEDGER, terms(tuple(whole), lambda op: op.params, parameter_text),
        lines.of_model(("vocabulary",), ("width",)) + lines.of_blocks("layers", "attention", "feed_forward"),
    )  # fmt: skip


def _memory(est: Estimate, stage: Stage, micro: float, lines: Lines) -> Iterator[Derivation]:
    q, m, p = est.question, est.memory, est.question.precision
    workload = stage.workload
    yield Derivation(
        "memory.weights_bytes", "B", float(m.weights_bytes), "sum over the device's ops of parameters × bits / 8",
        f"{workload.parameters:,.0f} parameters on one device, of {est.parameters.total:,.0f}", p.weights.layout,
        terms(tuple(workload.holders()), p.held_bytes, _held_parameters(est)), lines.of_model(("dtype",)),
    )  # fmt: skip
    caches = tuple(op for op in stage.ideal.phases[-1].ops if float(op.cache_held))
    yield Derivation(
        "memory.kv_cache_bytes_per_token", "B/token", float(m.kv_cache_bytes_per_token),
        "sum over the device's layers × kv_heads × (key width + value width) × bytes",
        " + ".join(cache_text(op, p.cache.bytes) for op in caches) or "no cache", CASSON,
        lines=lines.of_blocks("layers", "attention"),
    )  # fmt: skip
    batches = f"{micro:,.0f} microbatches × (" if micro != 1 else "("
    yield Derivation(
        "memory.kv_cache_bytes", "B", float(m.kv_cache_bytes), "batch × tokens held × bytes per token, by group",
        batches + (" + ".join(held_text(op, p.cache.bytes) for op in caches) or "no cache") + ")", LEDGER,
    )  # fmt: skip
    yield activation_derivation(((phase.name, op) for phase in workload.phases for op in phase.ops), p)
    yield total_derivation(est, lines, ", per GPU")
    yield Derivation(
        "memory.max_batch", "sequences", float(m.max_batch), "largest batch of a replica that fits on each GPU",
        f"at {q.run.prompt:,.0f} + {q.run.generate:,.0f} tokens", LEDGER,
    )  # fmt: skip
    yield Derivation(
        "memory.max_context", "tokens", float(m.max_context), "longest prompt + generate that fits on each GPU",
        f"at batch {q.run.batch:,.0f}, {q.run.generate:,.0f} generated", LEDGER,
    )  # fmt: skip


def _held_parameters(est: Estimate) -> Callable[[Op], str]:
    return lambda op: f"{parameter_text(op)} × {est.question.precision.weight_bits(op):.6g} bits"


def _phase(est: Estimate, spread: Spread, phase: PhaseEstimate) -> Iterator[Derivation]:
    name, p, micro = phase.name, est.question.precision, float(est.microbatches)
    ops = est.workload[name].ops
    own = tuple(op for op in ops if op.kind != "collective")
    exchanges = tuple(op for op in ops if op.kind == "collective")
    batches = f"one device, {micro:,.0f} microbatches (terms: one)" if micro != 1 else "one device"
    yield Derivation(
        f"{name}.flops", "FLOP", float(phase.flops), "sum over the device's ops of 2 × multiply-adds", batches, CASSON,
        terms(own, lambda op: op.flops, flops_text),
    )  # fmt: skip
    yield Derivation(
        f"{name}.bytes", "B", float(phase.bytes), "sum over the device's ops of weights + cache + activations moved",
        f"fusion {est.question.fusion}, {batches}", LEDGER, terms(own, p.bytes, lambda op: bytes_text(op, est)),
    )  # fmt: skip
    yield Derivation(
        f"{name}.communication_bytes", "B", float(phase.communication_bytes), "sum of what crosses the device's links",
        batches, _COLLECTIVES, _exchange_terms(exchanges, lambda op: communication_bytes(op, p), _crossing),
    )  # fmt: skip
    fabric = spread.fabric
    if exchanges and fabric is not None:
        yield Derivation(
            f"{name}.communication_s", "s", float(phase.communication_s),
            "sum over exchanges of latency + bytes / link", batches, _COLLECTIVES,
            _exchange_terms(exchanges, lambda op: collective_s(op, p, fabric), lambda op: _how(op, est, spread)),
        )  # fmt: skip
    yield from _bound(phase, spread)


def _bound(phase: PhaseEstimate, spread: Spread) -> Iterator[Derivation]:
    how = "max(own work, communication)" if spread.overlap else "own work + communication"
    if spread.plan.pp > 1:
        how += "; stages one after the other, microbatches behind each other"
    yield Derivation(
        f"{phase.name}.floor_s", "s", float(phase.times.floor), "max(all FLOPs / peak, unavoidable bytes / bandwidth)",
        "per device, over the stages", ROOFLINE,
    )  # fmt: skip
    yield Derivation(
        f"{phase.name}.bound_s", "s", float(phase.times.bound), how,
        f"hidden {float(phase.overlapped_s or 0.0):.4g} s, in turn {float(phase.serial_s or 0.0):.4g} s",
        _GPIPE if spread.plan.pp > 1 else ROOFLINE,
    )  # fmt: skip


def _exchange_terms(ops: tuple[Op, ...], value: Callable[[Op], Num], text: Callable[[Op], str]) -> list[Term]:
    return [Term(op.name, f"{times(op)}{text(op)}", float(op.count * value(op))) for op in ops]


def _crossing(op: Op) -> str:
    shape = op.shape
    assert isinstance(shape, CollectiveShape)
    if shape.operation == "load":
        return f"fetched from {shape.place}"
    return f"{shape.operation} of {number(shape.elements)} elements among {shape.devices:.0f}"


def _how(op: Op, est: Estimate, spread: Spread) -> str:
    """The fastest algorithm, where the group is within a node."""
    shape, fabric = op.shape, spread.fabric
    assert isinstance(shape, CollectiveShape)
    assert fabric is not None
    if shape.operation in ("load", "send") or fabric.scale_up is None:
        return _crossing(op)
    inside, nodes = spread_over(shape, fabric)
    if nodes > 1:
        return f"{_crossing(op)}, {nodes} nodes of {inside}"
    message: Any = shape.elements * (est.question.precision.activations.bits / 8)
    found = algorithms(shape.operation, message, inside, fabric.scale_up, fabric.node)
    return f"{_crossing(op)}, {min(found, key=lambda pair: float(pair[1]))[0]}"
