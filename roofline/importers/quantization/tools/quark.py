"""AMD Quark: a format for all layers, and formats by names of layers."""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.quantization.scheme import (
    Description,
    Scheme,
    floats,
    integer,
    left_alone,
    rule_of,
    with_activations,
)

_HARMLESS: Final = """
    algo_config export quant_mode softmax_quant_spec version kv_cache_post_rope kv_cache_group quantizer_version
    pack_method weight_format min_kv_scale log_severity_level
"""
_OF_TENSORS: Final = """
    is_dynamic round_method observer_cls scale_type scale_format scale_calculation_mode ch_axis mx_element_dtype
    is_scale_quant zero_point_type scale_dtype
"""


def quark(description: Description) -> Scheme | None:
    """`global_quant_config`, `layer_quant_config`, `layer_type_quant_config`; None where no weights are quantised."""
    description.harmless(_HARMLESS)
    left = left_alone(description.texts("exclude", "exclude_layers"))
    main, activations = _config(description.section("global_quant_config"))
    cache, rules = None, []
    for name, own in description.sections("layer_quant_config").items():
        dtype, _ = _config(own)
        cache = cache or _output(own)
        if _output(own) and own.data.get("weight") is None:
            continue
        rules.append(rule_of(name, dtype, forced="head" in name))
    kinds = description.sections("layer_type_quant_config")
    for name, own in kinds.items():
        if "linear" not in name.lower():
            description.unsupported("layer_type_quant_config", f"layers of type {name[:40]!r} are not modelled")
        main, activations = _config(own)
    for own in description.sections("kv_cache_quant_config").values():
        cache = cache or _output(own)
        _config(own)
    if main is None and not any(rule.dtype for rule in rules) and cache is None:
        return None
    return Scheme(main, (*left, *rules), cache=cache, activations=activations)


def _config(own: Description | None) -> tuple[str | None, str | None]:
    """The formats of weights and of activations that a configuration gives."""
    if own is None:
        return None, None
    own.harmless("output_tensors bias target_device")
    weight, inputs = own.get("weight"), own.get("input_tensors")
    own.unread()
    dtype = None if weight is None else _tensor(own, "weight", weight)
    acts = None if inputs is None else _tensor(own, "input_tensors", inputs)
    if dtype is None:
        return None, None
    if dtype.startswith("int"):
        return dtype, "int8" if acts and acts.startswith("int8") else "fp8" if acts and acts.startswith("fp8") else None
    if acts is None:
        return (f"{dtype}-a16" if "input_tensors" in own.data else dtype), None
    bits = 4 if acts.startswith(("mxfp4", "nvfp4")) else 8 if acts.startswith("fp8") else 16
    return with_activations(dtype, bits), None


def _output(own: Description) -> str | None:
    """The format of a cache: that of the outputs of the projections of keys and values."""
    outputs = own.get("output_tensors")
    if outputs is None:
        return None
    found = _tensor(own, "output_tensors", outputs)
    return (
        None if found is None else "fp8" if found.startswith("fp8") else "int8" if found.startswith("int8") else found
    )


def _tensor(own: Description, key: str, value: Any) -> str | None:
    """The format of a tensor; of several stages, that of the narrowest, in which it is stored."""
    if isinstance(value, list):
        found = [_tensor(own, key, item) for item in value]
        narrow = [name for name in found if name and name.startswith("int4")]
        return (narrow or found or [None])[0]
    tensor = own.inside(key, value)
    tensor.harmless(_OF_TENSORS)
    name, scheme = (
        str(tensor.get("dtype", "")).lower(),
        str(tensor.get("qscheme", "per_group" if tensor.data.get("group_size") else "per_tensor")),
    )
    size = tensor.group_size("group_size", default=None) if scheme == "per_group" else None
    tensor.harmless("group_size block_size")
    zero = "s" if tensor.flag("symmetric", True) else "z"
    tensor.unread()
    if name in ("bfloat16", "float16", "float32", "none", ""):
        return None
    digits = name.removeprefix("uint").removeprefix("int")
    if name.startswith(("int", "uint")) and digits in ("2", "3", "4", "5", "6", "8"):
        return integer(int(digits), size, zero)
    return _float(tensor, name, scheme, size)


def _float(tensor: Description, name: str, scheme: str, size: int | None) -> str:
    if "e5m2" in name and scheme == "per_tensor":
        return "fp8_e5m2"
    kind = name.partition("_")[0]
    bits = 8 if name.startswith(("fp8", "float8")) else {"fp4": 4, "fp6": 6, "mx": 4}.get(kind, 0)
    default = {8: 128 if scheme == "per_group" else None}.get(bits, 32)
    exponents = str(tensor.data.get("scale_format", "")).lower() == "e8m0"
    found = floats(bits, size or default, by_channel=scheme == "per_channel", exponents=exponents)
    if found is None or (kind == "mx" and size not in (None, 32)):
        hint = "Understood: fp8, fp6, fp4 in groups of 16 or 32, int2 to int8."
        tensor.unsupported("dtype", f"{name[:40]!r} ({scheme}, groups of {size}) is not modelled", hint)
    return found
