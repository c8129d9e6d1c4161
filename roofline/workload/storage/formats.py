"""Which format each op's weights are stored in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from roofline.errors import UsageError
from roofline.specs.formats.dtypes import DTYPES, DType, find_dtype
from roofline.specs.formats.ggml import fallback
from roofline.specs.formats.mixes import ModelFacts, Shares, is_gguf, is_mix, shares_of
from roofline.workload.op import Op
from roofline.workload.shapes import ExpertsShape, MatmulShape, RowShape

#: Ops whose parameters are vectors, which no tool narrows: norms, decays and steps of a recurrence, sinks.
VECTORS: Final = ("norm", "pointwise", "scan", "attention")
ROLES: Final = ("embedding", "position", "head", "router", "norm", "attention", "feed_forward", "experts", "other")
#: What overrides call the matrices of the experts.
EXPERT_MATRICES: Final = ("experts_gate", "experts_up", "experts_down")
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
    """The format that an override gives this op; a tied head is the embedding.

    Of several that name it, that counts which says most: the op in its group of layers (`layers-2.q_proj`), the op in
    its part of the model (`attention.gate_proj`), the op, the part of the group (`layers-2.attention`), the role.
    """
    group = op.block.rpartition(".")[0]
    tied = overrides.get("embedding") if op.name == "head" and not op.params else None
    for name in _named(op):
        if found := overrides.get(f"{group}.{name}") or overrides.get(qualified(op)) or overrides.get(name):
            return found
    part = overrides.get(op.block) if group else None  # outside of layers it may be called as an op is: the head
    return tied or part or overrides.get(role_of(op))


def names_of(op: Op) -> Iterator[str]:
    """All names by which an override can mean this op."""
    group = op.block.rpartition(".")[0]
    for name in (*_named(op), *(EXPERT_MATRICES if op.kind == "experts" else ())):
        yield name
        yield f"{group}.{name}"
    yield qualified(op)
    if group:
        yield op.block
    yield role_of(op)


def qualified(op: Op) -> str:
    """An op's name behind the part of the model that it stands in: attention, feed_forward, embedding, head."""
    return f"{op.block.rpartition('.')[2]}.{op.name}"


def _named(op: Op) -> tuple[str, ...]:
    """The name of an op, and of the matrix that it is a half of."""
    return (op.name, "kv_b_proj") if op.name in ("k_up_proj", "v_up_proj") else (op.name,)


def parts_of(dtype: DType) -> Formats:
    """A format, or those of its parts."""
    return [(find_dtype(name), number) for name, number in dtype.parts] or [(dtype, 1)]


def stored_as(weights: DType, op: Op, facts: ModelFacts) -> Formats:
    """The formats of an op's matrices, the most frequent first."""
    if not is_mix(weights.name):
        return parts_of(weights)
    role = role_of(op)
    if op.kind == "convolution" and not is_gguf(weights.name):
        return [(DTYPES["bf16"], 1)]
    if role == "experts":
        parts = list(_expert_parts(weights.name, op, facts))
    else:
        parts = _in_blocks(weights.name, shares_of(weights.name, op.name, role, facts), _row(op))
    return [(DTYPES[name], count) for name, count in sorted(parts, key=lambda part: -part[1])]


def expert_formats(overrides: Mapping[str, DType], op: Op, whole: Formats) -> list[Formats]:
    """The formats of gate, up and down of the experts: what overrides give each, else that of the `whole` op."""
    group, gated = op.block.rpartition(".")[0], not isinstance(op.shape, ExpertsShape) or op.shape.gated
    names = EXPERT_MATRICES if gated else EXPERT_MATRICES[1:]
    own = [overrides.get(f"{group}.{name}") or overrides.get(name) for name in names]
    return [whole if dtype is None else parts_of(dtype) for dtype in own]


def _expert_parts(mix: str, op: Op, facts: ModelFacts) -> Iterator[tuple[str, float]]:
    """Gate and up, then the down projection, which a mix may store wider and whose rows have another length."""
    shape = op.shape if isinstance(op.shape, ExpertsShape) else None
    up, down = (float(shape.width), float(shape.hidden)) if shape else (None, None)
    ups = 1.0 if shape and not shape.gated else 2.0
    for matrix, row, each in (("experts_up", up, ups), ("experts_down", down, 1.0)):
        for name, count in _in_blocks(mix, shares_of(mix, matrix, "experts", facts), row):
            yield _or_native(mix, name, facts), count * each


def _or_native(mix: str, name: str, facts: ModelFacts) -> str:
    """GGUF files keep experts that are published in a narrow format, unless `name` is narrower."""
    native = facts.native_experts
    return native if native and is_gguf(mix) and DTYPES[name].bits >= DTYPES[native].bits else name


def _in_blocks(mix: str, shares: Shares, row: float | None) -> list[tuple[str, float]]:
    """The types of matrices with rows of `row` elements, of which a GGUF file stores whole blocks."""
    if row is None or not is_gguf(mix):
        return [(name, float(count)) for name, count in shares]
    return [(fallback(name, row), float(count)) for name, count in shares]


def _row(op: Op) -> float | None:
    """Elements in a row of an op's matrix; None where it holds vectors alone."""
    if op.kind in VECTORS:
        return None
    if isinstance(op.shape, MatmulShape):
        return float(op.shape.k)
    return float(op.shape.width) if isinstance(op.shape, RowShape) else None
