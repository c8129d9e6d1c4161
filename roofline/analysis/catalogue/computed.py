"""Rows of a listing, computed from the files; each file may be of any place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from roofline.analysis.catalogue.rows import EngineRow, GPURow, ModelRow, NodeRow
from roofline.architectures.build import build_workload
from roofline.machine.machine import Machine
from roofline.runs.formats import facts_of
from roofline.specs.files.document import read_document
from roofline.specs.files.engines import TRAINERS
from roofline.specs.files.library import find
from roofline.specs.files.reader import read_gpu, read_model, read_node, validate, validate_model
from roofline.specs.gpu_memory import Memory
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.precision import Precision
from roofline.workload.run import ImageRun, TextRun

_ONE_TOKEN: Final = TextRun(1.0, 1.0, 0.0)
#: What a family is called where its name does not say it.
_KINDS: Final = {
    "transformer": "language",
    "pipeline": "image",
    "tiny_autoencoder": "autoencoder",
    "vqvae": "autoencoder",
    "deep_autoencoder": "autoencoder",
    "mmdit_controlnet": "controlnet",
    "flux_controlnet": "controlnet",
    "text_encoder": "text encoder",
    "plain_unet": "unet",
}
Row: TypeAlias = ModelRow | GPURow | NodeRow | EngineRow


def model_row(path: Path) -> ModelRow:
    """A model with its parameter counts."""
    spec: Any = read_model(path)
    if isinstance(spec, TransformerSpec):
        workload = build_workload(spec, _ONE_TOKEN)
        counts = (workload.parameters, workload.active_parameters, spec.max_context)
    else:
        from roofline.architectures.image.pipeline import image_workload

        parameters = image_workload(spec, ImageRun()).parameters
        counts = (parameters, parameters, None)
    return ModelRow(spec.name, spec.title, spec.aliases, _kind(spec), *counts)


def _kind(spec: Any) -> str:
    family = str(getattr(spec, "family", "transformer"))
    return _KINDS.get(family, family)


def gpu_row(path: Path) -> GPURow:
    """An accelerator with its main figures."""
    spec = read_gpu(path)
    machine = Machine.of(spec)
    peak = max(float(machine.tensor["bf16"]), float(machine.tensor["fp16"]))
    figures = (peak, spec.memory.bandwidth, spec.memory.capacity, _sold(spec.memory))
    return GPURow(spec.name, spec.title, spec.aliases, *figures, spec.kind, spec.vendor)


def _sold(memory: Memory) -> str:
    """The sizes in which memory is sold, as people call them."""
    if memory.unified is None:
        return memory.label or ""
    return ", ".join(f"{size / 2**30:g}" for size in memory.unified.sizes) + " GB"


def node_row(path: Path) -> NodeRow:
    """A node with its links."""
    node = read_node(path)
    inside, out = node.scale_up, node.scale_out
    links = (inside.name, inside.bandwidth, out.name if out else None, out.bandwidth if out else None)
    return NodeRow(node.name, node.title, node.aliases, node.gpu, node.count, *links)


def engine_row(path: Path) -> EngineRow:
    """An engine with what it rests on."""
    from roofline.specs.engine import EngineSpec

    spec = validate(read_document(path), EngineSpec)
    trains = path.parent == TRAINERS
    return EngineRow(spec.name, spec.title, spec.aliases, spec.fit.rows, spec.fit.median_error, spec.version, trains)


#: How the row of a file is computed, by its shelf.
ROWS: Final[dict[str, Callable[[Path], Row]]] = {
    "models": model_row,
    "hardware": gpu_row,
    "nodes": node_row,
    "engines": engine_row,
    "trainers": engine_row,
}


def mean_bits(mix: str, model: Path) -> float:
    """Bits per parameter of a model's file in a mix of formats."""
    spec: Any = read_model(model)
    workload = build_workload(spec, _ONE_TOKEN)
    return float(workload.weight_bytes(Precision.of(mix, facts=facts_of(spec)))) * 8 / workload.parameters


def part_files(path: Path) -> list[Path]:
    """The files of the parts that a pipeline names, in its order; none for what is no pipeline."""
    spec: Any = validate_model(read_document(path))
    if getattr(spec, "family", None) != "pipeline":
        return []
    parts = [
        spec.denoiser,
        spec.autoencoder,
        *(part.encoder for part in spec.text_encoders),
        spec.controlnet,
        spec.adapter,
    ]
    parts.append(spec.refiner.denoiser if spec.refiner is not None else None)
    return [find("models", part, str(path.parent)).path for part in parts if isinstance(part, str)]
