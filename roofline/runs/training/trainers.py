"""Frameworks that train models: engines with a block `training:`, most of which run none besides.

Those that only train have a folder of their own, so that whoever asks what runs a model is not shown them.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from roofline.errors import UnknownNameError, UsageError
from roofline.machine.engine_lookup import IDEAL, engine_names, find_engine, read_engine
from roofline.specs.files.engines import trainer_aliases, trainer_names

_LISTING: Final = "roofline list engines"


def find_trainer(name: str, spec_dir: str | None = None) -> str:
    """The framework of that name or alias, or a file: one in the user's own folders comes before a bundled one.

    Raises UnknownNameError with the nearest names, or UsageError for an engine that trains nothing.
    """
    wanted = name.strip().lower()
    if wanted in trainer_names():
        return wanted
    if wanted in trainer_aliases():
        return trainer_aliases()[wanted]
    try:
        found = find_engine(name, spec_dir)
    except UnknownNameError:
        known = {each: each for each in (*list_trainers(), *trainer_aliases())}
        raise UnknownNameError("engine", name, known, _LISTING) from None
    if found != IDEAL and read_engine(found).training is None:
        raise UsageError(f"engine {name} trains nothing; these do: {', '.join(list_trainers())}")
    return found


@cache
def list_trainers() -> tuple[str, ...]:
    """Names of all frameworks that train, the ideal one first, those that run models besides last."""
    both = [name for name in engine_names() if name != IDEAL and read_engine(name).training is not None]
    return (IDEAL, *trainer_names(), *both)


def trained_on(engine: str) -> tuple[str, ...]:
    """The GPUs of the training runs that its coefficients are fitted to: none where they are of runs of a model."""
    return tuple(read_engine(engine).fit.gpus) if engine in trainer_names() else ()
