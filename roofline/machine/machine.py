"""The machine: peaks and bandwidth as Nums, so that several accelerators stacked on an axis are one machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from roofline.num import Num, stack
from roofline.specs.gpu import GPUSpec

#: For each format, which peaks serve it, in order of preference. The first is its own unit; any later one is a
#: fallback: stored small, computed wider.
_SERVED_BY: Final[dict[str, tuple[str, ...]]] = {
    "fp64": ("fp64", "vector.fp64", "fp32", "vector.fp32"),
    "fp32": ("fp32", "vector.fp32", "tf32", "bf16", "fp16"),
    "tf32": ("tf32", "fp32", "vector.fp32", "bf16", "fp16"),
    "fp16": ("fp16", "bf16", "vector.fp16", "fp32", "vector.fp32"),
    "bf16": ("bf16", "fp16", "vector.fp16", "fp32", "vector.fp32"),
    "fp8": ("fp8", "bf16", "fp16", "vector.fp16", "fp32", "vector.fp32"),
    "fp4": ("fp4", "nvfp4", "fp8", "bf16", "fp16", "vector.fp16", "fp32", "vector.fp32"),
    "int8": ("int8", "bf16", "fp16", "vector.fp16", "fp32", "vector.fp32"),
}
COMPUTE_DTYPES: Final = tuple(_SERVED_BY)
#: What vector units multiply where no matrix unit does.
_WIDE: Final = ("fp32", "tf32")


_NO_DOT: Final = 1.0


@dataclass(frozen=True)
class Machine:
    """One accelerator, or several on an axis.

    `tensor` and `served_by` give, per format, the peak in FLOP/s and the unit that provides it; `vector` is the fp32
    peak outside the matrix units, infinite where unknown, so that a bound stays a bound. `vectored` is 1 where vector
    units multiply a wide format, `half_gain` by how much sums in 16 bit raised the peak of fp16. `dot` is the rate at
    which vector units could multiply a matrix by a few rows, next to nothing where that is not known.
    """

    names: tuple[str, ...]
    tensor: dict[str, Num]
    served_by: dict[str, tuple[str, ...]]
    vector: Num
    bandwidth: Num
    capacity: Num
    vectored: dict[str, Num] = field(default_factory=dict)
    half_gain: Num = 1.0
    dot: Num = 0.0

    @classmethod
    def of(cls, *specs: GPUSpec, shape: tuple[int, ...] | None = None, half_sums: bool = False) -> Machine:
        """The machine of one spec (scalars), or of several stacked along the first axis (reshaped to `shape`).

        `half_sums`: fp16 products are summed in 16 bit, where the chip lists a peak of its own for that.
        """
        tables = [_peaks(spec) for spec in specs]
        gains = [table.get("fp16_acc16", 0.0) / table["fp16"] if half_sums and "fp16" in table else 1.0
                 for table in tables]  # fmt: skip
        gains = [max(gain, 1.0) for gain in gains]
        for table, gain in zip(tables, gains, strict=True):
            if gain > 1.0:
                table["fp16"] *= gain
        served = {d: tuple(_server(table, d) for table in tables) for d in COMPUTE_DTYPES}
        return cls(
            names=tuple(spec.name for spec in specs),
            tensor={d: stack([t[s] for t, s in zip(tables, served[d], strict=True)], shape) for d in COMPUTE_DTYPES},
            served_by=served,
            vector=stack([t.get("vector.fp32", t.get("vector.fp16", float("inf"))) for t in tables], shape),
            bandwidth=stack([spec.memory.bandwidth for spec in specs], shape),
            capacity=stack([spec.memory.capacity for spec in specs], shape),
            vectored={d: stack([float(s.startswith("vector.")) for s in served[d]], shape) for d in _WIDE},
            half_gain=stack(gains, shape),
            dot=stack([t.get("vector.fp32", t.get("vector.fp16", _NO_DOT)) for t in tables], shape),
        )

    def ridge(self, dtype: str) -> Num:
        """FLOPs per byte at which compute and memory take the same time."""
        return self.tensor[dtype] / self.bandwidth


def _peaks(spec: GPUSpec) -> dict[str, float]:
    table = {name: value for name, value in spec.peak.tensor if value is not None}
    if spec.peak.vector is not None:
        table |= {f"vector.{name}": value for name, value in spec.peak.vector if value is not None}
    return table


def _server(table: dict[str, float], dtype: str) -> str:
    for name in _SERVED_BY[dtype]:
        if name in table:
            return name
    return max(table, key=lambda name: table[name])
