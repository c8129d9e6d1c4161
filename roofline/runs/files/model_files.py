"""Other people's files to the data of a model file, with the formats in which they store it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from roofline.errors import Place, SpecError
from roofline.importers.stored.parts import MOST_PARTS, part_of
from roofline.specs.base import Spec
from roofline.specs.files.paths import beginning, is_file, is_folder

#: What files of weights are called.
STORED: Final = (".gguf", ".safetensors")
_LATENT: Final = re.compile(rb"^(ldm_params|autoencoder_params)\s*:", re.MULTILINE)
_FAMILY: Final = re.compile(rb"^(family|kind)\s*:", re.MULTILINE)
#: Bytes at the start of a YAML file in which it says what it is.
_HEAD: Final = 65_536


def is_foreign(path: Path) -> bool:
    """Whether a path is a file or folder that is imported: not a model file of ours."""
    return path.suffix.lower() in (".json", *STORED) or is_folder(path) or _is_latent(path)


def _is_latent(path: Path) -> bool:
    """Whether a YAML file is a config of explainingai's latent diffusion: one of its sections, no family of ours."""
    if path.suffix.lower() not in (".yaml", ".yml") or not is_file(path):
        return False
    head = beginning(path, _HEAD).encode()
    return _FAMILY.search(head) is None and _LATENT.search(head) is not None


def parts_of(path: str) -> list[str]:
    """What is read for a file: itself, all parts of a model in several, the config.json beside weights; the folder
    where a file names others in it.
    """
    if path.endswith(".safetensors.index.json"):
        return [path, str(Path(path).parent)]
    beside = [str(Path(path).with_name("config.json"))] if path.lower().endswith(".safetensors") else []
    part = part_of(path)
    return [path, *beside] if part is None or part.total > MOST_PARTS else beside + part.names()


def import_file(path: Path, name: str | None = None) -> dict[str, Any]:
    """A config.json, its folder, a `.gguf` file, a `.safetensors` file or index beside a config.json as the data of a
    model file, called `name` or after its file. In a folder the config is checked against the weights that are there.

    Only data is read, of files of weights only the header. Raises SpecError or UnsupportedError with the place.
    """
    if _is_latent(path):
        from roofline.importers.latent import import_latent

        return import_latent(path, name)
    if path.suffix.lower() == ".gguf":
        from roofline.importers.gguf.read import import_gguf
        from roofline.runs.files.stored import with_stored_formats

        model = import_gguf(path, name)
        return with_stored_formats(model.data, model.tensors, model.path, (model.file_type,))
    from roofline.importers.huggingface.read import import_named
    from roofline.importers.safetensors.folder import beside_config
    from roofline.runs.files.checkpoint import with_checkpoint

    if path.suffix.lower() == ".safetensors" or path.name.endswith(".safetensors.index.json"):
        from roofline.importers.safetensors.folder import Checkpoint, config_beside, read_whole

        config = config_beside(path)
        return with_checkpoint(import_named(config, name), Checkpoint(read_whole(path)), path)
    _refuse_folder_of_gguf(path)
    imported = import_named(path, name)
    return with_checkpoint(imported, beside_config(path), path) if is_folder(path) else imported.data


def _refuse_folder_of_gguf(path: Path) -> None:
    """A folder may hold the same model in several sizes, so that one of them must be named."""
    if not is_folder(path) or is_file(path / "config.json") or is_file(path / "model_index.json"):
        return
    names = sorted(file.name for file in path.glob("*.gguf"))
    if names:
        raise SpecError(
            "is a folder of GGUF files", Place(str(path)), hint=f"Give one of them: {', '.join(names[:5])}."
        )


def read_file(path: Path) -> Spec:
    """The spec of a file that is imported. Raises SpecError or UnsupportedError with the place."""
    from roofline.importers.huggingface.read import validated

    spec = validated(import_file(path), str(path))
    if getattr(spec, "family", None) == "pipeline":
        from roofline.specs.files.pipeline_parts import resolve_parts
        from roofline.specs.files.reader import read_part

        return resolve_parts(spec, path, read_part)  # type: ignore[arg-type]
    return spec
