"""What is known of the bundled engines before any row, and which rows are about which of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from roofline.evidence.runs.runs import PreparedRun
from roofline.machine.engine import GENERIC


class Declared(NamedTuple):
    """What is known of an engine before any row: whose kernels it runs, its habits, which measured one is like it.

    `apart` keeps its rows out of the generic engine's fit.
    """

    title: str
    library: str | None = None
    half_sums: bool = False
    fed: bool = False
    joins: str = "none"
    widens: bool = False
    mixes: bool = False
    matvec: bool = False
    aliases: tuple[str, ...] = ()
    notes: str = ""
    like: str = "generic"
    eager: bool = False
    apart: bool = False

    @property
    def typical(self) -> bool:
        """Whether it is what one expects of an engine today: the generic engine is fitted to such."""
        return not (self.eager or self.apart)


_diffusers = partial(Declared, fed=True, eager=True, notes="Fitted to image models.")
_compiled = partial(Declared, half_sums=True, fed=True, like="pytorch-compile")

DECLARED: Final[dict[str, Declared]] = {
    "tensorrt-llm": Declared(
        "TensorRT-LLM",
        "trtllm",
        joins="all",
        mixes=True,
        aliases=("trtllm", "trt-llm"),
        notes="Versions 0.9 (static batches) to 1.3 (served).",
    ),
    "tensorrt-llm-0.5": Declared(
        "TensorRT-LLM 0.5 (2023)",
        "trtllm",
        joins="all",
        like="tensorrt-llm",
        apart=True,
        notes="Before its kernels shared a cached key among the query heads of a group.",
    ),
    "vllm": Declared("vLLM", "vllm", joins="all", mixes=True, notes="Steps replayed as CUDA graphs."),
    "vllm-eager": Declared(
        "vLLM without CUDA graphs",
        "vllm",
        joins="all",
        eager=True,
        notes="As of 2023, or --enforce-eager: the host launches every kernel of a step.",
    ),
    "sglang": Declared("SGLang", "sglang", joins="all", like="tensorrt-llm"),
    "lmdeploy": Declared("LMDeploy (TurboMind)", "trtllm", joins="all", aliases=("turbomind",), like="tensorrt-llm"),
    "fastertransformer": Declared(
        "FasterTransformer",
        "trtllm",
        joins="all",
        aliases=("ft",),
        apart=True,
        notes="Numbers of about 2021; later versions are faster.",
    ),
    "llama.cpp": Declared(
        "llama.cpp (CUDA and Metal)",
        half_sums=True,
        widens=True,
        matvec=True,
        aliases=("llamacpp", "llama-cpp"),
        notes="Builds of 2023 to 2025. Prompts run in chunks of 512 tokens.",
    ),
    "ktransformers": Declared(
        "KTransformers (experts on the host's cores)",
        aliases=("kt", "kt-kernel"),
        apart=True,
        notes="What the host computes is told in docs/parallel.md.",
    ),
    "mlx": Declared("MLX (mlx-lm)", widens=True, matvec=True),
    "gpt-fast": Declared("gpt-fast (torch.compile)", joins="attention", widens=True, matvec=True, aliases=("gptfast",)),
    "pytorch-eager": _diffusers("PyTorch, eager (diffusers)", aliases=("eager", "diffusers")),
    "pytorch-compile": _diffusers("PyTorch, torch.compile (diffusers)", aliases=("torch-compile",)),
    "xformers": _diffusers("PyTorch with xformers (diffusers)"),
    "tensorrt": _compiled("TensorRT (image models)"),
    "onnxruntime": _compiled("ONNX Runtime (image models)", aliases=("ort",)),
    "aitemplate": _compiled("AITemplate (image models)"),
    "onediff": _compiled("OneDiff (image models)"),
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
_LEAST_IMAGES: Final = 10


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


def least_left(rows: Sequence[PreparedRun]) -> int:
    """Rows that a group must have to be left out."""
    return _LEAST_IMAGES if of_images(rows) else 1


def of_images(rows: Sequence[PreparedRun]) -> bool:
    """Whether all rows are of image models."""
    return all(row.run.image for row in rows)
