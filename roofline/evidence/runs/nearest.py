"""The measured runs nearest to a question, and how far the engine's expected time is from each.

Only what can be compared counts: runs of the same engine, in any version, and the same kind of model (dense, or of
experts) on a chip of the same class.

What differs adds up to a distance: a row of the same model, chip, format and number of devices, whose batch and lengths
are the same, is at 0. What a name tells of a model (its size) and of a chip (its line) is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import islice
from math import log2
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from roofline.answer.plain import counted_whole
from roofline.errors import RooflineError
from roofline.evidence.runs.rows import OF_TOKENS, MeasuredRun, measured_run, weights_of
from roofline.evidence.runs.runs import prepare
from roofline.evidence.runs.shipped import SHIPPED_OF
from roofline.evidence.runs.table import Row, read_table
from roofline.machine.chips.library import class_of, known_as
from roofline.machine.engine import IDEAL, load_engine
from roofline.machine.engine_lookup import stands_for
from roofline.runs.kind import Question
from roofline.units import format_time

if TYPE_CHECKING:
    from roofline.analysis.estimate import Answer

_SIZE: Final = re.compile(r"(?:(\d+)x)?(\d+(?:\.\d+)?)(b|m)(?![a-z0-9])")
#: What a factor of two costs, by quantity.
_DOUBLINGS: Final = {
    "devices": 0.5,
    "batch": 0.3,
    "prompt": 0.2,
    "generate": 0.2,
    "height": 0.3,
    "width": 0.3,
    "steps": 0.1,
}
_OTHER_FORMAT: Final = 0.7
_OTHER_MODEL: Final = 0.3
_UNKNOWN_SIZE: Final = 1.5
_OTHER_VERSION: Final = 0.5
_SAME_LINE: Final = 0.3
_OTHER_CHIP: Final = 1.0
#: Rows that are looked at, from the nearest on.
_MOST: Final = 12


class Nearest(NamedTuple):
    """One measured row: what was run, seconds measured, seconds expected of the asked engine, and the error.

    `error` is expected over measured, less 1; `distance` is 0 for the same run.
    """

    id: str
    source: str
    model: str
    gpu: str
    gpus: int
    engine: str
    weights: str | None
    batch: int
    prompt: int | None
    generate: int | None
    metric: str
    measured_s: float
    expected_s: float
    error: float
    distance: float

    def __str__(self) -> str:
        lengths = (
            f", {counted_whole(self.prompt, 'token')} in, {self.generate:,} out" if self.prompt is not None else ""
        )
        number = f"{self.gpus} × " if self.gpus > 1 else ""
        ran = f"{self.model} on {number}{self.gpu}, {self.engine}, batch {self.batch:,}{lengths}"
        return f"{ran}: {format_time(self.measured_s)}, {self.judged} ({self.metric} of {self.id}, {self.source})"

    @property
    def judged(self) -> str:
        """How the clock differs from what is expected: `measured 19 % faster`."""
        faster = self.error if self.error > 0.0 else -self.error / (1.0 + self.error)
        if round(100 * faster) == 0:
            return "measured as expected"
        return f"measured {100 * faster:.0f} % {'faster' if self.error > 0.0 else 'slower'}"


def nearest(est: Answer, count: int = 3) -> list[Nearest]:
    """The measured rows nearest to an estimate, the nearest first; none for the ideal engine, and none for a grid."""
    return list(islice(_found(est), count))


def _found(est: Answer) -> Iterator[Nearest]:
    """Those of the nearest rows for which a time can be expected, the nearest first."""
    asked = _asked(est)
    if asked is None:
        return
    kind = est.question.kind.name
    told = (row for row in _rows(kind) if _is_like(asked, row))
    rows = sorted(((_distance(asked, row), row) for row in told), key=lambda pair: (pair[0], pair[1].line))
    engine = load_engine(est.question.engine)
    for distance, row in rows[:_MOST]:
        run = measured_run(row)
        try:
            prepared = prepare(run)
            expected = prepared.expected(engine)
        except RooflineError:
            continue
        if _of_experts(prepared.question) == _of_experts(est.question):
            yield _judged(run, expected, distance)


def _is_like(asked: dict[str, Any], row: Row) -> bool:
    """Whether a row is of the same engine, on a chip of the same class, and about what is asked."""
    if _base(row.text("engine")) != _base(asked["engine"]) or (
        asked.get("generate", 2) <= 1 and not _is_of_prompts(row)
    ):
        return False
    return row.text("gpu") in asked["gpus"] or class_of(row.text("gpu")) == asked["class"]


def _base(engine: str) -> str:
    """The engine of which one is a version."""
    return engine.partition("@")[0]


def _of_experts(question: Question) -> bool:
    """Whether not every token uses all parameters."""
    found = question.kind.parameters(question, question.workload())
    return found.active < found.total


def _judged(row: MeasuredRun, expected: float, distance: float) -> Nearest:
    """A row with the seconds that the asked engine is expected to take for it."""
    ran = row.label, row.source, row.model, row.gpu, row.plan.devices, row.engine, row.weights, row.batch
    lengths: tuple[int | None, int | None] = (None, None) if row.image else (row.prompt, row.generate)
    times = row.seconds, expected, expected / row.seconds - 1.0
    return Nearest(*ran, *lengths, row.metric, *times, distance)


def _asked(est: Answer) -> dict[str, Any] | None:
    """What was asked, under the names of a row; None without an engine or with several values of an option."""
    q, inputs = est.question, est.inputs
    numbers = {name: inputs[name] for name in q.kind.sizes if inputs[name] is not None}
    if q.engine == IDEAL or not all(isinstance(value, (int, float)) for value in numbers.values()):
        return None
    models, gpus = (q.spec.name, *q.spec.aliases), (q.gpu.name, *q.gpu.aliases)
    family = known_as(q.gpu).likeness.family
    how = {
        "engine": stands_for(q.engine),
        "class": family,
        "weights": q.precision.label,
        "devices": q.spread.plan.devices,
    }
    return {"models": models, "gpus": gpus, **how, **numbers}


@lru_cache(maxsize=8)
def _rows(kind: str) -> list[Row]:
    """The shipped rows of a kind of run, as text: few of them are near, and of the others not all need be read."""
    return [row for path in SHIPPED_OF.get(kind, ()) for row in read_table(path).rows]


def _distance(asked: dict[str, Any], row: Row) -> float:
    """How far a row is from what was asked."""
    model, gpu = row.text("model"), row.text("gpu")
    total = 0.0 if weights_of(row) in (asked["weights"], None) else _OTHER_FORMAT
    if row.text("engine") != asked["engine"]:
        total += _OTHER_VERSION
    if model not in asked["models"]:
        ours, theirs = _size(asked["models"][0]), _size(model)
        total += _OTHER_MODEL + (abs(log2(ours / theirs)) if ours and theirs else _UNKNOWN_SIZE)
    if gpu not in asked["gpus"]:
        same = gpu.partition("-")[0] == asked["gpus"][0].partition("-")[0]
        total += _SAME_LINE if same else _OTHER_CHIP
    for name, cost in _DOUBLINGS.items():
        number = _number(row, name) if name in asked else None
        if number is not None:
            total += cost * abs(log2(max(1, asked[name]) / number))
    return round(total, 3)


def _is_of_prompts(row: Row) -> bool:
    """Whether a row is about what reads its prompts and decodes nothing."""
    return float(row.text("generate") or 1) <= 1.0 and row.text("metric") not in OF_TOKENS


def _number(row: Row, name: str) -> float | None:
    """A number of a row, 1 where it says nothing; None of a size that it has not."""
    if name == "devices":
        return _one(row, "gpus") if row.text("gpus") else _one(row, "tensor_parallel") * _one(row, "pipeline_parallel")
    if name in ("height", "width", "steps") and not row.text(name):
        return None
    return _one(row, name)


def _one(row: Row, name: str) -> float:
    return max(1.0, float(row.text(name) or 1))


@cache
def _size(name: str) -> float:
    """Parameters as a model's name tells them; 0 where it does not."""
    found = _SIZE.search(name)
    if found is None:
        return 0.0
    times, number, unit = found.groups()
    return float(times or 1) * float(number) * (1e9 if unit == "b" else 1e6)
