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
from typing import Any, Final, NamedTuple, TypeAlias

from roofline.errors import SpecError
from roofline.importers.class_keys import REMOVE_HINT, ClassKeys, class_keys, ignored_or_refused, told
from roofline.importers.diffusers.folder import import_diffusers, is_diffusers
from roofline.importers.huggingface.cached import read_cached
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.described import read_described
from roofline.importers.huggingface.drafting import as_eagle, is_eagle
from roofline.importers.huggingface.families import FAMILIES
from roofline.importers.huggingface.forms.dialects import in_words_of_classes
from roofline.importers.huggingface.forms.heads import follow_architecture
from roofline.importers.huggingface.forms.reference import add_reference
from roofline.importers.huggingface.harmless import is_harmless
from roofline.importers.huggingface.multimodal import text_config
from roofline.importers.huggingface.naming import clean_name, model_name
from roofline.importers.huggingface.spec_data import Origin, spec_data
from roofline.importers.huggingface.stated import mapped
from roofline.importers.huggingface.towers.sections import concerns_media
from roofline.importers.json_document import read_json
from roofline.importers.quantization.formats import formats_of
from roofline.importers.quantization.modules import ModuleNames, module_names
from roofline.specs.base import Spec
from roofline.specs.files.document import Document
from roofline.specs.files.paths import is_file, is_folder
from roofline.specs.files.reader import validate_model

#: The keys of a model file, as plain data.
Body: TypeAlias = dict[str, Any]
#: Keys of a multimodal config that would concern the layers of its text model.
_OF_THE_TEXT: Final = re.compile(r"expert|moe|nextn|mtp|num_\w*layers|kv_heads|layer_types|sliding_window")


class Imported(NamedTuple):
    """The data of a model file, and what checkpoints call the modules of a language model."""

    data: Body
    names: ModuleNames | None = None


def import_config(path: Path, name: str | None = None) -> Body:
    """A config.json (or its folder) as the data of a model file, called `name` or after its file.

    Only data is read: no code that comes with a model is run. Raises SpecError or UnsupportedError with the place.
    """
    return import_named(path, name).data


def import_named(path: Path, name: str | None = None) -> Imported:
    """`import_config`, with the names of the modules."""
    if is_diffusers(path):
        return Imported(import_diffusers(path))
    file = config_file(path)
    document = in_words_of_classes(read_json(file))
    config = text_config(document)
    model_type = str(config.data.get("model_type") or config.data.get("_model_type"))
    body = mapped(family_function(model_type), config, model_type)
    if is_eagle(config):
        body = as_eagle(config, body)
    else:
        follow_architecture(config, body, model_type, file)
        _add_towers(body, config)
    names = module_names(body, model_type, config.outer is not None)
    formats = formats_of(config, file, body)
    add_reference(body, config, model_type)
    read_described(config, body)
    read_cached(config, body)
    check_keys(config, model_type)
    if config.path and config.outer is not None:
        config.notes.extend(_check_outer(config.outer, str(config.outer.data["model_type"])))
    called = clean_name(name) or model_name(file, config)
    source = f"{file.name} of {called} (Hugging Face, model_type {model_type})"
    return Imported(spec_data(body, config, Origin(called, called, source, file.name, model_type), formats), names)


def _add_towers(body: Body, config: Config) -> None:
    """The towers of a multimodal file, and which of them are not counted."""
    if not concerns_media(config):
        return
    from roofline.importers.huggingface.towers.read import towers_of

    found = towers_of(config, body["width"])
    left_out = [*body.pop("left_out", ()), *found.left_out]
    body |= {key: value for key, value in (("towers", found.towers), ("left_out", left_out)) if value}
    config.notes.extend(found.assumed)


def read_config(path: Path, name: str | None = None) -> Spec:
    """The spec that a config.json (or its folder) describes. Raises SpecError or UnsupportedError with the place."""
    return validated(import_config(path, name), str(path))


def validated(data: Body, name: str) -> Spec:
    """The spec of imported data; `name` stands for the file in errors."""
    return validate_model(Document(name, "", data, {}))


def config_file(path: Path) -> Path:
    """The config.json that a path means: the file, or the one in a folder, where Mistral's `params.json` may stand."""
    if not is_folder(path):
        return path
    found = next((file for name in ("config.json", "params.json") if is_file(file := path / name)), None)
    if found is not None:
        return found
    raise SpecError(f"{path}: is a folder without a config.json")


def family_function(model_type: str) -> Callable[[Config], Body]:
    """The mapping function of a model type, from its module, loaded only now."""
    module, _, name = FAMILIES[model_type].partition(":")
    function: Callable[[Config], Body] = getattr(import_module(f"roofline.importers.huggingface.{module}"), name)
    return function


def _check_outer(config: Config, model_type: str) -> list[str]:
    """Refuse a key beside the text model that may change it: what encoders and projectors say is their own affair."""
    known, ignored = class_keys("transformers", model_type), dict[str, list[str]]()
    for key, value in config.data.items():
        scalar = value is not None and not isinstance(value, (dict, str))
        if key not in config.used and scalar and _OF_THE_TEXT.search(key) and not is_harmless(key, value):
            if known is None or key in known.keys or "auto_map" in config.data:
                message = f"unknown key for {model_type}, which may change the shape of its text model"
                config.unsupported(key, message, REMOVE_HINT)
            ignored.setdefault(f"{known} does not read it", []).append(key)
    return told(ignored)


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
