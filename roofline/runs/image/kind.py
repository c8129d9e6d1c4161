"""Runs of image models: a pipeline from prompt to picture, or one part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any, ClassVar, Final, cast

from roofline.answer.derivation import Derivation
from roofline.answer.memory import Memory
from roofline.answer.phase import Parameters, PhaseEstimate, Warn
from roofline.answer.plain import counted, counted_whole, plain
from roofline.answer.quantity import Quantity
from roofline.answer.sold import Sold
from roofline.answer.times import Times
from roofline.architectures.image.pipeline import image_workload
from roofline.errors import UsageError
from roofline.machine.engine import IDEAL, find_engine, read_engine, sums_in_half
from roofline.machine.engine_lookup import engine_inputs, engine_told
from roofline.num import Num
from roofline.passes.image.levels import LEVELS, OF_FUSION, Level, image_level, without_casts
from roofline.passes.image.offload import read_picture_offload
from roofline.passes.parallel.pictures import split_pictures
from roofline.runs.budget import BARE
from roofline.runs.changes import Change
from roofline.runs.checks import one_of
from roofline.runs.devices.spread import ALONE, Spread
from roofline.runs.execution import Execution, Stage, Stages, machine_of
from roofline.runs.formats import own_dtype, ways_of
from roofline.runs.image.changes import image_changes, image_formats, image_plans
from roofline.runs.image.formats import phase_precision, read_formats, stated_formats
from roofline.runs.image.held import has_no_host, no_host_words
from roofline.runs.image.memory import image_bytes, image_memory
from roofline.runs.image.options import away_of, image_run, refuse_gpus, refuse_useless, takes_pixels, takes_steps
from roofline.runs.image.transfer import beyond_work, transfer
from roofline.runs.image.whole import as_a_whole
from roofline.runs.kind import Kind, Needs, Outcome, Question, kept_workload
from roofline.runs.option import Option
from roofline.runs.options import AXES, asked
from roofline.runs.telling.levels import OF_IMAGES
from roofline.runs.telling.spoken import Spoken, Told
from roofline.specs.gpu import GPUSpec
from roofline.specs.image.parts import ImageSpec
from roofline.units import format_time
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun
from roofline.workload.workload import Phase, Workload

#: What `generic` means for pictures: the engine with most runs of image models behind it.
GENERIC: Final = "pytorch-eager"
#: The options of several devices that image models take.
_SPREADS: Final = frozenset({"gpus", "cp", "dp", "node", "overlap"})
_OF_STEPS: Final = ("control", "denoise")
_HOUR: Final = 3600.0
_HELD: Final = ("weights_bytes", "activation_peak_bytes", "workspace_bytes", "total_bytes", "capacity_bytes", "fits")


class Image(Kind):
    """A batch of pictures: prompts are encoded, noise is denoised in steps, and the result is decoded."""

    name: ClassVar[str] = "image"
    noun: ClassVar[str] = "an image model"
    levels: ClassVar[Mapping[str, str]] = OF_IMAGES
    level_phase: ClassVar[str] = "denoise"
    sizes: ClassVar[tuple[str, ...]] = ("batch", "height", "width", "steps")
    columns: ClassVar[tuple[str, ...]] = ("step_s", "total_s", "images_per_s", *_HELD)
    costs: ClassVar[str] = "total_s"
    curves: ClassVar[Mapping[str, str]] = {"latency": "total_s", "throughput": "images_per_s"}
    focus: ClassVar[Mapping[str, Spoken]] = {
        "denoise": Spoken("step_s", "Denoising", "per step", ("image_s", "per picture"))
    }

    def takes(self, spec: Any) -> bool:
        """Whether it is an image model or a part of one."""
        return isinstance(spec, ImageSpec)

    def refusal(self, option: Option, spec: Any) -> str:
        """Why an option of another kind is not taken."""
        if option.name in AXES:
            several = "several GPUs share tokens (--cp) or batches (--dp)"
            return f"{option.flag} is not modelled for image models; {several}"
        return f"{option.flag} goes with language models, and {spec.name} is {self.noun}"

    def resolve(
        self, spec: Any, gpu: GPUSpec, given: Mapping[str, Any], spec_dir: str | None
    ) -> tuple[ImageRun, Execution]:
        """The run and its execution. Raises UsageError, UnknownNameError or SpecError."""
        named = asked(given, "engine")
        engine = find_engine(GENERIC if named == "generic" else named, spec_dir)
        refuse_useless(spec, given)
        run = image_run(spec, given)
        word = one_of("fusion", asked(given, "fusion") or _fusion_of(engine), dict.fromkeys(("eager", *LEVELS)))
        level = OF_FUSION.get(word, word)
        own = own_dtype(spec.dtype, machine_of(gpu))
        stated = "" if given.get("weights") else stated_formats(spec)
        asked_for = {**given, "weights": own + stated} if stated else given
        formats = read_formats(asked_for, own, lambda: kept_workload(self, spec, run))
        precision = formats.multiplied(ways_of(engine, machine_of(gpu), GENERIC))
        spread = _spread(spec, gpu, given, spec_dir)
        budget = BARE._replace(all_seen=engine == IDEAL)
        return run, Execution(precision, level, engine, spread, word, sums_in_half(engine), budget=budget)

    def workload(self, spec: Any, run: Any) -> Workload:
        """The phases as built: one op per kernel, attention fused."""
        return image_workload(spec, run)

    def stages(self, question: Question, run: Any) -> Stages:
        """One device: all phases, its denoiser on a share of the tokens; where everything is fp32, without casts."""
        ideal = split_pictures(question.workload(run), question.spread.plan.cp, run.batch * run.passes)
        workload = image_level(ideal, cast("Level", question.execution.level))
        if question.precision.activations.bits >= 32:
            phases = (replace(phase, ops=tuple(without_casts(phase.ops))) for phase in workload.phases)
            workload = Workload(tuple(phases))
        return Stages((Stage(1, workload, ideal),))

    def apart(self, question: Question) -> tuple[str, ...]:
        """Those on which it depends what a compiler joins and what GPUs share: which of two tensors is the larger."""
        uneven = question.execution.level == "compiled" or question.spread.plan.cp > 1
        return ("batch", "height", "width") if uneven else ()

    def precision_of(self, question: Question, phase: Phase) -> Precision:
        """The format of a phase: the autoencoder's own where fp16 overflows it, matrices that stay in fp32."""
        precision = question.execution.precision
        found = phase_precision(question.spec, precision, phase.component)
        used = found is precision or not found.overrides or any(op.name in found.overrides for op in phase.ops)
        return found if used else precision

    def parameters(self, question: Question, whole: Workload) -> Parameters:
        """All, each of which every picture uses."""
        return Parameters(whole.parameters, whole.parameters, whole.embedding_parameters)

    def held(self, question: Question, stages: Stages) -> Num:
        """Bytes on the GPU."""
        return image_bytes(question, stages)

    def memory(self, question: Question, stages: Stages, parameters: Parameters, needs: Needs) -> Memory:
        """Weights and activations by part; the largest batch and square picture."""
        return image_memory(question, stages, needs)

    def changes(self, question: Question) -> Iterator[Change]:
        """Tiles, and parts elsewhere."""
        return image_changes(question)

    def formats(self, question: Question) -> Iterator[Change]:
        """Narrower formats as they are loaded for pictures."""
        return image_formats(question)

    def plans(self, question: Question, gpus: int, node: int) -> Iterator[Mapping[str, Any]]:
        """Tokens of the denoiser over so many devices."""
        return image_plans(question, gpus, node)

    def quantities(self, question: Question, phases: tuple[PhaseEstimate, ...], memory: Memory) -> Iterator[Quantity]:
        """Time of a step, of fetching parts, of all pictures; pictures per second."""
        steps = [phase.times for phase in phases if phase.name in _OF_STEPS]
        step = reduce(Times.__add__, steps) if steps else None
        yield Quantity("step_s", "latency", "time per step", "s", step)
        fetched = transfer(question, memory)
        away = away_of(question.spread)
        behind = ", behind work" if away is not None and away.hidden else ""
        yield Quantity("transfer_s", "latency", f"weights from the host{behind}", "s", fetched)
        phases = as_a_whole(question, phases)
        total = reduce(Times.__add__, (phase.times * phase.repeat for phase in phases))
        if fetched is not None:
            total = total + beyond_work(question, phases, fetched)
        batch, pixels = question.run.batch, takes_pixels(question.spec)
        alone = isinstance(batch, float) and batch == 1
        title = ("whole picture" if alone else "whole batch") if pixels else "all prompts"
        yield Quantity("total_s", "latency", title, "s", total, phases=tuple(phase.name for phase in phases))
        name, made = ("images_per_s", "pictures") if pixels else ("prompts_per_s", "prompts")
        rate = total.rate(batch * float(question.spread.plan.dp))
        if pixels:
            yield Quantity("image_s", "latency", "" if alone else "each picture", "s", total * (1.0 / batch))
        yield Quantity(name, "throughput", f"{made} per second", made, rate)
        if pixels:
            yield Quantity("images_per_hour", "throughput", "pictures per hour", made, rate * _HOUR)

    def sold(self, question: Question, phases: tuple[PhaseEstimate, ...]) -> Iterator[Sold]:
        """Pictures; of a part of a pipeline that makes none, prompts."""
        made = question.run.batch * float(question.spread.plan.dp)
        if takes_pixels(question.spec):
            names = ("cost_per_thousand_images", "a thousand pictures", 1e3, made, (), "joules_per_image", "a picture")
        else:
            names = ("cost_per_million_prompts", "a million prompts", 1e6, made, (), "joules_per_prompt", "a prompt")
        yield Sold(*names)

    def pace(self, outcome: Outcome) -> Quantity | None:
        """Seconds per picture, or per prompt of a text encoder, on one replica."""
        found, total = outcome.quantity("image_s"), outcome.quantity("total_s")
        if found is not None or total is None or total.times is None:
            return found and found._replace(title="per picture")
        return Quantity("prompt_s", "latency", "per prompt", "s", total.times * (1.0 / outcome.question.run.batch))

    def inputs(self, outcome: Outcome) -> dict[str, Any]:
        """Sizes, steps and formats; None for those without meaning for this part."""
        q, run = outcome.question, outcome.question.run
        pixels, steps = takes_pixels(q.spec), takes_steps(q.spec)
        sized = {"height": plain(run.height), "width": plain(run.width)}
        stepped = {"steps": plain(run.steps), "guidance": run.guidance, "scheduler": run.scheduler}
        return {
            "batch": plain(run.batch),
            **(sized if pixels else dict.fromkeys(sized)),
            **(stepped if steps else dict.fromkeys(stepped)),
            "strength": run.strength,
            "tiling": "vae" if run.tiled else False,
            "slicing": run.sliced,
            "no_safety_checker": not run.checked,
            "weights": q.precision.label,
            "activations": q.precision.activations_label,
            "fusion": q.execution.asked_level,
            "level": q.execution.level,
            **engine_inputs(q.engine),
        }

    def assumptions(self, outcome: Outcome) -> list[str]:
        """Everything that was assumed rather than asked."""
        from roofline.runs.image.notes import image_assumptions

        return image_assumptions(outcome)

    def warnings(self, outcome: Outcome) -> list[Warn]:
        """What the user should know before trusting the numbers."""
        from roofline.runs.image.notes import image_warnings

        return image_warnings(outcome)

    def derivations(self, outcome: Outcome) -> Iterator[Derivation]:
        """Where the bound's numbers come from."""
        from roofline.runs.image.derivations import image_derivations

        return image_derivations(outcome)

    def told(self, question: Question) -> Told:
        """Batch, size and steps, formats, level and engine."""
        run, p, execution = question.run, question.precision, question.execution
        heading, setting = f"batch {run.batch:,.0f}", counted(run.batch, "prompt")
        if takes_pixels(question.spec):
            size = f"{run.height:g}×{run.width:g} px"
            heading, setting = f"{heading}, {size}", f"{counted(run.batch, 'picture')} of {size}"
        if takes_steps(question.spec):
            more = f" (×{run.passes:g} batch)" if run.passes > 1 else ""
            steps = counted(run.steps, "step")
            heading += f", {steps} of {run.scheduler}, guidance {run.guidance:g}{more}"
            setting += f" in {steps}"
        ways = [words for words, used in (("in tiles", run.tiled), ("picture by picture", run.sliced)) if used]
        heading += f"; autoencoder {', '.join(ways)}" if ways else ""
        level = f"fusion {execution.asked_level}"
        level += f" (level {execution.level})" if execution.level != execution.asked_level else ""
        formats = f"weights {p.label}, activations {p.activations_label}"
        return Told(
            f"{heading}; {formats}; {level}; engine {engine_told(question.engine)}", setting, "Latency and throughput"
        )

    def requests(self, question: Question, number: int) -> str:
        """So many pictures of the question's size, or prompts of a text encoder."""
        if not takes_pixels(question.spec):
            return counted_whole(number, "prompt")
        return f"{counted_whole(number, 'picture')} of {question.run.height:g}×{question.run.width:g} px"

    def speech(self, outcome: Outcome) -> str:
        """How long all takes, and a step of it."""
        at = {q.name: format_time(float(q.times.expected)) for q in outcome.quantities if q.times and q.unit == "s"}
        text = f"{at['total_s']} in all"
        return f"{text}, {at['step_s']} per step" if "step_s" in at else text


def _fusion_of(engine: str) -> str:
    """How an engine cuts the work into kernels where nothing is said."""
    return "flash" if engine == IDEAL else read_engine(engine).fusion


KIND: Final[Kind] = Image()


def _spread(spec: ImageSpec, gpu: GPUSpec, given: Mapping[str, Any], spec_dir: str | None) -> Spread:
    """How an image run is spread; devices alone share the tokens of the pictures."""
    away = read_picture_offload(str(given.get("offload", "none")))
    refuse_gpus(spec, given)
    if away is not None and has_no_host(gpu):
        raise UsageError(no_host_words(gpu, away))
    options = {name: given[name] for name in _SPREADS & given.keys()}
    if "gpus" in options and not options.keys() & {"cp", "dp"}:
        options["cp"] = options["gpus"]
    if not options and away is None and "runtime_reserve" not in given:
        return ALONE
    from roofline.runs.devices.resolve import read_reserve, resolve_spread

    spread = resolve_spread(gpu, options, spec_dir) if options else ALONE
    reserve = read_reserve(given.get("runtime_reserve"), gpu.memory.capacity, spec_dir)
    if away is None and not reserve.bytes:
        return spread
    return replace(spread, away=away, reserve=reserve, alone=False)
