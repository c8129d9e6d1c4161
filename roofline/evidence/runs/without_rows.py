"""Engines of language models, and versions of them, that are declared by their habits: no row is about them.

Where their habits are told stands in their files in `roofline/engines/`.
"""

from __future__ import annotations

from typing import Final

from roofline.evidence.runs.declaring import Declared

WITHOUT_ROWS: Final[dict[str, Declared]] = {
    "ollama": Declared(
        "Ollama (llama.cpp)",
        widens=True,
        matvec=True,
        like="llama.cpp",
        same=True,
        apart=True,
        of="llama.cpp",
        notes="llama.cpp under another name, with defaults of its own.",
    ),
    "exllamav2": Declared(
        "ExLlamaV2",
        widens=True,
        matvec=True,
        aliases=("exllama", "exl2"),
        like="gpt-fast",
        apart=True,
        notes="Kernels of its own for quantised weights.",
    ),
    "exllamav3": Declared(
        "ExLlamaV3",
        widens=True,
        matvec=True,
        aliases=("exl3",),
        like="gpt-fast",
        apart=True,
        notes="Kernels of its own for quantised weights.",
    ),
    "mlc-llm": Declared(
        "MLC-LLM (compiled by TVM)",
        joins="all",
        widens=True,
        matvec=True,
        aliases=("mlc",),
        like="vllm",
        apart=True,
    ),
    "deepspeed": Declared(
        "DeepSpeed-FastGen (MII)",
        joins="attention",
        mixes=True,
        eager=True,
        aliases=("deepspeed-fastgen", "deepspeed-mii", "fastgen", "mii"),
        like="vllm@0.2",
        apart=True,
        notes="The host launches every kernel of a step.",
    ),
    "transformers": Declared(
        "Hugging Face transformers, generate (eager PyTorch)",
        eager=True,
        aliases=("hf", "huggingface", "eager-python"),
        like="vllm@0.2",
        apart=True,
        notes="Python launches every kernel of a step; stands for any eager host of a language model.",
    ),
    "mlx-cuda": Declared(
        "MLX on CUDA (mlx-lm)",
        widens=True,
        matvec=True,
        like="mlx",
        apart=True,
        of="mlx",
        vendors=("nvidia",),
        notes="Steps replayed as CUDA graphs. One run is known, which is not enough for a fit.",
    ),
    "vllm@0.3": Declared(
        "vLLM 0.3 to 0.5 (2024)",
        "vllm",
        joins="all",
        like="vllm",
        same=True,
        apart=True,
        of="vllm",
        version="0.3 to 0.5",
        since="2024-01",
        until="2024-08",
        notes="Steps replayed as CUDA graphs; prompts run alone, not beside tokens of others.",
    ),
    "lmdeploy@0.1": Declared(
        "LMDeploy 0.1 (TurboMind, 2023)",
        "trtllm",
        joins="all",
        first_from_decode=True,
        like="tensorrt-llm",
        apart=True,
        of="lmdeploy",
        version="0.0 to 0.1",
        since="2023-07",
        until="2023-12",
        notes="A prompt is read apart from decode steps, but for its last token.",
    ),
    "ktransformers": Declared(
        "KTransformers (experts on the host's cores)",
        mixes=True,
        aliases=("kt", "kt-kernel"),
        apart=True,
        notes="What the host computes is told in docs/parallel.md.",
    ),
}
