"""Where the headline numbers of a language model come from, in the order in which one follows from the other.

On several devices the numbers are those of one, the busiest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from roofline.answer.derivation import Derivation
from roofline.answer.memory import Part
from roofline.answer.plain import counted_whole
from roofline.num import Num
from roofline.runs.execution import Stage
from roofline.runs.kind import Outcome
from roofline.runs.telling.derivations import (
    LEDGER,
    Lines,
    amount,
    held_derivation,
    rate_derivations,
    ridge_derivation,
    terms,
)
from roofline.runs.text.draft import draft_derivations
from roofline.runs.text.memory import fullest
from roofline.runs.text.phases import CASSON, KIPPLY, phase_derivations
from roofline.runs.text.towers import towers_bits
from roofline.runs.text.words import growth_text, held_text, parameter_text
from roofline.workload.op import Op
from roofline.workload.precision import Precision


class _Device(NamedTuple):
    """The device whose memory is told: what its stage runs, in how many microbatches, and the lines of the files."""

    outcome: Outcome
    stage: Stage
    micro: float
    lines: Lines

    @property
    def alone(self) -> bool:
        """Whether it is the only one."""
        return self.outcome.question.spread.alone

    @property
    def precision(self) -> Precision:
        """The number formats."""
        return self.outcome.question.precision

    @property
    def caches(self) -> tuple[Op, ...]:
        """The ops that hold something in the cache."""
        return tuple(op for op in self.stage.ideal.phases[-1].ops if float(op.cache_held))

    def per_token(self, elements: Callable[[Op], Num]) -> str:
        """What a token adds to each op's cache, of which `elements` says how many."""
        p = self.precision
        texts = (growth_text(op, p, float(elements(op)) * p.cache_element(op)) for op in self.caches)
        return " + ".join(texts) or "no cache"

    def of_blocks(self, *keys: str) -> list[str]:
        """Lines of the groups of layers."""
        return self.lines.of_blocks(len(self.outcome.question.spec.blocks), *keys)


def text_derivations(outcome: Outcome) -> Iterator[Derivation]:
    """The derivations of an estimate's headline numbers."""
    device, run = _device(outcome), outcome.question.run
    yield from _placement(device)
    yield from _weights(device)
    yield from _cache(device)
    yield _activations(device)
    yield from draft_derivations(run.draft, outcome.memory)
    yield _held(device, outcome.memory.parts)
    sizes = f"at batch {run.batch:,.0f}, {run.generate:,.0f} generated"
    yield from _limits(device, f"at {run.prompt:,.0f} + {run.generate:,.0f} tokens", "prompt + generate", sizes)
    yield from _phases(device)
    yield from _request(outcome)


def encoder_derivations(outcome: Outcome) -> Iterator[Derivation]:
    """The same of what generates nothing and has no cache."""
    device, run = _device(outcome), outcome.question.run
    yield from _placement(device)
    yield from _weights(device)
    yield _activations(device)
    yield _held(device, [part for part in outcome.memory.parts if float(part.bytes)])
    yield from _limits(device, f"at {amount(run.prompt, 'token')}", "input", f"at batch {run.batch:,.0f}")
    yield from _phases(device)
    yield from _batch(outcome)


def _device(outcome: Outcome) -> _Device:
    stages = outcome.question.stages()
    return _Device(outcome, fullest(outcome.question, stages), float(stages.microbatches), Lines(outcome))


def _held(device: _Device, parts: Sequence[Part]) -> Derivation:
    formula = " + ".join(part.title for part in parts) + ("" if device.alone else ", per GPU")
    return held_derivation(device.outcome, [part.name for part in parts], formula, device.lines.of_gpu(("memory",)))


def _phases(device: _Device) -> Iterator[Derivation]:
    yield ridge_derivation(device.outcome, device.precision, device.lines)
    for phase in device.outcome.phases:
        yield from phase_derivations(device.outcome, phase, device.lines)


def _placement(device: _Device) -> Iterator[Derivation]:
    if not device.alone:
        plan = device.outcome.question.spread.plan
        values = f"{plan.tp} × {plan.pp} × {plan.cp} × {plan.dp}; experts over {plan.ep}"
        formula = "tp × pp × cp × dp"
        yield Derivation("spread.gpus", "GPUs", float(plan.devices), formula, values, "the options")


