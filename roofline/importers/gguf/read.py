"""A GGUF file to a model: its header mapped to the config of its family, which builds the shapes.

How an architecture is added: a function `def llama(m: Metadata) -> Keys` in a module of its kind and a line in the
table at its end. The function gives the keys of a config.json; flags come from the tensors that there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from roofline.errors import Place, SpecError, UnsupportedError, nearest
from roofline.importers.gguf.common import ORIGINS, Translate
from roofline.importers.gguf.dense import DENSE
from roofline.importers.gguf.experts import EXPERTS
from roofline.importers.gguf.header import Header
from roofline.importers.gguf.hybrids import HYBRIDS
from roofline.importers.gguf.metadata import Metadata
from roofline.importers.gguf.names import stored
from roofline.importers.gguf.own_code import OWN_CODE
from roofline.importers.gguf.recurrent import RECURRENT
from roofline.importers.gguf.split import read_whole
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.defaults import defaults_of, names_of
from roofline.importers.huggingface.naming import clean_name
from roofline.importers.huggingface.read import check_keys, family_function
from roofline.importers.huggingface.spec_data import Origin, spec_data
from roofline.importers.huggingface.stated import mapped
from roofline.importers.json_document import JsonDocument, JsonPath
from roofline.importers.quantization.formats import Formats, strip_places
from roofline.importers.stored.parts import part_of
from roofline.importers.stored.tensor import StoredTensor
from roofline.importers.stored.words import shown
from roofline.specs.formats.gguf_files import FILE_TYPES

#: GGUF's architectures, by the name that a header gives them.
ARCHITECTURES: Final[dict[str, Translate]] = {**DENSE, **EXPERTS, **HYBRIDS, **RECURRENT, **OWN_CODE}
_NOT_MODELS: Final = {
    "clip": "a vision or audio tower with its projector (mmproj)",
    "adapter": "an adapter (LoRA)",
    "imatrix": "an importance matrix",
    "mmproj": "a vision or audio tower with its projector (mmproj)",
}


class GGUFModel(NamedTuple):
    """A model file's data, the tensors of the file, and the format that the header calls its own, where it is known."""

    path: str
    data: dict[str, Any]
    tensors: list[StoredTensor]
    file_type: str | None


class _Translated(JsonDocument):
    """A config that no file holds: its places are the GGUF file."""

    def place(self, path: JsonPath) -> Place:
        """The file."""
        return Place(self.path)


def import_gguf(path: Path, name: str | None = None) -> GGUFModel:
    """A `.gguf` file, with the parts beside it, as the data of a model file without formats.

    Only headers are read. Raises SpecError or UnsupportedError with the file and the key.
    """
    header = read_whole(path)
    arch = _architecture(header)
    m = Metadata(header, arch)
    keys = ARCHITECTURES[arch](m)
    document = _Translated(header.path, "", keys)
    model_type = str(keys["model_type"])
    config = Config(document, keys, (), defaults_of(model_type), names_of(model_type))
    config.used.add("model_type")
    try:
        body = mapped(family_function(model_type), config, model_type)
        check_keys(config, model_type)
        strip_places(body)
    except SpecError as error:
        _retold(error, arch)
    data = _data(header, m, config, body, clean_name(name) or _name(header))
    return GGUFModel(header.path, data, stored(header.tensors, m.layers, arch), _file_type(header))


def _file_type(header: Header) -> str | None:
    value = header.values.get("general.file_type")
    return FILE_TYPES.get(value) if isinstance(value, int) else None


def _architecture(header: Header) -> str:
    kind, arch = header.values.get("general.type", "model"), header.values.get("general.architecture")
    place = Place(header.path)
    for value in (kind, arch):
        if isinstance(value, str) and value in _NOT_MODELS:
            hint = "Give the language model's own .gguf file; the tower's work is not counted."
            raise UnsupportedError(f"is {_NOT_MODELS[value]}, no language model", place, "general.architecture", hint)
    if not isinstance(arch, str):
        raise SpecError("is missing or no text", place, "general.architecture", "A model's header names it.")
    if arch not in ARCHITECTURES:
        close = nearest(arch, ARCHITECTURES)
        hint = f"Nearest: {', '.join(close)}. " if close else ""
        hint += "Its config.json may be understood, and a YAML spec can say the shapes of a model."
        raise UnsupportedError(
            f"{shown(arch)!r} is not an architecture that is modelled", place, "general.architecture", hint
        )
    if not header.tensors:
        raise SpecError("has no tensors: it holds a vocabulary alone", place)
    return arch


def _retold(error: SpecError, arch: str) -> NoReturn:
    """An error of the config, at the key of the header that it came from."""
    origin = ORIGINS.get(error.field)
    field = f"{arch}.{origin}" if origin else error.field
    raise type(error)(error.reason, error.place, field, error.hint) from None


def _name(header: Header) -> str:
    """A name from the file's."""
    file = Path(header.path)
    part = part_of(file.name)
    return clean_name(part.stem if part else file.name.removesuffix(file.suffix)) or "model"


def _data(header: Header, m: Metadata, config: Config, body: dict[str, Any], name: str) -> dict[str, Any]:
    file, model_type = Path(header.path).name, str(config.data["model_type"])
    if model_type == "bert":
        body["pooler"] = False
    title = header.values.get("general.name")
    title = shown(title, 200) if isinstance(title, str) and title.strip() else name
    source = f"header of {file} (GGUF, architecture {m.arch}, as the config {model_type})"
    listed = ", ".join(shown(key) for key in m.unread()[:20])
    told = f"keys of the header that are not understood, taken to change nothing: {listed}"
    formats = Formats("bf16", {}, notes=(told,) if listed else ())
    return spec_data(body, config, Origin(name, title, source, file, model_type), formats)
