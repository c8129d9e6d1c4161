"""From what a user says of a training run to a question: names to specs, options checked once, at the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from roofline.errors import UsageError
from roofline.machine.collectives import Fabric
from roofline.machine.engine_lookup import IDEAL, read_engine
from roofline.passes.training.adapters import Adapters
from roofline.runs.checks import one_of, whole_number
from roofline.runs.devices.resolve import default_node, links_of, read_reserve
from roofline.runs.devices.spread import Spread
from roofline.runs.load import GPULike, ModelLike, Origin, locate_gpu, locate_model
from roofline.runs.memory_size import resized
from roofline.runs.money.options import MONEY
from roofline.runs.money.terms import read_terms
from roofline.runs.names import check_names, no_gpu
from roofline.runs.training.formats import mode_of, precision_of
from roofline.runs.training.options import TRAINING
from roofline.runs.training.recipes import recipe_of
from roofline.runs.training.run import Layout, TrainQuestion, TrainRun
from roofline.runs.training.sizes import batches, decoder_of, length_of, sequence_of, side_of
from roofline.runs.training.trainers import find_trainer
from roofline.specs.engine_training import TrainingHabits
from roofline.specs.gpu import GPUSpec
from roofline.specs.image.parts import ImageSpec
from roofline.specs.node import NodeSpec
from roofline.specs.text.feed_forward import ExpertsFeedForward
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.plan import Plan, check_plan

_AXES: Final = ("tp", "pp", "cp", "dp")
_MOST_GPUS: Final = 1_000_000
SCHEDULES: Final = ("1f1b", "gpipe", "zero-bubble")
RECOMPUTES: Final = ("none", "selective", "full")
PARTS: Final = ("denoiser", "vae", "controlnet")
JUDGES: Final = ("none", "perceptual", "adversarial")
#: Which stage of ZeRO a habit is.
_ZERO: Final = {"none": 0, "optimizer": 1, "gradients": 2, "parameters": 3}
#: The framework that is taken where none is named.
_PICTURES, _ADAPTERS, _SHARDED, _SEVERAL, _SINGLE = "diffusers", "hf-trainer", "torchtitan", "megatron", "hf-trainer"
_IDEAL_HABITS: Final = TrainingHabits(sources=("the roofline itself: everything that can be hidden is",), hidden=1.0)


def train_question(model: ModelLike, gpu: GPULike | None = None, **options: Any) -> TrainQuestion:
    """Resolve and check everything once: `options` by the names of `roofline.runs.training.options`.

    Raises UsageError, UnknownNameError or SpecError.
    """
    given = _given(options)
    spec_dir = given.get("spec_dir")
    accelerator, gpu_origin = _accelerator(gpu, given, spec_dir)
    spec, model_origin = locate_model(model, spec_dir)
    if not isinstance(spec, (TransformerSpec, ImageSpec)):
        raise UsageError(f"{type(spec).__name__} is neither a language model nor an image model")
    engine = find_trainer(given.get("engine") or _usual(spec, given), spec_dir)
    chosen = () if given.get("engine") else (_usual_words(engine),)
    habits = habits_of(engine)
    _check_experts(spec, given)
    layout, notes = _layout(accelerator, given, habits, spec_dir)
    run, more = _run(spec, given, layout)
    mode = mode_of(given.get("precision", "bf16"))
    adapted = run.adapters is not None
    recipe = recipe_of(mode, run.optimizer, habits, adapters=adapted, base=run.base, ema=run.ema)
    money = read_terms({name: given.get(name) for name in _MONEY}, spec_dir)
    precision = precision_of(mode, run.base if adapted else None)
    return TrainQuestion(
        spec, model_origin, accelerator, gpu_origin, run, layout, precision, mode, recipe, engine, habits, money,
        (*chosen, *notes, *more), given,
    )  # fmt: skip


def _check_experts(spec: Any, given: Mapping[str, Any]) -> None:
    """Raises UsageError where experts of a model that has none are to be laid over devices."""
    groups = (*spec.encoder, *spec.blocks) if isinstance(spec, TransformerSpec) else ()
    sparse = any(isinstance(group.feed_forward, ExpertsFeedForward) for group in groups)
    if given.get("ep") not in (None, 1) and not sparse:
        raise UsageError(f"--ep {given['ep']}: {spec.name} has no routed experts")


_MONEY: Final = tuple(option.name for option in MONEY)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that ask for anything. Raises UsageError for one that there is not."""
    check_names(options, TRAINING)
    return {name: value for name, value in options.items() if TRAINING[name].is_given(value)}


