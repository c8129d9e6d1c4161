"""The options as keywords, with their types, for editors and type checkers.

The classes are made from `roofline.runs.options` and `roofline.runs.training.options` by
`python -m roofline.cli.keywords`; a test holds them to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from roofline.runs.option import Option
from roofline.runs.options import KEYWORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])


# made from the declaration of options
class Options(TypedDict, total=False):
    """One value per option; a size may be a numpy array, and the answers then hold arrays."""

    batch: int | NDArray[Any] | None
    users: int | NDArray[Any] | None
    prompt: int | NDArray[Any] | None
    generate: int | NDArray[Any] | None
    fusion: str | None
    logits: str
    latent: str
    work: str
    kv_layout: str | None
    chunk: str | int | None
    no_vision: bool
    vision: bool
    images: int | NDArray[Any] | None
    image_size: str | None
    frames: int | NDArray[Any] | None
    seconds: float | NDArray[Any] | None
    weights: str | None
    activations: str | None
    kv_cache: str | None
    engine: str
    draft: str | None
    draft_tokens: int | None
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
    host: str | None
    pad_heads: bool
    runtime_reserve: str | float | None
    utilisation: str | float | None
    max_sequences: int | None
    memory: str | None
    height: int | NDArray[Any] | None
    width: int | NDArray[Any] | None
    steps: int | NDArray[Any] | None
    guidance: float | None
    scheduler: str | None
    strength: float | None
    tiling: bool | str
    slicing: bool
    no_safety_checker: bool
    price: str | float | None
    prices: str | None
    currency: str | None
    electricity: str | float | None
    lifetime: float | None
    load: str | float | None
    pue: float | None
    spec_dir: str | None


class Grid(TypedDict, total=False):
    """One or several values per option."""

    batch: int | Iterable[int | None] | None
    users: int | Iterable[int | None] | None
    prompt: int | Iterable[int | None] | None
    generate: int | Iterable[int | None] | None
    fusion: str | Iterable[str | None] | None
    logits: str | Iterable[str]
    latent: str | Iterable[str]
    work: str | Iterable[str]
    kv_layout: str | Iterable[str | None] | None
    chunk: str | int | Iterable[str | int | None] | None
    no_vision: bool | Iterable[bool]
    vision: bool | Iterable[bool]
    images: int | Iterable[int | None] | None
    image_size: str | Iterable[str | None] | None
    frames: int | Iterable[int | None] | None
    seconds: float | Iterable[float | None] | None
    weights: str | Iterable[str | None] | None
    activations: str | Iterable[str | None] | None
    kv_cache: str | Iterable[str | None] | None
    engine: str | Iterable[str]
    draft: str | Iterable[str | None] | None
    draft_tokens: int | Iterable[int | None] | None
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
    host: str | Iterable[str | None] | None
    pad_heads: bool | Iterable[bool]
    runtime_reserve: str | float | Iterable[str | float | None] | None
    utilisation: str | float | Iterable[str | float | None] | None
    max_sequences: int | Iterable[int | None] | None
    memory: str | Iterable[str | None] | None
    height: int | Iterable[int | None] | None
    width: int | Iterable[int | None] | None
    steps: int | Iterable[int | None] | None
    guidance: float | Iterable[float | None] | None
    scheduler: str | Iterable[str | None] | None
    strength: float | Iterable[float | None] | None
    tiling: bool | str | Iterable[bool | str]
    slicing: bool | Iterable[bool]
    no_safety_checker: bool | Iterable[bool]
    price: str | float | Iterable[str | float | None] | None
    prices: str | Iterable[str | None] | None
    currency: str | Iterable[str | None] | None
    electricity: str | float | Iterable[str | float | None] | None
    lifetime: float | Iterable[float | None] | None
    load: str | float | Iterable[str | float | None] | None
    pue: float | Iterable[float | None] | None
    spec_dir: str | None


class Training(TypedDict, total=False):
    """One value per option of a training run."""

    sequence: int | None
    micro_batch: int
    global_batch: int | None
    tokens: float | None
    steps: float | None
    samples: float | None
    decoder: int | None
    recompute: str
    optimizer: str
    precision: str
    lora: int | None
    targets: str | None
    base: str | None
    ema: bool
    attention: str
    gpus: int | None
    tp: int | None
    pp: int | None
    vpp: int
    schedule: str
    cp: int | None
    ep: int | None
    dp: int | None
    zero: int | None
    fsdp: bool
    no_sequence_parallel: bool
    node: str | None
    engine: str | None
    spec_dir: str | None
    height: int | None
    width: int | None
    part: str
    judges: str
    encode: bool
    runtime_reserve: str | float | None
    memory: str | None
    price: str | float | None
    prices: str | None
    currency: str | None
    electricity: str | float | None
    lifetime: float | None
    load: str | float | None
    pue: float | None


# end


class Wishes(Grid, total=False):
    """What `recommend` is asked for, beside the options of the run."""

    rate: str | float | None
    ttft: str | float | None
    tpot: str | float | None
    total: str | float | None
    tokens_per_s: float | None
    budget: float | None
    formats: str | Iterable[str] | None
    max_gpus: int | None
    top: int | None


def with_keywords(options: type[Any], known: Mapping[str, Option] = KEYWORDS) -> Callable[[Function], Function]:
    """Let a function that takes `model, gpu=None, **options` show one keyword per option, in help and completion,
    and those of its own.
    """

    def decorate(function: Function) -> Function:
        shown = inspect.signature(function)
        given = [each for each in shown.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
        own = [each for each in given if each.kind is inspect.Parameter.KEYWORD_ONLY]
        first = [each for each in given if each not in own]
        keywords = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=kind.__forward_arg__,
                default=known[name].default if name in known else None,
            )
            for name, kind in options.__annotations__.items()
        ]
        function.__signature__ = shown.replace(parameters=[*first, *keywords, *own])  # type: ignore[attr-defined]
        told = "\n".join(f"  {option.name:<18}{option.help}" for option in known.values())
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\nOptions, as on the command line:\n\n{told}\n"
        return function

    return decorate
