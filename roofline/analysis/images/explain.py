"""Where the headline numbers of an image model come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.explain import Derivation, Term
from roofline.analysis.images.estimate import ImageEstimate, ImageMemory
from roofline.analysis.result import PhaseEstimate
from roofline.machine.time import op_cost
from roofline.workload.shapes import ConvolutionShape, DenseAttentionShape, MatmulShape

if TYPE_CHECKING:
    from roofline.workload.op import Op

_COUNTER: Final = "operator by operator as torch 2.13.0 dispatches diffusers 0.42.1; a multiply-add is 2 FLOPs"
_ROOFLINE: Final = "Williams, Waterman, Patterson 2009, Roofline"
_LEDGER: Final = "sum over the op ledger (`roofline ops`)"


def explain_image(est: ImageEstimate) -> list[Derivation]:
    """The derivations of an image estimate's headline numbers, in the order in which one follows from the other."""
    found = [*_memory(est), _ridge(est)]
    for phase in est.phases:
        found.extend(_phase(est, phase))
    found.extend(_request(est))
    return found


def _times(op: Op) -> str:
    return f"{op.count:,.0f} × " if op.count != 1 else ""


def flops_text(op: Op) -> str:
    """The FLOPs of an op as a product of its dimensions."""
    shape = op.shape
    if isinstance(shape, ConvolutionShape):
        return (f"{_times(op)}2 · {shape.channels_in:,.0f} · {shape.channels_out:,.0f} · {shape.kernel:.0f}² · "
                f"{float(shape.pixels):,.0f} pixels")  # fmt: skip
    if isinstance(shape, DenseAttentionShape):
        return (f"{_times(op)}4 · {float(shape.batch):,.0f} images · {shape.heads:,.0f} heads · {shape.dim:,.0f} · "
                f"{float(shape.queries):,.0f} · {float(shape.keys):,.0f} pairs")  # fmt: skip
    if isinstance(shape, MatmulShape):
        return f"{_times(op)}2 · {float(shape.m):,.0f} rows · {shape.k:,.0f} · {shape.n:,.0f}"
    return f"{_times(op)}{float(op.flops):,.0f}"


def _memory(est: ImageEstimate) -> Iterator[Derivation]:
    m = est.memory
    parts = [Term(name, "bytes of its parameters", value) for name, value in m.components.items() if value]
    counts = [
        Term(phase.component, "its parameters", float(sum(op.count * op.params for op in phase.ops)))
        for phase in {phase.component: phase for phase in est.workload.phases}.values()
        if any(op.params for op in phase.ops)
    ]
    yield Derivation("parameters.total", "parameters", est.parameters.total, "sum over the parts",
                     f"{len(counts)} parts", _LEDGER, counts)  # fmt: skip
    away = est.question.offload == "model"
    formula = "parameters × bits / 8" + (" of the part that needs most" if away else ", summed over the parts")
    yield Derivation(
        "memory.weights_bytes",
        "B",
        float(m.weights_bytes),
        formula,
        _fullest(m, away=True) if away else f"{len(parts)} parts",
        _LEDGER,
        parts,
    )
    peaks = [Term(name, "inputs + outputs + what must stay", float(value)) for name, value in m.peaks.items()]
    yield Derivation(
        "memory.activation_peak_bytes", "B", float(m.activation_peak_bytes),
        "that of the part that needs most" if away else "largest over the phases",
        _fullest(m, away=away), _LEDGER, peaks,
    )  # fmt: skip
    yield Derivation(
        "memory.total_bytes", "B", float(m.total_bytes), "weights + activations + runtime",
        f"{float(m.weights_bytes):,.0f} + {float(m.activation_peak_bytes):,.0f} + {float(m.runtime_bytes):,.0f}; "
        f"{'fits in' if m.fits else 'does not fit in'} {float(m.capacity_bytes):,.0f}", _LEDGER,
    )  # fmt: skip


def _fullest(memory: ImageMemory, *, away: bool) -> str:
    """The part with the largest peak, with its weights where only it is on the GPU."""
    return max(memory.peaks, key=lambda part: float(memory.peaks[part]) + (memory.components[part] if away else 0.0))


def _ridge(est: ImageEstimate) -> Derivation:
    m = est.machine
    return Derivation(
        "machine.ridge_flops_per_byte", "FLOP/B", float(m["ridge_flops_per_byte"]), "peak / bandwidth",
        f"{m['peak_flops']:.4g} / {m['bandwidth_bytes_per_s']:.4g} ({m['peak_dtype']}, unit {m['served_by']})",
        _ROOFLINE,
    )  # fmt: skip


def _phase(est: ImageEstimate, phase: PhaseEstimate) -> Iterator[Derivation]:
    q, name = est.question, phase.name
    ledger = est.workload[name]
    precision, machine = q.precision_of(ledger), q.machine()
    flops = [Term(op.name, flops_text(op), float(op.count * op.flops)) for op in ledger.ops if op.count * op.flops]
    moved = [
        Term(f"{op.block} {op.name}", _times(op) + "(reads + writes + weights)", float(op.count * precision.bytes(op)))
        for op in ledger.ops if op.kernels
    ]  # fmt: skip
    yield Derivation(f"{name}.flops", "FLOP", float(phase.flops), "sum over ops of 2 × multiply-adds",
                     f"{len(flops)} kinds of products", _COUNTER, flops)  # fmt: skip
    yield Derivation(f"{name}.bytes", "B", float(phase.bytes),
                     "sum over kernels of inputs, outputs and weights, once each",
                     f"level {q.fusion}", _COUNTER, moved)  # fmt: skip
    costs = [(op.count, op_cost(op, precision, machine)) for op in ledger.ops]
    by_memory = sum(float(n * c.bound_s) for n, c in costs if c.memory_s >= c.compute_s)
    by_compute = float(phase.times.bound) - by_memory
    yield Derivation(f"{name}.floor_s", "s", float(phase.times.floor),
                     "max(all FLOPs / peak, unavoidable bytes / bandwidth)",
                     f"unavoidable: weights, latents and pictures, once; {machine.bandwidth:.4g} B/s",
                     _ROOFLINE)  # fmt: skip
    yield Derivation(
        f"{name}.bound_s", "s", float(phase.times.bound), "sum over ops of max(compute, memory)",
        f"{by_compute:.4g} s where compute is longer + {by_memory:.4g} s where memory is", _ROOFLINE,
    )  # fmt: skip


def _request(est: ImageEstimate) -> Iterator[Derivation]:
    terms = [
        Term(p.name, f"{p.repeat:g} × {float(p.times.bound):.4g} s", float(p.repeat * p.times.bound))
        for p in est.phases
    ]
    if est.latency.transfer is not None:
        moved = sum(est.memory.components.values())
        terms.append(Term("transfer", f"{moved:,.0f} B from host memory", float(est.latency.transfer.bound)))
    yield Derivation("latency.total_s", "s", float(est.latency.total.bound), "sum over phases of runs × time",
                     " + ".join(f"{t.name} {t.text}" for t in terms), "by definition")  # fmt: skip
    rate = est.throughput.images or est.throughput.prompts
    assert rate is not None
    what = "images" if est.throughput.images is not None else "prompts"
    yield Derivation(
        f"throughput.{what}_per_s", "1/s", float(rate.bound), "batch / total",
        f"{est.question.run.batch:,.0f} / {float(est.latency.total.bound):.4g}", "by definition",
    )  # fmt: skip