def _accelerator(gpu: GPULike | None, given: Mapping[str, Any], spec_dir: str | None) -> tuple[GPUSpec, Origin]:
    if gpu is None and given.get("node") is None:
        raise no_gpu()
    if gpu is None:
        from roofline.runs.devices.resolve import locate_node

        gpu = locate_node(given["node"], spec_dir)[0].gpu
    spec, origin = locate_gpu(gpu, spec_dir)
    if given.get("memory") is not None:
        sold, spec = spec.memory, resized(spec, given["memory"])
        origin = origin._replace(sold=sold)
    return spec, origin


def habits_of(engine: str) -> TrainingHabits:
    """How a framework trains. Raises UsageError for an engine that does not."""
    if engine == IDEAL:
        return _IDEAL_HABITS
    found = read_engine(engine).training
    if found is None:
        raise UsageError(f"engine {engine} trains nothing; `roofline list engines` shows those that do")
    return found


def _usual(spec: Any, given: Mapping[str, Any]) -> str:
    """The framework by which such a model is usually trained."""
    if isinstance(spec, ImageSpec):
        return _PICTURES
    if given.get("lora") is not None:
        return _ADAPTERS
    several = any((given.get(name) or 1) > 1 for name in (*_AXES, "gpus", "ep"))
    if several and (given.get("fsdp") or given.get("zero") == 3):
        return _SHARDED
    return _SEVERAL if several else _SINGLE


def _usual_words(engine: str) -> str:
    """That a framework was chosen, and by what where another option chose it."""
    why = ", the usual one of --zero 3 and --fsdp" if engine == _SHARDED else ""
    return f"engine {engine}{why}, as no --engine was given: name one to compare plans or GPUs within it"


