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
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeAlias

from roofline.errors import SpecError, UnsupportedError, nearest
from roofline.importers.diffusers.folder import import_diffusers, is_diffusers
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.defaults import defaults_of, names_of
from roofline.importers.huggingface.drafting import as_eagle, is_eagle
from roofline.importers.huggingface.families import FAMILIES, TEXT_SECTIONS, TEXT_TYPES
from roofline.importers.huggingface.harmless import is_harmless
from roofline.importers.huggingface.stated import mapped, taken_defaults
from roofline.importers.json_document import JsonDocument, read_json
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
    config = _text_config(document)
    model_type = str(config.data.get("model_type") or config.data.get("_model_type"))
    body = mapped(family_function(model_type), config, model_type)
    if is_eagle(config):
        body = as_eagle(config, body)
    formats = formats_of(config, file, body)
    check_keys(config, model_type)
    if config.outer is not None:
        _check_outer(config.outer, str(config.outer.data["model_type"]))
    return _spec_data(file, clean_name(name) or model_name(file, config), config, model_type, body, formats)


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


def _text_config(document: JsonDocument) -> Config:
    """The part of the file that describes the language model: all of it, or the text model of a multimodal one."""
    data = document.data
    if not isinstance(data, dict):
        raise SpecError("must be a mapping of keys to values", document.place(()))
    if "model_type" not in data and "quantization" in data:
        raise SpecError("is a quantisation file; give the config.json beside it", document.place(()))
    model_type = _model_type(document, data, ())
    section = _section(data)
    if section is None:
        return _config(document, data, _known_type(document, model_type, ("model_type",)))
    outer, path = Config(document, data), tuple[str, ...]()
    while section is not None:
        outer.used.update((section, "model_type", "tie_word_embeddings"))
        path, data = (*path, section), data[section]
        inner_type = data.get("model_type") or TEXT_TYPES.get(model_type)
        section = _section(data)
        model_type = inner_type if section is not None and isinstance(inner_type, str) else model_type
    if inner_type is None:
        message = f"has no model_type, and {model_type!r} does not say which text model it holds"
        hint = f"Understood: {', '.join(TEXT_TYPES)}, or a model_type inside."
        raise UnsupportedError(message, document.place(path), ".".join(path), hint)
    known = _known_type(document, str(TEXT_TYPES.get(f"{model_type}/{inner_type}", inner_type)), (*path, "model_type"))
    return _config(document, data, known, path, outer)


def _section(data: Mapping[str, Any]) -> str | None:
    """The key under which a mapping keeps its language model, if it does."""
    return next((key for key in TEXT_SECTIONS if isinstance(data.get(key), dict)), None)


def _model_type(document: JsonDocument, data: Mapping[str, Any], path: tuple[str, ...]) -> str:
    value = data.get("model_type")
    if value is None and "ssm_cfg" in data:
        return "mamba_ssm"
    if value is None:
        hint = "A config.json of a language model names its architecture there."
        raise SpecError("'model_type' is missing", document.place(path), "model_type", hint)
    if not isinstance(value, str):
        raise SpecError(f"must be text, not {value!r}"[:100], document.place((*path, "model_type")), "model_type")
    return value


def _known_type(document: JsonDocument, model_type: str, path: tuple[str, ...]) -> str:
    if model_type in FAMILIES:
        return model_type
    close = nearest(model_type, FAMILIES)
    hint = "A wrong guess would be worse than a refusal; a YAML spec can say the shapes of a model."
    if close:
        hint = f"Nearest: {', '.join(close)}. {hint}"
    message = f"{model_type[:60]!r} is not an architecture that is modelled"
    raise UnsupportedError(message, document.place(path), ".".join(path), hint)


def _config(
    document: JsonDocument,
    data: Mapping[str, Any],
    model_type: str,
    path: tuple[str, ...] = (),
    outer: Config | None = None,
) -> Config:
    config = Config(document, data, path, defaults_of(model_type), names_of(model_type), outer)
    config.used.add("model_type")
    if "model_type" not in data or data["model_type"] != model_type:
        config.data = {**data, "model_type": model_type}
    return config


def _check_outer(config: Config, model_type: str) -> None:
    """Refuse a key beside the text model that may change it: what encoders and projectors say is their own affair."""
    for key, value in config.data.items():
        scalar = value is not None and not isinstance(value, (dict, str))
        if key not in config.used and scalar and _OF_THE_TEXT.search(key) and not is_harmless(key, value):
            message = f"unknown key for {model_type}, which may change the shape of its text model"
            config.unsupported(key, message, _REMOVE)


def check_keys(config: Config, model_type: str) -> None:
    """Refuse the first key that was not read and is not known to be harmless."""
    for key, value in config.data.items():
        if key not in config.used and not is_harmless(key, value):
            close = nearest(key, config.used, 1)
            hint = f"{close[0]!r} is understood. " if close and close[0] != "model_type" else ""
            config.unsupported(key, f"unknown key for {model_type}, which may change the shape", f"{hint}{_REMOVE}")
    for child in config.children:
        check_keys(child, model_type)


def _spec_data(file: Path, name: str, config: Config, model_type: str, body: Body, formats: Formats) -> Body:
    """The model file: what the mapping gave, and what names it."""
    unverified = list(body.pop("unverified", ()))
    if formats.assumed:
        unverified.append(formats.assumed)
    notes = [str(note) for note in body.pop("notes", ())]
    if config.outer is not None:
        notes.append(f"Only the text model of this multimodal model is counted ({'.'.join(map(str, config.path))}).")
    notes.extend(formats.notes)
    stated = {key: value for key, value in body.items() if key != "max_context" or value is not None}
    data: Body = {"family": "transformer", "name": name, "title": name, "dtype": formats.dtype, **stated}
    if formats.overrides:
        data["dtypes"] = formats.overrides
    if formats.cache:
        data["cache_dtype"] = formats.cache
    data["sources"] = [f"{file.name} of {name} (Hugging Face, model_type {model_type})"]
    if defaults := taken_defaults(config):
        data["assumed"] = [f"not in {file.name}, so as the config class of {model_type} has it: {defaults}"]
    if unverified:
        data["unverified"] = unverified
    if notes:
        data["notes"] = " ".join(notes)
    return data


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
