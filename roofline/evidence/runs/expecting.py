"""Many rows expected with one engine after another, as a fit does: what a change of coefficients leaves alone is kept.

A kernel's time depends on the coefficients that it asks its chip and engine for, and on nothing else that a fit moves.
They are noted when a kernel is first expected; while they stay the same, so does its time.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final, TypeAlias, cast

import numpy as np

from roofline.evidence.fits.robust import Array
from roofline.evidence.runs.runs import PreparedRun
from roofline.machine.chips.efficiency import ChipEfficiency
from roofline.machine.demand import Demand
from roofline.machine.engine import BARE, Engine
from roofline.machine.expected import KindTime, kind_time
from roofline.machine.kernels.common import ChipFacts
from roofline.machine.machine import Machine
from roofline.specs.gpu import GPUSpec

#: What a kernel asks for: coefficients by kind, format and kernel, fields of the chip, fields of the engine.
_Needs: TypeAlias = tuple[tuple[tuple[str, ...], ...], tuple[str, ...], tuple[str, ...]]
#: Times that are kept of each kernel: as many as coefficients that its time may depend on, and a few more.
_KEPT: Final = 24


class _Engine:
    """Stands for an engine, and notes which of its coefficients are asked for."""

    def __init__(self, engine: Engine, seen: dict[str, None]) -> None:
        self._engine, self._seen = engine, seen

    def __getattr__(self, name: str) -> Any:
        self._seen[name] = None
        return getattr(self._engine, name)


class _Chip:
    """Stands for a chip, and notes what is asked of it."""

    def __init__(self, chip: ChipEfficiency) -> None:
        self._chip = chip
        self._coefficients: dict[tuple[str, ...], None] = {}
        self._of_chip: dict[str, None] = {}
        self._of_engine: dict[str, None] = {}
        self.engine = _Engine(chip.engine, self._of_engine)

    def coefficients(self, *key: str) -> Any:
        self._coefficients[key] = None
        return self._chip.coefficients(*key)

    def __getattr__(self, name: str) -> Any:
        self._of_chip[name] = None
        return getattr(self._chip, name)

    def seen(self) -> _Needs:
        """What was asked for."""
        return tuple(self._coefficients), tuple(self._of_chip), tuple(self._of_engine)


class _Driven:
    """A chip under an engine: the values that kernels depend on, as numbers that are the same for the same values."""

    def __init__(self, chip: ChipEfficiency, numbers: dict[Hashable, int]) -> None:
        self.chip, self._numbers = chip, numbers
        self._of: dict[tuple[int, ChipFacts], int] = {}

    def state(self, place: int, needs: _Needs, facts: ChipFacts) -> int:
        """The number of the values of needs, which stand at a place in a list of all."""
        key = place, facts
        found = self._of.get(key)
        if found is None:
            coefficients, of_chip, of_engine = needs
            asked = [self.chip.coefficients(*each) for each in coefficients]
            values = *(getattr(self.chip, n) for n in of_chip), *(getattr(self.chip.engine, n) for n in of_engine)
            state = place, facts, *asked, *values
            found = self._of[key] = self._numbers.setdefault(state, len(self._numbers))
        return found


class _Kernel:
    """One kind of kernel of a row: its needs, by their place in a list, and its times by the state of those."""

    __slots__ = ("place", "times")

    def __init__(self, place: int) -> None:
        self.place = place
        self.times: dict[int, float] = {}


class KeptTimes:
    """Times of kernels, kept from one engine to the next."""

    def __init__(self) -> None:
        self._chips: dict[int, ChipEfficiency] = {}
        self._kernels: dict[int, _Kernel] = {}
        self._needs: dict[_Needs, int] = {}
        self._listed: list[_Needs] = []
        self._numbers: dict[Hashable, int] = {}

    def driven(self, spec: GPUSpec, engine: Engine) -> _Driven:
        """An accelerator, of which what was measured is looked up once, under an engine."""
        known = id(spec)
        if known not in self._chips:
            self._chips[known] = ChipEfficiency.of(spec, engine=BARE)
        return _Driven(self._chips[known].driven_by(engine, spec), self._numbers)

    def time_of(self, on: _Driven) -> KindTime:
        """What tells the seconds of each kind of kernel on it; the kernels must stay where they are in memory."""

        def time_of(asked: Demand, facts: ChipFacts, machine: Machine, chip: ChipEfficiency) -> float:
            kernel = self._kernels.get(id(asked))
            if kernel is not None:
                time = kernel.times.get(on.state(kernel.place, self._listed[kernel.place], facts))
                if time is not None:
                    return time
            return self._asked_anew(asked, facts, machine, on)

        return time_of

    def _asked_anew(self, asked: Demand, facts: ChipFacts, machine: Machine, on: _Driven) -> float:
        watched = _Chip(on.chip)
        time = float(kind_time(asked, facts, machine, cast("ChipEfficiency", watched)))
        kernel = self._kernels.get(id(asked))
        place = self._place_of(watched.seen())
        if kernel is None or kernel.place != place:
            kernel = self._kernels[id(asked)] = _Kernel(place)
        elif len(kernel.times) >= _KEPT:
            del kernel.times[next(iter(kernel.times))]
        kernel.times[on.state(place, self._listed[place], facts)] = time
        return time

    def _place_of(self, needs: _Needs) -> int:
        if needs not in self._needs:
            self._needs[needs] = len(self._listed)
            self._listed.append(needs)
        return self._needs[needs]


class Expecting:
    """Rows, and what is kept of their kernels from one engine to the next."""

    def __init__(self, rows: Sequence[PreparedRun]) -> None:
        alike = [row.run._replace(line=0, label="", source="", value=1.0) for row in rows]
        self._asked = dict(zip(alike, rows, strict=True))  # rows of one question are expected once
        order = {run: place for place, run in enumerate(self._asked)}
        self._places = [order[run] for run in alike]
        self._kept = KeptTimes()

    def seconds(self, engine: Engine) -> Array:
        """Seconds of each row with an engine. Shape [rows]."""
        driven: dict[int, _Driven] = {}
        each = [self._expected(row, engine, driven) for row in self._asked.values()]
        return np.asarray(each)[self._places]

    def _expected(self, row: PreparedRun, engine: Engine, driven: dict[int, _Driven]) -> float:
        spec = row.question.gpu
        known = id(spec)
        if known not in driven:
            driven[known] = self._kept.driven(spec, engine)
        on = driven[known]
        return row.expected_on(on.chip, self._kept.time_of(on))
