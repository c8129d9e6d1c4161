"""Where a config.json keeps its language model: the whole file, a section of it, or the top level of a multimodal one.

Multimodal files come in three forms. *Nested*: the text model is a section, which its class reads alone. *Flat*: the
sizes of the text stand at the top level, beside a section for the encoder, and the class makes its text section of
them. *Doubled*: both, where the section counts and what the top level says else has no effect.

Source: the config classes of transformers 5.24.0 (`Qwen2_5_VLConfig.__post_init__` for flat files).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roofline.errors import SpecError, UnsupportedError, nearest
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.defaults import defaults_of, names_of
from roofline.importers.huggingface.families import ALIASES, FAMILIES, TEXT_SECTIONS, TEXT_TYPES
from roofline.importers.huggingface.forms.classes import first_class, type_of_class
from roofline.importers.huggingface.forms.slips import refuse_slips
from roofline.importers.huggingface.forms.wrappers import TIED, defaults_in, tied_by_class, wrapped_type
from roofline.importers.huggingface.stated import ESSENTIAL
from roofline.importers.json_document import JsonDocument

#: Keys beside the sizes of a flat file that concern encoders of pictures and sound, and what joins them (MiniCPM-V).
_OF_MEDIA: Final = """
    query_num slice_config slice_mode use_image_id vision_batch_size batch_vision_input batch_3d_resampler
    drop_vision_last_layer audio_pool_step audio_chunk_length init_audio init_tts init_vision stream_input chunk_input
    tts_config listen_speak_type
