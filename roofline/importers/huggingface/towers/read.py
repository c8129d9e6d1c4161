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
from roofline.importers.huggingface.towers import pictures, projectors, qwen, sound
from roofline.importers.huggingface.towers.named import named_tower
from roofline.importers.huggingface.towers.reading import reading_of
from roofline.specs.files.document import Document
from roofline.specs.files.reader import validate
from roofline.specs.text.tower import Tower
from roofline.units import format_count

Body = dict[str, Any]
#: Sections that hold an encoder, and what it reads.
SECTIONS: Final[dict[str, str]] = {
    "vision_config": "vision",
    "audio_config": "audio",
    "encoder_config": "audio",
    "vision_encoder": "vision",
    "speech_config": "audio",
}


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


#: The largest size of a section that is taken for meant.
_LARGEST: Final = 1_000_000
#: Keys under which files without such sections name an encoder.
_NAMED: Final = ("mm_vision_tower", "vision_tower", "img_processor", "mm_audio_tower", "audio_processor")


def towers_of(config: Config, text_width: int) -> Found:
    """The towers beside a language model of that width."""
    found = Found([], [], [])
    beside = _beside(config)
    model_type = str(beside.data.get("model_type"))
    for section, name in SECTIONS.items():
        if isinstance(beside.data.get(section), Mapping):
            _add(found, beside, model_type, section, name, text_width)
    named = named_tower(beside, model_type, text_width)
    if named is not None:
        body = {"name": "vision", **named}
        found.towers.append({key: body[key] for key in _ORDER if body.get(key) not in (None, [])})
    for key in _NAMED:
        if named is not None and "audio" not in key:
            continue
        if value := beside.data.get(key):
            shown = value if isinstance(value, str) else value.get("name", "") if isinstance(value, Mapping) else ""
            found.left_out.append(f"{key} of {model_type} ({str(shown)[:80]}): the file does not state its sizes")
    return found


def _beside(config: Config) -> Config:
    """The mapping in which the sections stand: that which holds the section of the text."""
    if config.outer is None:
        return config
    data, path = config.outer.data, config.path[:-1]
    for key in path:
        data = data[str(key)]
    return Config(config.document, data, path, outer=config.outer)


def _add(found: Found, beside: Config, model_type: str, section: str, name: str, text_width: int) -> None:
    """Read one section, or say why it is left out."""
    known = TOWERS.get(model_type, {}).get(section)
    named = beside.data[section].get("model_type")
    said = f"{section} of {model_type}" + (f" ({named})" if named else "")
    if known is None:
        found.left_out.append(f"{said}: an architecture that is not modelled{_about(beside.data[section])}")
        return
    child = _section(beside, section, known, named)
    if child is None:
        found.left_out.append(f"{said}: an encoder that is not modelled{_about(beside.data[section])}")
        return
    try:
        body = _read(beside, child, known, text_width)
        reading = reading_of(model_type, section)
        body |= reading(beside, child, body) if reading is not None else {}
        body |= {"name": name, "kind": _clean(str(child.data["model_type"]))}
        tower = {key: body[key] for key in _ORDER if body.get(key) not in (None, [])}
        validate(Document(section, "", tower, {}), Tower)
    except SpecError as error:
        found.left_out.append(f"{said}: {error.field}: {error.reason}")
        return
    found.towers.append(tower)
    if child.assumed:
        shown = ", ".join(f"{key} {value}" for key, value in child.assumed.items() if value is not None)
        found.assumed.append(f"not in {section}, so as its config class has it: {shown}")


def _about(section: Mapping[str, Any]) -> str:
    """About how many parameters the layers of an encoder that is not modelled have, where its sizes say so."""

    def size(*keys: str) -> int:
        given = (section.get(key) for key in keys)
        return next((value for value in given if type(value) is int and 0 < value <= _LARGEST), 0)

    width = size("hidden_size", "d_model", "embed_dim", "width")
    layers = size("num_hidden_layers", "depth", "encoder_layers", "num_layers", "layers")
    ratio = section.get("mlp_ratio")
    times = ratio if isinstance(ratio, (int, float)) and 0 < ratio <= 100 else 4
    mlp = size("intermediate_size", "encoder_ffn_dim", "mlp_dim", "feedforward_dim") or int(times * width)
    count = layers * width * (4 * width + 2 * mlp)
    return f"; about {format_count(float(count))} parameters in its layers" if count else ""


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
