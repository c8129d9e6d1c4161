"""Names of what there is, without reading a file."""

from __future__ import annotations

from roofline.specs.files.library import names


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
    from roofline.machine.engine import engine_names

    return engine_names()


def list_trainers() -> list[str]:
    """Names of all frameworks that train models, as `roofline list engines` prints them."""
    from roofline.runs.training.trainers import list_trainers as trainers

    return list(trainers())


def list_precisions() -> list[str]:
    """Names of all number formats, as `roofline list precisions` prints them."""
    from roofline.specs.formats.caches import PACKED
    from roofline.specs.formats.dtypes import DTYPES

    return [*DTYPES, *PACKED]


def list_schedulers() -> list[str]:
    """Names of all schedulers of image models, as `roofline list schedulers` prints them."""
    from roofline.workload.schedulers import SCHEDULERS

    return list(SCHEDULERS)
