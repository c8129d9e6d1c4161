"""What a grid is made of: the options that are swept with their values, and its results part by part."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from random import Random
from typing import Any, Final, NamedTuple

from roofline.analysis.evaluate import evaluate
from roofline.analysis.grids import Block, better_of, count_parts, evaluate_grid, results_of
from roofline.errors import UnknownNameError, UsageError
from roofline.runs.ask import ask
from roofline.runs.checks import is_many
from roofline.runs.kind import Outcome, Question
from roofline.runs.names import check_names
from roofline.runs.options import SIZES

#: The most values of one option, and the most points of a sweep in memory; beyond that, sweep in parts.
LARGEST: Final = 50_000_000
#: Options on which it depends which results a run has.
_TELLING: Final = ("gpu", "engine", "node", "price")
#: Ways to run a model that are tried for one that can be, before a sweep begins.
_TRIED: Final = 64
_TRIED_IN_ORDER: Final = 2_000


class Refused(NamedTuple):
    """Points that cannot be: the options that they share, how many they are, and why."""

    options: Mapping[str, Any]
    points: int
    reason: str


class Place(NamedTuple):
    """Where a sweep stands: combinations of the options that are looped over, and parts of the next one."""

    combination: int = 0
    part: int = 0


BEGINNING: Final = Place()


class Part(NamedTuple):
    """One part of a grid: where the sweep stands behind it, the values of the loops, and its blocks."""

    behind: Place
    places: Mapping[str, int]
    blocks: Sequence[Block]


class Probe(NamedTuple):
    """What the results of a sweep are called, and which of them are better high or low; a row to compare with."""

    results: tuple[str, ...]
    better: Mapping[str, str]
    sample: tuple[Any, ...]


@dataclass(frozen=True)
class Plan:
    """What is asked: axes that are looped over, sizes that are numpy axes, and what is the same everywhere; the names
    of the options that rows show.
    """

    loops: dict[str, Sequence[Any]]
    sizes: dict[str, Sequence[Any]]
    fixed: dict[str, Any]
    names: tuple[str, ...]

    @property
    def axes(self) -> dict[str, Sequence[Any]]:
        """All axes in order, sizes last."""
        return self.loops | self.sizes

    @property
    def shape(self) -> tuple[int, ...]:
        """Values along each axis."""
        return tuple(map(len, self.axes.values()))

    @property
    def points(self) -> int:
        """How many there are, with those that may turn out not to be."""
        return math.prod(self.shape)

    @property
    def gpus(self) -> Sequence[Any]:
        """The accelerators, one where there is no axis of them."""
        return self.loops["gpu"] if "gpu" in self.loops else [self.fixed["gpu"]]

    def values(self, name: str) -> Sequence[Any]:
        """All values of an option."""
        return self.axes[name] if name in self.axes else [self.fixed[name]]

    def parts(self, start: Place = BEGINNING) -> Iterator[Part]:
        """The results part by part, from a place on."""
        skip = start.part
        for number, places in self._combinations(start.combination):
            found = evaluate_grid(*self._asked(places), skip)
            for part, blocks in enumerate(found, skip + 1):
                yield Part(Place(number, part), places, blocks)
            skip = 0

    def stretches(self, most: int) -> Iterator[tuple[Place, int]]:
        """All parts, as stretches of about so many: where each begins, and how many parts it has."""
        begun, gathered = Place(), 0
        for number, places in self._combinations(0):
            count = count_parts(*self._asked(places))
            for part in range(count):
                if gathered == most:
                    yield begun, gathered
                    begun, gathered = Place(number, part), 0
                gathered += 1
        if gathered:
            yield begun, gathered

    def _combinations(self, start: int) -> Iterator[tuple[int, dict[str, int]]]:
        """The combinations of what is looped over, but for accelerators, each by the places of its values."""
        others = {name: values for name, values in self.loops.items() if name != "gpu"}
        every = product(*(range(len(values)) for values in others.values()))
        for number, chosen in enumerate(islice(every, start, None), start):
            yield number, dict(zip(others, chosen, strict=True))

    def _asked(self, places: Mapping[str, int]) -> tuple[Any, Sequence[Any], dict[str, Any], dict[str, Sequence[Any]]]:
        """Model, accelerators, options and sizes of a combination."""
        given = self.fixed | {name: self.loops[name][place] for name, place in places.items()}
        options = {name: value for name, value in given.items() if name not in ("model", "gpu")}
        return given["model"], self.gpus, options, self.sizes

    def given(self, places: Mapping[str, int], block: Block) -> dict[str, Any]:
        """The options of a block that are not sizes on axes."""
        chosen = {name: self.loops[name][place] for name, place in self.placed(places, block).items()}
        return self.fixed | chosen

    def placed(self, places: Mapping[str, int], block: Block) -> dict[str, int]:
        """The place of a block among the values of each loop."""
        return {name: block.gpu if name == "gpu" else places[name] for name in self.loops}

    def refused(self, places: Mapping[str, int], block: Block) -> Refused:
        """A block that cannot be."""
        sizes = {name: values[part] for (name, values), part in zip(self.sizes.items(), block.rows, strict=True)}
        alone = {name: values[0] for name, values in sizes.items() if len(values) == 1}
        return Refused(self.given(places, block) | alone, block.points, block.reason)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The type of each option's column, as numpy names it."""
        return {name: kind_of(name, self.values(name)) for name in self.names}

    @cached_property
    def probe(self) -> Probe:
        """One point of every model, and of every value on which it may depend which results there are, worked out.

        Raises UsageError where there is none that can be.
        """
        results: dict[str, None] = {}
        better: dict[str, str] = {}
        sample: list[Any] = []
        failed: UsageError | None = None
        ways = [{}, *({name: each} for name in _TELLING for each in self.loops.get(name, ()))]
        for model, way in product(self.values("model"), ways):
            try:
                outcome = self._outcome({"model": model, **way})
            except UnknownNameError:
                raise
            except UsageError as error:
                failed = failed or error
                continue
            found = dict(results_of(outcome))
            results |= dict.fromkeys(found)
            better |= better_of(outcome)
            sample += found.values()
        if not results and failed:
            raise failed
        return Probe(tuple(results), better, tuple(sample))

    def _outcome(self, certain: Mapping[str, Any]) -> Outcome:
        """One point with these options. Raises what the first point met where none of those that are tried can be."""
        first: UsageError | None = None
        axes = {name: values for name, values in self.axes.items() if name not in certain}
        for chosen in _some(list(axes.values()), thoroughly=len(certain) == 1):
            try:
                return evaluate(self.question(dict(zip(axes, chosen, strict=True)) | dict(certain)), Outcome)
            except UnknownNameError:
                raise
            except UsageError as error:
                first = first or error
        raise first or UsageError("nothing to sweep")

    def question(self, chosen: Mapping[str, Any]) -> Question:
        """One point: values of options, and the first of every other. Raises UsageError where it cannot be."""
        given = {name: values[0] for name, values in self.axes.items()} | self.fixed | dict(chosen)
        options = {name: value for name, value in given.items() if name not in ("model", "gpu")}
        return ask(given["model"], given["gpu"], options)


