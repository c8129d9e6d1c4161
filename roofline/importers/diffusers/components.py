"""One component of a diffusers pipeline: which class reads it, its format, every key accounted for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from roofline.errors import SpecError, UnsupportedError, nearest
from roofline.importers.class_keys import class_keys, ignored_or_refused, told
from roofline.importers.diffusers.adapters import t2i_adapter
from roofline.importers.diffusers.autoencoders import (
    asymmetric_autoencoder,
    autoencoder,
    deep_autoencoder,
    tiny_autoencoder,
    vq_autoencoder,
)
from roofline.importers.diffusers.text_encoder import clip, clip_with_projection, t5, umt5
from roofline.importers.diffusers.transformers import (
    dit,
    flux,
    flux_control,
    mmdit,
    mmdit_control,
    pixart,
    transformer_2d,
)
from roofline.importers.diffusers.unet import controlnet, plain_unet, unet
from roofline.importers.huggingface.config import Config
from roofline.importers.json_document import JsonDocument, read_json
from roofline.importers.quantization.schemes import read_scheme
from roofline.specs.files.paths import is_file

Body: TypeAlias = dict[str, Any]
INDEX: Final = "model_index.json"

#: The class of a component, as its config.json names it, to the function that reads it.
COMPONENTS: Final[dict[str, Callable[[Config], Body]]] = {
    "UNet2DConditionModel": unet,
    "UNet2DModel": plain_unet,
    "ControlNetModel": controlnet,
    "AutoencoderKL": autoencoder,
    "AutoencoderTiny": tiny_autoencoder,
    "AsymmetricAutoencoderKL": asymmetric_autoencoder,
    "VQModel": vq_autoencoder,
    "AutoencoderDC": deep_autoencoder,
    "T2IAdapter": t2i_adapter,
    "SD3ControlNetModel": mmdit_control,
    "FluxControlNetModel": flux_control,
    "Transformer2DModel": transformer_2d,
    "DiTTransformer2DModel": dit,
    "PixArtTransformer2DModel": pixart,
    "SD3Transformer2DModel": mmdit,
    "FluxTransformer2DModel": flux,
    "CLIPTextModel": clip,
    "CLIPTextModelWithProjection": clip_with_projection,
    "T5EncoderModel": t5,
    "UMT5EncoderModel": umt5,
}
#: What keys of a component alone tell: no config of a language model has them.
_TELLING: Final = frozenset({"block_out_channels", "down_block_types", "up_block_types"})
#: Folders of a pipeline's denoiser, and classes of text encoders.
DENOISERS: Final = ("unet", "transformer")
_ENCODERS: Final = tuple(name for name, read in COMPONENTS.items() if read in (clip, clip_with_projection, t5, umt5))
_NAME_JUNK: Final = re.compile(r"[^A-Za-z0-9._+-]+")


def class_of(data: Mapping[str, Any], named: str | None = None) -> str:
    """What a config.json configures: what the pipeline that it belongs to says, diffusers' key, or transformers'."""
    if named in COMPONENTS:
        return str(named)
    own = data.get("_class_name")
    architectures = data.get("architectures")
    if own is None and isinstance(architectures, list) and architectures:
        own = architectures[0]
    return own if isinstance(own, str) else named or ""


def is_component(data: Mapping[str, Any], named: str | None) -> bool:
    """Whether a config.json is a component's: by its class, or by keys that only components have."""
    return (
        class_of(data, named) in COMPONENTS
        or "_class_name" in data
        or ("model_type" not in data and bool(_TELLING & data.keys()))
    )


def named_by_index(file: Path) -> str | None:
    """The class that the pipeline around a component's folder says it has."""
    index = file.resolve().parent.parent / INDEX
    if not is_file(index):
        return None
    data = read_json(index, INDEX).data
    entry = data.get(file.resolve().parent.name) if isinstance(data, dict) else None
    return entry[1] if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], str) else None


def component(file: Path, named: str | None = None) -> Body:
    """The data of a component's config.json, of the class that its pipeline named, if any.

    Raises SpecError or UnsupportedError with the place.
    """
    document = read_json(file)
    data = document.data
    if not isinstance(data, dict):
        raise SpecError("must be a mapping of keys to values", document.place(()))
    name = class_of(data, named)
    if name not in COMPONENTS:
        raise _unknown(document, name, denoiser_alone(file.resolve().parent.parent, file.resolve().parent.name))
    config = Config(document, data)
    config.ignore("architectures", "model_type")
    body = COMPONENTS[name](config)
    body |= _stored(config)
    if notes := [*config.notes, *_ignored(config, name)]:
        body["assumed"] = notes
    label = clean_name(file.resolve().parent.name)
    title, source = f"{name} in {file.parent.name or '.'}"[:200], f"{file.name} of {label} (diffusers, {name})"
    return {"name": label, "title": title, **body, "sources": [source]}


def _unknown(document: JsonDocument, name: str, instead: str) -> UnsupportedError:
    """A class that is not modelled is called what it is."""
    shown, data, known = name[:60], document.data, tuple(COMPONENTS)
    if not name:
        said = (
            "names no class: a component of diffusers says it as _class_name, or its pipeline's model_index.json does"
        )
    elif "_class_name" not in data and data.keys() & {"architectures", "model_type"}:
        said, known = f"{shown} is not a text encoder that is modelled", _ENCODERS
    else:
        said = f"{shown} is a class of diffusers that is not modelled"
    hint = nearest_modelled(name, known, instead)
    return UnsupportedError(said, document.place(("_class_name",)), "_class_name", hint)


def nearest_modelled(name: str, known: Iterable[str], instead: str) -> str:
    """A hint: at most three names that are modelled, and what works `instead`."""
    close = nearest(name, known) or list(known)[:3]
    return f"Nearest that is modelled: {', '.join(close)}. {instead}".rstrip()


def denoiser_alone(folder: Path, asked: str = "") -> str:
    """A hint at a pipeline's denoiser, where its class is modelled and it is not what was asked for."""
    for key in DENOISERS:
        file = folder / key / "config.json"
        if key != asked and named_by_index(file) in COMPONENTS and is_file(file):
            return f"The denoiser alone works: --model {folder / key}"
    return ""


def _stored(config: Config) -> Body:
    """The format that a quantised component is stored in."""
    data = config.raw("quantization_config", default=None)
    if data is None:
        return {}
    if not isinstance(data, dict):
        config.refuse("quantization_config", "must be a mapping")
    scheme = read_scheme(config.document, ("quantization_config",), data)
    if scheme is None or scheme.dtype is None:
        return {}
    kept = [rule.shown for rule in scheme.rules if rule.dtype is None]
    if kept:
        config.notes.append(
            f"left out of the quantisation by the file, but counted in its format: {', '.join(kept)[:200]}"
        )
    config.notes.extend(scheme.notes)
    return {"dtype": scheme.dtype}


def _ignored(config: Config, name: str) -> list[str]:
    """What is said of unread keys that have no effect. Raises UnsupportedError for one that may change the shape."""
    known = class_keys("diffusers", name) or class_keys("transformers", name)
    ignored: dict[str, list[str]] = {}
    for key, value in config.data.items():
        if key not in config.used and not key.startswith("_") and value not in (None, False):
            ignored.setdefault(ignored_or_refused(config, key, known, name), []).append(key)
    return told(ignored)


def clean_name(text: str) -> str:
    """A name with only what names of specs may hold."""
    return _NAME_JUNK.sub("-", text).strip("-._+")[:100] or "pipeline"
