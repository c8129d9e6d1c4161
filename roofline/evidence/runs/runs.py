"""Measured runs: the phases that each one ran, and what an engine should have taken for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from roofline.analysis.evaluate import in_stages, without_received
from roofline.errors import RooflineError, UnknownNameError, UnknownVersionError, UsageError
from roofline.evidence.runs.rows import MeasuredRun
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.engine import Engine, find_engine
from roofline.machine.expected import KindTime, expected_phase_time, kind_time
from roofline.machine.machine import Machine
from roofline.machine.time import PhaseCost, phase_cost
from roofline.passes.chunking import chunks_of, in_chunks
from roofline.passes.parallel.shard import shard
from roofline.runs.ask import ask
from roofline.runs.kind import Question
from roofline.runs.text.service.steady import beside_prompt, shares_of
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase, Workload


class Part(NamedTuple):
    """A phase of a measured run: how often it repeats, its formats, and over how many sequences it runs.

    One that `rides` shares the step of another part, and its weights. In a pipeline, `stages` are what a device of each
    kind of stage runs of it per microbatch, and how many such stages there are.
    """

    phase: Phase
    repeat: float
    precision: Precision
    batch: float
    rides: bool = False
    stages: tuple[tuple[Phase, int], ...] = ()
    microbatches: float = 1.0

    def seconds(self, seconds_of: Callable[[Phase], float]) -> float:
        """Seconds of one repeat, where so many are those of a phase on one device."""
        if not self.stages:
            return seconds_of(self.phase)
        each = [(seconds_of(phase), number) for phase, number in self.stages]
        steady = self.phase.name == "decode"
        return float(in_stages([(time, time, number) for time, number in each], self.microbatches, steady))


@dataclass(frozen=True)
class PreparedRun:
    """A row with its parts, and how often it pays for a request: what is needed to expect it with any engine.

    `mixed` are the parts where prompts are prefilled within decode steps; the same where there are none. Where it was
    `served`, the first part is a step of all, which a token takes at least.
    """

    run: MeasuredRun
    question: Question
    parts: tuple[Part, ...]
    mixed: tuple[Part, ...]
    requests: float
    served: bool = False

    def parts_of(self, engine: Engine) -> tuple[Part, ...]:
        """The parts as an engine runs them: those with prompts within decode steps where it mixes them."""
        return self.mixed if engine.mixes else self.parts

    def expected(self, engine: Engine, without: str | None = None) -> float:
        """Seconds that it should take; `without` takes a chip's own measured coefficients away."""
        return self.expected_on(ChipEfficiency.of(self.question.gpu, engine=engine, without=without))

    def expected_on(self, chip: ChipEfficiency, time_of: KindTime = kind_time) -> float:
        """Seconds that it should take on its chip, which an engine drives; `time_of` tells those of a kernel."""
        engine, host, machine = chip.engine, float(chip.host), self.machine
        total, least = self.requests * engine.request_s * host, 0.0
        for part in self.parts_of(engine):
            precision, batch = _multiplied_by(part.precision, engine), part.batch

            def of(phase: Phase, precision: Precision = precision, batch: float = batch) -> float:
                return float(expected_phase_time(phase, precision, machine, chip, batch, time_of))

            time = part.seconds(of)
            total += part.repeat * (time - host * engine.step_s if part.rides else time)
            least = least or time
        return max(total, least) if self.served else total

    @cached_property
    def machine(self) -> Machine:
        """The machine that it ran on."""
        return self.question.machine()

    def bounds(self) -> tuple[float, float]:
        """Seconds of the floor and of the roofline, without what crosses links."""
        floor, bound = 0.0, 0.0
        for part in self.parts:
            precision = part.precision

            def cost(phase: Phase, precision: Precision = precision) -> PhaseCost:
                return phase_cost(phase, precision, self.machine)

            floor += part.repeat * part.seconds(lambda phase: float(cost(phase).floor_s))
            bound += part.repeat * part.seconds(lambda phase: float(cost(phase).bound_s))
        return floor, bound


