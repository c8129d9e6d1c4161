"""Which of a chip's values that were not verified an answer rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from roofline.answer.phase import Warn
from roofline.machine.machine import Machine
from roofline.specs.gpu import GPUSpec

_WORD: Final = re.compile(r"[a-z0-9_]+")
_FORMATS: Final = frozenset({"fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "fp4", "nvfp4", "int8", "int4"})
_LINKS: Final = frozenset({"scale_up", "scale_out", "pcie", "fabric", "links"})
#: Values that no time and no byte is computed from.
_IDLE: Final = frozenset({"clock", "l2", "power"})


def unverified_hardware(
    gpu: GPUSpec, machine: Machine, dtypes: Iterable[str], links: bool = False, engine: bool = False
) -> list[Warn]:
    """A warning about the unverified values in use: peaks of these formats, bandwidth, capacity.

    `links`: several devices or an offload, so links count too. `engine`: so does the number of units. A note that is
    about something else than these is taken to be in use.
    """
    units = {machine.served_by[dtype][0].removeprefix("vector.") for dtype in dtypes} | {"fp32"}
    notes = [note for note in gpu.unverified if _in_use(note, units, links, engine)]
    return [Warn("unverified-hardware", f"{gpu.name}: not verified: {'; '.join(notes)}")] if notes else []


def _in_use(note: str, units: set[str], links: bool, engine: bool) -> bool:
    words = set(_WORD.findall(re.split(r"[(,;]| with ", note, maxsplit=1)[0].lower()))
    if words & _LINKS:
        return links
    if "count" in words:
        return engine
    if words & _FORMATS:
        return bool(words & units)
    return not words & _IDLE
