"""What the reference code launches for each operation, kernel by kernel.

A kernel is a line `(aten operator, reads, writes, launches)`. What it reads and writes is a sum of terms, `2e R`: a
coefficient and a unit, a lower-case unit in elements of the activations' format, an upper-case one in elements of 4
bytes. An 8-byte integer counts as two of the latter, a boolean as a quarter. `w` stands for the op's weights.

A `Recipe` is the sum of its lines, made once when this module is imported, so that a pass evaluates a few terms and a
table of traffic, or a test, can still name every kernel.

Source: the operators that transformers 5.23.0 calls in bf16 with attn_implementation="eager", as recorded by
torch 2.13.0 on tensors without data (GPT-2, Llama, Mistral, Qwen3, OPT, GPT-NeoX, Mixtral).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from roofline.num import Num

#: (coefficient, index of the unit), to be summed.
Terms: TypeAlias = tuple[tuple[float, int], ...]
Line: TypeAlias = tuple[str, str, str] | tuple[str, str, str, int]


class Kernel(NamedTuple):
    """Launches of one operator: what they read and write in all, and whether that includes the op's weights."""

    aten: str
    launches: float
    read: Terms
    write: Terms
    read_fp32: Terms
    write_fp32: Terms
    weights: bool


class Recipe(NamedTuple):
    """The kernels of one op and their sums; `reused` is what these count beyond the fullest moment in memory."""

    kernels: tuple[Kernel, ...]
    launches: float
    read: Terms
    write: Terms
    read_fp32: Terms
    write_fp32: Terms
    reused: Terms
    reused_fp32: Terms


def evaluate(terms: Terms, units: Sequence[Num]) -> Num:
    """The sum of coefficient times unit."""
    total: Num = 0.0
    for coefficient, unit in terms:
        total = total + coefficient * units[unit]
    return total


def recipe(units: str, peak: str, *lines: Line) -> Recipe:
    """The recipe of some lines; `peak` says what is in memory at once at the fullest moment."""
    kernels = tuple(_kernel(units, line) for line in lines)
    read, write = _sum(k.read for k in kernels), _sum(k.write for k in kernels)
    read_fp32, write_fp32 = _sum(k.read_fp32 for k in kernels), _sum(k.write_fp32 for k in kernels)
    held, held_fp32 = _terms(units, peak)
    reused = _sum((read, write, _negative(held)))
    reused_fp32 = _sum((read_fp32, write_fp32, _negative(held_fp32)))
    launches = sum(k.launches for k in kernels)
    return Recipe(kernels, launches, read, write, read_fp32, write_fp32, reused, reused_fp32)


def _kernel(units: str, line: Line) -> Kernel:
    aten, reads, writes = line[:3]
    inputs = reads.split()
    read, read_fp32 = _terms(units, " ".join(term for term in inputs if term != "w"))
    write, write_fp32 = _terms(units, writes)
    return Kernel(aten, line[3] if len(line) > 3 else 1, read, write, read_fp32, write_fp32, "w" in inputs)


def _terms(units: str, text: str) -> tuple[Terms, Terms]:
    """The terms in the activations' format, and those in 4 bytes."""
    narrow: list[tuple[float, int]] = []
    wide: list[tuple[float, int]] = []
    for term in text.split():
        unit = term[-1]
        (wide if unit.isupper() else narrow).append((float(term[:-1] or 1), units.index(unit.lower())))
    return tuple(narrow), tuple(wide)


def _sum(many: Iterable[Terms]) -> Terms:
    coefficients: dict[int, float] = {}
    for terms in many:
        for coefficient, unit in terms:
            coefficients[unit] = coefficients.get(unit, 0.0) + coefficient
    return tuple((c, unit) for unit, c in sorted(coefficients.items()) if c)


def _negative(terms: Terms) -> Terms:
    return tuple((-coefficient, unit) for coefficient, unit in terms)


#: Units of element-wise and row-wise work: elements, rows, elements of a shared operand.
ROW_UNITS: Final = "erx"

