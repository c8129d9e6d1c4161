"""Programs that are no engine of the library under that name: the engine that runs in them, or what they are instead.

Source: what each program's own pages say that it runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from roofline.errors import UsageError
from roofline.specs.files.spelling import squeezed

#: Programs in which one engine does the work: they are taken for it.
_OF_ONE: Final[dict[str, str]] = {
    "llama.cpp": "koboldcpp kobold.cpp kobold llamafile gpt4all jan llama-cpp-python llama-server llama-cli",
    "pytorch-compile": "torch.compile",
    "mlx": "mlx-lm",
    "sglang": "sgl",
    "onnxruntime": "onnx",
    "transformers": "hf-transformers huggingface-transformers",
    "a1111": "sd-webui",
}
#: What is said of those that run several, of those that nobody measured, and of what runs no model at all.
_TOLD: Final[tuple[tuple[str, str], ...]] = (
    ("lmstudio", "LM Studio runs llama.cpp, and on Apple's chips MLX as well: --engine llama.cpp or --engine mlx"),
    (
        "text-generation-webui oobabooga",
        "it runs several engines: --engine llama.cpp, --engine exllamav2 or --engine transformers",
    ),
    ("open-webui", "it is a page before another program: --engine ollama or --engine llama.cpp"),
    ("tabbyapi", "it runs ExLlama: --engine exllamav2 or --engine exllamav3"),
    ("nim triton triton-server", "it serves with other engines: --engine tensorrt-llm or --engine vllm"),
    ("aphrodite aphrodite-engine", "it is a fork of vLLM, and no run of it is known: --engine vllm is the nearest"),
    (
        "tgi text-generation-inference hf-tgi",
        "no run of it is known; servers of its kind that were measured: --engine vllm or --engine sglang. "
        "--engine generic stands for any",
    ),
    (
        "pytorch torch pt",
        "language models: --engine transformers; pictures: --engine pytorch-eager or --engine pytorch-compile",
    ),
    (
        "invokeai sdnext sd.next fooocus",
        "no run of it is known; programs of its kind that were measured: --engine pytorch-eager (diffusers), "
        "--engine comfyui or --engine forge",
    ),
    ("openvino candle", "no run of it is known; --engine generic stands for any"),
    ("flash-attention flash-attn flashattention sdpa", "that is how attention is computed: --fusion flash"),
    ("bitsandbytes bnb", "that is a format of weights: --weights nf4 (4 bit) or --weights bnb-int8"),
    ("awq gptq gguf exl2-quant hqq nf4", "that is a format of weights, and an option: --weights NAME"),
    ("cuda rocm hip metal", "that is what chips are programmed in, and no engine; llama.cpp, vllm and others use it"),
    ("accelerate", "it lays models over devices, for --engine transformers or --engine pytorch-eager (diffusers)"),
)
ENGINE_OF: Final = {squeezed(name): engine for engine, names in _OF_ONE.items() for name in names.split()}
SAID_OF: Final = {squeezed(name): told for names, told in _TOLD for name in names.split()}
#: A version as package managers write it: `vllm==0.6.0`, `vllm 0.6`, `vllm:v0.6.0`.
_VERSIONED: Final = re.compile(r"(.+?)(?:==|[ :=-])v?(\d{1,4}(?:\.\w{1,12}){1,4})")


def engine_meant(name: str, known: Mapping[str, str]) -> str | None:
    """The engine among `known` names and aliases that is meant by a name as people write it, `@` and its version
    behind it where one was written; None where none is.

    Raises UsageError for what is no engine, or runs several.
    """
    wanted = name.strip().lower()[:200]
    table: dict[str, set[str]] = {}
    for one, target in known.items():
        table.setdefault(squeezed(one), set()).add(target)
    found = table.get(squeezed(wanted), set())
    if len(found) == 1:
        return next(iter(found))
    if squeezed(wanted) in ENGINE_OF:
        return ENGINE_OF[squeezed(wanted)]
    if told := SAID_OF.get(squeezed(wanted)):
        raise UsageError(f"no engine named {name[:60]!r}: {told}. `roofline list engines` lists all")
    versioned = _VERSIONED.fullmatch(wanted)
    base = engine_meant(versioned[1], known) if versioned is not None else None
    return None if versioned is None or base is None else f"{base}@{versioned[2]}"
