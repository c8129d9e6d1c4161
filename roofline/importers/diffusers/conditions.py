"""What conditions a UNet of diffusers beside time step and text: config.json to the keys of a spec."""

from __future__ import annotations

from typing import Any, Final, Literal

from roofline.importers.huggingface.config import Config

#: Layers of a block, and transformer layers of a stack: more than any model has.
MOST_LAYERS: Final = 1000
#: Numbers that SDXL gives beside its pooled text: sizes of the original, the crop and the target; the refiner's five.
_NUMBERS: Final = (6, 5)
#: The width of OpenCLIP bigG's pooled embedding, which most of these models take.
_POOLED: Final = 1280
#: Tokens that Kandinsky makes of a picture's embedding: 2.2 and 2.1.
_IMAGE_TOKENS: Final = {"image": 32, "text_image": 10}


def per_block(config: Config, key: str, blocks: int, default: Any) -> list[Any]:
    """A value per block, unchecked: the file may give one for all."""
    value = config.raw(key, default=default)
    if isinstance(value, list):
        if len(value) != blocks:
            config.refuse(key, f"has {len(value)} items for {blocks} blocks")
        return value
    return [value] * blocks


def whole_per_block(config: Config, key: str, blocks: int, default: int, most: int = 10**9) -> list[int]:
    """A whole number per block."""
    values = per_block(config, key, blocks, default)
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            config.refuse(key, f"must be whole numbers from 1 to {most:,}, not {str(value)[:40]!r}")
    return values


def depths_per_block(config: Config, key: str, blocks: int, default: int | None) -> list[Any] | None:
    """Depths of transformer stacks: a number per block, or a list of one per residual layer; None where null."""
    values = config.raw(key, default=default)
    if values is None:
        return None
    values = per_block(config, key, blocks, default)
    for value in values:
        for depth in value if isinstance(value, list) else [value]:
            if isinstance(depth, bool) or not isinstance(depth, int) or not 0 <= depth <= MOST_LAYERS:
                config.refuse(key, f"must be whole numbers from 0 to {MOST_LAYERS:,}, not {str(depth)[:40]!r}")
    return values


def conditions(config: Config, context: int, library: Literal["condition", "plain"] = "condition") -> dict[str, Any]:
    """The keys of a spec for all of them; keys that a kind does not use count as read."""
    body = {"class_condition": _class(config)}
    if library == "condition":
        body |= {"context_input": _context(config), "added_conditions": _added(config)}
        body["embedded_condition"] = _embedded(config, context)
        config.ignore("addition_time_embed_dim projection_class_embeddings_input_dim addition_embed_type_num_heads")
    return {key: value for key, value in body.items() if value is not None}


def _class(config: Config) -> dict[str, Any] | None:
    """A class, a noise level, or a picture's embedding."""
    number = config.whole_or_none("num_class_embeds")
    beside = config.flag("class_embeddings_concat", default=False)
    if config.raw("class_embed_type", default=None) is None:
        found = None if number is None else {"kind": "table", "width": number}
    else:
        choices = ("timestep", "identity", "projection", "simple_projection")
        kind = config.text("class_embed_type", choices=choices)
        found = {"kind": kind}
        if kind.endswith("projection"):
            found["width"] = config.whole("projection_class_embeddings_input_dim")
    if found is None and beside:
        config.refuse("class_embeddings_concat", "there is no class embedding to concatenate")
    return found if not beside or found is None else {**found, "concatenated": True}


def _context(config: Config) -> dict[str, Any] | None:
    """A context of another width than cross-attention has."""
    width = config.whole_or_none("encoder_hid_dim")
    if config.raw("encoder_hid_dim_type", default=None) is None:
        return None if width is None else {"kind": "text", "width": width}
    kind = config.text("encoder_hid_dim_type", choices=("text_proj", "image_proj", "text_image_proj"))
    if width is None:
        config.refuse("encoder_hid_dim_type", "needs encoder_hid_dim")
    name = kind.removesuffix("_proj")
    return {"kind": name, "width": width, **({"tokens": _IMAGE_TOKENS[name]} if name in _IMAGE_TOKENS else {})}


def _added(config: Config) -> dict[str, int] | None:
    """The pooled text and the sizes of SDXL; only the sum of their widths is in the file."""
    if config.raw("addition_embed_type", default=None) != "text_time":
        return None
    width = config.whole("addition_time_embed_dim", default=256)
    total = config.whole("projection_class_embeddings_input_dim")
    if total > _POOLED and (total - _POOLED) % width == 0 and (total - _POOLED) // width in _NUMBERS:
        return {"pooled_width": _POOLED, "numbers": (total - _POOLED) // width, "number_width": width}
    pooled = total - _NUMBERS[0] * width
    if pooled < 1:
        said = f"{total} is too narrow for a pooled text and {_NUMBERS[0]} sizes of {width} each"
        config.unsupported("projection_class_embeddings_input_dim", said)
    return {"pooled_width": pooled, "numbers": _NUMBERS[0], "number_width": width}


def _embedded(config: Config, context: int) -> dict[str, Any] | None:
    """A pooled text or a picture's embedding beside the time step (DeepFloyd IF, Kandinsky)."""
    choices = ("text", "text_image", "text_time", "image")
    if config.data.get("addition_embed_type") is None:
        return None
    kind = config.text("addition_embed_type", choices=choices)
    if kind == "text_time":
        return None
    if kind == "text_image":
        return {"kind": kind, "width": context}
    width = config.data.get("encoder_hid_dim")
    if kind == "image" and width is None:
        config.refuse("addition_embed_type", "needs encoder_hid_dim, the width of the picture's embedding")
    heads = config.whole("addition_embed_type_num_heads", default=64)
    return {"kind": kind, "width": width or context, **({"heads": heads} if kind == "text" else {})}
