"""What is told of a sweep beside its rows: what all points share though it was not given, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from roofline.analysis.comparing.runs import said
from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.sweeping.plan import Plan
from roofline.answer.phase import Warn
from roofline.errors import RooflineError

#: Inputs that are told beside the sizes of a kind of run.
_SETTINGS: Final = ("weights", "activations", "kv_cache", "fusion", "engine")
#: Points that are looked at, and warnings of one code that are told.
_LOOKED_AT: Final = 32
_OF_A_CODE: Final = 3
#: Warnings that a column tells.
_TOLD: Final = ("does-not-fit", "host-memory")


class Told(NamedTuple):
    """What all points share beside what was given, as words; warnings, each once."""

    shared: list[str]
    warnings: list[Warn]


def told_of(plan: Plan) -> Told:
    """What is told of a sweep: of its first point, and of points in each of which one option has another value."""
    answers = list(_answers(plan))
    return Told(list(_shared(plan, answers)), list(_warnings(answers)))


def _answers(plan: Plan) -> Iterator[Answer]:
    for chosen in islice(_points(plan), _LOOKED_AT):
        try:
            yield evaluate(plan.question(chosen), Answer)
        except RooflineError:  # a point that cannot be, which is told elsewhere
            continue


def _points(plan: Plan) -> Iterator[Mapping[str, Any]]:
    """The first point, one of the largest value of every size, then one of each further value of each loop."""
    yield {}
    yield {name: max(values) for name, values in plan.sizes.items()}
    for name, values in plan.loops.items():
        yield from ({name: value} for value in values[1:])


def _shared(plan: Plan, answers: list[Answer]) -> Iterator[str]:
    inputs = [answer.inputs for answer in answers]
    sizes = (name for answer in answers for name in answer.question.kind.sizes)
    for name in dict.fromkeys([*sizes, *_SETTINGS]):
        values = {each.get(name) for each in inputs}
        if name not in plan.names and len(values) == 1 and (value := values.pop()) is not None:
            yield said(name, value, named=True)


def _warnings(answers: list[Answer]) -> Iterator[Warn]:
    """Warnings by code, of each code a few: the last of them says how many more there are."""
    codes: dict[str, dict[str, None]] = {}
    for warn in (warn for answer in answers for warn in answer.warnings if warn.code not in _TOLD):
        codes.setdefault(warn.code, {})[warn.text] = None
    for code, texts in codes.items():
        more = len(texts) - _OF_A_CODE
        for place, text in enumerate(islice(texts, _OF_A_CODE), 1):
            yield Warn(code, text + (f" (and {more} more)" if more > 0 and place == _OF_A_CODE else ""))
