"""Other ways to run the same: what may be changed so that a run needs less memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from roofline.machine.engine import GENERIC, IDEAL, engine_names, read_engine
from roofline.machine.machine import Machine
from roofline.specs.engine import EngineFormats
from roofline.specs.formats.dtypes import find_dtype
from roofline.workload.precision import Precision

#: Formats of weights, wide to narrow: at each width those that engines load, first the one that needs units of its own.
_WIDTHS: Final = (("fp8", "int8"), ("nvfp4", "int4-g128"))
#: Formats of 16 bit that weights of 32 are cast to, in the same order.
SIXTEEN: Final = ("fp16", "bf16")
#: What activations are beside narrow weights where nothing is said.
BESIDE_NARROW: Final = "bf16"
#: Of the bits of a format, so many are no change worth naming; chosen.
_NARROWER: Final = 0.9
_BITS: Final = 16.0


class Change(NamedTuple):
    """Options to change, by their names, and what that is in words: `KV-cache in fp8`.

    `steps` are changes of one kind from least to most, each of which needs less memory on the device than the one
    before: in the place of the change itself the first of them counts that makes a run fit. `turn` says when it is
    tried: before narrower formats of the weights, behind them, or behind all else, more devices too.
    """

    words: str
    options: Mapping[str, Any]
    steps: tuple[Change, ...] = ()
    turn: Literal["first", "behind formats", "last"] = "first"


def formats_of(engine: str) -> EngineFormats | None:
    """What the file of an engine says of formats; where it says nothing, that of the generic engine."""
    own = read_engine(engine).formats if engine != IDEAL else None
    return own or read_engine(GENERIC).formats


def narrower_weights(precision: Precision, engine: str, machine: Machine, wide: Sequence[str] = ()) -> Iterator[Change]:
    """Narrower formats of the weights, wide to narrow: those that the engine reads and the chip has units for.

    Activations and cache stay in the formats that they have, but for activations of weights that are cast from 32 bit
    to 16, which go with them, and for those of 16 bit that nobody asked for beside weights that the chip multiplies as
    they are: to name these would ask for weights alone to be narrow. `wide` parts stay in 16 bit, as tools that
    quantise leave them, but not in the formats of an engine's own files, which say all of a model.
    """
    active, cache = precision.activations_label, precision.cache.name
    kept = {"activations": active} if active != BESIDE_NARROW else {}
    kept |= {"kv_cache": cache} if cache != precision.activations.name else {}
    free = not precision.ways.asked and precision.activations.bits == _BITS
    quantised = {k: v for k, v in kept.items() if k != "activations"} if free else kept
    files = _file_formats(precision, engine)
    if precision.weights.bits > _BITS and not _file_formats(precision, engine):
        name = served_first(machine, SIXTEEN)
        yield Change(f"weights in {name}", {"weights": name} | {k: v for k, v in kept.items() if k == "kv_cache"})
    ends = "".join(f",{part}={BESIDE_NARROW}" for part in wide) if not files else ""
    for name in files or [served_first(machine, names) for names in _WIDTHS]:
        if find_dtype(name).bits < _NARROWER * precision.weights.bits:
            yield Change(
                f"weights in {name}", {"weights": name + ends, **(quantised if _meets(name, machine) else kept)}
            )


def _meets(name: str, machine: Machine) -> bool:
    """Whether a chip multiplies weights in a format as they are, by their own habit."""
    compute = find_dtype(name).compute
    return compute in ("fp8", "fp4") and machine.multiplies(compute)


def _file_formats(precision: Precision, engine: str) -> Sequence[str]:
    """The formats of files that the engine alone reads, or else of which one was asked for."""
    known = (formats_of(engine), *(read_engine(name).formats for name in engine_names()[1:]))
    own, *others = (formats.weights if formats is not None else () for formats in known)
    return own or next((names for names in others if precision.label in names), ())


def served_first(machine: Machine, names: tuple[str, ...]) -> str:
    """The first of several formats that the chip multiplies as it is, else the last of them."""
    for name in names:
        if machine.multiplies(find_dtype(name).compute):
            return name
    return names[-1]
