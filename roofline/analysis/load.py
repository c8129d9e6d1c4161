"""From what a user names to specs: a bundled name or alias, a file, or a spec already loaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from roofline.errors import UsageError
from roofline.specs.base import Spec
from roofline.specs.gpu import GPUSpec
from roofline.specs.library import Found, Shelf, find
from roofline.specs.reader import read_gpu, read_model

ModelLike: TypeAlias = str | os.PathLike[str] | Spec
GPULike: TypeAlias = str | os.PathLike[str] | GPUSpec


@dataclass(frozen=True)
class Origin:
    """Where a spec came from: its file, and the alias it was asked for by."""

    path: str
    alias: str | None = None


_IN_MEMORY = Origin("(a spec object)")


def load_model(model: ModelLike, spec_dir: str | None = None) -> Spec:
    """The spec of a model: a bundled name or alias, a YAML file, a config.json or its folder, `hf:org/name`, or a spec,
    which is returned as it is.

    Raises UnknownNameError with the nearest names, or SpecError with file, line and column.
    """
    return locate_model(model, spec_dir)[0]


def load_gpu(gpu: GPULike, spec_dir: str | None = None) -> GPUSpec:
    """The spec of an accelerator: a bundled name or alias, a YAML file, or a spec, which is returned as it is.

    Raises UnknownNameError with the nearest names, or SpecError with file, line and column.
    """
    return locate_gpu(gpu, spec_dir)[0]


def locate_model(model: ModelLike, spec_dir: str | None = None) -> tuple[Spec, Origin]:
    """The spec of a model and where it was found."""
    if isinstance(model, Spec):
        return model, _IN_MEMORY
    name = os.fspath(model)
    if name.startswith("hf:"):
        return _read_hub(name), Origin(name)
    found = _find("models", name, spec_dir)
    return _read_model(found.path, _stamp(found.path)), Origin(str(found.path), found.alias)


def locate_gpu(gpu: GPULike, spec_dir: str | None = None) -> tuple[GPUSpec, Origin]:
    """The spec of an accelerator and where it was found."""
    if isinstance(gpu, GPUSpec):
        return gpu, _IN_MEMORY
    found = _find("hardware", os.fspath(gpu), spec_dir)
    return _read_gpu(found.path, _stamp(found.path)), Origin(str(found.path), found.alias)


def is_path(name: str) -> bool:
    """Whether a name is meant as a path: it exists, has an extension of ours, or starts as a path does."""
    return name.endswith((".yaml", ".yml", ".json")) or name.startswith((".", "/", "~")) or Path(name).exists()


def _find(shelf: Shelf, name: str, spec_dir: str | None) -> Found:
    if not name.strip():
        raise UsageError(f"an empty name for a {'model' if shelf == 'models' else 'GPU'}")
    found = _find_cached(shelf, name, spec_dir, os.environ.get("ROOFLINE_PATH", ""), os.getcwd())
    if not found.path.exists() and not is_path(name):
        _find_cached.cache_clear()
        found = _find_cached(shelf, name, spec_dir, os.environ.get("ROOFLINE_PATH", ""), os.getcwd())
    return found


@lru_cache(maxsize=1024)
def _find_cached(shelf: Shelf, name: str, spec_dir: str | None, search_path: str, cwd: str) -> Found:
    if is_path(name):
        path = Path(name).expanduser()
        return Found(path, path.stem)
    return find(shelf, name, spec_dir)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _read_model(path: Path, stamp: tuple[int, int]) -> Spec:
    if path.suffix == ".json" or path.is_dir():
        from roofline.importers.huggingface import read_config

        return read_config(path)
    return read_model(path)


@lru_cache(maxsize=64)
def _read_hub(name: str) -> Spec:
    from roofline.importers.hub import read_hub

    return read_hub(name)


@lru_cache(maxsize=256)
def _read_gpu(path: Path, stamp: tuple[int, int]) -> GPUSpec:
    return read_gpu(path)
