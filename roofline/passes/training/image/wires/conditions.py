"""Conditions: a time step, sizes, classes, pooled texts and pictures to one row `temb` per image, and the text.

Source: diffusers 0.42.1, embeddings.py.
"""

from __future__ import annotations

from typing import Final

#: Sines and cosines of numbers: nothing of them is trained.
_NUMBERS: Final = (
    "frequencies",
    "time_angles",
    "time_waves",
    "time_narrow",
    "size_narrow",
    "class_narrow",
    "time_scale",
    "guidance_cast",
    "guidance_scale",
    "time.frequencies",
    "time.repeat",
    "time.angles",
    "time.waves",
    "time.concat",
)
_PLACES: Final = ("ids", "ids.widen", "angles", "waves", "waves.repeat", "waves.narrow", "positions", "positions.crop")

CONDITIONS: Final[dict[str, str]] = {
    **dict.fromkeys(_NUMBERS, "> e"),
    **dict.fromkeys(_PLACES, "> places"),
    "pos_embed/frequencies": "> places",
    "time_cast": "step > e",
    "waves.concat": "> cos; > sin",
    "linear_1": "e! > a",
    "act": "a > a",
    "linear_2": "a > temb",
    "caption_projection/linear_1": "text > words",
    "caption_projection/act": "words > words",
    "caption_projection/linear_2": "words > words",
    "cond_proj": "guidance > g",
    "cond_add": "e g > e",
    "add_concat": "e > e",
    "add_narrow": "e > e",
    "add_embed": "temb > temb",
    "size_concat": "temb > sizes",
    "size_add": "temb > temb",
    "time_text_add": "temb > temb",
    "condition_add": "temb > temb",
    "class_embedding": "class > c",
    "class_emb": "class > c",
    "class_add": "temb c > temb",
    "class_concat": "temb c > temb",
    "label_add": "temb c > temb",
    "image_proj": "picture > c",
    "image_norm": "c > c",
    "image_add": "c > c",
    "text_proj": "pooled > c",
    "text_norm": "c > c",
    "add_embedding/norm1": "text > p",
    "pool.mean": "p > m",
    "pool.position": "m > m",
    "pool.join": "p m > p",
    "pool.q": "m > q",
    "pool.kv": "p > k; p > v",
    "pool": "q k v > c",
    "add_embedding/proj": "c > c",
    "add_embedding/norm2": "c > c",
    "embedded_add": "temb c > temb",
    "image_embeds": "picture > text",
    "encoder_hid_proj/norm": "text > text",
    "encoder_hid_proj/text_proj": "text > text",
    "encoder_hid_proj/join": "text > text",
    "context_embedder": "text > t",
    "scales.silu": "temb > s",
    "scales.scales": "s > m0",
}
