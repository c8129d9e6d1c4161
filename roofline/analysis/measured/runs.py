"""Measured runs: rows of a CSV, what each one ran, and what an engine should have taken for it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.analysis.question import Question, ask
from roofline.errors import RooflineError, UsageError
from roofline.machine.efficiency import ChipEfficiency
from roofline.machine.engine import Engine, engine_names
from roofline.machine.expected import expected_phase_time
from roofline.machine.time import phase_cost
from roofline.passes.joined import join_projections
from roofline.passes.parallel import shard
from roofline.workload.op import Op
from roofline.workload.plan import Plan
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase

#: Metrics and the unit in which a file gives them.
METRICS: Final = {
    "latency_ms": "ms of the whole request", "ttft_ms": "ms to the first token", "tpot_ms": "ms per step of the batch",
    "output_tokens_per_s": "generated tokens per second of the batch",
    "prefill_tokens_per_s": "prompt tokens per second of the batch",
    "served_tpot_ms": "ms per output token of each of `batch` requests that a server always has at work",
    "step_ms": "ms of one call of an image model's denoiser, guidance included",
}  # fmt: skip
_NEEDED: Final = ("model", "gpu", "engine", "batch", "metric", "value")
#: Other names of columns, and of formats.
_COLUMNS: Final = {"prompt": "input_len", "generate": "output_len"}
_IMAGE: Final = ("height", "width", "steps")
_FORMATS: Final = {"int8-g64": "mlx-8bit", "int6-g64": "mlx-6bit", "int5-g64": "mlx-5bit"}


class MeasuredRun(NamedTuple):
    """One row: what was run, and what a clock showed."""

    line: int
    label: str
    source: str
    model: str
    gpu: str
    engine: str
    weights: str | None
    kv_cache: str | None
    plan: Plan
    batch: int
    prompt: int
    generate: int
    metric: str
    value: float
    image: tuple[tuple[str, int], ...] = ()
    fusion: str = "flash"
    apart: str = ""  # why the row takes no part

    @property
    def place(self) -> str:
        """Its name and line, for messages."""
        line = f"line {self.line}"
        return line if self.label == line else f"{self.label} ({line})"

    @property
    def seconds(self) -> float:
        """The measured time: of the request, the prefill or the step that the metric is about."""
        if self.metric == "output_tokens_per_s":
            return self.batch * self.generate / self.value
        if self.metric == "prefill_tokens_per_s":
            return self.batch * self.prompt / self.value
        return self.value * 1e-3


class Part(NamedTuple):
    """A phase of a measured run: how often it repeats, its formats, and over how many sequences it runs.

    One that `rides` shares the step of another part, and its weights.
    """

    phase: Phase
    repeat: float
    precision: Precision
    batch: float
    rides: bool = False


@dataclass(frozen=True)
class PreparedRun:
    """A row with its parts, and how often it pays for a request: what is needed to expect it with any engine.

    `mixed` are the parts where prompts are prefilled within decode steps; the same where there are none.
    """

    run: MeasuredRun
    question: Question
    parts: tuple[Part, ...]
    mixed: tuple[Part, ...]
    requests: float
    _joined: dict[tuple[str, bool], tuple[Part, ...]] = field(default_factory=dict, compare=False, repr=False)

    def parts_of(self, engine: Engine) -> tuple[Part, ...]:
        """The parts as an engine runs them, its projections joined, equal ops made one."""
        key = (engine.joins, engine.mixes)
        found = self._joined.get(key)
        if found is None:
            parts = self.mixed if engine.mixes else self.parts
            found = self._joined[key] = tuple(_merged(part, engine.joins) for part in parts)
        return found

    def expected(self, engine: Engine, without: str | None = None) -> float:
        """Seconds that it should take; `without` takes a chip's own measured coefficients away."""
        q = self.question
        chip = ChipEfficiency.of(q.gpu, engine=engine, without=without)
        host = float(chip.host)
        total = self.requests * engine.request_s * host
        for phase, repeat, precision, batch, rides in self.parts_of(engine):
            time = float(expected_phase_time(phase, precision, q.machine(), chip, batch))
            total += repeat * (time - host * engine.step_s if rides else time)
        return total

    def bounds(self) -> tuple[float, float]:
        """Seconds of the floor and of the roofline, without what crosses links."""
        machine = self.question.machine()
        costs = [(phase_cost(part.phase, part.precision, machine), part.repeat) for part in self.parts]
        return sum(float(c.floor_s) * n for c, n in costs), sum(float(c.bound_s) * n for c, n in costs)


