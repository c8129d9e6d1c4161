"""How fast, how much memory, bound by what: the main question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from roofline.analysis import limits
from roofline.analysis.expectation import Expectation, expect, expectation_notes, expectation_warnings
from roofline.analysis.formats import check_overrides
from roofline.analysis.keywords import Options, check_single, with_keywords
from roofline.analysis.load import GPULike, ModelLike
from roofline.analysis.question import Question, alias_notes, ask, published_warnings, warnings_of
from roofline.analysis.result import (
    SCHEMA_VERSION,
    Memory,
    OpRow,
    Parameters,
    PhaseEstimate,
    Times,
    Warn,
    plain,
)  # fmt: skip
from roofline.analysis.spread.text import links, placement, spread_notes, spread_sources
from roofline.architectures.text.transformer import encodes_only, mtp_parameters
from roofline.errors import UsageError
from roofline.machine.engine import IDEAL, read_engine
from roofline.machine.machine import Machine
from roofline.machine.time import PhaseCost, op_cost, phase_cost
from roofline.num import Num, where
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase, Workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from roofline.analysis.images.question import ImageQuestion
    from roofline.evidence.runs.nearest import Nearest


@dataclass(frozen=True)
class Latency:
    """Seconds: to the first token, per output token of the whole batch, and for the whole request."""

    ttft: Times
    tpot: Times | None
    total: Times
    #: Of pictures alone.
    step: ClassVar[None] = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "ttft_s": self.ttft.to_dict(),
            "tpot_s": self.tpot.to_dict() if self.tpot is not None else None,
            "step_s": None,
            "total_s": self.total.to_dict(),
        }


@dataclass(frozen=True)
class Throughput:
    """Tokens per second of the whole batch: generated ones, and all (prompt and generated)."""

    output_tokens: Times | None
    tokens: Times
    #: Of pictures alone.
    images: ClassVar[None] = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "output_tokens_per_s": self.output_tokens.to_dict() if self.output_tokens is not None else None,
            "tokens_per_s": self.tokens.to_dict(),
            "images_per_s": None,
        }


@dataclass(frozen=True)
class Estimate:
    """The answer. `to_dict()` is the JSON of the command line; times and bytes are SI.

    `question` is what was asked, resolved, and `workload` its ops; `parameters`: total, active, embedding; `memory`:
    bytes by what they hold, fits, max_batch, max_context; `phases`: counts, bound and times of each; `latency`: ttft,
    tpot, step, total; `throughput`: output_tokens, tokens, images; each of these is a `Times` (floor, bound, expected,
    low, high) or None without meaning; `inputs`, `machine`, `assumptions`, `warnings`, `sources`: as in JSON.
    """

    question: Question
    workload: Workload
    parameters: Parameters
    memory: Memory
    phases: tuple[PhaseEstimate, ...]
    latency: Latency
    throughput: Throughput
    microbatches: Num = 1.0

    def phase(self, name: str) -> PhaseEstimate:
        """The phase of that name. Raises UsageError naming those that there are."""
        for phase in self.phases:
            if phase.name == name:
                return phase
        raise UsageError(f"no phase {name!r} in this run; there are: {', '.join(p.name for p in self.phases)}")

    def ops(self, phase: str | None = None) -> list[OpRow]:
        """The op ledger of a phase (default: the first), totals over each op's executions in one repeat."""
        name = self.phase(phase or self.phases[0].name).name
        return list(self._op_rows(self.workload[name]))

    def _op_rows(self, phase: Phase) -> Iterator[OpRow]:
        precision, machine = self.question.precision, self.question.machine()
        for op in phase.ops:
            if op.kind == "collective":
                yield self._exchange_row(op)
                continue
            yield op_row(op, precision, machine, float(op.count * self.microbatches))

    def _exchange_row(self, op: Op) -> OpRow:
        """An exchange between devices, or between a device and its host."""
        from roofline.analysis.spread.exchanges import exchange_row

        return exchange_row(self.question, op, float(op.count * self.microbatches))

    @cached_property
    def warnings(self) -> list[Warn]:
        """What the user should know, with codes."""
        found = warnings_of(self.question)
        found += published_warnings(self.question.spec, self.parameters.total)
        found += expectation_warnings(self.question.gpu, self.question.engine)
        found += _of_pictures(self.question.engine)
        memory = self.memory
        if not memory.fits:
            found.insert(
                0,
                Warn("does-not-fit", f"{self.inputs['model']} needs {float(memory.total_bytes) / 1e9:,.1f} GB, "
                     f"{self.inputs['gpu']} has {float(memory.capacity_bytes) / 1e9:,.1f} GB"),
            )  # fmt: skip
        return found

    @cached_property
    def assumptions(self) -> list[str]:
        """Everything that was assumed rather than asked."""
        q = self.question
        notes = alias_notes(q)
        notes += getattr(q.spec, "assumed", ())
        if encodes_only(q.spec):
            notes.append("an encoder: the whole prompt is one prefill, and nothing is generated or cached")
        p = q.precision
        notes += [
            f"weights {p.label} ({p.weights.layout}), activations {p.activations.name}, "
            f"KV-cache {p.cache.name}; matrices multiplied in {p.matrix_dtype()}",
            f"fusion {q.fusion}: {_FUSION_NOTES[q.fusion]}",
            f"logits of the {'last position' if q.run.logits == 'last' else 'whole prompt'} of each sequence",
            "every sequence has the same length; the whole prompt is one prefill; KV-cache "
            + (f"allocated {q.run.layout}" if q.run.layout else "without padding or paging"),
            "the last generated token is never fed back, so the cache ends with prompt + generate - 1 tokens",
            "nominal dense peaks and nominal memory bandwidth"
            + ("; no memory reserved for the runtime" if q.spread is None else ""),
            *spread_notes(q),
        ]
        if mtp := _mtp(q):
            notes.append(f"heads that predict further tokens are neither held nor run: {mtp:,.0f} parameters")
        notes += expectation_notes(q.gpu, q.engine)
        return notes

    @cached_property
    def sources(self) -> list[str]:
        """Where the shapes and the datasheet values come from."""
        q = self.question
        return list(dict.fromkeys([*q.spec.sources, *q.gpu.sources, *spread_sources(q)]))

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Everything as resolved."""
        q = self.question
        return {
            "model": q.spec.name, "model_file": q.model_origin.path, "gpu": q.gpu.name, "gpu_file": q.gpu_origin.path,
            **placement(q), "microbatches": plain(self.microbatches),
            "pad_heads": q.spread is not None and q.spread.plan.pad_heads,
            "batch": plain(q.run.batch), "prompt": plain(q.run.prompt), "generate": plain(q.run.generate),
            "weights": q.precision.label, "activations": q.precision.activations.name,
            "kv_cache": q.precision.cache.name, "fusion": q.fusion, "logits": q.run.logits, "engine": q.engine,
            "latent": q.run.latent, "work": q.run.work, "kv_layout": str(q.run.layout or "ideal"),
        }  # fmt: skip

    @cached_property
    def machine(self) -> dict[str, Any]:
        """The machine's own figures for the formats in use."""
        return machine_figures(self.question, self.question.precision)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `roofline estimate --json`."""
        return {
            "schema_version": SCHEMA_VERSION,
            "inputs": self.inputs,
            "parameters": {
                "total": plain(self.parameters.total),
                "active": plain(self.parameters.active),
                "embedding": plain(self.parameters.embedding),
                **({"mtp": mtp} if (mtp := _mtp(self.question)) else {}),
            },
            "memory": self.memory.to_dict(),
            "phases": [phase.to_dict() for phase in self.phases],
            "latency": self.latency.to_dict(),
            "throughput": self.throughput.to_dict(),
            "machine": self.machine,
            "assumptions": self.assumptions,
            "warnings": [{"code": warn.code, "text": warn.text} for warn in self.warnings],
            "sources": self.sources,
        }

    def records(self) -> list[dict[str, Any]]:
        """One flat row per phase, for a data frame: the inputs, the phase's counts and times of one repeat, and the
        totals of the whole run, which are the same in each row (`total_s`, `ttft_s`, `total_bytes`, `fits` …).

        A total under its own name is what is expected; `_floor`, `_bound`, `_low` and `_high` are its other readings.
        """
        from roofline.analysis.totals import totals

        whole = totals(self)
        return [self.inputs | phase.to_dict() | whole for phase in self.phases]

    def __hash__(self) -> int:
        q = self.question
        return hash((q.spec.name, q.gpu.name, q.run, q.precision.label, q.fusion, q.engine))

    @cached_property
    def nearest(self) -> list[Nearest]:
        """The three measured runs most like this one, and how far its engine's expected time is from each."""
        from roofline.evidence.runs.nearest import nearest

        return nearest(self)

    def plot(self) -> Figure:
        """The roofline plot of this estimate."""
        from roofline.report.plots.roofline import roofline_figure

        return roofline_figure([self])

    def _repr_html_(self) -> str:
        from roofline.report.tables.html import estimate_html

        return estimate_html(self)

    def __str__(self) -> str:
        from roofline.report.tables.estimate import sentence

        return sentence(self)

    __repr__ = __str__


