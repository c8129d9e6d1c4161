"""The keywords of `estimate` and `sweep`: their names, types and defaults, for people, editors and type checkers.

Both take `**options: Unpack[...]`, which a type checker reads; `with_keywords` gives them the flat signature and the
list of options that `help` and completion show.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

from roofline.errors import UsageError, nearest
from roofline.specs.base import Spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Options that formulas take as numpy axes.
SIZES: Final = ("batch", "prompt", "generate", "height", "width", "steps")


class Options(TypedDict, total=False):
    """One value per option; a size may be a numpy array, and the answers then hold arrays."""

    batch: int | NDArray[Any]
    prompt: int | NDArray[Any]
    generate: int | NDArray[Any]
    weights: str | None
    activations: str | None
    kv_cache: str | None
    fusion: str
    logits: str
    latent: str
    work: str
    kv_layout: str
    engine: str
    gpus: int | None
    tp: int | None
    pp: int | None
    microbatches: int | None
    ep: int | None
    dp: int | None
    cp: int | None
    node: str | None
    overlap: str | None
    offload: str | None
    runtime_reserve: str | float | None
    pad_heads: bool
    height: int | NDArray[Any] | None
    width: int | NDArray[Any] | None
    steps: int | NDArray[Any] | None
    guidance: float | None
    scheduler: str | None
    strength: float | None
    tiling: bool
    slicing: bool
    spec_dir: str | None


class Grid(TypedDict, total=False):
    """One or several values per option."""

    batch: int | Iterable[int]
    prompt: int | Iterable[int]
    generate: int | Iterable[int]
    weights: str | Iterable[str | None] | None
    activations: str | Iterable[str | None] | None
    kv_cache: str | Iterable[str | None] | None
    fusion: str | Iterable[str]
    logits: str | Iterable[str]
    latent: str | Iterable[str]
    work: str | Iterable[str]
    kv_layout: str | Iterable[str]
    engine: str | Iterable[str]
    gpus: int | Iterable[int | None] | None
    tp: int | Iterable[int | None] | None
    pp: int | Iterable[int | None] | None
    microbatches: int | Iterable[int | None] | None
    ep: int | Iterable[int | None] | None
    dp: int | Iterable[int | None] | None
    cp: int | Iterable[int | None] | None
    node: str | Iterable[str | None] | None
    overlap: str | Iterable[str | None] | None
    offload: str | Iterable[str | None] | None
    runtime_reserve: str | float | Iterable[str | float | None] | None
    pad_heads: bool | Iterable[bool]
    height: int | Iterable[int | None] | None
    width: int | Iterable[int | None] | None
    steps: int | Iterable[int | None] | None
    guidance: float | Iterable[float | None] | None
    scheduler: str | Iterable[str | None] | None
    strength: float | Iterable[float | None] | None
    tiling: bool | Iterable[bool]
    slicing: bool | Iterable[bool]
    spec_dir: str | None


_DOCUMENTATION: Final = """
Options, as on the command line:

  batch             sequences or pictures that run together
  prompt            prompt tokens per sequence
  generate          tokens generated per sequence
  weights           number format of the weights; default: the model's own
  activations       of the activations; default: the weights' format, bf16 below 16 bits
  kv_cache          of the KV-cache; default: the activations' format
  fusion            what is written to memory between kernels: eager, flash or compiled
  logits            positions of the prompt whose logits are computed: last or all
  latent            decoding with latent attention: absorbed or naive
  work              ideal, or reference: with what the model's reference code does needlessly
  kv_layout         how the cache is allocated: ideal, paged[:BLOCK], full-windows
  engine            whose measured efficiencies to expect; ideal is the roofline itself
  gpus              GPUs in all: tp · pp · cp · dp; alone: tensor-parallel
  tp, pp, cp        tensor-parallel GPUs, pipeline stages, context-parallel GPUs
  ep, dp            GPUs that experts are spread over; replicas, each with a batch of its own
  microbatches      parts of the batch in a pipeline; default: pp
  pad_heads         fill up with empty heads where tp does not divide them
  node              how the GPUs are linked; default: the first known node of the GPU
  overlap           full hides communication behind work; default: none
  offload           what is kept elsewhere: PART[=SHARE][@host|disk], for example experts@host
  runtime_reserve   memory that the runtime keeps on each GPU: '1 GB', '10%' or an engine
  height, width     of pictures, in pixels
  steps             denoising steps
  guidance          guidance scale; above 1 the batch is doubled
  scheduler         for example pndm, ddim, euler, heun
  strength          how much of a given picture is replaced, 0 to 1
  tiling, slicing   autoencoder in overlapping tiles, or one picture at a time
  spec_dir          a folder of your own specs, searched first
"""

#: Defaults other than None.
DEFAULTS: Final[dict[str, Any]] = {
    "batch": 1, "prompt": 512, "generate": 128, "fusion": "flash", "logits": "last", "latent": "absorbed",
    "work": "ideal", "kv_layout": "ideal", "engine": "generic", "pad_heads": False, "tiling": False, "slicing": False,
}  # fmt: skip

#: What other programs call these options.
ELSEWHERE: Final = {
    "cfg": "guidance", "cfg_scale": "guidance", "num_inference_steps": "steps", "sampler": "scheduler", "bs": "batch",
    "dtype": "weights", "precision": "weights", "quantization": "weights", "quant": "weights", "kv": "kv_cache",
    "tensor_parallel_size": "tp", "pipeline_parallel_size": "pp", "data_parallel_size": "dp", "num_gpus": "gpus",
    "n_gpus": "gpus", "tensor_parallel": "tp", "max_tokens": "generate", "max_new_tokens": "generate",
    "output_len": "generate", "input_len": "prompt", "seq_len": "prompt", "context": "prompt", "attention": "fusion",
}  # fmt: skip

Function = TypeVar("Function", bound=Callable[..., Any])


def with_keywords(options: type[Any]) -> Callable[[Function], Function]:
    """Let a function that takes `model, gpu=None, **options` show one keyword per option."""

    def decorate(function: Function) -> Function:
        shown = inspect.signature(function)
        first = list(shown.parameters.values())[:2]
        keywords = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, annotation=kind.__forward_arg__, default=DEFAULTS.get(name)
            )
            for name, kind in options.__annotations__.items()
        ]
        function.__signature__ = shown.replace(parameters=[*first, *keywords])  # type: ignore[attr-defined]
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n{_DOCUMENTATION}"
        return function

    return decorate


def check_names(names: Iterable[str]) -> None:
    """Raises UsageError for the first name that is no option, with the option that is meant."""
    known = Options.__annotations__
    for name in names:
        if name not in known:
            meant = [ELSEWHERE[name.lower()]] if name.lower() in ELSEWHERE else nearest(name, list(known), 1)
            hint = f"did you mean {meant[0]}?" if meant else f"there are: {', '.join(known)}"
            raise UsageError(f"unknown option {name}; {hint}")


def check_single(given: Mapping[str, Any]) -> None:
    """Raises UsageError where an option is given several values. A size may be a numpy array."""
    for name, value in given.items():
        if is_many(value) and not (name in SIZES and hasattr(value, "ndim")):
            shown = str(value)
            shown = shown if len(shown) <= 40 else shown[:37] + "..."
            raise UsageError(f"{name} takes one value here, not {shown}; roofline.sweep takes several")


def is_many(value: Any) -> bool:
    """Whether this is several values: a list, a range, an array with an axis, but no text, path or spec."""
    if isinstance(value, (str, int, float, bytes, os.PathLike, Spec)):
        return False
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) > 0
