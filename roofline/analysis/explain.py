"""Where each headline number comes from: formula, substituted values, result, the lines of the specs, the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from roofline.analysis.estimate import Estimate
from roofline.analysis.result import PhaseEstimate, plain
from roofline.errors import SpecError
from roofline.machine.time import op_cost
from roofline.specs.files.document import Document, read_document
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.shapes import AttentionShape, ExpertsShape, MatmulShape, RowShape

KIPPLY: Final = "kipp.ly, Transformer Inference Arithmetic"
CASSON: Final = "Casson, Transformer FLOPs"
ROOFLINE: Final = "Williams, Waterman, Patterson 2009, Roofline"
LEDGER: Final = "sum over the op ledger (`roofline ops`)"


@dataclass(frozen=True)
class Term:
    """One summand: what it is, its formula with values, and its value."""

    name: str
    text: str
    value: float


@dataclass(frozen=True)
class Derivation:
    """One headline number: formula, values, result, and the spec lines that the values were read from."""

    quantity: str
    unit: str
    value: float
    formula: str
    substituted: str
    source: str
    terms: list[Term] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "quantity": self.quantity, "unit": self.unit, "value": plain(self.value), "formula": self.formula,
            "substituted": self.substituted, "source": self.source, "lines": self.lines,
            "terms": [{"name": t.name, "text": t.text, "value": plain(t.value)} for t in self.terms],
        }  # fmt: skip


def explain(est: Estimate) -> list[Derivation]:
    """The derivations of an estimate's headline numbers, in the order in which one follows from the other."""
    from roofline.analysis.explain_expected import explain_expected

    return [*_explain_bound(est), *explain_expected(est)]


def _explain_bound(est: Estimate) -> list[Derivation]:
    """All but the expected times."""
    if not hasattr(est.question.run, "prompt"):
        from roofline.analysis.images.explain import explain_image

        return explain_image(est)  # type: ignore[arg-type]
    lines = Lines(est)
    if est.question.spread is not None:
        from roofline.analysis.spread.explain import explain_spread

        return [*explain_spread(est, lines), *_request(est)]
    found = [*_memory(est, lines), ridge_derivation(est, lines)]
    for phase in est.phases:
        found.extend(_phase(est, phase, lines))
    found.extend(_request(est))
    return found


class Lines:
    """Finds the line of a spec file on which a value stands."""

    def __init__(self, est: Estimate) -> None:
        q = est.question
        self.model = _document(q.model_origin.path)
        self.gpu = _document(q.gpu_origin.path)
        self.groups = range(len(q.spec.blocks))

    def of_model(self, *paths: tuple[str | int, ...]) -> list[str]:
        """Lines of the model's file."""
        return cite(self.model, paths)

    def of_gpu(self, *paths: tuple[str | int, ...]) -> list[str]:
        """Lines of the accelerator's file."""
        return cite(self.gpu, paths)

    def of_blocks(self, *keys: str) -> list[str]:
        """Lines of the groups of layers."""
        paths = [("blocks", index, key) for index in self.groups for key in keys]
        return cite(self.model, paths)


def _document(path: str) -> Document | None:
    try:
        return read_document(Path(path))
    except SpecError:
        return None


def cite(document: Document | None, paths: Any) -> list[str]:
    """The lines of a document on which values stand, those that it has."""
    if document is None:
        return []
    found = {}
    for path in paths:
        if path in document.places:
            place = document.place(path)
            found[f"{Path(place.path).name}:{place.line}"] = place.text.strip()
    return [f"{where}: {text}" for where, text in found.items()]


def number(value: Any) -> str:
    """A value as text: whole, or with four digits."""
    value = float(value)
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def times(op: Op) -> str:
    """How often an op runs, as a factor."""
    return f"{op.count:,.0f} × " if op.count != 1 else ""


def parameter_text(op: Op) -> str:
    """The parameters of an op as a product of its dimensions."""
    shape = op.shape
    if isinstance(shape, MatmulShape):
        bias = f" + {shape.n:,.0f}" if shape.bias else ""
        body = f"{shape.k:,.0f} · {shape.n:,.0f}{bias}"
    elif isinstance(shape, ExpertsShape):
        matrices = 3 if shape.gated else 2
        body = f"{shape.experts:,.0f} experts · {matrices} · {shape.width:,.0f} · {shape.hidden:,.0f}"
    elif isinstance(shape, RowShape) and shape.style == "embedding":
        body = f"{op.params / shape.width:,.0f} · {shape.width:,.0f}"
    else:
        body = f"{op.params:,.0f}"
    return f"{times(op)}({body})" if op.count != 1 and " " in body else f"{times(op)}{body}"


