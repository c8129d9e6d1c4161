"""Parts that many families share: activations, norms, layer patterns, block groups, experts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from roofline.importers.huggingface.config import Config, ContradictionError

_ACTIVATIONS: Final = {
    "silu": "silu",
    "swish": "silu",
    "gelu": "gelu",
    "gelu_new": "gelu_new",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_tanh": "gelu_tanh",
    "relu": "relu",
    "relu2": "relu2",
    "quick_gelu": "quick_gelu",
    "gelu_python": "gelu",
    "gelu_10": "gelu",
    "gelu_accurate": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "squared_relu": "relu2",
    "xielu": "xielu",
}


def activation(config: Config, *keys: str, default: str | None = None) -> str:
    """The activation function of a key, in our spelling."""
    value = config.text(*keys) if default is None else config.text(*keys, default=default)
    if value not in _ACTIVATIONS:
        hint = f"Understood: {', '.join(_ACTIVATIONS)}."
        config.unsupported(keys[0], f"activation {value[:40]!r} is not modelled", hint)
    return _ACTIVATIONS[value]


def merged(layers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Block groups of one mapping per layer: like layers become one group, in the order of their first.

    A group takes its layers' `name`; without one, groups of several are named after what tells them apart. `at` says
    where its layers stand, until the formats are read.
    """
    groups: dict[str, dict[str, Any]] = {}
    for index, layer in enumerate(layers):
        key = repr(layer)
        if key in groups:
            groups[key]["layers"] += 1
            groups[key]["at"].append(index)
        else:
            name = {"name": layer["name"]} if "name" in layer else {}
            groups[key] = {**name, "layers": 1, **layer, "at": [index]}
    found = list(groups.values())
    return found if len(found) == 1 else _named(found)


def _named(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups with distinct names: sliding or full attention, dense or experts, numbered where that is not enough."""
    tags = [_tags(group) for group in groups]
    differ = [index for index in range(2) if len({tag[index] for tag in tags}) > 1]
    taken: dict[str, int] = {}
    out = []
    for group, tag in zip(groups, tags, strict=True):
        name = group.get("name") or "-".join(tag[index] for index in differ) or "layers"
        taken[name] = taken.get(name, 0) + 1
        out.append({"name": name if taken[name] == 1 else f"{name}-{taken[name]}", **_without_name(group)})
    return out


def _without_name(group: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key != "name"}


def _tags(group: dict[str, Any]) -> tuple[str, str]:
    attention, feed_forward = group.get("attention") or {}, group.get("feed_forward") or {}
    span = "sliding" if "window" in attention else "chunked" if "chunk" in attention else "full"
    kind = attention.get("kind", "none")
    first = ("shared-" if attention.get("shared_cache") else "") + (span if kind == "softmax" else str(kind))
    return first, str(feed_forward.get("kind", "none"))


def tied(config: Config) -> bool:
    """Whether the head is the embedding: the text model's own word, else the outer config's, else its class's."""
    key = "tie_word_embeddings"
    if not config.has(key) and config.outer is not None and config.outer.has(key):
        return config.outer.flag(key)
    return config.flag(key, default=False)


def vocabulary(config: Config) -> int:
    """Rows of the embedding."""
    return config.whole("vocab_size")


def context(config: Config, *keys: str) -> int | None:
    """The longest context that the file itself states, under the first of `keys` that it has; None where it is silent.

    The default of a config class says nothing about a model: it is read as no statement.
    """
    names = keys or ("max_position_embeddings",)
    config.ignore(*names)
    stated = next((name for name in names if config.has(name)), None)
    return None if stated is None else config.whole_or_none(stated)


def heads_of(config: Config, *, heads: str = "num_attention_heads", kv: str = "num_key_value_heads") -> tuple[int, int]:
    """Query heads, and key-value heads (null: as many), which must divide them."""
    number = config.whole(heads)
    kv_number = config.whole(kv, default=number, null=number)
    if number % kv_number:
        message = f"{number} heads do not divide among {kv_number} key-value heads"
        config.refuse(kv if config.has(kv) else heads, message, error=ContradictionError)
    return number, kv_number


def attention_biases(config: Config) -> dict[str, bool]:
    """Biases of all projections of an attention, by one flag."""
    return {"qkv_bias": True, "output_bias": True} if config.flag("attention_bias", default=False) else {}


def head_dim_of(config: Config, width: int, heads: int, *keys: str) -> int:
    """The width of a head: what the config says, else width / heads, which must be whole."""
    value = config.whole_or_none(*(keys or ("head_dim",)))
    if value is not None:
        return value
    return config.divides("hidden_size", width, "of width", heads)


def rotary(config: Config, head_dim: int, fraction: float = 1.0, *keys: str) -> dict[str, Any]:
    """Rotary positions over a fraction of each head (`partial_rotary_factor` in any of its places)."""
    part = rotary_fraction(config, fraction, *keys)
    rotated = int(head_dim * part)
    rotated -= rotated % 2
    return {"kind": "rotary"} if rotated == head_dim else {"kind": "rotary", "rotary_dim": max(rotated, 2)}


def rotary_fraction(config: Config, fraction: float = 1.0, *keys: str) -> float:
    """How much of a head is rotated."""
    names = ("partial_rotary_factor", *keys)
    nested = config.data.get("rope_parameters") or config.data.get("rope_scaling")
    inside = nested.get("partial_rotary_factor") if isinstance(nested, dict) else None
    value = config.number(*names, default=inside if inside is not None else fraction, null=fraction)
    if not 0 < value <= 1:
        config.refuse(names[0], f"{value} is not a part of a head, from 0 to 1")
    return value


def layer_kinds(config: Config, layers: int, kinds: Sequence[str], otherwise: Sequence[str]) -> list[str]:
    """`layer_types`: a kind per layer; where the file has none, `otherwise`."""
    found = config.texts("layer_types", length=layers, choices=kinds)
    return list(otherwise) if found is None else found


def windows_of_layers(config: Config, layers: int) -> list[int]:
    """`attention_window`: tokens that a token sees around it, an even number, for all layers or for each."""
    stated = config.raw("attention_window")
    listed = stated if isinstance(stated, list) else [stated] * layers
    right = [
        isinstance(one, int) and not isinstance(one, bool) and 2 <= one <= 10**6 and one % 2 == 0 for one in listed
    ]
    if len(listed) != layers or not all(right):
        config.refuse("attention_window", f"must be an even number from 2, or one for each of {layers} layers")
    return list(listed)
