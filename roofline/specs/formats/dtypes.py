"""Number formats: how many bits one element takes in memory, scales included, and which peak multiplies it.

The one place to add a precision: a row here, and a `peak` line on the hardware that accelerates it. What a file of
several formats mixes (GGUF's q4_k_m, a GPTQ checkpoint) stands in `roofline.specs.formats.mixes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Final

from roofline.errors import UnknownNameError, UsageError
from roofline.specs.formats.dtype import DType, grouped
from roofline.specs.formats.ggml import BY_NAME, QUANTISED
from roofline.specs.formats.gguf_files import BASE, WIDE_ENDS
from roofline.specs.formats.means import mean_of, refuse_dynamic
from roofline.specs.formats.mixes import CHECKPOINTS, Checkpoint
from roofline.specs.formats.rules import described
from roofline.specs.formats.spelling import respelled

__all__ = ["ALIASES", "DTYPES", "DType", "find_dtype", "made_by_rule", "single_format", "weights_alone"]

_HALF: Final = "bf16"


def _ruled(rule: str, name: str = "", used_by: str = "") -> DType:
    """A format that a rule describes, under a name of its own where it has one."""
    found = described(rule, {})
    assert found is not None
    return found._replace(name=name or rule, layout=found.layout + used_by)


def _plain() -> list[DType]:
    """Formats of one matrix, with their scales."""
    return [
        DType("fp64", 64, "fp64", "IEEE double"),
        DType("fp32", 32, "fp32", "IEEE single"),
        DType("tf32", 32, "tf32", "stored as fp32, multiplied with 10 bits of mantissa"),
        DType("fp16", 16, "fp16", "IEEE half"),
        DType("bf16", 16, "bf16", "bfloat16"),
        DType("fp8", 8, "fp8", "e4m3, one fp32 scale per tensor", tensor_bits=32),
        DType("fp8_e5m2", 8, "fp8", "e5m2, one fp32 scale per tensor", tensor_bits=32),
        DType("fp8-channel", 8, "fp8", "e4m3, one fp32 scale per channel", channel_bits=32),
        _ruled("fp8-b128"),
        grouped("mxfp8", 8, 8, 32, "fp8", "e4m3 with an 8-bit exponent per 32"),
        DType("int8", 8, "int8", "one fp16 scale per channel", channel_bits=16),
        _ruled("int4-channel", "int4"),
        *(_ruled(f"int{bits}-g{size}") for bits in (4, 2, 3, 5, 6, 8) for size in (128, 64, 32)),
        *(_ruled(f"int4-s{size}") for size in (128, 64, 32)),
        _ruled("int4-z128", "int4-gptq", " (GPTQ)"),
        _ruled("int4-z128", "int4-awq", " (AWQ)"),
        _ruled("int8-z128", "int8-gptq", " (GPTQ)"),
        *_bitsandbytes(),
        DType("ternary", 2, _HALF, "-1, 0 or 1, four to a byte, one fp16 scale per tensor", tensor_bits=16),
        DType("fp4", 4, "fp4", "e2m1 without scales"),
        grouped("nvfp4", 4, 8, 16, "fp4", "e2m1 with an fp8 scale per 16 and an fp32 scale per tensor")._replace(
            tensor_bits=32
        ),
        grouped("mxfp4", 4, 8, 32, "fp4", "e2m1 with an 8-bit exponent per 32")._replace(against="fp8"),
        grouped("mxfp6", 6, 8, 32, "fp8", "e2m3 or e3m2 with an 8-bit exponent per 32"),
        *_low_rank(),
        *(_ruled(f"mlx-{bits}bit-g64", f"mlx-{bits}bit") for bits in (2, 3, 4, 5, 6, 8)),
    ]


def _bitsandbytes() -> Iterator[DType]:
    """Four bits into a table of 16 values. Source: Dettmers et al. 2023 (arXiv:2305.14314), section 3."""
    for name, table in (("nf4-b64", "normal quantiles"), ("fp4-b64", "e2m1 values")):
        what = f"weight-only, 4 bit into a table of {table}"
        yield grouped(name, 4, 32, 64, _HALF, f"{what}, fp32 scale per 64")
        double = f"{what}, 8-bit scale per 64 and an fp32 scale per 256 of these"
        yield grouped(f"{name}-dq", 4, 8 + 32 / 256, 64, _HALF, double)


def _low_rank() -> Iterator[DType]:
    """Four bits, and beside each matrix two of 16 bit and `rank` columns.

    Source: Li et al. 2024, SVDQuant (arXiv:2411.05007); rank 32, 64 or 16 elements per scale and the types of scales by
    default in its engine, nunchaku-ai/nunchaku @e612300e nunchaku/models/linear.py. Scales per channel are left out.
    Activations are quantised to 4 bit as well (section 4), so that units for these multiply both.
    """
    what, rank = "and a 16-bit branch of rank", 32
    int4 = grouped("int4-r32", 4, 16, 64, "int4", f"4 bit, fp16 scale per 64, {what} {rank}")
    nvfp4 = grouped("nvfp4-r32", 4, 8, 16, "fp4", f"nvfp4 {what} {rank} beside each matrix")
    yield int4._replace(rank=rank, beside=4)
    yield nvfp4._replace(tensor_bits=32, rank=rank, beside=4)


def _gguf() -> list[DType]:
    """Formats of one matrix in a GGUF file, and of the files that are named after them."""
    return [DType(name, BY_NAME[name].bits, _HALF, f"GGUF: {layout}") for name, layout in QUANTISED.items()]


def _mixed() -> list[DType]:
    """File formats that mix several.

    `roofline.specs.formats.mixes` says which matrix takes which, and whose rule that is.
    """
    rows = [DType(name, BY_NAME[base].bits, _HALF, _file_layout(name), mix=True) for name, base in BASE.items()]
    rows = [row for row in rows if row.name not in QUANTISED]
    return [*rows, *(_checkpoint(name, plain) for name, plain in CHECKPOINTS.items())]


def _checkpoint(name: str, found: Checkpoint) -> DType:
    """A checkpoint's bits are those of the format of its blocks."""
    base = _PLAIN[found.base]
    where = " in linear layers" if found.linear else ""
    layout = f"{found.what}: {base.name}{where}, embedding, head and router in 16 bit"
    return DType(name, base.bits, found.compute or base.compute, layout, mix=True, beside=base.beside)


