"""From what a user names to specs: a bundled name or alias, a file, or a spec already loaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from stat import S_ISDIR
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from roofline.errors import UnknownNameError, UsageError
from roofline.runs.checks import named
from roofline.runs.files.model_files import STORED, is_foreign, parts_of, read_file
from roofline.runs.memory_size import variant
from roofline.specs.base import Spec
from roofline.specs.files.library import Found, Shelf, bundled, find, own_folders
from roofline.specs.files.paths import exists, expanded, working_folder
from roofline.specs.files.reader import read_gpu, read_model
from roofline.specs.gpu import GPUSpec
from roofline.specs.gpu_memory import Memory

ModelLike: TypeAlias = str | os.PathLike[str] | Spec
S = TypeVar("S", bound=Spec)
GPULike: TypeAlias = str | os.PathLike[str] | GPUSpec


class Origin(NamedTuple):
    """Where a spec came from: its file, the alias it was asked for by, the memory that another size stands in for, the
    number format of weights that stood behind a model's name.
    """

    path: str
    alias: str | None = None
    sold: Memory | None = None
    weights: str | None = None


_IN_MEMORY = Origin("(a spec object)")


def load_model(model: ModelLike, spec_dir: str | None = None) -> Spec:
    """The spec of a model: a bundled name or alias, a YAML file, a config.json or its folder, a `.gguf` file,
    `hf:org/name`, or a spec, which is returned as it is.

    Raises UnknownNameError with the nearest names, or SpecError with file, line and column.
    """
    return locate_model(model, spec_dir)[0]


def load_gpu(gpu: GPULike, spec_dir: str | None = None) -> GPUSpec:
    """The spec of an accelerator: a bundled name or alias, a YAML file, or a spec, which is returned as it is.

    Raises UnknownNameError with the nearest names, or SpecError with file, line and column.
    """
    return locate_gpu(gpu, spec_dir)[0]


def locate_model(model: ModelLike, spec_dir: str | None = None, tags: bool = False) -> tuple[Spec, Origin]:
    """The spec of a model and where it was found.

    `tags`: who asks minds the format that stood behind a name (`Origin.weights`); else such a name is refused.
    """
    if isinstance(model, Spec):
        return model, _IN_MEMORY
    name = named("model", model)
    if name.startswith("hf:"):
        return _read_hub(name), Origin(name)
    return _locate("models", name, spec_dir, _read_model, tags)


def locate_gpu(gpu: GPULike, spec_dir: str | None = None) -> tuple[GPUSpec, Origin]:
    """The spec of an accelerator and where it was found."""
    if isinstance(gpu, GPUSpec):
        return gpu, _IN_MEMORY
    name = named("gpu", gpu)
    try:
        return _locate("hardware", name, spec_dir, read_gpu)
    except UnknownNameError as unknown:
        return _locate_size(name, spec_dir, unknown)


def _locate_size(name: str, spec_dir: str | None, unknown: UnknownNameError) -> tuple[GPUSpec, Origin]:
    """The chip in the size of memory that its name ends in; else the name is as unknown as it was."""
    places: list[Origin] = []

    def find_chip(chip: str) -> GPUSpec:
        spec, origin = _locate("hardware", chip, spec_dir, read_gpu)
        places.append(origin)
        return spec

    try:
        found = variant(name, find_chip)
    except UnknownNameError:
        found = None
    if found is None:
        raise unknown
    return found, Origin(places[0].path, name if name.lower() != found.name else None)


#: What was read, by what it was asked for: kept while the file stays as it is.
_KNOWN: dict[tuple[object, ...], tuple[str, tuple[int, int], Any, Origin]] = {}
_MOST_KNOWN: Final = 2048


def _locate(
    shelf: Shelf, name: str, spec_dir: str | None, read: Callable[[Path], S], tags: bool = False
) -> tuple[S, Origin]:
    meant = is_path(name)
    own = () if meant else own_folders(shelf, spec_dir)
    key = (shelf, name, meant, tags, spec_dir, os.environ.get("ROOFLINE_PATH"), working_folder(), own)
    known = _KNOWN.get(key)
    if known is not None and _stamp(known[0]) == known[1] != _MISSING:
        return known[2], known[3]
    if not name.strip():
        raise UsageError(f"an empty name for a {'model' if shelf == 'models' else 'GPU'}")
    if meant:
        path = expanded(name)
        found = Found(path, path.stem)
    else:
        found = find(shelf, name, spec_dir, tags)
    where, origin = str(found.path), Origin(str(found.path), found.alias, weights=found.weights)
    stamp = _stamp(where)
    same = next((entry[2] for entry in _KNOWN.values() if entry[:2] == (where, stamp)), None)
    spec = read(found.path) if same is None or stamp == _MISSING else same
    if getattr(spec, "family", "") == "pipeline" and found.path.parent != bundled("models"):
        stamp = _MISSING  # the parts that it names are files of their own, which may change while this one does not
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[key] = (where, stamp, spec, origin)
    return spec, origin


def is_path(name: str) -> bool:
    """Whether a name is meant as a path: it exists, has an extension of ours, or starts as a path does."""
    return (
        name.lower().endswith((".yaml", ".yml", ".json", *STORED)) or name.startswith((".", "/", "~")) or exists(name)
    )


_MISSING: Final = (0, 0)


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = [os.stat(part) for part in parts_of(path)]
    except (OSError, ValueError):
        return _MISSING
    if any(S_ISDIR(status.st_mode) for status in found):
        return _MISSING  # what a folder holds may change while the folder does not
    return (sum(status.st_mtime_ns for status in found), sum(status.st_size for status in found))


def _read_model(path: Path) -> Spec:
    return read_file(path) if is_foreign(path) else read_model(path)


@lru_cache(maxsize=64)
def _read_hub(name: str) -> Spec:
    from roofline.importers.huggingface.hub import read_hub

    return read_hub(name)
