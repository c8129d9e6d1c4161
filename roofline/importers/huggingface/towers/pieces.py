"""What functions of towers give: pieces, layers, and a tower of them, as plain data."""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.config import Config

Piece = dict[str, Any]
#: Spellings of config classes that stand for one activation of ours.
_ACTIVATIONS: Final = {
    "silu": "silu",
    "swish": "silu",
    "quick_gelu": "quick_gelu",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_new": "gelu_tanh",
    "relu": "relu",
}


def table(name: str, rows: int, width: int, **more: Any) -> Piece:
    """A table of rows; `more`: whether a `product` interpolates it."""
    return {"kind": "table", "name": name, "rows": rows, "width": width, **more}


def linear(name: str, inputs: int, outputs: int, *, bias: bool = True, number: int = 1, **more: Any) -> Piece:
    """A matrix, with a bias unless said otherwise; `more`: an `activation` behind it, the rows it runs `over`."""
    piece: Piece = {"kind": "linear", "name": name, "inputs": inputs, "outputs": outputs}
    return piece | _more(bias, number) | more


def convolution(
    name: str, inputs: int, outputs: int, kernel: list[int], *, bias: bool = True, number: int = 1, **more: Any
) -> Piece:
    """A convolution, with a bias unless said otherwise; `more` as of a matrix."""
    piece: Piece = {"kind": "convolution", "name": name, "inputs": inputs, "outputs": outputs, "kernel": kernel}
    return piece | _more(bias, number) | more


def _more(bias: bool, number: int) -> Piece:
    return ({"bias": True} if bias else {}) | ({"number": number} if number != 1 else {})


def norm(name: str, width: int, *, bias: bool = True, number: int = 1, **more: Any) -> Piece:
    """A norm, with a bias unless said otherwise; `more`: the rows it runs `over`."""
    piece: Piece = {"kind": "norm", "name": name, "width": width}
    return piece | _more(bias, number) | more


def scale(name: str, elements: int) -> Piece:
    """Learned factors."""
    return {"kind": "scale", "name": name, "elements": elements}


def layers(
    config: Config,
    width: int,
    *,
    number: str = "num_hidden_layers",
    heads: str = "num_attention_heads",
    mlp: str = "intermediate_size",
    activation: str = "hidden_act",
    **more: Any,
) -> dict[str, Any]:
    """Layers whose sizes stand under these keys, with biases everywhere unless `more` says otherwise.

    A text may name several spellings of a key, with spaces.
    """
    count = config.whole(*heads.split())
    own = config.whole_or_none("head_dim")
    found = {
        "layers": config.whole(*number.split()),
        "heads": count,
        "head_dim": own or config.divides(heads.split(maxsplit=1)[0], width, "of width", count),
        "qkv_bias": True,
        "output_bias": True,
        "mlp": config.whole(*mlp.split()),
        "mlp_bias": True,
        "activation": _ACTIVATIONS.get(config.text(activation, default="gelu"), "gelu"),
    }
    return {key: value for key, value in (found | more).items() if value is not False or key == "key_bias"}


def side(config: Config, key: str) -> int:
    """A side in pixels: one number, or the first of two that are equal."""
    value = config.raw(key)
    if isinstance(value, (list, tuple)) and value and all(item == value[0] for item in value):
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100_000:
        config.unsupported(key, f"{str(value)[:40]} is not a side in pixels")
    return value


def grid(config: Config, patch: int) -> int:
    """Patches in a picture of `image_size`, whole ones alone."""
    return (side(config, "image_size") // patch) ** 2


def shuffled(config: Config, key: str, default: float = 0.5) -> int:
    """How many patches a side become one, of a ratio that is one over a whole number."""
    ratio = config.number(key, default=default)
    if not 0 < ratio <= 1 or round(1 / ratio) * ratio != 1:
        config.unsupported(key, f"{ratio} is not one over a whole number")
    return round(1 / ratio)
