"""What is said beside the numbers of a language model: what was assumed, and what the user should know."""

from __future__ import annotations

from collections.abc import Iterator

from roofline.answer.phase import Warn
from roofline.answer.plain import counted_whole
from roofline.machine.engine import IDEAL, read_engine
from roofline.num import first_value
from roofline.runs.changes import SIXTEEN, served_first
from roofline.runs.devices.spread import Spread
from roofline.runs.devices.words import link_notes
from roofline.runs.expectation import expectation_notes, expectation_warnings
from roofline.runs.kind import Outcome, Question
from roofline.runs.telling.budget import budget_notes, chunk_note
from roofline.runs.telling.levels import OF_TEXT
from roofline.runs.telling.notes import alias_notes, hardware_warnings, memory_warnings
from roofline.runs.telling.products import computed_in, fallback_warnings, multiplied_words
from roofline.runs.telling.published import published_warnings
from roofline.runs.text.draft import draft_notes, draft_warnings
from roofline.runs.text.elsewhere import host_notes, host_warnings
from roofline.runs.text.inputs.media import media_notes
from roofline.runs.text.service.notes import service_notes, service_warnings
from roofline.runs.text.towers import tower_notes, tower_warnings


def text_assumptions(outcome: Outcome) -> list[str]:
    """Everything that was assumed rather than asked."""
    q, run = outcome.question, outcome.question.run
    layout = f"allocated {run.layout}" if run.layout else "without padding or paging"
    p = q.precision
    stored = f"weights {p.label} ({p.weights.layout}), activations {p.activations.name}, KV-cache {p.cache.name}"
    logits = "last position" if run.logits == "last" else "whole prompt"
    notes = [
        *_usual_notes(q),
        f"logits of the {logits} of each sequence",
        f"every sequence has the same length; {chunk_note(q)}; KV-cache {layout}",
        "the last generated token is never fed back, so the cache ends with prompt + generate - 1 tokens",
        *service_notes(q),
    ]
    return _notes(outcome, (), stored, notes)


def encoder_assumptions(outcome: Outcome, first: str) -> list[str]:
    """The same of what generates nothing and has no cache; `first` says so."""
    p = outcome.question.precision
    stored = f"weights {p.label} ({p.weights.layout}), activations {p.activations.name}"
    return _notes(outcome, (first,), stored, ["every sequence has the same length and is read at once"])


def _usual_notes(q: Question) -> Iterator[str]:
    """How much a model generates that is asked for less than a text."""
    usual = q.spec.default_generate
    if usual is not None and first_value(q.run.generate) == usual:
        yield f"{q.spec.name} is asked for {counted_whole(usual, 'token')}, as its file says (default_generate)"


def _notes(outcome: Outcome, first: tuple[str, ...], stored: str, lengths: list[str]) -> list[str]:
    """What is assumed of every kind of language model, with what the kind says of formats and of lengths."""
    q = outcome.question
    nominal = "nominal dense peaks and nominal memory bandwidth"
    notes = [
        *alias_notes(q),
        *q.spec.assumed,
        *first,
        f"{stored}; {multiplied_words(outcome) or f'matrices multiplied in {q.precision.matrix_dtype()}'}",
        *_wide_notes(q),
        *tower_notes(q),
        *media_notes(q),
        f"fusion {q.execution.level}: {OF_TEXT[q.execution.level]}",
        *lengths,
        nominal,
        *budget_notes(q),
        *_spread_notes(q),
    ]
    notes += draft_notes(q.run, q.spread.plan)
    mtp = outcome.parameters.beside.get("mtp")
    if mtp and not (q.run.draft and q.run.draft.mtp):
        notes.append(f"heads that predict further tokens are neither held nor run: {mtp:,.0f} parameters")
    return notes + expectation_notes(q.gpu, q.engine, _timed(q))


def _timed(q: Question) -> dict[str, str]:
    """What of the run has an interval of its own, in words."""
    alone = {"prefill": "prefill", "decode": "decode"}
    return alone | {"first": "first token under load", "served": "token under load"} if q.for_users else alone