_RMS: Final[tuple[Line, ...]] = (
    ("_to_copy", "e", "E"),
    ("pow", "E", "E"),
    ("mean", "E", "R"),
    ("add", "R", "R"),
    ("rsqrt", "R", "R"),
    ("mul", "E R", "E"),
    ("_to_copy", "E", "e"),
)
_SILU: Final[Line] = ("silu", "e", "e")
_GELU: Final[Line] = ("gelu", "e", "e")
_RELU: Final[Line] = ("relu", "e", "e")
#: 0.5 x (1 + tanh(c (x + 0.044715 x^3)))
_GELU_NEW: Final[tuple[Line, ...]] = (
    ("mul", "e", "e"),
    ("pow", "e", "e"),
    ("mul", "e", "e"),
    ("add", "2e", "e"),
    ("mul", "e", "e"),
    ("tanh", "e", "e"),
    ("add", "e", "e"),
    ("mul", "2e", "e"),
)
#: x sigmoid(1.702 x)
_QUICK_GELU: Final[tuple[Line, ...]] = (("mul", "e", "e"), ("sigmoid", "e", "e"), ("mul", "2e", "e"))
#: a x^2 + b x where x > 0, else (expm1(min(x, eps)) - x) c + b x
_XIELU: Final[tuple[Line, ...]] = (
    ("gt", "e", "0.5e"),
    ("mul", "e", "e"),
    ("mul", "2e", "e"),
    ("mul", "e", "e"),
    ("add", "2e", "e"),
    ("minimum", "e", "e"),
    ("expm1", "e", "e"),
    ("sub", "2e", "e"),
    ("mul", "e", "e"),
    ("mul", "e", "e"),
    ("add", "2e", "e"),
    ("where", "2.5e", "e"),
)
FUNCTIONS: Final[dict[str, tuple[Line, ...]]] = {
    "silu": (_SILU,),
    "gelu": (_GELU,),
    "gelu_tanh": (_GELU,),
    "gelu_new": _GELU_NEW,
    "relu": (_RELU,),
    "relu2": (_RELU, ("pow", "e", "e")),
    "quick_gelu": _QUICK_GELU,
    "xielu": _XIELU,
}
_PEAKS: Final = {"gelu_new": "4e", "quick_gelu": "3e", "xielu": "5.5e"}


def _rotation(tensors: int) -> tuple[Line, ...]:
    """Rotation, x cos + (-x2, x1) sin, of queries and keys or of queries alone."""
    x = f"{tensors}x"
    return (
        ("mul", f"e {x}", "e", tensors),
        ("neg", "0.5e", "0.5e", tensors),
        ("cat", "e", "e", tensors),
        ("mul", f"e {x}", "e", tensors),
        ("add", "2e", "e", tensors),
    )


#: Norms, softmax, rotation and activations, by style.
ROWS: Final[dict[str, Recipe]] = {
    "rms": recipe(ROW_UNITS, "e 2E", *_RMS, ("mul", "e w", "e")),
    "rms_plain": recipe(ROW_UNITS, "e 2E", *_RMS),
    "layer": recipe(ROW_UNITS, "2e 2R", ("native_layer_norm", "e w", "e 2R")),
    "softmax": recipe(ROW_UNITS, "2e", ("_softmax", "e", "e")),
    "softmax_fp32": recipe(ROW_UNITS, "e 2E", ("_to_copy", "e", "E"), ("_softmax", "E", "E"), ("_to_copy", "E", "e")),
    "rotary": recipe(ROW_UNITS, "4e 2x", *_rotation(2)),
    "rotary.queries": recipe(ROW_UNITS, "4e 2x", *_rotation(1)),
    **{f"activation.{name}": recipe(ROW_UNITS, _PEAKS.get(name, "2e"), *lines) for name, lines in FUNCTIONS.items()},
    **{
        f"gated.{name}": recipe(ROW_UNITS, "4e" if name in _PEAKS else "3e", *lines, ("mul", "2e", "e"))
        for name, lines in FUNCTIONS.items()
    },
}

#: Positions of the new tokens [n]. Units: n.
POSITIONS: Final = recipe("n", "4N", ("arange", "", "2N"), ("add", "2N", "2N"))

#: Cosines and sines of the new positions, once per forward. Units: n, rotated elements r of a head, table x = n r.
ROTARY_TABLE: Final = recipe(
    "nrx",
    "N 2X x",
    ("_to_copy", "2N", "N"),
    ("mul", "N 0.5R", "0.5X"),
    ("cat", "0.5X", "X"),
    ("cos", "X", "X"),
    ("mul", "X", "X"),
    ("sin", "X", "X"),
    ("mul", "X", "X"),
    ("_to_copy", "X", "x"),
    ("_to_copy", "X", "x"),
)