def read_runs(path: Path) -> list[MeasuredRun]:
    """The rows of a CSV. Raises UsageError, with the line, for what is missing, not a number or not positive."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        fields = [_COLUMNS.get(name, name) for name in reader.fieldnames or ()]
        reader.fieldnames = fields
        missing = [name for name in _NEEDED if name not in fields]
        if missing:
            raise UsageError(f"{path}: no column {', '.join(missing)}; there are: {', '.join(fields)}")
        runs = [_run(row, reader.line_num, path) for row in reader]
    if not runs:
        raise UsageError(f"{path}: no rows")
    return runs


def _run(row: dict[str, str], line: int, path: Path) -> MeasuredRun:
    def whole(name: str, default: int, least: int = 1) -> int:
        text = (row.get(name) or "").strip() or str(default)
        try:
            value = float(text)
        except ValueError:
            raise UsageError(f"{path}, line {line}: {name} is {text!r}, not a number") from None
        if value != int(value) or value < least:
            raise UsageError(f"{path}, line {line}: {name} is {text}, not a whole number of at least {least}")
        return int(value)

    metric = row["metric"]
    if metric not in METRICS:
        raise UsageError(f"{path}, line {line}: metric {metric!r} is none of {', '.join(METRICS)}")
    unit, own = (row.get("unit") or "").strip(), "ms" if metric.endswith("_ms") else "tok/s"
    if unit and not unit.lower().startswith((own, "tokens/s") if own == "tok/s" else own):
        raise UsageError(f"{path}, line {line}: the unit is {unit!r}, and {metric} is in {own}; convert the value")
    try:
        value = float(row["value"])
    except ValueError:
        raise UsageError(f"{path}, line {line}: value is {row['value']!r}, not a number") from None
    if not 0.0 < value < float("inf"):
        raise UsageError(f"{path}, line {line}: value is {row['value']}, not a positive number")
    weights = row.get("weights") or None
    devices = whole("gpus", 1)
    stages = whole("pipeline_parallel", 1)
    return MeasuredRun(
        line=line, label=row.get("id") or f"line {line}", source=row.get("source") or "", model=row["model"],
        gpu=row["gpu"], engine=row["engine"], weights=_FORMATS.get(weights, weights) if weights else None,
        kv_cache=row.get("kv_cache") or None,
        plan=Plan(tp=whole("tensor_parallel", devices // stages or 1), pp=stages),
        batch=whole("batch", 1), prompt=max(1, whole("input_len", 1, 0)), generate=whole("output_len", 1, 0),
        metric=metric, value=value,
        image=tuple((name, whole(name, 1)) for name in _IMAGE if (row.get(name) or "").strip()),
        fusion=row.get("fusion") or "flash", apart=row.get("apart") or "",
    )  # fmt: skip


def _merged(part: Part, joins: str) -> Part:
    """The part with equal ops made one, so that each is expected once: their times do not depend on their names.

    They do where a format of its own belongs to a name or to a block.
    """
    counts: dict[Op, float] = {}
    for op in join_projections(part.phase.ops, joins):
        alike = op._replace(count=1.0) if part.precision.overrides else op._replace(name="", block="", count=1.0)
        counts[alike] = counts.get(alike, 0.0) + op.count
    ops = tuple(op._replace(count=count) for op, count in counts.items())
    return part._replace(phase=replace(part.phase, ops=ops))


def _prepared(
    run: MeasuredRun, question: Any, parts: Iterable[tuple[Phase, float]], requests: float = 1.0
) -> PreparedRun:
    formats = getattr(question, "precision_of", lambda _: question.precision)
    found = tuple(Part(phase, turns, formats(phase), float(run.batch)) for phase, turns in parts)
    return PreparedRun(run, question, found, found, requests)


def _prepare_image(run: MeasuredRun, spec_dir: str | None) -> PreparedRun:
    """The phases of an image model's row: all of them, or one call of the denoiser."""
    options: dict[str, Any] = dict(run.image)
    if run.engine in engine_names():
        options["engine"] = run.engine
    question: Any = ask(
        run.model, run.gpu, batch=run.batch, weights=run.weights, fusion=run.fusion, spec_dir=spec_dir, **options
    )
    if isinstance(question, Question):
        raise UsageError(f"{run.model} is a language model, and the row has the columns of an image")
    phases = question.workload().phases
    if run.metric == "step_ms":
        return _prepared(run, question, [(phase, 1.0) for phase in phases if phase.name == "denoise"])
    return _prepared(run, question, [(phase, float(phase.repeat)) for phase in phases])


