"""JSON Schema of the spec files, for editors and other programs."""

from __future__ import annotations

from typing import Any, Final

from roofline.errors import UsageError
from roofline.specs.base import Spec
from roofline.specs.files.reader import MODEL_FAMILIES
from roofline.specs.gpu import GPUSpec
from roofline.specs.text.kinds import transformer_class
from roofline.specs.text.transformer import TransformerSpec

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_of(what: str) -> dict[str, Any]:
    """The JSON Schema of a `model`, `gpu`, `node` or `engine` file. Raises UsageError for what has no file format."""
    if what == "engine":
        from roofline.specs.engine import EngineSpec

        return {"$schema": _DIALECT, **EngineSpec.model_json_schema()}
    if what == "node":
        from roofline.specs.node import NodeSpec

        return {"$schema": _DIALECT, **NodeSpec.model_json_schema()}
    if what == "gpu":
        return {"$schema": _DIALECT, **GPUSpec.model_json_schema()}
    if what == "model":
        families = [_complete(family()) for family in MODEL_FAMILIES.values()]
        schemas = [family.model_json_schema(ref_template="#/$defs/{model}") for family in families]
        definitions: dict[str, Any] = {}
        for schema in schemas:
            definitions |= schema.pop("$defs", {})
        body = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
        return {"$schema": _DIALECT, **body, "$defs": definitions}
    raise UsageError(f"{what} has no file format")


def _complete(family: type[Spec]) -> type[Spec]:
    """The family with every kind of attention, not those alone that one file uses."""
    return transformer_class() if family is TransformerSpec else family
