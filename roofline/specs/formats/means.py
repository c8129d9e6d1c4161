"""Several formats as one, their mean.

60*int4-g128+4*bf16     matrices of equal size, of 64 of which 60 are in the one format and 4 in the other
stored:3*q6_k+5*q4_k    an operation as a file stores it, of 8 parts of its elements 3 and 5 in these formats
int4-gptq@4.156         an operation as a file stores it: in one format, with its mean bits

What a file stores is all that an operation has: biases and scales are among it, and none are counted beside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from roofline.errors import UsageError
from roofline.specs.formats.dtype import DType

#: Files that choose a format for each tensor of each model, and the mix of llama.cpp that is nearest in size.
_DYNAMIC: Final = {
    "q2_k_xl": "q2_k",
    "q4_k_xl": "q4_k_m",
    "q5_k_xl": "q5_k_m",
    "q6_k_xl": "q6_k",
    "q8_k_xl": "q8_0",
}
#: Before the formats of an operation as a file stores it.
STORED: Final = "stored:"
_STATED: Final = re.compile(r"([a-z][a-z0-9_-]*)@(\d{1,2}(?:\.\d{1,20})?)")
_TERM: Final = re.compile(r"(?:([1-9]\d{0,15})\*)?([a-z0-9_.-]{1,40})")
_MOST_TERMS: Final = 16


def refuse_dynamic(name: str, key: str, table: Mapping[str, DType]) -> None:
    """Raises UsageError for the name of files that choose a format for every tensor of a model."""
    if not (key.startswith("ud-") or key in _DYNAMIC):
        return
    size = key.removeprefix("ud-")
    near = {**_DYNAMIC, "q3_k_xl": "q3_k_m"}.get(size) or (size if size in table else "q4_k_m")
    raise UsageError(
        f"--weights {name[:40]}: dynamic files choose a format for every tensor of a model, and no rule for them is "
        f"published. Give the .gguf file as the model, which says its exact bytes; the nearest plain mix is {near}"
    )


def mean_of(key: str, single: Callable[[str], DType | None]) -> DType | None:
    """The mean of the formats that a key names; None where it is of no such form. `single` finds a format by name."""
    if stated := _STATED.fullmatch(key):
        return _with_bits(key, single(stated[1]), float(stated[2]))
    terms = key.removeprefix(STORED).split("+", _MOST_TERMS)
    whole = key.startswith(STORED)
    if len(terms) > _MOST_TERMS or not (whole or len(terms) > 1):
        return None
    found = [_term(term, single) for term in terms]
    parts = sorted((part for part in found if part is not None), key=lambda part: -part[1])
    return _mean(key, parts, whole) if len(parts) == len(found) else None


def stored_as(counts: Mapping[str, int]) -> str:
    """The name of an operation's format by the elements that a file has in each, the most first."""
    parts = sorted(counts.items(), key=lambda part: -part[1])
    return STORED + "+".join(f"{count}*{name}" for name, count in parts)


def only_format(name: str) -> str | None:
    """The format that all elements have where a file stores them in one; None where it has several."""
    return None if "+" in name else name.removeprefix(STORED).rpartition("*")[2]


def _term(term: str, single: Callable[[str], DType | None]) -> tuple[DType, int] | None:
    """A format and how many parts are in it; a file of several formats is none."""
    match = _TERM.fullmatch(term)
    dtype = single(match[2]) if match else None
    return None if match is None or dtype is None or dtype.mix else (dtype, int(match[1] or 1))


def _mean(key: str, parts: list[tuple[DType, int]], whole: bool) -> DType:
    total = sum(count for _, count in parts)
    bits = sum(dtype.bits * count for dtype, count in parts) / total
    compute = parts[0][0].compute
    if not whole:
        layout = ", ".join(f"{count} of {total} parts {dtype.name}" for dtype, count in parts)
        return DType(key, bits, compute, layout, parts=tuple((dtype.name, float(count)) for dtype, count in parts))
    gguf = any(dtype.layout.startswith("GGUF") for dtype, _ in parts)
    layout = f"{'GGUF' if gguf else 'stored'}: {', '.join(f'{count / total:.1%} {d.name}' for d, count in parts)}"
    return DType(key, bits, compute, layout, whole=True)


def _with_bits(key: str, dtype: DType | None, bits: float) -> DType | None:
    if dtype is None or not 0.5 <= bits <= 64:
        return None
    return DType(key, bits, dtype.compute, f"stored: {dtype.name}, {bits:.4g} bits with all beside it", whole=True)
