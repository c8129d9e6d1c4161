"""What a process holds on a GPU beside tensors and buffers: its safety checker, and the driver's own."""

from __future__ import annotations

from typing import Final

from roofline.machine.engine import IDEAL, read_engine
from roofline.runs.kind import Question
from roofline.specs.image.pipeline import PipelineSpec

#: Parameters of the safety checker of Stable Diffusion 1: CLIP's ViT-L/14 (24 layers of 1,024, 257 positions), its
#: projection to 768, 20 concepts of 768 and their thresholds.
#: Source: diffusers 0.42.1, stable_diffusion/safety_checker.py; config of CompVis/stable-diffusion-safety-checker.
SAFETY_CHECKER: Final = (
    1024.0  # class token
    + 3.0 * 14.0**2 * 1024.0  # patches
    + 257.0 * 1024.0  # positions
    + 24.0 * (4.0 * (1024.0**2 + 1024.0) + 2.0 * 1024.0 * 4096.0 + 4096.0 + 1024.0 + 4.0 * 1024.0)
    + 4.0 * 1024.0  # norms before and after
    + 1024.0 * 768.0
    + 20.0 * 768.0
    + 20.0
)


def has_checker(question: Question) -> bool:
    """Whether the pipeline comes with a safety checker and keeps it."""
    spec = question.spec
    return isinstance(spec, PipelineSpec) and spec.safety_checker and question.run.checked


def checker_bytes(question: Question) -> float:
    """Bytes of the safety checker: 16 bit, or fp32 where all is. It stays on the GPU with every kind of offload."""
    if question.engine == IDEAL or not has_checker(question):
        return 0.0
    return SAFETY_CHECKER * max(question.precision.weights.bits, 16.0) / 8


def context_bytes(question: Question) -> float:
    """Bytes that the process takes before its first tensor: the driver's context, cuBLAS and cuDNN.

    None for the ideal engine, or where a reserve is given. Source: the engine's file.
    """
    given = question.engine == IDEAL or question.spread.reserve.bytes
    return 0.0 if given else read_engine(question.engine).memory.runtime


def stages_copies(question: Question) -> bool:
    """Whether convolutions copy their operands into another order.

    With `compiled` too: it is usually the denoiser that is compiled, and the decoder, which decides, stays as it is.
    """
    return question.engine != IDEAL and question.execution.level != "operands"
