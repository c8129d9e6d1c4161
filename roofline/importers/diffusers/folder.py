"""A diffusers pipeline folder (model_index.json), or one component's config.json, to a spec.

Only shapes are read: no weights, no code. Every key of a component is either read, known to change no shape, or
refused by name. The config classes' own defaults stand for absent keys.

Source: diffusers 0.42.1, config classes; transformers 5.23.0 for the text encoders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from roofline.importers.diffusers.text_encoder import clip, t5
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
    "CLIPTextModelWithProjection": clip,
    "T5EncoderModel": t5,
}
_DENOISERS: Final = ("unet", "transformer")
_ENCODERS: Final = ("text_encoder", "text_encoder_2", "text_encoder_3")

#: Per pipeline class: steps, guidance and other keys of the pipeline that its call has by default.
_PIPELINES: Final[dict[str, Body]] = {
    "StableDiffusionPipeline": {"steps": 50, "guidance": 7.5},
    "StableDiffusionImg2ImgPipeline": {"steps": 50, "guidance": 7.5, "task": "image-to-image", "strength": 0.8},
    "StableDiffusionInpaintPipeline": {"steps": 50, "guidance": 7.5, "task": "inpaint", "strength": 1.0},
    "StableDiffusionInstructPix2PixPipeline": {"steps": 100, "guidance": 7.5, "task": "edit", "passes": 3},
    "StableDiffusionControlNetPipeline": {"steps": 50, "guidance": 7.5},
    "StableDiffusionXLPipeline": {"steps": 50, "guidance": 5.0},
    "StableDiffusionXLImg2ImgPipeline": {"steps": 50, "guidance": 5.0, "task": "image-to-image", "strength": 0.3},
    "StableDiffusionXLInpaintPipeline": {"steps": 50, "guidance": 7.5, "task": "inpaint", "strength": 0.9999},
    "LatentConsistencyModelPipeline": {"steps": 4, "guidance": 8.5, "embedded_guidance": True},
    "StableDiffusion3Pipeline": {"steps": 28, "guidance": 7.0, "keep_fp32": ["wo"]},
    "FluxPipeline": {"steps": 28, "guidance": 3.5, "embedded_guidance": True, "keep_fp32": ["wo"]},
    "PixArtAlphaPipeline": {"steps": 20, "guidance": 4.5, "keep_fp32": ["wo"]},
    "PixArtSigmaPipeline": {"steps": 20, "guidance": 4.5, "keep_fp32": ["wo"]},
}
#: Text tokens per prompt that the pipelines give to T5.
_T5_TOKENS: Final = {
    "StableDiffusion3Pipeline": 256,
    "FluxPipeline": 512,
    "PixArtAlphaPipeline": 120,
    "PixArtSigmaPipeline": 300,
}


def is_diffusers(path: Path) -> bool:
    """Whether a folder or a config.json is a diffusers pipeline or one of its components."""
    if path.is_dir():
        if (path / INDEX).is_file():
            return True
        path = path / "config.json"
    if path.name == INDEX:
        return True
    if not path.is_file():
        return False
    data = read_json(path).data
    return isinstance(data, dict) and _class_of(data) in COMPONENTS


def import_diffusers(path: Path) -> Body:
    """The data of a model file. Raises SpecError or UnsupportedError with the place."""
    folder = path if path.is_dir() else path.parent
    if (path.is_dir() and (path / INDEX).is_file()) or path.name == INDEX:
        return _pipeline(folder)
    body = _component(path / "config.json" if path.is_dir() else path)
    body.pop("upcast", None)
    return body


def _class_of(data: Mapping[str, Any]) -> str:
    """What a config.json says that it configures: diffusers' key, or the first of transformers' architectures."""
    name = data.get("_class_name")
    architectures = data.get("architectures")
    if name is None and isinstance(architectures, list) and architectures:
        name = architectures[0]
    return name if isinstance(name, str) else ""


def _component(file: Path) -> Body:
    """One component's config.json."""
    document = read_json(file)
    data = document.data
    if not isinstance(data, dict):
        raise SpecError("must be a mapping of keys to values", document.place(()))
    name = _class_of(data)
    if name not in COMPONENTS:
        close = nearest(name, COMPONENTS, 1)
        hint = f"Nearest: {close[0]}." if close else f"Understood: {', '.join(COMPONENTS)}."
        said = f"{name or 'no class'} is not a component that is modelled"
        raise UnsupportedError(said, document.place(("_class_name",)), "_class_name", hint)
    config = Config(document, data)
    config.ignore("architectures", "model_type")
    body = COMPONENTS[name](config)
    if notes := config.notes + _ignored(config, name):
        body["assumed"] = notes
    label = _name(file.resolve().parent.name)
    title, source = f"{name} in {file.parent.name or '.'}", f"{file.name} of {label} (diffusers, {name})"
    return {"name": label, "title": title, **body, "sources": [source]}


