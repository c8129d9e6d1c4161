"""How an engine's kernels of image models fare: what feeds the units, what power leaves of the clock, fp32 on vectors.

Three limits of matrix products, of which the lowest counts. *Feeding*: loads keep the units busy for part of their
cycles, the same on every chip, whatever they multiply; a chip whose units are held at part of the rate that they are
built for (`feed_gain`) is fed as well as one that is not, and only then held back. *Sums*: the rate of the chip when it
sums as the engine does. *Power*: a board of a low power limit falls from its boost clock towards its base clock, the
further the busier its units are.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.machine.chips.facts import UnitFacts
from roofline.machine.engine import Engine
from roofline.num import Num, minimum, where

#: Kinds of kernels that only image models ask for, and the measured kind from which each starts.
IMAGE_KINDS: Final = {
    "convolution": "matmul",
    "vector": "matmul",
    "wide encoder": "encoder",
    "vector encoder": "encoder",
}
#: Share of a peak that the best products reach where neither loads nor power hold them back.
_MOST: Final = 0.95
#: Work that units would have done meanwhile: less of it where they multiply more slowly than they are fed.
_WAITS: Final = ("k_offset", "tile_loss")
#: Power goes with the third power of the clock, for the voltage follows it: half the load runs 2^(1/3) faster.
_CUBE: Final = 1.0 / 3.0
#: Power of the vector units at their peak over that of the matrix units at theirs.
_VECTOR_POWER: Final = 1.0 / 3.0
#: Rate of the vector units over that of the matrix units: what a tile waits for is so much less of its time.
_VECTOR_RATE: Final = 1.0 / 8.0


def scaled_image(kind: str, c: Any, engine: Engine, unit: UnitFacts) -> Any:
    """The coefficients of a kind of kernel as the engine reaches them on a chip."""
    launch = engine.rows if kind == "stream" else engine.launch
    changes = {"fixed_s": c.fixed_s * launch, "latency_s": c.latency_s * launch}
    if kind.startswith("vector"):
        ceiling = engine.vector * _clock(unit, _VECTOR_POWER)
        changes |= {"ceiling": minimum(ceiling, 1.0), "droop": 0.0 * c.droop}
        if kind == "vector":
            waits = {"k_offset": c.k_offset * _VECTOR_RATE, "tile_loss": c.tile_loss * _VECTOR_RATE}
            changes |= {"ceiling": minimum(_MOST * ceiling, 1.0), **waits}
    else:
        changes |= _on_matrix_units(kind, c, engine, unit)
    if IMAGE_KINDS.get(kind, kind) != "encoder":
        narrow = engine.narrow_streaming if kind == "narrow" else 1.0
        changes["streaming"] = minimum(c.streaming * engine.streaming * narrow, 1.0)
    return c._replace(**changes)


def _on_matrix_units(kind: str, c: Any, engine: Engine, unit: UnitFacts) -> dict[str, Num]:
    limited, own = unit.base_clock < 1.0, 1.0
    if IMAGE_KINDS.get(kind, kind) == "encoder":
        busy = c.ceiling * engine.attention * (engine.wide_attention if kind == "wide encoder" else 1.0)
    else:
        own = {"convolution": engine.convolution, "narrow": engine.narrow_compute}.get(kind, 1.0)
        busy = _MOST * engine.compute
    fed = busy * _clock(unit, busy * own) * unit.feed_gain
    sums = unit.half_gain if engine.half_sums else 1.0
    reached = minimum(fed, _MOST * sums)
    waits = {name: getattr(c, name) * (reached / fed) for name in _WAITS if name in c._fields}
    return waits | {"ceiling": reached * own, "droop": where(limited, 0.0, c.droop * (reached / fed))}


def _clock(unit: UnitFacts, load: Num) -> Num:
    """The clock over that of the boost, at a load of the power that the matrix units take at their peak."""
    clock: Num = minimum(unit.base_clock * load**-_CUBE, 1.0)
    return clock
