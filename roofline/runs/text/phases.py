"""Where the numbers of a language model's phase come from: FLOPs, bytes, exchanges, floor and bound of one device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from roofline.answer.derivation import Derivation, Term
from roofline.answer.phase import PhaseEstimate
from roofline.machine.collectives import algorithms, collective_s, communication_bytes, spread_over
from roofline.num import Num
from roofline.runs.kind import Outcome
from roofline.runs.telling.derivations import (
    LEDGER,
    ROOFLINE,
    Lines,
    bound_derivation,
    floor_derivation,
    number,
    terms,
    times,
)
from roofline.runs.text.words import bytes_text, flops_text
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import CollectiveShape

KIPPLY: Final = "kipp.ly, Transformer Inference Arithmetic"
CASSON: Final = "Casson, Transformer FLOPs"
_COLLECTIVES: Final = "Thakur, Rabenseifner, Gropp 2005, Optimization of Collective Communication Operations in MPICH"
_GPIPE: Final = "Huang et al. 2019, GPipe (arXiv:1811.06965); Narayanan et al. 2021 (arXiv:2104.04473)"
_ONCE: Final = "weights, cache, inputs and outputs"


def phase_derivations(outcome: Outcome, phase: PhaseEstimate, lines: Lines) -> Iterator[Derivation]:
    """The derivations of one phase."""
    q, alone = outcome.question, outcome.question.spread.alone
    p, micro = q.precision_of(outcome.workload[phase.name]), float(outcome.microbatches)
    own = tuple(op for op in outcome.workload[phase.name].ops if op.kind != "collective")
    batches = f"one device, {micro:,.0f} microbatches (terms: one)" if micro != 1 else "one device"
    device = "" if alone else "the device's "
    flops = terms(own, lambda op: op.flops, flops_text)
    yield Derivation(
        f"{phase.name}.flops",
        "FLOP",
        float(phase.flops),
        f"sum over {device}ops of 2 × multiply-adds",
        f"mean context {number(phase.context)} cached tokens" if alone and phase.context else batches,
        f"{CASSON}; {KIPPLY}" if alone else CASSON,
        flops,
    )
    moved = terms(own, p.bytes, lambda op: bytes_text(op, p))
    formula = f"sum over {device}ops of weights + cache + activations moved"
    level = f"fusion {q.execution.level}" + ("" if alone else f", {batches}")
    yield Derivation(f"{phase.name}.bytes", "B", float(phase.bytes), formula, level, LEDGER, moved)
    if alone:
        yield floor_derivation(outcome, phase, _ONCE, lines)
        yield bound_derivation(phase, own, p, q.machine())
    else:
        yield from _exchanges(outcome, phase, batches)
        yield floor_derivation(outcome, phase, _ONCE, lines)
        yield _spread_bound(outcome, phase)


def _exchanges(outcome: Outcome, phase: PhaseEstimate, batches: str) -> Iterator[Derivation]:
    """What crosses the device's links, and how long that takes."""
    p, name, fabric = outcome.question.precision, phase.name, outcome.question.spread.fabric
    ops = tuple(op for op in outcome.workload[name].ops if op.kind == "collective")
    crossing = _terms(ops, lambda op: communication_bytes(op, p), _crossing)
    amount, formula = float(phase.communication_bytes), "sum of what crosses the device's links"
    yield Derivation(f"{name}.communication_bytes", "B", amount, formula, batches, _COLLECTIVES, crossing)
    if ops and fabric is not None:
        taken = _terms(ops, lambda op: collective_s(op, p, fabric), lambda op: _how(op, p, fabric))
        seconds, formula = float(phase.communication_s), "sum over exchanges of latency + bytes / link"
        yield Derivation(f"{name}.communication_s", "s", seconds, formula, batches, _COLLECTIVES, taken)


def _spread_bound(outcome: Outcome, phase: PhaseEstimate) -> Derivation:
    spread = outcome.question.spread
    how = "max(own work, communication)" if spread.overlap else "own work + communication"
    if spread.plan.pp > 1:
        how += "; stages one after the other, microbatches behind each other"
    values = f"hidden {float(phase.overlapped_s):.4g} s, in turn {float(phase.serial_s):.4g} s"
    source = _GPIPE if spread.plan.pp > 1 else ROOFLINE
    return Derivation(f"{phase.name}.bound_s", "s", float(phase.times.bound), how, values, source)


def _terms(ops: tuple[Op, ...], value: Callable[[Op], Num], text: Callable[[Op], str]) -> list[Term]:
    return [Term(op.name, f"{times(op)}{text(op)}", float(op.count * value(op))) for op in ops]


def _crossing(op: Op) -> str:
    shape = op.shape
    assert isinstance(shape, CollectiveShape)
    if shape.operation == "load":
        return f"fetched from {shape.place}"
    return f"{shape.operation} of {number(shape.elements)} elements among {shape.devices:.0f}"


def _how(op: Op, precision: Precision, fabric: Any) -> str:
    """The fastest algorithm, where the group is within a node."""
    shape = op.shape
    assert isinstance(shape, CollectiveShape)
    if shape.operation in ("load", "send") or fabric.scale_up is None:
        return _crossing(op)
    inside, nodes = spread_over(shape, fabric)
    if nodes > 1:
        return f"{_crossing(op)}, {nodes} nodes of {inside}"
    message: Any = shape.elements * (precision.activations.bits / 8)
    found = algorithms(shape.operation, message, inside, fabric.scale_up, fabric.node)
    return f"{_crossing(op)}, {min(found, key=lambda pair: float(pair[1]))[0]}"
