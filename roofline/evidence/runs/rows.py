"""Rows of a CSV as measured runs: what was run, and what a clock showed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from roofline.evidence.runs.table import Row, read_table, shown
from roofline.runs.checks import LARGEST
from roofline.workload.plan import Plan

#: Metrics and the unit in which a file gives them.
METRICS: Final = {
    "latency_ms": "ms of the whole request",
    "ttft_ms": "ms to the first token",
    "tpot_ms": "ms per step of the batch",
    "output_tokens_per_s": "generated tokens per second of the batch",
    "prefill_tokens_per_s": "prompt tokens per second of the batch",
    "served_tpot_ms": "ms per output token of each of `batch` requests that a server always has at work",
    "step_ms": "ms of one call of an image model's denoiser, guidance included",
}
#: Metrics that say nothing where no token is generated.
OF_TOKENS: Final = ("output_tokens_per_s", "tpot_ms", "served_tpot_ms")
_IMAGE: Final = ("height", "width", "steps")
#: Other names of formats.
_FORMATS: Final = {"int8-g64": "mlx-8bit", "int6-g64": "mlx-6bit", "int5-g64": "mlx-5bit"}
#: Beyond these a value is not of this world, or of another unit.
_LEAST_VALUE: Final = 1e-6
_PLACE: Final = re.compile(r"(line \d+|.*?\(line \d+\)): (.*)", re.DOTALL)


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
    fusion: str = ""  # as the engine does
    apart: str = ""  # why the row takes no part
    chunk: int | None = None  # tokens of prompts that went through the layers at once; None: the engine's habit
    activations: str | None = None

    @property
    def place(self) -> str:
        """Its name and line, for messages."""
        line = f"line {self.line}"
        return line if self.label == line else f"{self.label} ({line})"

    @property
    def of_image(self) -> bool:
        """Whether it is about an image model: by its columns or its metric."""
        return bool(self.image) or self.metric == "step_ms"

    @property
    def seconds(self) -> float:
        """The measured time: of the request, the prefill or the step that the metric is about."""
        if self.metric == "output_tokens_per_s":
            return self.batch * self.generate / self.value
        if self.metric == "prefill_tokens_per_s":
            return self.batch * self.prompt / self.value
        return self.value * 1e-3


class RunFile(NamedTuple):
    """The runs of a file, and its columns that nothing was made of."""

    runs: list[MeasuredRun]
    ignored: tuple[str, ...]


def read_file(path: Path) -> RunFile:
    """A CSV of runs. Raises UsageError, with line and column, for what is missing, mistyped or out of range."""
    table = read_table(path)
    return RunFile([measured_run(row) for row in table.rows], table.ignored)


def read_runs(path: Path) -> list[MeasuredRun]:
    """The runs of a CSV. Raises UsageError as `read_file` does."""
    return read_file(path).runs


def by_reason(refused: Sequence[str]) -> list[str]:
    """Rows that were refused, told once for each reason."""
    found: dict[str, list[str]] = {}
    for text in refused:
        match = _PLACE.fullmatch(text)
        place, reason = match.groups() if match else ("", text)
        found.setdefault(reason, []).append(place)
    return [
        ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "") + f": {reason}"
        for reason, places in found.items()
    ]


def measured_run(row: Row) -> MeasuredRun:
    """The run of one row. Raises UsageError as `read_file` does."""
    for column in ("model", "gpu", "engine", "batch", "metric", "value"):
        if not row.text(column):
            raise row.wrong(column, "is empty")
    metric = row.text("metric")
    if metric not in METRICS:
        raise row.wrong("metric", f"{shown(metric)} is none of {', '.join(METRICS)}")
    image = tuple((name, _whole(row, name, 1)) for name in _IMAGE if row.text(name))
    if not image and metric != "step_ms":
        _check_lengths(row, metric)
    return MeasuredRun(
        line=row.line,
        label=row.text("id") or f"line {row.line}",
        source=row.text("source"),
        model=row.text("model"),
        gpu=row.text("gpu"),
        engine=row.text("engine"),
        weights=weights_of(row),
        kv_cache=row.text("kv_cache") or None,
        plan=_plan(row),
        batch=_whole(row, "batch", 1),
        prompt=max(1, _whole(row, "prompt", 1, 0)),
        generate=_whole(row, "generate", 1, 0),
        metric=metric,
        value=_value(row, metric),
        image=image,
        fusion=row.text("fusion"),
        apart=row.text("apart"),
        chunk=_whole(row, "chunk", 1) if row.text("chunk") else None,
        activations=row.text("activations") or None,
    )


def weights_of(row: Row) -> str | None:
    """The format of a row's weights, as `roofline list precisions` names it; None where it is the model's own."""
    weights = row.text("weights")
    return _FORMATS.get(weights, weights) or None


def _check_lengths(row: Row, metric: str) -> None:
    """Refuse a row of a language model that does not say how long its sequences are."""
    for column in ("prompt", "generate"):
        if not row.text(column) and (column == "prompt" or metric in (*OF_TOKENS, "latency_ms")):
            raise row.wrong(column, f"is not given, and {metric} depends on it")
    if metric in OF_TOKENS and _whole(row, "generate", 1, 0) == 0:
        raise row.wrong("generate", f"is 0, and {metric} is about generated tokens")


def _plan(row: Row) -> Plan:
    """The devices: all of them, or tensor-parallel ones times stages; and over how many of them whole experts lie."""
    plan = _split(row)
    plan = plan._replace(ep=_whole(row, "expert_parallel", 1))
    if plan.tp % plan.ep:
        raise row.wrong("expert_parallel", f"is {plan.ep}, which does not divide the {plan.tp} tensor-parallel devices")
    return plan


def _split(row: Row) -> Plan:
    stages = _whole(row, "pipeline_parallel", 1)
    devices = _whole(row, "gpus", 1)
    if not row.text("gpus"):
        return Plan(tp=_whole(row, "tensor_parallel", 1), pp=stages)
    split = _whole(row, "tensor_parallel", devices // stages or 1)
    if split * stages != devices:
        raise row.wrong("gpus", f"is {devices}, not tensor-parallel {split} × pipeline stages {stages}")
    return Plan(tp=split, pp=stages)


def _value(row: Row, metric: str) -> float:
    unit, own = row.text("unit"), "ms" if metric.endswith("_ms") else "tok/s"
    if unit and not unit.lower().startswith((own, "tokens/s") if own == "tok/s" else own):
        raise row.wrong("unit", f"is {shown(unit)}, and {metric} is in {own}; convert the value")
    value = _number(row, "value")
    if not 0.0 < value < float("inf"):
        raise row.wrong("value", f"is {row.text('value')[:40]}, not a positive number")
    if not _LEAST_VALUE <= value <= LARGEST:
        raise row.wrong("value", f"is {value:.3g}, not between {_LEAST_VALUE:g} and {LARGEST:g} {own}")
    return value


def _whole(row: Row, column: str, default: int, least: int = 1) -> int:
    if not row.text(column):
        return default
    value = _number(row, column)
    if value > LARGEST:
        raise row.wrong(column, f"is {shown(row.text(column))}, more than {LARGEST:,.0f}")
    if not value >= least or value != int(value):
        raise row.wrong(column, f"is {row.text(column)[:40]}, not a whole number of at least {least}")
    return int(value)


def _number(row: Row, column: str) -> float:
    text = row.text(column)
    try:
        return float(text)
    except ValueError:
        hint = "; write decimals with a point, thousands without a mark" if re.fullmatch(r"[\d.,' ]+", text) else ""
        raise row.wrong(column, f"is {shown(text)}, not a number{hint}") from None
