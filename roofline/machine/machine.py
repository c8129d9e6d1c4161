"""The machine: peaks and bandwidth as Nums, so that several accelerators stacked on an axis are one machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from roofline.num import Num, maximum, stacked
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
    "fp4": ("fp4", "nvfp4", "bf16", "fp16", "vector.fp16", "fp32", "vector.fp32"),
    "int4": ("int4", "int8", "bf16", "fp16", "vector.fp16", "fp32", "vector.fp32"),
    "int8": ("int8", "bf16", "fp16", "vector.fp16", "fp32", "vector.fp32"),
}
COMPUTE_DTYPES: Final = tuple(_SERVED_BY)
#: Units that multiply a format as it is, where they are not called as it.
_CALLED: Final = {"fp4": "nvfp4"}
#: What vector units multiply where no matrix unit does.
_WIDE: Final = ("fp32", "tf32")

#: A rate of dot products at which nothing is multiplied in that way.
NO_DOT: Final = 1.0
#: Formats of which chips list a rate of products that are summed in 16 bit.
_HALVES: Final = ("fp16", "fp8")
#: What the driver of NVIDIA cards reports and does not hand out, on Linux: nvidia-smi's total less CUDA's total is 453
#: MiB on an RTX 3090, 483 on a 4090, 488 on a 5090, 461 on a 5070 Ti, 550 on an H100 SXM (tables of nvidia-smi, and
#: start-up lines of llama.cpp and PyTorch, both of public files).
UNSEEN: Final = 480.0 * 2**20


@dataclass(frozen=True)
class Machine:
    """One accelerator, or several on an axis.

    `tensor` and `served_by` give, per format, the peak in FLOP/s and the unit that provides it; `vector` is the fp32
    peak outside the matrix units, infinite where unknown, so that a bound stays a bound. `unseen` is what of the
    capacity no program can have. `vectored` is 1 where vector units multiply a wide format, `half_gain` by how much
    sums in 16 bit raised the peak of fp16, `half_sums` by how much they could, per format that they are listed for.
    `dot` is the rate at which vector units could multiply a matrix by a few rows, next to nothing where that is not
    known.
    """

    names: tuple[str, ...]
    tensor: dict[str, Num]
    served_by: dict[str, tuple[str, ...]]
    vector: Num
    bandwidth: Num
    capacity: Num
    vectored: dict[str, Num] = field(default_factory=dict)
    half_gain: Num = 1.0
    half_sums: dict[str, Num] = field(default_factory=dict)
    unseen: Num = 0.0
    dot: Num = 0.0

    @classmethod
    def of(cls, spec: GPUSpec, *, half_sums: bool = False) -> Machine:
        """The machine of a spec.

        `half_sums`: fp16 products are summed in 16 bit, where the chip lists a peak of its own for that.
        """
        peaks = _peaks(spec)
        gains = {name: max(peaks.get(f"{name}_acc16", 0.0) / peaks.get(name, 1e99), 1.0) for name in _HALVES}
        gain = gains["fp16"] if half_sums else 1.0
        if "fp16" in peaks:
            peaks["fp16"] *= gain
        served = {dtype: _server(peaks, dtype) for dtype in COMPUTE_DTYPES}
        vector = peaks.get("vector.fp32", peaks.get("vector.fp16"))
        return cls(
            names=(spec.name,),
            tensor={dtype: peaks[unit] for dtype, unit in served.items()},
            served_by={dtype: (unit,) for dtype, unit in served.items()},
            vector=float("inf") if vector is None else vector,
            bandwidth=spec.memory.bandwidth,
            capacity=spec.memory.capacity,
            vectored={dtype: float(served[dtype].startswith("vector.")) for dtype in _WIDE},
            half_gain=gain,
            half_sums=dict(gains),
            unseen=UNSEEN if spec.vendor == "nvidia" and spec.kind == "gpu" else 0.0,
            dot=NO_DOT if vector is None else vector,
        )

    @classmethod
    def stacked(cls, machines: Sequence[Machine], axes: int = 0) -> Machine:
        """Several accelerators as one, along a first axis that `axes` more follow, each of length 1.

        Every quantity becomes an array of shape [g, 1, …], so that a formula broadcasts over machines × sizes.
        """

        def column(values: Iterable[Num]) -> Num:
            return stacked(list(values), axes)

        return cls(
            names=tuple(name for machine in machines for name in machine.names),
            tensor={d: column(machine.tensor[d] for machine in machines) for d in COMPUTE_DTYPES},
            served_by={d: tuple(unit for machine in machines for unit in machine.served_by[d]) for d in COMPUTE_DTYPES},
            vector=column(machine.vector for machine in machines),
            bandwidth=column(machine.bandwidth for machine in machines),
            capacity=column(machine.capacity for machine in machines),
            vectored={d: column(machine.vectored[d] for machine in machines) for d in _WIDE},
            half_gain=column(machine.half_gain for machine in machines),
            half_sums={name: column(machine.half_sums[name] for machine in machines) for name in _HALVES},
            unseen=column(machine.unseen for machine in machines),
            dot=column(machine.dot for machine in machines),
        )

    def multiplies(self, dtype: str) -> bool:
        """Whether matrix units multiply a format as it is; of several accelerators, those of the first."""
        return self.served_by[dtype][0] in (dtype, _CALLED.get(dtype))

    def fastest(self, dtype: str, halves: bool = False) -> Num:
        """The peak beyond which no engine can multiply: that of 16-bit sums, whether the engine at hand uses them or
        not. `halves`: what is in bf16 may as well be in fp16.
        """
        gain = self.half_sums.get
        if dtype == "fp16" or (halves and dtype == "bf16"):
            return maximum(self.tensor[dtype], self.tensor["fp16"] * (gain("fp16", 1.0) / self.half_gain))
        return self.tensor[dtype] * gain(dtype, 1.0)

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
