"""What it takes to widen a format of weights to 16 bit before a product, by who does it.

`once`: one kernel for each matrix and use, which reads what is stored and writes 16 bit (compiled code, kernels of a
quantiser's own). `eager`: operator by operator, as the format's Python code runs in PyTorch, each writing its result.
Sources: operators and the widths of their results as counted from huggingface/diffusers @34543845
src/diffusers/quantizers/gguf/utils.py (GGUF, which ComfyUI-GGUF shares), diffusers' layerwise casting and torchao's
weight-only linears (a cast, and a scale); bitsandbytes widens 4 bits in a kernel of its own, and its int8 quantises
activations, writes sums of 32 bit, scales them, and adds what it multiplied in 16 bit (csrc, autograd/_functions.py).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from roofline.specs.formats.dtype import DType

Way = Literal["none", "once", "eager"]
_WIDE: Final = 2.0


class Unpacking(NamedTuple):
    """Bytes that are moved and operators over all elements per weight, bytes per result, and kernels per matrix.

    The product itself then reads 2 bytes a weight, of which those beyond the stored ones are among the bytes.
    """

    bytes: float = 0.0
    passes: float = 0.0
    of_result: float = 0.0
    kernels: float = 0.0


_NOTHING: Final = Unpacking()
#: Operators, bytes and kernels of GGUF's types beyond the read of what is stored.
_GGUF: Final = {
    "q8_0": (7.0, 1.0, 3.0),
    "q4_0": (14.0, 5.0, 6.0),
    "q4_1": (14.0, 4.0, 6.0),
    "q5_0": (36.0, 10.0, 14.0),
    "q5_1": (36.0, 10.0, 14.0),
    "q6_k": (22.0, 8.0, 13.0),
    "q5_k": (22.0, 7.0, 22.0),
    "q4_k": (14.0, 4.0, 18.0),
    "q3_k": (24.0, 10.0, 22.0),
    "q2_k": (14.0, 4.0, 12.0),
}
#: Of 8 bits in PyTorch: a cast to 16 bit, and a scale that is applied to the result.
_CAST: Final = (_WIDE, 0.0, 2.0 * _WIDE, 2.0)
#: Of other formats below 8 bits: a shift, a mask, a zero point and a scale.
_SHIFTED: Final = (12.0, 4.0, 6.0)
#: LLM.int8: 16-bit sums become 32-bit ones, are read and written, and the outliers' product is added; activations are
#: cast, searched for outliers and quantised.
_OUTLIERS: Final = Unpacking(0.0, 0.0, 23.0, 15.0)
_OWN_KERNEL: Final = ("nf4", "fp4-b")


def unpacking(stored: DType, way: Way, whole: str = "") -> Unpacking:
    """What widening one matrix of a format takes; `whole` is the format of all weights, of which this is a part."""
    if way == "none" or stored.bits >= 16.0:
        return _NOTHING
    if whole == "bnb-int8":
        return _OUTLIERS
    read, again = stored.bits / 8.0, _WIDE - stored.bits / 8.0
    if way == "once" or stored.name.startswith(_OWN_KERNEL):
        return Unpacking(read + _WIDE + again, 0.0, 0.0, 1.0)
    if stored.bits >= 8.0 and stored.name not in _GGUF:
        moved, passes, result, kernels = _CAST
        return Unpacking(read + moved + again, passes, result, kernels)
    moved, passes, kernels = _GGUF.get(stored.name, _SHIFTED)
    return Unpacking(read + moved + again, passes, 0.0, kernels)
