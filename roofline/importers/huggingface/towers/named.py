"""Encoders that files without a section name: LLaVA as first released, Phi-3 Vision, Phi-4-multimodal.

Their sizes are those of the encoders named. Source: the code beside the released files, and the config.json files of
openai/clip-vit-large-patch14-336, openai/clip-vit-large-patch14 and google/siglip-so400m-patch14-384.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.towers import pictures, projectors
from roofline.importers.huggingface.towers.pieces import linear, table

Body = dict[str, Any]
_CLIP_L: Final = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "patch_size": 14,
    "num_channels": 3,
    "hidden_act": "quick_gelu",
}
_SIGLIP: Final = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "patch_size": 14,
    "num_channels": 3,
    "hidden_act": "gelu_pytorch_tanh",
}
#: By what the name of an encoder ends in: its kind, and its sizes.
_ENCODERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "clip-vit-large-patch14-336": ("clip_vision_model", {**_CLIP_L, "image_size": 336}),
    "clip-vit-large-patch14": ("clip_vision_model", {**_CLIP_L, "image_size": 224}),
    "siglip-so400m-patch14-384": ("siglip_vision_model", {**_SIGLIP, "image_size": 384, "vision_use_head": False}),
}
_CUT: Final = "the encoder that the file names, its picture cut to a square"
_PHI3: Final = "preprocessor_config.json of Phi-3.5-vision: num_crops 4 (16 of Phi-3-vision); crops of 336 px"
_PHI4: Final = "preprocessor_config.json of Phi-4-multimodal: dynamic_hd 36 crops of 448 px"


def named_tower(beside: Config, model_type: str, text_width: int) -> Body | None:
    """The tower of pictures that a file names; None where it names none, or one whose sizes are not known."""
    if model_type == "phi4mm":
        return _phi4mm(beside, text_width)
    if model_type == "phi3_v":
        return _phi3(beside, text_width)
    name = beside.raw("mm_vision_tower", default=None)
    found = _encoder(beside, name if isinstance(name, str) else "")
    return _llava(beside, found, text_width) if found is not None else None


def _section(beside: Config, kind: str, sizes: Mapping[str, Any]) -> Config:
    return Config(beside.document, {**sizes, "model_type": kind}, beside.path, outer=beside)


def _encoder(beside: Config, name: str) -> Body | None:
    """An encoder without its projector."""
    for ending, (kind, sizes) in _ENCODERS.items():
        if name.rstrip("/").endswith(ending):
            read = pictures.clip if kind == "clip_vision_model" else pictures.siglip
            return {"kind": kind} | read(_section(beside, kind, sizes))
    return None


def _llava(beside: Config, body: Body, text_width: int) -> Body | None:
    """LLaVA as first released: one product or two; of several tiles nothing is known, so that they count alone."""
    how = beside.text("mm_projector_type", default="linear")
    if how == "linear":
        body = projectors.single(beside, body, text_width)
    elif how == "mlp2x_gelu":
        body = projectors.double(beside, body, text_width)
    else:
        return None
    one = beside.text("image_aspect_ratio", default="pad") in ("pad", "square")
    return body | ({"tokens": {"kind": "fixed", "source": _CUT}} if one else {})


def _phi3(beside: Config, text_width: int) -> Body | None:
    """Phi-3 Vision: CLIP over crops, four patches side by side, learned ends of rows and of the whole picture."""
    given = beside.raw("img_processor", default=None)
    body = _encoder(beside, str(given.get("model_name") if isinstance(given, Mapping) else ""))
    if body is None:
        return None
    inner = 4 * body["width"]
    pieces = [
        table("ends", 2, inner, over="views"),
        linear("projector_up", inner, text_width, activation="gelu", over="tokens"),
        linear("projector_down", text_width, text_width, over="tokens"),
    ]
    crops = 4 if "3.5" in str(beside.data.get("_name_or_path")) else 16
    rule = {"kind": "cropped", "side": 336, "most": crops, "by": "width", "source": _PHI3}
    return body | {"merge": 2, "after": [*body["after"], *pieces], "tokens": rule}


def _phi4mm(beside: Config, text_width: int) -> Body:
    """Phi-4-multimodal as released: SigLIP of 448 pixels with its head."""
    section = _section(beside, "phi4_multimodal_vision", {**_SIGLIP, "image_size": 448})
    rule = {"kind": "cropped", "side": 448, "most": 36, "source": _PHI4}
    return {"kind": "phi4_multimodal_vision"} | pictures.phi4(section, text_width) | {"tokens": rule}
