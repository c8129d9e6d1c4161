"""Formats of an operation as a file stores it, and files whose formats follow no published rule.

q6_k*3+q4_k*5       of 8 parts of an operation's elements 3 and 5 in these formats
int4-gptq@4.156     in one format, with its mean bits, scales and vectors included
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from roofline.errors import UsageError
from roofline.specs.dtype import DType

#: Files that choose a format for each tensor of each model, and the mix of llama.cpp that is nearest in size.
_DYNAMIC: Final = {
    "q2_k_xl": "q2_k",
    "q4_k_xl": "q4_k_m",
    "q5_k_xl": "q5_k_m",
    "q6_k_xl": "q6_k",
    "q8_k_xl": "q8_0",
}
_STATED: Final = re.compile(r"([a-z][a-z0-9_-]*)@(\d{1,2}(?:\.\d{1,20})?)")
_TERM: Final = re.compile(r"([a-z][a-z0-9_-]*)\*([1-9]\d{0,15})")
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


def stored_mean(key: str, table: Mapping[str, DType], aliases: Mapping[str, str]) -> DType | None:
    """The mean of the formats that a key names; None where it is of neither form. `table` has formats by name."""
    if stated := _STATED.fullmatch(key):
        return _with_bits(key, table.get(aliases.get(stated[1], stated[1])), float(stated[2]))
    terms = [_TERM.fullmatch(term) for term in key.split("+", _MOST_TERMS)]
    if not all(terms):
        return None
    found = [(table.get(aliases.get(term[1], term[1])), int(term[2])) for term in terms if term is not None]
    if any(dtype is None or dtype.mix for dtype, _ in found):
        return None
    parts = sorted(((dtype, count) for dtype, count in found if dtype is not None), key=lambda part: -part[1])
    total = sum(count for _, count in parts)
    bits = sum(dtype.bits * count for dtype, count in parts) / total
    gguf = any(dtype.layout.startswith("GGUF") for dtype, _ in parts)
    layout = f"{'GGUF' if gguf else 'stored'}: {', '.join(f'{count / total:.1%} {d.name}' for d, count in parts)}"
    return DType(key, bits, parts[0][0].compute, layout, whole=True)


def _with_bits(key: str, dtype: DType | None, bits: float) -> DType | None:
    if dtype is None or not 0.5 <= bits <= 64:
        return None
    return DType(key, bits, dtype.compute, f"stored: {dtype.name}, {bits:.4g} bits with all beside it", whole=True)
