"""Number formats of a checkpoint: `dtype`, `quantization_config`, what quantisation files beside the config say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.errors import UnsupportedError
from roofline.importers.huggingface.config import Config
from roofline.importers.json_document import JsonDocument, read_json
from roofline.importers.quantization.modules import AT, layout_of
from roofline.importers.quantization.resolve import Resolved, resolve
from roofline.importers.quantization.rules import Rule, UnmatchableError
from roofline.importers.quantization.scheme import Path as Place
from roofline.importers.quantization.scheme import Scheme
from roofline.importers.quantization.schemes import read_scheme
from roofline.specs.files.paths import is_file
from roofline.specs.formats.dtypes import find_dtype, weights_alone

_FLOATS: Final = {
    "bfloat16": "bf16",
    "float16": "fp16",
    "float32": "fp32",
    "half": "fp16",
    "float": "fp32",
    "bf16": "bf16",
    "fp16": "fp16",
    "fp32": "fp32",
    "float64": "fp64",
}
#: Files beside a config.json that describe a quantisation, and the key under which they do.
_BESIDE: Final = {
    "hf_quant_config.json": "quantization",
    "quantization_config.json": "",
    "quantize_config.json": "",
    "quant_config.json": "",
}
_KEYS: Final = ("quantization", "quantization_config")


class Formats(NamedTuple):
    """The weights' format, formats of single operations, of cache and activations where these are stated, what was
    assumed, notes that are told with every estimate.
    """

    dtype: str
    overrides: dict[str, str]
    cache: str | None = None
    activations: str | None = None
    assumed: str | None = None
    notes: tuple[str, ...] = ()


def formats_of(config: Config, file: Path, body: dict[str, Any]) -> Formats:
    """The formats that a config states; groups of layers in `body` that differ in theirs are split.

    Raises UnsupportedError for a quantisation that is not known, SpecError for one that cannot be.
    """
    base, assumed = _base(config)
    found = _quantisation(config, file)
    scheme = None if found is None else read_scheme(*found)
    if scheme is None or found is None:
        strip_places(body)
        if found is not None:
            assumed = f"{'.'.join(found[1])}: names no format of the weights; {base} assumed"
        return Formats(base, {}, assumed=assumed)
    base = base if base in ("bf16", "fp16") else "bf16"
    scheme = _with_experts(config, scheme)
    resolved = _resolved(config, found, scheme, base, body)
    strip_places(body)
    body["blocks"] = resolved.blocks
    if resolved.mtp:
        body["mtp"] = {**body["mtp"], "dtypes": resolved.mtp}
    if resolved.encoder:
        body["encoder"] = resolved.encoder
    notes = (*scheme.notes, *resolved.notes)
    activations = scheme.activations
    if activations is None and base == "fp16" and scheme.dtype and weights_alone(find_dtype(scheme.dtype)):
        activations = base
    return Formats(resolved.dtype, resolved.overrides, scheme.cache, activations, assumed, notes)


def _resolved(
    config: Config, found: tuple[JsonDocument, Place, dict[str, Any]], scheme: Scheme, base: str, body: dict[str, Any]
) -> Resolved:
    model_type = str(config.data.get("model_type"))
    try:
        return resolve(scheme, base, body, layout_of(model_type, config.outer is not None), model_type)
    except UnmatchableError as error:
        document, path, _ = found
        message = f"rule {scheme.rules[error.index].shown[:60]!r}: {error.message}"
        raise UnsupportedError(message, document.place(path), ".".join(path), error.hint) from None


def strip_places(body: dict[str, Any]) -> None:
    """Take out what mapping functions say for this module alone."""
    body.pop("modules", None)
    for block in (*body.get("blocks", ()), *body.get("encoder", ())):
        block.pop(AT, None)
    if isinstance(body.get("mtp"), dict):
        body["mtp"].pop(AT, None)


def _with_experts(config: Config, scheme: Scheme) -> Scheme:
    """`expert_dtype: fp4` beside fp8 (DeepSeek V4): experts in e2m1 with an 8-bit exponent per 32."""
    value = config.data.get("expert_dtype")
    if value is None or any(rule.dtype for rule in scheme.rules) or scheme.dtype != "fp8-b128":
        return scheme
    if value not in ("fp4", "fp8"):
        config.unsupported("expert_dtype", f"{str(value)[:40]!r} is not a known format", "Understood: fp4, fp8.")
    return scheme._replace(rules=(*scheme.rules, Rule("*.experts", "name", "mxfp4"))) if value == "fp4" else scheme


def _base(config: Config) -> tuple[str, str | None]:
    for part in (config, config.outer):
        for key in ("dtype", "torch_dtype"):
            value = part.data.get(key) if part is not None else None
            if isinstance(value, str) and value != "auto":
                name = _FLOATS.get(value.removeprefix("torch."))
                if name is None and part is not None:
                    part.unsupported(key, f"{value[:40]!r} is not a known format", f"Known: {', '.join(_FLOATS)}.")
                return str(name), None
    return "bf16", "dtype: the config does not say; bf16 assumed"


def _quantisation(config: Config, file: Path) -> tuple[JsonDocument, Place, dict[str, Any]] | None:
    """The mapping that describes the quantisation and where it stands: in the config, else in a file beside it.

    MLX writes it twice, and reads `quantization`.
    """
    for part in (config, config.outer):
        found = None
        for key in _KEYS if part is not None else ():
            if part is not None and key in part.data:
                part.used.add(key)
                value = part.data[key]
                if value and not isinstance(value, dict):
                    part.refuse(key, f"must be a mapping, not {str(value)[:40]!r}")
                if value and found is None:
                    found = config.document, (*map(str, part.path), key), value
        if found is not None:
            return found
    return _in_file(file)


def _in_file(file: Path) -> tuple[JsonDocument, Place, dict[str, Any]] | None:
    for name, key in _BESIDE.items() if file.name.endswith("config.json") else ():
        beside = file.with_name(file.name.removesuffix("config.json") + name)
        if not is_file(beside) or beside == file:
            continue
        document = read_json(beside, name)
        value = document.data.get(key) if key and isinstance(document.data, dict) else document.data
        if isinstance(value, dict) and value:
            return document, (key,) if key else (), value
    return None
