"""How each tool that quantises describes what it did: to a format, and to modules with another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, NoReturn

from roofline.errors import UnsupportedError
from roofline.importers.json_document import JsonDocument

#: Names of modelopt's algorithms.
_ALGORITHMS: Final = {
    "FP8": "fp8",
    "FP8_PER_CHANNEL_PER_TOKEN": "fp8-channel",
    "FP8_PB_WO": "fp8-b128",
    "FP8_PB_REAL": "fp8-b128",
    "NVFP4": "nvfp4",
    "W4A16_NVFP4": "nvfp4",
    "W4A8_NVFP4_FP8": "nvfp4",
    "NVFP4_AWQ": "nvfp4",
    "MXFP8": "mxfp8",
    "MXFP4": "mxfp4",
    "W4A8_MXFP4_FP8": "mxfp4",
    "W4A16_MXFP4": "mxfp4",
    "INT8": "int8",
    "W8A8_SQ_PER_CHANNEL": "int8",
    "W8A16": "int8",
    "W4A16_AWQ": "int4-s128",
    "W4A8_AWQ": "int4-s128",
    "W4A16": "int4-s128",
}
#: Bits and group size of GPTQ, AWQ and AutoRound.
_GROUPED: Final = {
    (4, 128): "int4-gptq",
    (8, 128): "int8-gptq",
    (4, 64): "int4-g64",
    (4, 32): "int4-g32",
    (4, -1): "int4",
    (8, -1): "int8",
}


class Scheme(NamedTuple):
    """A quantisation: the format of the matrices, modules left alone, modules with a format of their own."""

    dtype: str
    excluded: Iterable[str] = ()
    special: Mapping[str, str] | None = None
    cache: str | None = None
    head: bool = False


def read_scheme(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme | None:
    """What a `quantization_config` or hf_quant_config.json says; None where it names no format of weights.

    Raises UnsupportedError for a tool or a format that is not known.
    """
    method = data.get("quant_method")
    if method is None or method == "modelopt":
        return _modelopt(document, path, data)
    if str(method) not in _READERS:
        known = ", ".join(["modelopt", *_READERS])
        hint = f"Understood: {known}. Remove quantization_config to read the unquantised model."
        _refuse(document, (*path, "quant_method"), f"{str(method)[:40]!r} is not a known quantisation", hint)
    return _READERS[str(method)](document, path, data)


def _refuse(document: JsonDocument, path: tuple[str, ...], message: str, hint: str) -> NoReturn:
    raise UnsupportedError(message, document.place(path), ".".join(path), hint)


def _texts(*values: Any) -> list[str]:
    return [str(item) for value in values if isinstance(value, list) for item in value]


def _fp8(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme:
    blocks = data.get("weight_block_size")
    if blocks is not None and blocks != [128, 128]:
        _refuse(document, (*path, "weight_block_size"), f"{blocks!r} is not modelled"[:80], "Understood: [128, 128].")
    dtype = "fp8-b128" if blocks else "fp8"
    left = _texts(data.get("modules_to_not_convert"), data.get("ignored_layers"))
    if data.get("moe_quant_algo"):
        algorithm = _algorithm(document, (*path, "moe_quant_algo"), data["moe_quant_algo"])
        return Scheme(dtype, left, {"*.experts": algorithm})
    return Scheme(dtype, left)


def _mxfp4(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme:
    return Scheme("mxfp4", _texts(data.get("modules_to_not_convert")))


def _fbgemm(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme:
    return Scheme("fp8-channel", _texts(data.get("modules_to_not_convert")))


def _ternary(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme:
    return Scheme("ternary", _texts(data.get("modules_to_not_convert")))


def _modelopt(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme | None:
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
        return Scheme("", left, special, cache)
    return Scheme(_algorithm(document, (*path, "quant_algo"), algorithm), left, None, cache)


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


def _compressed(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme | None:
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
    return Scheme(main or "", _texts(data.get("ignore")), special or None, _cache(data.get("kv_cache_scheme")))


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
        hint = "Understood: 8 bit float or int, 4 bit float (groups of 16, 32), 4 bit int (32, 64, 128)."
        _refuse(document, path, f"{bits} bit {kind} in groups of {group_size} is not modelled"[:120], hint)
    return found


def _grouped(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme:
    bits, size = data.get("bits", data.get("w_bit")), data.get("group_size", data.get("q_group_size", 128))
    found = _GROUPED.get((bits, size)) if isinstance(bits, int) and isinstance(size, int) else None
    if found is None:
        hint = f"Understood: {', '.join(f'{b} bit / {g}' for b, g in _GROUPED)}."
        _refuse(document, (*path, "bits"), f"{bits} bit in groups of {size} is not modelled", hint)
    left = _texts(data.get("modules_to_not_convert"))
    return Scheme(str(found), left, head=data.get("lm_head") is True)


def _bitsandbytes(document: JsonDocument, path: tuple[str, ...], data: dict[str, Any]) -> Scheme:
    eight = data.get("load_in_8bit") or data.get("_load_in_8bit")
    left = _texts(data.get("llm_int8_skip_modules"))
    return Scheme("int8" if eight else "int4-g64", left)


_READERS: Final[dict[str, Callable[[JsonDocument, tuple[str, ...], dict[str, Any]], Scheme | None]]] = {
    "fp8": _fp8,
    "mxfp4": _mxfp4,
    "compressed-tensors": _compressed,
    "gptq": _grouped,
    "awq": _grouped,
    "auto-round": _grouped,
    "bitsandbytes": _bitsandbytes,
    "fbgemm_fp8": _fbgemm,
    "bitnet": _ternary,
}
