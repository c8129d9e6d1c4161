"""Formats without a tool of their own: fp8 as DeepSeek writes it, FBGEMM, mxfp4 of gpt-oss, BitNet, ExLlama, MLX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from roofline.importers.quantization.rules import Rule
from roofline.importers.quantization.scheme import Description, Scheme, cache_of, fp8_blocks, left_alone
from roofline.importers.quantization.tools.modelopt import algorithm

_OF_FP8: Final = """
    activation_scheme fmt scale_fmt is_checkpoint_fp8_serialized weight_scale_type dequantize use_deep_gemm
    quantized_by activation_scale_ub linear_class use_rms_norm rms_norm_eps online_quant quantization_mode
"""
#: What describes the experts' format once more, beside `moe_quant_algo`.
_OF_EXPERTS: Final = "config_groups ignore exclude_modules quant_algo quantized_layers producer group_size"
_OF_EXLLAMA: Final = "version calibration measurement codebook out_scales quant_date quantizer meta"
_CACHE_KEYS: Final = ("kv_cache_scheme", "kv_cache_quant_algo", "kv_cache_dtype")
_MLX_BITS: Final = (2, 3, 4, 5, 6, 8)


def fp8(description: Description) -> Scheme:
    """8-bit floats, per tensor or in blocks; `moe_quant_algo` gives the experts another format."""
    description.harmless(_OF_FP8)
    blocks = description.get("weight_block_size")
    dtype = "fp8" if blocks is None else fp8_blocks(description, "weight_block_size", blocks)
    rules = left_alone(description.texts("modules_to_not_convert", "ignored_layers"))
    if description.get("moe_quant_algo"):
        description.harmless(_OF_EXPERTS)
        rules += (Rule("*.experts", "name", algorithm(description, "moe_quant_algo")),)
    rules += (
        left_alone(description.texts("ignore", "exclude_modules")) if "moe_quant_algo" not in description.data else ()
    )
    return Scheme(dtype, rules, cache=cache_of(description, *_CACHE_KEYS), head=description.flag("lm_head"))


def fbgemm(description: Description) -> Scheme:
    """8-bit floats with a scale per output channel."""
    description.harmless(_OF_FP8)
    return Scheme("fp8-channel", left_alone(description.texts("modules_to_not_convert", "ignored_layers")))


def mxfp4(description: Description) -> Scheme:
    """gpt-oss: the experts alone, in e2m1 with an exponent per 32."""
    widened = description.flag("dequantize")
    rules = left_alone(description.texts("modules_to_not_convert"))
    return Scheme(None if widened else "mxfp4", rules, experts_only=True)


def ternary(description: Description) -> Scheme:
    """BitNet: -1, 0 or 1, four to a byte."""
    description.harmless(_OF_FP8)
    return Scheme("ternary", left_alone(description.texts("modules_to_not_convert")))


def exllama(description: Description) -> Scheme:
    """EXL2 and EXL3: mean bits of the layers, and bits of the head."""
    description.harmless(_OF_EXLLAMA)
    version = str(description.data.get("quant_method"))[-1]

    def named(key: str, default: float | None) -> str:
        value = description.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= 16:
            description.refuse(key, f"{str(value)[:40]} is not a number of bits from 1 to 16")
        return f"exl{version}-{round(value, 6):g}"

    rules = [
        Rule(name, "name", f"exl{version}-{bits:g}" if bits else None, forced=True)
        for name, bits in _stored(description)
    ]
    return Scheme(named("bits", None), tuple(rules), head=named("head_bits", 6))


def _stored(description: Description) -> Iterator[tuple[str, float | None]]:
    """`tensor_storage`: the bits of each tensor; None for one that stays as it is."""
    for name, own in description.sections("tensor_storage").items():
        bits = own.get("bits_per_weight")
        if bits is not None and (isinstance(bits, bool) or not isinstance(bits, (int, float)) or not 1 <= bits <= 16):
            own.refuse("bits_per_weight", f"{str(bits)[:40]} is not a number of bits from 1 to 16")
        yield name, None if bits is None else round(float(bits), 6)


def mlx(description: Description) -> Scheme:
    """MLX: bits, group and mode; embedding, head and routers too; entries by module, false for those left alone."""
    main = _mlx_format(description, description)
    description.used.add("quant_method")
    rules = []
    for name, value in description.data.items():
        if name in description.used:
            continue
        if isinstance(value, bool):
            description.used.add(name)
            rules.append(_by_module(name, main if value else None))
        elif isinstance(value, dict):
            description.used.add(name)
            own = description.inside(name, value)
            rules.append(_by_module(name, _mlx_format(own, description)))
            own.unread()
    return Scheme(main, tuple(rules), head=True, embedding=True, router=True)


def _by_module(name: str, dtype: str | None) -> Rule:
    """MLX calls the experts `switch_mlp`."""
    return Rule(name.replace(".switch_mlp.", ".experts."), "name", dtype, forced=True, text=name)


def _mlx_format(own: Description, outer: Description) -> str:
    mode = own.get("mode") or outer.get("mode") or "affine"
    default = {"mxfp4": (4, 32), "mxfp8": (8, 32), "nvfp4": (4, 16)}.get(str(mode), (4, 64))
    bits = own.whole("bits", default=outer.whole("bits", default=default[0], most=8), most=8)
    size = own.whole("group_size", default=outer.whole("group_size", default=default[1]))
    if mode in ("mxfp4", "mxfp8", "nvfp4"):
        if (bits, size) != default:
            own.unsupported(
                "mode", f"{mode} of {bits} bit in groups of {size} is not modelled", f"Understood: {default}."
            )
        return f"{mode}-a16"
    if mode != "affine" or bits not in _MLX_BITS:
        hint = "Understood: affine of 2, 3, 4, 5, 6, 8 bit, mxfp4, mxfp8, nvfp4."
        own.unsupported("mode" if mode != "affine" else "bits", f"{str(mode)[:40]} of {bits} bit is not modelled", hint)
    return f"mlx-{bits}bit" if size == 64 else f"mlx-{bits}bit-g{size}"
