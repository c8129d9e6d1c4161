"""A diffusers pipeline folder (model_index.json), or one component's config.json, to a spec.

Only shapes are read: no weights, no code. Every key of a component is either read, known to change no shape, or
refused by name. The config classes' own defaults stand for absent keys.

Source: diffusers 0.42.1, config classes; transformers 5.23.0 for the text encoders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from roofline.errors import SpecError, UnsupportedError
from roofline.importers.diffusers.components import (
    DENOISERS,
    INDEX,
    Body,
    clean_name,
    component,
    denoiser_alone,
    is_component,
    named_by_index,
    nearest_modelled,
)
from roofline.importers.diffusers.pipelines import BESIDE, IN_PIXELS, PIPELINES, family_of, t5_tokens
from roofline.importers.json_document import JsonDocument, read_json
from roofline.specs.files.paths import is_file, is_folder

_CODECS: Final = ("vae", "vqvae")
_ENCODERS: Final = ("text_encoder", "text_encoder_2", "text_encoder_3")
_STEERING: Final = ("controlnet", "adapter")
#: What the classes that hold several parts of one kind have in their names.
_SEVERAL: Final = "Multi"
#: Side of a denoiser's latents where its config does not say it.
_SIDE: Final = 64


def is_diffusers(path: Path) -> bool:
    """Whether a folder or a config.json is a diffusers pipeline or one of its components."""
    if is_folder(path):
        if is_file(path / INDEX):
            return True
        path = path / "config.json"
    if path.name == INDEX:
        return True
    if not is_file(path):
        return False
    data = read_json(path).data
    return isinstance(data, dict) and is_component(data, named_by_index(path))


def import_diffusers(path: Path) -> Body:
    """The data of a model file. Raises SpecError or UnsupportedError with the place."""
    folder = path if is_folder(path) else path.parent
    if (is_folder(path) and is_file(path / INDEX)) or path.name == INDEX:
        return _pipeline(folder)
    file = path / "config.json" if is_folder(path) else path
    body = component(file, named_by_index(file))
    body.pop("upcast", None)
    return body


def _pipeline(folder: Path) -> Body:
    """A folder with a model_index.json and one folder per component."""
    document = read_json(folder / INDEX, INDEX)
    index = document.data
    if not isinstance(index, dict):
        raise SpecError("must be a mapping of keys to values", document.place(()))
    kind = str(index.get("_class_name", ""))
    if kind not in PIPELINES:
        said = f"{kind[:60]} is a pipeline of diffusers that is not modelled" if kind else "names no pipeline"
        hint = nearest_modelled(kind, PIPELINES, denoiser_alone(folder))
        raise UnsupportedError(said, document.place(("_class_name",)), "_class_name", hint)
    _refuse_several(document, index)
    named = [key for key in (*DENOISERS, *_CODECS, *_STEERING, *_ENCODERS) if _has(index, key)]
    parts = {key: component(_file(folder, key, document), _class_in(index, key)) for key in named}
    denoiser = next((parts[key] for key in DENOISERS if key in parts), None)
    codec = next((parts[key] for key in _CODECS if key in parts), None)
    if denoiser is None or (codec is None and kind not in IN_PIXELS):
        missing = "vae" if denoiser is not None else "unet or transformer"
        raise SpecError(f"names no {missing}", document.place(()), INDEX)
    body = _assembled(folder, kind, parts, denoiser, codec)
    if _has(index, "safety_checker"):
        body["safety_checker"] = True
    uncounted = [f"{key} ({_class_in(index, key)})" for key in index if _is_beside(index, key, named)]
    if uncounted:
        body["assumed"] = [*body.get("assumed", ()), f"not counted, weights nor work: {', '.join(uncounted)}"]
    return body


def _refuse_several(document: JsonDocument, index: Mapping[str, Any]) -> None:
    """Several ControlNets or adapters as one part lie in folders of their own (controlnet, controlnet_1, …)."""
    for key in _STEERING:
        if not _has(index, key):
            continue
        made = _class_in(index, key)
        if made is None or _SEVERAL in made or f"{key}_1" in index:
            said = f"{made or key} is several parts of one kind, and one is modelled"
            hint = f"Name one: the class of {key}/config.json; or ask for each alone: --model FOLDER/{key}."
            raise UnsupportedError(said, document.place((key,)), key, hint)


def _assembled(folder: Path, kind: str, parts: Mapping[str, Body], denoiser: Body, codec: Body | None) -> Body:
    told_of_parts = [f"{key}: {note}" for key, part in parts.items() for note in part.pop("assumed", ())]
    vae = dict(codec or {})
    upcast = bool(vae.pop("upcast", False))
    scale = _scale(vae) if codec is not None else 1
    if denoiser["family"] == "unet":
        denoiser["scale"] = scale
    side = int(denoiser.get("sample", _SIDE)) * scale
    family = family_of(kind)
    tokens = {"context_tokens": 77 + (t5_tokens(kind) or 0)} if family == "StableDiffusion3" else {}
    if family == "Flux":
        tokens = {"context_tokens": int(denoiser.get("text_tokens", 512))}
    name = clean_name(folder.resolve().name)
    return {
        "family": "pipeline",
        "name": name,
        "title": f"{name} ({kind})",
        "dtype": "bf16" if family == "Flux" else "fp16",
        "denoiser": denoiser,
        **({"autoencoder": vae} if codec is not None else {}),
        "text_encoders": [_text(kind, parts[key]) for key in _ENCODERS if key in parts],
        **{key: parts[key] for key in _STEERING if key in parts},
        "scheduler": _scheduler(folder),
        **PIPELINES[kind],
        **tokens,
        "height": side,
        "width": side,
        "upcast_autoencoder": upcast and "XL" in kind,
        **({"assumed": told_of_parts} if told_of_parts else {}),
        "sources": [f"{INDEX} and component configs of {name} (diffusers, {kind})"],
    }


def _scale(codec: Body) -> int:
    """Pixels per latent element."""
    levels = codec["decoder"] if "decoder" in codec else codec["channels"]
    return int(2 ** (len(levels) - 1))


def _text(kind: str, part: Body) -> Body:
    tokens = t5_tokens(kind) if part["kind"] in ("t5", "umt5") else None
    return {"encoder": part, **({"tokens": tokens} if tokens is not None else {})}


def _has(index: Mapping[str, Any], key: str) -> bool:
    value = index.get(key)
    return isinstance(value, list) and any(item is not None for item in value)


def _is_beside(index: Mapping[str, Any], key: str, counted: Sequence[str]) -> bool:
    """Whether an entry of the index is a part with weights that is not counted, one of another name included."""
    if not _has(index, key) or key.startswith("_") or key in (*counted, "safety_checker", "scheduler"):
        return False
    held = not ("tokenizer" in key or "processor" in key or "extractor" in key)
    return key in BESIDE or (held and _class_in(index, key) is not None)


def _class_in(index: Mapping[str, Any], key: str) -> str | None:
    value = index[key]
    return value[1] if len(value) == 2 and isinstance(value[1], str) else None


def _file(folder: Path, key: str, document: JsonDocument) -> Path:
    file = folder / key / "config.json"
    if not is_file(file):
        message = f"names the component {key!r}, but {key}/config.json is missing"
        hint = "Copy the component's config.json there; its weights are not needed."
        raise SpecError(message, document.place((key,)), key, hint)
    return file


def _scheduler(folder: Path) -> str:
    """The scheduler's class from its config; euler where the folder says nothing."""
    file = folder / "scheduler" / "scheduler_config.json"
    if not is_file(file):
        return "euler"
    document = read_json(file, "scheduler_config.json")
    data = document.data if isinstance(document.data, dict) else {}
    name = data.get("_class_name")
    if not isinstance(name, str):
        raise SpecError("'_class_name' is missing", document.place(()), "_class_name")
    if name == "PNDMScheduler" and not data.get("skip_prk_steps", False):
        return "pndm-prk"
    return name
