"""What makes an image model's run need less memory: where its parts wait, how its autoencoder works, its formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from roofline.machine.engine import IDEAL, read_engine
from roofline.runs.changes import BESIDE_NARROW, Change, narrower_weights
from roofline.runs.image.formats import BITSANDBYTES
from roofline.runs.image.held import has_no_host
from roofline.runs.image.options import takes_pixels
from roofline.runs.kind import Question

#: Where the parts of the model wait, least harm first.
_OFFLOADS: Final = ("", "model", "group", "leaf")
#: The part whose weights diffusers stores narrower than it multiplies them (`enable_layerwise_casting`), and in what.
_DENOISER: Final = "denoiser"
_CAST: Final = "fp8"
#: Makers of accelerators that bitsandbytes runs on, and the parts that it leaves as they are: those of convolutions.
#: Source: bitsandbytes, docs/source/installation.mdx (CUDA, ROCm, Intel XPU).
_LOADING: Final = ("nvidia", "amd", "intel")
_CONVOLUTIONAL: Final = frozenset({"autoencoder"})


def image_changes(question: Question) -> Iterator[Change]:
    """Each place where parts may wait, with pictures decoded in one piece or in tiles, at once or one at a time."""
    run, pixels = question.run, takes_pixels(question.spec)
    tilings = (False, True) if pixels and not run.tiled else (False,)
    slicings = (False, True) if pixels and not run.sliced and run.batch > 1 else (False,)
    away = question.spread.away.text() if question.spread.away is not None else ""
    offloads = (away,) if has_no_host(question.gpu) else dict.fromkeys((away, *_OFFLOADS[1:]))
    for offload, tiling, slicing in product(offloads, tilings, slicings):
        options: dict[str, Any] = {"offload": offload} if offload != away else {}
        options |= {"tiling": True} if tiling else {}
        options |= {"slicing": True} if slicing else {}
        if options:
            yield Change(", ".join(_words(options)), options)


def image_formats(question: Question) -> Iterator[Change]:
    """Narrower formats of the weights, wide to narrow, as diffusers loads them; those of other engines as they go."""
    precision, phases = question.precision, question.workload().phases
    parts = {phase.component for phase in phases if any(op.params for op in phase.ops)}
    loads = runs_pictures(question.engine) and question.gpu.vendor in _LOADING and not parts <= _CONVOLUTIONAL
    if not loads:
        yield from narrower_weights(precision, question.engine, question.machine())
        return
    if _DENOISER in parts:
        cast = f"{precision.label},{_DENOISER}={_CAST}" if len(parts) > 1 else _CAST
        yield Change(f"{_DENOISER} in {_CAST}", {"weights": cast})
    active = precision.activations_label
    kept = {"activations": active} if active != BESIDE_NARROW else {}
    yield from (Change(f"weights in {name}", {"weights": name, **kept}) for name in BITSANDBYTES)


def runs_pictures(engine: str) -> bool:
    """Whether an engine runs image models: one of the library says so in its title; those of your own may."""
    bundled = engine != IDEAL and not engine.endswith((".yaml", ".yml"))
    return not bundled or any(words in read_engine(engine).title for words in ("image models", "diffusers"))


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        yield name if value is True else f"{name} {value}"


def image_plans(question: Question, gpus: int, node: int) -> Iterator[Mapping[str, Any]]:
    """The tokens of the denoiser shared by so many devices of a node."""
    if gpus <= node:
        yield {"gpus": gpus}
