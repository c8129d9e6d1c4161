"""In which format each part of an image model runs: as asked for all parts or for one, or as the model has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from roofline.errors import UsageError, did_you_mean
from roofline.specs.formats.dtypes import find_dtype
from roofline.specs.image.parts import ImageSpec
from roofline.specs.image.pipeline import PipelineSpec
from roofline.workload.precision import Precision
from roofline.workload.storage.products import Ways
from roofline.workload.workload import Workload

#: What diffusers calls the parts of a pipeline, and shorter names.
_CALLED: Final = {"transformer": "denoiser", "unet": "denoiser", "vae": "autoencoder"}
_TEXTS: Final = "text_encoders"
_SIXTEEN: Final = 16.0
#: Formats of bitsandbytes, wide to narrow, which leave alone what a model keeps in fp32.
BITSANDBYTES: Final = ("bnb-int8", "nf4")
#: How names of its formats begin, as options and as files say them.
_KEPT: Final = (*BITSANDBYTES, "fp4-b")


def read_formats(given: Mapping[str, Any], own: str, made: Callable[[], Workload]) -> Precision:
    """The formats that `--weights` and `--activations` ask for: `[FORMAT][,PART=FORMAT …][,OP=FORMAT …]`.

    PART is a part of the pipeline (`denoiser`, or as diffusers says `transformer` and `unet`; `text_encoder`,
    `text_encoder_2`, all `text_encoders`; `autoencoder` or `vae`; `controlnet`, `refiner`), OP an op or a role. Raises
    UsageError for a name that is none of these. `made` gives the workload, where its parts must be known.
    """
    weights, active = str(given.get("weights") or own), str(given.get("activations") or "")
    if "=" not in weights + active:
        return Precision.of(weights, active or None)
    workload = made()
    components = tuple(dict.fromkeys(phase.component for phase in workload.phases if phase.component != "noise"))
    weights, of_parts = _split("weights", weights, components, own)
    active, active_parts = _split("activations", active, components, "")
    base = Precision.of(weights, active or None)
    _check_ops(base, workload, components)
    parts = {}
    for name in dict.fromkeys((*of_parts, *active_parts)):
        stored = of_parts.get(name, weights)
        alone = Precision.of(stored)
        beside = base.activations.name if alone.weights.bits < 16 or active or name not in of_parts else None
        asked = Ways(asked=bool(active_parts.get(name) or active))  # what stands beside narrow weights was not
        parts[name] = replace(Precision.of(stored, active_parts.get(name) or beside), ways=asked)
    return base.with_parts(parts) if parts else base


def stated_formats(spec: ImageSpec) -> str:
    """The formats that parts of a pipeline are stored in below 16 bits, as `--weights` takes them; empty for none."""
    narrow = {name: part.dtype for name, part in parts_of(spec).items() if find_dtype(part.dtype).bits < _SIXTEEN}
    return "".join(f",{name}={dtype}" for name, dtype in narrow.items())


def parts_of(spec: ImageSpec) -> dict[str, ImageSpec]:
    """The parts of a pipeline by the names of their components; none of another model."""
    if not isinstance(spec, PipelineSpec):
        return {}
    refiner = spec.refiner.denoiser if spec.refiner is not None else None
    named: dict[str, object] = {"denoiser": spec.denoiser, "autoencoder": spec.autoencoder}
    named |= {"controlnet": spec.controlnet, "adapter": spec.adapter, "refiner": refiner}
    for index, part in enumerate(spec.text_encoders):
        named[f"text_encoder_{index + 1}" if index else "text_encoder"] = part.encoder
    return {name: part for name, part in named.items() if isinstance(part, ImageSpec)}


def _split(option: str, text: str, components: tuple[str, ...], default: str) -> tuple[str, dict[str, str]]:
    """An option's text without its parts, and the format of each part."""
    parts: dict[str, str] = {}
    rest = []
    for item in text.split(","):
        name, equals, value = (piece.strip() for piece in item.partition("="))
        named = _CALLED.get(name, name)
        meant = [part for part in components if part == named or (named == _TEXTS and part.startswith("text_encoder"))]
        if equals and meant and value:
            parts.update(dict.fromkeys(meant, value))
        elif equals and option == "activations":
            raise UsageError(f"--{option} {text[:60]}: {name!r} is no part of this model; {_known(components)}")
        else:
            rest.append(item.strip())
    if rest and "=" in rest[0]:
        rest.insert(0, default)
    return ",".join(rest) or default, parts


def _known(components: Iterable[str]) -> str:
    return f"its parts: {', '.join(components)}"


def _check_ops(base: Precision, workload: Workload, components: tuple[str, ...]) -> None:
    """Raises UsageError where a format is given to what is neither a part nor an op with parameters."""
    if not base.overrides:
        return
    unmatched = base.unmatched(op for phase in workload.phases for op in phase.ops if op.params)
    if unmatched:
        hint = did_you_mean(unmatched[0], [*components, *_CALLED, _TEXTS])
        raise UsageError(
            f"--weights: {unmatched[0]!r} is no part of this model, and no op or role in it; {_known(components)} "
            f"(also transformer, unet, vae, {_TEXTS}); roles: attention, feed_forward, norm. {hint}".rstrip()
        )


def phase_precision(spec: ImageSpec, precision: Precision, component: str) -> Precision:
    """The format in which one part of a pipeline runs.

    What is stored in fp32 is multiplied in TF32 where the GPU has it: PyTorch's default for convolutions, and at worst
    too fast for the matrix products beside them.
    """
    asked = precision.parts.get(component)
    precision = asked or precision
    stored, active = precision.weights.name, precision.activations.name
    upcast = isinstance(spec, PipelineSpec) and spec.upcast_autoencoder and component == "autoencoder" and asked is None
    if stored == active == "fp32" or (upcast and active == "fp16"):
        return _plain("tf32")
    keeps = isinstance(spec, PipelineSpec) and component.startswith("text_encoder") and spec.keep_fp32
    if keeps and (stored.startswith(_KEPT) or stored == active == "fp16"):
        return _kept_wide(precision, keeps[0])
    return precision


@lru_cache(maxsize=256)
def _kept_wide(precision: Precision, op: str) -> Precision:
    plain = Precision.of(precision.weights.name, precision.activations.name, overrides={op: "fp32"})
    return replace(plain, ways=precision.ways)


@lru_cache(maxsize=256)
def _plain(label: str) -> Precision:
    return Precision.of(label)


def format_words(precision: Precision) -> str:
    """The format of a phase in words: `fp32, multiplied in tf32`, `fp16 with wo in fp32`."""
    name = precision.activations.name
    if name == "tf32":
        return "fp32, multiplied in tf32"
    if precision.overrides:
        stored = name if precision.weights.name == name else f"{precision.weights.name}, activations {name},"
        return f"{stored} with " + ", ".join(f"{op} in {dtype.name}" for op, dtype in precision.overrides.items())
    return f"weights {precision.label}, activations {name}"
