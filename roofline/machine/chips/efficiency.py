"""How far kernels stay from the roof on a given chip: measured coefficients, and what stands in where there are none.

The coefficients are data (`chip_efficiency.json`), fitted by `roofline.evidence.kernels.fit` to measured kernels. They
are fractions of the chip's own peaks, times of launches and latencies, and counts. A chip that was not measured takes
the mean of those of the measured chips, weighted by likeness, each brought to its own facts: see `chips.transfer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from roofline.machine.chips.coefficients import COEFFICIENTS, Likeness, Measured
from roofline.machine.chips.facts import (
    UnitFacts,
    exchange_of,
    host_of,
    known_ceiling,
    least_rows,
    link_of,
    served_peaks,
    unit_facts,
)
from roofline.machine.chips.library import known_as
from roofline.machine.chips.scaled import STARTS, scaled
from roofline.machine.chips.stand_ins import (
    STAND_INS,
    StandIn,
    borrow,
    choose,
    hostless,
    rows_without,
    stand_in,
    stand_in_order,
)
from roofline.machine.cores import CORES_INTERVAL
from roofline.machine.engine import BARE, Engine
from roofline.machine.kernels.image import IMAGE_KINDS
from roofline.num import Num, stacked
from roofline.specs.gpu import GPUSpec


class Sheet(NamedTuple):
    """What of a chip says which measured kernels suit it, and how far an engine drives them: `peaks` by format, the
    best measured product over the peak (`ceiling`) where somebody measured one. `maker` is whose chip it is.
    """

    name: str
    maker: str
    likeness: Likeness
    peaks: Mapping[str, float]
    ceiling: float | None
    unit: UnitFacts


@dataclass(frozen=True)
class ChipEfficiency:
    """Coefficients of one chip, or of several on an axis, as an engine's kernels reach them.

    `units` that tiles are dealt to, their `clock` in Hz and the bytes of the last cache `near` them, 0 where it is not
    stated; `host` time over that of a usual host; `link` to the neighbours, 0 where there is none; `exchange`, the
    engine's factor on collectives; `rows` of the smallest matrix instruction. One chip has a `sheet`; several have
    `members`, and `axes` axes after that of the chips. `cores`: it is a processor, whose kernels nobody measured; see
    `machine.cores`.
    """

    stand_ins: tuple[StandIn, ...]
    engine: Engine
    units: Num
    host: Num
    link: Num
    exchange: Num
    clock: Num = 0.0
    near: Num = 0.0
    rows: Num = 1.0
    sheet: Sheet | None = None
    without: str | None = None
    members: tuple[ChipEfficiency, ...] = ()
    axes: int = 0
    cores: bool = False
    _known: dict[tuple[str, str, str], Any] = field(default_factory=dict, compare=False, repr=False)
    _bare: dict[tuple[str | None, str, str, str], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, spec: GPUSpec, *, engine: Engine = BARE, without: str | None = None) -> ChipEfficiency:
        """The coefficients for a chip; `without` leaves the measurements of one chip out, for judging."""
        known = known_as(spec)
        return cls(
            stand_ins=(stand_in(spec, without),),
            engine=engine,
            units=known.units,
            host=host_of(spec),
            rows=least_rows(spec, known.likeness.stacked),
            link=link_of(spec),
            exchange=exchange_of(spec, engine),
            clock=spec.clock or 0.0,
            near=spec.cache.l2 if spec.cache is not None else 0.0,
            sheet=_sheet(spec, known.likeness),
            without=without,
            cores=spec.kind == "cpu",
        )

    def driven_by(self, engine: Engine, spec: GPUSpec) -> ChipEfficiency:
        """The same chip, whose file is `spec`, under another engine; what was measured of it is looked up once."""
        return replace(self, engine=engine, exchange=exchange_of(spec, engine), _known={})

    @classmethod
    def stacked(cls, chips: Sequence[ChipEfficiency], axes: int = 0) -> ChipEfficiency:
        """Several chips as one, along a first axis that `axes` more follow, each of length 1.

        All must run one engine and be processors or none: raises ValueError where formulas would differ.
        """
        engine, cores = chips[0].engine, chips[0].cores
        if any(chip.engine != engine or chip.cores != cores or chip.members for chip in chips):
            raise ValueError("only single chips of one engine can be stacked: its habits choose between formulas")
        return cls(
            stand_ins=tuple(known for chip in chips for known in chip.stand_ins),
            engine=engine,
            units=stacked([chip.units for chip in chips], axes),
            host=stacked([chip.host for chip in chips], axes),
            rows=stacked([chip.rows for chip in chips], axes),
            link=stacked([chip.link for chip in chips], axes),
            exchange=stacked([chip.exchange for chip in chips], axes),
            clock=stacked([chip.clock for chip in chips], axes),
            near=stacked([chip.near for chip in chips], axes),
            members=tuple(chips),
            axes=axes,
            cores=cores,
        )

    @property
    def quality(self) -> str:
        """How the coefficients are known: measured, class or other; the poorest where several chips are stacked."""
        return max((known.quality for known in self.stand_ins), key=("measured", "class", "other").index)

    def interval(self, timed: str) -> tuple[Num, Num]:
        """Low and high end of the engine's 80 % interval of what is timed, as multiples of the expected time."""
        if self.cores:
            return CORES_INTERVAL
        if self.members:
            low, high = zip(*(chip.interval(timed) for chip in self.members), strict=True)
            return stacked(low, self.axes), stacked(high, self.axes)
        return self.engine.interval(timed, self.stand_ins[0].quality, self.sheet.maker if self.sheet else None)

    def coefficients(self, kind: str, dtype: str, kernel: str = "") -> Any:
        """The named tuple of coefficients of a kind of kernel in a format, as the engine scales them; made once.

        More kinds than were measured: `narrow` is the matrix product of weights that must be widened, `stream` the
        kernels without tiles, `read` those of them that only read and write, `integer` the product of weights that are
        multiplied in 8 bit. All start from the matrix product. For those of image models see `kernels.image`.
        """
        key = (kind, dtype, kernel)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._stacked(*key) if self.members else self._scaled(*key)
        return found

    def _stacked(self, kind: str, dtype: str, kernel: str) -> Any:
        each = [chip.coefficients(kind, dtype, kernel) for chip in self.members]
        return type(each[0])(*(stacked(column, self.axes) for column in zip(*each, strict=True)))

    def _scaled(self, kind: str, dtype: str, kernel: str) -> Any:
        assert self.sheet is not None
        if not self.engine.fed and not kind.startswith("vector"):
            kind = IMAGE_KINDS.get(kind, kind)
        measured = STARTS.get(kind) or IMAGE_KINDS.get(kind, kind)
        key = (self.engine.library, measured, dtype, kernel)
        bare = self._bare.get(key)
        if bare is None:
            bare = self._bare[key] = self._measured(self.sheet, measured, dtype, kernel)
        return scaled(kind, bare, self.engine, self.sheet.unit)

    def _measured(self, chip: Sheet, kind: str, dtype: str, kernel: str) -> Any:
        """The coefficients of a measured kind: the chip's own, or those that stand in for them."""
        by_chip, known = rows_without(kind, self.without)
        formats = STAND_INS.get(dtype, ((dtype,), ("bf16",)))
        candidates = (
            choose(by_chip[other], equals, self.engine.library, kernel)
            for others in _in_order(chip, known)
            for equals in (*formats, ())
            for other in others
        )
        row: Measured = next(found for found in candidates if found is not None)
        values: Sequence[float] | None = row.values
        if row.chip != chip.name:
            values = borrow(kind, row, chip.likeness, by_chip, known)
        assert values is not None
        result = hostless(kind, COEFFICIENTS[kind](*values))
        if kind == "matmul" and self.quality != "measured" and chip.ceiling is not None:
            result = result._replace(ceiling=chip.ceiling)
        return result


def _sheet(spec: GPUSpec, own: Likeness) -> Sheet:
    unit = unit_facts(spec, own.stacked, own.narrow)
    return Sheet(spec.name, spec.vendor, own, served_peaks(spec), known_ceiling(spec), unit)


def _in_order(chip: Sheet, known: Mapping[str, Likeness]) -> Iterator[Sequence[str]]:
    """The measured chips in two groups, of which the first is asked for every format before the second: the chip
    itself or the nearest of its class, then the others; all at once where its class was not measured.
    """
    order = stand_in_order(chip.likeness, known)
    if chip.name in known:
        order = (chip.name, *order)
    elif chip.likeness.family != known[order[0]].family:
        yield order
        return
    yield order[:1]
    yield order[1:]
