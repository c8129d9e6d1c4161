"""What a file in `hardware/` may say about one accelerator (GPU, TPU, NPU), or about a processor as a host.

Peaks are dense vendor peaks; tensor (matrix) and vector units are listed apart. Links are per direction. Bandwidths are
decimal; a capacity is what the driver reports. `base_clock` is given for boards whose power limit does not
let their matrix units run at the boost clock, which the peaks assume.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import Bandwidth, Bytes, Compute, Frequency, Name, Names, Power, Size, Spec, Text, Texts
from roofline.specs.gpu_memory import Memory
from roofline.visible import shortened


class TensorPeaks(Spec):
    """Dense matrix peaks by operand dtype, accumulating in fp32 or int32 except for the `_acc16` entries."""

    fp64: Compute | None = None
    fp32: Compute | None = None
    tf32: Compute | None = None
    fp16: Compute | None = None
    bf16: Compute | None = None
    fp16_acc16: Compute | None = None
    fp8: Compute | None = None
    fp8_acc16: Compute | None = None
    fp6: Compute | None = None
    fp4: Compute | None = None
    nvfp4: Compute | None = None
    int8: Compute | None = None
    int4: Compute | None = None


class VectorPeaks(Spec):
    """Peaks of the units that run norms, softmax and other element-wise work."""

    fp64: Compute | None = None
    fp32: Compute | None = None
    fp16: Compute | None = None


class Peaks(Spec):
    """All peaks of one accelerator."""

    tensor: TensorPeaks
    vector: VectorPeaks | None = None

    @model_validator(mode="after")
    def _has_one(self) -> Peaks:
        if all(value is None for _, value in (*self.tensor, *(self.vector or ()))):
            raise PydanticCustomError("peaks", "names no peak; give at least one of tensor or vector")
        return self


class Cache(Spec):
    """On-chip cache shared by all units; `bandwidth` is what somebody read from it, and `source` says who."""

    l2: Bytes
    bandwidth: Bandwidth | None = None
    source: Text | None = None


class ScaleUpLink(Spec):
    """The link between accelerators of one node (NVLink, Infinity Fabric, ICI): bandwidth per direction."""

    name: Text
    bandwidth: Bandwidth


_GENERATION: Final = re.compile(r"(?:pcie ?)?(?:gen ?)?([1-9](?:\.\d)?)(?: ?[x×] ?(\d{1,2}))?", re.IGNORECASE)


def _generation(value: Any) -> str:
    """`4.0 x16`, as people write it: `Gen4 x16`, `PCIe 4.0`."""
    match = _GENERATION.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 40 else None
    if match is None:
        reason = f"{shortened(repr(value), 60)} is no generation of PCIe; write it as '4.0 x16'"
        raise PydanticCustomError("generation", "{reason}", {"reason": reason})
    return f"{float(match[1])}" + (f" x{match[2]}" if match[2] else "")


class PcieLink(Spec):
    """The host link, per direction."""

    generation: Annotated[str, BeforeValidator(_generation)]
    bandwidth: Bandwidth


class Links(Spec):
    """The links of one accelerator."""

    scale_up: ScaleUpLink | None = None
    pcie: PcieLink | None = None


class Units(Spec):
    """Independent compute units: SM, CU, TensorCore, GPU core.

    `exponentials` that one of them computes per clock: what a softmax waits for; 16 where it is left out.
    """

    kind: Text
    count: Size
    exponentials: Size | None = None


class MeasuredPeaks(Spec):
    """The best matmul rate that somebody measured, by dtype."""

    bf16: Compute | None = None
    fp16: Compute | None = None
    fp8: Compute | None = None
    source: Text | None = None


class GPUSpec(Spec):
    """One accelerator, as its vendor states it, with sources and what could not be verified."""

    kind: Literal["gpu", "tpu", "npu", "soc", "cpu"]
    name: Name
    title: Text
    vendor: Text
    aliases: Names = ()
    peak: Peaks
    memory: Memory
    cache: Cache | None = None
    links: Links | None = None
    power: Power | None = None
    units: Units | None = None
    clock: Frequency | None = None
    base_clock: Frequency | None = None
    measured_matmul: MeasuredPeaks | None = None
    sources: Annotated[Texts, Field(min_length=1)]
    unverified: Texts = ()
    notes: Text | None = None
