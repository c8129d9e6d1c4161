"""What a GGUF header says about its model, key by key: every getter checks the value and remembers that it was read."""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from roofline.errors import Place, SpecError, UnsupportedError
from roofline.importers.gguf.header import Header, Listed, Tensor
from roofline.importers.stored.words import shown
from roofline.specs.base import LARGEST, MOST_LAYERS

_BLOCK: Final = re.compile(r"blk\.(\d+)\.(.+)")
#: Keys of an architecture that change neither shapes nor cache.
_HARMLESS: Final = re.compile(
    r"rope\..*|attention\.(layer_norm|group_norm|max_alibi|clamp|scale|output_scale|temperature).*|.*_scale|.*softcapping"
    r"|context_length|vocab_size|tensor_data_layout|expert_(weights|group|gating).*|logit_scale|tokenizer.*|pooling_type"
    r"|attention\.causal|swiglu_clamp.*|rescale_every.*|ssm\.dt_b_c_rms|token_shift_count|n_deepstack_layers"
)


class Metadata:
    """Keys and tensors of a header. `layers` are those of the model, without heads that predict further tokens."""

    def __init__(self, header: Header, arch: str) -> None:
        self.header, self.arch = header, arch
        self.used: set[str] = set()
        self.tensors: dict[str, Tensor] = {tensor.name: tensor for tensor in header.tensors}
        self.suffixes: dict[str, list[int]] = {}
        for name in self.tensors:
            if match := _BLOCK.fullmatch(name):
                self.suffixes.setdefault(match[2], []).append(int(match[1]))
        self.extra_layers = self.whole("nextn_predict_layers", default=0, least=0)
        self.layers = self.whole("block_count") - self.extra_layers
        if not 0 < self.layers <= MOST_LAYERS:
            self.refuse("block_count", f"leaves {self.layers:,} layers; 1 to {MOST_LAYERS:,} are understood")

    def has(self, key: str) -> bool:
        """Whether the header has a key of the architecture."""
        return f"{self.arch}.{key}" in self.header.values

    def raw(self, key: str) -> Any:
        """The value of a key of the architecture; None where it is not there."""
        self.used.add(key)
        return self.header.values.get(f"{self.arch}.{key}")

    def whole(self, key: str, *, default: int | None = None, least: int = 1) -> int:
        """A whole number, or a list that says the same for every layer. Raises SpecError where there is none."""
        value = self.raw(key)
        if isinstance(value, list) and value:
            if any(item != value[0] for item in value):
                self.unsupported(key, f"{shown(str(value))}: a number that differs between layers is not modelled here")
            value = value[0]
        if value is None and default is not None:
            return default
        if value is None:
            self.refuse(key, "is missing", "The header of a model says it.")
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST:
            self.refuse(key, f"{shown(repr(value))} is not a whole number from {least} to 10^9")
        return value

    def listed(self, key: str) -> list[Any] | None:
        """A list with a value for each layer; None where the key is not there or is a single number."""
        value = self.raw(key)
        if isinstance(value, Listed) or (isinstance(value, list) and len(value) < self.layers):
            number = value.length if isinstance(value, Listed) else len(value)
            self.refuse(key, f"has {number:,} items for {self.layers:,} layers")
        return value[: self.layers] if isinstance(value, list) else None

    def in_layers(self, suffix: str) -> list[int]:
        """The layers that have a tensor of this name behind `blk.N.`."""
        return self.suffixes.get(suffix, [])

    def any(self, suffix: str) -> bool:
        """Whether some layer has a tensor of this name."""
        return suffix in self.suffixes

    def rows(self, name: str, axis: int = 1) -> int:
        """The extent of a tensor along an axis. Raises SpecError where it is not there or has no such axis."""
        found = self.tensors.get(name)
        if found is None or len(found.shape) <= axis:
            self.refuse("", f"has no tensor {name} with {axis + 1} axes")
        return found.shape[axis]

    def width_of(self, suffix: str, axis: int = 1) -> int | None:
        """The extent of a tensor of the layers along an axis, in the first layer that has it."""
        layers = self.in_layers(suffix)
        return self.rows(f"blk.{min(layers)}.{suffix}", axis) if layers else None

    def unread(self) -> list[str]:
        """Keys of the architecture that were not read and may say something about shapes or the cache."""
        keys = [key.removeprefix(f"{self.arch}.") for key in self.header.values if key.startswith(f"{self.arch}.")]
        return [key for key in keys if key not in self.used and not _HARMLESS.fullmatch(key)]

    def refuse(self, key: str, message: str, hint: str = "") -> NoReturn:
        """Raise SpecError at a key of the architecture."""
        raise SpecError(message, Place(self.header.path), f"{self.arch}.{key}" if key else "", hint)

    def unsupported(self, key: str, message: str, hint: str = "") -> NoReturn:
        """Raise UnsupportedError at a key of the architecture."""
        raise UnsupportedError(message, Place(self.header.path), f"{self.arch}.{key}" if key else "", hint)
