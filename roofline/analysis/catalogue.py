"""What there is: models, GPUs, nodes, engines, schedulers, precisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from roofline.architectures.build import build_workload
from roofline.errors import RooflineError, UnknownNameError
from roofline.machine.engine import IDEAL, engine_names, engine_path, find_engine, read_engine
from roofline.machine.machine import Machine
from roofline.runs.formats import facts_of
from roofline.runs.load import locate_gpu, locate_model
from roofline.specs.dtypes import DTYPES, find_dtype
from roofline.specs.files.library import Found, Shelf, find, is_node, names, own_engines
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun, TextRun
from roofline.workload.schedulers import SCHEDULERS, denoiser_calls, flow_state, scheduler_aliases


def list_models(spec_dir: str | None = None) -> list[str]:
    """Names of all models, as `roofline list models` prints them."""
    return names("models", spec_dir)


def list_gpus(spec_dir: str | None = None) -> list[str]:
    """Names of all accelerators, as `roofline list gpus` prints them."""
    return names("hardware", spec_dir)


def list_nodes(spec_dir: str | None = None) -> list[str]:
    """Names of all nodes, as `roofline list nodes` prints them."""
    return names("nodes", spec_dir)


def list_engines() -> list[str]:
    """Names of all engines, as `roofline list engines` prints them."""
    return engine_names()


def list_precisions() -> list[str]:
    """Names of all number formats, as `roofline list precisions` prints them."""
    return list(DTYPES)


def list_schedulers() -> list[str]:
    """Names of all schedulers of image models, as `roofline list schedulers` prints them."""
    return list(SCHEDULERS)


@dataclass(frozen=True)
class ModelRow:
    """A model in a listing: `kind` is language, image (a whole pipeline) or the part of one that it is."""

    name: str
    title: str
    aliases: tuple[str, ...]
    kind: str
    parameters: float | None
    active: float | None
    max_context: int | None


@dataclass(frozen=True)
class GPURow:
    """An accelerator in a listing: dense 16-bit peak (FLOP/s), bandwidth (B/s), capacity (B)."""

    name: str
    title: str
    aliases: tuple[str, ...]
    peak_16bit: float
    bandwidth: float
    capacity: float


@dataclass(frozen=True)
class NodeRow:
    """A node in a listing: how many of which accelerator, and its links, in B/s per direction."""

    name: str
    title: str
    aliases: tuple[str, ...]
    gpu: str
    count: int
    scale_up: str
    scale_up_bandwidth: float
    scale_out: str | None
    scale_out_bandwidth: float | None


@dataclass(frozen=True)
class EngineRow:
    """An engine in a listing: the measured runs that it was fitted to, and the median error of the fit."""

    name: str
    title: str
    aliases: tuple[str, ...]
    runs: int
    median_error: float | None


@dataclass(frozen=True)
class PrecisionRow:
    """A number format in a listing. `mix`: a file of several formats; `bits` is then their mean in MIXED_IN."""

    name: str
    bits: float
    compute: str
    layout: str
    mix: bool = False


@dataclass(frozen=True)
class SchedulerRow:
    """A scheduler in a listing: how often it calls the denoiser in 20 steps, and whether it follows flows or noise."""

    name: str
    aliases: tuple[str, ...]
    calls_of_20_steps: int
    follows: str


def scheduler_rows() -> Iterator[SchedulerRow]:
    """All schedulers of image models."""
    words = {"only": "flows", "either": "noise or flows", "never": "noise"}
    for name in SCHEDULERS:
        calls = denoiser_calls(name, 20.0)
        yield SchedulerRow(name, scheduler_aliases(name), int(float(calls)), words[flow_state(name)])


def model_rows(spec_dir: str | None = None) -> Iterator[ModelRow]:
    """All models with their parameter counts, computed."""
    for name in list_models(spec_dir):
        spec: Any = locate_model(name, spec_dir)[0]
        total = active = context = None
        if isinstance(spec, TransformerSpec):
            workload = build_workload(spec, TextRun(1.0, 1.0, 0.0))
            total, active, context = workload.parameters, workload.active_parameters, spec.max_context
        else:
            from roofline.architectures.image.pipeline import image_workload

            total = active = image_workload(spec, ImageRun()).parameters
        yield ModelRow(spec.name, spec.title, spec.aliases, _kind(spec), total, active, context)


#: What a family is called where its name does not say it.
_KINDS: Final = {
    "transformer": "language", "pipeline": "image", "tiny_autoencoder": "autoencoder", "vqvae": "autoencoder",
    "text_encoder": "text encoder", "plain_unet": "unet",
}  # fmt: skip


def _kind(spec: Any) -> str:
    family = str(getattr(spec, "family", "transformer"))
    return _KINDS.get(family, family)


def gpu_rows(spec_dir: str | None = None) -> Iterator[GPURow]:
    """All accelerators with their main figures."""
    for name in list_gpus(spec_dir):
        spec = locate_gpu(name, spec_dir)[0]
        machine = Machine.of(spec)
        peak = max(float(machine.tensor["bf16"]), float(machine.tensor["fp16"]))
        yield GPURow(spec.name, spec.title, spec.aliases, peak, spec.memory.bandwidth, spec.memory.capacity)


def node_rows(spec_dir: str | None = None) -> Iterator[NodeRow]:
    """All nodes with their links."""
    from roofline.runs.devices.resolve import locate_node

    for name in list_nodes(spec_dir):
        node = locate_node(name, spec_dir)[0]
        out = node.scale_out
        yield NodeRow(
            node.name, node.title, node.aliases, node.gpu, node.count, node.scale_up.name, node.scale_up.bandwidth,
            out.name if out else None, out.bandwidth if out else None,
        )  # fmt: skip


def engine_rows() -> Iterator[EngineRow]:
    """All engines with what they rest on, the ideal one first."""
    yield EngineRow(IDEAL, "the roofline itself: expected is the bound", (), 0, None)
    for name in engine_names():
        if name != IDEAL:
            spec = read_engine(name)
            yield EngineRow(spec.name, spec.title, spec.aliases, spec.fit.rows, spec.fit.median_error)


def precision_rows() -> Iterator[PrecisionRow]:
    """All number formats."""
    for dtype in DTYPES.values():
        bits = _mean_bits(dtype.name) if dtype.mix else dtype.bits
        yield PrecisionRow(dtype.name, bits, dtype.compute, dtype.layout, dtype.mix)


#: The model in which the mean bits of a mix are stated.
MIXED_IN: Final = "mistral-7b"


def _mean_bits(mix: str) -> float:
    """Bits per parameter of a model's file in a mix of formats."""
    spec: Any = locate_model(MIXED_IN)[0]
    workload = build_workload(spec, TextRun(1.0, 1.0, 0.0))
    return float(workload.weight_bytes(Precision.of(mix, facts=facts_of(spec)))) * 8 / workload.parameters