def prepare(run: MeasuredRun, spec_dir: str | None = None) -> PreparedRun:
    """The phases that a row's metric is about. Raises RooflineError where the row cannot be expressed."""
    if run.apart:
        raise UsageError(f"set apart: {run.apart}")
    if run.image or run.metric == "step_ms":
        return _prepare_image(run, spec_dir)
    alone = run.metric in ("ttft_ms", "prefill_tokens_per_s")
    question = ask(
        run.model, run.gpu, batch=run.batch, prompt=run.prompt, generate=1 if alone else max(run.generate, 1),
        weights=run.weights, kv_cache=run.kv_cache, spec_dir=spec_dir,
    )  # fmt: skip
    if run.metric == "served_tpot_ms":
        return _prepare_served(run, question)
    stages = run.plan.pp
    micro = min(run.batch, stages)  # microbatches: the stages work on different parts of the batch
    phases = _sharded(run, question, run.batch / micro)
    if run.metric == "tpot_ms":
        return _prepared(run, question, [(_decode(run, phases), float(max(stages, micro)))], 0.0)
    turns = (float(stages + micro - 1), *(float(phase.repeat) * max(stages, micro) for phase in phases[1:]))
    return _prepared(run, question, zip(phases, turns, strict=True))


def _prepare_served(run: MeasuredRun, question: Question) -> PreparedRun:
    """A decode step, and its share of the prefills of the other requests, which the server puts in between.

    While a request decodes its `generate` tokens, each of the others ends once on average,
    and the next one is prefilled. Where the engine prefills within a decode step, that step reads the weights once, and
    of the decode only attention is left beside the prefill.
    """
    others = (run.batch - 1.0) / max(run.generate, 1)
    step = _decode(run, _sharded(run, question, run.batch))
    prefill = _sharded(run, question, 1)[0]
    apart = _prepared(run, question, [(step, 1.0), (prefill, others)], others)
    alone, filled = apart.parts[0], apart.parts[1]._replace(batch=1.0)
    shared = min(others, 1.0)
    beside = replace(step, ops=tuple(op for op in step.ops if op.kind in ("attention", "scan")))
    return replace(apart, parts=(alone, filled), mixed=(
        alone._replace(repeat=1.0 - shared), filled, alone._replace(phase=beside, repeat=shared, rides=True),
    ))  # fmt: skip


def _sharded(run: MeasuredRun, question: Question, batch: float) -> Sequence[Phase]:
    return shard(question.ideal_workload(replace(question.run, batch=batch)), run.plan).phases


def _decode(run: MeasuredRun, phases: Sequence[Phase]) -> Phase:
    if len(phases) < 2:
        raise UsageError(f"{run.label}: a time per token of a run that generates none")
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