"""
#: Where files that bring code of their own keep their language model.
_OWN_SECTIONS: Final = {"internvl_chat": "llm_config", "deepseek_vl_v2": "language_config"}
_GUESS: Final = "A wrong guess would be worse than a refusal; a YAML spec can say the shapes of a model."


def text_config(document: JsonDocument) -> Config:
    """The part of the file that describes the language model. Raises SpecError or UnsupportedError with the place."""
    data = document.data
    if not isinstance(data, dict):
        raise SpecError("must be a mapping of keys to values", document.place(()))
    if "model_type" not in data and "quantization" in data and "hidden_size" not in data:
        raise SpecError("is a quantisation file; give the config.json beside it", document.place(()))
    refuse_slips(document, data)
    named = type_of_class(first_class(data)) if data.get("model_type") is None and "ssm_cfg" not in data else ""
    if named:
        config = text_config(JsonDocument(document.path, document.text, {**data, "model_type": named}))
        config.notes.append(f"no model_type in the file: {named}, of which {first_class(data)} is a class")
        return config
    model_type = _model_type(document, data)
    if section_of(data) is not None:
        return _nested(document, data, model_type)
    text_type = _held_type(_with_version(data, model_type))
    if model_type not in FAMILIES and text_type is not None and _has_sizes(data):
        return _flat(document, data, _known_type(document, text_type, ("model_type",)))
    section = _OWN_SECTIONS.get(model_type, "text_config")
    if model_type not in FAMILIES and (text_type in FAMILIES or model_type in _OWN_SECTIONS):
        hint = f"A config.json of {model_type} has its language model in a section, as {section}."
        raise SpecError("holds neither a section for its language model nor sizes", document.place(()), hint=hint)
    return _config(document, data, _known_type(document, model_type, ("model_type",)))


def section_of(data: Mapping[str, Any]) -> str | None:
    """The key under which a mapping keeps its language model, if it does."""
    return next((key for key in TEXT_SECTIONS if isinstance(data.get(key), dict)), None)


def _has_sizes(data: Mapping[str, Any]) -> bool:
    return any(data.get(key) is not None for key in ("hidden_size", "num_hidden_layers"))


def _flat(document: JsonDocument, data: Mapping[str, Any], text_type: str) -> Config:
    """A multimodal file whose top level is its text model."""
    config = _config(document, data, text_type, (), Config(document, data))
    config.ignore(_OF_MEDIA)
    _follow_class(config, str(data.get("model_type")), data, {})
    config.notes.append(f"the sizes of the text model stand at the top level, which is read as {text_type}")
    return config


def _nested(document: JsonDocument, data: Mapping[str, Any], model_type: str) -> Config:
    outer, path, section = Config(document, data), tuple[str, ...](), section_of(data)
    wrapper = data
    while section is not None:
        outer.used.update((section, "model_type", TIED))
        path, wrapper, data = (*path, section), data, data[section]
        inner_type = _said_type(document, data, path) or _held_type(model_type)
        section = section_of(data)
        model_type = inner_type if section is not None and inner_type is not None else model_type
    if inner_type is None:
        message = f"has no model_type, and {model_type!r} does not say which text model it holds"
        hint = "Write the model_type of the text model into its section."
        raise UnsupportedError(message, document.place(path), ".".join(path), hint)
    held = _held_type(inner_type) if inner_type not in FAMILIES and _has_sizes(data) else None
    text_type = held or TEXT_TYPES.get(f"{model_type}/{inner_type}", inner_type)
    known = _known_type(document, text_type, (*path, "model_type"))
    config = _config(document, data, known, path, outer)
    config.defaults = {**config.defaults, **defaults_in(model_type, known)}
    if "block_size" in data:
        config.ignore("block_size")
        config.notes.append(f"{config.field_name('block_size')}, tokens decoded at once (LocateAnything), has no shape")
    if held is not None:
        model_type, wrapper = inner_type, data
        config.ignore(_OF_MEDIA)
        config.notes.append(f"the sizes of the text model stand in {'.'.join(path)}, which is read as {known}")
    _follow_class(config, model_type, wrapper, {} if held is not None else data)
    return _doubled(config, outer)


def _said_type(document: JsonDocument, data: Mapping[str, Any], path: tuple[str, ...]) -> str | None:
    """The type that a file or a section of it names, if any. Raises SpecError for one that is no text."""
    value = data.get("model_type")
    if value is not None and not isinstance(value, str):
        place = (*path, "model_type")
        raise SpecError(f"must be text, not {value!r}"[:100], document.place(place), ".".join(place))
    return value


def _with_version(data: Mapping[str, Any], model_type: str) -> str:
    """The type with its version, where one name stands for several text models (MiniCPM-V)."""
    versioned = f"{model_type}/{data.get('version')}"
    return versioned if versioned in TEXT_TYPES else model_type


def _held_type(wrapper: str) -> str | None:
    """The type of the text model that a multimodal class holds where nothing else is said."""
    return TEXT_TYPES.get(wrapper) or wrapped_type(wrapper)


def _follow_class(config: Config, wrapper: str, outer: Mapping[str, Any], text: Mapping[str, Any]) -> None:
    """Let the multimodal class say whether the head is the embedding, which its text section cannot."""
    tied = tied_by_class(wrapper, outer, text)
    if tied is None:
        return
    said = text.get(TIED)
    if said is not None and bool(said) != tied:
        held = "the embedding" if tied else "a matrix of its own"
        config.notes.append(
            f"{config.field_name(TIED)} {str(said).lower()} has no effect in {wrapper}: the head is {held}"
        )
    config.data = {**{key: value for key, value in config.data.items() if key != "tie_embedding"}, TIED: tied}


def _doubled(config: Config, outer: Config) -> Config:
    """What the top level repeats: no effect where the section has it; a size that the section lacks is taken there."""
    repeated = [key for key in config.defaults if key in outer.data and key not in outer.used]
    outer.used.update(repeated)
    section = ".".join(str(part) for part in config.path)
    lacking = [key for key in repeated if not config.has(key) and key in ESSENTIAL and outer.data[key] is not None]
    differing = [key for key in repeated if config.has(key) and config.data[key] != outer.data[key]]
    if lacking:
        config.data = {**config.data, **{key: outer.data[key] for key in lacking}}
        config.notes.append(f"not in {section}, so from the top level: {_shown(outer, lacking)}")
    if differing:
        config.notes.append(f"{section} counts, not the top level, which says: {_shown(outer, differing)}")
    return config


def _shown(config: Config, keys: list[str]) -> str:
    return ", ".join(f"{key} {str(config.data[key])[:40]}" for key in keys)


def _model_type(document: JsonDocument, data: Mapping[str, Any]) -> str:
    value = _said_type(document, data, ())
    if value is None and "ssm_cfg" in data:
        return "mamba_ssm"
    if value is None:
        raise Config(document, data).missing(
            "model_type", "A config.json of a language model names its architecture there."
        )
    return value


def _known_type(document: JsonDocument, model_type: str, path: tuple[str, ...]) -> str:
    model_type = ALIASES.get(model_type, model_type)
    if model_type in FAMILIES:
        return model_type
    close = nearest(model_type, FAMILIES)
    hint = f"Nearest: {', '.join(close)}. {_GUESS}" if close else _GUESS
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
