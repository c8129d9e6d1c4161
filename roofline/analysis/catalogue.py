"""What there is: models, GPUs, engines, precisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from roofline.analysis.load import locate_gpu, locate_model
from roofline.architectures.build import build_workload
from roofline.errors import RooflineError, UnknownNameError
from roofline.machine.engine import IDEAL, engine_names, engine_path, find_engine, read_engine
from roofline.machine.machine import Machine
from roofline.specs.dtypes import DTYPES, find_dtype
from roofline.specs.library import Found, Shelf, find, is_node, names
from roofline.specs.transformer import TransformerSpec
from roofline.workload.run import ImageRun, TextRun


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


@dataclass(frozen=True)
class ModelRow:
    """A model in a listing."""

    name: str
    title: str
    aliases: tuple[str, ...]
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
class PrecisionRow:
    """A number format in a listing."""

    name: str
    bits: float
    compute: str
    layout: str


def model_rows(spec_dir: str | None = None) -> Iterator[ModelRow]:
    """All models with their parameter counts, computed."""
    for name in list_models(spec_dir):
        spec: Any = locate_model(name, spec_dir)[0]
        total = active = context = None
        if isinstance(spec, TransformerSpec):
            workload = build_workload(spec, TextRun(1.0, 1.0, 0.0))
            total, active, context = workload.parameters, workload.active_parameters, spec.max_context
        else:
            from roofline.architectures.image_pipeline import image_workload

            total = active = image_workload(spec, ImageRun()).parameters
        yield ModelRow(spec.name, spec.title, spec.aliases, total, active, context)


def gpu_rows(spec_dir: str | None = None) -> Iterator[GPURow]:
    """All accelerators with their main figures."""
    for name in list_gpus(spec_dir):
        spec = locate_gpu(name, spec_dir)[0]
        machine = Machine.of(spec)
        peak = max(float(machine.tensor["bf16"]), float(machine.tensor["fp16"]))
        yield GPURow(spec.name, spec.title, spec.aliases, peak, spec.memory.bandwidth, spec.memory.capacity)


def node_rows(spec_dir: str | None = None) -> Iterator[NodeRow]:
    """All nodes with their links."""
    from roofline.analysis.spread import locate_node

    for name in list_nodes(spec_dir):
        node = locate_node(name, spec_dir)[0]
        out = node.scale_out
        yield NodeRow(
            node.name, node.title, node.aliases, node.gpu, node.count, node.scale_up.name, node.scale_up.bandwidth,
            out.name if out else None, out.bandwidth if out else None,
        )  # fmt: skip


def precision_rows() -> Iterator[PrecisionRow]:
    """All number formats."""
    for dtype in DTYPES.values():
        yield PrecisionRow(dtype.name, dtype.bits, dtype.compute, dtype.layout)


def find_anything(name: str, spec_dir: str | None = None) -> tuple[str, Found | None, dict[str, Any]]:
    """A name on any shelf: what it is (model, gpu, engine or precision), its file if it has one, its values.

    Raises UnknownNameError when it is nowhere.
    """
    shelves: tuple[tuple[Shelf, str], ...] = (("models", "model"), ("hardware", "gpu"))
    for shelf, what in shelves:
        try:
            found = find(shelf, name, spec_dir)
        except UnknownNameError:
            continue
        spec = (locate_model if shelf == "models" else locate_gpu)(str(found.path), spec_dir)[0]
        return what, found, spec.model_dump(mode="json", exclude_none=True)
    if is_node(name, spec_dir):
        from roofline.analysis.spread import locate_node

        return "node", find("nodes", name, spec_dir), locate_node(name, spec_dir)[0].model_dump(mode="json")
    if name.strip().lower() == IDEAL:
        return "engine", None, {"name": IDEAL, "meaning": "the expected time is the roofline bound"}
    engine = _engine(name)
    if engine is not None:
        return "engine", engine, read_engine(engine.name).model_dump(mode="json", exclude_none=True)
    try:
        dtype = find_dtype(name)
        return "precision", None, {"name": dtype.name, "bits": dtype.bits, "compute": dtype.compute,
                                   "layout": dtype.layout}  # fmt: skip
    except RooflineError:
        known = [*list_models(spec_dir), *list_gpus(spec_dir), *list_nodes(spec_dir), *list_engines(),
                 *list_precisions()]  # fmt: skip
        raise UnknownNameError("model, GPU, engine or precision", name, known, "roofline list models") from None


def _engine(name: str) -> Found | None:
    """The file of an engine, if that is what the name stands for; `ideal` has none."""
    try:
        found = find_engine(name)
    except UnknownNameError:
        return None
    if found == IDEAL:
        return None
    return Found(engine_path(found), found, None if found == name.strip().lower() else name)
