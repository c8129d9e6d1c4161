"""What a family's function gave as the data of a model file: named, with its formats and with what is told of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.stated import taken_defaults
from roofline.importers.quantization.formats import Formats


class Origin(NamedTuple):
    """What names a model, and where its sizes come from: the file, and its model type."""

    name: str
    title: str
    source: str
    file: str
    model_type: str


def spec_data(body: dict[str, Any], config: Config, origin: Origin, formats: Formats) -> dict[str, Any]:
    """The data of a model file."""
    unverified = [*body.pop("unverified", ()), *([formats.assumed] if formats.assumed else [])]
    notes = [str(note) for note in body.pop("notes", ())]
    if config.outer is not None:
        where = ".".join(map(str, config.path)) or "the top level"
        beside = "; its towers are counted beside it." if body.get("towers") else " of a multimodal one."
        notes.append(f"Parameters, FLOPs and times are those of the text model ({where}){beside}")
    stated = {key: value for key, value in body.items() if key != "max_context" or value is not None}
    data = {"family": "transformer", "name": origin.name, "title": origin.title, "dtype": formats.dtype, **stated}
    defaults = taken_defaults(config)
    what = f"not in {origin.file}, so as the config class of {origin.model_type} has it: {defaults}"
    told = [*formats.notes, *config.notes, *(note for child in config.children for note in child.notes)]
    more = {
        "dtypes": formats.overrides,
        "cache_dtype": formats.cache,
        "activation_dtype": formats.activations,
        "sources": [origin.source],
        "assumed": [what, *told] if defaults else told,
        "unverified": unverified,
        "notes": " ".join(notes),
    }
    return data | {key: value for key, value in more.items() if value}
