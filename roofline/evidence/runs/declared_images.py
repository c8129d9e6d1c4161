"""What is known of the engines of image models before any row, each version after the one that it strays from."""

from __future__ import annotations

from functools import partial
from typing import Final

from roofline.evidence.runs.declaring import Declared

#: Makers of chips for which PyTorch has a device that runs operator by operator: CUDA, HIP, XPU, MPS, NPU.
#: Source: PyTorch's docs, notes on accelerators; the NPU is torch_npu's. Chips of XLA compile graphs instead.
_TORCH: Final = ("nvidia", "amd", "intel", "apple", "huawei")
#: Those for which TorchInductor makes kernels, in Triton, and in Metal on Apple's (torch/_inductor/codegen).
_INDUCTOR: Final = ("nvidia", "amd", "intel", "apple")
_NVIDIA: Final = ("nvidia",)

#: fp8 is a way of storing weights in diffusers (`enable_layerwise_casting`): they are widened to be multiplied.
_eager = partial(Declared, fed=True, eager=True, widens=True, unpacks="eager", runs_on=_TORCH)
_inductor = partial(Declared, fed=True, eager=True, widens=True, unpacks="once", fusion="compiled", runs_on=_INDUCTOR)
_compiled = partial(
    Declared, half_sums=True, fed=True, widens=True, fusion="compiled", like="pytorch-compile", runs_on=_NVIDIA
)

IMAGE_DECLARED: Final[dict[str, Declared]] = {
    "pytorch-eager@2.0": _eager(
        "PyTorch 2.0, eager (diffusers)",
        notes="Fitted to image models: nightly builds of 2.0 to 2.0.1, attention fused.",
        of="pytorch-eager",
        version="2.0",
        since="2023-03",
        until="2023-09",
    ),
    "pytorch-eager@1.13": _eager(
        "PyTorch 1.12 and 1.13, eager (diffusers)",
        like="pytorch-eager@2.0",
        fusion="classic",
        notes="Fitted to image models, with their scores in memory: --fusion classic.",
        of="pytorch-eager",
        version="1.12 to 1.13",
        since="2022-06",
        until="2023-02",
    ),
    "pytorch-eager": _eager(
        "PyTorch, eager (diffusers)",
        aliases=("eager", "diffusers"),
        like="pytorch-eager@2.0",
        notes="Fitted to image models.",
        version="2.1 to 2.14",
        since="2023-10",
    ),
    "pytorch-compile@2.0": _inductor(
        "PyTorch 2.0, torch.compile (diffusers)",
        notes="Fitted to image models: nightly builds of 2.0 to 2.0.1.",
        of="pytorch-compile",
        version="2.0",
        since="2023-03",
        until="2023-09",
    ),
    "pytorch-compile": _inductor(
        "PyTorch, torch.compile (diffusers)",
        aliases=("torch-compile",),
        like="pytorch-compile@2.0",
        notes="Fitted to image models.",
        version="2.1 to 2.14",
        since="2023-10",
    ),
    "xformers": _eager(
        "PyTorch 1.13 with xformers (diffusers)", runs_on=("nvidia", "amd"), notes="Fitted to image models."
    ),
    "tensorrt": _compiled("TensorRT (image models)", widens=False, aliases=("trt",)),
    "onnxruntime": _compiled("ONNX Runtime (image models)", aliases=("ort",)),
    "aitemplate": _compiled("AITemplate (image models)", runs_on=("nvidia", "amd")),
    "onediff": _compiled("OneDiff (image models)"),
    "stable-fast": _compiled(
        "stable-fast (image models)",
        aliases=("sfast",),
        unpacks="once",
        notes="Traced graphs, fused Triton kernels, xformers' attention, CUDA graphs (chengzeyi/stable-fast README).",
    ),
    "nunchaku": _compiled(
        "nunchaku, SVDQuant W4A4 (image models)",
        half_sums=False,
        widens=False,
        notes="4-bit weights and activations with a low-rank branch in its own kernels (arXiv:2411.05007); the parts "
        "that it does not replace run as PyTorch does.",
    ),
    "comfyui": _eager(
        "ComfyUI (image models)",
        aliases=("comfy",),
        like="pytorch-eager",
        notes="A host of PyTorch's eager kernels, attention by PyTorch's own or xformers where that is installed; "
        "weights in fp8 are cast at each use, GGUF by ComfyUI-GGUF's nodes (comfy/model_management.py, comfy/ops.py).",
    ),
    "a1111": _eager(
        "Stable Diffusion WebUI of AUTOMATIC1111 (image models)",
        aliases=("automatic1111", "stable-diffusion-webui"),
        like="pytorch-eager",
        notes="A host of PyTorch's eager kernels in fp16; attention by PyTorch's own, by xformers with --xformers "
        "(modules/sd_hijack_optimizations.py).",
    ),
    "forge": _eager(
        "Stable Diffusion WebUI Forge (image models)",
        aliases=("webui-forge",),
        like="pytorch-eager",
        notes="As a1111, parts loaded as ComfyUI does; nf4 and GGUF widened at each use (backend/operations.py).",
    ),
    "stable-diffusion.cpp": _compiled(
        "stable-diffusion.cpp (image models)",
        aliases=("sd.cpp", "sdcpp"),
        unpacks="once",
        fusion="classic",
        runs_on=("nvidia", "amd", "intel", "apple"),
        notes="Kernels of ggml: convolutions as im2col and a product, weights of GGUF widened for many rows; attention "
        "is fused with --diffusion-fa alone (README, docs/performance.md).",
    ),
    "diffusionkit": _compiled(
        "DiffusionKit, MLX (image models)",
        half_sums=False,
        aliases=("mlx-diffusion",),
        runs_on=("apple",),
        notes="MLX's kernels for Stable Diffusion 3 and FLUX (argmaxinc/DiffusionKit README).",
    ),
}