#: The causal mask, once per forward and window. Units: sequences b, new tokens n, keys s, pairs m = n s, the mask
#: k = b n s, one o.
MASK_UNITS: Final = "bnsmko"
_INDICES: Final[tuple[Line, ...]] = (
    ("arange", "", "2B"),
    ("arange", "", "2O"),
    ("arange", "", "2N"),
    ("add", "2N", "2N"),
    ("arange", "", "2S"),
    ("add", "2S", "2S"),
)
_WINDOW: Final[tuple[Line, ...]] = (
    ("new_ones", "", "0.25O"),
    ("sub", "2N", "2N"),
    ("gt", "2N 2S", "0.25M"),
    ("bitwise_and", "0.25M 0.25O", "0.25M"),
    ("bitwise_and", "0.5M", "0.25M"),
)
_CAUSAL: Final[tuple[Line, ...]] = (
    ("le", "2N 2S", "0.25M"),
    ("zeros", "", "o"),
    ("scalar_tensor", "", "o"),
    ("where", "0.25M 2o", "k"),
)
MASK: Final = recipe(MASK_UNITS, "2N 2S 0.25M k", *_INDICES, *_CAUSAL)
WINDOW_MASK: Final = recipe(MASK_UNITS, "2N 2S 0.75M k", *_INDICES, *_WINDOW, *_CAUSAL)

#: Routed experts behind their router: softmax, choice, sorting the rows by expert, grouped products, weighted sum.
#: Units: tokens t, rows r = t k, scores p = t E, experts x, and the elements of tokens a = t d, of rows c = r d and of
#: hidden rows h = r f.
EXPERTS_UNITS: Final = "trpxach"
_ROUTE: Final[tuple[Line, ...]] = (
    ("_to_copy", "p", "P"),
    ("_softmax", "P", "P"),
    ("topk", "P", "3R"),
    ("sum", "R", "T"),
    ("div_", "R T", "R"),
    ("sort", "2R", "4R"),
    ("floor_divide", "2R", "2R"),
    ("index", "a 2R", "c"),
    ("index", "3R", "R"),
    ("_to_copy", "2R", "R"),
    ("histc", "R", "X"),
    ("cumsum", "X", "X"),
)
_COMBINE: Final[tuple[Line, ...]] = (
    ("mul", "c R", "C"),
    ("arange", "", "2R"),
    ("index_put_", "6R", "2R"),
    ("index", "C 2R", "C"),
    ("sum", "C", "A"),
    ("_to_copy", "A", "a"),
)


def _experts(lines: tuple[Line, ...], gated: bool, wide: bool) -> Recipe:
    """Up (and gate, side by side), activation, down.

    The input and its rows by expert stay throughout. Fullest is, where an expert is wide, the activation, else the
    weighted sum, which holds what came down and two copies of it in 4 bytes.
    """
    inner: list[Line] = [(aten, reads.replace("e", "h"), writes.replace("e", "h")) for aten, reads, writes, *_ in lines]
    if gated:
        inner.append(("mul", "2h", "h"))
    up: Line = ("_grouped_mm", "c X w", "2h" if gated else "h")
    down: Line = ("_grouped_mm", "h X", "c")
    peak = ("a c 4h" if gated else "a c 2h") if wide else "a 2c 2C"
    return recipe(EXPERTS_UNITS, peak, *_ROUTE, up, *inner, down, *_COMBINE)


#: By activation, whether gated, and whether an expert is wide.
EXPERTS: Final[dict[tuple[str, bool, bool], Recipe]] = {
    (name, gated, wide): _experts(lines, gated, wide)
    for name, lines in FUNCTIONS.items()
    for gated in (False, True)
    for wide in (False, True)
}


def experts_recipe(function: str, width: float, hidden: float, *, gated: bool) -> Recipe | None:
    """The recipe of routed experts of these widths, with activations of 2 bytes; None for an unknown activation.

    In elements per row by expert, the activation holds 4 (ungated 2) times `hidden`, the weighted sum 5 times `width`.
    """
    return EXPERTS.get((function, gated, (4.0 if gated else 2.0) * hidden >= 5.0 * width))
