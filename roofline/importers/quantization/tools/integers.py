"""GPTQ and GPTQModel, AWQ, AutoRound, HQQ, bitsandbytes, Quanto, EETQ: integers in groups."""

from __future__ import annotations

import re
from typing import Any, Final

from roofline.importers.quantization.rules import Rule
from roofline.importers.quantization.scheme import Description, Scheme, integer, left_alone, with_activations

_CALIBRATION: Final = """
    sym desc_act static_groups true_sequential damp_percent damp_auto_increment dataset tokenizer model_seqlen
    model_name_or_path model_file_base_name use_cuda_fp16 use_exllama exllama_config disable_exllama max_input_length
    cache_block_outputs batch_size pad_token_id module_name_preceding_first_block block_name_to_quantize hyb_act
    is_marlin_format meta mse act_group_aware pack_dtype checkpoint_format format quantizer backend version
    tokens failsafe offload_to_disk v2 rotation parallel_packing zero_point do_fuse modules_to_fuse fuse_max_seq_len
    use_exllama_v2 export_compatible act_order
"""
_OF_AUTOROUND: Final = """
    sym iters nsamples seqlen batch_size low_gpu_mem_usage low_cpu_mem_usage lr minmax_lr enable_quanted_input dataset
    enable_minmax_tuning autoround_version scale_dtype gradient_accumulate_steps not_use_best_mse model_free
    enable_norm_bias_tuning amp
    packing_format backend act_dynamic act_sym act_group_size act_data_type enable_adam super_sym provider
    train_bs eval_bs enable_torch_compile seed quant_nontext_module desc_act damp_percent true_sequential
    enable_alg_ext disable_opt_rtn static_kv_dtype static_attention_dtype supported_types group_size_default
"""
_OF_BITSANDBYTES: Final = """
    load_in_8bit load_in_4bit _load_in_8bit _load_in_4bit bnb_4bit_compute_dtype llm_int8_threshold
    llm_int8_enable_fp32_cpu_offload llm_int8_has_fp16_weight target_parameters
"""
_SPECIAL: Final = re.compile(r"[\\*()\[\]^$+|?{}]")


def gptq(description: Description) -> Scheme:
    """GPTQ and GPTQModel: `dynamic` maps expressions, with `-:` before those left alone, to bits and groups."""
    description.harmless(_CALIBRATION)
    main = _grouped(description)
    rules = []
    for text, own in description.sections("dynamic").items():
        skipped, pattern = text.startswith("-:"), text.removeprefix("-:").removeprefix("+:")
        dtype = None if skipped else _grouped(own, description)
        own.harmless(_CALIBRATION + " act_group_aware adapter")
        own.unread()
        rules.append(Rule(pattern, "match", dtype, text=text))
    only = _only(description)
    rules += [
        *left_alone(description.texts("modules_to_not_convert", "modules_not_to_convert", "modules_not_quantized"))
    ]
    rules += [Rule(name, "name", main) for name in only]
    if only:
        rules.append(Rule("", "linear", None))
    return Scheme(main, tuple(rules), head=description.flag("lm_head"))


def _only(description: Description) -> list[str]:
    """`modules_in_block_to_quantize`: lists of the modules that are quantised, all others being left alone."""
    key = "modules_in_block_to_quantize"
    value = description.get(key, [])
    items = (
        [item for part in value for item in (part if isinstance(part, list) else [part])]
        if isinstance(value, list)
        else None
    )
    if items is None or not all(isinstance(item, str) for item in items):
        description.refuse(key, "must be lists of names of modules")
    return items


def _grouped(description: Description, outer: Description | None = None) -> str:
    """Bits and group of GPTQ and AWQ: an fp16 scale and a zero point as wide as an element; what is absent is as
    outside.
    """
    around = outer or description
    bits = description.first("bits", "w_bit", "wbits")
    key = next((key for key in ("bits", "w_bit", "wbits") if key in description.data), "bits")
    bits = around.first("bits", "w_bit", "wbits") if bits is None else bits
    if not isinstance(bits, int) or isinstance(bits, bool) or not 2 <= bits <= 8:
        hint = "Understood: 2 to 8 bits."
        description.unsupported(key, f"{str(bits)[:40]} bit is not modelled", hint)
    sizes = ("group_size", "q_group_size")
    size = description.group_size(*sizes, default=around.group_size(*sizes, default=128) or -1)
    marlin = str(around.data.get("checkpoint_format")).endswith("marlin") or around.data.get("is_marlin_format") is True
    return integer(bits, size, "s" if marlin else "z")


def awq(description: Description) -> Scheme:
    """AWQ: groups with zero points of 4 bit; a module is left alone where a listed name is part of its own."""
    description.harmless(_CALIBRATION)
    left = description.texts("modules_to_not_convert")
    dtype = _grouped(description)
    dtype = "int4-awq" if dtype == "int4-gptq" else dtype
    return Scheme(dtype, left_alone(left, "part"), head=description.flag("lm_head"))


def autoround(description: Description) -> Scheme:
    """AutoRound: `extra_config` gives modules, by name or expression, bits and groups of their own."""
    description.harmless(_OF_AUTOROUND)
    main = _autoround_format(description, description)
    rules = []
    for text, own in description.sections("extra_config").items():
        dtype = _autoround_format(own, description)
        own.harmless(_OF_AUTOROUND + " in_blocks fixed_by_user")
        forced = "head" in text or ("embed" in text and dtype is not None)
        rules.append(Rule(text, "search" if _SPECIAL.search(text) else "name", dtype, forced, text))
        own.unread()
    rules += left_alone(description.texts("modules_to_not_convert"))
    blocks = description.get("block_name_to_quantize") or description.get("to_quant_block_names")
    notes = () if blocks is None else _blocks_named(description, blocks)
    head = description.flag("quant_lm_head") or description.flag("lm_head")
    activations = (
        "int8" if description.whole("act_bits", default=16, most=32) == 8 and main and main.startswith("int") else None
    )
    return Scheme(main, tuple(rules), head=head, activations=activations, notes=notes)