def _of_pictures(engine: str) -> list[Warn]:
    """A warning of engines that were fitted to image models, asked about a language model."""
    if engine == IDEAL or not read_engine(engine).fed:
        return []
    text = f"engine {engine} was fitted to runs of image models: for language models it is a guess"
    return [Warn("engine-of-image-models", text)]


def machine_figures(question: Question | ImageQuestion, precision: Precision) -> dict[str, Any]:
    """Peak, ridge and bandwidth of the machine for the format in which matrices are multiplied."""
    machine, dtype = question.machine(), precision.matrix_dtype()
    return {
        "ridge_flops_per_byte": plain(machine.ridge(dtype)),
        "peak_flops": plain(machine.tensor[dtype]),
        "peak_dtype": dtype,
        "served_by": machine.served_by[dtype][0],
        "vector_peak_flops": plain(machine.vector),
        "bandwidth_bytes_per_s": plain(machine.bandwidth),
        **links(question),
    }


def op_row(op: Op, precision: Precision, machine: Machine, count: float) -> OpRow:
    """One op of a phase, evaluated over its `count` executions."""
    cost = op_cost(op, precision, machine)
    on_memory = bool(cost.memory_s >= cost.compute_s and cost.memory_s >= cost.vector_s)
    return OpRow(
        name=op.name, kind=op.kind, block=op.block, count=count,
        flops=count * op.flops, vector_flops=count * op.vector_flops, bytes=count * cost.bytes,
        weight_bytes=count * precision.weight_bytes(op), cache_bytes=count * precision.cache_bytes(op),
        activation_bytes=count * precision.activation_bytes(op), kernels=count * op.kernels,
        params=count * op.params, bound_s=count * cost.bound_s,
        bound_by="memory" if on_memory else "compute", dtype=precision.compute_dtype(op),
    )  # fmt: skip


