"""What a checkpoint holds beside the language model: towers and heads of further tokens, compared with the spec's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from roofline.architectures.text.transformer import mtp_parameters
from roofline.architectures.towers.parameters import tower_parameters
from roofline.importers.safetensors.names import FURTHER, TOWERS
from roofline.importers.stored.tensor import StoredTensor
from roofline.runs.files.stored import same, told_of_extra
from roofline.specs.formats.dtypes import find_dtype
from roofline.specs.text.tower import Tower
from roofline.specs.text.transformer import TransformerSpec

#: Names of tensors that read sound, where a model has towers of several kinds.
_SOUND: Final = re.compile(r"audio|sound|speech|talker|code2wav")
#: What heads of further tokens share with the model and some files hold once more.
_COPIES: Final = re.compile(r".*\.(?:embed_tokens|shared_head\.head)\.weight")
_NARROWEST: Final = 16.0


def with_beside(
    data: Mapping[str, Any], spec: TransformerSpec, tensors: Sequence[StoredTensor]
) -> tuple[dict[str, Any], list[str]]:
    """A model's data whose towers have the bits of the files where the elements agree, and what is told of the rest."""
    told: list[str] = []
    bits: list[float | None] = []
    counted: set[str] = set()
    for tower in spec.towers:
        own = list(_of_tower(tower, spec, tensors))
        counted |= {tensor.name for tensor in own}
        total, parameters = sum(tensor.bytes for tensor in own), tower_parameters(tower)
        differs = _difference(f"{tower.name} tower", own, parameters)
        told += [differs] if differs else []
        bits.append(None if differs else 8 * total / parameters)
    if spec.mtp is not None:
        own = [tensor for tensor in tensors if tensor.extra == FURTHER]
        counted |= {tensor.name for tensor in own}
        plain = [tensor for tensor in own if not _COPIES.fullmatch(tensor.name)]
        differs = _difference(FURTHER, plain, mtp_parameters(spec)) if plain else ""
        told += [differs] if differs else []
    rest = [tensor for tensor in tensors if tensor.name not in counted]
    return _with_bits(data, spec, bits), [*told_of_extra(rest), *told]


def _of_tower(tower: Tower, spec: TransformerSpec, tensors: Sequence[StoredTensor]) -> Iterator[StoredTensor]:
    """The tensors of a tower: all where it is the only one, else those that read what it reads."""
    alone = len(spec.towers) == 1 and not spec.left_out
    for tensor in tensors:
        if tensor.extra == TOWERS and (alone or bool(_SOUND.search(tensor.name)) == (tower.name == "audio")):
            yield tensor


def _difference(what: str, tensors: Sequence[StoredTensor], parameters: float) -> str:
    """How tensors differ from what is counted; empty where they do not."""
    found = sum(tensor.elements for tensor in tensors)
    if any(tensor.format == "packed" for tensor in tensors):
        total = sum(tensor.bytes for tensor in tensors)
        return f"{what}: {total:,} bytes in the files, packed; {parameters:,.0f} parameters by the config are taken"
    if found == parameters:
        return ""
    return f"{what}: {found:,} elements in the files, {parameters:,.0f} by the config, which are taken"


def _with_bits(data: Mapping[str, Any], spec: TransformerSpec, bits: Sequence[float | None]) -> dict[str, Any]:
    """Towers with their bits, where these are not what is taken without a file."""
    usual = max(_NARROWEST, find_dtype(spec.dtype).bits)
    towers = [
        dict(tower) if own is None or same(own, usual) else {**tower, "bits": own}
        for tower, own in zip(data.get("towers", ()), bits, strict=True)
    ]
    return {**data, "towers": towers} if towers else dict(data)
