"""What there is: models, GPUs, engines, precisions."""

from __future__ import annotations

from roofline.machine.engine import ENGINES
from roofline.specs.dtypes import DTYPES
from roofline.specs.library import names


def list_models(spec_dir: str | None = None) -> list[str]:
    """Names of all models, as `roofline list models` prints them."""
    return names("models", spec_dir)


def list_gpus(spec_dir: str | None = None) -> list[str]:
    """Names of all accelerators, as `roofline list gpus` prints them."""
    return names("hardware", spec_dir)


def list_engines() -> list[str]:
    """Names of all engines, as `roofline list engines` prints them."""
    return list(ENGINES)


def list_precisions() -> list[str]:
    """Names of all number formats, as `roofline list precisions` prints them."""
    return list(DTYPES)
