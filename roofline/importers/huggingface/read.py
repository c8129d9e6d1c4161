"""A Hugging Face config.json to a transformer spec: read, mapped by its model type, every key accounted for.

How a family is added: a function `def llama(config: Config) -> Body` in a module of its kind and a line per type in
`FAMILIES`. The function reads the config and returns the keys of a model file (`specs.text.transformer`) as plain
data: `vocabulary`, `width`, `max_context`, `positions`, `norm`, `blocks`, and, where they apply, `tied_embeddings`,
`head_bias`, `embedding_norm`, `final_norm`, `mtp` … The framework adds `family`, `name`, `title`, `dtype`, `sources`
and `notes`, and afterwards refuses every key that was neither read nor is known to be harmless.

* `config.whole("hidden_size")` reads and checks. An *absent* key takes the default of the config class (`defaults.json`
  beside the family, by model type; also aliases such as `hidden_size` for `n_embd`: ask for the native spelling). A
  *null* is refused unless `null=` says what it means. Several keys are spellings of one thing.
* `config.flag`, `.text(choices=)`, `.number`, `.texts(length=, choices=)`, `.wholes`, `.whole_or_none`, `.section`
  likewise; `config.must_be("key", understood, …)` reads a key of which only some values are modelled;
  `config.ignore("key", …)` says that this family knows a key and that it changes no shape.
* `config.refuse(key, message)` for values that contradict each other, `config.unsupported(key, message)` for values
  that may be right but are not modelled. Both point at the line.
* `parts.merged([...])` makes block groups of one mapping per layer, whatever the order of the layers.
* Helpers are in `parts.py` (what is read: heads, activation, positions) and `decoder.py` (what is given: softmax
  attention, experts, a decoder, a body).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from roofline.errors import SpecError
from roofline.importers.class_keys import ClassKeys, class_keys, ignored_or_refused, told
from roofline.importers.diffusers.folder import import_diffusers, is_diffusers
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.described import read_described
from roofline.importers.huggingface.drafting import as_eagle, is_eagle
from roofline.importers.huggingface.families import FAMILIES
from roofline.importers.huggingface.harmless import is_harmless
from roofline.importers.huggingface.multimodal import text_config
from roofline.importers.huggingface.stated import mapped, taken_defaults
from roofline.importers.json_document import read_json
from roofline.importers.quantization.formats import Formats, formats_of
from roofline.specs.base import Spec
from roofline.specs.files.document import Document
from roofline.specs.files.reader import validate_model

#: The keys of a model file, as plain data.
Body: TypeAlias = dict[str, Any]
#: Keys of a multimodal config that would concern the layers of its text model.
_OF_THE_TEXT: Final = re.compile(r"expert|moe|nextn|mtp|num_\w*layers|kv_heads|layer_types|sliding_window")
_REMOVE: Final = "Remove it, or set it to null, if it changes no shape."
_NAME_JUNK: Final = re.compile(r"[^A-Za-z0-9._+-]+")


def import_config(path: Path, name: str | None = None) -> Body:
    """A config.json (or its folder) as the data of a model file, called `name` or after its file.

    Only data is read: no code that comes with a model is run. Raises SpecError or UnsupportedError with the place.
    """
    if is_diffusers(path):
        return import_diffusers(path)
    file = config_file(path)
    document = read_json(file)
    config = text_config(document)
    model_type = str(config.data.get("model_type") or config.data.get("_model_type"))
    body = mapped(family_function(model_type), config, model_type)
    if is_eagle(config):
        body = as_eagle(config, body)
    else:
        _add_towers(body, config)
    formats = formats_of(config, file, body)
    read_described(config, body)
    check_keys(config, model_type)
    if config.path and config.outer is not None:
        _check_outer(config.outer, str(config.outer.data["model_type"]))
    return _spec_data(file, clean_name(name) or model_name(file, config), config, model_type, body, formats)


def _add_towers(body: Body, config: Config) -> None:
    """The towers of a multimodal file, and which of them are not counted."""
    if config.outer is None and not any(
        "vision" in key or "audio" in key or key == "img_processor" for key in config.data
    ):
        return
    from roofline.importers.huggingface.towers.read import towers_of

    found = towers_of(config, body["width"])
    body |= {key: value for key, value in (("towers", found.towers), ("left_out", found.left_out)) if value}
    config.notes.extend(found.assumed)


def read_config(path: Path, name: str | None = None) -> Spec:
    """The spec that a config.json (or its folder) describes. Raises SpecError or UnsupportedError with the place."""
    return validated(import_config(path, name), str(path))


def validated(data: Body, name: str) -> Spec:
    """The spec of imported data; `name` stands for the file in errors."""
    return validate_model(Document(name, "", data, {}))


def config_file(path: Path) -> Path:
    """The config.json that a path means: the file, or the one in a folder."""
    if not path.is_dir():
        return path
    file = path / "config.json"
    if file.is_file():
        return file
    raise SpecError(f"{path}: is a folder without a config.json")


def family_function(model_type: str) -> Callable[[Config], Body]:
    """The mapping function of a model type, from its module, loaded only now."""
    module, _, name = FAMILIES[model_type].partition(":")
    function: Callable[[Config], Body] = getattr(import_module(f"roofline.importers.huggingface.{module}"), name)
    return function


def _check_outer(config: Config, model_type: str) -> None:
    """Refuse a key beside the text model that may change it: what encoders and projectors say is their own affair."""
    for key, value in config.data.items():
        scalar = value is not None and not isinstance(value, (dict, str))
        if key not in config.used and scalar and _OF_THE_TEXT.search(key) and not is_harmless(key, value):
            message = f"unknown key for {model_type}, which may change the shape of its text model"
            config.unsupported(key, message, _REMOVE)


def check_keys(config: Config, model_type: str) -> None:
    """Account for every key that was not read: harmless, ignored with a note, or refused."""
    known = class_keys("transformers", model_type)
    if known is not None and "auto_map" in (config.outer or config).data:
        known = known._replace(replaced=True)
    _check_section(config, known, model_type)


def _check_section(config: Config, known: ClassKeys | None, model_type: str) -> None:
    ignored: dict[str, list[str]] = {}
    for key, value in config.data.items():
        if key not in config.used and not is_harmless(key, value):
            ignored.setdefault(ignored_or_refused(config, key, known, model_type), []).append(key)
    config.notes.extend(told(ignored))
    for child in config.children:
        _check_section(child, None, model_type)


def _spec_data(file: Path, name: str, config: Config, model_type: str, body: Body, formats: Formats) -> Body:
    """The model file: what the mapping gave, and what names it."""
    unverified = list(body.pop("unverified", ()))
    if formats.assumed:
        unverified.append(formats.assumed)
    notes = [str(note) for note in body.pop("notes", ())]
    if config.outer is not None:
        beside = "; its towers count in memory." if body.get("towers") else " of a multimodal one."
        notes.append(f"Parameters, FLOPs and times are those of the text model ({_where(config)}){beside}")
    stated = {key: value for key, value in body.items() if key != "max_context" or value is not None}
    data: Body = {"family": "transformer", "name": name, "title": name, "dtype": formats.dtype, **stated}
    if formats.overrides:
        data["dtypes"] = formats.overrides
    if formats.cache:
        data["cache_dtype"] = formats.cache
    if formats.activations:
        data["activation_dtype"] = formats.activations
    data["sources"] = [f"{file.name} of {name} (Hugging Face, model_type {model_type})"]
    assumed = [*formats.notes, *config.notes, *(note for child in config.children for note in child.notes)]
    if defaults := taken_defaults(config):
        assumed.insert(0, f"not in {file.name}, so as the config class of {model_type} has it: {defaults}")
    if assumed:
        data["assumed"] = assumed
    if unverified:
        data["unverified"] = unverified
    if notes:
        data["notes"] = " ".join(notes)
    return data


def _where(config: Config) -> str:
    return ".".join(map(str, config.path)) or "the top level"


def model_name(file: Path, config: Config) -> str:
    """A name for the model: from `X_config.json` or `X.json`, else its folder, else the name that the file says."""
    stem = file.stem.removesuffix("config").rstrip("_-.")
    if not stem:
        said = str((config.outer or config).data.get("_name_or_path") or "").rstrip("/").rsplit("/", 1)[-1]
        stem = said or file.resolve().parent.name
    return clean_name(stem) or "model"


def clean_name(name: str | None) -> str:
    """A name with only what names of specs may hold; empty where nothing is left."""
    return _NAME_JUNK.sub("-", name or "").strip("-._+")[:100]
