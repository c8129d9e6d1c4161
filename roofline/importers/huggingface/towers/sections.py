"""Which keys of a config.json concern encoders of pictures and sound, whether or not these are modelled.

Source of the sections that a class makes where a file has none (`absent.json`): the config classes of transformers
5.24.0, each made without arguments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.forms.classes import first_class, type_of_class
from roofline.importers.huggingface.forms.wrappers import wrapped_type
from roofline.units import format_count

#: Sections that hold an encoder, and what it reads.
SECTIONS: Final[dict[str, str]] = {
    "vision_config": "vision",
    "audio_config": "audio",
    "encoder_config": "audio",
    "vision_encoder": "vision",
    "speech_config": "audio",
}
#: Keys under which files without such sections name an encoder.
NAMED: Final = ("mm_vision_tower", "vision_tower", "img_processor", "mm_audio_tower", "audio_processor")
_MEDIA: Final = re.compile(
    r"(?:^|_)(?:vision|visual|audio|speech|sound|image|img|video|vit|clip|siglip|whisper|qformer|perceiver|resampler)(?:_|$)"
)
#: The largest size of a section that is taken for meant.
_LARGEST: Final = 1_000_000


def concerns_media(config: Config) -> bool:
    """Whether a file may have an encoder beside its language model: by its form, its keys or its class."""
    if config.outer is not None or any(_MEDIA.search(key) for key, value in config.data.items() if value):
        return True
    return wrapped_type(type_of_class(first_class(config.data))) is not None


def further_sections(beside: Config) -> Iterator[tuple[str, str]]:
    """Sections under other names that hold an encoder: the key, and about how large it is.

    A mapping of a medium's name that states no size describes a processor, save the `visual` of Qwen 1.
    """
    for key, value in beside.data.items():
        if key in SECTIONS or key in NAMED or not isinstance(value, Mapping) or not value or not _MEDIA.search(key):
            continue
        told = about(value)
        if told or key == "visual":
            yield key, told


def absent_sections(model_type: str) -> Mapping[str, dict[str, Any]]:
    """The sections that a class makes by itself: each with the sizes that it gives it beside those of the encoder's."""
    return _absent().get(model_type, {})


def about(section: Mapping[str, Any]) -> str:
    """About how many parameters the layers of an encoder that is not modelled have, where its sizes say so.

    A block of a Conformer has two feed-forwards of three matrices, and convolutions of three squares of its width.
    """
    inner = section.get("config")
    section = inner if isinstance(inner, Mapping) else section

    def size(*keys: str) -> int:
        given = (section.get(key) for key in keys)
        return next((value for value in given if type(value) is int and 0 < value <= _LARGEST), 0)

    width = size("hidden_size", "d_model", "embed_dim", "width", "attention_dim")
    layers = size("num_hidden_layers", "depth", "encoder_layers", "num_layers", "layers", "num_blocks")
    ratio = section.get("mlp_ratio")
    times = ratio if isinstance(ratio, (int, float)) and 0 < ratio <= 100 else 4
    mlp = size("intermediate_size", "encoder_ffn_dim", "mlp_dim", "feedforward_dim") or int(times * width)
    units = size("linear_units")
    count = layers * width * (7 * width + 6 * units if units else 4 * width + 2 * mlp)
    return f"; about {format_count(float(count))} parameters in its layers" if count else ""


@cache
def _absent() -> dict[str, dict[str, dict[str, Any]]]:
    facts: dict[str, dict[str, dict[str, Any]]]
    facts = json.loads(Path(__file__).with_name("absent.json").read_text("utf-8"))["classes"]
    return facts