def _weights(device: _Device) -> Iterator[Derivation]:
    outcome, lines, p = device.outcome, device.lines, device.precision
    whole = outcome.workload if device.alone else outcome.question.workload()
    holders = whole.holders()
    total = outcome.parameters.total
    formula = "sum of layers × parameters of each op" + ("" if device.alone else ", of the whole model")
    shapes = lines.of_model(("vocabulary",), ("width",)) + device.of_blocks("layers", "attention", "feed_forward")
    summed = terms(holders, lambda op: op.params, parameter_text)
    yield Derivation(
        "parameters.total", "parameters", total, formula, counted_whole(len(holders), "op"), LEDGER, summed, shapes
    )
    held, own, beside = device.stage.workload.parameters, outcome.memory.weights_bytes, float(device.stage.beside)
    formula = "sum over ops of parameters × bits / 8, scales included"
    if device.alone:
        values = f"{held:,.0f} × {8 * (own - beside) / held:.6g} / 8"
    else:
        formula = "sum over the device's ops of parameters × bits / 8"
        values = f"{held:,.0f} parameters on one device, of {total:,.0f}"
    if beside:
        bits, towers = towers_bits(outcome.question), outcome.parameters.beside["towers"]
        formula, values = f"{formula}, and the towers'", f"{values} + {beside:,.0f}"
        share = "" if device.alone else f" / {outcome.question.spread.plan.tp} devices"
        product, files = f"{towers:,.0f} × {bits:g} / 8{share}", lines.of_model(("towers",))
        how = "parameters of the towers × bits / 8"
        yield Derivation("memory.towers_bytes", "B", beside, how, product, "their pieces and layers", lines=files)
    summed = terms(
        [op for op in device.stage.workload.holders() if op.runs_on == "device"],
        p.held_bytes,
        lambda op: f"{parameter_text(op)} × {p.weight_bits(op):.6g} bits" + ("" if op.held == 1 else f" × {op.held:g}"),
    )
    dtype = lines.of_model(("dtype",))
    yield Derivation("memory.weights_bytes", "B", float(own), formula, values, p.weights.layout, summed, dtype)


def _cache(device: _Device) -> Iterator[Derivation]:
    m, p, alone = device.outcome.memory, device.precision, device.alone
    groups = "groups of layers" if alone else "the device's layers"
    below, tokens = float(m.kv_cache_bytes_per_token_below_windows), device.stage.ideal.phases[-1].tokens
    formula = f"sum over {groups} × kv_heads × (key width + value width) × bytes"
    if below != float(m.kv_cache_bytes_per_token):
        formula += ", of those that grow at the run's end"
    yield Derivation(
        "memory.kv_cache_bytes_per_token",
        "B/token",
        float(m.kv_cache_bytes_per_token),
        formula,
        device.per_token(lambda op: op.cache_grows),
        KIPPLY if alone else CASSON,
        lines=device.of_blocks("layers", "attention"),
    )
    if below != float(m.kv_cache_bytes_per_token):
        yield Derivation(
            "memory.kv_cache_bytes_per_token_below_windows",
            "B/token",
            below,
            f"the same of all {groups}: while no window is full",
            device.per_token(lambda op: op.cache_write / tokens),
            LEDGER,
            lines=device.of_blocks("attention"),
        )
    here = [op for op in device.caches if op.runs_on == "device"]
    held = " + ".join(held_text(op, p) for op in here) or "no cache"
    if not alone:
        held = (f"{device.micro:,.0f} microbatches × (" if device.micro != 1 else "(") + held + ")"
    yield Derivation(
        "memory.kv_cache_bytes",
        "B",
        float(m.kv_cache_bytes),
        "batch × tokens held × bytes per token, by group",
        held,
        f"{KIPPLY}; a window holds no more than its width; the last token is never fed back" if alone else LEDGER,
        lines=device.of_blocks("attention") if alone else [],
    )