def _multiplied_by(precision: Precision, engine: Engine) -> Precision:
    """Formats of a row as an engine multiplies them that has no habit of its own, where the row's engine has one."""
    return precision if engine.multiplies or not precision.ways.blocks else _widened(precision)


@lru_cache(maxsize=256)
def _widened(precision: Precision) -> Precision:
    return precision.multiplied(precision.ways._replace(blocks=""))


def _prepared(
    run: MeasuredRun, question: Question, parts: Iterable[tuple[Phase, float]], requests: float = 1.0
) -> PreparedRun:
    found = tuple(Part(phase, turns, question.precision_of(phase), float(run.batch)) for phase, turns in parts)
    return PreparedRun(run, question, found, found, requests)


def known_engine(name: str, spec_dir: str | None = None) -> str | None:
    """The engine that a row names, as `find_engine` gives it; None for a name of one's own.

    Raises UnknownVersionError for one that is known, but not in that version.
    """
    try:
        return find_engine(name, spec_dir)
    except UnknownVersionError:
        raise
    except UnknownNameError:
        return None


def _prepare_image(run: MeasuredRun, spec_dir: str | None) -> PreparedRun:
    """The phases of an image model's row: all of them, or one call of the denoiser."""
    options: dict[str, Any] = dict(run.image)
    if not run.plan.single:
        raise UsageError("several GPUs for one picture cannot be told by a row")
    engine = known_engine(run.engine, spec_dir)
    if engine is not None:
        options["engine"] = engine
    formats = {"weights": run.weights, "activations": run.activations}
    level = {"fusion": run.fusion} if run.fusion else {}  # as the engine does where the row says nothing
    given = {"batch": run.batch, "spec_dir": spec_dir, **formats, **level}
    question = ask(run.model, run.gpu, given | options)
    if not question.kind.level_phase:
        raise UsageError(f"{run.model} is {question.kind.noun}, and the row has the columns of an image")
    phases = question.stages().each[0].workload.phases
    if run.metric == "step_ms":
        steps = [(phase, 1.0) for phase in phases if phase.name == "denoise"]
        if not steps:
            raise UsageError(f"{run.model} has no denoising step that step_ms could be about")
        return _prepared(run, question, steps, 0.0)
    return _prepared(run, question, [(phase, float(phase.repeat)) for phase in phases])


def prepare(run: MeasuredRun, spec_dir: str | None = None) -> PreparedRun:
    """The phases that a row's metric is about. Raises RooflineError where the row cannot be expressed."""
    if run.apart:
        raise UsageError(f"set apart: {run.apart}")
    if run.of_image:
        return _prepare_image(run, spec_dir)
    alone = run.metric in ("ttft_ms", "prefill_tokens_per_s")
    lengths = {"batch": run.batch, "prompt": run.prompt, "generate": 1 if alone else max(run.generate, 1)}
    cache = run.kv_cache if run.generate else None  # a table has a column for it, a run without new tokens no cache
    formats = {"weights": run.weights, "activations": run.activations, "kv_cache": cache, "spec_dir": spec_dir}
    engine = known_engine(run.engine, spec_dir)
    habits: dict[str, Any] = {"engine": engine} if engine else {"chunk": "none"}
    if run.chunk is not None:
        habits["chunk"] = run.chunk
    question = ask(run.model, run.gpu, lengths | formats | habits)
    _check_weights(run, question)
    if run.metric == "served_tpot_ms":
        return _prepare_served(run, question)
    if run.plan.pp > 1:
        devices = {"gpus": run.plan.devices, "tp": run.plan.tp, "pp": run.plan.pp}
        return _in_pipeline(run, ask(run.model, run.gpu, lengths | formats | habits | devices))
    phases = _sharded(run, question, run.batch)
    if run.metric == "tpot_ms":
        return _prepared(run, question, [(_decode(run, phases), 1.0)], 0.0)
    return _prepared(run, question, [(phase, float(phase.repeat)) for phase in phases])


