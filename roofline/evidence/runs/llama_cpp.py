"""llama.cpp by date and backend: what is known of each before any row.

Kernels of an op, and where that is told, stand in the files in `roofline/engines/` (`graph:`); docs/llama_cpp.md tells
what follows.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from roofline.evidence.runs.declaring import Declared

#: Coefficients of builds that hand products of many rows to a library, or multiply them in kernels of their own.
_CUDA: Final = ("streaming", "compute", "step_s", "narrow_streaming", "launch", "cache", "attention", "rows")
_backend = partial(Declared, widens=True, matvec=True, like="llama.cpp", apart=True, of="llama.cpp")

LLAMA_CPP: Final[dict[str, Declared]] = {
    "llama.cpp@2024-05": Declared(
        "llama.cpp before integer matrix units (CUDA, 2023 to May 2024)",
        half_sums=True,
        widens=True,
        matvec=True,
        multiplies="fp16",
        apart=True,
        of="llama.cpp",
        version="builds 933 to 3000",
        since="2023-07",
        until="2024-05",
        free=(*_CUDA, "unit_stream", "unit_keys", "unit_feed", "per_watt"),
        notes="Attention in pieces; narrow weights written out in 16 bit once per chunk, and multiplied by cuBLAS.",
    ),
    "llama.cpp": Declared(
        "llama.cpp (CUDA)",
        half_sums=True,
        widens=True,
        matvec=True,
        multiplies="int8",
        apart=True,  # what a server makes of a prompt is no measure of it, nor the other way round
        aliases=("llamacpp", "llama-cpp"),
        like="llama.cpp@2024-05",
        version="builds from 3100 on",
        since="2024-06",
        free=("step_s", "narrow_streaming", "launch", "cache", "attention", "rows", "sequence_s", "narrow_compute"),
        notes="Fused attention; narrow weights multiplied in 8 bit by its own kernels.",
    ),
    "llama.cpp-metal": Declared(
        "llama.cpp (Metal)",
        widens=True,
        matvec=True,
        apart=True,
        of="llama.cpp",
        vendors=("apple",),
        free=("streaming", "step_s", "narrow_compute", "attention", "unit_feed", "unit_keys", "unit_unpack"),
        notes="Builds of May 2024 on one chip, an M1 Max: later builds and chips may be quicker.",
    ),
    "llama.cpp-hip": _backend(
        "llama.cpp (HIP, AMD)",
        multiplies="int8",
        vendors=("amd",),
        same=True,
        notes="The kernels of CUDA, built for AMD.",
    ),
    "llama.cpp-sycl": _backend(
        "llama.cpp (SYCL, Intel)",
        multiplies="fp16",
        vendors=("intel",),
        same=True,
        notes="Narrow weights written out in 16 bit, and multiplied by oneMKL or oneDNN.",
    ),
    "llama.cpp-vulkan": _backend(
        "llama.cpp (Vulkan)",
        multiplies="fp16",
        same=True,
        notes="Shaders that unpack narrow weights to 16 bit on their way to the matrix units.",
    ),
}
