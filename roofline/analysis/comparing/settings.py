"""What all runs of a comparison share, and what they differ in, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from roofline.analysis.comparing.runs import Run, said, shown_value
from roofline.answer.plain import listed

if TYPE_CHECKING:
    from roofline.analysis.comparing.side_by_side import SideBySide

#: Inputs that runs may share or differ in, beside the sizes of their kind; then those that are told only where they
#: differ.
_SETTINGS: Final = ("model", "gpu", "gpus", "weights", "activations", "kv_cache", "fusion", "engine")
_FURTHER: Final = ("guidance", "scheduler", "chunk", "kv_layout")
#: Values that go without saying.
_SILENT: Final = (("gpus", 1),)
_CALLED: Final = {"gpu": "GPU", "gpus": "GPUs"}
#: Options that come one from another.
_PLAN: Final = ("gpus", "tp", "pp", "ep", "dp", "cp", "node")
#: Runs that are named, values that are told.
_NAMED: Final = 3


def shared(found: SideBySide[Any]) -> Iterator[str]:
    """What is the same in every run: `mistral-7b`, `weights bf16`, `batch 1`."""
    for name, values in _inputs(found, _SETTINGS):
        if len(values) == 1 and (value := next(iter(values))) is not None and (name, value) not in _SILENT:
            yield str(value) if name in ("model", "gpu") else said(name, value, named=True)


def differing(found: SideBySide[Any]) -> Iterator[str]:
    """What differs though it was not asked to: of defaults of models, engines and accelerators, each with its runs."""
    yield from _differing(found, (*_SETTINGS, *_FURTHER))


def unlike(found: SideBySide[Any]) -> Iterator[str]:
    """Of that what makes the work another: the sizes of the runs, as steps, pixels or tokens."""
    yield from _differing(found, ())


def _differing(found: SideBySide[Any], names: Sequence[str]) -> Iterator[str]:
    for name, values in _inputs(found, names):
        if len(values) > 1 and name not in ("model", "gpu"):
            told = [f"{shown_value(value)} ({about(found, rows)})" for value, rows in values.items()]
            more = f", {len(told) - _NAMED} more" if len(told) > _NAMED else ""
            yield f"{name.replace('_', '-')} {', '.join(told[:_NAMED])}{more}"


def _inputs(found: SideBySide[Any], names: Sequence[str]) -> Iterator[tuple[str, dict[Any, list[Run[Any]]]]]:
    """Inputs that were not varied, each with its values and their runs."""
    runs = [(row, row.answer) for row in found.rows if row.answer is not None]
    sizes = (name for _, answer in runs for name in answer.question.kind.sizes)
    laid = any(name in _PLAN for name in found.varied)
    for name in dict.fromkeys([*names, *sizes]):
        if name in found.varied or (laid and name in _PLAN):
            continue
        values: dict[Any, list[Run[Any]]] = {}
        for row, answer in runs:
            if name in answer.inputs:
                values.setdefault(answer.inputs[name], []).append(row)
        if values:
            yield name, values


def about(found: SideBySide[Any], rows: Sequence[Run[Any]]) -> str:
    """What a few of the runs have in common that no other has: a value or two, else their names."""
    for names in (*combinations(found.varied, 1), *combinations(found.varied, 2)):
        values = [list(dict.fromkeys(said(name, row.varied[name]) for row in rows)) for name in names]
        every = (row for row in found.rows if row.answer is not None)
        alike = [r for r in every if all(said(n, r.varied[n]) in v for n, v in zip(names, values, strict=True))]
        if alike == list(rows):
            return ", ".join("/".join(each) for each in values)
    labels = [row.label for row in rows]
    shown = "; ".join(labels[:_NAMED])
    return shown if len(labels) <= _NAMED else f"{shown}; {len(labels) - _NAMED} more"


def varied_by(found: SideBySide[Any]) -> str:
    """The options that tell runs apart: `GPU and weights`."""
    names = [_CALLED.get(name, name.replace("_", "-")) for name in found.varied]
    return listed(names)
