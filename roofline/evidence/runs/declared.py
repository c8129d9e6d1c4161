"""What is known of the bundled engines before any row, and which rows are about which of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from roofline.evidence.runs.declared_images import IMAGE_DECLARED
from roofline.evidence.runs.declaring import Declared
from roofline.evidence.runs.llama_cpp import LLAMA_CPP
from roofline.evidence.runs.runs import PreparedRun
from roofline.evidence.runs.without_rows import WITHOUT_ROWS
from roofline.machine.engine import GENERIC

#: The makers on whose chips engines of language models run at all, as their documentation tells; with their versions.
_RUNS_ON: Final = {
    **dict.fromkeys(("tensorrt-llm", "fastertransformer", "mlx-cuda"), ("nvidia",)),
    **dict.fromkeys(("gpt-fast", "exllamav2", "exllamav3"), ("nvidia", "amd")),
    "deepspeed": ("nvidia", "amd", "intel", "huawei"),
    "lmdeploy": ("nvidia", "huawei"),
    "sglang": ("nvidia", "amd", "intel", "google", "huawei"),
    "vllm": ("nvidia", "amd", "intel", "google", "aws", "huawei", "apple"),
    "mlx": ("apple",),
    "llama.cpp-metal": ("apple",),
    "llama.cpp-hip": ("amd",),
    "llama.cpp-sycl": ("intel",),
    **dict.fromkeys(("llama.cpp", "ollama"), ("nvidia", "amd", "intel", "apple", "aws", "huawei", "qualcomm")),
    **dict.fromkeys(("llama.cpp-vulkan", "mlc-llm"), ("nvidia", "amd", "intel", "apple", "qualcomm")),
}
_TOLD: Final[dict[str, Declared]] = {
    "tensorrt-llm": Declared(
        "TensorRT-LLM",
        "trtllm",
        joins="all",
        mixes=True,
        aliases=("trtllm", "trt-llm"),
        notes="Versions 1.0 to 1.3 (served), and two runs of a NIM of 2025.",
        version="1.0 to 1.3",
        since="2025-07",
    ),
    "tensorrt-llm@0.9": Declared(
        "TensorRT-LLM 0.9 (2024)",
        "trtllm",
        joins="all",
        mixes=True,
        shares=(8,),
        like="tensorrt-llm",
        apart=True,
        of="tensorrt-llm",
        version="0.9",
        since="2024-04",
        until="2024-05",
        free=("compute", "streaming", "reread"),
        notes="Static batches (gptSessionBenchmark).",
    ),
    "tensorrt-llm@0.5": Declared(
        "TensorRT-LLM 0.5 (2023)",
        "trtllm",
        joins="all",
        aliases=("tensorrt-llm-0.5",),
        like="tensorrt-llm",
        apart=True,
        of="tensorrt-llm",
        version="0.5",
        since="2023-10",
        until="2023-12",
        free=("compute", "streaming", "reread"),
        notes="Before its kernels shared a cached key among the query heads of a group.",
    ),
    "vllm": Declared(
        "vLLM",
        "vllm",
        joins="all",
        mixes=True,
        notes="Steps replayed as CUDA graphs.",
        version="0.6 to 0.19",
        since="2024-09",
    ),
    "vllm@0.2": Declared(
        "vLLM without CUDA graphs (2023)",
        "vllm",
        joins="all",
        aliases=("vllm-eager",),
        eager=True,
        of="vllm",
        version="0.1 to 0.2",
        since="2023-06",
        until="2023-12",
        notes="As of 2023, or --enforce-eager: the host launches every kernel of a step.",
    ),
    "sglang": Declared("SGLang", "sglang", joins="all", like="tensorrt-llm", version="0.5.6 to 0.5.9", since="2025-11"),
    "lmdeploy": Declared(
        "LMDeploy (TurboMind)",
        "trtllm",
        joins="all",
        mixes=True,
        aliases=("turbomind",),
        like="tensorrt-llm",
        version="0.2 to 0.12",
        since="2024-01",
    ),
    "fastertransformer": Declared(
        "FasterTransformer",
        "trtllm",
        joins="all",
        aliases=("ft",),
        apart=True,
        notes="Numbers of about 2021; later versions are faster.",
    ),
    **LLAMA_CPP,
    "mlx": Declared(
        "MLX (mlx-lm)",
        widens=True,
        matvec=True,
        free=("streaming", "step_s", "narrow_streaming", "narrow_compute", "launch", "unit_feed"),
    ),
    "gpt-fast": Declared("gpt-fast (torch.compile)", joins="attention", widens=True, matvec=True, aliases=("gptfast",)),
    **IMAGE_DECLARED,
    **WITHOUT_ROWS,
}
DECLARED: Final[dict[str, Declared]] = {
    name: told._replace(runs_on=told.runs_on or _RUNS_ON.get(name.partition("@")[0], ()))
    for name, told in _TOLD.items()
}
_GENERIC: Final = Declared(
    "Whatever serves it well",
    joins="all",
    mixes=True,
    notes="Fitted to all engines of language models of today that do not launch every kernel from the host, each "
    "counting the same.",
)
#: Engines of image models: their errors are not those of language models.
IMAGE_ENGINES: Final = frozenset(name for name, declared in DECLARED.items() if declared.fed)
#: Rows of image models take long to expect: smaller groups than this stay in.
_LEAST_IMAGES: Final = 3


def declared_of(name: str) -> Declared:
    """What is known of an engine by its name; of one's own nothing but that."""
    return _GENERIC if name == GENERIC else DECLARED.get(name, Declared(name))


def rows_of(name: str, rows: Sequence[PreparedRun]) -> list[PreparedRun]:
    """The rows of an engine; of the generic one those of every typical engine of language models."""
    if name != GENERIC:
        return [row for row in rows if row.run.engine == name]
    typical = {engine for engine, declared in DECLARED.items() if declared.typical}
    return [row for row in rows if row.run.engine in typical and not row.run.image]


def ways_of(name: str) -> tuple[str, ...]:
    """How the rows of an engine are left out; what stands for any engine is judged without whole engines."""
    return ("engine",) if name == GENERIC else ("gpu", "model", "source")


def timed_by(name: str, *, server: bool) -> tuple[str, ...]:
    """What an engine times that has an interval of its own: of pictures, of language models, and where it serves."""
    if name in IMAGE_ENGINES:
        return ("whole", "step")
    return ("prefill", "decode", *(("first", "served") if server else ()))


def least_left(rows: Sequence[PreparedRun]) -> int:
    """Rows that a group must have to be left out."""
    return _LEAST_IMAGES if of_images(rows) else 1


def of_images(rows: Sequence[PreparedRun]) -> bool:
    """Whether all rows are of image models."""
    return all(row.run.image for row in rows)
