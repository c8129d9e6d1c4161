"""A file to a spec: the right model for its `family:` or `kind:`, and errors that point into the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError

from roofline.errors import SpecError, did_you_mean, nearest
from roofline.specs.base import Spec
from roofline.specs.files.document import Document, read_document
from roofline.specs.gpu import GPUSpec
from roofline.specs.text.kinds import transformer_class
from roofline.specs.text.transformer import TransformerSpec

if TYPE_CHECKING:
    from roofline.specs.node import NodeSpec


def _transformer() -> type[Spec]:
    return TransformerSpec


def _lazy(module: str, name: str) -> Callable[[], type[Spec]]:
    def load() -> type[Spec]:
        found: type[Spec] = getattr(import_module(f"roofline.specs.image.{module}"), name)
        return found

    return load


#: Model families; values are functions so that a family's models are built only when a file names it.
MODEL_FAMILIES: Final[dict[str, Callable[[], type[Spec]]]] = {
    "transformer": _transformer,
    "pipeline": _lazy("pipeline", "PipelineSpec"),
    "unet": _lazy("parts", "UNetSpec"),
    "controlnet": _lazy("parts", "ControlNetSpec"),
    "autoencoder": _lazy("parts", "AutoencoderSpec"),
    "tiny_autoencoder": _lazy("parts", "TinyAutoencoderSpec"),
    "text_encoder": _lazy("text_encoder", "TextEncoderSpec"),
    "dit": _lazy("transformers", "DiTSpec"),
    "pixart": _lazy("transformers", "PixArtSpec"),
    "mmdit": _lazy("transformers", "MMDiTSpec"),
    "flux": _lazy("transformers", "FluxSpec"),
    "mmdit_controlnet": _lazy("transformers", "MMDiTControlSpec"),
    "flux_controlnet": _lazy("transformers", "FluxControlSpec"),
    "deep_autoencoder": _lazy("codecs", "DeepAutoencoderSpec"),
    "adapter": _lazy("codecs", "AdapterSpec"),
    "plain_unet": _lazy("plain", "PlainUNetSpec"),
    "vqvae": _lazy("plain", "VQVAESpec"),
}
S = TypeVar("S", bound=Spec)
_QUOTED: Final = re.compile("'([^']+)'")
GPU_KINDS: Final = ("gpu", "tpu", "npu", "soc", "cpu")

_MESSAGES: Final = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "float_type": "must be a number",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
}


def read_model(path: Path) -> Spec:
    """Read a model spec. Raises SpecError with file, line and column."""
    spec = validate_model(read_document(path))
    if getattr(spec, "family", None) == "pipeline":
        from roofline.specs.files.pipeline_parts import resolve_parts

        return resolve_parts(spec, path, read_part)  # type: ignore[arg-type]
    return spec


def read_part(path: Path) -> Spec:
    """Read a model spec as part of another: what it names itself stays a name. Raises SpecError with its place."""
    return validate_model(read_document(path))


def validate_model(document: Document) -> Spec:
    """The spec of a model from a document of any family. Raises SpecError with file, line and column."""
    model = _class_of(document, "family", MODEL_FAMILIES)
    return validate(document, transformer_class(document.data) if model is TransformerSpec else model)


def read_gpu(path: Path) -> GPUSpec:
    """Read an accelerator spec. Raises SpecError with file, line and column."""
    document = read_document(path)
    _class_of(document, "kind", dict.fromkeys(GPU_KINDS, lambda: GPUSpec))
    return validate(document, GPUSpec)


def read_node(path: Path) -> NodeSpec:
    """Read a node spec. Raises SpecError with file, line and column."""
    from roofline.specs.node import NodeSpec

    document = read_document(path)
    _class_of(document, "kind", {"node": lambda: NodeSpec})
    return validate(document, NodeSpec)


def _class_of(document: Document, key: str, known: dict[str, Callable[[], type[Spec]]]) -> type[Spec]:
    data = document.data
    if not isinstance(data, dict):
        raise SpecError("must be a mapping of keys to values", document.place(()))
    value = data.get(key)
    if not isinstance(value, str) or value not in known:
        close = nearest(str(value), known, 1) or list(known)
        shown = "is missing" if key not in data else f"is {str(value)[:40]!r}"
        raise SpecError(shown, document.place((key,)), key, f"One of: {', '.join(known)}. Nearest: {close[0]}.")
    return known[value]()


def validate(document: Document, model: type[S]) -> S:
    """Validate a document against a model. Raises SpecError for the first thing that is wrong."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise _spec_error(document, error) from None


def _spec_error(document: Document, error: ValidationError) -> SpecError:
    problems = error.errors(include_url=False)
    first = min(problems, key=lambda problem: _line(document, problem))
    path = _data_path(document.data, first["loc"])
    context: dict[str, Any] = first.get("ctx", {})
    kind, message, hint = first["type"], first["msg"], context.get("hint", "")
    if kind == "unknown_key":
        path = (*path, context["key"])
        message = "unknown key"
    elif kind == "missing":
        message = f"{first['loc'][-1]!r} is missing"
    elif kind in _MESSAGES:
        message = f"{_MESSAGES[kind]}, not {_shown(first['input'])}"
    elif kind == "literal_error":
        message = f"{_shown(first['input'])} is not one of {context['expected']}"
        hint = did_you_mean(str(first["input"]), _QUOTED.findall(context["expected"]))
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        tags = context.get("expected_tags", "the known kinds")
        message = f"'kind' must be one of {tags}"
        if "tag" in context:
            path = (*path, "kind")
            message = f"{_shown(context['tag'])} is not one of {tags}"
            hint = did_you_mean(str(context["tag"]), _QUOTED.findall(tags))
    more = len(problems) - 1
    if more:
        hint = f"{hint} ({more} more {'problem' if more == 1 else 'problems'} in this file.)".strip()
    return SpecError(message, document.place(path), ".".join(str(part) for part in path), hint)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _line(document: Document, problem: Any) -> tuple[int, int]:
    path = _data_path(document.data, problem["loc"])
    if problem["type"] == "unknown_key":
        path = (*path, problem["ctx"]["key"])
    return document.places.get(path, document.places.get(path[:-1], (1, 1)))


def _data_path(data: Any, location: tuple[Any, ...]) -> tuple[Any, ...]:
    """The part of a pydantic location that is a path in the data: union tags and missing keys fall away."""
    path: list[Any] = []
    for part in location:
        if _holds(data, part):
            data = data[part]
            path.append(part)
    return tuple(path)


def _holds(data: Any, part: Any) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and part < len(data)
