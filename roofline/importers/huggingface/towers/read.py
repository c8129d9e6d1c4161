"""The towers of a multimodal config.json: which sections they are, and the functions that read them.

A tower whose architecture is not modelled, or whose section contradicts itself, is named in `left_out`: the language
model's numbers do not depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.errors import SpecError
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.families import FAMILIES
from roofline.importers.huggingface.forms.classes import first_class, type_of_class
from roofline.importers.huggingface.forms.wrappers import wrapped_type
from roofline.importers.huggingface.towers import pictures, projectors, qwen, sound
from roofline.importers.huggingface.towers.named import named_tower
from roofline.importers.huggingface.towers.reading import reading_of
from roofline.importers.huggingface.towers.sections import NAMED, SECTIONS, about, absent_sections, further_sections
from roofline.specs.files.document import Document
from roofline.specs.files.reader import validate
from roofline.specs.text.tower import Tower

Body = dict[str, Any]


class Whole(NamedTuple):
    """A tower whose class projects to the language model itself: of a section and the width of that model."""

    kind: str
    read: Callable[[Config, int], Body]


class Encoder(NamedTuple):
    """A tower of a class of its own, before a projector of the multimodal class."""

    kind: str
    project: Callable[[Config, Body, int], Body]


#: Encoders that stand in several multimodal models, by the model type of their section.
ENCODERS: Final[dict[str, Callable[[Config], Body]]] = {
    "siglip_vision_model": pictures.siglip,
    "siglip2_vision_model": pictures.siglip2,
    "clip_vision_model": pictures.clip,
    "pixtral": pictures.pixtral,
    "internvl_vision": pictures.internvl,
    "idefics3_vision": pictures.idefics3,
    "smolvlm_vision": pictures.idefics3,
    "qwen2_audio_encoder": sound.whisper,
    "voxtral_encoder": sound.whisper,
    "audioflamingo3_encoder": sound.whisper,
}
#: Other names of these in files.
_SAME: Final = {
    "idefics3": "idefics3_vision",
    "smolvlm": "smolvlm_vision",
    "intern_vit_6b": "internvl_vision",
    "siglip2": "siglip2_vision_model",
}

#: By the model type that holds the sections.
TOWERS: Final[dict[str, dict[str, Whole | Encoder]]] = {
    "gemma3": {"vision_config": Encoder("siglip_vision_model", projectors.gemma3)},
    "shieldgemma2": {"vision_config": Encoder("siglip_vision_model", projectors.gemma3)},
    "gemma4": {
        "vision_config": Whole("gemma4_vision", pictures.gemma4),
        "audio_config": Whole("gemma4_audio", sound.gemma4),
    },
    "paligemma": {"vision_config": Encoder("siglip_vision_model", projectors.single)},
    "llava": {"vision_config": Encoder("clip_vision_model", projectors.double)},
    "vipllava": {"vision_config": Encoder("clip_vision_model", projectors.vipllava)},
    "aya_vision": {"vision_config": Encoder("siglip_vision_model", projectors.aya)},
    "llava_next": {"vision_config": Encoder("clip_vision_model", projectors.double_with_newline)},
    "llava_onevision": {"vision_config": Encoder("siglip_vision_model", projectors.double_with_newline)},
    "mistral3": {"vision_config": Encoder("pixtral", projectors.mistral3)},
    "internvl": {"vision_config": Encoder("internvl_vision", projectors.internvl)},
    "internvl_chat": {"vision_config": Encoder("internvl_vision", projectors.internvl)},
    "idefics3": {"vision_config": Encoder("idefics3_vision", projectors.idefics3)},
    "smolvlm": {"vision_config": Encoder("smolvlm_vision", projectors.idefics3)},
    "lfm2_vl": {"vision_config": Encoder("siglip2_vision_model", projectors.lfm2)},
    "cohere2_vision": {"vision_config": Encoder("siglip_vision_model", projectors.cohere2)},
    "mllama": {"vision_config": Whole("mllama_vision_model", pictures.mllama)},
    "llama4": {"vision_config": Whole("llama4_vision_model", pictures.llama4)},
    "qwen2_vl": {"vision_config": Whole("qwen2_vl_vision", qwen.qwen2_vl)},
    "qwen2_5_vl": {"vision_config": Whole("qwen2_5_vl_vision", qwen.qwen2_5_vl)},
    "exaone4_5": {"vision_config": Whole("exaone4_5_vision", qwen.qwen2_5_vl)},
    "qwen2_5_omni_thinker": {
        "vision_config": Whole("qwen2_5_omni_vision_encoder", qwen.qwen2_5_vl),
        "audio_config": Whole("qwen2_5_omni_audio_encoder", sound.qwen2_omni),
    },
    "qwen3_vl": {"vision_config": Whole("qwen3_vl_vision", qwen.qwen3_vl)},
    "qwen3_vl_moe": {"vision_config": Whole("qwen3_vl_moe_vision", qwen.qwen3_vl)},
    "cosmos3_omni": {"vision_config": Whole("qwen3_vl_vision", qwen.qwen3_vl)},
    "qwen3_5": {"vision_config": Whole("qwen3_5_vision", qwen.qwen3_vl)},
    "qwen3_5_moe": {"vision_config": Whole("qwen3_5_moe_vision", qwen.qwen3_vl)},
    "glm4v": {"vision_config": Whole("glm4v_vision", qwen.glm4v)},
    "glm46v": {"vision_config": Whole("glm4v_vision", qwen.glm4v)},
    "glm4v_moe": {"vision_config": Whole("glm4v_moe_vision", qwen.glm4v)},
    "kimi_k25": {"vision_config": Whole("kimi_k25_vision", qwen.kimi)},
    "kimi_vl": {"vision_config": Whole("moonvit", qwen.kimi)},
    "minimax_m3_vl": {"vision_config": Whole("minimax_m3_vl_vision", qwen.minimax_m3)},
    "hyperclovax_vision_v2": {"vision_config": Whole("qwen2_5_vl_vision", qwen.hyperclovax)},
    "step3p7": {"vision_config": Whole("step3p5_vision", pictures.step3)},
    "glmasr": {"audio_config": Whole("glmasr_encoder", sound.glmasr)},
    "qwen3_omni_moe_thinker": {
        "vision_config": Whole("qwen3_omni_moe_vision_encoder", qwen.qwen3_vl),
        "audio_config": Whole("qwen3_omni_moe_audio_encoder", sound.qwen3_omni),
    },
    "musicflamingo": {"audio_config": Encoder("audioflamingo3_encoder", projectors.double_of_frames)},
    "qwen2_audio": {"audio_config": Encoder("qwen2_audio_encoder", projectors.single)},
    "qwen3_asr": {"audio_config": Whole("qwen3_asr_encoder", sound.qwen3_omni)},
    "phi4_multimodal": {"vision_config": Whole("phi4_multimodal_vision", pictures.phi4)},
    "voxtral": {"audio_config": Encoder("voxtral_encoder", projectors.of_frames)},
    "audioflamingo3": {"audio_config": Encoder("audioflamingo3_encoder", projectors.double_of_frames)},
}

#: The keys of a tower, as files have them.
_ORDER: Final = (
    *("name", "kind", "width", "norm", "norm_bias", "rotary"),
    *("image", "patch", "merge", "prefix", "tokens", "frames", "sound", "attended", "before", "blocks", "after"),
)


class Found(NamedTuple):
    """Towers as data, what is loaded and not counted, and what was taken from their classes."""

    towers: list[Body]
    left_out: list[str]
    assumed: list[str]


def towers_of(config: Config, text_width: int) -> Found:
    """The towers beside a language model of that width."""
    found = Found([], [], [])
    beside = _beside(config)
    model_type = str(beside.data.get("model_type"))
    of_class = type_of_class(first_class((config.outer or config).data))
    held = of_class if model_type in FAMILIES and of_class in TOWERS else model_type
    further = dict(further_sections(beside))
    silent = not further and not any(beside.data.get(key) for key in NAMED)
    for section in SECTIONS:
        value = beside.data.get(section)
        if isinstance(value, Mapping):
            _add(found, beside, held, section, text_width)
        elif value is not None:
            found.left_out.append(f"{section} of {model_type}: must be a mapping of keys to values")
        elif silent and held != model_type and section in TOWERS[held]:
            found.left_out.append(f"{section} of {held}, whose class architectures names: the file has none")
        elif silent:
            _add_absent(found, beside, model_type, section, text_width)
    _add_named(found, beside, model_type, text_width)
    for key, told in further.items():
        config.used.update({key} if beside.data is config.data else ())
        found.left_out.append(f"{key} of {model_type}: an encoder that is not modelled{told}")
    return found


def _add_absent(found: Found, beside: Config, model_type: str, section: str, text_width: int) -> None:
    """The tower that a class makes where a file has no section for it."""
    made, modelled = absent_sections(model_type).get(section), section in TOWERS.get(model_type, {})
    if made is not None and modelled:
        before = len(found.towers)
        _add(found, beside, model_type, section, text_width, made)
        for tower in found.towers[before:]:
            tower["assumed"] = True
    elif made is not None or (modelled and wrapped_type(model_type) is None):
        found.left_out.append(f"{section} of {model_type}: the file has none, and its class loads one")


def _add_named(found: Found, beside: Config, model_type: str, text_width: int) -> None:
    """An encoder that a key names, with the sizes that its name stands for."""
    named = named_tower(beside, model_type, text_width)
    if named is not None:
        body = {"name": "vision", **named}
        found.towers.append({key: body[key] for key in _ORDER if body.get(key) not in (None, [])})
    for key in NAMED:
        if named is not None and "audio" not in key:
            continue
        if value := beside.data.get(key):
            shown = value if isinstance(value, str) else value.get("name", "") if isinstance(value, Mapping) else ""
            told = about(value) if isinstance(value, Mapping) else ""
            why = f"an encoder that is not modelled{told}" if told else "the file does not state its sizes"
            found.left_out.append(f"{key} of {model_type} ({str(shown)[:80]}): {why}")


def _beside(config: Config) -> Config:
    """The mapping in which the sections stand: that which holds the section of the text, or its sizes."""
    if config.outer is None:
        return config
    data, path = config.outer.data, config.path[:-1]
    for key in path:
        data = data[str(key)]
    inner = data[str(config.path[-1])] if config.path else {}
    held = str(inner.get("model_type"))
    if held not in FAMILIES and wrapped_type(held) is not None:
        data, path = inner, config.path
    return Config(config.document, data, path, outer=config.outer)


def _add(
    found: Found, beside: Config, model_type: str, section: str, text_width: int, made: Body | None = None
) -> None:
    """Read one section, or say why it is left out. `made` are sizes that a class gives a section that is not there."""
    known = TOWERS.get(model_type, {}).get(section)
    if made is not None:
        beside = Config(beside.document, {**beside.data, section: {}}, beside.path, outer=beside.outer)
    named = beside.data[section].get("model_type")
    said = f"{section} of {model_type}" + (f" ({named})" if named else "")
    if known is None:
        found.left_out.append(f"{said}: an architecture that is not modelled{about(beside.data[section])}")
        return
    child = _section(beside, section, known, named)
    if child is None:
        found.left_out.append(f"{said}: an encoder that is not modelled{about(beside.data[section])}")
        return
    child.defaults = {**child.defaults, **(made or {})}
    try:
        body = _read(beside, child, known, text_width)
        reading = reading_of(model_type, section)
        body |= reading(beside, child, body) if reading is not None else {}
        body |= {"name": SECTIONS[section], "kind": _clean(str(child.data["model_type"]))}
        tower = {key: body[key] for key in _ORDER if body.get(key) not in (None, [])}
        validate(Document(section, "", tower, {}), Tower)
    except SpecError as error:
        found.left_out.append(f"{said}: {error.field}: {error.reason}")
        return
    found.towers.append(tower)
    if child.assumed:
        shown = ", ".join(f"{key} {value}" for key, value in child.assumed.items() if value is not None)
        where = f"not in {section}" if made is None else f"no {section} in the file"
        found.assumed.append(f"{where}, so as its config class has it: {shown}")


def _section(beside: Config, section: str, known: Whole | Encoder, named: Any) -> Config | None:
    """The section with the defaults of its class; None where an encoder is named that is not modelled."""
    kind = known.kind
    if isinstance(known, Encoder) and isinstance(named, str) and named:
        kind = _SAME.get(named, named)
        if kind not in ENCODERS:
            return None
    facts = _facts().get(kind, {})
    path = (*beside.path, section)
    child = Config(beside.document, beside.data[section], path, facts.get("defaults"), facts.get("names"), beside)
    child.data = {**child.data, "model_type": kind}
    return child


def _read(beside: Config, child: Config, known: Whole | Encoder, text_width: int) -> Body:
    if isinstance(known, Whole):
        return known.read(child, text_width)
    return known.project(beside, ENCODERS[str(child.data["model_type"])](child), text_width)


def _clean(kind: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "._+-") else "-" for c in kind).strip("-._+") or "tower"


@cache
def _facts() -> dict[str, dict[str, Any]]:
    """What the config class of each tower gives absent keys, and other spellings of keys, by its model type.

    Source: the config classes of transformers 5.24.0.
    """
    facts: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("defaults.json").read_text("utf-8"))
    return facts