def _activations(device: _Device) -> Derivation:
    """The op of a phase at which activations take most memory."""
    p = device.precision
    ops = ((phase.name, op) for phase in device.stage.workload.phases for op in phase.on_device.one_pass)
    where, op = max(ops, key=lambda pair: float(p.live_bytes(pair[1])))
    formula = "largest over ops of what is in memory at once: inputs, outputs, and what must stay"
    peak, budget = float(p.live_bytes(op)), device.outcome.question.execution.budget
    drawing = budget.logits * float(device.outcome.question.spec.logits)
    if drawing > peak:
        values = (
            f"{budget.logits / budget.sequences:g} · {budget.sequences:,} sequences · {drawing / budget.logits:,.0f}"
        )
        formula = "bytes per logit × sequences × vocabulary, while tokens are drawn: more than any op needs"
        return Derivation("memory.activation_peak_bytes", "B", drawing, formula, values, "the engine's file")
    return Derivation("memory.activation_peak_bytes", "B", peak, formula, f"{where}: {op.name}", LEDGER)


def _limits(device: _Device, lengths: str, length: str, sizes: str) -> Iterator[Derivation]:
    """The largest batch at these `lengths`, the longest of what is called `length` at these `sizes`."""
    m = device.outcome.memory
    batch, context = "largest batch whose total is within the capacity", f"longest {length} whose total is within it"
    if not device.alone:
        batch, context = "largest batch of a replica that fits on each GPU", f"longest {length} that fits on each GPU"
    if m.max_batch is not None:
        yield Derivation("memory.max_batch", "sequences", float(m.max_batch), batch, lengths, LEDGER)
    if m.max_context is not None:
        yield Derivation("memory.max_context", "tokens", float(m.max_context), context, sizes, LEDGER)


def _batch(outcome: Outcome) -> Iterator[Derivation]:
    """The times of a batch of which nothing is generated."""
    run, total = outcome.question.run, outcome.quantity("total_s")
    assert total and total.times
    seconds, batch = float(total.times.bound), f"{outcome.question.spread.plan.dp} × {run.batch:,.0f}"
    formula, bounds = " + ".join(total.phases), " + ".join(f"{name}.bound_s" for name in total.phases)
    yield Derivation("latency.ttft_s", "s", seconds, formula, bounds, "the whole batch is read at once")
    yield from rate_derivations(outcome, "sequences_per_s", "replicas × batch / total", f"{batch} / {seconds:.4g}")
    values = f"{batch} × {run.prompt:,.0f} / {seconds:.4g}"
    yield from rate_derivations(outcome, "tokens_per_s", "replicas × batch × prompt / total", values)


def _request(outcome: Outcome) -> Iterator[Derivation]:
    run = outcome.question.run
    first, each, total = (outcome.quantity(name) for name in ("ttft_s", "tpot_s", "total_s"))
    assert first and first.times and total and total.times
    ttft, whole = float(first.times.bound), float(total.times.bound)
    names = first.phases
    bounds = " + ".join(f"{name}.bound_s" for name in names)
    yield Derivation("latency.ttft_s", "s", ttft, " + ".join(names), bounds, "the first token is prefill's")
    if each is not None and each.times is not None:
        tpot, step = float(each.times.bound), "one decode step of the whole batch"
        yield Derivation("latency.tpot_s", "s", tpot, step, "decode.bound_s", KIPPLY)
        values = f"{ttft:.4g} + {run.generate - 1:,.0f} × {tpot:.4g}"
        yield Derivation(
            "latency.total_s", "s", whole, f"{' + '.join(names)} + (generate − 1) × decode", values, KIPPLY
        )
    values = f"{outcome.question.spread.plan.dp} × {run.batch:,.0f} × {run.generate:,.0f} / {whole:.4g}"
    yield from rate_derivations(outcome, "output_tokens_per_s", "replicas × batch × generate / total", values)
    if run.media is not None:
        values = f"{outcome.question.spread.plan.dp} × {run.batch:,.0f} × {run.media.seconds:,.4g} / {whole:.4g}"
        formula = "replicas × batch × seconds / total"
        yield from rate_derivations(outcome, "seconds_of_sound_per_s", formula, values)
