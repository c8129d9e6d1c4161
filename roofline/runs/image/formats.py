"""In which format each part of an image model runs."""

from __future__ import annotations

from functools import lru_cache

from roofline.runs.execution import machine_of
from roofline.specs.gpu import GPUSpec
from roofline.specs.image.parts import ImageSpec
from roofline.specs.image.pipeline import PipelineSpec
from roofline.workload.precision import Precision


def own_dtype(spec: ImageSpec, gpu: GPUSpec) -> str:
    """The model's own format; fp16 for a bf16 model on a GPU that multiplies fp16 but not bf16."""
    served = machine_of(gpu).served_by["bf16"][0]
    return "fp16" if spec.dtype == "bf16" and served in ("fp16", "vector.fp16") else spec.dtype


def phase_precision(spec: ImageSpec, precision: Precision, component: str) -> Precision:
    """The format in which one part of a pipeline runs.

    What is stored in fp32 is multiplied in TF32 where the GPU has it: PyTorch's default for convolutions, and at worst
    too fast for the matrix products beside them.
    """
    if precision.activations.name == "fp32" and precision.weights.name == "fp32":
        return _plain("tf32")
    if not isinstance(spec, PipelineSpec) or precision.activations.name != "fp16":
        return precision
    if component == "autoencoder" and spec.upcast_autoencoder:
        return _plain("tf32")
    if component.startswith("text_encoder") and spec.keep_fp32 and precision.weights.name == "fp16":
        return _overridden(precision.label, precision.activations.name, spec.keep_fp32[0])
    return precision


@lru_cache(maxsize=256)
def _overridden(label: str, activations: str, op: str) -> Precision:
    return Precision.of(label, activations, overrides={op: "fp32"})


@lru_cache(maxsize=256)
def _plain(label: str) -> Precision:
    return Precision.of(label)


def format_words(precision: Precision) -> str:
    """The format of a phase in words: `fp32, multiplied in tf32`, `fp16 with wo in fp32`."""
    name = precision.activations.name
    if name == "tf32":
        return "fp32, multiplied in tf32"
    if precision.overrides:
        return f"{name} with " + ", ".join(f"{op} in {dtype.name}" for op, dtype in precision.overrides.items())
    return f"weights {precision.label}, activations {name}"
