"""Tensors of a file beside the ledger: elements are counted against parameters, and bytes become formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import gcd
from typing import Any, Final, NamedTuple

from roofline.architectures.build import build_workload
from roofline.errors import Place, SpecError
from roofline.importers.huggingface.read import validated
from roofline.importers.stored.tensor import StoredTensor
from roofline.runs.formats import facts_of
from roofline.specs.formats.dtypes import DTYPES
from roofline.specs.formats.means import only_format, stored_as
from roofline.specs.formats.mixes import ModelFacts
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.run import TextRun
from roofline.workload.storage.formats import qualified, role_of

ONE_TOKEN: Final = TextRun(1.0, 1.0, 0.0)
#: Bytes of an op count as equal within this much, relative.
_EQUAL: Final = 1e-9


class Bucket(NamedTuple):
    """Operations and the tensors that hold their parameters: one of each, or several where matrices are fused."""

    ops: list[Op]
    tensors: list[StoredTensor]

    @property
    def counted(self) -> float:
        """Parameters that the ledger counts."""
        return sum(op.count * op.params for op in self.ops)

    @property
    def stored(self) -> int:
        """Elements that the file holds."""
        return sum(tensor.elements for tensor in self.tensors)


def with_stored_formats(
    data: dict[str, Any], tensors: Sequence[StoredTensor], path: str, formats: Iterable[str | None] = ()
) -> dict[str, Any]:
    """A model's data with the formats in which a file stores it, so that its bytes are the file's.

    `formats` are names that may describe most of it. Raises SpecError where the file holds other numbers of elements
    than the architecture has parameters.
    """
    spec: Any = validated(data, path)
    ops = build_workload(spec, ONE_TOKEN).holders()
    kept = [tensor for tensor in tensors if tensor.extra is None]
    check_formats(kept, path)
    buckets = sorted_out(ops, kept)
    check(buckets, path)
    bits = {qualified(op): format_of(bucket.tensors) for bucket in buckets for op in bucket.ops}
    facts = facts_of(spec)
    names = dict.fromkeys(name for name in (*formats, most_frequent(kept)) if name)
    found = [(name, _overrides(name, ops, bits, facts)) for name in names]
    dtype, overrides = min(found, key=lambda one: len(one[1]))
    return with_formats(data, dtype, overrides, told_of_extra(tensors))


def with_formats(data: Mapping[str, Any], dtype: str, dtypes: Mapping[str, str], told: Sequence[str]) -> dict[str, Any]:
    """A model's data with these formats, where a model file has them, and more assumptions to tell."""
    out: dict[str, Any] = {}
    for key, value in data.items():
        if key != "dtypes":
            out[key] = dtype if key == "dtype" else value
        if key == "dtype" and dtypes:
            out["dtypes"] = dict(dtypes)
    assumed = [*data.get("assumed", ()), *told]
    return out | ({"assumed": assumed} if assumed else {})


def told_of_extra(tensors: Iterable[StoredTensor]) -> list[str]:
    """What a file holds beside the parameters that are counted, by why they are not."""
    why: dict[str, list[StoredTensor]] = {}
    for tensor in tensors:
        if tensor.extra is not None:
            why.setdefault(tensor.extra, []).append(tensor)
    return [
        f"not counted: {reason}, {len(found)} {'tensor' if len(found) == 1 else 'tensors'} of "
        f"{sum(tensor.bytes for tensor in found):,} bytes ({found[0].name}{', …' if len(found) > 1 else ''})"
        for reason, found in why.items()
    ]