def _ignored(config: Config, name: str) -> list[str]:
    """What is said of unread keys that have no effect. Raises UnsupportedError for one that may change the shape."""
    known = class_keys("diffusers", name) or class_keys("transformers", name)
    ignored: dict[str, list[str]] = {}
    for key, value in config.data.items():
        if key not in config.used and not key.startswith("_") and value not in (None, False):
            ignored.setdefault(ignored_or_refused(config, key, known, name), []).append(key)
    return told(ignored)


def _name(text: str) -> str:
    cleaned = "".join(c if c.isalnum() or c in "._+-" else "-" for c in text).strip("-._+")
    return cleaned or "pipeline"


def _pipeline(folder: Path) -> Body:
    """A folder with a model_index.json and one folder per component."""
    document = read_json(folder / INDEX, INDEX)
    index = document.data
    if not isinstance(index, dict):
        raise SpecError("must be a mapping of keys to values", document.place(()))
    kind = str(index.get("_class_name", ""))
    if kind not in _PIPELINES:
        close = nearest(kind, _PIPELINES, 1)
        said = f"{kind[:60]!r} is not a pipeline that is modelled"
        hint = f"Nearest: {close[0]}." if close else f"Understood: {', '.join(_PIPELINES)}."
        raise UnsupportedError(said, document.place(("_class_name",)), "_class_name", hint)
    named = [key for key in (*_DENOISERS, "vae", "controlnet", *_ENCODERS) if _has(index, key)]
    parts = {key: _component(_file(folder, key, document)) for key in named}
    denoiser = next((parts[key] for key in _DENOISERS if key in parts), None)
    if denoiser is None or "vae" not in parts:
        missing = "vae" if denoiser is not None else "unet or transformer"
        raise SpecError(f"names no {missing}", document.place(()), INDEX)
    return _assembled(folder, kind, parts, denoiser, checked=_has(index, "safety_checker"))


def _assembled(folder: Path, kind: str, parts: Mapping[str, Body], denoiser: Body, *, checked: bool) -> Body:
    told_of_parts = [f"{key}: {note}" for key, part in parts.items() for note in part.pop("assumed", ())]
    vae = dict(parts["vae"])
    upcast = bool(vae.pop("upcast", False))
    side = int(denoiser.get("sample", 64)) * int(denoiser.get("scale", 8))
    texts = [_text(kind, parts[key]) for key in _ENCODERS if key in parts]
    tokens = {"context_tokens": 77 + _T5_TOKENS[kind]} if kind == "StableDiffusion3Pipeline" else {}
    if kind == "FluxPipeline":
        tokens = {"context_tokens": int(denoiser.get("text_tokens", 512))}
    controlnet_part = {"controlnet": parts["controlnet"]} if "controlnet" in parts else {}
    name = _name(folder.resolve().name)
    return {
        "family": "pipeline",
        "name": name,
        "title": f"{name} ({kind})",
        "dtype": "bf16" if kind == "FluxPipeline" else "fp16",
        "denoiser": denoiser,
        "autoencoder": vae,
        "text_encoders": texts,
        **controlnet_part,
        **({"safety_checker": True} if checked else {}),
        "scheduler": _scheduler(folder),
        **_PIPELINES[kind],
        **tokens,
        "height": side,
        "width": side,
        "upcast_autoencoder": upcast and "XL" in kind,
        **({"assumed": told_of_parts} if told_of_parts else {}),
        "sources": [f"{INDEX} and component configs of {name} (diffusers, {kind})"],
    }


def _text(kind: str, part: Body) -> Body:
    tokens = {"tokens": _T5_TOKENS[kind]} if part["kind"] == "t5" and kind in _T5_TOKENS else {}
    return {"encoder": part, **tokens}


def _has(index: Mapping[str, Any], key: str) -> bool:
    value = index.get(key)
    return isinstance(value, list) and any(item is not None for item in value)


def _file(folder: Path, key: str, document: JsonDocument) -> Path:
    file = folder / key / "config.json"
    if not file.is_file():
        message = f"names the component {key!r}, but {key}/config.json is missing"
        hint = "Copy the component's config.json there; its weights are not needed."
        raise SpecError(message, document.place((key,)), key, hint)
    return file


def _scheduler(folder: Path) -> str:
    """The scheduler's class from its config; euler where the folder says nothing."""
    file = folder / "scheduler" / "scheduler_config.json"
    if not file.is_file():
        return "euler"
    document = read_json(file, "scheduler_config.json")
    name = document.data.get("_class_name") if isinstance(document.data, dict) else None
    if not isinstance(name, str):
        raise SpecError("'_class_name' is missing", document.place(()), "_class_name")
    return name