def flops_text(op: Op) -> str:
    """The FLOPs of an op as a product of its dimensions."""
    shape = op.shape
    if isinstance(shape, MatmulShape):
        return f"{times(op)}2 · {number(shape.m)} tokens · {shape.k:,.0f} · {shape.n:,.0f}"
    if isinstance(shape, AttentionShape):
        pairs = float(op.flops) / (2 * float(shape.span.batch) * shape.heads * (shape.key_dim + shape.value_dim))
        return (f"{times(op)}2 · {number(shape.span.batch)} sequences · {shape.heads:,.0f} heads · "
                f"{number(pairs)} query-key pairs · ({shape.key_dim:,.0f} + {shape.value_dim:,.0f})")  # fmt: skip
    if isinstance(shape, ExpertsShape):
        matrices = 3 if shape.gated else 2
        return (f"{times(op)}2 · {number(shape.tokens)} tokens · {shape.top_k:,.0f} experts each · {matrices} · "
                f"{shape.width:,.0f} · {shape.hidden:,.0f}")  # fmt: skip
    return f"{times(op)}{number(op.flops)}"


def terms(ops: tuple[Op, ...], value: Callable[[Op], Any], text: Callable[[Op], str]) -> list[Term]:
    """The summands of a quantity that are not zero."""
    terms = [Term(op.name, text(op), float(op.count * value(op))) for op in ops]
    return [term for term in terms if term.value]


def activation_derivation(ops: Iterable[tuple[str, Op]], precision: Precision) -> Derivation:
    """The op of a phase at which activations take most memory."""
    where, op = max(ops, key=lambda pair: float(precision.live_bytes(pair[1])))
    return Derivation(
        "memory.activation_peak_bytes", "B", float(precision.live_bytes(op)),
        "largest over ops of what is in memory at once: inputs, outputs, and what must stay", f"{where}: {op.name}",
        LEDGER,
    )  # fmt: skip


def total_derivation(est: Estimate, lines: Lines, scope: str = "") -> Derivation:
    """All that is held, beside what there is room for."""
    m = est.memory
    return Derivation(
        "memory.total_bytes", "B", float(m.total_bytes), f"weights + KV-cache + state + activations + runtime{scope}",
        f"{number(m.weights_bytes)} + {number(m.kv_cache_bytes)} + {number(m.state_bytes)} + "
        f"{number(m.activation_peak_bytes)} + {number(m.runtime_bytes)}; "
        f"{'fits in' if m.fits else 'does not fit in'} {number(m.capacity_bytes)}",
        LEDGER, lines=lines.of_gpu(("memory",)),
    )  # fmt: skip


def _memory(est: Estimate, lines: Lines) -> Iterator[Derivation]:
    q, m, p = est.question, est.memory, est.question.precision
    holders = tuple(est.workload.holders())
    shape_lines = lines.of_model(("vocabulary",), ("width",)) + lines.of_blocks("layers", "attention", "feed_forward")
    yield Derivation(
        "parameters.total", "parameters", est.parameters.total, "sum of layers × parameters of each op",
        f"{len(holders)} ops", LEDGER, terms(holders, lambda op: op.params, parameter_text), shape_lines,
    )  # fmt: skip
    yield Derivation(
        "memory.weights_bytes", "B", float(m.weights_bytes), "sum over ops of parameters × bits / 8, scales included",
        f"{est.workload.parameters:,.0f} × {8 * m.weights_bytes / est.workload.parameters:.6g} / 8", p.weights.layout,
        terms(holders, p.held_bytes, lambda op: f"{parameter_text(op)} × {p.weight_bits(op):.6g} bits"),
        lines.of_model(("dtype",)),
    )  # fmt: skip
    caches = tuple(op for op in q.ideal_workload().phases[-1].ops if float(op.cache_held))
    yield Derivation(
        "memory.kv_cache_bytes_per_token", "B/token", float(m.kv_cache_bytes_per_token),
        "sum over groups of layers × kv_heads × (key width + value width) × bytes",
        " + ".join(cache_text(op, p.cache.bytes) for op in caches) or "no cache", KIPPLY,
        lines=lines.of_blocks("layers", "attention"),
    )  # fmt: skip
    yield Derivation(
        "memory.kv_cache_bytes", "B", float(m.kv_cache_bytes), "batch × tokens held × bytes per token, by group",
        " + ".join(held_text(op, p.cache.bytes) for op in caches) or "no cache",
        f"{KIPPLY}; a window holds no more than its width; the last token is never fed back",
        lines=lines.of_blocks("attention"),
    )  # fmt: skip
    yield activation_derivation(((phase.name, op) for phase in est.workload.phases for op in phase.ops), p)
    yield total_derivation(est, lines)
    yield Derivation(
        "memory.max_batch", "sequences", float(m.max_batch), "largest batch whose total is within the capacity",
        f"at {q.run.prompt:,.0f} + {q.run.generate:,.0f} tokens", LEDGER,
    )  # fmt: skip
    yield Derivation(
        "memory.max_context", "tokens", float(m.max_context), "longest prompt + generate whose total is within it",
        f"at batch {q.run.batch:,.0f}, {q.run.generate:,.0f} generated", LEDGER,
    )  # fmt: skip


