"""Where the parts of a training run's memory come from, and its days, GPU-hours, cost and energy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roofline.answer.derivation import Derivation, Term
from roofline.units import format_count, format_si

if TYPE_CHECKING:
    from roofline.analysis.training.figures import TrainFigures, Whole

_HOUR: Final = 3600.0
#: Frozen weights in formats that are not narrowed.
_WIDE: Final = {"bf16": "2 B each", "fp16": "2 B each", "fp32": "4 B each"}
_ZERO: Final = "Rajbhandari et al. 2020, ZeRO (arXiv:1910.02054), section 5"
_KEPT: Final = (
    "what each op of a layer must keep for its backward pass; fused layers as Korthikanti et al. 2022 "
    "(arXiv:2205.05198), equation 2"
)
#: Of each part its formula and source.
_PARTS: Final = {
    "weights": ("parameters on the GPU · bytes of a weight / GPUs that share weights (ZeRO 3)", _ZERO),
    "gradients": ("trained parameters · bytes of a gradient / GPUs that share gradients (ZeRO 2, 3)", _ZERO),
    "master": ("trained parameters · bytes of the fp32 copy / GPUs that share it (ZeRO 1 to 3)", _ZERO),
    "optimizer": ("trained parameters · bytes of the optimizer's states / GPUs that share them (ZeRO 1 to 3)", _ZERO),
    "ema": ("parameters · bytes of a running mean", "the recipe"),
    "activations": ("kept by a layer · layers of the stage · micro-batches in flight, and one layer at work", _KEPT),
    "loss": (
        "tokens · vocabulary · bytes per logit at the fullest moment of the loss: 12 unfused, 6 in place, 4 fused",
        "PyTorch, log_softmax and nll_loss; Megatron Core, vocab_parallel_cross_entropy",
    ),
    "gathered": (
        "weights gathered or cast for the layers at work, and the gradient of one",
        "Zhao et al. 2023, PyTorch FSDP (arXiv:2304.11277)",
    ),
    "update": ("this GPU's share of gradients, widened to fp32 while the optimizer runs", "the recipe"),
    "buffers": ("buckets through which gradients are summed", "the framework"),
    "runtime": ("context of the device, libraries, buffers of exchanges", "the framework's file, or --runtime-reserve"),
    "reserve": ("share that the allocator has beyond what is in use · what is in use", "the framework's file"),
}


def held_derivations(answer: TrainFigures) -> Iterator[Derivation]:
    """Every part of what the fullest device holds, and their sum."""
    memory = answer.memory
    held = [part for part in memory.parts if float(part.bytes)]
    for part in held:
        name = part.name.removesuffix("_bytes")
        formula, source = _PARTS.get(name, (part.title, "the framework"))
        values = "; ".join(text for text in (_values(answer, name), part.note) if text) or part.title
        yield Derivation(f"memory.{part.name}", "B", float(part.bytes), formula, values, source)
    terms = [Term(part.title, part.note, float(part.bytes)) for part in held]
    capacity, usable = (format_si(float(size), "B") for size in (memory.capacity_bytes, memory.usable_bytes))
    values = f"capacity {capacity}, of which {usable} may be used"
    total = float(memory.total_bytes)
    formula = "sum of the parts at the fullest moment, on the GPU of the fullest stage"
    yield Derivation("memory.total_bytes", "B", total, formula, values, "the parts", terms)


def _frozen(answer: TrainFigures) -> str:
    """Of weights that stay as they are: how many there are, and in what they are stored."""
    counts = answer.parameters
    trained = counts.beside.get("trainable", counts.total)
    if trained >= counts.total:
        return ""
    base = answer.question.run.base or "bf16"
    each = _WIDE.get(base, f"matrices in {base}, the rest 2 B each")
    return f" of {format_count(trained)} that are trained; {format_count(counts.total - trained)} frozen: {each}"


def _values(answer: TrainFigures, name: str) -> str:
    """What goes into a part, in words."""
    q, recipe = answer.question, answer.question.recipe
    shared = f"ZeRO {q.layout.zero}, {q.layout.sharers:,} GPUs hold the same"
    each = {
        "weights": recipe.weights,
        "gradients": recipe.gradients,
        "master": recipe.master,
        "optimizer": recipe.optimizer,
        "ema": recipe.ema,
    }.get(name)
    if each is not None:
        what = f"{q.mode} with {q.run.optimizer}: {each:.4g} B each"
        return f"{what}{_frozen(answer) if name == 'weights' else ''}; {shared}"
    run = q.run
    size = f"{run.sequence:,.0f} tokens" if run.sequence else f"{run.width:,.0f} × {run.height:,.0f} pixels"
    batch = f"micro-batch {run.micro_batch:,.0f} × {size}"
    if name == "activations":
        kept = f"{q.habits.kept} layers, recompute {run.recompute}"
        return f"{batch}; {kept}; tp {q.plan.tp}, pp {q.plan.pp}, cp {q.plan.cp}"
    if name == "loss":
        return f"{batch}; {q.habits.loss} loss"
    if name == "reserve":
        return f"{100 * q.habits.reserve:.3g} %"
    return f"engine {q.engine}" if name in ("buffers", "runtime", "gathered") else ""


def run_derivations(answer: TrainFigures) -> Iterator[Derivation]:
    """The whole run: steps, seconds, GPU-hours, cost, energy; nothing where nothing was said of its length."""
    whole, q = answer.whole, answer.question
    if whole is None:
        return
    seconds, per = float(answer.times.expected), q.run.tokens_per_step
    if q.asked.get("steps") is None:
        unit = "tokens" if q.run.sequence else "pictures"
        values = f"{whole.tokens:,.0f} / {per:,.0f}"
        yield Derivation("run.steps", "steps", whole.steps, f"{unit} / {unit} of a step", values, "as asked")
    total, hours = float(whole.seconds.expected), float(whole.gpu_hours.expected)
    values = f"{whole.steps:,.6g} × {seconds:.4g}"
    yield Derivation("run.seconds", "s", total, "steps · step.expected_s", values, "the step, without restarts")
    values = f"{total:,.6g} × {q.gpus:,} / 3600"
    yield Derivation("run.gpu_hours", "h", hours, "seconds · GPUs / 3600", values, "the step, without restarts")
    yield from _paid(answer, whole)


def _paid(answer: TrainFigures, whole: Whole) -> Iterator[Derivation]:
    q, found, seconds = answer.question, answer.money, float(whole.seconds.expected)
    if whole.cost is not None:
        where = found.price.source if found.price is not None else ""
        more = " + kWh · price of electricity" if found.adds else ""
        formula = f"hours · GPUs (or whole nodes) · price per hour / load{more}"
        values = f"{seconds / _HOUR:,.6g} h, {q.gpus:,} GPUs, {found.words}, load {q.money.load:g}"
        yield Derivation("run.cost", whole.currency, float(whole.cost.expected), formula, values, where)
    drawn = answer.drawn
    if whole.joules is not None and drawn is not None:
        values = f"{seconds:,.6g} s × {q.gpus:,} × {drawn.value:.0f} W × {q.money.pue:g}; {drawn.source}"
        joules = float(whole.joules.expected)
        yield Derivation("run.energy_j", "J", joules, "seconds · GPUs · watts · PUE", values, "hardware/power.csv")
