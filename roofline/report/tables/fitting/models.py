"""The tables of `roofline fit --gpu NAME`: the verdict, then what is worth a look, or all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Final

from roofline.analysis.fit.models import ModelsOn
from roofline.analysis.fit.models_words import rate
from roofline.analysis.fit.shelf import Runnable
from roofline.analysis.fit.ways import ELSEWHERE, MISSES, REFUSED, WHOLE, Way
from roofline.answer.memory import ENDLESS
from roofline.answer.plain import listed
from roofline.answer.quantity import Quantity
from roofline.report.tables.estimate import print_warnings
from roofline.report.tables.grid import Grid, grid
from roofline.report.tables.legend import print_table
from roofline.units import format_si, format_time

if TYPE_CHECKING:
    from roofline.report.tables.console import Console

#: How many models of a group are shown where not all are: whole on the device, with a part elsewhere.
_SHOWN: Final = {"text": (11, 6), "image": (8, 3), "encoder": (2, 2), "part": (8, 2)}
#: Groups of which one model of a family stands for the others.
_BY_FAMILY: Final = ("text", "encoder")
#: What a table of runs with a part with the host need not say of each.
_CORES: Final = " on the host's cores"
_TITLES: Final = {
    "text": ("Language models", "tokens/s while they write"),
    "image": ("Models of pictures", "expected time"),
    "encoder": ("Encoders", "tokens/s that they read"),
    "part": ("Parts of models of pictures", "expected time"),
}
#: Groups of which a row says what is made: a picture's size and steps.
_DRAWN: Final = ("image",)
#: So many are shown without a choice.
_FEW: Final = 25
_FAMILY: Final = re.compile(r"[a-z]+")


def print_models(found: ModelsOn, console: Console, every: bool = False) -> None:
    """The verdict first; then the largest of each family that is whole on the device, and of those with a part
    elsewhere the ones that no larger one outruns; all of them where these are few or `every` is asked.
    """
    console.print(found.verdict, style="bold")
    for note in found.assumptions:
        console.print(note)
    console.print()
    few = every or len(found.models) <= _FEW
    shown = list(found.models) if few else list(_worth_a_look(found.models))
    for group, (title, pace) in _TITLES.items():
        for ways, words in ((WHOLE, "whole in memory"), ((ELSEWHERE,), "with a part with the host")):
            rows = [model for model in shown if model.group == group and model.way in ways]
            if rows:
                heading = f"{title}, {words}, the largest first{_more(found, rows, ways)}; {pace}{_how_asked(rows)}"
                print_table(model_table(heading, rows), console)
    for way, words in ((MISSES, "What does not run, the nearest first"), (REFUSED, "What cannot be run as asked")):
        rows = [model for model in shown if model.way == way]
        if rows:
            print_table(_miss_table(words, rows) if way == MISSES else _refusal_table(words, rows), console)
    if len(shown) < len(found.models):
        console.print(f"{len(shown)} of {len(found.models)} models are shown; --all shows the rest.")
    print_warnings(found.warnings, console)


def _how_asked(rows: Sequence[Runnable]) -> str:
    """With which engines, and what each is asked, where that is the same of all."""
    questions = [row.trial.question for row in rows if row.trial is not None]
    settings = {q.kind.told(q).setting for q in questions}
    same = f", {settings.pop()}" if len(settings) == 1 and rows[0].group not in _DRAWN else ""
    return f"{same}; engine {listed(list(dict.fromkeys(q.engine for q in questions)))}"


def _more(found: ModelsOn, rows: Sequence[Runnable], ways: Sequence[Way]) -> str:
    there = sum(model.group == rows[0].group and model.way in ways for model in found.models)
    return f", {len(rows)} of {there}" if there > len(rows) else ""


def _worth_a_look(models: Sequence[Runnable]) -> Iterator[Runnable]:
    for group, (whole, partly) in _SHOWN.items():
        own = [model for model in models if model.group == group]
        held = [model for model in own if model.way in WHOLE]
        away = [model for model in own if model.way == ELSEWHERE]
        yield from _firsts(held, whole) if group in _BY_FAMILY else held[:whole]
        yield from list(_unbeaten(away))[-partly:] if group in _BY_FAMILY else away[:partly]


def _firsts(models: Iterable[Runnable], most: int) -> Iterator[Runnable]:
    """The first of each family: of the models whose names begin with the same word."""
    seen: set[str] = set()
    for model in models:
        family = _family(model.model.name)
        if len(seen) < most and family not in seen:
            seen.add(family)
            yield model


def _family(name: str) -> str:
    match = _FAMILY.match(name)
    return match[0] if match else name


def _unbeaten(models: Iterable[Runnable]) -> Iterator[Runnable]:
    """Of models in the order of their size those that are faster than every larger one."""
    best = 0.0
    for model in models:
        if (speed := _speed(model)) > best:
            best = speed
            yield model


def _speed(model: Runnable) -> float:
    """The more, the faster."""
    if model.pace is None or model.pace.times is None:
        return 0.0
    expected = float(model.pace.times.expected)
    return expected if model.pace.better == "high" else 1 / expected


def model_table(title: str, rows: Sequence[Runnable]) -> Grid:
    """Models that run: in which format, up to which size, how fast, in which way, and what they need; without columns
    in which nothing stands.
    """
    heading = {"max_context": "context ≤", "max_side_px": "square ≤"}
    limit = next(_limits(rows[0]), "")
    pace = rows[0].pace.title if rows[0].pace is not None else ""
    columns = (
        *(("model", "name"), ("weights", "left"), (heading.get(limit, limit), "right")),
        *(("picture", "right"), ("steps", "right"), (pace, "right")),
        *(("how", "text"), ("needs", "right?"), ("parameters", "right?"), ("80 %", "right?")),
    )
    cells = [_cells(model, limit) for model in rows]
    filled = [any(column) for column in zip(*cells, strict=True)]
    return grid(title, tuple(compress(columns, filled)), [list(compress(row, filled)) for row in cells])


def _limits(model: Runnable) -> Iterator[str]:
    """The names of limits beside that of the batch."""
    if model.trial is not None:
        yield from (limit.name for limit in model.trial.memory.limits if limit.name != "max_batch")


def _cells(model: Runnable, limit: str) -> list[str]:
    assert model.trial is not None
    weights = model.trial.question.precision.weights.name
    size, needs = format_si(model.parameters), format_si(float(model.trial.memory.total_bytes), "B")
    expected, interval = pace_cells(model.pace)
    grown = _grown(model, limit) if limit else ""
    return [model.model.name, weights, grown, *_made(model), expected, _how(model), needs, size, interval]


def _made(model: Runnable) -> tuple[str, str]:
    """The size of a picture and the steps that it takes."""
    assert model.trial is not None
    run = model.trial.question.run
    return (f"{run.height:g}×{run.width:g}", f"{run.steps:g}") if model.group in _DRAWN else ("", "")


def _grown(model: Runnable, limit: str) -> str:
    """How far it grows, and no farther than the model itself goes."""
    assert model.trial is not None
    found = next((each.value for each in model.trial.memory.limits if each.name == limit), None)
    own = model.model.max_context if limit == "max_context" else None
    least = min((value for value in (found, own) if value is not None), default=None)
    if not least:
        return "–"
    return "any" if least >= ENDLESS else f"{least:,}"


def pace_cells(pace: Quantity | None) -> list[str]:
    """A pace and its interval."""
    if pace is None or pace.times is None:
        return ["–", ""]
    shown: Callable[[float], str] = format_time if pace.unit == "s" else rate
    expected, low, high = (float(value) for value in (pace.times.expected, pace.times.low, pace.times.high))
    return [shown(expected), f"{shown(low)} to {shown(high)}"]


def _how(model: Runnable) -> str:
    """What is changed beside the format of the weights, in few words."""
    assert model.trial is not None
    parts = model.trial.words.replace(_CORES, "").split(", ")
    return ", ".join(part for part in parts if not part.startswith(("as released", "weights in ")))


def _miss_table(title: str, rows: Sequence[Runnable]) -> Grid:
    cells = [
        [row.model.name, format_si(row.parameters), format_si(row.missing, "B"), row.trial.words]
        for row in rows
        if row.trial is not None
    ]
    return grid(title, (("model", "name"), ("parameters", "right?"), ("misses by", "right"), ("with", "text?")), cells)


def _refusal_table(title: str, rows: Sequence[Runnable]) -> Grid:
    return grid(title, (("model", "name"), ("why", "text")), [[row.model.name, row.refusal] for row in rows])