def cache_text(op: Op, width: float) -> str:
    """What an op caches per token, as a product."""
    shape = op.shape
    if isinstance(shape, AttentionShape):
        return f"{op.count:,.0f} · {shape.kv_heads:,.0f} · ({shape.key_dim:,.0f} + {shape.value_dim:,.0f}) · {width:g}"
    return f"{op.count:,.0f} · {op.name}"


def held_text(op: Op, width: float) -> str:
    """What an op holds in the cache, as a product."""
    shape = op.shape
    if isinstance(shape, AttentionShape):
        held = shape.span.held_keys(shape.window)
        limit = f" (window {shape.window:,.0f})" if shape.window is not None else ""
        return f"{number(shape.span.batch)} · {number(held)}{limit} · {cache_text(op, width)}"
    return cache_text(op, width)


def ridge_derivation(est: Estimate, lines: Lines) -> Derivation:
    """Where compute and memory balance."""
    m = est.machine
    unit = str(m["served_by"])
    path = ("peak", "vector", unit.removeprefix("vector.")) if unit.startswith("vector.") else ("peak", "tensor", unit)
    return Derivation(
        "machine.ridge_flops_per_byte", "FLOP/B", float(m["ridge_flops_per_byte"]), "peak / bandwidth",
        f"{m['peak_flops']:.4g} / {m['bandwidth_bytes_per_s']:.4g} ({m['peak_dtype']}, unit {unit})", ROOFLINE,
        lines=lines.of_gpu(path, ("memory", "bandwidth")),
    )  # fmt: skip


def _phase(est: Estimate, phase: PhaseEstimate, lines: Lines) -> Iterator[Derivation]:
    q, name = est.question, phase.name
    ops, p, machine = est.workload[name].ops, q.precision, q.machine()
    yield Derivation(
        f"{name}.flops", "FLOP", float(phase.flops), "sum over ops of 2 × multiply-adds",
        f"mean context {number(phase.context)} cached tokens", f"{CASSON}; {KIPPLY}",
        terms(ops, lambda op: op.flops, flops_text),
    )  # fmt: skip
    yield Derivation(
        f"{name}.bytes", "B", float(phase.bytes), "sum over ops of weights + cache + activations moved",
        f"fusion {q.fusion}", LEDGER, terms(ops, p.bytes, lambda op: bytes_text(op, est)),
    )  # fmt: skip
    unavoidable = float(est.question.ideal_workload()[name].unavoidable_bytes(p))
    compute = float(sum(op.count * op.flops / machine.tensor[p.compute_dtype(op)] for op in ops))
    yield Derivation(
        f"{name}.floor_s", "s", float(phase.times.floor), "max(all FLOPs / peak, unavoidable bytes / bandwidth)",
        f"max({compute:.4g} s, {number(unavoidable)} / {machine.bandwidth:.4g})", ROOFLINE,
        lines=lines.of_gpu(("memory", "bandwidth")),
    )  # fmt: skip
    costs = [(op.count, op_cost(op, p, machine)) for op in ops]
    by_memory = sum(float(n * c.bound_s) for n, c in costs if c.memory_s >= c.compute_s)
    by_compute = float(phase.times.bound) - by_memory
    yield Derivation(
        f"{name}.bound_s", "s", float(phase.times.bound), "sum over ops of max(compute, memory)",
        f"{by_compute:.4g} s where compute is longer + {by_memory:.4g} s where memory is", ROOFLINE,
    )  # fmt: skip


def bytes_text(op: Op, est: Estimate) -> str:
    """The bytes that an op moves, by what they are."""
    p = est.question.precision
    parts = (("weights", p.weight_bytes(op)), ("cache", p.cache_bytes(op)), ("activations", p.activation_bytes(op)))
    body = " + ".join(f"{number(value)} {what}" for what, value in parts if float(value))
    return f"{times(op)}({body})" if op.count != 1 else body


def _request(est: Estimate) -> Iterator[Derivation]:
    run, latency = est.question.run, est.latency
    yield Derivation(
        "latency.ttft_s", "s", float(latency.ttft.bound), "prefill", "prefill.bound_s", "the first token is prefill's"
    )
    if latency.tpot is not None:
        yield Derivation(
            "latency.tpot_s", "s", float(latency.tpot.bound), "one decode step of the whole batch", "decode.bound_s",
            KIPPLY,
        )  # fmt: skip
        yield Derivation(
            "latency.total_s", "s", float(latency.total.bound), "prefill + (generate − 1) × decode",
            f"{float(latency.ttft.bound):.4g} + {run.generate - 1:,.0f} × {float(latency.tpot.bound):.4g}", KIPPLY,
        )  # fmt: skip
    if est.throughput.output_tokens is not None:
        yield Derivation(
            "throughput.output_tokens_per_s", "1/s", float(est.throughput.output_tokens.bound),
            "replicas × batch × generate / total",
            f"{_replicas(est)} × {run.batch:,.0f} × {run.generate:,.0f} / {float(latency.total.bound):.4g}",
            "by definition",
        )  # fmt: skip


def _replicas(est: Estimate) -> int:
    return est.question.spread.plan.dp if est.question.spread is not None else 1
