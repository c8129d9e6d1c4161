"""Number formats of a checkpoint: `dtype`, `quantization_config`, hf_quant_config.json beside the config.

What a checkpoint leaves unquantised is a list of modules per layer; here it becomes a format per operation, that of
most layers, and a note where some layers differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from roofline.errors import UnsupportedError
from roofline.importers.config import Config
from roofline.importers.json_document import JsonDocument, read_json
from roofline.importers.modules import ATTENTION, OPERATIONS, Modules, layers_with

_FLOATS: Final = {
    "bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "half": "fp16", "float": "fp32", "bf16": "bf16",
    "fp16": "fp16", "fp32": "fp32", "float64": "fp64",
}  # fmt: skip
#: Names of modelopt's algorithms.
_ALGORITHMS: Final = {
    "FP8": "fp8", "FP8_PER_CHANNEL_PER_TOKEN": "fp8-channel", "FP8_PB_WO": "fp8-b128", "FP8_PB_REAL": "fp8-b128",
    "NVFP4": "nvfp4", "W4A16_NVFP4": "nvfp4", "W4A8_NVFP4_FP8": "nvfp4", "NVFP4_AWQ": "nvfp4", "MXFP8": "mxfp8",
    "MXFP4": "mxfp4", "W4A8_MXFP4_FP8": "mxfp4", "W4A16_MXFP4": "mxfp4", "INT8": "int8", "W8A8_SQ_PER_CHANNEL": "int8",
    "W8A16": "int8", "W4A16_AWQ": "int4-s128", "W4A8_AWQ": "int4-s128", "W4A16": "int4-s128",
}  # fmt: skip
_GROUPED: Final = {(4, 128): "int4-gptq", (8, 128): "int8-gptq", (4, 64): "int4-g64", (4, 32): "int4-g32",
                   (4, -1): "int4", (8, -1): "int8"}  # fmt: skip


class Formats(NamedTuple):
    """The weights' format, formats of single operations, the cache's format where one is stated, what was assumed,
    notes.
    """

    dtype: str
    overrides: dict[str, str]
    cache: str | None = None
    assumed: str | None = None
    notes: tuple[str, ...] = ()


class _Scheme(NamedTuple):
    """A quantisation: the format of the matrices, modules left alone, modules with a format of their own."""

    dtype: str
    excluded: Iterable[str] = ()
    special: Mapping[str, str] | None = None
    cache: str | None = None
    head: bool = False


def formats_of(config: Config, file: Path, body: dict[str, Any]) -> Formats:
    """The formats that a config states. Raises UnsupportedError for a quantisation that is not known."""
    base, assumed = _base(config)
    found = _quantisation(config, file)
    scheme = None if found is None else _scheme(*found)
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


def _with_experts(config: Config, scheme: _Scheme) -> _Scheme:
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


def _scheme(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme | None:
    method = data.get("quant_method")
    if method is None or method == "modelopt":
        return _modelopt(document, path, data)
    readers: dict[str, Callable[[JsonDocument, tuple[str, ...], dict[str, Any]], _Scheme | None]] = {
        "fp8": _fp8, "mxfp4": _mxfp4, "compressed-tensors": _compressed, "gptq": _grouped, "awq": _grouped,
        "auto-round": _grouped, "bitsandbytes": _bitsandbytes, "fbgemm_fp8": _fbgemm, "bitnet": _ternary,
    }  # fmt: skip
    if str(method) not in readers:
        known = ", ".join(["modelopt", *readers])
        _refuse(document, (*path, "quant_method"), f"{str(method)[:40]!r} is not a known quantisation",
                f"Understood: {known}. Remove quantization_config to read the unquantised model.")  # fmt: skip
    return readers[str(method)](document, path, data)


def _refuse(document: JsonDocument, path: tuple[str, ...], message: str, hint: str) -> NoReturn:
    raise UnsupportedError(message, document.place(path), ".".join(path), hint)


def _texts(*values: Any) -> list[str]:
    return [str(item) for value in values if isinstance(value, list) for item in value]


def _fp8(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme:
    blocks = data.get("weight_block_size")
    if blocks is not None and blocks != [128, 128]:
        _refuse(document, (*path, "weight_block_size"), f"{blocks!r} is not modelled"[:80], "Understood: [128, 128].")
    dtype = "fp8-b128" if blocks else "fp8"
    left = _texts(data.get("modules_to_not_convert"), data.get("ignored_layers"))
    if data.get("moe_quant_algo"):
        algorithm = _algorithm(document, (*path, "moe_quant_algo"), data["moe_quant_algo"])
        return _Scheme(dtype, left, {"*.experts": algorithm})
    return _Scheme(dtype, left)


def _mxfp4(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme:
    return _Scheme("mxfp4", _texts(data.get("modules_to_not_convert")))


def _fbgemm(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme:
    return _Scheme("fp8-channel", _texts(data.get("modules_to_not_convert")))


def _ternary(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme:
    return _Scheme("ternary", _texts(data.get("modules_to_not_convert")))


def _modelopt(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme | None:
    left = _texts(data.get("exclude_modules"), data.get("ignore"))
    cache = _cache(data.get("kv_cache_quant_algo") or data.get("kv_cache_scheme"))
    algorithm = data.get("quant_algo")
    if algorithm is None:
        groups = data.get("config_groups")
        return _compressed(document, path, data) if groups else None
    if algorithm == "MIXED_PRECISION":
        layers = data.get("quantized_layers")
        special = {
            name: _algorithm(document, (*path, "quantized_layers", name), how.get("quant_algo"))
            for name, how in (layers.items() if isinstance(layers, dict) else ())
            if isinstance(how, dict)
        }
        return _Scheme("", left, special, cache)
    return _Scheme(_algorithm(document, (*path, "quant_algo"), algorithm), left, None, cache)


def _algorithm(document: JsonDocument, path: tuple[str, ...], name: Any) -> str:
    if name not in _ALGORITHMS:
        known = ", ".join(_ALGORITHMS)
        _refuse(document, path, f"{str(name)[:40]!r} is not a known algorithm", f"Understood: {known}.")
    return _ALGORITHMS[name]


def _cache(value: Any) -> str | None:
    if isinstance(value, str):
        return {"FP8": "fp8", "fp8": "fp8", "NVFP4": "nvfp4", "INT8": "int8"}.get(value)
    if isinstance(value, dict) and value.get("num_bits") == 8:
        return "fp8" if value.get("type") == "float" else "int8"
    return None


def _compressed(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme | None:
    """Groups of modules, each with a format; the group of all linear layers is the main one."""
    groups = data.get("config_groups")
    main: str | None = None
    special: dict[str, str] = {}
    for group in groups.values() if isinstance(groups, dict) else ():
        weights = group.get("weights") if isinstance(group, dict) else None
        if not isinstance(weights, dict):
            continue
        dtype = _compressed_format(document, (*path, "config_groups"), weights)
        targets = _texts(group.get("targets"))
        if main is None and (not targets or "Linear" in targets):
            main = dtype
        else:
            special |= dict.fromkeys(targets, dtype)
    if main is None and not special:
        return None
    return _Scheme(main or "", _texts(data.get("ignore")), special or None, _cache(data.get("kv_cache_scheme")))


def _compressed_format(document: JsonDocument, path: tuple[str, ...], weights: dict[str, Any]) -> str:
    bits, kind = weights.get("num_bits"), weights.get("type", "int")
    group_size, strategy = weights.get("group_size"), weights.get("strategy")
    zero = "s" if weights.get("symmetric", True) else "g"
    known: dict[tuple[Any, Any], str] = {
        ("float", 8): {"channel": "fp8-channel", "block": "fp8-b128"}.get(str(strategy), "fp8"),
        ("int", 8): "int8",
        ("float", 4): {16: "nvfp4", 32: "mxfp4"}.get(group_size if isinstance(group_size, int) else 0, ""),
        ("int", 4): f"int4-{zero}{group_size}" if group_size in (32, 64, 128) else "" if group_size else "int4",
    }
    found = known.get((kind, bits)) if isinstance(kind, str) and isinstance(bits, int) else None
    if not found:
        _refuse(document, path, f"{bits} bit {kind} in groups of {group_size} is not modelled"[:120],
                "Understood: 8 bit float or int, 4 bit float (groups of 16, 32), 4 bit int (32, 64, 128).")  # fmt: skip
    return found


def _grouped(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme:
    bits, size = data.get("bits", data.get("w_bit")), data.get("group_size", data.get("q_group_size", 128))
    found = _GROUPED.get((bits, size)) if isinstance(bits, int) and isinstance(size, int) else None
    if found is None:
        _refuse(document, (*path, "bits"), f"{bits} bit in groups of {size} is not modelled",
                f"Understood: {', '.join(f'{b} bit / {g}' for b, g in _GROUPED)}.")  # fmt: skip
    left = _texts(data.get("modules_to_not_convert"))
    return _Scheme(str(found), left, head=data.get("lm_head") is True)


def _bitsandbytes(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> _Scheme:
    eight = data.get("load_in_8bit") or data.get("_load_in_8bit")
    left = _texts(data.get("llm_int8_skip_modules"))
    return _Scheme("int8" if eight else "int4-g64", left)


def _overrides(scheme: _Scheme, base: str, body: dict[str, Any]) -> tuple[str, dict[str, str], list[str]]:
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
