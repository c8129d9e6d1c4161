"""A name on any shelf."""

from __future__ import annotations

from typing import Any, Final

from roofline.analysis.catalogue.names import list_engines, list_gpus, list_models, list_nodes, list_precisions
from roofline.errors import RooflineError, UnknownNameError, UnknownVersionError
from roofline.machine.engine import IDEAL, engine_path, find_engine, read_engine
from roofline.runs.files.model_files import STORED, import_file
from roofline.runs.load import locate_gpu, locate_model
from roofline.runs.training.trainers import find_trainer
from roofline.specs.files.engines import trainer_aliases, trainer_names
from roofline.specs.files.library import Found, Shelf, find, is_node, own_engines
from roofline.specs.files.paths import expanded
from roofline.specs.formats.caches import PACKED
from roofline.specs.formats.dtypes import find_dtype

_WHAT: Final = "model, GPU, node, engine or precision"


def find_anything(name: str, spec_dir: str | None = None) -> tuple[str, Found | None, dict[str, Any]]:
    """A name on any shelf: what it is (model, gpu, node, engine or precision), its file if it has one, its values.

    A file of weights or a config.json is the model that it is imported as. Raises UnknownNameError when it is nowhere.
    """
    if name.lower().endswith((".json", *STORED)):
        return "model", None, import_file(expanded(name))
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
        return "precision", None, _dtype_values(name)
    except RooflineError:
        raise UnknownNameError(_WHAT, name, _all_names(spec_dir), "roofline list models") from None


def _dtype_values(name: str) -> dict[str, Any]:
    packed = PACKED.get(name.strip().lower())
    if packed is not None:
        values = {"name": packed.name, "bits": packed.mean_bits, "layout": packed.layout}
        return values | {"sources": list(packed.sources)}
    dtype = find_dtype(name)
    return {"name": dtype.name, "bits": dtype.bits, "compute": dtype.compute, "layout": dtype.layout}


def _all_names(spec_dir: str | None) -> list[str]:
    of_files = [*list_models(spec_dir), *list_gpus(spec_dir), *list_nodes(spec_dir)]
    return [*of_files, *list_engines(), *trainer_names(), *list_precisions()]


def _only_trains(name: str) -> bool:
    wanted = name.strip().lower()
    return wanted in trainer_names() or wanted in trainer_aliases()


def _engine(name: str, spec_dir: str | None) -> Found | None:
    """The file of an engine, if that is what the name stands for; `ideal` has none. Raises UnknownVersionError."""
    try:
        found = find_trainer(name) if _only_trains(name) else find_engine(name, spec_dir)
    except UnknownVersionError:
        raise
    except UnknownNameError:
        return None
    if found == IDEAL:
        return None
    path = engine_path(found)
    return Found(path, found, None if name.strip().lower() in (found.lower(), path.stem.lower()) else name)
