"""Where the headline numbers of an image model come from, in the order in which one follows from the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from roofline.answer.derivation import Derivation, Term
from roofline.answer.phase import PhaseEstimate
from roofline.runs.image.options import away_of
from roofline.runs.image.transfer import beyond_work, moved_bytes
from roofline.runs.kind import Outcome
from roofline.runs.telling.derivations import (
    DEFINITION,
    LEDGER,
    bound_derivation,
    floor_derivation,
    held_derivation,
    rate_derivations,
    ridge_derivation,
    times,
)
from roofline.runs.telling.machine import slowest_precision
from roofline.workload.op import Op
from roofline.workload.shapes import ConvolutionShape, DenseAttentionShape, MatmulShape

_STAGED: Final = "PyTorch's caching allocator and cuDNN; docs/memory_pictures.md"
_COUNTER: Final = "operator by operator as torch 2.13.0 dispatches diffusers 0.42.1; a multiply-add is 2 FLOPs"
_PARTS: Final = (
    "weights_bytes",
    "activation_peak_bytes",
    "workspace_bytes",
    "safety_checker_bytes",
    "context_bytes",
    "runtime_bytes",
)


def image_derivations(outcome: Outcome) -> Iterator[Derivation]:
    """The derivations of an image estimate's headline numbers."""
    yield _parameters(outcome)
    yield from _memory(outcome)
    yield held_derivation(outcome, _PARTS, "weights + activations + workspace + safety checker + driver + runtime", [])
    yield ridge_derivation(outcome, slowest_precision(outcome))
    for phase in outcome.phases:
        yield from _phase(outcome, phase)
    yield _total(outcome)
    total = outcome.quantity("total_s")
    assert total is not None and total.times is not None
    values = f"{outcome.question.run.batch:,.0f} / {float(total.times.bound):.4g}"
    for name in ("images_per_s", "prompts_per_s"):
        yield from rate_derivations(outcome, name, "batch / total", values)


def flops_text(op: Op) -> str:
    """The FLOPs of an op as a product of its dimensions."""
    shape = op.shape
    if isinstance(shape, ConvolutionShape):
        weights = f"{shape.channels_in:,.0f} · {shape.channels_out:,.0f} · {shape.kernel:.0f}²"
        return f"{times(op)}2 · {weights} · {float(shape.pixels):,.0f} pixels"
    if isinstance(shape, DenseAttentionShape):
        heads = f"{float(shape.batch):,.0f} images · {shape.heads:,.0f} heads · {shape.dim:,.0f}"
        return f"{times(op)}4 · {heads} · {float(shape.queries):,.0f} · {float(shape.keys):,.0f} pairs"
    if isinstance(shape, MatmulShape):
        return f"{times(op)}2 · {float(shape.m):,.0f} rows · {shape.k:,.0f} · {shape.n:,.0f}"
    return f"{times(op)}{float(op.flops):,.0f}"


def _parameters(outcome: Outcome) -> Derivation:
    parts = {phase.component: phase for phase in outcome.workload.phases}.values()
    counts = [
        Term(phase.component, "its parameters", float(sum(op.count * op.params for op in phase.ops)))
        for phase in parts
        if any(op.params for op in phase.ops)
    ]
    total, number = outcome.parameters.total, f"{len(counts)} parts"
    return Derivation("parameters.total", "parameters", total, "sum over the parts", number, LEDGER, counts)


def _memory(outcome: Outcome) -> Iterator[Derivation]:
    m, away = outcome.memory, outcome.question.spread.away is not None
    parts = [Term(part.name, "bytes of its parameters", part.weights) for part in m.by_component if part.weights]
    formula = "parameters × bits / 8" + (f" {_here(outcome)}" if away else ", summed over the parts")
    fullest = _fullest(outcome)
    held = fullest if away else f"{len(parts)} parts"
    yield Derivation("memory.weights_bytes", "B", float(m.weights_bytes), formula, held, LEDGER, parts)
    peaks = [Term(part.name, "inputs + outputs + what must stay", float(part.activations)) for part in m.by_component]
    formula = "that of the part that needs most" if away else "largest over the phases"
    peak = float(m.activation_peak_bytes)
    yield Derivation("memory.activation_peak_bytes", "B", peak, formula, fullest, LEDGER, peaks)
    staged = [Term(part.name, "copies of operands and results", float(part.workspace)) for part in m.by_component]
    formula = "most of activations and buffers together, less activations"
    yield Derivation("memory.workspace_bytes", "B", float(m.workspace_bytes), formula, fullest, _STAGED, staged)


def _here(outcome: Outcome) -> str:
    """Which weights are on the GPU with offload."""
    away = away_of(outcome.question.spread)
    assert away is not None
    number = 2 * away.blocks if away.hidden else away.blocks
    blocks = f"{number} largest blocks" if number > 1 else "largest block"
    held = {"model": "", "leaf": "largest matrix of ", "group": f"{blocks} of "}[away.mode]
    return f"of the {held}the part that needs most"


def _fullest(outcome: Outcome) -> str:
    """The part with the largest peak, with its weights where only it is on the GPU."""
    away = away_of(outcome.question.spread)
    parts = outcome.memory.by_component
    whole = away is not None and away.mode == "model"
    return max(parts, key=lambda part: float(part.activations + part.workspace) + (part.weights if whole else 0.0)).name


def _phase(outcome: Outcome, phase: PhaseEstimate) -> Iterator[Derivation]:
    q, name = outcome.question, phase.name
    ledger = outcome.workload[name]
    precision, machine = q.precision_of(ledger), q.machine()
    flops = [Term(op.name, flops_text(op), float(op.count * op.flops)) for op in ledger.ops if op.count * op.flops]
    formula, kinds = "sum over ops of 2 × multiply-adds", f"{len(flops)} kinds of products"
    yield Derivation(f"{name}.flops", "FLOP", float(phase.flops), formula, kinds, _COUNTER, flops)
    moved = [
        Term(f"{op.block} {op.name}", f"{times(op)}(reads + writes + weights)", float(op.count * precision.bytes(op)))
        for op in ledger.ops
        if op.kernels
    ]
    formula, level = "sum over kernels of inputs, outputs and weights, once each", f"level {q.execution.level}"
    yield Derivation(f"{name}.bytes", "B", float(phase.bytes), formula, level, _COUNTER, moved)
    yield floor_derivation(outcome, phase, "weights, latents and pictures")
    yield bound_derivation(phase, ledger.ops, precision, machine)


def _total(outcome: Outcome) -> Derivation:
    total, transfer = outcome.quantity("total_s"), outcome.quantity("transfer_s")
    assert total is not None and total.times is not None
    terms = [
        Term(p.name, f"{p.repeat:g} × {float(p.times.bound):.4g} s", float(p.repeat * p.times.bound))
        for p in outcome.phases
    ]
    if transfer is not None and transfer.times is not None:
        late = float(beyond_work(outcome.question, outcome.phases, transfer.times).bound)
        moved = f"{float(moved_bytes(outcome.question, outcome.memory)):,.0f} B from host memory"
        hidden = "" if late == float(transfer.times.bound) else ", beyond the work that hides it"
        terms.append(Term("transfer", f"{moved}{hidden}", late))
    bound, formula = float(total.times.bound), "sum over phases of runs × time"
    summed = " + ".join(f"{term.name} {term.text}" for term in terms)
    return Derivation("latency.total_s", "s", bound, formula, summed, DEFINITION)
