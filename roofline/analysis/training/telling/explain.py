"""Where the headline numbers of a training run come from: formula, values, result, lines of files, source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.analysis.training.conventions.published import CONVENTIONS
from roofline.analysis.training.telling.explain_whole import held_derivations, run_derivations
from roofline.answer.derivation import Derivation, Term
from roofline.machine.engine import IDEAL
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.analysis.training.answer import TrainAnswer
    from roofline.analysis.training.step import StageTime
    from roofline.answer.phase import PhaseEstimate

LEDGER: Final = "the op ledger: the forward ops of the model, and of each the gradients that are needed"
_BUBBLES: Final = {
    "gpipe": ("(p − 1) · t of the other stages", "Huang et al. 2019, GPipe (arXiv:1811.06965)"),
    "1f1b": (
        "(sum over stages of t − the largest t) / chunks of layers",
        "Narayanan et al. 2021 (arXiv:2104.04473), section 2.2",
    ),
    "zero-bubble": (
        "(sum over stages of t − the largest t) / chunks of layers / 3",
        "Qi et al. 2023, Zero Bubble Pipeline Parallelism (arXiv:2401.10241), table 1",
    ),
}
_EXCHANGED: Final = {
    0: "once a step: gradients are summed in parts and handed to all",
    1: "once a step: gradients are summed in parts, new weights are handed to all",
    2: "once a step: gradients are summed in parts, new weights are handed to all",
    3: "in every micro-batch: weights are gathered forward and backward, gradients summed in parts",
}


def explain(answer: TrainAnswer) -> list[Derivation]:
    """The derivations of an answer's headline numbers, in the order in which one follows from the other."""
    return [
        *_parameters(answer),
        *_flops(answer),
        *_step(answer),
        *_rates(answer),
        *_shares(answer),
        *held_derivations(answer),
        *run_derivations(answer),
    ]


def _lines(answer: TrainAnswer) -> list[str]:
    q = answer.question
    return [f"hardware {q.gpu.name}: {format_si(answer.peak, 'FLOP/s')} in {q.precision.matrix_dtype()}, dense"]


def _parameters(answer: TrainAnswer) -> Iterator[Derivation]:
    counts = answer.parameters
    formula = "sum over ops of the elements of their weights"
    yield Derivation("parameters.total", "parameters", counts.total, formula, f"{counts.total:,.0f}", LEDGER)
    trained = counts.beside.get("trainable", counts.total)
    what = (
        "adapters: rank · (inputs + outputs) of each matrix that has one"
        if answer.question.run.adapters
        else "those that get a gradient"
    )
    yield Derivation("parameters.trainable", "parameters", trained, what, f"{trained:,.0f}", LEDGER)


def _flops(answer: TrainAnswer) -> Iterator[Derivation]:
    flops, q = answer.flops, answer.question
    step = f"of {q.run.tokens_per_step:,.0f} {'tokens' if q.run.sequence else 'pictures'} a step"
    once = "sum over ops of forward FLOPs · (1 + 1 where its input needs a gradient + 1 where its weights do)"
    yield Derivation(
        "flops.model_causal", "FLOP", flops.causal, f"{once}; attention as its mask lets through", step, LEDGER
    )
    yield Derivation(
        "flops.ledger_full", "FLOP", flops.full, f"{once}; attention of every query with every key", step, LEDGER
    )
    micro = f"{q.microbatches:,.0f} micro-batches · {q.plan.dp:,} replicas"
    formula = (
        "micro-batches · replicas · (forward + repeated + backward, with the scores that fused attention makes twice)"
    )
    source = "Dao et al. 2022, FlashAttention (arXiv:2205.14135): 2 products forward, 5 backward"
    yield Derivation("flops.hardware", "FLOP", flops.hardware, formula, micro, source)
    for known in CONVENTIONS:
        if known.key in answer.conventions:
            each = answer.conventions[known.key]
            yield Derivation(f"flops.{known.key}", "FLOP/token", each, known.formula, "per token", known.source)


def _step(answer: TrainAnswer) -> Iterator[Derivation]:
    q, step, times = answer.question, answer.step, answer.times
    slow, m = step.slowest, step.microbatches
    for phase in answer.phases:
        if phase.name != "exchange":
            yield _phase(answer, phase)
    floor = "micro-batches · FLOPs forward and backward of the fullest stage / the fastest peak of the format"
    values = f"{m:,.0f} × {format_time(float(slow.floor_s()))}"
    yield Derivation("step.floor_s", "s", float(times.floor), floor, values, LEDGER, lines=_lines(answer))
    bound = (
        "micro-batches · bound of the slowest stage + filling and draining + exchanges that no work hides + optimizer"
    )
    values = f"{m:,.0f} × {format_time(float(slow.bound_s()))} + …"
    roof = "Williams et al. 2009, Roofline: each kernel at its peak, or at its bandwidth"
    yield Derivation("step.bound_s", "s", float(times.bound), bound, values, roof, lines=_lines(answer))
    yield _expected(answer, slow)
    yield _bubble(answer)
    yield _exchange(answer, slow)
    if q.engine != IDEAL:
        interval = (
            "expected · the ends between which four of five measured steps of that framework lie, left out of its fit"
        )
        values = f"{float(times.low) / float(times.expected):.3f} to {float(times.high) / float(times.expected):.3f}"
        text = f"{format_time(float(times.expected))} × {values}"
        yield Derivation("step.high_s", "s", float(times.high), interval, text, f"engine {q.engine}")