def _mtp(question: Question) -> float:
    """Parameters of heads that predict further tokens; 0 where there are none."""
    spec = question.spec
    return mtp_parameters(spec) if getattr(spec, "mtp", None) is not None else 0.0


_FUSION_NOTES = {
    "eager": "every kernel of the reference framework code; attention computes and stores the full square",
    "flash": "one kernel per operation; attention scores stay on chip and only the unmasked part is computed",
    "compiled": "element-wise operations fused with their neighbours; matrix products stay library calls",
}


@with_keywords(Options)
def estimate(model: ModelLike, gpu: GPULike | None = None, **options: Unpack[Options]) -> Estimate:
    """How fast a model runs on a GPU, how much memory it takes, and what bounds it.

    `model` and `gpu` are names, files or specs; for several values of an option see `sweep`. Raises UsageError,
    UnknownNameError or SpecError.
    """
    check_single({"model": model, "gpu": gpu, **options})
    return answer(ask(model, gpu, **options))


def answer(question: Question) -> Estimate:
    """Evaluate a question."""
    if not isinstance(question, Question):
        from roofline.analysis.images.estimate import answer_image

        return answer_image(question)
    ideal = question.ideal_workload()
    if question.spread is not None:
        from roofline.analysis.spread.cost import evaluate

        spread = evaluate(question, question.spread, ideal)
        return _assembled(question, spread.workload, ideal, spread.phases, spread.memory, spread.replicas,
                          spread.microbatches)  # fmt: skip
    workload = ideal if question.fusion == "flash" else question.workload()
    machine, precision = question.machine(), question.precision
    if precision.overrides:
        check_overrides(precision, ideal)
    costs = [
        phase_cost(phase, precision, machine, None if workload is ideal else ideal[phase.name])
        for phase in workload.phases
    ]
    expectation = expect(question.gpu, question.engine, machine, question.run.batch)
    phases = tuple(
        phase_estimate(phase, cost, precision, expectation) for phase, cost in zip(workload.phases, costs, strict=True)
    )
    return _assembled(question, workload, ideal, phases, _memory(question, workload, ideal))