def _wide_notes(q: Question) -> Iterator[str]:
    """That a file holds 32 bits, where the chip multiplies 16 faster."""
    machine = q.machine()
    narrow = served_first(machine, SIXTEEN)
    ratio = first_value(machine.tensor[narrow] / machine.tensor["fp32"])
    if q.spec.dtype == "fp32" == q.precision.label and ratio > 1.0:
        usual = f"--weights {narrow} is usual: half the bytes, and units of {ratio:.3g} times the peak on {q.gpu.name}"
        yield f"the file of {q.spec.name} is in fp32; {usual}"


def _spread_notes(q: Question) -> list[str]:
    """What was assumed about several devices, offload and the runtime; nothing for one device as it is."""
    spread = q.spread
    if spread.alone:
        return []
    plan, notes = spread.plan, list(spread.notes)
    if not plan.single:
        notes.append(f"{plan.devices} devices: {plan.text()}; counts, times and memory are those of the busiest one")
        notes += [*_plan_notes(spread), *link_notes(spread)]
    return [*notes, *host_notes(q)]


def _plan_notes(spread: Spread) -> Iterator[str]:
    plan = spread.plan
    if plan.tp > 1:
        yield "replicated over tp: norms, routers, latents, and key-value heads beyond their number"
        yield "heads padded to a multiple of tp" if plan.pad_heads else "no engine is taken to pad heads"
    if plan.pp > 1:
        cut = f"{spread.microbatches} microbatches" if spread.microbatches else "as many microbatches as stages"
        yield f"pipeline: {cut}, or sequences if these are fewer; layers spread evenly"
    if plan.dp > 1:
        yield f"the batch is that of each of {plan.dp} replicas; throughput is that of all"
    if plan.ep > 1:
        yield "experts: uniform routing; a token is sent once to each device that holds one of its experts"
    if plan.cp > 1:
        yield "context: the prompt dealt out evenly; a decode step runs all but attention on every device"


def text_warnings(outcome: Outcome) -> list[Warn]:
    """What the user should know before trusting the numbers."""
    q, spec = outcome.question, outcome.question.spec
    found = [
        *memory_warnings(q, outcome.memory),
        *host_warnings(q, outcome.memory),
        *_context(q),
        *_waiting(q),
        *service_warnings(q),
        *fallback_warnings(outcome, q.precision.activations.compute),
    ]
    found += tower_warnings(q)
    found += hardware_warnings(outcome, computed_in(outcome) | {q.precision.activations.compute})
    if spec.unverified:
        found.append(Warn("unverified-model", f"{spec.name}: not verified: {'; '.join(spec.unverified)}"))
    found += draft_warnings(spec, q.run, outcome.parameters.beside, outcome.parameters.total)
    found += published_warnings(spec.name, spec.published, outcome.parameters.total)
    return [*found, *expectation_warnings(q.gpu, q.engine), *_of_pictures(q.engine)]


def _waiting(q: Question) -> Iterator[Warn]:
    """A batch of more sequences than the engine runs at once: the rest waits, which no figure counts."""
    at_once, batch = q.execution.budget.sequences, first_value(q.run.batch)
    if at_once and batch > at_once:
        runs = f"{q.engine} runs {counted_whole(at_once, 'sequence')} at once (--max-sequences)"
        text = f"{runs}; of {batch:,.0f} the rest would wait"
        yield Warn("batch-beyond-sequences", text)


def _context(q: Question) -> Iterator[Warn]:
    run, spec = q.run, q.spec
    # the last token is never fed back: it needs no position
    longest = run.cached
    if isinstance(longest, float) and spec.max_context is not None and longest > spec.max_context:
        text = f"{longest:,.0f} tokens are more than the {spec.max_context:,} that {spec.name} was made for"
        yield Warn("context-exceeds-maximum", text)


def _of_pictures(engine: str) -> Iterator[Warn]:
    """Engines that were fitted to image models, asked about a language model."""
    if engine != IDEAL and read_engine(engine).fed:
        text = f"engine {engine} was fitted to runs of image models: for language models it is a guess"
        yield Warn("engine-of-image-models", text)
