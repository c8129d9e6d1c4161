"""Chips in other sizes of memory: `--memory 48GB`, and names such as `apple-m4-max-64gb`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from roofline.errors import UsageError
from roofline.specs.gpu import GPUSpec
from roofline.specs.gpu_memory import Memory
from roofline.units import format_binary, format_si, parse_quantity

_GIB: Final = 2.0**30
#: Sizes that a memory may have: from that on a small chip to that of a rack.
_LEAST: Final = 1e8
_MOST: Final = 1e15
_SIZED: Final = re.compile(r"(.+?)[\s_-](\d{1,4}) ?gi?b", re.IGNORECASE)
_LONGEST_NAME: Final = 200
_LABEL: Final = re.compile(r"(\d+)\s*([GT])B")
#: As people type a size: `48gb`, `48G`, `48 gib`.
_TYPED: Final = re.compile(r"(.*?)([MGT])(i?)B?", re.IGNORECASE)
_WHOSE: Final = {"macos": "macOS", None: "its system"}


def resized(gpu: GPUSpec, value: Any) -> GPUSpec:
    """A chip with memory of another size: of unified memory the machine's, of which the GPU may have a part.

    A whole number of GB is the size by which memory is sold, and has as many GiB. Raises UsageError for what is no
    size, with a unit, between 0.1 GB and 1 PB.
    """
    return _of_size(gpu, sold_size(value, "memory"))


def sold_size(value: Any, option: str) -> float:
    """Bytes of a size by which memory is sold, as an option was given it: `48GB`, `48gb`, `48G`.

    Raises UsageError as `resized` does.
    """
    typed = _TYPED.fullmatch(value.strip()) if isinstance(value, str) else None
    text = f"{typed[1].strip()} {typed[2].upper()}{typed[3].lower()}B" if typed else value
    try:
        size = parse_quantity(text, "bytes")
    except ValueError as error:
        raise UsageError(f"--{option}: {error}") from None
    if not _LEAST <= size <= _MOST:
        raise UsageError(f"--{option} {str(value)[:40]}: a memory has between 0.1 GB and 1 PB")
    label = _LABEL.fullmatch(str(text).strip())
    return size if label is None else float(label[1]) * _GIB * (1024.0 if label[2] == "T" else 1.0)


def variant(name: str, find: Callable[[str], GPUSpec]) -> GPUSpec | None:
    """The chip that a name with a size stands for: `find` knows the chips; None where the name has no size, or not
    that of the chip.

    Raises UnknownNameError as `find` does, and UsageError for a size of unified memory that is not sold.
    """
    match = _SIZED.fullmatch(name.strip()[:_LONGEST_NAME])
    if match is None:
        return None
    gpu, size = find(match[1].strip()), float(match[2]) * _GIB
    unified = gpu.memory.unified
    if unified is None:
        return gpu if gpu.memory.label == f"{match[2]} GB" else None
    if size not in unified.sizes:
        sold = ", ".join(f"{gpu.name}-{each / _GIB:g}gb" for each in unified.sizes)
        raise UsageError(f"{name[:60]}: no such size; there are {sold}. --memory {match[2]}GB counts any other")
    return _named(gpu, size)


@lru_cache(maxsize=256)
def _of_size(gpu: GPUSpec, size: float) -> GPUSpec:
    return gpu.model_copy(update={"memory": gpu.memory.sized(size)})


@lru_cache(maxsize=256)
def _named(gpu: GPUSpec, size: float) -> GPUSpec:
    """The variant, which also goes by the name of its chip."""
    label = f"{size / _GIB:g}"
    names = {"name": f"{gpu.name}-{label}gb", "title": f"{gpu.title}, {label} GB", "aliases": (gpu.name, *gpu.aliases)}
    return _of_size(gpu, size).model_copy(update=names)


def memory_notes(gpu: GPUSpec, sold: Memory | None) -> list[str]:
    """What of a memory counts, where that is not simply its driver's report; `sold` is the memory that `--memory`
    stood in for.
    """
    memory, found = gpu.memory, []
    if sold is not None:
        what = "the machine's memory" if memory.unified is not None else "memory"
        found.append(f"{what} of {gpu.name} as asked: {_both(memory.size)} in place of {_both(sold.size)}")
    if memory.unified is not None:
        whose = _WHOSE[memory.unified.system]
        text = f"unified memory: of {_both(memory.size)} {whose} lets the GPU have {_both(memory.capacity)}"
        found.append(f"{text}, {100 * memory.share:.0f} %")
    return found


def _both(size: float) -> str:
    return f"{format_si(size, 'B')} ({format_binary(size)})"
