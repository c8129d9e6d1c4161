"""Number formats: how many bits one element takes in memory, scales included, and which peak multiplies it.

The one place to add a precision: a row here, and a `peak` line on the hardware that accelerates it. What a file of
several formats mixes (GGUF's q4_k_m, a GPTQ checkpoint) stands in `roofline.specs.mixes`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.errors import UnknownNameError


class DType(NamedTuple):
    """A number format.

    `bits` is what one element takes in memory with its share of the scales of its group. `channel_bits` is what each
    output channel of a matrix takes beside (a scale per channel), `tensor_bits` what each matrix takes. `compute` is
    the format whose peak multiplies it: a weight-only format is widened before the multiplication, so it computes in 16
    bit. `layout` says what the bits are, for people. `mix`: a file format that stores matrices in several formats;
    `bits` is then that of most of them. `rank` of a low-rank branch in 16 bit beside each matrix.
    """

    name: str
    bits: float
    compute: str
    layout: str
    channel_bits: float = 0.0
    tensor_bits: float = 0.0
    mix: bool = False
    rank: float = 0.0

    @property
    def bytes(self) -> float:
        """Bytes per element."""
        return self.bits / 8


_HALF: Final = "bf16"


def _plain() -> list[DType]:
    """Formats of one matrix, with their scales."""
    zero = "fp16 scale and fp16 zero point per"
    rows = [
        DType("fp64", 64, "fp64", "IEEE double"),
        DType("fp32", 32, "fp32", "IEEE single"),
        DType("tf32", 32, "tf32", "stored as fp32, multiplied with 10 bits of mantissa"),
        DType("fp16", 16, "fp16", "IEEE half"),
        DType("bf16", 16, "bf16", "bfloat16"),
        DType("fp8", 8, "fp8", "e4m3, one fp32 scale per tensor", tensor_bits=32),
        DType("fp8_e5m2", 8, "fp8", "e5m2, one fp32 scale per tensor", tensor_bits=32),
        DType("fp8-channel", 8, "fp8", "e4m3, one fp32 scale per channel", channel_bits=32),
        DType("fp8-b128", 8 + 32 / 128**2, "fp8", "e4m3, one fp32 scale per block of 128 x 128"),
        DType("mxfp8", 8 + 8 / 32, "fp8", "e4m3 with an 8-bit exponent per 32"),
        DType("int8", 8, "int8", "one fp16 scale per channel", channel_bits=16),
        DType("int4", 4, _HALF, "weight-only, one fp16 scale per channel", channel_bits=16),
        *(DType(f"int4-g{g}", 4 + 32 / g, _HALF, f"weight-only, {zero} {g}") for g in (128, 64, 32)),
        *(
            DType(f"int{b}-g{g}", b + 32 / g, _HALF, f"weight-only, {b} bit, {zero} {g}")
            for b in (2, 3, 5, 6, 8)
            for g in (128, 64, 32)
        ),
        *(DType(f"int4-s{g}", 4 + 16 / g, _HALF, f"weight-only, fp16 scale per {g}") for g in (128, 64, 32)),
        DType("int4-gptq", 4 + 20 / 128, _HALF, "weight-only, fp16 scale and 4-bit zero point per 128 (GPTQ, AWQ)"),
        DType("int8-gptq", 8 + 24 / 128, _HALF, "weight-only, fp16 scale and 8-bit zero point per 128 (GPTQ)"),
        DType("ternary", 2, _HALF, "-1, 0 or 1, four to a byte, one fp16 scale per tensor", tensor_bits=16),
        DType("fp4", 4, "fp4", "e2m1 without scales"),
        DType("nvfp4", 4 + 8 / 16, "fp4", "e2m1 with an fp8 scale per 16 and an fp32 scale per tensor", tensor_bits=32),
        DType("mxfp4", 4 + 8 / 32, "fp4", "e2m1 with an 8-bit exponent per 32"),
        DType("nf4-b64", 4 + 32 / 64, _HALF, "weight-only, 4 bit into a table of normal quantiles, fp32 scale per 64"),
        DType("int4-r32", 4 + 16 / 64, _HALF, "4 bit, fp16 scale per 64, and a 16-bit branch of rank 32", rank=32),
        DType(
            "nvfp4-r32",
            4 + 8 / 16,
            "fp4",
            "nvfp4 and a 16-bit branch of rank 32 beside each matrix",
            tensor_bits=32,
            rank=32,
        ),
    ]
    rows += [
        DType(f"mlx-{b}bit", b + 32 / 64, _HALF, f"MLX: {b} bit, fp16 scale and fp16 bias per 64")
        for b in (2, 3, 4, 5, 6, 8)
    ]
    return rows


def _gguf() -> list[DType]:
    """Formats of one matrix in a GGUF file. Source: block structs of ggml (ggml-common.h)."""
    return [
        DType("q4_0", 4.5, _HALF, "GGUF: 32 x 4 bit and an fp16 scale"),
        DType("q4_1", 5.0, _HALF, "GGUF: 32 x 4 bit, fp16 scale and minimum"),
        DType("q5_0", 5.5, _HALF, "GGUF: 32 x 5 bit and an fp16 scale"),
        DType("q5_1", 6.0, _HALF, "GGUF: 32 x 5 bit, fp16 scale and minimum"),
        DType("q8_0", 8.5, _HALF, "GGUF: 32 x 8 bit and an fp16 scale"),
        DType("iq4_nl", 4.5, _HALF, "GGUF: 32 x 4 bit into a table, and an fp16 scale"),
        DType("q2_k", 2.625, _HALF, "GGUF: 256-weight super-block, 84 bytes"),
        DType("q3_k", 3.4375, _HALF, "GGUF: 256-weight super-block, 110 bytes"),
        DType("q4_k", 4.5, _HALF, "GGUF: 256-weight super-block, 144 bytes"),
        DType("q5_k", 5.5, _HALF, "GGUF: 256-weight super-block, 176 bytes"),
        DType("q6_k", 6.5625, _HALF, "GGUF: 256-weight super-block, 210 bytes"),
    ]


def _mixed() -> list[DType]:
    """File formats that mix several; `roofline.specs.mixes` says which matrix takes which."""
    sizes = {("q3_k", 3.4375): "sml", ("q4_k", 4.5): "sm", ("q5_k", 5.5): "sm"}
    rows = [
        DType(f"{base}_{size}", bits, _HALF, f"GGUF file: mostly {base}, some matrices wider, vectors fp32", mix=True)
        for (base, bits), letters in sizes.items()
        for size in letters
    ]
    rest = "embedding, head and router in 16 bit"
    return [
        *rows,
        DType("awq", 4 + 20 / 128, _HALF, f"AWQ checkpoint: int4-gptq, {rest}", mix=True),
        DType("gptq-int4", 4 + 20 / 128, _HALF, f"GPTQ checkpoint: int4-gptq, {rest}", mix=True),
        DType("gptq-int8", 8 + 24 / 128, _HALF, f"GPTQ checkpoint: int8-gptq, {rest}", mix=True),
        DType("nf4", 4 + 32 / 64, _HALF, f"bitsandbytes 4 bit: nf4-b64 in linear layers, {rest}", mix=True),
        DType("bnb-int8", 8, _HALF, f"bitsandbytes 8 bit (LLM.int8): int8 in linear layers, {rest}", mix=True),
        DType("svdquant-int4", 4 + 16 / 64, _HALF, f"SVDQuant: int4-r32 in linear layers, {rest}", mix=True),
        DType("svdquant-nvfp4", 4 + 8 / 16, "fp4", f"SVDQuant: nvfp4-r32 in linear layers, {rest}", mix=True),
        DType("fp8-block", 8 + 32 / 128**2, "fp8", f"FP8 checkpoint: fp8-b128, {rest}", mix=True),
    ]


DTYPES: Final[dict[str, DType]] = {row.name: row for row in (*_plain(), *_gguf(), *_mixed())}

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


def find_dtype(name: str) -> DType:
    """The number format of that name or alias. Raises UnknownNameError with the nearest names."""
    key = name.strip().lower()
    key = ALIASES.get(key, key)
    if key not in DTYPES:
        raise UnknownNameError("precision", name, {key: key for key in DTYPES} | ALIASES, "roofline list precisions")
    return DTYPES[key]


#: Formats that nothing computes in but that engines keep caches in, and which do: scales per head and token.
#: Source: the engines' documentation (llama.cpp --cache-type-k, LMDeploy quant_policy, MLX-LM --kv-bits,
#: transformers QuantizedCache; OmniServe KV4).
CACHES: Final[dict[str, tuple[str, ...]]] = {
    "llama.cpp": ("q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"),
    "LMDeploy and OmniServe": ("int4-g128", "int8-g128"),
    "transformers": ("int2-g64", "int4-g64", "int8-g64"),
    "MLX": ("mlx-2bit", "mlx-3bit", "mlx-4bit", "mlx-5bit", "mlx-6bit", "mlx-8bit"),
}


def single_format(name: str, option: str) -> DType:
    """The format of that name for `--weights` of one op, `--activations` or `--kv-cache`.

    Raises UnknownNameError, and UsageError for a mix and for formats of weights where there are none.
    """
    from roofline.errors import UsageError

    found = find_dtype(name)
    if found.mix:
        raise UsageError(f"--{option} {name}: {found.name} mixes formats of weights; it cannot hold {option}")
    cached = option == "kv-cache" and any(found.name in names for names in CACHES.values())
    if option != "weights" and found.bits < 16 and found.compute == _HALF and not cached:
        reason = f"--{option} {name}: {found.name} is a format of weights alone. Take fp8, int8 or one of 16 bits"
        known = "; ".join(f"{', '.join(names)} as {engine}" for engine, names in CACHES.items())
        raise UsageError(reason + (f", or a cache {known}" if option == "kv-cache" else ""))
    return found
