"""What tells one sweep from another, so that none is gone on with as if it were a different one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from roofline.analysis.grids import BLOCK, STACKED
from roofline.analysis.sweeping.plan import Plan
from roofline.analysis.sweeping.rows import label
from roofline.errors import RooflineError
from roofline.runs.load import locate_gpu, locate_model
from roofline.specs.files.paths import is_file, is_folder

#: Values that are hashed at once, and bytes of a file that are.
_AT_ONCE: Final = 10_000
_MOST: Final = 16_000_000


def fingerprint(plan: Plan, *told: object) -> str:
    """A digest of the options with all their values, of the files of models, accelerators and others that they name and
    of one worked-out point of every model; and of whatever else is told, the program's version first of all.
    """
    digest = hashlib.sha256()
    for text in _texts(plan):
        digest.update(text.encode("utf-8", "replace") + b"\0")
    digest.update(repr((BLOCK, STACKED, told)).encode("utf-8", "replace"))
    return digest.hexdigest()


def _texts(plan: Plan) -> Iterator[str]:
    for name in (*plan.names, *(name for name in plan.fixed if name not in plan.names)):
        values = plan.values(name)
        yield name
        if isinstance(values, range):
            yield repr(values)
            continue
        for start in range(0, len(values), _AT_ONCE):
            yield repr([label(value) for value in values[start : start + _AT_ONCE]])
        if len(values) <= _AT_ONCE:
            yield from (_content(name, value, plan.fixed.get("spec_dir")) for value in values)
    yield repr(plan.probe.sample)


def _content(name: str, value: Any, spec_dir: Any) -> str:
    """What a value stands for: a spec as it is read, or the bytes of the file that it names."""
    try:
        if name == "model":
            return locate_model(value, spec_dir, tags=True)[0].model_dump_json()
        if name == "gpu" and value is not None:
            return locate_gpu(value, spec_dir)[0].model_dump_json()
    except RooflineError:  # a system in the place of an accelerator; its options are refused or probed elsewhere
        return ""
    if not isinstance(value, (str, Path)):
        return ""
    path = Path(value)
    paths = sorted(path.glob("*.yaml"))[:1000] if is_folder(path) else [path] if is_file(path) else []
    return "".join(_digest(each) for each in paths)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.sha256(file.read(_MOST)).hexdigest()
    except OSError:
        return ""
