"""Which format each op's weights are stored in, and how many bits that makes per parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from roofline.errors import UsageError
from roofline.specs.dtypes import DTYPES, DType
from roofline.specs.mixes import FALLBACK, ModelFacts, is_gguf, is_mix, shares_of
from roofline.workload.op import Op
from roofline.workload.shapes import ConvolutionShape, ExpertsShape, MatmulShape, RowShape

ROLES: Final = ("embedding", "position", "head", "router", "norm", "attention", "feed_forward", "experts", "other")
#: Formats of an op's parameters, with the number of parts that take each.
Formats = Sequence[tuple[DType, float]]

_SHORTHAND: Final = re.compile(r"w(\d+)(?:a(\d+))?(?:kv(\d+))?")
_BY_WIDTH: Final = {
    "w": {4: "int4-g128", 8: "int8", 16: "bf16", 32: "fp32"},
    "a": {8: "int8", 16: "bf16", 32: "fp32"},
    "kv": {4: "int4-g128", 8: "int8", 16: "bf16", 32: "fp32"},
}


class Written(NamedTuple):
    """What `--weights`, `--activations` and `--kv-cache` say together."""

    weights: str
    activations: str | None
    cache: str | None
    overrides: dict[str, str]


def read_weights(weights: str, activations: str | None, cache: str | None) -> Written:
    """Read `FORMAT[,OP=FORMAT …]` or `w4a16kv8[,OP=FORMAT …]`.

    In the shorthand 16 bits are bf16, 8 are int8, 4 are int4-g128. Raises UsageError where it contradicts an option.
    """
    if "," not in weights and not weights.startswith(("w", "W")):
        return Written(weights, activations, cache, {})
    first, *rest = (part.strip() for part in weights.split(","))
    overrides = {}
    for part in rest:
        name, equals, value = part.partition("=")
        if not equals or not name or not value:
            raise UsageError(f"--weights {weights}: {part!r} is not OP=FORMAT, for example head=bf16")
        overrides[name.strip()] = value.strip()
    match = _SHORTHAND.fullmatch(first.lower())
    if match is None:
        return Written(first, activations, cache, overrides)
    named = {key: _of_width(first, key, text) for key, text in zip(_BY_WIDTH, match.groups(), strict=True)}
    for key, option, given in (("a", "--activations", activations), ("kv", "--kv-cache", cache)):
        if given and named[key] and given != named[key]:
            raise UsageError(f"--weights {first} says {key}{match[2 if key == 'a' else 3]}, {option} says {given}")
    return Written(named["w"] or "bf16", activations or named["a"], cache or named["kv"], overrides)


def _of_width(text: str, key: str, bits: str | None) -> str | None:
    if bits is None:
        return None
    known = _BY_WIDTH[key]
    if int(bits) not in known:
        raise UsageError(f"--weights {text}: {key}{bits} is not one of {', '.join(f'{key}{b}' for b in known)}")
    return known[int(bits)]


def role_of(op: Op) -> str:
    """What an op's weights are for: one of ROLES."""
    if op.name in ("embedding", "head"):
        return op.name
    if op.kind == "norm":
        return "norm"
    if op.kind == "experts" or op.name == "experts":
        return "experts"
    if op.name == "router":
        return "router"
    if op.name == "position_embedding":
        return "position"
    return next((role for role in ("attention", "feed_forward") if op.block.endswith(role)), "other")


def overridden(overrides: Mapping[str, DType], op: Op) -> DType | None:
    """The format that an override gives this op: by its name, else by its role; a tied head is the embedding."""
    tied = overrides.get("embedding") if op.name == "head" and not op.params else None
    return overrides.get(op.name) or tied or overrides.get(role_of(op))


def stored_as(weights: DType, op: Op, facts: ModelFacts) -> Formats:
    """The formats of an op's matrices, the most frequent first."""
    if not is_mix(weights.name):
        return [(weights, 1)]
    role = role_of(op)
    if op.kind == "convolution" and not is_gguf(weights.name):
        return [(DTYPES["bf16"], 1)]
    if role == "experts":
        parts = _expert_parts(weights.name, op, facts)
    else:
        parts = [(name, float(count)) for name, count in shares_of(weights.name, op.name, role, facts)]
    if is_gguf(weights.name):
        parts = [(_whole_blocks(name, op), count) for name, count in parts]
    return [(DTYPES[name], count) for name, count in sorted(parts, key=lambda part: -part[1])]


def _expert_parts(mix: str, op: Op, facts: ModelFacts) -> list[tuple[str, float]]:
    """Of the matrices of an expert one is the down projection, which a mix may store wider."""
    matrices = 2.0 if isinstance(op.shape, ExpertsShape) and not op.shape.gated else 3.0
    up = [(name, count * (matrices - 1)) for name, count in shares_of(mix, "experts_up", "experts", facts)]
    return up + [(name, float(count)) for name, count in shares_of(mix, "experts_down", "experts", facts)]


def _whole_blocks(name: str, op: Op) -> str:
    shape = op.shape
    rows = [shape.k] if isinstance(shape, MatmulShape) else []
    if isinstance(shape, ExpertsShape):
        rows = [shape.width, shape.hidden]
    if isinstance(shape, RowShape):
        rows = [shape.width]
    return FALLBACK.get(name, name) if any(float(row) % 256 for row in rows) else name


def mean_bits(formats: Formats, op: Op, vector_bits: float) -> float:
    """Bits per parameter of an op, scales per channel and per tensor and its vectors included."""
    total = sum(count for _, count in formats)
    matrix = sum(dtype.bits * count for dtype, count in formats) / total
    params, vectors, channels, matrices = _parts(op)
    if params <= 0:
        return matrix
    beside = sum((d.channel_bits * channels + d.tensor_bits * matrices) * count for d, count in formats) / total
    if isinstance(op.shape, MatmulShape):
        edges = float(op.shape.k) + float(op.shape.n)
        beside += sum(d.rank * count for d, count in formats) / total * edges * 16.0
    vector = vectors * max(vector_bits, min(d.bits for d, _ in formats))
    return ((params - vectors) * matrix + beside + vector) / params


def _parts(op: Op) -> tuple[float, float, float, float]:
    """Parameters of an op, and of them those in vectors; output channels and matrices that carry scales."""
    shape = op.shape
    if op.kind in ("norm", "pointwise"):
        return op.params, op.params, 0.0, 0.0
    if isinstance(shape, MatmulShape):
        bias = float(shape.n) if shape.bias else 0.0
        return op.params or float(shape.k) * float(shape.n) + bias, bias, float(shape.n), 1.0
    if isinstance(shape, ExpertsShape):
        matrices = 3.0 if shape.gated else 2.0
        channels = shape.experts * ((matrices - 1.0) * shape.hidden + shape.width)
        bias = op.params - shape.experts * matrices * shape.width * shape.hidden
        return op.params, bias, channels, shape.experts * matrices
    if isinstance(shape, ConvolutionShape):
        return op.params, shape.channels_out if shape.bias else 0.0, shape.channels_out, 1.0
    if isinstance(shape, RowShape):
        return op.params, 0.0, op.params / float(shape.width), 1.0
    return op.params, 0.0, 0.0, 0.0
