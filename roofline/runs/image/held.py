"""What a process holds on a GPU beside tensors and buffers: its safety checker, and the driver's own."""

from __future__ import annotations

from typing import Any, Final

from roofline.machine.engine import IDEAL, read_engine
from roofline.num import stacked
from roofline.passes.image.offload import PictureOffload
from roofline.runs.kind import Question
from roofline.specs.gpu import GPUSpec
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
#: The engine whose convolutions take tensors as they are. Source: MLX, mlx.nn.Conv2d: inputs are NHWC.
_ORDERED: Final = "mlx"
_APPLE: Final = "apple"


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


def has_no_host(gpu: GPUSpec) -> bool:
    """Whether there is no memory beside the chip's that weights could wait in: the processor shares it, or is it."""
    return gpu.memory.unified is not None or gpu.kind == "cpu"


def no_host_words(gpu: GPUSpec, away: PictureOffload) -> str:
    """Why nothing can be kept in host memory, and what takes less instead."""
    why = "is a processor itself" if gpu.kind == "cpu" else "has unified memory, which its processor shares"
    less = "narrower --weights, --tiling, --slicing or smaller pictures take less"
    return f"--offload {away.text()}: {gpu.name} {why}: nothing can be moved away from it; {less}"


def stages_copies(question: Question) -> Any:
    """Whether convolutions copy their operands into another order; of stacked accelerators that differ, for each.

    With `compiled` too: it is usually the denoiser that is compiled, and the decoder, which decides, stays as it is.
    The copies are cuDNN's, and assumed of other makers' libraries; MLX keeps the channels of a pixel side by side, and
    for Apple's chips none are known.
    """
    if question.engine in (IDEAL, _ORDERED) or question.execution.level == "operands":
        return False
    found = [gpu.vendor != _APPLE for gpu in question.stacked or (question.gpu,)]
    return found[0] if len(set(found)) == 1 else stacked(found, question.axes) > 0.0
