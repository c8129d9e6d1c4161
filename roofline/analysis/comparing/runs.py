"""The runs of a comparison: every combination of the values that were given, each evaluated or refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass
from itertools import islice, product
from pathlib import PurePath
from typing import Any, Final, Generic, NamedTuple, TypeVar

from roofline.analysis.estimate import Answer
from roofline.analysis.evaluate import evaluate
from roofline.analysis.fit.words import short_title
from roofline.errors import RooflineError, UnknownNameError, UnsupportedError, UsageError
from roofline.machine.engine import IDEAL
from roofline.runs.ask import ask
from roofline.runs.checks import is_many
from roofline.runs.names import check_names
from roofline.runs.options import KEYWORDS

Est = TypeVar("Est", bound=Answer)
#: The most runs that stand side by side.
MOST: Final = 100
#: Options whose values say by themselves what they are.
_PLAIN: Final = ("model", "gpu", "weights", "engine", "node")
#: Characters of a value that names a run.
_LONGEST: Final = 40


@dataclass(frozen=True, eq=False)
class Run(Generic[Est]):
    """One of the runs: its place, the values that tell it from the others, and its answer, or why there is none."""

    index: int
    varied: Mapping[str, Any]
    label: str
    answer: Est | None
    refusal: str = ""

    @property
    def fits(self) -> bool:
        """Whether it can happen."""
        return self.answer is not None and bool(self.answer.memory.fits)

    @property
    def ideal(self) -> bool:
        """Whether its times are bounds, which no clock shows."""
        return self.answer is not None and self.answer.question.engine == IDEAL

    @property
    def name(self) -> str:
        """In a sentence: with the titles of model and accelerator."""
        if self.answer is None:
            return self.label
        q = self.answer.question
        titles = {"model": q.spec.title, "gpu": short_title(q.gpu)}
        told = [titles.get(name) or said(name, value) for name, value in self.varied.items()]
        number = self.label.rpartition(" #")[2] if " #" in self.label else ""
        return ", ".join(told) + (f" #{number}" if number else "")


class Varied(NamedTuple):
    """The options that have several values, in the order of their declaration, and those that have one."""

    lists: dict[str, list[Any]]
    fixed: dict[str, Any]

    def each(self) -> Iterator[dict[str, Any]]:
        """The values that vary, run by run: the last option varies quickest."""
        for values in product(*self.lists.values()):
            yield dict(zip(self.lists, values, strict=True))


def varied(model: Any, gpu: Any, options: Mapping[str, Any]) -> Varied:
    """What varies. Raises UsageError where nothing does, for an option without values, and for more than 100 runs."""
    check_names(options)
    given = {"model": model, "gpu": gpu, **options}
    many = {name: value for name, value in given.items() if is_many(value)}
    if "spec_dir" in many:
        raise UsageError("--spec-dir takes one folder, not several")
    lists = {name: _values(name, value) for name, value in many.items()}
    number = math.prod(map(len, lists.values()))
    if number > MOST:
        raise _too_many(f"{number:,} runs")
    fixed = {name: values[0] for name, values in lists.items() if len(values) == 1}
    lists = {name: values for name, values in lists.items() if len(values) > 1}
    if not lists:
        raise UsageError("nothing to compare: give an option several values, for example --gpu a100,h100")
    order = ["model", "gpu", *KEYWORDS]
    ordered = {name: lists[name] for name in sorted(lists, key=order.index)}
    return Varied(ordered, {name: value for name, value in given.items() if name not in many} | fixed)


def _values(name: str, value: Any) -> list[Any]:
    flag = f"--{name.replace('_', '-')}"
    try:
        if isinstance(value, Sized) and len(value) > MOST:
            raise _too_many(f"{flag} has {len(value):,} values")
        values = value.tolist() if hasattr(value, "tolist") else list(islice(value, MOST + 1))
    except OverflowError:
        raise _too_many(f"{flag} has more values than can be counted") from None
    if len(values) > MOST:
        raise _too_many(f"{flag} has more than {MOST} values")
    if not values:
        raise UsageError(f"{flag} has no values to compare")
    if any(is_many(each) for each in values):
        raise UsageError(f"{flag} takes its values in a row, not in rows of rows")
    return values


def _too_many(what: str) -> UsageError:
    return UsageError(f"{what}; at most {MOST} runs stand side by side. `roofline sweep` takes grids of any size")


def evaluated(plan: Varied, form: type[Est]) -> tuple[Run[Est], ...]:
    """The runs in order. Raises what is wrong with the first where none of them can be evaluated.

    A name that there is not, and a file that is wrong, is raised at once: that says nothing about any run.
    """
    found: list[Run[Est]] = []
    first: RooflineError | None = None
    labels = _labels(list(plan.each()))
    for index, (chosen, label) in enumerate(zip(plan.each(), labels, strict=True)):
        try:
            found.append(Run(index, chosen, label, _answer(plan.fixed | chosen, form)))
        except UnknownNameError:
            raise
        except (UsageError, UnsupportedError) as error:
            first = first or error
            found.append(Run(index, chosen, label, None, " ".join(str(error).split())))
    if first is not None and all(run.answer is None for run in found):
        raise first
    return tuple(found)


def _answer(given: Mapping[str, Any], form: type[Est]) -> Est:
    options = {name: value for name, value in given.items() if name not in ("model", "gpu")}
    return evaluate(ask(given["model"], given["gpu"], options), form)


def _labels(each: list[dict[str, Any]]) -> list[str]:
    """What tells each run from the others; the number of a run that stands there twice."""
    texts = [", ".join(said(name, value) for name, value in chosen.items()) for chosen in each]
    seen: dict[str, int] = {}
    found = []
    for text in texts:
        seen[text] = seen.get(text, 0) + 1
        found.append(text if texts.count(text) == 1 else f"{text} #{seen[text]}")
    return found


def said(name: str, value: Any, *, named: bool = False) -> str:
    """A value, with the name of its option where it does not say what it is, or always."""
    text = shown_value(value)
    return text if name in _PLAIN and value is not None and not named else f"{name.replace('_', '-')} {text}"


def shown_value(value: Any) -> str:
    """A value as a name: of a file its last part, of a spec its name."""
    if value is None or isinstance(value, bool):
        return {None: "default", True: "yes", False: "no"}[value]
    if isinstance(value, (int, float)):
        return f"{value:,g}" if abs(value) < 1e6 else f"{value:,}"
    text = str(getattr(value, "name", value)) if not isinstance(value, (str, PurePath)) else str(value)
    last = PurePath(text).name if "/" in text and "=" not in text else text
    return last if len(last) <= _LONGEST else f"{last[: _LONGEST - 1]}…"
