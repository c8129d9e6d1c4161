"""Other people's files to the data of a model file, with the formats in which they store it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from roofline.specs.base import Spec

#: What files of weights are called.
STORED: Final = (".gguf", ".safetensors")
_PART: Final = re.compile(r"(.*)-\d{5}-of-(\d{5})(\.gguf|\.safetensors)", re.IGNORECASE | re.DOTALL)
_MOST_PARTS: Final = 1_000


def is_foreign(path: Path) -> bool:
    """Whether a path is a file or folder that is imported: not a model file of ours."""
    return path.suffix.lower() in (".json", *STORED) or path.is_dir()


def parts_of(path: str) -> list[str]:
    """The files that are read for a file: itself, or all parts of a model in several."""
    match = _PART.fullmatch(path)
    if match is None or int(match[2]) > _MOST_PARTS:
        return [path]
    return [f"{match[1]}-{index:05d}-of-{match[2]}{match[3]}" for index in range(1, int(match[2]) + 1)]


def import_file(path: Path, name: str | None = None) -> dict[str, Any]:
    """A config.json, its folder, or a `.gguf` file as the data of a model file, called `name` or after its file.

    Only data is read, of files of weights only the header. Raises SpecError or UnsupportedError with the place.
    """
    if path.suffix.lower() == ".gguf":
        from roofline.importers.gguf.read import import_gguf
        from roofline.runs.stored import with_stored_formats

        model = import_gguf(path, name)
        return with_stored_formats(model.data, model.tensors, model.path, (model.file_type,))
    from roofline.importers.huggingface.read import import_config

    return import_config(path, name)


def read_file(path: Path) -> Spec:
    """The spec of a file that is imported. Raises SpecError or UnsupportedError with the place."""
    from roofline.importers.huggingface.read import validated

    return validated(import_file(path), str(path))
