"""Precision: the only place where elements become bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from roofline.num import Num
from roofline.specs.dtypes import DType, find_dtype
from roofline.workload.op import Op

_NONE: Mapping[str, DType] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Precision:
    """Formats of weights, activations and cache; `overrides` gives single ops, by name, a format of their own."""

    weights: DType
    activations: DType
    cache: DType
    overrides: Mapping[str, DType] = field(default_factory=lambda: _NONE)

    @classmethod
    def of(cls, weights: str, activations: str | None = None, cache: str | None = None) -> Precision:
        """By name. Activations default to the weights' format where it has 16 bits or more, else to bf16; the cache
        defaults to the activations' format. Raises UnknownNameError.
        """
        stored = find_dtype(weights)
        active = find_dtype(activations) if activations else (stored if stored.bits >= 16 else find_dtype("bf16"))
        held = find_dtype(cache) if cache else active
        return cls(stored, active, held)

    def weight_dtype(self, op: Op) -> DType:
        """The format of this op's weights."""
        return self.overrides.get(op.name, self.weights) if self.overrides else self.weights

    def weight_bytes(self, op: Op) -> Num:
        """Bytes of weights that one execution streams."""
        return op.weights * (self.weight_dtype(op).bits / 8)

    def held_bytes(self, op: Op) -> float:
        """Bytes of parameters that one instance holds in memory."""
        return op.params * (self.weight_dtype(op).bits / 8)

    def cache_bytes(self, op: Op) -> Num:
        """Bytes of cache that one execution streams, read and written."""
        return (op.cache_read + op.cache_write) * (self.cache.bits / 8)

    def activation_bytes(self, op: Op) -> Num:
        """Bytes of activations that one execution reads and writes."""
        return (op.read + op.write) * (self.activations.bits / 8) + (op.read_fp32 + op.write_fp32) * 4.0

    def bytes(self, op: Op) -> Num:
        """All bytes that one execution moves to and from device memory."""
        return self.weight_bytes(op) + self.cache_bytes(op) + self.activation_bytes(op)

    def live_bytes(self, op: Op) -> Num:
        """Bytes of activations in memory while the op runs: what it reads, writes and must leave in place."""
        own = (op.read + op.write + op.live - op.reused) * (self.activations.bits / 8)
        return own + (op.read_fp32 + op.write_fp32 - op.reused_fp32) * 4.0

    def compute_dtype(self, op: Op) -> str:
        """The format whose peak multiplies this op.

        A product of two activations runs in the activations' format. With weights, narrow floating-point weights (fp8,
        fp4) are multiplied in their own format, the other operand being quantised on the fly; integer weights are
        widened to the activations' format unless the activations are integers too.
        """
        if op.kind in ("linear", "experts", "convolution"):
            return self.matrix_dtype(self.weight_dtype(op))
        return self.activations.compute

    def matrix_dtype(self, stored: DType | None = None) -> str:
        """The format in which matrices of weights (stored as `stored`) are multiplied."""
        stored = stored or self.weights
        narrow_float = stored.compute in ("fp8", "fp4") and stored.bits < self.activations.bits <= 16
        return stored.compute if narrow_float else self.activations.compute