def _phase(answer: TrainAnswer, phase: PhaseEstimate) -> Derivation:
    machine = answer.question.machine()
    values = (
        f"{format_si(float(phase.flops), 'FLOP')}, {format_si(float(phase.bytes), 'B')}, {phase.kernels:,.0f} kernels; "
        f"{format_si(answer.peak, 'FLOP/s')}, {format_si(float(machine.bandwidth), 'B/s')}"
    )
    formula = "sum over kernels of max(FLOPs / peak, bytes / bandwidth), once through"
    return Derivation(f"{phase.name}.bound_s", "s", float(phase.times.bound), formula, values, LEDGER)


def _expected(answer: TrainAnswer, slow: StageTime) -> Derivation:
    q, step = answer.question, answer.step
    m, total = step.microbatches, float(answer.times.expected)
    named = zip(("forward", "repeated", "backward"), slow.passes, strict=True)
    terms = [
        Term(name, f"{m:,.0f} × {format_time(float(each.together_s))}", m * float(each.together_s))
        for name, each in named
        if each.kernels
    ]
    exposed = m * float(slow.exposed_s(q.habits.hidden))
    beside = (
        ("gathering and scattering that shows", exposed),
        ("pipeline bubble", float(step.bubble_s)),
        ("exchange at the end that shows", float(step.exposed_step_s)),
        ("optimizer", float(step.update_s)),
    )
    terms += [Term(name, "", seconds) for name, seconds in beside if seconds]
    rest = total - sum(term.value for term in terms)
    if abs(rest) > 1e-6 * total:
        terms.append(Term("the host once a step, and the rest", "", rest))
    formula = (
        "micro-batches · (forward + repeated + backward + what shows of their exchanges) + waiting + exchange + "
        "optimizer + host"
    )
    values = f"{m:,.0f} micro-batches; {100 * q.habits.hidden:.0f} % of exchanges between replicas can hide"
    source = f"engine {q.engine}" + (
        ": coefficients fitted to measured steps" if q.engine != IDEAL else ", the roofline itself"
    )
    return Derivation("step.expected_s", "s", total, formula, values, source, terms)


def _bubble(answer: TrainAnswer) -> Derivation:
    q, step = answer.question, answer.step
    if q.plan.pp == 1:
        return Derivation("step.bubble_s", "s", 0.0, "no pipeline: nobody waits", "--pp 1", "the plan")
    formula, source = _BUBBLES[q.layout.schedule]
    each = ", ".join(f"{stage.work.number} × {format_time(float(stage.work_s))}" for stage in step.stages)
    values = f"stages of {each}; {q.layout.vpp} chunk(s) of layers each"
    return Derivation("step.bubble_s", "s", float(step.bubble_s), formula, values, source)


def _exchange(answer: TrainAnswer, slow: StageTime) -> Derivation:
    q, step, hidden = answer.question, answer.step, answer.question.habits.hidden
    m = step.microbatches
    moved = m * float(slow.gather.bytes + slow.regather.bytes + slow.scatter.bytes) + float(slow.step.bytes)
    formula = f"what shows of exchanges: max((1 − hidden) · time, time − work); {_EXCHANGED[q.layout.zero]}"
    values = f"{format_si(moved, 'B')} between replicas over the links of a GPU, hidden {hidden:.2f}"
    source = "Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), section 7"
    terms = [
        Term("within layers", "", m * sum(float(each.together_s - each.expected_s) for each in slow.passes)),
        Term("gathering and scattering", "", m * float(slow.exposed_s(hidden))),
        Term("at the end of a step", "", float(step.exposed_step_s)),
    ]
    return Derivation("step.exposed_communication_s", "s", float(step.exposed_s), formula, values, source, terms)


def _rates(answer: TrainAnswer) -> Iterator[Derivation]:
    q, seconds = answer.question, float(answer.times.expected)
    unit = "tokens" if q.run.sequence else "pictures"
    per = q.run.tokens_per_step
    rate = float(answer.tokens_per_s.expected)
    values = f"{per:,.0f} / {seconds:.4g}"
    yield Derivation(
        f"throughput.{unit}_per_s", f"{unit}/s", rate, f"{unit} of a step / step.expected_s", values, "the step"
    )
    if q.gpus > 1:
        values = f"{rate:,.4g} / {q.gpus:,}"
        formula = f"{unit}_per_s / GPUs"
        yield Derivation(f"throughput.{unit}_per_s_per_gpu", f"{unit}/s", rate / q.gpus, formula, values, "the step")


def _shares(answer: TrainAnswer) -> Iterator[Derivation]:
    flops, seconds = answer.flops, float(answer.times.expected)
    palm = "Chowdhery et al. 2022, PaLM (arXiv:2204.02311), appendix B; dense peaks"
    below = f"({seconds:.4g} s × {answer.question.gpus:,} × {format_si(answer.peak, 'FLOP/s')})"
    text = f"{format_si(flops.causal, 'FLOP', 4)} / {below}"
    formula = "model FLOPs of a step, causal / (step.expected_s · GPUs · peak)"
    yield Derivation("mfu", "", answer.mfu, formula, text, palm, lines=_lines(answer))
    text = f"{format_si(flops.hardware, 'FLOP', 4)} / {below}"
    formula = "all FLOPs of a step / (step.expected_s · GPUs · peak)"
    yield Derivation("hfu", "", answer.hfu, formula, text, palm, lines=_lines(answer))
