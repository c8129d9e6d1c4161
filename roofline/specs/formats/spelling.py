"""Number formats as people and other programs write them: `torch.float16`, `q4km`, `4.0bpw`; and words that several
formats answer to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from roofline.errors import UsageError

#: What other programs call one format of ours.
CALLED: Final[dict[str, str]] = {
    "single": "fp32",
    "full": "fp32",
    "float8": "fp8",
    "f8": "fp8",
    "float8-e4m3": "fp8",
    "fp8-e4m3fn": "fp8",
    "load-in-4bit": "nf4",
    "load-in-8bit": "bnb-int8",
    "bitsandbytes-4bit": "nf4",
    "bitsandbytes-8bit": "bnb-int8",
    "gptq-4bit": "gptq-int4",
    "gptq-8bit": "gptq-int8",
    "gptq-marlin": "gptq-int4",
    "awq-4bit": "awq",
    "awq-marlin": "awq",
    "q6": "q6_k",
    "q8": "q8_0",
    "w4a16": "int4-g128",
    "w8a16": "int8",
}
_FOUR: Final = "nf4 (bitsandbytes), awq, gptq, q4_k_m (llama.cpp, Ollama), mlx-4bit or int4-g128"
_EIGHT: Final = "fp8, int8, bnb-int8 (bitsandbytes), q8_0 (llama.cpp, Ollama) or mlx-8bit"
#: Words that several formats answer to, and what is said of them.
_SEVERAL: Final[dict[str, str]] = {
    **dict.fromkeys(("4", "4bit", "4bits", "w4", "int4bit"), f"4 bits are {_FOUR}"),
    **dict.fromkeys(("8", "8bit", "8bits", "w8", "int8bit"), f"8 bits are {_EIGHT}"),
    **dict.fromkeys(("16", "16bit", "16bits"), "16 bits are bf16 or fp16"),
    **dict.fromkeys(("32", "32bit", "32bits"), "32 bits are fp32"),
    **dict.fromkeys(("q4", "q4k"), "of 4 bits files of llama.cpp have q4_k_m, q4_k_s or q4_0"),
    **dict.fromkeys(("q5", "q5k"), "of 5 bits files of llama.cpp have q5_k_m, q5_k_s or q5_0"),
    **dict.fromkeys(("q3", "q3k"), "of 3 bits files of llama.cpp have q3_k_m, q3_k_s or q3_k_l"),
    **{
        f"{bits}bit": f"{bits} bits are q{bits}_k (llama.cpp, Ollama), mlx-{bits}bit or int{bits}-g64"
        for bits in (2, 3, 5, 6)
    },
    "gguf": "a file of llama.cpp has one of q4_k_m, q5_k_m, q6_k, q8_0 and more",
    "bnb": "bitsandbytes has nf4 (4 bit) or bnb-int8 (8 bit)",
    "mlx": "MLX has mlx-4bit, mlx-8bit and more",
    "hqq": "HQQ has bits and groups: hqq-4bit-g64",
    **dict.fromkeys(("exl2", "exllama"), "ExLlama's files have bits per weight: exl2-4.65"),
    "exl3": "ExLlama's files have bits per weight: exl3-3.5",
    **dict.fromkeys(("marlin", "compressedtensors"), "weights are packed so in several: int4-g128 or fp8"),
    **dict.fromkeys(("auto", "default", "none"), "leave the option out for the model's own"),
    **dict.fromkeys(
        ("w8a8", "smoothquant"),
        "weights and activations are two options: --weights int8 --activations int8, or fp8 for both",
    ),
    "w4a8": "weights and activations are two options: --weights int4-g128 --activations int8",
    "mixed": "a mixed run keeps weights in bf16 or fp16",
}
_OWNER: Final = r"^(?:torch|jnp|np|numpy|tf|mx|ml-?dtypes)\."
_MEAN: Final = r"(exl[23])[-_ ]?(\d{1,2}(?:\.\d{1,6})?)[-_ ]?(?:bpw)?"


def respelled(name: str, known: Mapping[str, str]) -> str | None:
    """The format that is meant by a name in lower case, among `known` names and what they stand for; None where none.

    Raises UsageError for a word that several formats answer to.
    """
    plain = re.sub(_OWNER, "", name[:100].strip())
    squeezed = _squeezed(plain)
    found = {target for each, target in known.items() if _squeezed(each) == squeezed}
    if len(found) == 1:
        return found.pop()
    called = next((target for each, target in CALLED.items() if _squeezed(each) == squeezed), None)
    if called is not None:
        return called
    if told := _SEVERAL.get(squeezed):
        raise UsageError(f"precision {name[:60]!r} is not one format: {told}. `roofline list precisions` lists all")
    mean = re.fullmatch(_MEAN, plain)
    return f"{mean[1]}-{mean[2]}" if mean is not None else None


def _squeezed(name: str) -> str:
    return re.sub(r"[-_\s]", "", name)
