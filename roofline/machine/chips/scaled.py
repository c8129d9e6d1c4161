"""The coefficients of a chip's kernels as an engine reaches them; no fraction of a peak goes above 1."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

from roofline.machine.chips.facts import UnitFacts
from roofline.machine.engine import BARE, Engine
from roofline.machine.kernels.common import smooth_maximum
from roofline.machine.kernels.image import IMAGE_KINDS, scaled_image
from roofline.num import Num, maximum, minimum

#: Fraction of the bandwidth that no engine goes beyond where its chip's measured kernels do not.
_LONGEST_STREAM: Final = 0.93
#: Sharpness of the smooth maximum of two limits of a stream.
_SOFT: Final = 4.0
#: Kinds that have limits of their own in an engine of image models, beside those that only image models have.
_FED: Final = ("matmul", "narrow", "stream", "encoder")
#: The measured kinds that further ones start from.
STARTS: Final = dict.fromkeys(("narrow", "stream", "read", "integer"), "matmul")
#: Sharpness of the smooth maximum of what the units and what the power of a chip make of a product.
_HARD: Final = 8.0
#: Energy of a multiplication in 8 bit over that of one in 16: as many bits as are moved.
_ENERGY: Final = 0.5
_Scale: TypeAlias = Callable[[Any, Engine, UnitFacts], Any]


def scaled(kind: str, c: Any, engine: Engine, unit: UnitFacts) -> Any:
    """The coefficients `c` of a kind of kernel as an engine reaches them on a chip of such units."""
    if engine is BARE:
        return c
    if kind in IMAGE_KINDS or (engine.fed and kind in _FED):
        return scaled_image(kind, c, engine, unit)
    return _SCALES.get(kind, _launched)(c, engine, unit)


def _as_measured(c: Any, engine: Engine, unit: UnitFacts) -> Any:
    return c


def _launched(c: Any, engine: Engine, unit: UnitFacts) -> Any:
    return c._replace(fixed_s=c.fixed_s * engine.launch)


def _product(c: Any, engine: Engine, unit: UnitFacts, *, narrow: bool = False) -> Any:
    """A matrix product; `narrow`, of weights that are widened first."""
    launch = engine.launch
    if engine.unit_feed and unit.peak:
        c = c._replace(droop=0.0 * c.droop)
    return c._replace(**_rates(c, engine, unit, narrow), fixed_s=c.fixed_s * launch, latency_s=c.latency_s * launch)


def _integer(c: Any, engine: Engine, unit: UnitFacts) -> Any:
    """A product in 8 bit: the same limits, against another peak."""
    return _product(c, engine, _integers(unit), narrow=True)


def _integers(unit: UnitFacts) -> UnitFacts:
    more = unit.integers / unit.peak if unit.peak else 1.0
    return unit._replace(peak=unit.integers, half_gain=1.0, dense=unit.dense * more * _ENERGY)


def _read(c: Any, engine: Engine, unit: UnitFacts) -> Any:
    """What streams at the rate of the chip, whatever limits the reading of weights."""
    streaming = minimum(c.streaming * engine.streaming, _LONGEST_STREAM)
    return c._replace(fixed_s=c.fixed_s * engine.rows, latency_s=c.latency_s * engine.rows, streaming=streaming)


def _stream(c: Any, engine: Engine, unit: UnitFacts) -> Any:
    """A kernel without tiles, whose launches an engine has a factor of its own for."""
    rows = engine.rows
    return c._replace(**_rates(c, engine, unit), fixed_s=c.fixed_s * rows, latency_s=c.latency_s * rows)


def _experts(c: Any, engine: Engine, unit: UnitFacts) -> Any:
    launch = engine.launch
    return c._replace(**_rates(c, engine, unit), fixed_s=c.fixed_s * launch, sort_s=c.sort_s * launch)


def _rates(c: Any, engine: Engine, unit: UnitFacts, narrow: bool = False) -> dict[str, Num]:
    """Ceiling and streaming of products: the engine's factors, and its limits per unit of the chip."""
    compute, streaming, most = engine.compute, engine.streaming, engine.unit_rate
    if narrow:
        compute, streaming = compute * engine.narrow_compute, streaming * engine.narrow_streaming
        most = most * engine.narrow_compute
    gain = unit.half_gain if engine.half_sums else 1.0
    ceiling = minimum(c.ceiling * (compute * gain), gain)
    if engine.unit_rate and unit.peak:
        ceiling = minimum(ceiling, most / unit.peak)
    if engine.unit_feed and unit.peak:  # what narrow weights cost stands in what feeds the units
        compute = engine.compute
        ceiling = _fed_ceiling(compute, engine, unit, engine.narrow_compute if narrow else 1.0)
    reached = minimum(c.streaming * streaming, maximum(c.streaming, _LONGEST_STREAM))
    if engine.unit_stream and unit.stream:  # both limits are soft: where they are the same, either costs a fifth more
        widest = engine.unit_stream / unit.stream
        reached = reached * widest / smooth_maximum(reached, widest, _SOFT)
    return {"ceiling": ceiling, "streaming": reached}


def _fed_ceiling(compute: Num, engine: Engine, unit: UnitFacts, share: float) -> Num:
    """The fraction of the peak that products reach whose loads stand beside their multiplications, at the power that
    the chip may draw.
    """
    gain = unit.half_gain if engine.half_sums else 1.0
    each = 1.0 / (minimum(compute, 1.0) * gain) + unit.peak / (engine.unit_feed * share)
    if not engine.per_watt or not unit.dense:
        return 1.0 / each
    return 1.0 / smooth_maximum(each, unit.dense / (engine.per_watt * 1e9), _HARD)


def _prefill(c: Any, engine: Engine, unit: UnitFacts) -> Any:
    ceiling, latency_s = minimum(c.ceiling * engine.attention, 1.0), c.latency_s * engine.launch
    if engine.unit_attention and unit.peak:
        ceiling = minimum(ceiling, engine.unit_attention / unit.peak)
    return c._replace(fixed_s=c.fixed_s * engine.launch, ceiling=ceiling, latency_s=latency_s)


def _decode(c: Any, engine: Engine, unit: UnitFacts) -> Any:
    launch, cache = engine.launch, engine.cache
    return c._replace(
        fixed_s=c.fixed_s * launch,
        merge_s=c.merge_s * launch,
        streaming=minimum(c.streaming * cache, 1.0),
        stream_s=c.stream_s / cache,
        tile_s=c.tile_s / cache,
    )


#: How an engine's factors change a kind of kernels; of those that are not here, the launch alone.
_SCALES: Final[dict[str, _Scale]] = {
    "matmul": _product,
    "narrow": partial(_product, narrow=True),
    "integer": _integer,
    "read": _read,
    "stream": _stream,
    "experts": _experts,
    "prefill": _prefill,
    "encoder": _prefill,
    "mla prefill": _prefill,
    "decode": _decode,
    "mla decode": _decode,
    "collective": _as_measured,  # an engine has a factor on the whole of it
}
