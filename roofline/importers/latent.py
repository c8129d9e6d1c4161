"""The configs of explainingai-code/StableDiffusion-PyTorch to the data of a model file: one YAML per experiment.

`ldm_params` is the denoiser, `autoencoder_params` its autoencoder, `diffusion_params` the steps. Keys that the
repository reads for training and for its files change no shape.

Source: explainingai-code/StableDiffusion-PyTorch @f562b158 config/, models/unet_cond_base.py, models/vqvae.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, TypeAlias

from roofline.errors import Place, nearest
from roofline.importers.huggingface.config import Config
from roofline.importers.json_document import JsonDocument, JsonPath
from roofline.specs.files.document import Document, parse_document, read_text

Body: TypeAlias = dict[str, Any]
_SOURCE: Final = "explainingai-code/StableDiffusion-PyTorch"
#: Keys of sections that change no shape.
_OF_DATA: Final = "im_path name im_folder im_ext"
_OF_NOISE: Final = "beta_start beta_end"
_OF_TEXT: Final = "train_text_embed_model cond_drop_prob"
#: The text model that each name stands for, as a model of this package, and what is told where there is none.
_TEXTS: Final = {"clip": "clip-b16", "bert": None}
_TEXT_WIDTHS: Final = {"clip": 512, "bert": 768}
_SAME: Final = ("num_down_layers", "num_mid_layers", "num_up_layers")


class _Placed(JsonDocument):
    """A YAML file's data, as the readers of configs take it."""

    def __init__(self, document: Document) -> None:
        super().__init__(document.path, document.text, document.data)
        self._document = document

    def place(self, path: JsonPath) -> Place:
        """The place of the value at `path`, or of its nearest ancestor."""
        return self._document.place(path)


def import_latent(path: Path, name: str | None = None) -> Body:
    """A pipeline, or an autoencoder where the file describes nothing else. Raises SpecError with the place."""
    document = _Placed(parse_document(read_text(path), str(path)))
    data = document.data
    config = Config(document, data if isinstance(data, dict) else {})
    config.ignore("train_params")
    pictures, noise = config.section("dataset_params"), config.section("diffusion_params")
    codec, denoiser = config.section("autoencoder_params"), config.section("ldm_params")
    side, channels = _pictures(pictures)
    called = re.sub(r"[^A-Za-z0-9._+-]+", "-", name or path.stem).strip("-._+")[:90] or "latent-diffusion"
    if codec is None:
        config.refuse("autoencoder_params", "is missing: it says how large the latents are")
    vae = _codec(codec, side, channels, f"{called}-vqvae")
    body = vae if denoiser is None else _pipeline(config, called, denoiser, vae, side)
    if noise is not None:
        noise.ignore(_OF_NOISE)
        steps = noise.whole("num_timesteps", default=1000)
        body |= {} if denoiser is None else {"steps": steps}
    _check(config)
    return body


def _pictures(config: Config | None) -> tuple[int, int]:
    """Side and channels of a picture; those of CelebHQ where the file does not say."""
    if config is None:
        return 256, 3
    config.ignore(_OF_DATA)
    return config.whole("im_size", default=256), config.whole("im_channels", default=3)


def _levels(config: Config) -> Body:
    """What denoiser and autoencoder share: widths, halvings, layers, groups, heads."""
    channels = config.wholes("down_channels", least=1) or []
    steps = len(channels) - 1
    layers = [config.whole(key, default=2) for key in _SAME]
    if len(set(layers)) > 1:
        config.unsupported(
            _SAME[1], f"{layers[0]}, {layers[1]} and {layers[2]} layers: numbers that differ are not modelled"
        )
    halved = config.items("down_sample", length=steps) or []
    if not all(isinstance(value, bool) for value in halved):
        config.refuse("down_sample", "must be a list of true and false")
    return {
        "channels": channels,
        "mid": config.wholes("mid_channels", least=1),
        "downsample": halved,
        "layers": layers[0],
        "heads": config.whole("num_heads", default=4),
        "groups": config.whole("norm_channels", default=32),
    }


def _attends(config: Config, understood: bool) -> None:
    """Attention at every level of a denoiser, and at none of an autoencoder: other files are not modelled."""
    for value in config.items("attn_down") or ():
        if value is not understood:
            config.unsupported("attn_down", f"{value} at a level is not modelled", f"Understood: {understood} at all.")


