"""Number formats: how many bits one element takes in memory, scales included, and which peak multiplies it.

The one place to add a precision: a row here, and a `peak` line on the hardware that accelerates it. What a file of
several formats mixes (GGUF's q4_k_m, a GPTQ checkpoint) stands in `roofline.specs.mixes`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from roofline.errors import UnknownNameError, UsageError
from roofline.specs.ggml import BY_NAME, QUANTISED
from roofline.specs.gguf_files import BASE, WIDE_ENDS


class DType(NamedTuple):
    """A number format.

    `bits` is what one element takes in memory with its share of the scales of its group. `channel_bits` is what each
    output channel of a matrix takes beside (a scale per channel), `tensor_bits` what each matrix takes. `compute` is
    the format whose peak multiplies it: a weight-only format is widened before the multiplication, so it computes in 16
    bit. `layout` says what the bits are, for people. `mix`: a file format that stores matrices in several formats;
    `bits` is then that of most of them. `rank` of a low-rank branch in 16 bit beside each matrix. `whole`: `bits` is
    the mean of all parameters of an operation as a file stores them, biases and scales included.
    """

    name: str
    bits: float
    compute: str
    layout: str
    channel_bits: float = 0.0
    tensor_bits: float = 0.0
    mix: bool = False
    rank: float = 0.0
    whole: bool = False

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
    """Formats of one matrix in a GGUF file, and of the files that are named after them."""
    return [DType(name, BY_NAME[name].bits, _HALF, f"GGUF: {layout}") for name, layout in QUANTISED.items()]


def _mixed() -> list[DType]:
    """File formats that mix several; `roofline.specs.mixes` says which matrix takes which."""
    rows = [DType(name, BY_NAME[base].bits, _HALF, _file_layout(name), mix=True) for name, base in BASE.items()]
    rows = [row for row in rows if row.name not in QUANTISED]
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


def _file_layout(name: str) -> str:
    if name in WIDE_ENDS:
        return f"GGUF file: as {WIDE_ENDS[name]}, embedding and head in q8_0"
    if name == "mxfp4_moe":
        return "GGUF file: experts in mxfp4, all other matrices in q8_0, vectors fp32"
    return f"GGUF file: mostly {BASE[name]}, some matrices wider, vectors fp32"


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


#: Files that choose a format for each tensor of each model, and the mix of llama.cpp that is nearest in size.
_DYNAMIC: Final = {
    "q2_k_xl": "q2_k",
    "q4_k_xl": "q4_k_m",
    "q5_k_xl": "q5_k_m",
    "q6_k_xl": "q6_k",
    "q8_k_xl": "q8_0",
}
_STATED: Final = re.compile(r"([a-z][a-z0-9_-]*)@(\d{1,2}(?:\.\d{1,20})?)")
_TERM: Final = re.compile(r"([a-z][a-z0-9_-]*)\*([1-9]\d{0,15})")
_MOST_TERMS: Final = 16


def _dynamic(name: str, size: str) -> str:
    near = {**_DYNAMIC, "q3_k_xl": "q3_k_m"}.get(size) or (size if size in DTYPES else "q4_k_m")
    return (
        f"--weights {name[:40]}: dynamic files choose a format for every tensor of a model, and no rule for them is "
        f"published. Give the .gguf file as the model, which says its exact bytes; the nearest plain mix is {near}"
    )


def mean_of(key: str) -> DType | None:
    """The format of an operation as a file stores it: in several, `q6_k*3+q4_k*5` of 3 and 5 parts of its elements; or
    in one, with its mean bits, `int4-gptq@4.156` with its scales and vectors. None where the text is neither.
    """
    if stated := _STATED.fullmatch(key):
        return _with_bits(key, stated[1], float(stated[2]))
    terms = [_TERM.fullmatch(term) for term in key.split("+", _MOST_TERMS)]
    if not all(terms):
        return None
    found = [(DTYPES.get(ALIASES.get(term[1], term[1])), int(term[2])) for term in terms if term is not None]
    if any(dtype is None or dtype.mix for dtype, _ in found):
        return None
    parts = sorted(((dtype, count) for dtype, count in found if dtype is not None), key=lambda part: -part[1])
    total = sum(count for _, count in parts)
    bits = sum(dtype.bits * count for dtype, count in parts) / total
    gguf = any(dtype.layout.startswith("GGUF") for dtype, _ in parts)
    layout = f"{'GGUF' if gguf else 'stored'}: {', '.join(f'{count / total:.1%} {d.name}' for d, count in parts)}"
    return DType(key, bits, parts[0][0].compute, layout, whole=True)


def _with_bits(key: str, name: str, bits: float) -> DType | None:
    dtype = DTYPES.get(ALIASES.get(name, name))
    if dtype is None or not 0.5 <= bits <= 64:
        return None
    return DType(key, bits, dtype.compute, f"stored: {dtype.name}, {bits:.4g} bits with all beside it", whole=True)


def find_dtype(name: str) -> DType:
    """The number format of that name or alias, or the mean of several (`mean_of`).

    Raises UnknownNameError with the nearest names, UsageError for files of which no rule is published.
    """
    key = name.strip().lower()
    key = ALIASES.get(key, key)
    if ("*" in key or "@" in key) and (mean := mean_of(key)):
        return mean
    if key.startswith("ud-") or key in _DYNAMIC:
        raise UsageError(_dynamic(name, key.removeprefix("ud-")))
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
    found = find_dtype(name)
    if found.mix:
        raise UsageError(f"--{option} {name}: {found.name} mixes formats of weights; it cannot hold {option}")
    cached = option == "kv-cache" and any(found.name in names for names in CACHES.values())
    if option != "weights" and found.bits < 16 and found.compute == _HALF and not cached:
        reason = f"--{option} {name}: {found.name} is a format of weights alone. Take fp8, int8 or one of 16 bits"
        known = "; ".join(f"{', '.join(names)} as {engine}" for engine, names in CACHES.items())
        raise UsageError(reason + (f", or a cache {known}" if option == "kv-cache" else ""))
    return found
