"""Names of modules in a checkpoint, as quantisation lists write them, to operations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple


class Operation(NamedTuple):
    """Where an operation occurs (kinds of attention or parts of a feed-forward) and what checkpoints call its module
    inside a layer.
    """

    parts: tuple[str, ...]
    names: tuple[str, ...]


_GROUPED: Final = ("softmax", "block_sparse")
_EXPERTS: Final = (
    "mlp.experts",
    "mlp.experts.0.up_proj",
    "ffn.experts",
    "ffn.experts.0.w1",
    "feed_forward.experts",
    "experts.0.up_proj",
    "moe.experts.0.up_proj",
    "mixer.experts.0.up_proj",
    "block_sparse_moe.experts.0.w1",
)


def _shared(name: str, short: str) -> tuple[str, ...]:
    """A matrix of the shared experts, whose name is `short` where the feed-forward is called `ffn`."""
    modules = ("mlp.shared_experts", "mlp.shared_expert", "block_sparse_moe.shared_experts")
    return (*(f"{module}.{name}" for module in modules), f"ffn.shared_experts.{short}")


OPERATIONS: Final[dict[str, Operation]] = {
    "q_proj": Operation(_GROUPED, ("self_attn.q_proj", "self_attn.qkv_proj", "attn.q_proj", "mixer.q_proj")),
    "k_proj": Operation(_GROUPED, ("self_attn.k_proj", "self_attn.qkv_proj", "attn.k_proj", "mixer.k_proj")),
    "v_proj": Operation(_GROUPED, ("self_attn.v_proj", "self_attn.qkv_proj", "attn.v_proj", "mixer.v_proj")),
    "o_proj": Operation(
        (*_GROUPED, "latent", "gated_delta"),
        ("self_attn.o_proj", "attn.o_proj", "mixer.o_proj", "linear_attn.out_proj"),
    ),
    "q_a_proj": Operation(("latent", "compressed"), ("self_attn.q_a_proj", "attn.wq_a")),
    "q_b_proj": Operation(("latent", "compressed"), ("self_attn.q_b_proj", "attn.wq_b")),
    "kv_a_proj": Operation(("latent",), ("self_attn.kv_a_proj_with_mqa", "attn.wkv_a")),
    "kv_b_proj": Operation(("latent",), ("self_attn.kv_b_proj", "attn.wkv_b")),
    "kv_proj": Operation(("compressed",), ("self_attn.kv_proj", "attn.wkv")),
    "o_a_proj": Operation(("compressed",), ("self_attn.o_a_proj", "attn.wo_a")),
    "o_b_proj": Operation(("compressed",), ("self_attn.o_b_proj", "attn.wo_b")),
    "qkv_proj": Operation(("gated_delta",), ("linear_attn.in_proj_qkvz", "linear_attn.in_proj_qkv")),
    "in_proj": Operation(("mamba", "mamba2"), ("mixer.in_proj", "mamba.in_proj")),
    "out_proj": Operation(("mamba", "mamba2"), ("mixer.out_proj", "mamba.out_proj")),
    "gate_proj": Operation(("gated",), ("mlp.gate_proj", "mlp.gate_up_proj")),
    "up_proj": Operation(("dense",), ("mlp.up_proj", "mlp.gate_up_proj", "mixer.up_proj")),
    "down_proj": Operation(("dense",), ("mlp.down_proj", "mixer.down_proj")),
    "experts": Operation(("experts",), _EXPERTS),
    "shared_gate_proj": Operation(("shared_gated",), _shared("gate_proj", "w1")),
    "shared_up_proj": Operation(("shared",), ("mixer.shared_experts.up_proj", *_shared("up_proj", "w3"))),
    "shared_down_proj": Operation(("shared",), ("mixer.shared_experts.down_proj", *_shared("down_proj", "w2"))),
}

#: Operations of the attention or of what stands in its place.
ATTENTION: Final = tuple(OPERATIONS)[: tuple(OPERATIONS).index("gate_proj")]

_LAYER: Final = re.compile(r"(?:^|.*\.)(?:layers|h|blocks)\.(\d+|\*)(?:\.(.*)|(\*))?$")
_PLAIN: Final = re.compile(r"(?:\w|\\?\.|\.\*|\\d|\[0-9\]|[()|^$-])*")
_EXPERT: Final = re.compile(r"experts\.\d+")


class Modules:
    """Patterns of module names, by what follows the layer: the layers that each names, and the format given to it."""

    def __init__(self, patterns: Iterable[str] | Mapping[str, str]) -> None:
        self.layers: dict[tuple[str, str], set[str]] = {}
        formats = patterns if isinstance(patterns, Mapping) else dict.fromkeys(patterns, "")
        for pattern, dtype in formats.items():
            match = _LAYER.match(pattern) if not pattern.startswith("re:") else None
            if match:
                tail = "*" if match[3] or not match[2] else match[2]
                tail = _EXPERT.sub("experts.0", tail)
                self.layers.setdefault((tail, dtype), set()).add(match[1])
            else:
                self.layers.setdefault((pattern, dtype), set()).add("*")

    def format_of(self, names: Iterable[str], layers: int) -> tuple[str | None, bool]:
        """The format that patterns give modules of these names in most layers (None: they name it in fewer), and
        whether they name it in some layers only.
        """
        count: dict[str, set[str]] = {}
        for (tail, dtype), indices in self.layers.items():
            if any(_matches(tail, name) for name in names):
                count.setdefault(dtype, set()).update(indices)
        if not count:
            return None, False
        dtype, named = max(count.items(), key=lambda item: layers if "*" in item[1] else len(item[1]))
        number = layers if "*" in named else len(named)
        some = number < layers or len(count) > 1
        return (dtype, some) if 2 * number > layers else (None, some)


def _matches(pattern: str, name: str) -> bool:
    """Whether a pattern names a module inside a layer: a regular expression behind `re:`, a glob, a whole name, its
    beginning or its end.
    """
    if pattern.startswith("re:"):
        return _matches_expression(pattern[3:], f"model.layers.0.{name}")
    glob = pattern if pattern.startswith("*") else f"layers.0.{pattern}"
    if "*" in pattern and fnmatchcase(f"layers.0.{name}", glob):
        return True
    return name == pattern or name.startswith(f"{pattern}.") or name.endswith(f".{pattern}")


def _matches_expression(expression: str, name: str) -> bool:
    """Whether a regular expression matches; one that could take long (a file may say anything) matches nothing."""
    if len(expression) > 200 or expression.count("*") > 4 or not _PLAIN.fullmatch(expression):
        return False
    try:
        return re.match(expression, name) is not None
    except re.error:
        return False


def layers_with(operation: str, parts: Iterable[str], blocks: Iterable[Mapping[str, Any]]) -> int:
    """In how many layers of these blocks an operation occurs."""
    wanted = set(parts)
    return sum(int(block["layers"]) for block in blocks if wanted & _parts(operation, block))


def _parts(operation: str, block: Mapping[str, Any]) -> set[str]:
    attention, forward = block.get("attention") or {}, block.get("feed_forward") or {}
    found = {str(forward.get("kind"))}
    if forward.get("kind") == "dense" and forward.get("gated"):
        found.add("gated")
    if forward.get("shared_width"):
        found |= {"shared", "shared_gated"} if forward.get("gated", True) else {"shared"}
    cached = operation in ("k_proj", "v_proj") and attention.get("shared_cache")
    if not cached and not (operation == "v_proj" and attention.get("keys_as_values")):
        found.add(str(attention.get("kind")))
    if operation in ("q_a_proj", "q_b_proj") and not attention.get("query_rank"):
        found.discard("latent")
    return found
