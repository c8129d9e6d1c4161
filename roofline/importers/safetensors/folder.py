"""The files of a checkpoint: which safetensors files belong to a config.json, and what their headers hold."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from roofline.errors import Place, SpecError
from roofline.importers.json_document import read_index
from roofline.importers.safetensors.header import Tensor, is_pointer, read_header
from roofline.importers.stored.parts import MOST_PARTS, all_parts, all_there, part_of
from roofline.specs.files.paths import is_file

INDEX: Final = "model.safetensors.index.json"


class Checkpoint(NamedTuple):
    """The tensors of a checkpoint; None where their headers are not there, with what is known instead.

    `claimed` are the bytes that an index says, `told` is what to tell of files that were not read.
    """

    tensors: list[Tensor] | None
    claimed: int | None = None
    told: str | None = None


def config_beside(file: Path) -> Path:
    """The config.json beside a file of weights. Raises SpecError where there is none."""
    if file.name.startswith("adapter_"):
        raise SpecError("is an adapter (LoRA), no model", Place(str(file)), hint="Give the model's own file.")
    config = file.with_name("config.json")
    if is_file(config):
        return config
    if not is_file(file):
        raise SpecError("no such file", Place(str(file)))
    read_whole(file)
    hint = "A safetensors file names tensors, not the architecture: put the model's config.json beside it."
    raise SpecError("has no config.json beside it", Place(str(file)), hint=hint)


def read_whole(file: Path) -> list[Tensor]:
    """The tensors of a file, and of all parts where it is one of several, or of the files that an index names."""
    if file.name.endswith(".index.json"):
        return _joined(file, all_there(file, _named_by(file)[0]))
    part = part_of(file.name)
    return read_header(file) if part is None else _joined(file, all_parts(file, part))


def beside_config(folder: Path) -> Checkpoint | None:
    """The checkpoint in a folder, so far as its files are there; None where there is none."""
    index = folder / INDEX
    if is_file(index):
        names, claimed = _named_by(index)
        return _what_there_is(folder, index, names, claimed)
    others = sorted(path.name for path in folder.glob("*.safetensors") if not path.name.startswith("adapter_"))
    alone = ["model.safetensors"] if "model.safetensors" in others else others
    if len(alone) == 1 and part_of(alone[0]) is None:
        return _what_there_is(folder, folder / alone[0], alone, None)
    parts = sorted(path.name for path in folder.glob("model-*-of-*.safetensors") if part_of(path.name))
    if not parts:
        return None
    first = folder / parts[0]
    return _what_there_is(folder, first, parts, None) if _complete(parts) else _missing(parts)


def _complete(parts: list[str]) -> bool:
    first = part_of(parts[0])
    return first is not None and len(parts) == first.total


def _missing(parts: list[str]) -> Checkpoint:
    return Checkpoint(None, None, f"{len(parts)} parts of the weights are there, not all ({parts[0]}, …): not compared")


def _what_there_is(folder: Path, origin: Path, names: list[str], claimed: int | None) -> Checkpoint:
    there = [name for name in names if is_file(folder / name)]
    if any(is_pointer(folder / name) for name in there):
        return Checkpoint(None, claimed, "the weights are Git LFS pointers that were not fetched: not compared")
    if len(there) < len(names):
        if there:
            missing = next(name for name in names if name not in there)
            told = f"{len(names) - len(there)} of {len(names)} files of weights are not there ({missing}): not compared"
            return Checkpoint(None, claimed, told)
        return Checkpoint(None, claimed)
    return Checkpoint(_joined(origin, [folder / name for name in names]), claimed)


def _named_by(index: Path) -> tuple[list[str], int | None]:
    """The files that an index names, and the bytes that it claims. Raises SpecError where it names none."""
    document = read_index(index)
    data = document.data
    named = data.get("weight_map") if isinstance(data, dict) else None
    if not isinstance(named, dict) or not named or not all(isinstance(name, str) for name in named.values()):
        hint = "An index maps the name of each tensor to its file."
        raise SpecError("has no weight_map of names to files", document.place(()), "weight_map", hint)
    files = sorted(set(named.values()))
    for name in files:
        if Path(name).name != name or not name.endswith(".safetensors") or len(files) > MOST_PARTS:
            place = document.place(("weight_map",))
            raise SpecError(f"names {name[:60]!r}, which is no safetensors file beside it", place, "weight_map")
    metadata = data.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    return files, int(total) if isinstance(total, (int, float)) and 0 < total < 1e18 else None


def _joined(origin: Path, files: list[Path]) -> list[Tensor]:
    tensors = [tensor for file in files for tensor in read_header(file)]
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise SpecError("two of its files hold a tensor of one name", Place(str(origin)))
    return tensors
