"""Low-rank adapters (LoRA) beside frozen matrices: y = x W + (x A) B, with A [in, r] and B [r, out].

Source: Hu et al. 2021 (arXiv:2106.09685), section 4; names of modules and default targets as in huggingface/peft 0.21
(`TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING`, `all-linear`). A matrix that holds several side by side (queries,
keys and values; gate and up) has one A and one B for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from roofline.errors import UsageError
from roofline.workload.op import Op
from roofline.workload.shapes import MatmulShape, RowShape

#: The most that a rank may be: more than any width of a matrix is no adapter.
MOST_RANK: Final = 65_536
ALL: Final = "all-linear"
#: What libraries call the matrices: op -> names of modules, the last part of their path.
_MODULES: Final[dict[str, str]] = {
    "q_proj": "query q q_lin to_q wq q_proj_with_bias queries",
    "k_proj": "key k k_lin to_k wk",
    "v_proj": "value v v_lin to_v wv",
    "qkv_proj": "c_attn query_key_value Wqkv W_pack wqkv att_proj qkv self_attention.query_key_value",
    "o_proj": "out_proj dense c_proj o out_lin wo to_out o_b_proj out attn_out",
    "gate_proj": "w1 wi_0 linear_v gate",
    "up_proj": "c_fc fc1 fc_in dense_h_to_4h wi wi_1 w3 lin1 intermediate.dense up fc0",
    "gate_up_proj": "up_gate_proj Wi ff_proj w12 gate_up",
    "down_proj": "c_proj fc2 fc_out dense_4h_to_h wo w2 lin2 output.dense down ff_out",
    "cross_q_proj": "q_proj q query",
    "cross_k_proj": "k_proj k key",
    "cross_v_proj": "v_proj v value",
    "cross_o_proj": "o_proj out_proj o dense",
    "shared_gate_proj": "gate_proj w1",
    "shared_up_proj": "up_proj w3",
    "shared_down_proj": "down_proj w2",
    "kv_a_proj": "kv_a_proj_with_mqa",
    "kv_b_proj": "",
    "in_proj_qkv": "in_proj_qkvz",
    "plain_matrix": "linear",
    "embedding_projection": "embedding_hidden_mapping_in embeddings_project project_in",
    "router": "gate",
}
#: Parts of a path that say in which sublayer a module stands.
_WITHIN: Final[dict[str, tuple[str, ...]]] = {
    ".attention": ("attn", "self_attn", "attention", "self_attention", "SelfAttention", "mixer", "linear_attn"),
    ".feed_forward": ("mlp", "feed_forward", "ffn", "ff", "DenseReluDense", "block_sparse_moe", "shared_experts"),
    ".cross": ("cross_attn", "EncDecAttention", "encoder_attn", "crossattention"),
}
_QKV: Final = ("q_proj", "k_proj", "v_proj")
#: What no library of adapters wraps: the output head, routed experts in one tensor, norms.
_NEVER: Final = ("head", "altup_predict")


class Adapters(NamedTuple):
    """Adapters of one rank beside the matrices that `targets` name.

    targets   names of modules as a checkpoint has them (`q_proj`, `c_attn`, `mlp.down_proj`), or `all-linear`
    wide      they are held, and read, in 4 bytes: PEFT casts adapters so by default
    joined    gate and up projection are one matrix in the checkpoint, as in Phi-3
    """

    rank: float
    targets: tuple[str, ...]
    wide: bool = True
    joined: bool = False


class _Matrix(NamedTuple):
    """One matrix of a checkpoint: its name, its first op and those whose columns it has side by side."""

    name: str
    ops: tuple[Op, ...]


def check_adapters(adapters: Adapters) -> None:
    """Raises UsageError where the rank is none or the targets are none."""
    if not 1 <= adapters.rank <= MOST_RANK:
        raise UsageError(
            f"--lora {adapters.rank:,.0f}: the rank of an adapter is 1 to {MOST_RANK:,}; 8, 16 and 64 are usual"
        )
    if not adapters.targets:
        raise UsageError(f"--targets: no names; say q_proj,v_proj or {ALL}")


def adapted(ops: Sequence[Op], adapters: Adapters) -> tuple[Op, ...]:
    """The ops of a forward pass with those of adapters: behind a matrix NAME `NAME.lora_a`, `NAME.lora_b` and the sum.

    x [t, in] @ A [in, r] -> [t, r]; @ B [r, out] -> [t, out]; where a matrix holds several side by side their B's are
    parts of one. Raises UsageError where rank or targets are none or match nothing.
    """
    check_adapters(adapters)
    matrices = _matrices(ops, adapters.joined)
    chosen = {id(matrix.ops[-1]): matrix for matrix in matrices if _is_target(matrix, adapters.targets)}
    for target in adapters.targets:
        if not any(_is_target(matrix, (target,)) for matrix in matrices):
            raise UsageError(_nothing(target, matrices, ops))
    out: list[Op] = []
    for op in ops:
        out.append(op)
        matrix = chosen.get(id(op))
        if matrix is not None:
            out += _adapter(matrix, adapters)
    return tuple(out)


def default_targets(ops: Sequence[Op]) -> tuple[str, ...]:
    """Queries and values, or the matrix that holds both: PEFT's choice for most models; all of them where no op is so
    called.
    """
    names = {matrix.name for matrix in _matrices(ops, joined=False)}
    if "qkv_proj" in names:
        return ("qkv_proj",)
    found = tuple(name for name in ("q_proj", "v_proj") if name in names)
    if "q_proj" not in names and "q_b_proj" in names:
        return ("q_a_proj", "q_b_proj")
    return found or (ALL,)


def is_adapter(op: Op) -> bool:
    """Whether an op is one of an adapter's: its two products or their sum with the output of the matrix."""
    return op.name.endswith((".lora_a", ".lora_b", ".lora_add"))


