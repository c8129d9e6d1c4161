"""A config.json beside its safetensors files: it is checked against their tensors, and bytes are those of the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from roofline.architectures.build import build_workload
from roofline.errors import Place, SpecError
from roofline.importers.huggingface.read import Imported, validated
from roofline.importers.safetensors.folder import Checkpoint
from roofline.importers.safetensors.names import stored
from roofline.importers.stored.tensor import StoredTensor
from roofline.runs.files.beside import with_beside
from roofline.runs.files.stored import (
    ONE_TOKEN,
    Bucket,
    format_of,
    named,
    same,
    sorted_out,
    with_formats,
)
from roofline.runs.formats import facts_of
from roofline.specs.formats.means import only_format
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.storage.formats import ROLES, names_of, qualified

#: A file whose elements differ from the config's parameters by more than this is of another model.
_OTHER_MODEL: Final = 0.02
#: Packed weights whose bytes are this many times those of the format that the config names, or the reverse, are not
#: what it describes.
_OTHER_FORMAT: Final = 1.5


def with_checkpoint(imported: Imported, found: Checkpoint | None, path: Path) -> dict[str, Any]:
    """A model's data with what safetensors files say: bytes by tensor, and where they differ from the config.

    Without such files the data is as it was. Raises SpecError at `path` for files of another model.
    """
    data, names = imported
    if names is None or found is None:
        return data
    spec: Any = validated(data, str(path))
    ops = build_workload(spec, ONE_TOKEN).holders()
    precision = Precision.of(spec.dtype, overrides=spec.dtypes, facts=facts_of(spec))
    if found.tensors is None:
        return with_formats(data, spec.dtype, spec.dtypes, list(_told(found, ops, precision)))
    layers = sum(block.layers for block in spec.blocks)
    tensors = stored(found.tensors, names, layers, spec.tied_embeddings)
    buckets = sorted_out(ops, list(_with_homes((one for one in tensors if one.extra is None), ops)))
    _check_model(buckets, path)
    data, told = with_beside(data, spec, [one for one in tensors if one.extra is not None])
    return _compared(data, spec, told, buckets, precision)


def _with_homes(tensors: Iterable[StoredTensor], ops: Iterable[Op]) -> Iterator[StoredTensor]:
    """Tensors with their operations as the ledger of this model has them: `kv_b_proj` may be two there."""
    homes: dict[str, list[str]] = {}
    for op in ops:
        for name in names_of(op):
            if name == op.name or name not in ROLES:
                homes.setdefault(name, []).append(qualified(op))
    for tensor in tensors:
        found = dict.fromkeys(home for name in tensor.operations for home in homes.get(name, ()))
        yield tensor._replace(operations=tuple(found))


def _told(found: Checkpoint, ops: Sequence[Op], precision: Precision) -> Iterator[str]:
    """What is known of files whose headers are not there."""
    if found.told:
        yield found.told
    counted = sum(op.count * precision.held_bytes(op) for op in ops)
    if found.claimed and abs(found.claimed - counted) > 0.001 * counted:
        yield f"the index of the weights says {found.claimed:,} bytes in all, {counted:,.0f} are counted"


def _check_model(buckets: Sequence[Bucket], path: Path) -> None:
    """Refuse weights of another model than the config's."""
    counted = sum(bucket.counted for bucket in buckets if not _packed(bucket))
    held = sum(bucket.stored for bucket in buckets if not _packed(bucket))
    if abs(held - counted) > _OTHER_MODEL * counted:
        message = f"its weights hold {held:,} elements, its config.json describes {counted:,.0f}"
        raise SpecError(message, Place(str(path)), hint="Are config.json and weights of one model?")


def _compared(
    data: dict[str, Any], spec: TransformerSpec, told: list[str], buckets: Sequence[Bucket], precision: Precision
) -> dict[str, Any]:
    """The data with the formats of the operations whose tensors are what the config says; others are told."""
    formats: dict[str, str | None] = {}
    ops = [op for bucket in buckets for op in bucket.ops]
    for bucket in buckets:
        differs = _difference(bucket, precision)
        if differs:
            told.append(differs)
        else:
            formats |= {qualified(op): _stored_as(bucket, op, precision) for op in bucket.ops}
    own = {name: fmt for name, fmt in formats.items() if fmt is not None}
    return with_formats(data, spec.dtype, {**spec.dtypes, **named(own, ops)}, told)


def _packed(bucket: Bucket) -> bool:
    return any(tensor.format == "packed" for tensor in bucket.tensors)


def _difference(bucket: Bucket, precision: Precision) -> str | None:
    """How the tensors of an operation differ from the config, if they do."""
    names = ", ".join(dict.fromkeys(op.name for op in bucket.ops)) or "no operation"
    some = ", ".join(tensor.name for tensor in bucket.tensors[:2]) or "none"
    if not bucket.ops:
        total = sum(tensor.bytes for tensor in bucket.tensors)
        return f"not counted: tensors that nothing in the config stands for, {total:,} bytes ({some}, …)"
    if _packed(bucket):
        declared = sum(op.count * precision.held_bytes(op) for op in bucket.ops)
        found = sum(tensor.bytes for tensor in bucket.tensors)
        if declared <= _OTHER_FORMAT * found and found <= _OTHER_FORMAT * declared:
            return None
        return f"{names}: {found:,} bytes in the files, {declared:,.0f} by the config's format, which is taken ({some})"
    if bucket.counted == bucket.stored:
        return None
    found = bucket.stored
    return f"{names}: {found:,} elements in the files, {bucket.counted:,.0f} by the config, which are taken ({some})"


def _stored_as(bucket: Bucket, op: Op, precision: Precision) -> str | None:
    """The format that gives an operation the bytes of its tensors; None where it has them already."""
    bits = 8 * sum(tensor.bytes for tensor in bucket.tensors) / bucket.counted
    if same(precision.weight_bits(op), bits):
        return None
    plain = all(tensor.elements for tensor in bucket.tensors) and not _packed(bucket)
    if plain:
        formats = format_of(bucket.tensors)
        single = only_format(formats)
        alone = Precision.of(precision.weights.name, overrides={qualified(op): single} if single else {})
        return single if single and same(alone.weight_bits(op), bits) else formats
    base = precision.weight_dtype(op).name.partition("@")[0]
    return f"{base}@{bits:.12f}".rstrip("0").rstrip(".")