def _codec(config: Config, side: int, channels: int, name: str) -> Body:
    _attends(config, False)
    return {
        "family": "vqvae",
        "name": name,
        "title": f"VQVAE of {name.removesuffix('-vqvae')}",
        "dtype": "fp32",
        **_levels(config),
        "pixel_channels": channels,
        "latent_channels": config.whole("z_channels"),
        "codes": config.whole("codebook_size"),
        "sample": side,
        "assumed": ["the autoencoder is the VQVAE; the repository's VAE of these sizes has no codebook"],
        "sources": [f"autoencoder_params of {name.removesuffix('-vqvae')} ({_SOURCE})"],
    }


def _pipeline(config: Config, name: str, denoiser: Config, vae: Body, side: int) -> Body:
    _attends(denoiser, True)
    scale = 2 ** sum(vae["downsample"])
    if side % scale:
        config.refuse("dataset_params", f"im_size {side} does not divide by the {scale} of the autoencoder")
    notes: list[str] = vae.pop("assumed")
    found, texts = _conditions(denoiser.section("condition_config"), notes)
    unet = {
        "family": "plain_unet",
        "name": f"{name}-unet",
        "title": f"Latent diffusion UNet of {name}",
        "dtype": "fp32",
        **_levels(denoiser),
        "time_width": denoiser.whole("time_emb_dim"),
        "out_width": denoiser.whole("conv_out_channels"),
        "latent_channels": vae["latent_channels"],
        "sample": side // scale,
        "scale": scale,
        **found,
        "sources": [f"ldm_params of {name} ({_SOURCE})"],
    }
    training = config.data.get("train_params")
    guidance = training.get("cf_guidance_scale", 1.0) if isinstance(training, dict) else 1.0
    good = isinstance(guidance, (int, float)) and not isinstance(guidance, bool) and 0 <= guidance <= 100
    return {
        "family": "pipeline",
        "name": name,
        "title": f"{name} (latent diffusion)",
        "dtype": "fp32",
        "denoiser": unet,
        "autoencoder": vae,
        "text_encoders": texts,
        "scheduler": "ddpm",
        "steps": 1000,
        "guidance": float(guidance) if good else 1.0,
        "height": side,
        "width": side,
        "assumed": notes,
        "sources": [f"{Path(config.document.path).name} ({_SOURCE})"],
    }


def _conditions(config: Config | None, notes: list[str]) -> tuple[Body, list[Any]]:
    """What conditions the denoiser, and the text encoders that go with it."""
    if config is None:
        return {}, []
    kinds = config.texts("condition_types", choices=("class", "text", "image")) or []
    sections = {kind: config.section(f"{kind}_condition_config") for kind in ("class", "text", "image")}
    found: Body = {}
    texts: list[Any] = []
    for kind in kinds:
        section = sections[kind]
        if section is None:
            config.refuse("condition_types", f"{kind} needs {kind}_condition_config")
        section.ignore("cond_drop_prob")
        if kind == "class":
            found["classes"] = section.whole("num_classes")
        elif kind == "image":
            found["image_condition"] = {
                "channels": section.whole("image_condition_input_channels"),
                "side": max(
                    section.whole("image_condition_h", default=512), section.whole("image_condition_w", default=512)
                ),
                "out_channels": section.whole("image_condition_output_channels"),
            }
        else:
            section.ignore(_OF_TEXT)
            model = section.text("text_embed_model", default="clip", choices=tuple(_TEXTS))
            found["context_width"] = section.whole("text_embed_dim", default=_TEXT_WIDTHS[model])
            known = _TEXTS[model]
            texts += [] if known is None else [known]
            if known is None:
                notes.append(f"not counted, weights nor work: the text encoder ({model})")
    return found, texts


def _check(config: Config) -> None:
    """Refuse a key that was not read: another experiment's, or a misspelt one."""
    for key in config.data:
        if key not in config.used:
            close = nearest(key, config.used, 1)
            config.unsupported(key, "unknown key", f"Nearest: {close[0]}." if close else "")
    for child in config.children:
        _check(child)