def _file_layout(name: str) -> str:
    if name in WIDE_ENDS:
        return f"GGUF file: as {WIDE_ENDS[name]}, embedding and head in q8_0"
    if name == "mxfp4_moe":
        return "GGUF file: experts in mxfp4, all other matrices in q8_0, vectors fp32"
    return f"GGUF file: mostly {BASE[name]}, some matrices wider, vectors fp32"


_PLAIN: Final[dict[str, DType]] = {row.name: row for row in (*_plain(), *_gguf())}
DTYPES: Final[dict[str, DType]] = _PLAIN | {row.name: row for row in _mixed()}

ALIASES: Final[dict[str, str]] = {
    "float64": "fp64",
    "double": "fp64",
    "float32": "fp32",
    "float": "fp32",
    "f32": "fp32",
    "float16": "fp16",
    "half": "fp16",
    "f16": "fp16",
    "bfloat16": "bf16",
    "fp8_e4m3": "fp8",
    "float8_e4m3fn": "fp8",
    "e4m3": "fp8",
    "e5m2": "fp8_e5m2",
    "float8_e5m2": "fp8_e5m2",
    "i8": "int8",
    "i4": "int4",
    "int4_g128": "int4-g128",
    "int4_g64": "int4-g64",
    "int4_g32": "int4-g32",
    "gptq": "gptq-int4",
    "awq-int4": "awq",
    "fp8_block": "fp8-block",
    "bnb-nf4": "nf4",
    "bitsandbytes": "nf4",
    "bnb-4bit": "nf4",
    "bnb-8bit": "bnb-int8",
    "llm.int8": "bnb-int8",
    "svdquant": "svdquant-int4",
    "svdq-int4": "svdquant-int4",
    "svdq-fp4": "svdquant-nvfp4",
    "mlx-4": "mlx-4bit",
    "mlx-8": "mlx-8bit",
    "q4_k-m": "q4_k_m",
    "q5_k-m": "q5_k_m",
}


@lru_cache(maxsize=1024)
def made_by_rule(name: str) -> DType | None:
    """The format that a name in lower case describes where no table has it; None where it describes none."""
    return mean_of(name, _single) or described(name, DTYPES)


def _single(name: str) -> DType | None:
    return DTYPES.get(ALIASES.get(name, name)) or described(name, DTYPES)


def find_dtype(name: str) -> DType:
    """The number format of that name or alias, or one that its name describes.

    Raises UnknownNameError with the nearest names, UsageError for files of which no rule is published, and for words
    that several formats answer to.
    """
    key = name.strip().lower()
    key = ALIASES.get(key, key)
    if key not in DTYPES:
        refuse_dynamic(name, key, DTYPES)
        if made := made_by_rule(key):
            return made
        meant = respelled(key, {each: each for each in DTYPES} | ALIASES)
        if meant is not None and meant != key:
            return find_dtype(meant)
        raise UnknownNameError("precision", name, {key: key for key in DTYPES} | ALIASES, "roofline list precisions")
    return DTYPES[key]


def weights_alone(dtype: DType) -> bool:
    """Whether it is a format that nothing computes in: weights are widened from it."""
    return dtype.bits < 16 and (dtype.compute == _HALF or dtype.rank > 0.0)


def single_format(name: str, option: str, kept: Collection[str] = ()) -> DType:
    """The format of that name for `--weights` of one op, `--activations` or `--kv-cache`.

    `kept` are formats of weights alone that are taken all the same. Raises UnknownNameError, and UsageError for a mix
    and for formats of weights where there are none.
    """
    found = find_dtype(name)
    if found.mix or (found.parts and option != "weights"):
        raise UsageError(f"--{option} {name}: {found.name} mixes formats of weights; it cannot hold {option}")
    if option != "weights" and weights_alone(found) and found.name not in kept:
        raise UsageError(
            f"--{option} {name}: {found.name} is a format of weights alone. Take fp8, int8 or one of 16 bits"
        )
    return found
