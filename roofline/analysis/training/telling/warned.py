"""What the user should know before trusting the figures of a training run: warnings with codes, and assumptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from roofline.answer.phase import Warn
from roofline.machine.engine import IDEAL, read_engine
from roofline.runs.devices.words import link_notes, reserve_note
from roofline.runs.expectation import expectation_warnings
from roofline.runs.telling.unverified import unverified_hardware
from roofline.runs.training.trainers import trained_on
from roofline.specs.text.transformer import TransformerSpec
from roofline.units import format_si

if TYPE_CHECKING:
    from roofline.analysis.training.figures import TrainFigures
    from roofline.runs.training.run import TrainQuestion


def training_warnings(answer: TrainFigures) -> list[Warn]:
    """The warnings of an answer."""
    q = answer.question
    found = [*_memory(answer), *_nodes(q), *_length(q), *_formats(q), *_short(q), *_framework(q)]
    dtypes = {q.precision.matrix_dtype(), q.precision.activations.compute}
    found += unverified_hardware(q.gpu, q.machine(), dtypes, q.gpus > 1, q.engine != IDEAL)
    unverified = getattr(q.spec, "unverified", ())
    if unverified:
        found.append(Warn("unverified-model", f"{q.spec.name}: not verified: {'; '.join(unverified)}"))
    if answer.whole is not None or q.money.given or answer.money.price is not None:
        found += answer.money.warnings()
    return [*found, *expectation_warnings(q.gpu, q.engine)]


def _memory(answer: TrainFigures) -> Iterator[Warn]:
    memory, q = answer.memory, answer.question
    if not memory.fits:
        needs = f"{q.spec.name} needs {format_si(float(memory.total_bytes), 'B')} on the fullest GPU"
        yield Warn("does-not-fit", f"{needs}, {q.gpu.name} has {memory.room}")


def _nodes(q: TrainQuestion) -> Iterator[Warn]:
    """A plan against the nodes that it is laid over."""
    node, plan = q.layout.spread.node, q.plan
    if plan.devices == 1:
        return
    if node is None:
        text = (
            f"no node of {q.gpu.name} is described: its own links join all {plan.devices:,} of them (--node names one)"
        )
        yield Warn("no-node", text)
        return
    within = {"--tp": plan.tp, "--tp × --cp": plan.tp * plan.cp if plan.cp > 1 else 1, "--ep": plan.ep}
    for name, size in within.items():
        if size > node.count:
            text = (
                f"{name} {size:,} is more than the {node.count} GPUs of {node.name}: layers exchange over the network"
            )
            yield Warn("plan-beyond-node", text)
            break
    if plan.devices > node.count and plan.devices % node.count:
        whole = -(-plan.devices // node.count)
        text = f"{plan.devices:,} GPUs do not fill {whole:,} nodes of {node.count} ({node.name})"
        yield Warn("nodes-not-filled", f"{text}: {whole * node.count - plan.devices:,} stand idle")
    elif plan.tp <= node.count and node.count % plan.tp and plan.devices > node.count:
        text = f"--tp {plan.tp} does not divide the {node.count} GPUs of {node.name}: some groups reach over two nodes"
        yield Warn("plan-across-nodes", text)


def _length(q: TrainQuestion) -> Iterator[Warn]:
    """Sequences that are longer than the model was made for."""
    if isinstance(q.spec, TransformerSpec) and q.spec.max_context is not None and q.run.sequence > q.spec.max_context:
        text = f"{q.run.sequence:,.0f} tokens are more than the {q.spec.max_context:,} that {q.spec.name} was made for"
        yield Warn("context-exceeds-maximum", text)


def _short(q: TrainQuestion) -> Iterator[Warn]:
    """A run that ends within its first step."""
    if q.run.steps is not None and q.run.steps < 1.0:
        unit = "tokens" if q.run.sequence else "pictures"
        text = f"a step is {q.run.tokens_per_step:,.0f} {unit}, and {q.run.tokens:,.0f} are asked: a share of one step"
        yield Warn("run-shorter-than-step", text)


def _formats(q: TrainQuestion) -> Iterator[Warn]:
    """A format that the chip has no units for."""
    machine, wanted = q.machine(), q.precision.matrix_dtype()
    if not machine.multiplies(wanted):
        unit = machine.served_by[wanted][0].removeprefix("vector.")
        if unit != wanted:
            yield Warn("dtype-fallback", f"{q.gpu.name} has no {wanted} units: computed at the {unit} rate")
            return
        text = f"{q.gpu.name} has no matrix units for {wanted}: its vector units multiply"
        yield Warn("dtype-fallback", f"{text}, at {format_si(float(machine.tensor[wanted]), 'FLOP/s')}")


def _framework(q: TrainQuestion) -> Iterator[Warn]:
    """A framework asked of a model or a GPU that none of its training runs is of."""
    kind = "language" if isinstance(q.spec, TransformerSpec) else "image"
    if q.engine == IDEAL:
        return
    if q.habits.trains not in (kind, "both"):
        text = f"{q.engine} trains {q.habits.trains} models: {q.spec.title} is expected as if it took {kind} models too"
        yield Warn("engine-of-other-kind", text)
    known = trained_on(q.engine)
    if not known and read_engine(q.engine).fit.rows:
        yield Warn("framework-not-measured", f"no training run of {q.engine} was at hand: the interval is wider")
    elif known and q.gpu.name not in known:
        text = f"no training run of {q.engine} on {q.gpu.name} was at hand, only on {', '.join(known)}"
        yield Warn("framework-not-measured", f"{text}: the interval is wider")


def training_assumptions(answer: TrainFigures) -> list[str]:
    """Everything that was assumed rather than asked."""
    q = answer.question
    found = [*q.notes, *link_notes(q.layout.spread)[:1]]
    if q.layout.spread.reserve.bytes:
        found.append(reserve_note(q.layout.spread))
    if q.engine != IDEAL:
        shown = (
            f"{100 * q.habits.hidden:.0f} % of what replicas exchange is hidden behind work where that is long enough"
        )
        found.append(
            f"engine {q.engine}: {shown}; exchanges between nodes at {q.habits.network:g} × their nominal time"
        )
    if q.plan.pp > 1:
        found.append(f"pipeline: {q.layout.schedule}, layers spread evenly over the stages")
    return [*found, *run_assumptions(answer)]


def run_assumptions(answer: TrainFigures) -> list[str]:
    """What was assumed of the whole run and of its price."""
    found = [f"price: {answer.money.words}"] if answer.money.price is not None else []
    if answer.whole is None:
        return found
    drawn, pue = answer.drawn, answer.question.money.pue
    return [
        "the whole run: no restarts, no evaluation, no checkpoints written; published runs lose 5 to 10 %",
        *found,
        *answer.money.notes,
        f"power: {drawn.source}, PUE {pue:g}" if drawn else "power: not known of this GPU",
    ]
