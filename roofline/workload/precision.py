"""Precision: the only place where elements become bytes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from roofline.num import Num, is_nothing
from roofline.specs.formats.caches import CacheFormat, plain_cache, read_cache
from roofline.specs.formats.dtypes import DType, find_dtype, single_format
from roofline.specs.formats.mixes import ModelFacts
from roofline.workload.op import Op
from roofline.workload.storage.formats import names_of, read_weights
from roofline.workload.storage.matrices import holds_none, storage_key, stored
from roofline.workload.storage.products import Product, Ways, product_of

_NONE: Mapping[str, DType] = {}
_NO_PARTS: Mapping[str, Precision] = {}
_NO_FACTS = ModelFacts()
_NO_WAYS = Ways()
#: Ops that multiply a matrix of weights.
MATRICES: Final = ("linear", "experts", "convolution")
#: Formats of single ops that are shown with a precision.
_MOST_SHOWN: Final = 40
_SIXTEEN: Final = 16.0


@dataclass(frozen=True, slots=True)
class Precision:
    """Formats of weights, activations and cache.

    `overrides` gives single ops, by name or by role (embedding, head, router, attention, feed_forward, experts,
    norm), a format of their own. Below 16 bits only matrices are narrow: norms and biases stay in 16 bit, in GGUF
    files in 32. `facts` are what the mix of a GGUF file depends on. `parts` are the formats of single parts of a model,
    by their names, where they differ from these. `ways` say how narrow weights are multiplied.
    """

    weights: DType
    activations: DType
    cache: CacheFormat
    overrides: Mapping[str, DType] = field(default_factory=lambda: _NONE)
    facts: ModelFacts = _NO_FACTS
    parts: Mapping[str, Precision] = field(default_factory=lambda: _NO_PARTS)
    ways: Ways = _NO_WAYS
    _known: dict[Hashable, tuple[DType, float]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _products: dict[str, Product] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __hash__(self) -> int:
        """Of the names alone: overrides are a mapping, which has no hash, and few differ in nothing else."""
        return hash((self.weights.name, self.activations.name, self.cache.name, *self.overrides, *self.parts))

    @classmethod
    def of(
        cls,
        weights: str,
        activations: str | None = None,
        cache: str | None = None,
        *,
        overrides: Mapping[str, str] | None = None,
        facts: ModelFacts = _NO_FACTS,
    ) -> Precision:
        """By name; `weights` may carry overrides (`int4-g128,head=bf16`) or be a shorthand (`w4a16kv8`).

        Activations default to the weights' format where it has 16 bits or more, else to bf16; the cache defaults to the
        activations' format where that has 16 bits or more, else to bf16: engines that multiply in 8 bits keep a cache
        of 16 (vllm-project/vllm#12569). Activations that are given count as asked, which chooses how narrow weights are
        multiplied. Raises UnknownNameError, or UsageError where two options contradict each other.
        """
        written = read_weights(weights, activations, cache)
        stored = find_dtype(written.weights)
        active = single_format(written.activations, "activations") if written.activations else _beside(stored)
        held = read_cache(written.cache) if written.cache else plain_cache(_beside(active))
        own = {**(overrides or {}), **written.overrides}
        formats = {k: single_format(v, "weights") for k, v in own.items()} or _NONE
        return cls(stored, active, held, formats, facts, ways=Ways(asked=True) if written.activations else _NO_WAYS)

    @property
    def label(self) -> str:
        """The formats of the weights as `--weights` takes them; of very many the first."""
        own = [f"{name}={dtype.name}" for name, dtype in self.overrides.items()]
        if len(own) > _MOST_SHOWN:
            own[_MOST_SHOWN:] = [f"and {len(own) - _MOST_SHOWN} more"]
        parts = [f"{name}={part.label}" for name, part in self.parts.items() if part.label != self.weights.name]
        return ",".join([self.weights.name, *own, *parts])

    @property
    def activations_label(self) -> str:
        """The formats of the activations as `--activations` takes them."""
        own = self.activations.name
        named = [f"{name}={part.activations.name}" for name, part in self.parts.items() if part.activations.name != own]
        return ",".join([own, *named])

    def with_parts(self, parts: Mapping[str, Precision]) -> Precision:
        """These formats, and others for single parts of a model."""
        return replace(self, parts=parts)

    def multiplied(self, ways: Ways) -> Precision:
        """These formats as an engine multiplies them on a chip; where nothing is narrow, on all chips alike.

        Whether activations were asked for stays as it is.
        """
        parts = {name: part.multiplied(ways) for name, part in self.parts.items()}
        own = ways._replace(asked=self.ways.asked) if self.is_narrow else self.ways
        if own == self.ways and all(part is self.parts[name] for name, part in parts.items()):
            return self
        return replace(self, ways=own, parts=parts or _NO_PARTS)

    @property
    def is_narrow(self) -> bool:
        """Whether any weights or the activations have less than 16 bits."""
        return any(dtype.bits < _SIXTEEN for dtype in (self.weights, self.activations, *self.overrides.values()))

    def unmatched(self, ops: Iterable[Op]) -> list[str]:
        """Overrides that name no op and no role of these."""
        known = {name for op in ops for name in names_of(op)}
        return [name for name in self.overrides if name not in known]

    def weight_dtype(self, op: Op) -> DType:
        """The format of this op's weights; of a mix, the format of most of them."""
        return self.weights if self.weights.bits >= 16 and not self.overrides else self._stored(op)[0]

    def weight_bits(self, op: Op) -> float:
        """Mean bits per parameter of an op: its format, the scales, and its vectors."""
        return self.weights.bits if self.weights.bits >= 16 and not self.overrides else self._stored(op)[1]

    def _stored(self, op: Op) -> tuple[DType, float]:
        op = op.source or op
        if holds_none(op):
            return self.weights, self.weights.bits
        key = storage_key(op)
        found = self._known.get(key)
        if found is None:
            found = stored(self.overrides, self.weights, op, self.facts, self.vector_bits)
            self._known[key] = found
        return found

    @property
    def vector_bits(self) -> float:
        """Bits of an element of a norm or a bias, where matrices are narrower."""
        if self.weights.layout.startswith("GGUF"):
            return 32.0
        return max(16.0, self.weights.bits)

    def weight_bytes(self, op: Op) -> Num:
        """Bytes of weights that one execution streams."""
        return op.weights * (self.weight_bits(op) / 8)

    def held_bytes(self, op: Op) -> float:
        """Bytes of parameters that one instance holds in memory, where a share is elsewhere those of the rest."""
        return op.params * op.held * (self.weight_bits(op) / 8)

    def cache_element(self, op: Op) -> float:
        """Bytes of an element of an op's cache, mean over its row; a state keeps the activations' format, or 16 bit."""
        row = op.row
        return self.state_element if row is None else self.cache.row_bytes(row) / row.elements

    @property
    def state_element(self) -> float:
        """Bytes of an element of a recurrent state: no format of a cache makes it narrower."""
        return max(self.activations.bits, 16.0) / 8

    def cache_bytes(self, op: Op) -> Num:
        """Bytes of cache that one execution streams, read and written."""
        return (op.cache_read + op.cache_write) * self.cache_element(op) + op.state_moved_fp32 * 4.0

    def cached_bytes(self, op: Op) -> Num:
        """Bytes of cache that one instance holds at the fullest moment of its phase, mostly its end."""
        held = op.cache_held if is_nothing(op.cache_before) else op.cache_held + op.cache_before
        return held * self.cache_element(op)

    def state_bytes(self, op: Op) -> Num:
        """Bytes of state of a fixed size that one instance holds."""
        return op.state_held * self.state_element + op.state_held_fp32 * 4.0

    def activation_bytes(self, op: Op) -> Num:
        """Bytes of activations that one execution reads and writes."""
        moved, wide = (op.read + op.write) * (self.activations.bits / 8), op.read_fp32 + op.write_fp32
        return moved if is_nothing(wide) else moved + wide * 4.0

    def bytes(self, op: Op) -> Num:
        """All bytes that one execution moves to and from device memory."""
        return self.weight_bytes(op) + self.cache_bytes(op) + self.activation_bytes(op)

    def live_bytes(self, op: Op) -> Num:
        """Bytes of activations in memory while the op runs: what it reads, writes and must leave in place."""
        own = (op.read + op.write + op.live - op.reused) * (self.activations.bits / 8)
        return own + (op.read_fp32 + op.write_fp32 - op.reused_fp32) * 4.0

    def compute_dtype(self, op: Op) -> str:
        """The format whose peak multiplies this op: of two activations theirs, else that of its matrix."""
        return self.matrix_dtype(self.weight_dtype(op)) if op.kind in MATRICES else self.activations.compute

    def matrix_dtype(self, stored: DType | None = None) -> str:
        """The format in which matrices of weights (stored as `stored`) are multiplied."""
        return self.product(stored or self.weights).dtype

    def product(self, stored: DType) -> Product:
        """How matrices of weights that are stored so are multiplied."""
        found = self._products.get(stored.name)
        if found is None:
            found = self._products[stored.name] = product_of(stored, self.activations, self.ways)
        return found

    @property
    def may_be_halves(self) -> bool:
        """Whether products in bf16 may as well be such in fp16: beside narrow weights the engine chooses, unless it was
        asked for.
        """
        return self.weights.bits < _SIXTEEN and not self.ways.asked


def _beside(stored: DType) -> DType:
    return stored if stored.bits >= 16 else find_dtype("bf16")
