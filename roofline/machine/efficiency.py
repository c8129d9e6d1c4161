"""How far kernels stay from the roof on a given chip: measured coefficients, and what stands in where there are none.

The coefficients are data (`chip_efficiency.json`), fitted by `roofline.evidence.kernels.fit` to measured kernels. They
are fractions of the chip's own peaks, times of launches and latencies, and counts. A chip that was not measured takes
those of the measured chip of its class; where its class was not measured, the mean of those of all classes, weighted
by likeness. Times are scaled by the clocks, losses to the power limit by the FLOP/s per watt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from roofline.machine.chip_facts import (
    base_clock_of,
    clock_of,
    exchange_of,
    half_gain_of,
    half_peak_of,
    host_of,
    known_ceiling,
    link_of,
    served_peaks,
    units_of,
)
from roofline.machine.coefficients import COEFFICIENTS, Likeness, likeness
from roofline.machine.engine import BARE, Engine
from roofline.machine.kernels.common import smooth_maximum
from roofline.machine.kernels.image import IMAGE_KINDS, scaled_image
from roofline.machine.stand_ins import (
    STAND_INS,
    StandIn,
    borrow,
    choose,
    hostless,
    rows_without,
    stand_in,
    stand_in_order,
)
from roofline.num import Num, maximum, minimum, stack
from roofline.specs.gpu import GPUSpec

#: Formats that are widened before they are multiplied, and the one whose peak their rows are fractions of.
_MULTIPLIED_AS: Final = {"int4-weights": "bf16", "mxfp4-weights": "bf16", "mxfp4-fp8": "fp8"}
#: Fraction of the bandwidth that no engine goes beyond where its chip's measured kernels do not.
_LONGEST_STREAM: Final = 0.93
#: Sharpness of the smooth maximum of two limits of a stream.
_SOFT: Final = 4.0


@dataclass(frozen=True)
class ChipEfficiency:
    """Coefficients of one chip, or of several on an axis, as an engine's kernels reach them.

    `quality` says of each chip how it is known: measured, class or other.
    """

    names: tuple[str, ...]
    stand_ins: tuple[StandIn, ...]
    engine: Engine
    units: Num
    ceilings: tuple[float | None, ...]
    likenesses: tuple[Likeness, ...]
    peaks: tuple[Mapping[str, float], ...]
    unit_peaks: Num
    unit_streams: Num
    half_gain: Num = 1.0
    base_clock: Num = 1.0  # over the boost clock, of a board whose power limit is low; else 1
    link: Num = 0.0
    host: Num = 1.0
    exchange: Num = 1.0
    linked: bool = False  # whether every chip has a link to its neighbours
    without: str | None = None
    shape: tuple[int, ...] | None = None
    _known: dict[tuple[str, str, str], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls, *specs: GPUSpec, engine: Engine = BARE, shape: tuple[int, ...] | None = None,
        without: str | None = None,
    ) -> ChipEfficiency:  # fmt: skip
        """The coefficients for one spec (scalars), or several stacked along the first axis (reshaped to `shape`)."""
        single = len(specs) == 1 and shape is None
        units = [units_of(spec) for spec in specs]
        links = [link_of(spec) for spec in specs]
        clocked = [number * clock_of(spec) for spec, number in zip(specs, units, strict=True)]
        rates = [half_peak_of(spec) / clocks for spec, clocks in zip(specs, clocked, strict=True)]
        streams = [spec.memory.bandwidth / clocks for spec, clocks in zip(specs, clocked, strict=True)]

        return cls(
            names=tuple(spec.name for spec in specs),
            stand_ins=tuple(stand_in(spec, without) for spec in specs),
            engine=engine,
            units=stack(units, shape),
            ceilings=tuple(known_ceiling(spec) for spec in specs),
            likenesses=tuple(likeness(spec) for spec in specs),
            peaks=tuple(served_peaks(spec) for spec in specs),
            unit_peaks=stack(rates, shape),
            unit_streams=stack(streams, shape),
            half_gain=stack([half_gain_of(spec) for spec in specs], shape),
            base_clock=stack([base_clock_of(spec) for spec in specs], shape),
            link=stack(links, shape),
            host=stack([host_of(spec) for spec in specs], shape),
            exchange=stack([exchange_of(spec, engine) for spec in specs], shape),
            linked=min(links) > 0.0,
            without=without,
            shape=None if single else (shape or (len(specs),)),
        )

    @property
    def quality(self) -> str:
        """How the coefficients are known: measured, class or other; the poorest where several chips are stacked."""
        return max((known.quality for known in self.stand_ins), key=("measured", "class", "other").index)

    def coefficients(self, kind: str, dtype: str, kernel: str = "") -> Any:
        """The named tuple of coefficients of a kind of kernel in a format, as the engine scales them; made once.

        More kinds than were measured: `narrow` is the matrix product of weights that must be widened, `stream` the
        kernels without tiles. Both start from the matrix product. For those of image models see `kernels_image`.
        """
        key = (kind, dtype, kernel)
        found = self._known.get(key)
        if found is None:
            if not self.engine.fed and not kind.startswith("vector"):
                kind = IMAGE_KINDS.get(kind, kind)
            measured = "matmul" if kind in ("narrow", "stream") else IMAGE_KINDS.get(kind, kind)
            each = [self._of_chip(i, measured, dtype, kernel) for i in range(len(self.names))]
            if self.shape is None:
                found = each[0]
            else:
                columns = zip(*each, strict=True)
                found = COEFFICIENTS[measured](*(stack(column, self.shape) for column in columns))
            found = self._known[key] = _scaled(kind, found, self)
        return found

    def _of_chip(self, index: int, kind: str, dtype: str, kernel: str) -> Any:
        own, peaks = self.likenesses[index], self.peaks[index]
        by_chip, known = rows_without(kind, self.without)
        formats = STAND_INS.get(dtype, ((dtype,), ("bf16",)))
        if dtype == "mxfp4" and peaks["fp4"] <= peaks["fp8"]:
            formats = STAND_INS["mxfp4-weights"]
        order = stand_in_order(own, known)
        if self.names[index] in known:
            order = (self.names[index], *order)
        apart = 1 if self.names[index] in known or own.family == known[order[0]].family else len(order)
        row = next(
            found for chips in (order[:apart], order[apart:]) for equals in (*formats, ()) for chip in chips
            if (found := choose(by_chip[chip], equals, self.engine.library, kernel)) is not None
        )  # fmt: skip
        values: Sequence[float] | None = row.values
        if row.chip != self.names[index]:
            values = borrow(kind, row, own, by_chip, known)
        assert values is not None
        result = hostless(kind, COEFFICIENTS[kind](*values))
        ceiling = self.ceilings[index]
        if kind == "matmul" and self.stand_ins[index].quality != "measured" and ceiling is not None:
            result = result._replace(ceiling=ceiling)
        if dtype == "mxfp4" and row.format in _MULTIPLIED_AS:
            result = result._replace(ceiling=result.ceiling * peaks[_MULTIPLIED_AS[row.format]] / peaks["fp4"])
        return result


def _scaled(kind: str, c: Any, chip: ChipEfficiency) -> Any:
    """Coefficients as an engine's kernels reach them; no fraction of a peak goes above 1."""
    engine = chip.engine
    if engine is BARE or not hasattr(c, "fixed_s"):
        return c
    if kind in IMAGE_KINDS or (engine.fed and kind in ("matmul", "narrow", "stream", "encoder")):
        return scaled_image(kind, c, chip)
    launch = engine.rows if kind == "stream" else engine.launch
    changes = {"fixed_s": c.fixed_s * launch}
    if kind in ("matmul", "narrow", "stream", "experts"):
        compute, streaming = engine.compute, engine.streaming
        if kind == "narrow":
            compute, streaming = compute * engine.narrow_compute, streaming * engine.narrow_streaming
        gain = chip.half_gain if engine.half_sums else 1.0
        ceiling = minimum(c.ceiling * (compute * gain), 1.0)
        if engine.unit_rate:
            most = engine.unit_rate * (engine.narrow_compute if kind == "narrow" else 1.0)
            ceiling = minimum(ceiling, most / chip.unit_peaks)
        reached = minimum(c.streaming * streaming, maximum(c.streaming, _LONGEST_STREAM))
        if engine.unit_stream:  # both limits are soft: where they are the same, either costs a fifth more
            widest = engine.unit_stream / chip.unit_streams
            reached = reached * widest / smooth_maximum(reached, widest, _SOFT)
        changes |= {"ceiling": ceiling, "streaming": reached}
        if kind == "experts":
            changes["sort_s"] = c.sort_s * launch
        else:
            changes["latency_s"] = c.latency_s * launch
    elif kind in ("prefill", "encoder", "mla prefill"):
        changes |= {"ceiling": minimum(c.ceiling * engine.attention, 1.0), "latency_s": c.latency_s * launch}
    elif kind in ("decode", "mla decode"):
        changes |= {"streaming": minimum(c.streaming * engine.cache, 1.0), "merge_s": c.merge_s * launch,
                    "stream_s": c.stream_s / engine.cache, "tile_s": c.tile_s / engine.cache}  # fmt: skip
    return c._replace(**changes)
