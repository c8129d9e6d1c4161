"""A config as the spec of a language model, for tests of counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from roofline.importers.huggingface.read import import_config, read_config
from roofline.importers.model_file import model_text
from roofline.specs.files.document import parse_document
from roofline.specs.files.reader import validate_model
from roofline.specs.text.transformer import TransformerSpec


def spec_of(folder: Path, config: dict[str, Any], name: str = "given") -> TransformerSpec:
    """The spec of a config, which a file of that name holds."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(config))
    spec = read_config(path)
    assert isinstance(spec, TransformerSpec)
    return spec


def spec_and_back(folder: Path, config: dict[str, Any], name: str = "given") -> TransformerSpec:
    """The same; the model file that an import writes is read back, and must say the same."""
    spec = spec_of(folder, config, name)
    again = validate_model(parse_document(model_text(import_config(folder / f"{name}.json")), name))
    assert again.model_dump() == spec.model_dump()
    return spec
