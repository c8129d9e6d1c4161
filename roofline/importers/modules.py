"""Names of modules in a checkpoint, as quantisation lists write them, to operations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

#: Operation -> names that its module has inside a layer, in one checkpoint or another.
OPERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "q_proj": ("self_attn.q_proj", "self_attn.qkv_proj", "attn.q_proj"),
    "k_proj": ("self_attn.k_proj", "self_attn.qkv_proj", "attn.k_proj"),
    "v_proj": ("self_attn.v_proj", "self_attn.qkv_proj", "attn.v_proj"),
    "o_proj": ("self_attn.o_proj", "attn.o_proj"),
    "attention": ("self_attn.o_proj", "attn.wo_b", "mixer.out_proj", "linear_attn.out_proj"),
    "gate_proj": ("mlp.gate_proj", "mlp.gate_up_proj"),
    "up_proj": ("mlp.up_proj", "mlp.gate_up_proj", "mixer.up_proj"),
    "down_proj": ("mlp.down_proj", "mixer.down_proj"),
    "experts": ("mlp.experts.0.up_proj", "block_sparse_moe.experts.0.w1", "mixer.experts.0.up_proj", "ffn.experts",
                "mlp.experts", "experts.0.up_proj", "moe.experts.0.up_proj", "feed_forward.experts"),
    "shared_gate_proj": ("mlp.shared_experts.gate_proj", "mlp.shared_expert.gate_proj", "ffn.shared_experts.w1"),
    "shared_up_proj": ("mlp.shared_experts.up_proj", "mlp.shared_expert.up_proj", "ffn.shared_experts.w3",
                       "mixer.shared_experts.up_proj"),
    "shared_down_proj": ("mlp.shared_experts.down_proj", "mlp.shared_expert.down_proj", "ffn.shared_experts.w2",
                         "mixer.shared_experts.down_proj"),
}  # fmt: skip

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
        whether they name it in some layers only."""
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
    beginning or its end."""
    if pattern.startswith("re:"):
        return _matches_expression(pattern[3:], f"model.layers.0.{name}")
    if "*" in pattern and fnmatchcase(f"layers.0.{name}", pattern if pattern.startswith("*") else f"layers.0.{pattern}"):
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