def _blocks_named(description: Description, blocks: Any) -> tuple[str, ...]:
    """The blocks that were quantised are the layers of the text model, which is all that is counted here."""
    named = blocks if isinstance(blocks, str) else ",".join(_flat(blocks))
    if any(part in named for part in ("layers", "blocks", ".h")) or not named:
        return ()
    return (f"{description.field('block_name_to_quantize')}: {named[:60]} taken to be the layers",)


def _flat(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _flat(item)]
    return [str(value)]


def _autoround_format(own: Description, outer: Description) -> str | None:
    bits = own.whole("bits", default=outer.whole("bits", default=4, most=32), most=32)
    size = own.group_size("group_size", default=outer.group_size("group_size", default=128) or -1)
    kind = str(own.get("data_type") or outer.get("data_type") or "int")
    acts = own.whole("act_bits", default=outer.whole("act_bits", default=16, most=32), most=32)
    if bits >= 16:
        return None
    if kind.startswith("int") and bits <= 8:
        packed = str(outer.data.get("packing_format", "")) != "auto_round:llm_compressor"
        return integer(bits, size, "z" if packed else "s")
    known = {("mx", 4): "mxfp4", ("mx", 6): "mxfp6", ("mx", 8): "mxfp8", ("nv", 4): "nvfp4"}
    known[("fp", 8)] = "fp8-channel" if size is None else f"fp8-s{size}"
    found = known.get((kind[:2], bits))
    if found is None:
        own.unsupported(
            "data_type", f"{kind[:40]!r} of {bits} bit is not modelled", "Understood: int, mx_fp, nv_fp, fp8."
        )
    return f"{found}-a16" if acts >= 16 else with_activations(found, int(acts))


def hqq(description: Description) -> Scheme:
    """HQQ: bits and group in `quant_config`, whole or by the names of modules in a layer; scale and zero in fp16."""
    outer = description.section("quant_config") or description
    outer.harmless("offload_meta")
    description.harmless("quant_type axis")
    rules: list[Rule] = []
    main: str | None = None
    if {"weight_quant_params", "nbits", "bits"} & set(outer.data):
        main = _hqq_format(outer)
    else:
        for name, own in outer.all_sections().items():
            rules.append(Rule(name, "name", _hqq_format(own)))
    left = description.texts("skip_modules", "modules_to_not_convert")
    return Scheme(main, (*left_alone(left), *rules))


def _hqq_format(own: Description) -> str:
    own.harmless("offload_meta")
    weights = own.section("weight_quant_params") or own
    weights.harmless(
        "optimize round_zero axis view_as_float channel_wise compute_dtype quant_zero quant_scale offload_meta"
    )
    bits = weights.whole("nbits", "bits", default=4, most=8)
    size = weights.group_size("group_size", default=-1 if "group_size" in weights.data else 64)
    scales, zeros = own.get("scale_quant_params"), own.get("zero_quant_params")
    narrow = "q" if isinstance(scales, dict) and isinstance(zeros, dict) else ""
    if bool(scales) != bool(zeros):
        own.unsupported("scale_quant_params", "scales and zero points of different formats are not modelled")
    return f"hqq-{bits}bit{narrow}" + ("" if size is None else f"-g{size}")


def bitsandbytes(description: Description) -> Scheme:
    """bitsandbytes: 8 bit with a scale per channel, or 4 bit with one per 64, which may be of 8 bit itself."""
    description.harmless(_OF_BITSANDBYTES)
    data = description.data
    eight = data.get("load_in_8bit") or data.get("_load_in_8bit")
    left = left_alone(description.texts("llm_int8_skip_modules", "modules_to_not_convert"))
    kind = description.get("bnb_4bit_quant_type", "nf4" if not eight else "fp4")
    double = description.flag("bnb_4bit_use_double_quant")
    storage = description.get("bnb_4bit_quant_storage", "uint8")
    if kind not in ("nf4", "fp4"):
        description.unsupported("bnb_4bit_quant_type", f"{str(kind)[:40]!r} is not known", "Understood: nf4, fp4.")
    if not isinstance(storage, str):
        description.refuse("bnb_4bit_quant_storage", "must be the name of a format")
    if eight:
        return Scheme("int8", left)
    return Scheme(("nf4-b64" if kind == "nf4" else "fp4-b64") + ("-dq" if double else ""), left)


def quanto(description: Description) -> Scheme:
    """Quanto: per channel, below 8 bit in groups of 128 with scale and shift."""
    description.harmless("activations")
    weights = str(description.get("weights", "int8"))
    known = {"int8": "int8", "float8": "fp8-channel", "int4": "int4-g128", "int2": "int2-g128"}
    if weights not in known:
        description.unsupported("weights", f"{str(weights)[:40]!r} is not known", f"Understood: {', '.join(known)}.")
    return Scheme(known[weights], left_alone(description.texts("modules_to_not_convert")))


def eetq(description: Description) -> Scheme:
    """EETQ: 8 bit with a scale per channel."""
    description.harmless("weights")
    return Scheme("int8", left_alone(description.texts("modules_to_not_convert")))