def plan_of(given: Mapping[str, Any]) -> Plan:
    """The devices along each axis: what `gpus` has beyond those that are named are replicas.

    Raises UsageError where they contradict each other.
    """
    sizes = {name: _size(name, given[name]) for name in (*_AXES, "ep", "gpus") if given.get(name) is not None}
    gpus = sizes.pop("gpus", None)
    tp, pp, cp, dp, ep = (sizes.get(name, 1) for name in (*_AXES, "ep"))
    plan = Plan(tp, pp, cp, dp, ep)
    replica = plan.devices // plan.dp
    if gpus is not None and "dp" not in sizes:
        if gpus % replica:
            product = " × ".join(f"{name} {sizes[name]}" for name in _AXES if name in sizes)
            near = " or ".join(str(times * replica) for times in (gpus // replica, gpus // replica + 1) if times)
            raise UsageError(f"--gpus {gpus} cannot be divided into groups of {replica} ({product}): use {near}")
        plan = plan._replace(dp=gpus // replica)
    if gpus is not None and plan.devices != gpus:
        product = " × ".join(f"{name} {getattr(plan, name)}" for name in _AXES)
        raise UsageError(f"--gpus {gpus} does not match {product} = {plan.devices}")
    check_plan(plan)
    return plan


def _size(name: str, value: Any) -> int:
    found = float(whole_number(name, value))
    if found > _MOST_GPUS:
        raise UsageError(f"--{name} must be a whole number from 1 to {_MOST_GPUS:,}, not {value!r}")
    return int(found)


def _layout(
    gpu: GPUSpec, given: Mapping[str, Any], habits: TrainingHabits, spec_dir: str | None
) -> tuple[Layout, tuple[str, ...]]:
    plan, notes = plan_of(given), list[str]()
    several = plan.devices > 1
    node, fabric = _links(gpu, given, spec_dir, plan.devices, notes) if several or given.get("node") else (None, None)
    reserve = read_reserve(given.get("runtime_reserve"), gpu.memory.capacity, spec_dir, several)
    zero = _zero(given, habits, plan, notes)
    vpp = _size("vpp", given.get("vpp", 1))
    if vpp > 1 and plan.pp == 1:
        raise UsageError(f"--vpp {vpp} cuts the layers of a pipeline's stages; name these with --pp")
    schedule = one_of("schedule", given.get("schedule", "1f1b"), SCHEDULES)
    if plan.pp == 1 and "schedule" in given:
        raise UsageError(f"--schedule {schedule} is the order in a pipeline; name its stages with --pp")
    parallel = habits.sequence_parallel and plan.tp > 1 and not given.get("no_sequence_parallel")
    spread = Spread(plan, fabric, node, reserve=reserve, alone=not several)
    return Layout(spread, zero, vpp, cast("Any", schedule), parallel), tuple(notes)


def _links(
    gpu: GPUSpec, given: Mapping[str, Any], spec_dir: str | None, devices: int, notes: list[str]
) -> tuple[NodeSpec | None, Fabric | None]:
    """The node and its links; for more devices than those links reach, any node of them that has a network."""
    node, fabric = links_of(gpu, given.get("node"), spec_dir)
    if given.get("node") or fabric is None or fabric.scale_out is not None or devices <= fabric.node:
        return node, fabric
    other = default_node(gpu, spec_dir, named=True)
    if other is None or other.scale_out is None:
        return node, fabric
    notes.append(f"linked as {other.name}: no --node was given, and {devices:,} GPUs need a network between nodes")
    return other, Fabric.of(other)


def _zero(given: Mapping[str, Any], habits: TrainingHabits, plan: Plan, notes: list[str]) -> int:
    """The stage of ZeRO: as asked, or as the framework does; one holder of the weights shares nothing."""
    asked = given.get("zero")
    if asked is not None and asked not in (0, 1, 2, 3):
        raise UsageError(f"--zero must be 0, 1, 2 or 3, not {asked!r}")
    if given.get("fsdp") and asked not in (None, 3):
        raise UsageError(f"--fsdp is --zero 3, and --zero {asked} was given as well")
    zero = 3 if given.get("fsdp") else _ZERO[habits.sharding] if asked is None else int(asked)
    if plan.dp * plan.cp == 1:
        if asked or given.get("fsdp"):
            notes.append(f"--zero {zero} shares states between replicas, and there is one: nothing is shared")
        return 0
    if zero and asked is None and not given.get("fsdp"):
        notes.append(f"replicas share as ZeRO {zero} does, the framework's default")
    return zero


def _run(spec: Any, given: Mapping[str, Any], layout: Layout) -> tuple[TrainRun, tuple[str, ...]]:
    plan = layout.plan
    step = batches(given, plan)
    recompute = one_of("recompute", given.get("recompute", "none"), RECOMPUTES)
    adapters, base = _adapters(given)
    shared: dict[str, Any] = {
        "micro_batch": step.micro,
        "global_batch": step.whole,
        "recompute": recompute,
        "optimizer": str(given.get("optimizer", "adamw")).lower(),
        "adapters": adapters,
        "base": base,
        "ema": bool(given.get("ema")),
        "eager_attention": one_of("attention", given.get("attention", "flash"), ("flash", "eager")) == "eager",
    }
    if isinstance(spec, ImageSpec):
        return _image_run(spec, given, plan, step.notes, shared)
    for name in ("height", "width", "encode", "part", "judges"):
        if name in given:
            raise UsageError(f"{TRAINING[name].flag} goes with image models, and {spec.name} is a language model")
    sequence, more = sequence_of(spec, given.get("sequence"))
    decoder, further = decoder_of(spec, sequence, given.get("decoder"))
    if sequence % (2 * plan.cp if plan.cp > 1 else 1):
        text = f"--sequence {sequence:,.0f} does not divide by 2 × --cp {plan.cp}: each device takes two parts of it"
        raise UsageError(text)
    steps, tokens = length_of(given, step, sequence)
    run = TrainRun(sequence=sequence, decoder=decoder, steps=steps, tokens=tokens, **shared)
    return run, (*step.notes, *more, *further)


def _image_run(
    spec: ImageSpec, given: Mapping[str, Any], plan: Plan, notes: tuple[str, ...], shared: Mapping[str, Any]
) -> tuple[TrainRun, tuple[str, ...]]:
    for name in ("sequence", "decoder", "attention"):
        if name in given:
            raise UsageError(f"{TRAINING[name].flag} goes with language models, and {spec.name} makes pictures")
    for name in ("tp", "pp", "cp", "ep"):
        if getattr(plan, name) > 1:
            raise UsageError(f"--{name}: image models are trained in replicas; use --dp or --gpus, and --zero 3")
    if shared["recompute"] == "selective":
        raise UsageError(
            "--recompute selective does scores again, which pictures' attention never keeps; full does blocks"
        )
    part = one_of("part", given.get("part", "denoiser"), PARTS)
    encode = not given.get("encode")
    from roofline.runs.training.sizes import Batches

    steps, _ = length_of(given, Batches(shared["micro_batch"], shared["global_batch"]), 0.0)
    run = TrainRun(
        steps=steps,
        height=side_of(spec, "height", given.get("height")),
        width=side_of(spec, "width", given.get("width")),
        cached=encode,
        judges=cast("Any", one_of("judges", given.get("judges", "none"), JUDGES)),
        part=cast("Any", part),
        **shared,
    )
    return run, notes


def _adapters(given: Mapping[str, Any]) -> tuple[Adapters | None, str | None]:
    """The adapters, and the format of what is below them. Raises UsageError for a rank of 0."""
    if given.get("lora") is None:
        for name in ("targets", "base"):
            if name in given:
                raise UsageError(f"--{name} goes with adapters: --lora RANK")
        return None, None
    rank = float(whole_number("lora", given["lora"]))
    targets = given.get("targets") or ()
    names = tuple(name.strip() for name in targets.split(",")) if isinstance(targets, str) else tuple(targets)
    return Adapters(rank, names), given.get("base")
