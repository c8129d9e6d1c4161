"""Measured points of a CSV: rates of kernels as somebody timed them, or the runs that `roofline validate` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.errors import RooflineError, UsageError, did_you_mean
from roofline.evidence.runs.rows import MeasuredRun, read_file
from roofline.evidence.runs.runs import known_engine
from roofline.evidence.runs.table import Row, plain_name, read_lines, shown
from roofline.report.plots.roof.ledger import Kernel, Ledger, ledger_of
from roofline.runs.ask import ask
from roofline.runs.load import locate_gpu, locate_model
from roofline.specs.files.paths import expanded

#: Columns that say where a point stands, and how fast it was; the unit of a time is in its name.
_TIMES: Final = {"time_s": 1.0, "time_ms": 1e-3, "time_us": 1e-6}
_RATES: Final = {"rate": 1.0, "gflops": 1e9, "tflops": 1e12}
_NUMBERS: Final = ("intensity", "flops", "bytes", *_RATES, *_TIMES)
_COLUMNS: Final = ("name", "gpu", "phase", "op", *_NUMBERS)
#: What the rows of measured runs have, and these have not.
_OF_RUNS: Final = frozenset({"metric", "value"})
#: The phase that a metric of a run timed; None: the whole of it. The others mix phases.
_FIRST: Final = "first"
_TIMED: Final[Mapping[str, str | None]] = {
    "ttft_ms": _FIRST,
    "prefill_tokens_per_s": _FIRST,
    "tpot_ms": "decode",
    "step_ms": "denoise",
    "latency_ms": None,
    "output_tokens_per_s": None,
}
_MOST: Final = 1e30


class Point(NamedTuple):
    """A measured point: its name, the phase that it belongs to (empty: none), FLOP/byte and FLOP/s."""

    name: str
    phase: str
    intensity: float
    rate: float


@dataclass(frozen=True)
class Points:
    """The measured points of each run of a picture, and how many rows of the file are about other runs."""

    each: tuple[tuple[Point, ...], ...]
    others: int = 0

    @classmethod
    def none(cls, runs: int) -> Points:
        """No points for so many runs."""
        return cls(((),) * runs)


def read_points(path: str | Path, estimates: Sequence[Answer]) -> Points:
    """The points of a file under the roofs of some runs.

    Raises UsageError, with file, line and column, for what is missing, mistyped or ambiguous, and where no row is about
    any of these runs.
    """
    place = expanded(path)
    lines = read_lines(place)
    if not lines:
        raise UsageError(f"{place}: is empty; its first line names the columns: {', '.join(_COLUMNS)}")
    header = {plain_name(name) for name in lines[0][1]}
    return _of_runs(place, estimates) if header >= _OF_RUNS else _of_kernels(place, lines, estimates)


def _of_kernels(path: Path, lines: Sequence[tuple[int, list[str]]], estimates: Sequence[Answer]) -> Points:
    """Rows that give places and rates themselves, or name a kernel of the run."""
    first, header = lines[0]
    names = _columns(path, first, header)
    ledgers = [ledger_of(estimate) for estimate in estimates]
    found: list[list[Point]] = [[] for _ in estimates]
    for line, cells in lines[1:]:
        if len(cells) > len(header):
            raise UsageError(f"{path}, line {line}: {len(cells)} cells under {len(header)} columns")
        row = Row(path, line, dict(zip(names, cells, strict=False)), dict(zip(names, header, strict=True)))
        place = _run_of(row, estimates)
        found[place].append(_point(row, ledgers[place]))
    if not any(found):
        raise UsageError(f"{path}: no rows below the line that names the columns")
    return Points(tuple(map(tuple, found)))


def _columns(path: Path, line: int, header: Sequence[str]) -> list[str]:
    """The columns in order. Raises UsageError for one that is none of these, and for one that is there twice."""
    names = [plain_name(name) for name in header]
    for name, given in zip(names, header, strict=True):
        if name not in _COLUMNS:
            close = get_close_matches(name, _COLUMNS, 1)
            hint = f"; {close[0]!r} may be meant" if close else ""
            raise UsageError(f"{path}, line {line}: no column is called {shown(given)}{hint}: {', '.join(_COLUMNS)}")
        if names.count(name) > 1:
            raise UsageError(f"{path}, line {line}: column {given} twice; keep one")
    return names


def _run_of(row: Row, estimates: Sequence[Answer]) -> int:
    """The run under whose roof a point belongs: the only one, or the first on the accelerator that the row names."""
    given = row.text("gpu")
    if not given:
        if len({estimate.question.gpu.name for estimate in estimates}) > 1:
            raise row.wrong("gpu", "is not given, and the plot has several GPUs")
        return 0
    name = _gpu_name(given, row)
    for index, estimate in enumerate(estimates):
        if estimate.question.gpu.name == name:
            return index
    there = ", ".join(dict.fromkeys(estimate.question.gpu.name for estimate in estimates))
    raise row.wrong("gpu", f"is {shown(given)}, which is not in the plot; there are: {there}")


def _gpu_name(given: str, row: Row) -> str:
    try:
        return locate_gpu(given)[0].name
    except RooflineError as error:
        raise row.wrong("gpu", f"is {shown(given)}: {error}") from None


def _point(row: Row, ledger: Ledger) -> Point:
    """The point of one row."""
    kernels = _named(row, ledger)
    flops, moved = _either(row, kernels, "flops"), _either(row, kernels, "bytes")
    intensity = _positive(row, "intensity") or (flops / moved if flops and moved else None)
    if intensity is None:
        raise row.wrong("intensity", "is not given, nor flops and bytes, nor an op or phase of the run")
    rates = [_positive(row, name) for name in (*_RATES, *_TIMES)]
    given = [(name, value) for name, value in zip((*_RATES, *_TIMES), rates, strict=True) if value]
    one = f"give one of {', '.join((*_RATES, *_TIMES))}"
    if not given:
        raise row.wrong("rate", f"is not given, nor a time; {one}")
    if len(given) > 1:
        raise row.wrong(given[1][0], f"is given beside {given[0][0]}; {one}")
    name, value = given[0]
    if name in _TIMES and not flops:
        raise row.wrong(name, "is a time, and flops is not given, nor an op or phase of the run")
    rate = value * _RATES[name] if name in _RATES else float(flops or 0.0) / (value * _TIMES[name])
    called = row.text("name") or " ".join(filter(None, [row.text("op"), row.text("phase")])) or f"line {row.line}"
    return Point(called, kernels[0].phase if kernels else "", intensity, rate)


def _either(row: Row, kernels: Sequence[Kernel], name: str) -> float | None:
    """What a row gives, or what the kernels that it names count in one repeat of their phase."""
    return _positive(row, name) or (sum(getattr(kernel, name) for kernel in kernels) if kernels else None)


def _named(row: Row, ledger: Ledger) -> list[Kernel]:
    """The kernels that a row names, by op, phase or both. Raises UsageError where there are none, or in two phases."""
    phase, op = row.text("phase"), row.text("op")
    if not phase and not op:
        return []
    if phase and phase not in ledger.phases:
        raise row.wrong("phase", f"{shown(phase)} is none of {', '.join(ledger.phases)}")
    found = [k for k in ledger.kernels if (not phase or k.phase == phase) and (not op or k.name == op)]
    if op and not found:
        names = list(dict.fromkeys(k.name for k in ledger.kernels if k.is_seen and (not phase or k.phase == phase)))
        hint = did_you_mean(op, names) or f"there are: {', '.join(names[:8])}"
        raise row.wrong("op", f"{shown(op)} is no op of this {'phase' if phase else 'run'}. {hint}")
    phases = list(dict.fromkeys(kernel.phase for kernel in found))
    if len(phases) > 1:
        raise row.wrong("phase", f"is not given, and {op} is an op of {', '.join(phases)}")
    if not sum(kernel.flops for kernel in found) > 0:
        raise row.wrong("op" if op else "phase", f"{shown(op or phase)} has no matrix FLOPs, so no place under a roof")
    return found


def _positive(row: Row, name: str) -> float | None:
    """A number above 0, or None where the cell is empty."""
    text = row.text(name)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise row.wrong(name, f"is {shown(text)}, not a number; write decimals with a point and no unit") from None
    if not (isfinite(value) and 0 < value <= _MOST):
        raise row.wrong(name, f"is {shown(text)}, not a positive number")
    return value


def _of_runs(path: Path, estimates: Sequence[Answer]) -> Points:
    """Rows of measured runs: those of the models, accelerators and numbers of devices in the picture."""
    found: list[list[Point]] = [[] for _ in estimates]
    others = 0
    for run in read_file(path).runs:
        place = _place_of(run, estimates)
        if place is None or run.apart or run.metric not in _TIMED:
            others += 1
            continue
        try:
            found[place].append(_run_point(run, estimates[place]))
        except RooflineError as error:
            raise UsageError(f"{path}, {run.place}: {error}") from None
    if not any(found):
        there = "; ".join(f"{e.question.spec.name} on {e.question.gpu.name}" for e in estimates)
        raise UsageError(f"{path}: none of its {others:,} rows times a phase of what is drawn: {there}")
    return Points(tuple(map(tuple, found)), others)


def _place_of(run: MeasuredRun, estimates: Sequence[Answer]) -> int | None:
    """The first run of the same model on as many of the same accelerators; None where there is none."""
    for index, estimate in enumerate(estimates):
        q = estimate.question
        same = _name(locate_gpu, run.gpu) == q.gpu.name and run.plan.devices == q.spread.plan.devices
        if same and _name(locate_model, run.model) == q.spec.name:
            return index
    return None


@cache
def _name(locate: Callable[[str], Any], given: str) -> str:
    """The name of what a file calls so; empty where it is not known."""
    try:
        return str(locate(given)[0].name)
    except RooflineError:
        return ""


def _run_point(run: MeasuredRun, estimate: Answer) -> Point:
    """The point of a measured run: FLOPs and bytes of what it timed, at its own sizes, over the measured time."""
    there = evaluate(ask(run.model, run.gpu, dict(_options(run))), Answer)
    timed = _TIMED[run.metric]
    name = there.phases[0].name if timed == _FIRST else timed
    phases = [(p, float(p.repeat)) for p in there.phases] if name is None else [(there.phase(name), 1.0)]
    flops = sum(repeat * float(phase.flops) for phase, repeat in phases)
    moved = sum(repeat * float(phase.bytes) for phase, repeat in phases)
    if not (flops > 0 and moved > 0):
        raise UsageError(f"{run.metric} times what has no FLOPs")
    called = run.label if not run.label.startswith("line ") else f"{run.engine}, batch {run.batch:,}"
    return Point(called, name or "", flops / moved, flops / run.seconds)


def _options(run: MeasuredRun) -> Iterator[tuple[str, Any]]:
    """The options that ask what a row ran."""
    yield from run.image
    engine = known_engine(run.engine)
    given = {
        "batch": run.batch,
        "engine": engine,
        "weights": run.weights,
        "activations": run.activations,
        "kv_cache": run.kv_cache,
        "chunk": run.chunk,
        "fusion": run.fusion or None,
    }
    if not run.of_image:
        given |= {"prompt": run.prompt, "generate": run.generate}
    if not run.plan.single:
        given |= {"tp": run.plan.tp, "pp": run.plan.pp, "ep": run.plan.ep if run.plan.ep > 1 else None}
    yield from ((name, value) for name, value in given.items() if value is not None)
