"""torchao: the name of a configuration and its fields, for all linear layers or by module."""

from __future__ import annotations

import re
from typing import Any, Final

from roofline.importers.quantization.rules import Rule
from roofline.importers.quantization.scheme import Description, Scheme, integer, left_alone

_HARMLESS: Final = """
    quant_type_kwargs inner_k_tiles layout set_inductor_config version use_hqq zero_point_domain mapping_type
    preserve_zero act_mapping_type weight_mapping_type int4_packing_format int4_choose_qparams_algorithm _version _type
    activation_dtype activation_value_lb activation_value_ub packing_format kernel_preference mm_config
    weight_zero_point_domain quantize_ weight_only_decode int4_packing_type intx_packing_format
    intx_choose_qparams_algorithm gemm_kernel_choice emulate use_triton_kernel use_dynamic_per_tensor_scale
    nvfp4_quantize_kernel_choice scaling_mode scale_dtype
"""


def torchao(description: Description) -> Scheme:
    """`quant_type`: a name with `quant_type_kwargs`, or mappings of `_type` and `_data`."""
    value = description.get("quant_type")
    rules = left_alone(description.texts("modules_to_not_convert"))
    ends = description.flag("include_input_output_embeddings")
    description.harmless("untie_embedding_weights quant_type_kwargs")
    if isinstance(value, str):
        kwargs = description.section("quant_type_kwargs") or Description(description.document, description.path, {})
        main, activations = _format(kwargs, value)
        return Scheme(main, rules, head=ends, embedding=ends, activations=activations)
    if not isinstance(value, dict):
        description.refuse("quant_type", "must be the name of a configuration or a mapping")
    outer = description.inside("quant_type", value)
    return _mapped(outer.inside("default", outer.get("default", value)), rules, ends)


def _mapped(own: Description, rules: tuple[Rule, ...], ends: bool) -> Scheme:
    name, data = str(own.get("_type", "")), own.section("_data") or own
    main: str | None = None
    activations: str | None = None
    if "FqnToConfig" not in name and name != "AOPerModuleConfig":
        main, activations = _format(data, name)
        return Scheme(main, rules, head=ends, embedding=ends, activations=activations)
    named: list[Rule] = []
    key = "module_fqn_to_config" if "module_fqn_to_config" in data.data else "fqn_to_config"
    modules = data.inside(key, data.get(key, {}))
    for module, value in modules.data.items():
        dtype, acts = _of_module(modules, module, value)
        if module == "_default":
            main, activations = dtype, acts
        elif module.startswith("re:"):
            named.append(Rule(module[3:], "match", dtype, True, module))
        else:
            named.append(Rule(module.removesuffix(".weight"), "name", dtype, True, module))
    return Scheme(main, (*rules, *named), head=ends, embedding=ends, activations=activations)


def _of_module(modules: Description, module: str, value: Any) -> tuple[str | None, str | None]:
    if value is None:
        return None, None
    own = modules.inside(module, value)
    return _format(own.section("_data") or own, str(own.get("_type", "")))


def _format(data: Description, name: str) -> tuple[str, str | None]:
    """The formats of weights and of activations."""
    data.harmless(_HARMLESS)
    plain = re.sub(r"config$|[_ ]", "", name.lower())
    size = data.group_size("group_size", default=None)
    size = _granularity(data) if size is None else size
    narrow = "mxfp4-a4" if "float4" in str(data.data.get("weight_dtype", "")) else "mxfp8"
    rows = "fp8-channel" if "perrow" in str(data.get("granularity", "")).lower() else "fp8"
    bits = _bits(data)
    known: dict[str, tuple[str, str | None]] = {
        "int4weightonly": (integer(4, size or 128, "g"), None),
        "awq": (integer(4, size or 128, "g"), None),
        "int8weightonly": (integer(8, size, "s"), None),
        "int8dynamicactivationint8weight": (integer(8, size, "s"), "int8"),
        "int8dynamicactivationint4weight": (integer(4, size or 32, "s"), "int8"),
        "int8dynamicactivationintxweight": (integer(bits, size or 32, "s"), "int8"),
        "intxweightonly": (integer(bits, size, "s"), None),
        "uintxweightonly": (integer(bits, size or 64, "g"), None),
        "gemliteuintxweightonly": (integer(bits, size or 128, "g"), None),
        "float8dynamicactivationint4weight": (integer(4, size or 128, "s"), "fp8"),
        "float8weightonly": ("fp8-channel-a16", None),
        "float8dynamicactivationfloat8weight": (rows, None),
        "float8staticactivationfloat8weight": (rows, None),
        "mxfpinference": (narrow, None),
        "mxdynamicactivationmxweight": (narrow, None),
        "nvfp4inference": ("nvfp4", None),
        "nvfp4dynamicactivationnvfp4weight": ("nvfp4", None),
        "nvfp4weightonly": ("nvfp4-a16", None),
    }
    if plain not in known:
        hint = f"Understood: {', '.join(known)}."
        data.unsupported("_type", f"{name[:60]!r} is not a known configuration of torchao", hint)
    data.unread()
    return known[plain]


def _bits(data: Description) -> int:
    """`weight_dtype: int4`, in any of its spellings, or `bit_width`."""
    value = data.get("weight_dtype", data.get("dtype"))
    found = re.search(r"int(\d)", str(value))
    return int(found[1]) if found else int(data.whole("bit_width", default=4, most=8))


def _granularity(data: Description) -> int | None:
    """The group of `weight_granularity: {_type: PerGroup, _data: {group_size: 32}}`."""
    for key in ("weight_granularity", "granularity"):
        value = data.get(key)
        inner = value.get("_data") if isinstance(value, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("group_size"), int) and inner["group_size"] > 0:
            return int(inner["group_size"])
    return None
