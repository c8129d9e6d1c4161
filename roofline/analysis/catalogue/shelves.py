"""The rows of each listing: those of the bundled files out of the index, all others computed from what they say."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar

from roofline.analysis.catalogue.index import stored
from roofline.analysis.catalogue.rows import MIXED_IN, EngineRow, GPURow, ModelRow, NodeRow, PrecisionRow, SchedulerRow
from roofline.specs.files.library import Shelf, files

Listed: TypeAlias = Shelf | Literal["trainers"]
R = TypeVar("R", ModelRow, GPURow, NodeRow, EngineRow)


def model_rows(spec_dir: str | None = None) -> Iterator[ModelRow]:
    """All models with their parameter counts."""
    return _rows("models", ModelRow, files("models", spec_dir))


def gpu_rows(spec_dir: str | None = None, only: Container[str] | None = None) -> Iterator[GPURow]:
    """All accelerators with their main figures, or those of some names: no other file is looked at."""
    paths = files("hardware", spec_dir)
    chosen = paths if only is None else {name: path for name, path in paths.items() if name in only}
    return _rows("hardware", GPURow, chosen)


def node_rows(spec_dir: str | None = None) -> Iterator[NodeRow]:
    """All nodes with their links."""
    return _rows("nodes", NodeRow, files("nodes", spec_dir))


def engine_rows() -> Iterator[EngineRow]:
    """All engines with what they rest on, the ideal one first, those that only train last."""
    from roofline.machine.engine import IDEAL, engine_names, engine_path
    from roofline.specs.files.engines import trainer_names

    yield EngineRow(IDEAL, "the roofline itself: expected is the bound", (), 0, None)
    yield from _rows("engines", EngineRow, {name: engine_path(name) for name in engine_names() if name != IDEAL})
    yield from _rows("trainers", EngineRow, {name: engine_path(name) for name in trainer_names()})


def _rows(shelf: Listed, kind: type[R], paths: dict[str, Path]) -> Iterator[R]:
    known = stored(shelf)
    for path in paths.values():
        values = known(path)
        yield kind(*values) if values is not None else _computed(shelf, path)


def _computed(shelf: Listed, path: Path) -> Any:
    from roofline.analysis.catalogue.computed import ROWS

    return ROWS[shelf](path)


def precision_rows() -> Iterator[PrecisionRow]:
    """All number formats, those of packed caches last."""
    from roofline.specs.formats.caches import PACKED
    from roofline.specs.formats.dtypes import DTYPES

    model = files("models")[MIXED_IN]
    means = dict(stored("mixes")(model) or ())
    for dtype in DTYPES.values():
        bits = means.get(dtype.name) or _mean_bits(dtype.name, model) if dtype.mix else dtype.bits
        yield PrecisionRow(dtype.name, bits, dtype.compute, dtype.layout, dtype.mix)
    for packed in PACKED.values():
        yield PrecisionRow(packed.name, packed.mean_bits, "bf16", packed.layout, False)


def _mean_bits(mix: str, model: Path) -> float:
    from roofline.analysis.catalogue.computed import mean_bits

    return mean_bits(mix, model)


def scheduler_rows() -> Iterator[SchedulerRow]:
    """All schedulers of image models."""
    from roofline.workload.schedulers import SCHEDULERS, denoiser_calls, flow_state, scheduler_aliases

    words = {"only": "flows", "either": "noise or flows", "never": "noise"}
    for name in SCHEDULERS:
        calls = denoiser_calls(name, 20.0)
        yield SchedulerRow(name, scheduler_aliases(name), int(float(calls)), words[flow_state(name)])
