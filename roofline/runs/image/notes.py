"""What is said beside the numbers of an image model: what was assumed, and what the user should know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from roofline.answer.phase import Warn
from roofline.answer.plain import counted
from roofline.machine.engine import IDEAL, read_engine
from roofline.num import all_hold, any_holds, first_value
from roofline.passes.image.offload import PAGEABLE
from roofline.runs.devices.words import link_notes, reserve_note
from roofline.runs.expectation import expectation_notes, expectation_warnings
from roofline.runs.image.changes import runs_pictures
from roofline.runs.image.formats import format_words, parts_of
from roofline.runs.image.held import context_bytes, has_checker, stages_copies
from roofline.runs.image.options import away_of, takes_steps
from roofline.runs.image.transfer import moved_bytes
from roofline.runs.image.unfit import unfit_parts
from roofline.runs.kind import Outcome, Question
from roofline.runs.telling.levels import OF_IMAGES
from roofline.runs.telling.notes import alias_notes, hardware_warnings, memory_warnings
from roofline.runs.telling.products import computed_in, fallback_warnings, multiplied_words
from roofline.runs.telling.published import published_warnings
from roofline.specs.formats.dtypes import find_dtype
from roofline.specs.formats.mixes import format_of_blocks
from roofline.specs.image.pipeline import PipelineSpec
from roofline.specs.image.transformers import FluxShape, MMDiTShape
from roofline.workload.schedulers import TRAINED_STEPS, flow_state


def image_warnings(outcome: Outcome) -> list[Warn]:
    """What the user should know, with codes."""
    q, memory = outcome.question, outcome.memory
    found = [] if memory.fits else [*memory_warnings(q, memory, "; `roofline fit` tells what would help")]
    found += fallback_warnings(outcome)
    if takes_steps(q.spec):
        found += _scheduler_warnings(q)
    found += unfit_parts(q.spec)
    found += [*expectation_warnings(q.gpu, q.engine), *_of_language_models(q.engine)]
    found += hardware_warnings(outcome, computed_in(outcome))
    for spec in (q.spec, getattr(q.spec, "denoiser", None)):
        unverified = getattr(spec, "unverified", ())
        if spec is not None and unverified:
            found.append(Warn("unverified-model", f"{spec.name}: not verified: {'; '.join(unverified)}"))
    return [*found, *_published(outcome)]


def _published(outcome: Outcome) -> Iterator[Warn]:
    """Published parameters of the model and of its parts that are not those counted."""
    spec = outcome.question.spec
    yield from published_warnings(spec.name, spec.published, outcome.parameters.total)
    held: dict[str, float] = {}
    for phase in outcome.workload.phases:
        held.setdefault(phase.component, sum(op.count * op.params for op in phase.ops))
    for component, part in parts_of(spec).items():
        yield from published_warnings(part.name, part.published, held.get(component, 0.0))


def _of_language_models(engine: str) -> Iterator[Warn]:
    """An engine of the library that runs other models than pictures."""
    if not runs_pictures(engine):
        text = (
            f"engine {engine} was fitted to runs of language models: for pictures its expected time and interval "
            "are an extrapolation; pytorch-eager and pytorch-compile ran pictures"
        )
        yield Warn("engine-of-language-models", text)


def _scheduler_warnings(q: Question) -> Iterator[Warn]:
    """Schedulers that do not go with what the model learnt, and more steps than it learnt."""
    denoiser = q.spec.denoiser if isinstance(q.spec, PipelineSpec) else q.spec
    flows, name = isinstance(denoiser, (FluxShape, MMDiTShape)), q.run.scheduler
    state, unfit = flow_state(name), "time is as asked, pictures would be noise"
    if flows and state == "never":
        text = f"{q.spec.name} predicts flows, and {name} integrates noise: {unfit}; flow-euler is the usual one"
        yield Warn("scheduler-unfit", text)
    elif not flows and state == "only":
        yield Warn("scheduler-unfit", f"{q.spec.name} predicts noise, and {name} integrates flows: {unfit}")
    if not flows and not all_hold(q.run.steps <= TRAINED_STEPS):
        text = f"more than the {TRAINED_STEPS:,} time steps that noise was learnt at: schedulers refuse that or "
        yield Warn("steps-beyond-training", text + "repeat steps")


def image_assumptions(outcome: Outcome) -> list[str]:
    """Everything that was assumed rather than asked."""
    q, execution = outcome.question, outcome.question.execution
    asked = f" (fusion {execution.asked_level})" if execution.asked_level != execution.level else ""
    pipeline = "both prompts are encoded; the scheduler's own arithmetic is left out"
    return [
        *alias_notes(q),
        *q.spec.assumed,
        *_steps(outcome),
        *_own_formats(outcome),
        f"weights {q.precision.label}, activations {q.precision.activations_label}; {_products(outcome)}",
        f"level {execution.level}{asked}: {OF_IMAGES[execution.level]}{_usual_level(q)}",
        *([pipeline] if isinstance(q.spec, PipelineSpec) else []),
        _offload_note(outcome),
        *_held_notes(outcome),
        "nominal dense peaks and nominal memory bandwidth",
        *expectation_notes(q.gpu, q.engine, {"step": "a step", "whole": "a picture"}),
        *_spread_notes(q),
    ]


def _usual_level(q: Question) -> str:
    """Where the level is not the one of an engine that runs operator by operator: that the engine brings it."""
    if q.engine == IDEAL:
        return ""
    own = read_engine(q.engine).fusion
    if q.execution.level != own:
        return f"; {q.engine} by itself runs --fusion {own}"
    return "" if own == "flash" else f"; as {q.engine} runs where --fusion does not say"


def _steps(outcome: Outcome) -> Iterator[str]:
    run = outcome.question.run
    for phase in outcome.workload.phases:
        if phase.name == "denoise":
            steps, times = counted(run.steps, "step"), counted(phase.repeat, "call")
            are = "is" if isinstance(run.steps, float) and run.steps == 1 else "are"
            yield f"scheduler {run.scheduler}: {steps} {are} {times} of the denoiser"
            yield f"guidance {run.guidance:g}: every call sees {run.passes:g} × the batch"


def _own_formats(outcome: Outcome) -> Iterator[str]:
    """Phases that run in another format than was asked for."""
    q = outcome.question
    for phase in outcome.workload.phases:
        own = q.precision_of(phase)
        if own is not q.precision:
            yield f"{phase.name} in {format_words(own)}"


def _products(outcome: Outcome) -> str:
    """In which format matrices are multiplied: TF32 where everything is stored in fp32."""
    q = outcome.question
    if q.precision.weights.name == q.precision.activations.name == "fp32":
        return "matrices multiplied in tf32 where the GPU has it, as PyTorch does in convolutions"
    return multiplied_words(outcome) or f"matrices multiplied in {q.precision.matrix_dtype()}"


def _offload_note(outcome: Outcome) -> str:
    away = away_of(outcome.question.spread)
    if away is None:
        return "offload none: all parts stay on the GPU"
    blocks = f"{away.blocks} {'block' if away.blocks == 1 else 'blocks'} at a time"
    place = {"model": "one part at a time", "leaf": "one matrix at a time", "group": blocks}[away.mode]
    held = float(first_value(outcome.memory.host_bytes)) / 1e9
    text = f"offload {away.text()}: {place} on the GPU; {held:.3g} GB wait in host memory, {away.copies}; "
    fetched: Any = outcome.quantity("transfer_s")
    if fetched.times is None:
        return text + "no link to the host is described for this GPU, so fetching the parts costs no time here"
    moved = float(moved_bytes(outcome.question, outcome.memory)) / 1e9
    text += f"{moved:.3g} GB of weights cross the link to the host once per run, "
    if away.hidden:
        return text + "hidden behind work by a stream of its own as far as that lasts"
    if away.copies == "pinned":
        return text + "not hidden behind work, from pinned memory at the rate of the link; nothing is copied back"
    back = ", and back" if away.mode == "model" else ""
    return text + f"not hidden behind work; expected{back} at the {PAGEABLE / 1e9:g} GB/s of pageable memory"


def _held_notes(outcome: Outcome) -> Iterator[str]:
    """What is held beside weights and activations, and what is not counted."""
    q, memory = outcome.question, outcome.memory
    if q.engine == IDEAL:
        kept = reserve_note(q.spread) if q.spread.reserve.source else "nothing for driver and libraries"
        yield f"memory: tensors alone; no workspace, no safety checker, {kept}"
        return
    if has_checker(q):
        yield "the pipeline's safety checker is in memory (--no-safety-checker leaves it out); its time is left out"
    copies = "convolutions copy operands (in 16 bit results too) into the order that their kernels take"
    if q.gpu.vendor != "nvidia":
        copies += ", as cuDNN's do and other libraries are assumed to"
    copies = copies if any_holds(stages_copies(q)) else "convolutions take tensors in the order that they are in"
    freed = first_value(memory.allocator_reserved_bytes) / 1e9
    context = f"{context_bytes(q) / 1e9:g} GB for driver and libraries" if context_bytes(q) else reserve_note(q.spread)
    unseen = float(first_value(q.machine().unseen)) / 1e9
    context += f"; the driver keeps {unseen:.2g} GB of the card, which no process sees" if unseen else ""
    yield f"memory: {copies}; {context}; the allocator keeps up to {freed:.3g} GB where there is room"
    yield from _branch_notes(q)


def _branch_notes(q: Question) -> Iterator[str]:
    """What is held of low-rank branches, and that their products are not counted."""
    asked = (q.precision, *q.precision.parts.values())
    for name in dict.fromkeys(held.name for each in asked for held in (each.weights, *each.overrides.values())):
        rank = find_dtype(format_of_blocks(name)).rank
        if rank > 0.0:
            yield (
                f"{name}: a branch of rank {rank:g} beside each matrix is held in 16 bit; its products, {rank:g} · "
                "(rows + columns) to the rows · columns of the matrix, are left out"
            )


def _spread_notes(q: Question) -> list[str]:
    """What was assumed about several devices."""
    plan, notes = q.spread.plan, []
    if plan.cp > 1:
        notes.append(
            f"{plan.cp} GPUs share the tokens of the denoiser, all weights on each; text encoders and autoencoder run "
            "on one; counts, times and memory are those of that one"
        )
    if plan.dp > 1:
        notes.append(f"the batch is that of each of {plan.dp} replicas; throughput is that of all")
    return [*notes, *link_notes(q.spread)]