def find_anything(name: str, spec_dir: str | None = None) -> tuple[str, Found | None, dict[str, Any]]:
    """A name on any shelf: what it is (model, gpu, node, engine or precision), its file if it has one, its values.

    Raises UnknownNameError when it is nowhere.
    """
    shelves: tuple[tuple[Shelf, str], ...] = (("models", "model"), ("hardware", "gpu"))
    for shelf, what in () if name.strip().lower() in own_engines(spec_dir) else shelves:
        try:
            found = find(shelf, name, spec_dir)
        except UnknownNameError:
            continue
        spec = (locate_model if shelf == "models" else locate_gpu)(str(found.path), spec_dir)[0]
        return what, found, spec.model_dump(mode="json", exclude_none=True)
    if is_node(name, spec_dir):
        from roofline.runs.devices.resolve import locate_node

        return "node", find("nodes", name, spec_dir), locate_node(name, spec_dir)[0].model_dump(mode="json")
    if name.strip().lower() == IDEAL:
        return "engine", None, {"name": IDEAL, "meaning": "the expected time is the roofline bound"}
    engine = _engine(name, spec_dir)
    if engine is not None:
        return "engine", engine, read_engine(engine.name).model_dump(mode="json", exclude_none=True)
    try:
        dtype = find_dtype(name)
        return "precision", None, {"name": dtype.name, "bits": dtype.bits, "compute": dtype.compute,
                                   "layout": dtype.layout}  # fmt: skip
    except RooflineError:
        known = [*list_models(spec_dir), *list_gpus(spec_dir), *list_nodes(spec_dir), *list_engines(),
                 *list_precisions()]  # fmt: skip
        raise UnknownNameError("model, GPU, node, engine or precision", name, known, "roofline list models") from None


def _engine(name: str, spec_dir: str | None) -> Found | None:
    """The file of an engine, if that is what the name stands for; `ideal` has none."""
    try:
        found = find_engine(name, spec_dir)
    except UnknownNameError:
        return None
    if found == IDEAL:
        return None
    path = engine_path(found)
    return Found(path, found, None if name.strip().lower() in (found.lower(), path.stem.lower()) else name)
