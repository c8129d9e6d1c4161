"""Number formats by rule: any bits in groups of any size.

    int3-g64, int3-s64, int3-z64   3 bit per element, and per 64 an fp16 scale: with an fp16 zero point, without one,
                                   with one of 3 bit
    int3-channel, int3-z-channel   the same for each output channel
    mlx-3bit-g32                   MLX's 3 bit in groups of 32
    fp8-s64, fp8-b64, fp8-b64x32   e4m3 with an fp16 scale per 64, an fp32 scale per block of 64 x 64, of 64 x 32
    hqq-3bit-g64                   HQQ's packing: 10 of 3 bit in 4 bytes, 5 to 7 bit in a byte each
    exl2-4.65, exl3-3.5            ExLlama's mean bits per weight
    fp8-a16, nvfp4-a8, mxfp4-a4    multiplied with activations of so many bits: a16 is weight-only, a8 multiplies in fp8
                                   (int8-a8 in int8), a4 in fp4

Source: the file formats of GPTQModel, compressed-tensors, MLX, HQQ and ExLlama.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from roofline.specs.formats.dtype import DType, grouped

_HALF: Final = "bf16"
_LARGEST_GROUP: Final = 1 << 20
_ZERO: Final = {"g": "and fp16 zero point", "s": "", "z": "and {bits}-bit zero point"}


def _zero_bits(kind: str, bits: int) -> float:
    return {"g": 32.0, "s": 16.0, "z": 16.0 + bits}[kind]


def _integers(match: re.Match[str]) -> DType | None:
    bits, kind, size = int(match[1]), match[2], int(match[3])
    layout = f"weight-only, {bits} bit, fp16 scale {_ZERO[kind].format(bits=bits)} per {size}".replace("  ", " ")
    return grouped(match[0], bits, _zero_bits(kind, bits), size, _HALF, layout) if _fits(size) else None


def _channels(match: re.Match[str]) -> DType:
    bits, kind = int(match[1]), match[2] or "s"
    layout = f"weight-only, {bits} bit, fp16 scale {_ZERO[kind].format(bits=bits)} per channel".replace("  ", " ")
    return DType(match[0], bits, _HALF, layout, channel_bits=_zero_bits(kind, bits))


def _mlx(match: re.Match[str]) -> DType | None:
    bits, size = int(match[1]), int(match[2])
    layout = f"MLX: {bits} bit, fp16 scale and fp16 bias per {size}"
    return grouped(match[0], bits, 32, size, _HALF, layout) if _fits(size) else None


def _narrow_groups(match: re.Match[str]) -> DType | None:
    size = int(match[1])
    return grouped(match[0], 8, 16, size, "fp8", f"e4m3, one fp16 scale per {size}") if _fits(size) else None


def _blocks(match: re.Match[str]) -> DType | None:
    inputs, outputs = int(match[1]), int(match[2] or match[1])
    if not (_fits(inputs) and _fits(outputs)):
        return None
    layout = f"e4m3, one fp32 scale per block of {inputs} x {outputs}"
    block = (inputs, outputs)
    return DType(match[0], 8 + 32 / (inputs * outputs), "fp8", layout, block=block, block_bits=32)


def _hqq(match: re.Match[str]) -> DType | None:
    """Source: HQQ, hqq/core/quantize.py, `bit_to_packing`; `q`: scales and zero points of 8 bit in groups of 128."""
    bits, quantised, size = int(match[1]), match[2], match[3]
    packed = {3: 32 / 10, 5: 8, 6: 8, 7: 8}.get(bits, bits)
    scales = 2 * (8 + 32 / 128) if quantised else 32.0
    what = f"HQQ: {bits} bit, {'8-bit' if quantised else 'fp16'} scale and zero point per"
    if size is None:
        return DType(match[0], packed, _HALF, f"{what} channel", channel_bits=scales)
    return grouped(match[0], packed, scales, int(size), _HALF, f"{what} {size}") if _fits(int(size)) else None


def _exllama(match: re.Match[str]) -> DType | None:
    """EXL2's bits count its scales; EXL3 has an fp16 vector over inputs and one over outputs beside them."""
    version, bits = match[1], float(match[2])
    if not 1 <= bits <= 16:
        return None
    vectors = 16.0 if version == "3" else 0.0
    beside = ", fp16 vectors over inputs and outputs" if vectors else ", scales included"
    layout = f"EXL{version}: {match[2]} bit per weight on average{beside}"
    return DType(match[0], bits, _HALF, layout, channel_bits=vectors, row_bits=vectors)


def _weight_only(match: re.Match[str], table: Mapping[str, DType]) -> DType | None:
    base = table.get(match[1]) or _simple(match[1])
    if base is None or base.mix or base.parts or base.compute not in ("fp8", "fp4", "int8") or base.bits >= 16:
        return None
    beside = int(match[2])
    if beside < 8 and base.compute != "fp4":
        return None
    compute = {16: _HALF, 8: "int8" if base.compute == "int8" else "fp8", 4: "fp4"}[beside]
    layout = f"{base.layout}, multiplied in {beside} bit"
    return base._replace(name=match[0], compute=compute, layout=layout, beside=beside, against="")


_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], DType | None]], ...]] = (
    (re.compile(r"int([1-8])-([gsz])([1-9]\d{0,6})"), _integers),
    (re.compile(r"int([1-8])(?:-([gsz]))?-channel"), _channels),
    (re.compile(r"mlx-([1-8])bit-g([1-9]\d{0,6})"), _mlx),
    (re.compile(r"fp8-s([1-9]\d{0,6})"), _narrow_groups),
    (re.compile(r"fp8-b([1-9]\d{0,6})(?:x([1-9]\d{0,6}))?"), _blocks),
    (re.compile(r"hqq-([1-8])bit(q)?(?:-g([1-9]\d{0,6}))?"), _hqq),
    (re.compile(r"exl([23])-(\d{1,2}(?:\.\d{1,6})?)"), _exllama),
)
_WEIGHT_ONLY: Final = re.compile(r"([a-z0-9_-]{1,40})-a(4|8|16)")


def _fits(size: int) -> bool:
    return 1 <= size <= _LARGEST_GROUP


def _simple(name: str) -> DType | None:
    for pattern, make in _RULES:
        if match := pattern.fullmatch(name):
            return make(match)
    return None


def described(name: str, table: Mapping[str, DType]) -> DType | None:
    """The format that a name describes; None where it describes none. `table` has those with names of their own."""
    match = _WEIGHT_ONLY.fullmatch(name)
    return _weight_only(match, table) if match else _simple(name)
