"""What a model is called whose file has no name of its own: after its file, its folder, or what the file says.

`_name_or_path` is often that of the model from which another was made, so it comes last, and a name under which another
model is known is not taken from it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from roofline.errors import UnknownNameError, UsageError
from roofline.importers.huggingface.config import Config
from roofline.specs.files.library import find

_JUNK: Final = re.compile(r"[^A-Za-z0-9._+-]+")
#: Names of folders that say nothing about the model in them.
_EMPTY: Final = re.compile(
    r"|\W*|te?mp\w*|snapshots?|blobs|refs|main|[0-9a-f]{7,64}|\d+|configs?|models?|checkpoints?(?:-\d+)?|weights|hf|llm"
    r"|downloads?|data|files?|outputs?|results?|merged|final|latest|original|new|my_?model|root|home|test\w*|pytest\S*",
    re.IGNORECASE,
)
#: The cache of the hub keeps a model in `models--organisation--name/snapshots/revision`.
_CACHED: Final = re.compile(r"models--[^/]+--([^/]+)")


def model_name(file: Path, config: Config) -> str:
    """A name for the model: from `X_config.json` or `X.json`, else its folder, else the name that the file says."""
    stem = clean_name(file.stem.removesuffix("config").removesuffix("params").rstrip("_-."))
    if stem:
        return stem
    folder = file.parent.resolve()
    cached = _CACHED.fullmatch(folder.parent.parent.name) if folder.parent.name == "snapshots" else None
    own = clean_name(cached[1] if cached else folder.name)
    if own and not _EMPTY.fullmatch(own):
        return own
    said = clean_name(str((config.outer or config).data.get("_name_or_path") or "").rstrip("/").rsplit("/", 1)[-1])
    return said if said and not _EMPTY.fullmatch(said) and not _is_known(said) else own or "model"


def clean_name(name: str | None) -> str:
    """A name with only what names of specs may hold; empty where nothing is left."""
    return _JUNK.sub("-", name or "").strip("-._+")[:100]


def _is_known(name: str) -> bool:
    """Whether a name is that of another model."""
    try:
        find("models", name)
    except UnknownNameError:
        return False
    except UsageError:
        pass
    return True