def sorted_out(ops: Sequence[Op], tensors: Sequence[StoredTensor]) -> list[Bucket]:
    """Operations with their tensors; those that no name connects are the last bucket together."""
    known = {qualified(op) for op in ops}
    leader = {name: name for name in known}

    def root(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    homes: list[str | None] = []
    for tensor in tensors:
        candidates = [name for name in tensor.operations if name in known]
        for other in candidates[1:]:
            leader[root(other)] = root(candidates[0])
        homes.append(candidates[0] if candidates else None)
    rest = Bucket([], [])
    buckets: dict[str, Bucket] = {}
    for tensor, home in zip(tensors, homes, strict=True):
        (rest if home is None else buckets.setdefault(root(home), Bucket([], []))).tensors.append(tensor)
    for op in ops:
        buckets.get(root(qualified(op)), rest).ops.append(op)
    return [*buckets.values(), *([rest] if rest.ops or rest.tensors else [])]


def check_formats(tensors: Iterable[StoredTensor], path: str) -> None:
    """Refuse a parameter in a format that holds none: whole numbers, or blocks of activations."""
    strange = next((tensor for tensor in tensors if tensor.format not in DTYPES), None)
    if strange is not None:
        message = f"is stored as {strange.format}, which holds no weights"
        raise SpecError(message, Place(path), strange.name, "It may belong to a part that is not modelled.")


def check(buckets: Sequence[Bucket], path: str) -> None:
    """Refuse a file whose elements are not the parameters of the architecture."""
    for bucket in buckets:
        if bucket.counted != bucket.stored:
            names = ", ".join(dict.fromkeys(op.name for op in bucket.ops)) or "no operation"
            held = ", ".join(tensor.name for tensor in bucket.tensors[:3]) or "no tensor"
            message = (
                f"{names}: {bucket.counted:,.0f} parameters by its sizes, {bucket.stored:,} in its tensors ({held}"
            )
            more = ", …)" if len(bucket.tensors) > 3 else ")"
            raise SpecError(message + more, Place(path), hint="The header contradicts itself, or is of another kind.")


def most_frequent(tensors: Iterable[StoredTensor]) -> str:
    """The format of most elements."""
    counts: dict[str, int] = {}
    for tensor in tensors:
        counts[tensor.format] = counts.get(tensor.format, 0) + tensor.elements
    return max(counts, key=counts.__getitem__, default="bf16")


def format_of(tensors: Sequence[StoredTensor]) -> str:
    """The format of an operation: `stored:5*q4_k+3*q6_k` by the elements of each, the most first."""
    counts: dict[str, int] = {}
    for tensor in tensors:
        counts[tensor.format] = counts.get(tensor.format, 0) + tensor.elements
    divisor = gcd(*counts.values()) or 1
    return stored_as({name: count // divisor for name, count in counts.items()})


def _overrides(main: str, ops: Sequence[Op], formats: Mapping[str, str], facts: ModelFacts) -> dict[str, str]:
    """The operations whose bytes are other than `main` makes them, each with the format that gives the file's."""
    plain = Precision.of(main, facts=facts)
    needed: dict[str, str] = {}
    for op in ops:
        name = formats[qualified(op)]
        if not same(plain.held_bytes(op), _stored_bytes(op, name)):
            needed[qualified(op)] = name
    if not needed:
        return {}
    short = {name: _shortest(main, name, fmt, ops) for name, fmt in needed.items()}
    return named(short, ops)


def named(formats: Mapping[str, str], ops: Sequence[Op]) -> dict[str, str]:
    """Formats of operations under the shortest names that say the same: `norm` for all norms, a name without its part
    where it stands in one part of the model only.
    """
    short = dict(formats)
    norms = {qualified(op) for op in ops if role_of(op) == "norm"}
    common = {short[name] for name in norms & set(short)}
    if norms and norms <= set(short) and len(common) == 1:
        short = {name: fmt for name, fmt in short.items() if name not in norms} | {"norm": common.pop()}
    parts: dict[str, set[str]] = {}
    for op in ops:
        parts.setdefault(op.name, set()).add(qualified(op))
    return {(name.partition(".")[2] if _alone(name, parts) else name): fmt for name, fmt in short.items()}


def _alone(name: str, parts: Mapping[str, set[str]]) -> bool:
    """Whether an operation's name stands in one part of the model only."""
    return len(parts.get(name.partition(".")[2], ())) == 1


def _shortest(main: str, name: str, fmt: str, ops: Sequence[Op]) -> str:
    """The name of a format alone where it gives the same bytes as the mean over the operation's elements."""
    single = only_format(fmt)
    if single is None:
        return fmt
    own = [op for op in ops if qualified(op) == name]
    alone = Precision.of(main, overrides={name: single})
    return single if all(same(alone.held_bytes(op), _stored_bytes(op, fmt)) for op in own) else fmt


def _stored_bytes(op: Op, fmt: str) -> float:
    return Precision.of(fmt).held_bytes(op)


def same(one: float, other: float) -> bool:
    """Whether two numbers of bytes are equal but for rounding."""
    return abs(one - other) <= _EQUAL * max(one, other)