def unwrapped(ops: Iterable[Op]) -> bool:
    """Whether a model has routed experts, which `all-linear` passes over: they are one tensor for all experts."""
    return any(op.kind == "experts" for op in ops)


def _matrices(ops: Sequence[Op], joined: bool) -> list[_Matrix]:
    """The matrices of a checkpoint that can be adapted, in order."""
    out: list[_Matrix] = []
    for op in ops:
        if op.kind != "linear" or not isinstance(op.shape, MatmulShape) or op.name in _NEVER or is_adapter(op):
            continue
        if op.shape.groups != 1.0:
            continue
        last = out[-1] if out and out[-1].ops[0].block == op.block else None
        if last is not None and _is_column(op, last, joined):
            out[-1] = _Matrix("gate_up_proj" if op.name == "up_proj" else "qkv_proj", (*last.ops, op))
        else:
            out.append(_Matrix(op.name, (op,)))
    return out


def _is_column(op: Op, last: _Matrix, joined: bool) -> bool:
    """Whether the columns of an op stand in the matrix of the op before."""
    if op.name in _QKV:
        return last.ops[0].name in _QKV and op.kernels == 0.0
    return joined and op.name == "up_proj" and last.name == "gate_proj"


def _is_target(matrix: _Matrix, targets: Sequence[str]) -> bool:
    return any(_matches(matrix, target) for target in targets)


def _matches(matrix: _Matrix, target: str) -> bool:
    """Whether a target names a matrix: all, by its name here, or by a module's and the sublayer that it is in."""
    if target == ALL:
        return matrix.name != "router" and matrix.ops[0].block not in ("embedding", "head")
    *path, name = target.split(".")
    within = next((end for part in path for end, words in _WITHIN.items() if part in words), None)
    if within is not None and not matrix.ops[0].block.endswith(within):
        return False
    if name == matrix.name:
        return True
    return name in _MODULES.get(matrix.name, "").split()


def _nothing(target: str, matrices: Sequence[_Matrix], ops: Sequence[Op]) -> str:
    names = ", ".join(dict.fromkeys(matrix.name for matrix in matrices))
    experts = "; routed experts are one tensor, which no adapter wraps" if unwrapped(ops) else ""
    return f"--targets {target}: no matrix of this model is called so; there are {names}{experts}. Or say {ALL}"


def _adapter(matrix: _Matrix, adapters: Adapters) -> list[Op]:
    """A of the whole matrix, a B for each part of its columns, and their sum with what the matrix gave."""
    rank, first = float(adapters.rank), matrix.ops[0]
    down = _product(first, f"{matrix.name}.lora_a", float(_shape(first).k), rank, adapters.wide)
    out = [down]
    for op in matrix.ops:
        out.append(_product(op, f"{op.name}.lora_b", rank, float(_shape(op).n), adapters.wide))
        out.append(_sum(op, adapters.wide))
    return out


def _shape(op: Op) -> MatmulShape:
    assert isinstance(op.shape, MatmulShape)
    return op.shape


def _product(op: Op, name: str, wide_in: float, wide_out: float, wide: bool) -> Op:
    """Of an adapter, x [t, in] @ w [in, out]; in 4 bytes it reads a copy of x that was widened before."""
    rows, weights = _shape(op).m, wide_in * wide_out
    x, y = rows * wide_in, rows * wide_out
    made = Op(name, "linear", op.block, op.count, 2.0 * rows * weights, 0.0, weights, weights, weights, live=op.live)
    made = made._replace(shape=MatmulShape(rows, wide_in, wide_out))
    if not wide:
        return made._replace(read=x, write=y)
    if name.endswith("_a"):
        return made._replace(read=x, write_fp32=x + y, read_fp32=x, kernels=2.0)
    return made._replace(read_fp32=x, write_fp32=y)


def _sum(op: Op, wide: bool) -> Op:
    rows, width = _shape(op).m, _shape(op).n
    y = rows * width
    made = Op(f"{op.name}.lora_add", "pointwise", op.block, op.count, 0.0, y, write=y, live=op.live)
    made = made._replace(shape=RowShape(rows, width, "add"))
    return made._replace(read=y, read_fp32=y) if wide else made._replace(read=2.0 * y)
