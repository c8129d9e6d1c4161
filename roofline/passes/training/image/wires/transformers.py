"""Transformer denoisers: the image's tokens `x`, the text's `t`, both joined `u`; rows of scales `m`.

Source: diffusers 0.42.1, normalization.py, attention.py, attention_processor.py, transformer_sd3.py,
transformer_flux.py, dit_transformer_2d.py, pixart_transformer_2d.py.
"""

from __future__ import annotations

from typing import Final

_H: Final = "h > h"


def _modulated(name: str, source: str, rows: str, into: str, *, own: bool = True) -> dict[str, str]:
    """A norm scaled and shifted by rows of the time step; `own`: it makes these rows itself."""
    made = {f"{name}.silu": "temb > s", f"{name}.scales": f"s > {rows}"} if own else {}
    return {
        **made,
        f"{name}.norm": f"{source} > n",
        f"{name}.scale": f"{rows} > one",
        f"{name}.modulate": f"n one * {into}",
        f"{name}.shift": f"{into} {rows} > {into}",
    }


def _gate(name: str, inner: str, rows: str, stream: str) -> dict[str, str]:
    return {f"{name}.gate": f"{inner} {rows} * {inner}", f"{name}.residual": f"{stream} {inner} > {stream}"}


def _feed_forward(name: str, inner: str) -> dict[str, str]:
    return dict.fromkeys((f"{name}.up", f"{name}.gelu", f"{name}.down"), f"{inner} > {inner}")


def _head_norm(name: str, *values: str) -> dict[str, str]:
    """Each of queries and keys: widened, squared, meaned, rooted, divided, weighted."""

    def each(text: str) -> str:
        return "; ".join(text.replace("Q", value) for value in values)

    return {
        f"{name}.widen": each("Q > Qw"),
        f"{name}.square": each("Qw ^ Qv"),
        f"{name}.mean": each("Qv > Qv"),
        f"{name}.epsilon": each("Qv > Qv"),
        f"{name}.root": each("Qv $ Qr"),
        f"{name}.scale": each("Q Qr * Q"),
        f"{name}.narrow": each("Q > Q"),
        f"{name}.weight": each("Q @ Q"),
    }


def _three(source: str, prefix: str = "") -> str:
    return "; ".join(f"{source} > {prefix}{value}" for value in ("q", "k", "v"))


_OUT: Final[dict[str, str]] = {
    **_modulated("norm_out", "x", "mo", "h"),
    "proj_out_1": "s > mo",
    "norm_out.scales": "s|temb > mo",
    "proj_out": "h > x",
    "proj_out_2": "h > x",
    "unpatch": "x > x",
}

TRANSFORMERS: Final[dict[str, str]] = {
    "patches": "latents > x",
    "x_embedder": "latents > x",
    "positions.add": "x = x",
    "tokens": "x > x",
    **_modulated("norm1", "x", "m", "h"),
    "norm1.dual.scale": "m > one",
    "norm1.dual.modulate": "n one * h2",
    "norm1.dual.shift": "h2 m > h2",
    **_modulated("norm1_context", "t", "mt", "c"),
    **_modulated("norm2", "x", "m", "h", own=False),
    **_modulated("norm3", "x", "m", "h", own=False),
    **_modulated("norm2_context", "t", "mt", "c", own=False),
    **_modulated("norm2_ff", "x", "m", "h", own=False),
    **_modulated("norm2_ff_context", "t", "mt", "c", own=False),
    **_gate("attn", "h", "m", "x"),
    **_gate("attn1", "h", "m", "x"),
    **_gate("attn2", "h", "m", "x"),
    **_gate("ff", "h", "m", "x"),
    **_gate("attn_context", "ct", "mt", "t"),
    **_gate("ff_context", "c", "mt", "t"),
    **_feed_forward("ff", "h"),
    **_feed_forward("ff_context", "c"),
    "attn1.qkv": _three("h"),
    "attn1": "q k v > h",
    "attn1.to_out": _H,
    "attn1.rescale": _H,
    "scales": "m0 > m",
    "attn2.to_q": "x > q",
    "attn2.to_kv": "words|text > k; words|text > v",
    "attn2": "q k v > h",
    "attn2.to_out": _H,
    "attn2.rescale": _H,
    "attn.image_qkv": _three("h"),
    "attn.text_qkv": _three("c", "c"),
    "attn.image.qkv": _three("h"),
    "attn.text.qkv": _three("c", "c"),
    "attn2.image_qkv": _three("h2"),
    **_head_norm("attn.image_qk_norm", "q", "k"),
    **_head_norm("attn.text_qk_norm", "cq", "ck"),
    **_head_norm("attn2.image_qk_norm", "q", "k"),
    **_head_norm("attn.image.qk_norm", "q", "k"),
    **_head_norm("attn.text.qk_norm", "cq", "ck"),
    **_head_norm("attn.qk_norm", "q", "k"),
    "attn.join": "q cq > q; k ck > k; v cv > v",
    "attn": "q k v > h",
    "attn.to_add_out.copy": "h > ct",
    "attn.to_add_out": "ct > ct",
    "attn.to_add_out.bias": "ct > ct",
    "attn.to_out.copy": "h > hx",
    "attn.to_out": "hx|h > h",
    "attn.to_out.bias": _H,
    "control.add": "x control > x",
    **_OUT,
}

#: Heads of joined tokens lie one behind the other, so that they must be merged.
JOINED: Final[dict[str, str]] = {"attn": "q k v & h"}

#: Scales of the last norm from a table beside the embedded time step.
TABLED: Final[dict[str, str]] = {"attn2.residual": "x h > x", "norm_out.scales": "temb > mo"}

#: Norms whose weight is applied in 4 bytes.
_WIDE: Final = (
    ("attn.image.qk_norm", "q", "k"),
    ("attn.text.qk_norm", "cq", "ck"),
    ("attn.qk_norm", "q", "k"),
)

ROTARY: Final[dict[str, str]] = {
    "rotary.negate": "q > qs; k > ks",
    "rotary.stack": "qs > qs; ks > ks",
    "rotary.widen": "q > qw; qs > qsw; k > kw; ks > ksw",
    "rotary.turn": "qw cos * qt; qsw sin * qst; kw cos * kt; ksw sin * kst",
    "rotary.add": "qt qst > q; kt kst > k",
    "rotary.narrow": "q > q; k > k",
}

FLUX: Final[dict[str, str]] = {
    **ROTARY,
    **{f"{name}.scale": f"{one}w {one}r * {one}; {two}w {two}r * {two}" for name, one, two in _WIDE},
    "single_transformer_blocks/join": "x t > u",
    **_modulated("norm", "u", "m", "h"),
    "proj_mlp": "h > g",
    "mlp.gelu": "g > g",
    "attn.qkv": _three("h"),
    "attn.concat": "h g > h",
    "single_transformer_blocks/proj_out": _H,
    "out.gate": "h m * h",
    "out.residual": "u h > x",
}
