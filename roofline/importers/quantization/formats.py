"""Number formats of a checkpoint: `dtype`, `quantization_config`, hf_quant_config.json beside the config.

What a checkpoint leaves unquantised is a list of modules per layer; here it becomes a format per operation, that of
most layers, and a note where some layers differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

from roofline.importers.huggingface.config import Config
from roofline.importers.json_document import JsonDocument, read_json
from roofline.importers.quantization.modules import ATTENTION, OPERATIONS, Modules, layers_with
from roofline.importers.quantization.schemes import Scheme, read_scheme

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


class Formats(NamedTuple):
    """The weights' format, formats of single operations, the cache's format where one is stated, what was assumed,
    notes.
    """

    dtype: str
    overrides: dict[str, str]
    cache: str | None = None
    assumed: str | None = None
    notes: tuple[str, ...] = ()


def formats_of(config: Config, file: Path, body: dict[str, Any]) -> Formats:
    """The formats that a config states. Raises UnsupportedError for a quantisation that is not known."""
    base, assumed = _base(config)
    found = _quantisation(config, file)
    scheme = None if found is None else read_scheme(*found)
    if scheme is None:
        body.pop("modules", None)
        if found is not None:
            assumed = f"{'.'.join(found[1])}: names no format of the weights; {base} assumed"
        return Formats(base, {}, assumed=assumed)
    scheme = _with_experts(config, scheme)
    base = base if base in ("bf16", "fp16") else "bf16"
    main, overrides, mixed = _overrides(scheme, base, body)
    notes: tuple[str, ...] = ()
    if mixed:
        notes = (f"Where layers differ in format, that of most layers is taken: {', '.join(mixed)}.",)
    return Formats(main, overrides, scheme.cache, assumed, notes)


def _with_experts(config: Config, scheme: Scheme) -> Scheme:
    """`expert_dtype: fp4` beside fp8 (DeepSeek V4): experts in e2m1 with an 8-bit exponent per 32."""
    value = config.data.get("expert_dtype")
    if value is None or scheme.special or scheme.dtype != "fp8-b128":
        return scheme
    if value not in ("fp4", "fp8"):
        config.unsupported("expert_dtype", f"{str(value)[:40]!r} is not a known format", "Understood: fp4, fp8.")
    return scheme._replace(special={"*.experts": "mxfp4"}) if value == "fp4" else scheme


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


def _quantisation(config: Config, file: Path) -> tuple[JsonDocument, tuple[str, ...], dict[str, Any]] | None:
    """The mapping that describes the quantisation and where it stands: in the config, else in the file beside it."""
    key = "quantization_config"
    for part in (config, config.outer):
        if part is not None and key in part.data:
            part.used.add(key)
            value = part.data[key]
            if isinstance(value, dict) and value:
                return config.document, (*map(str, part.path), key), value
    if not file.name.endswith("config.json"):
        return None
    beside = file.with_name(file.name.removesuffix("config.json") + "hf_quant_config.json")
    if not beside.is_file():
        return None
    document = read_json(beside, "hf_quant_config.json")
    value = document.data.get("quantization") if isinstance(document.data, dict) else None
    return (document, ("quantization",), value) if isinstance(value, dict) else None


def _overrides(scheme: Scheme, base: str, body: dict[str, Any]) -> tuple[str, dict[str, str], list[str]]:
    """The format of most weights, operations with another, and those whose format differs between layers.

    Embedding, router and, unless the scheme says so, the head are never quantised. `modules` of the body, which is
    taken out, says where a family has other names for its operations.
    """
    own_names: dict[str, tuple[str, ...]] = body.pop("modules", {})
    blocks = body["blocks"]
    excluded, special = Modules(scheme.excluded), Modules(scheme.special or {})
    overrides, mixed = {}, []
    for operation, (parts, names) in OPERATIONS.items():
        layers = layers_with(operation, parts, blocks)
        if not layers:
            continue
        called = own_names.get(operation, names)
        own, some = special.format_of(called, layers)
        left, some_left = excluded.format_of(called, layers)
        overrides[operation] = base if left is not None else own or scheme.dtype or base
        if some or some_left:
            mixed.append(operation)
    main = scheme.dtype or overrides.get("experts") or overrides.get("up_proj") or base
    overrides = _by_role(overrides, base, main)
    head, _ = special.format_of(("lm_head",), 1)
    overrides |= {"embedding": base, "head": scheme.dtype if scheme.head else head or base}
    if any((block.get("feed_forward") or {}).get("kind") == "experts" for block in blocks):
        overrides["router"] = base
    return main, {name: dtype for name, dtype in overrides.items() if dtype != main}, mixed


def _by_role(overrides: dict[str, str], base: str, main: str) -> dict[str, str]:
    """All operations of the attention as one override, where all are left in the base format."""
    attention = [name for name in overrides if name in ATTENTION]
    if base == main or not attention or any(overrides[name] != base for name in attention):
        return overrides
    return {"attention": base, **{name: dtype for name, dtype in overrides.items() if name not in ATTENTION}}