def kind_of(name: str, values: Sequence[Any]) -> str:
    """The type of an option's column, as numpy names it: whole numbers, numbers, flags, or objects."""
    if isinstance(values, range):
        return "int64"
    if name in SIZES:
        return "int64" if all(float(value).is_integer() for value in values) else "float64"
    types = {type(value) for value in values}
    if types <= {int}:
        return "int64"
    return "bool" if types <= {bool} else "float64" if types <= {int, float} else "object"


def _some(axes: Sequence[Sequence[Any]], thoroughly: bool) -> Iterator[tuple[Any, ...]]:
    """Some points of a grid: the first, then some here and there, then those of a coarser grid in order."""
    if not axes:
        yield ()
        return
    yield tuple(values[0] for values in axes)
    chance = Random(0)
    for _ in range(_TRIED if math.prod(map(len, axes)) > 1 else 0):
        yield tuple(values[chance.randrange(len(values))] for values in axes)
    if not thoroughly:
        return
    coarse = (values[:: max(1, len(values) // 16)] for values in axes)
    yield from islice(product(*coarse), _TRIED_IN_ORDER)


def planned(model: Any, gpu: Any, options: Mapping[str, Any], most: int | None = None) -> Plan:
    """The axes of a grid of at most so many points. Raises UsageError for an unknown option, for one without values or
    of more than 50 million, and for more points; what knows its length is counted before it becomes a list.
    """
    check_names(options)
    given: dict[str, Any] = {"model": model, "gpu": gpu, **options}
    _refuse_many([_length(name, value) for name, value in given.items() if is_many(value)], most)
    lists = {name: _values(name, value) for name, value in given.items() if is_many(value)}
    loops = {name: values for name, values in lists.items() if name not in SIZES}
    sizes = _numbers({name: lists[name] for name in SIZES if name in lists})
    _refuse_many([len(values) for values in lists.values()], most)
    shown = tuple(name for name, value in given.items() if name != "spec_dir" and (name != "gpu" or value is not None))
    return Plan(loops, sizes, {name: value for name, value in given.items() if name not in lists}, shown)


def _length(name: str, value: Any) -> int:
    """How many values an option has; 1 where that shows only when they are taken. Raises UsageError for too many."""
    try:
        length = len(value) if isinstance(value, Sized) else 1
    except OverflowError:  # a range beyond what a machine counts
        length = LARGEST + 1
    if length > LARGEST:
        raise UsageError(f"--{name} has more than {LARGEST:,} values; sweep in parts")
    return length


def _refuse_many(lengths: Iterable[int], most: int | None) -> None:
    points = math.prod(lengths)
    if most is not None and points > most:
        raise UsageError(f"{points:,} points; one sweep takes at most {most:,}")


def _values(name: str, value: Any) -> Sequence[Any]:
    if isinstance(value, range):
        values: Sequence[Any] = value
    else:
        values = value.tolist() if hasattr(value, "tolist") else list(islice(value, LARGEST + 1))
    _length(name, values)
    if not values:
        raise UsageError(f"--{name} has no values to sweep")
    return values


def _numbers(sizes: dict[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    for name, values in sizes.items():
        for value in () if isinstance(values, range) else values:
            if isinstance(value, (bool, str, bytes)) or value is None:
                raise UsageError(f"--{name} must be a whole number, not {value!r}")
            if isinstance(value, Sized):
                raise UsageError(f"--{name} takes its values in a row, not in rows of rows: {str(value)[:40]}")
    return sizes