def _assembled(
    question: Question, workload: Workload, whole: Workload, phases: tuple[PhaseEstimate, ...], memory: Memory,
    replicas: float = 1.0, microbatches: Num = 1.0,
) -> Estimate:  # fmt: skip
    """The answer from its parts. `workload` is that of one device, `whole` that of the model."""
    prefill, decode = phases[0], phases[1] if len(phases) > 1 else None
    total = prefill.times + decode.times * decode.repeat if decode else prefill.times
    run = question.run
    sequences = run.batch * replicas
    generated = sequences * run.generate
    return Estimate(
        question=question,
        workload=workload,
        parameters=Parameters(whole.parameters, whole.active_parameters, whole.embedding_parameters),
        memory=memory,
        phases=phases,
        latency=Latency(prefill.times, decode.times if decode else None, total),
        throughput=Throughput(
            rate_of(generated, total) if not isinstance(generated, float) or generated else None,
            rate_of(sequences * (run.prompt + run.generate), total),
        ),
        microbatches=microbatches,
    )


def phase_estimate(
    phase: Phase, cost: PhaseCost, precision: Precision, expectation: Expectation | None
) -> PhaseEstimate:
    """A phase's counts and times as an estimate states them; without an engine, what is expected is the bound."""
    by_memory = where(cost.memory_bound_s >= cost.compute_bound_s, 1.0, 0.0)
    bound_by = "memory" if isinstance(by_memory, float) and by_memory else "compute"
    bound = cost.bound_s
    if expectation is None:
        times = Times(cost.floor_s, bound, bound, bound, bound)
    else:
        times = expectation.times(cost.floor_s, bound, expectation.seconds(phase, precision))
    return PhaseEstimate(
        name=phase.name, repeat=phase.repeat, context=phase.context, flops=cost.flops,
        vector_flops=cost.vector_flops, bytes=cost.bytes, kernels=cost.kernels,
        communication_bytes=cost.communication_bytes, bound_by=bound_by,
        times=times,
    )  # fmt: skip


def rate_of(amount: Num, time: Times) -> Times:
    """Amount per second, where the slow end of the interval is the low rate."""
    rates = time.map(lambda seconds: amount / seconds)
    return Times(rates.floor, rates.bound, rates.expected, rates.high, rates.low)


def _memory(question: Question, workload: Workload, ideal: Workload) -> Memory:
    """What is held. The cache grows by what the ideal phase adds: unfused code writes the whole of it anew."""
    precision, machine = question.precision, question.machine()
    cache_bytes = precision.cache.bytes
    per_token: Num = 0.0
    for op in ideal.phases[-1].ops:
        if op.kind == "attention":
            per_token = per_token + op.count * op.cache_write * cache_bytes
    return Memory(
        weights_bytes=workload.weight_bytes(precision),
        kv_cache_bytes=workload.cache_elements() * cache_bytes,
        kv_cache_bytes_per_token=per_token / workload.phases[-1].tokens,
        state_bytes=workload.state_bytes(precision),
        activation_peak_bytes=workload.activation_peak_bytes(precision),
        runtime_bytes=0.0,
        capacity_bytes=machine.capacity,
        find_max_batch=partial(limits.max_batch, question, machine.capacity),
        find_max_context=partial(limits.max_context, question, machine.capacity),
    )