def _in_pipeline(run: MeasuredRun, question: Question) -> PreparedRun:
    """The phases over all stages, whose microbatches follow each other."""
    stages = question.stages()
    micro = float(stages.microbatches)
    parts = []
    for place, phase in enumerate(stages.each[0].workload.phases):
        each = tuple((without_received(stage.workload.phases[place]), stage.number) for stage in stages.each)
        precision = question.precision_of(phase)
        parts.append(Part(phase, float(phase.repeat), precision, run.batch / micro, False, each, micro))
    if run.metric == "tpot_ms":
        _decode(run, [part.phase for part in parts])
        parts = [parts[1]._replace(repeat=1.0)]
    found = tuple(parts)
    return PreparedRun(run, question, found, found, 0.0 if run.metric == "tpot_ms" else 1.0)


def _check_weights(run: MeasuredRun, question: Question) -> None:
    """Refuses a row whose weights alone are more than its devices hold, of unified memory what the machine has: what
    the system lets the GPU have of it can be raised.
    """
    held, room = float(question.workload().weight_bytes(question.precision)), float(question.gpu.memory.size)
    devices = run.plan.devices
    if held > devices * room:
        raise UsageError(
            f"{held / 1e9:,.0f} GB of weights cannot have run on {devices} x {question.gpu.name} of "
            f"{room / 1e9:,.0f} GB: the model, the format (weights) or the number of GPUs (gpus) must be another"
        )


def _prepare_served(run: MeasuredRun, question: Question) -> PreparedRun:
    """A decode step, and its share of the prefills of the other requests, which the server puts in between: what one
    output token takes in a steady load.
    """
    apart, mixed = (shares_of(float(run.batch), float(run.generate), mixes=mixes) for mixes in (False, True))
    step = _decode(run, _sharded(run, question, run.batch))
    prefill = _sharded(run, question, 1)[0]
    found = _prepared(run, question, [(step, 1.0), (prefill, float(apart.prompts))], float(apart.prompts))
    alone, filled = found.parts[0], found.parts[1]._replace(batch=1.0)
    riding = alone._replace(phase=beside_prompt(step), repeat=float(mixed.riding), rides=True)
    return replace(
        found, parts=(alone, filled), mixed=(alone._replace(repeat=float(mixed.steps)), filled, riding), served=True
    )


def _sharded(run: MeasuredRun, question: Question, batch: float) -> Sequence[Phase]:
    """The phases on one device, the prompts in chunks where the engine takes them so."""
    lengths = replace(question.run, batch=float(batch))
    own = _shard(run, question, lengths)
    chunks = chunks_of(lengths, question.execution.chunk)
    if chunks is not None:
        mean = None if chunks.mean is None else _shard(run, question, chunks.mean)
        own = in_chunks(own, chunks.number, mean, _shard(run, question, chunks.widest))
    return own.phases


def _shard(run: MeasuredRun, question: Question, lengths: Any) -> Workload:
    return shard(question.workload(lengths), run.plan)


def _decode(run: MeasuredRun, phases: Sequence[Phase]) -> Phase:
    if len(phases) < 2:
        raise UsageError("a time per token of a run that generates none")
    return phases[1]


def prepare_all(runs: list[MeasuredRun], spec_dir: str | None = None) -> tuple[list[PreparedRun], list[str]]:
    """The rows that can be expressed, and why the others cannot."""
    prepared, refused = [], []
    for run, result in _each(runs, spec_dir):
        if isinstance(result, PreparedRun):
            prepared.append(result)
        else:
            refused.append(f"{run.place}: {result}")
    return prepared, refused


def _each(runs: list[MeasuredRun], spec_dir: str | None) -> Iterator[tuple[MeasuredRun, PreparedRun | str]]:
    for run in runs:
        try:
            yield run, prepare(run, spec_dir)
        except RooflineError as error:
            yield run, str(error).splitlines()[0]
