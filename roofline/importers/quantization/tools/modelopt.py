"""ModelOpt: an algorithm for all layers, or one for each of the listed ones."""

from __future__ import annotations

from typing import Final

from roofline.importers.quantization.rules import Rule
from roofline.importers.quantization.scheme import Description, Scheme, cache_of, integer, left_alone, rule_of
from roofline.importers.quantization.tools.compressed import compressed

#: Names of modelopt's algorithms; those of integers take the group of the file, 128 without one.
ALGORITHMS: Final = {
    "FP8": "fp8",
    "FP8_PER_CHANNEL_PER_TOKEN": "fp8-channel",
    "FP8_PB_WO": "fp8-b128",
    "FP8_PB_REAL": "fp8-b128",
    "NVFP4": "nvfp4",
    "W4A16_NVFP4": "nvfp4-a16",
    "W4A8_NVFP4_FP8": "nvfp4-a8",
    "NVFP4_AWQ": "nvfp4",
    "NVFP4_SVDQUANT": "",
    "MXFP8": "mxfp8",
    "MXFP4": "mxfp4-a4",
    "W4A8_MXFP4_FP8": "mxfp4-a8",
    "W4A16_MXFP4": "mxfp4-a16",
    "INT8": "int8",
    "W8A8_SQ_PER_CHANNEL": "int8",
    "INT8_SQ": "int8",
    "W8A16": "int8",
    "W4A16_AWQ": "int4",
    "W4A8_AWQ": "int4",
    "W4A16": "int4",
    "INT4_AWQ": "int4",
}
#: Formats of activations beside integers.
_ACTIVATIONS: Final = {"W8A8_SQ_PER_CHANNEL": "int8", "INT8_SQ": "int8", "INT8": None, "W4A8_AWQ": "fp8"}
_HARMLESS: Final = """
    quant_method producer quant_library version has_zero_point pre_quant_scale smoothquant_val weight_dtype
    input_dtype quantized_by dtype
"""


def modelopt(description: Description) -> Scheme | None:
    """ModelOpt's `quantization_config`, or its hf_quant_config.json; None where it names no format of weights."""
    inner = description.section("quantization")
    description.harmless(_HARMLESS)
    if inner is not None:
        return modelopt(inner)
    left = left_alone(description.texts("exclude_modules", "ignore", "modules_to_not_convert"))
    name = description.get("quant_algo")
    if name is None:
        return compressed(description) if description.data.get("config_groups") else None
    description.harmless("config_groups")
    cache = cache_of(description, "kv_cache_quant_algo", "kv_cache_scheme")
    if name != "MIXED_PRECISION":
        description.harmless("quantized_layers")
        return Scheme(algorithm(description, "quant_algo"), left, cache=cache, activations=_ACTIVATIONS.get(name))
    rules: list[Rule] = []
    known: dict[str, str] = {}
    for module, own in description.sections("quantized_layers").items():
        if (shown := repr(own.data)) not in known:
            own.harmless(_HARMLESS)
            known[shown] = algorithm(own, "quant_algo")
            own.unread()
        rules.append(rule_of(module, known[shown], forced=True))
    description.harmless("group_size awq_block_size")
    return Scheme(None, (*left, *rules), cache=cache)


def algorithm(description: Description, key: str) -> str:
    """The format of an algorithm. Raises UnsupportedError for one that is not known."""
    name = description.get(key)
    found = ALGORITHMS.get(name) if isinstance(name, str) else None
    if not found:
        known = ", ".join(name for name, dtype in ALGORITHMS.items() if dtype)
        description.unsupported(key, f"{str(name)[:40]!r} is not a known algorithm", f"Understood: {known}.")
    size = description.group_size("group_size", "awq_block_size", "block_size", default=None)
    if found == "int4":
        zero = "z" if description.get("has_zero_point") is True else "s"
        return integer(4, size or 128, zero)
    given = {"nvfp4": 16, "mxfp": 32}.get(found[:5] if found.startswith("nvfp4") else found[:4])
    if given and size not in (None, given):
        description.unsupported("group_size", f"{name} in groups of {size} is not modelled", f"Understood: {given}.")
    return found
