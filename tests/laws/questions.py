"""Random questions of every kind: all models and accelerators, engines, plans, offload, formats and sizes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, Final, NamedTuple

import roofline as rl
from roofline.machine.engine import engine_names
from roofline.specs.files.library import names
from roofline.specs.gpu import GPUSpec
from roofline.specs.text.transformer import TransformerSpec

SIZES: Final = ("batch", "prompt", "generate", "steps", "height", "width")
FORMATS: Final = (None, "bf16", "fp16", "fp8", "int8", "int4-g128", "nvfp4", "mxfp4", "q4_k_m", "fp32")
CACHES: Final = (None, "fp8", "fp16")
LENGTHS: Final = (1, 2, 7, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 500, 512, 513, 1000, 2048, 5000)
STEPS: Final = (0, 1, 2, 3, 16, 100, 129, 512)
BATCHES: Final = (1, 2, 3, 6, 7, 8, 13, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 256, 512)
AWAY: Final = (
    "weights=0.5",
    "weights@disk",
    "experts=0.3",
    "experts=0.5@cpu",
    "cache",
    "cache=0.5@host",
    "weights=0.2@cpu",
)
PLANS: Final[tuple[dict[str, int], ...]] = (
    {"tp": 2},
    {"tp": 4},
    {"tp": 8},
    {"pp": 2},
    {"pp": 4, "microbatches": 3},
    {"tp": 2, "pp": 2},
    {"cp": 2},
    {"tp": 2, "cp": 2},
    {"dp": 3},
    {"ep": 4},
    {"tp": 4, "ep": 4},
    {"tp": 2, "dp": 2, "ep": 4},
    {"gpus": 8},
)


class Question(NamedTuple):
    """A model on an accelerator, with options."""

    model: str
    gpu: str
    options: Mapping[str, Any]

    def on(self, **changed: Any) -> Question:
        """The same with other options."""
        return self._replace(options={**self.options, **changed})

    def ask(self, gpu: GPUSpec | None = None) -> rl.Estimate:
        """The answer, on the accelerator or on another."""
        return rl.estimate(self.model, gpu or self.gpu, **self.options)  # type: ignore[arg-type]

    @property
    def of_text(self) -> bool:
        """Whether it is of a language model or an encoder."""
        return isinstance(spec_of(self.model), TransformerSpec)

    @property
    def sizes(self) -> tuple[str, ...]:
        """The sizes that are more work."""
        return tuple(
            name for name in ("batch", "prompt", "generate", "steps", "height", "width") if name in self.options
        )


@cache
def spec_of(model: str) -> Any:
    """The spec of a model."""
    return rl.load_model(model)


def chance(random: Random) -> Question:
    """A question, one of six of a picture; some of them do not go together and are refused."""
    model = random.choice(names("models"))
    picture = not isinstance(spec_of(model), TransformerSpec)
    if picture and random.random() < 0.4:
        return chance(random)
    options = _picture(model, random) if picture else _text(random)
    if random.random() < 0.8:
        options["engine"] = random.choice(engine_names())
    if random.random() < 0.5:
        options["fusion"] = random.choice(("eager", "flash", "compiled"))
    if (weights := random.choice(FORMATS)) is not None:
        options["weights"] = weights
    return Question(model, random.choice(names("hardware")), options)


def _text(random: Random) -> dict[str, Any]:
    options: dict[str, Any] = {
        "batch": random.choice(BATCHES),
        "prompt": random.choice(LENGTHS),
        "generate": random.choice(STEPS),
    }
    if random.random() < 0.3:
        options |= random.choice(PLANS)
    if random.random() < 0.2:
        options["offload"] = random.choice(AWAY)
    if (cache_format := random.choice(CACHES)) is not None and random.random() < 0.5:
        options["kv_cache"] = cache_format
    if random.random() < 0.2:
        options["chunk"] = random.choice((64, 512, "none"))
    if random.random() < 0.1:
        options["kv_layout"] = random.choice(("paged", "ideal", "paged:64,full-windows"))
    return options


def _picture(model: str, random: Random) -> dict[str, Any]:
    spec = spec_of(model)
    options: dict[str, Any] = {"batch": random.choice((1, 2, 3, 4, 7, 8))}
    if spec.family in ("pipeline", "unet", "dit", "pixart", "mmdit", "flux", "plain_unet", "controlnet"):
        options["steps"] = random.choice((1, 2, 4, 20, 50))
    if spec.family != "text_encoder" and random.random() < 0.7:
        options["height"], options["width"] = random.choice(((256, 256), (512, 512), (512, 768), (1024, 1024)))
    if random.random() < 0.2:
        options["offload"] = random.choice(("model", "leaf", "group", "group=4@pinned"))
    if random.random() < 0.1:
        options["slicing"] = True
    return options


@cache
def gpu_of(name: str) -> GPUSpec:
    """The spec of an accelerator."""
    return rl.load_gpu(name)


def at_rates(gpu: GPUSpec, bandwidth: float = 1.0, compute: float = 1.0) -> GPUSpec:
    """An accelerator with so many times its bandwidth and its FLOP/s."""
    memory = gpu.memory.model_copy(update={"bandwidth": gpu.memory.bandwidth * bandwidth})
    units = {}
    for name in ("tensor", "vector"):
        peaks = getattr(gpu.peak, name)
        if peaks is not None:
            faster = {dtype: peak * compute for dtype, peak in peaks if peak is not None}
            units[name] = peaks.model_copy(update=faster)
    return gpu.model_copy(update={"memory": memory, "peak": gpu.peak.model_copy(update=units)})
