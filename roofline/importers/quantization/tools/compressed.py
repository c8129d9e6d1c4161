"""compressed-tensors: groups of modules, each with the format of its weights and of its activations."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from roofline.importers.quantization.rules import Rule
from roofline.importers.quantization.scheme import (
    Description,
    Scheme,
    cache_of,
    floats,
    fp8_blocks,
    integer,
    left_alone,
    rule_of,
    with_activations,
)

_HARMLESS: Final = """
    format quantization_status global_compression_ratio version quant_library producer quant_algo kv_cache_quant_algo
    exclude_modules modules_to_not_convert quantized_by dtype
"""
_OF_WEIGHTS: Final = "dynamic observer observer_kwargs actorder zp_dtype type num_bits scale_dtype"
_CLASSES: Final = ("Linear", "torch.nn.Linear", "ColumnParallelLinear", "RowParallelLinear", "ReplicatedLinear")


class Group(NamedTuple):
    """What a group of modules takes, the format of its activations, and which modules it is."""

    dtype: str | None
    activations: str | None
    targets: list[str]


def compressed(description: Description) -> Scheme | None:
    """The group of all linear layers is the main one; names count before classes. None where no weights are named."""
    description.harmless(_HARMLESS)
    left = left_alone(description.texts("ignore", "exclude_modules"))
    groups = [found for own in description.sections("config_groups").values() if (found := _group(own)) is not None]
    cache = cache_of(description, "kv_cache_scheme")
    _check_sparsity(description)
    whole = [group for group in groups if not group.targets or any(target in _CLASSES for target in group.targets)]
    named: list[Rule] = []
    for group in groups:
        for target in group.targets:
            if target not in _CLASSES:
                named.append(_target(target, group.dtype))
    if not groups:
        return None
    main = whole[0] if whole else Group(None, groups[0].activations, [])
    return Scheme(main.dtype, (*left, *named), cache=cache, activations=main.activations, head=False)


def _target(target: str, dtype: str | None) -> Rule:
    if target == "Embedding":
        return Rule("embed", "part", dtype, forced=True, text=target)
    return rule_of(target, dtype, forced="head" in target or "embed" in target)


def _group(own: Description) -> Group | None:
    """A group; None where it names no weights (one of the cache)."""
    own.harmless("output_activations format")
    targets = own.texts("targets")
    weights, activations = own.section("weights"), own.section("input_activations")
    if weights is None:
        own.unread()
        return None
    dtype = weights_format(weights)
    own.unread()
    if activations is None:
        only = "input_activations" in own.data and dtype is not None and dtype.startswith(("fp8", "nvfp4", "mx"))
        return Group(f"{dtype}-a16" if only else dtype, None, targets)
    bits = activations.whole("num_bits", default=8, most=32)
    kind = str(activations.get("type", "int"))
    if dtype is None or bits >= 16:
        return Group(dtype, None, targets)
    if kind == "int":
        return Group(dtype, "int8" if bits == 8 else None, targets)
    if dtype.startswith("int"):
        return Group(dtype, "fp8", targets)
    return Group(with_activations(dtype, bits), None, targets)


def weights_format(weights: Description) -> str | None:
    """The format of `num_bits`, `type`, `strategy` and `group_size`; None for 16 bits."""
    weights.harmless(_OF_WEIGHTS)
    bits, kind = weights.whole("num_bits", default=8, most=32), str(weights.get("type", "int"))
    size = weights.group_size("group_size", default=None)
    strategy = weights.get("strategy", "group" if size else "channel" if kind == "int" else "tensor")
    symmetric, block = weights.flag("symmetric", True), weights.get("block_structure")
    weights.unread()
    if bits >= 16:
        return None
    if kind == "int" and bits <= 8 and strategy != "block":
        return integer(bits, size if strategy in ("group", "tensor_group") else None, "s" if symmetric else "z")
    found = _float(weights, (bits, str(strategy), size), block) if kind == "float" else None
    if not found:
        hint = "Understood: integers of up to 8 bit, 8 bit float, 4 bit float in groups of 16 or 32."
        weights.unsupported(
            "num_bits", f"{bits} bit {kind} ({strategy}) in groups of {size} is not modelled"[:120], hint
        )
    return found


def _float(weights: Description, form: tuple[int, str, int | None], block: Any) -> str | None:
    bits, strategy, size = form
    if bits == 8 and strategy == "block":
        return fp8_blocks(weights, "block_structure", [128, 128] if block is None else block)
    if bits == 8 and strategy not in ("group", "tensor_group"):
        size = None
    scales = str(weights.data.get("scale_dtype", "uint8"))
    return floats(bits, size, by_channel=strategy == "channel", exponents="uint8" in scales or "e8m0" in scales)


def _check_sparsity(description: Description) -> None:
    section = description.section("sparsity_config")
    form = None if section is None else section.get("format", "dense")
    if form not in (None, "dense"):
        hint = "Remove sparsity_config to read the weights as dense."
        description.unsupported("sparsity_config", f"weights stored as {str(form)[:40]} are not modelled", hint)
