"""The backward pass, op by op: gradients of inputs and of weights, as far as each is needed.

A product y = x w has two gradients of as many FLOPs as itself: dx = dy wᵀ and dw = xᵀ dy. Attention has one for each of
the four operands of its two products; a fused kernel multiplies queries and keys once more, because it did not keep
their scores: five products for two. Element-wise work is done once more, on gradients.

Sources: PyTorch's own formulas of FLOPs (torch.utils.flop_counter: backward of attention, of convolutions); Dao 2023,
FlashAttention-2 (arXiv:2307.08691), section 3.1.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from roofline.num import Num
from roofline.passes.training.flow import Flow
from roofline.workload.constructors_collective import Operation
from roofline.workload.op import Op
from roofline.workload.shapes import (
    AttentionShape,
    CollectiveShape,
    ConvolutionShape,
    DenseAttentionShape,
    DepthwiseShape,
    ExpertsShape,
    MatmulShape,
    RowShape,
    ScanShape,
    SelectedAttentionShape,
)

#: The exchange that undoes another: what was summed is handed to all, what was gathered is summed in parts.
_MIRRORED: Final[dict[Operation, Operation]] = {"all_gather": "reduce_scatter", "reduce_scatter": "all_gather"}
_FUSED: Final = (AttentionShape, SelectedAttentionShape, DenseAttentionShape)


@dataclass(frozen=True, slots=True)
class Accumulated:
    """Where gradients of weights go: into tensors of 4 bytes to which they are added (`wide`), or of 16 bit."""

    wide: bool = False

    def onto(self, op: Op, elements: Num) -> Op:
        """An op that also writes so many elements of gradient of weights."""
        if self.wide:
            return op._replace(read_fp32=op.read_fp32 + elements, write_fp32=op.write_fp32 + elements)
        return op._replace(write=op.write + elements)


def backward_ops(flows: Sequence[Flow], accumulated: Accumulated = Accumulated()) -> tuple[Op, ...]:
    """The ops of the backward pass of a forward pass, the last op of this first."""
    out: list[Op] = []
    for flow in reversed(flows):
        out += gradient_ops(flow, accumulated)
    return tuple(out)


def gradient_ops(flow: Flow, accumulated: Accumulated = Accumulated()) -> list[Op]:
    """The ops that give the gradients of one op: none where nothing needs one."""
    op, shape = flow.op, flow.op.shape
    if isinstance(shape, CollectiveShape):
        return [_mirrored(op, shape)] if flow.inputs else []
    if isinstance(shape, MatmulShape) and op.kind in ("attention", "linear"):
        return _factors(flow, shape) if op.kind == "attention" else _product(flow, shape, accumulated)
    if isinstance(shape, _FUSED):
        return _fused(flow)
    if isinstance(shape, (ExpertsShape, ConvolutionShape, DepthwiseShape)):
        return _alike(flow, accumulated)
    return (_scanned if isinstance(shape, ScanShape) else _rows)(flow, accumulated)


def _bare(op: Op, suffix: str) -> Op:
    """An op of the backward pass: it holds no parameters, keeps no cache, and streams no weights."""
    return Op(f"{op.name}.{suffix}", op.kind, op.block, op.count, live=op.live, runs_on=op.runs_on)


def _mirrored(op: Op, shape: CollectiveShape) -> Op:
    operation = _MIRRORED.get(shape.operation, shape.operation)
    name = f"{op.name}.grad"
    return op._replace(name=name, read=op.write, write=op.read, shape=shape._replace(operation=operation))


def _product(flow: Flow, shape: MatmulShape, accumulated: Accumulated) -> list[Op]:
    """Gradients dx [m, k] = dy [m, n] @ wᵀ and dw [k, n] = xᵀ [k, m] @ dy, and the sum of dy for a bias."""
    op, out = flow.op, list[Op]()
    x, y, matrix = shape.m * shape.k, shape.m * shape.n, shape.k * shape.n * shape.groups
    if flow.inputs:
        turned = MatmulShape(shape.m, shape.n, shape.k, groups=shape.groups)
        own = _bare(op, "grad_input")
        out.append(own._replace(flops=op.flops, weights=matrix, read=y, write=x, shape=turned))
    if flow.weights:
        outer = MatmulShape(shape.k * shape.groups, shape.m / shape.groups, shape.n, groups=shape.groups)
        vector, bias = (y, shape.n * shape.groups) if shape.bias else (0.0, 0.0)
        own = _bare(op, "grad_weight")._replace(flops=op.flops, vector_flops=vector, read=x + y, shape=outer)
        out.append(accumulated.onto(own, matrix + bias))
    return out


def _factors(flow: Flow, shape: MatmulShape) -> list[Op]:
    """Of one of attention's products on its own, a b: da = dc bᵀ and db = aᵀ dc.

    Scores are queries by keys; the values are multiplied by what became of scores, which needs a gradient where queries
    or keys do.
    """
    op, out = flow.op, list[Op]()
    scores = op.name.endswith(".scores")
    left, right = (flow.inputs, flow.keys) if scores else (flow.inputs or flow.keys, flow.values)
    a, b, c = shape.m * shape.k, shape.k * shape.n * shape.groups, shape.m * shape.n
    if left:
        turned = MatmulShape(shape.m, shape.n, shape.k, groups=shape.groups)
        own = _bare(op, "grad_left")
        out.append(own._replace(flops=op.flops, read=c + b, write=a, shape=turned))
    if right:
        outer = MatmulShape(shape.k * shape.groups, shape.m / shape.groups, shape.n, groups=shape.groups)
        own = _bare(op, "grad_right")
        out.append(own._replace(flops=op.flops, read=a + c, write=b, shape=outer))
    return out


def _alike(flow: Flow, accumulated: Accumulated) -> list[Op]:
    """Convolutions and routed experts: two gradients, each of the shape and the FLOPs of the op itself."""
    op, out = flow.op, list[Op]()
    if flow.inputs:
        own = _bare(op, "grad_input")._replace(flops=op.flops, weights=op.weights, kernels=op.kernels)
        vector = op.vector_flops if op.kind == "experts" else 0.0
        out.append(own._replace(vector_flops=vector, read=op.write, write=op.read, shape=op.shape))
    if flow.weights:
        own = _bare(op, "grad_weight")._replace(flops=op.flops, kernels=op.kernels)
        own = own._replace(vector_flops=op.vector_flops, read=op.read + op.write, shape=op.shape)
        out.append(accumulated.onto(own, op.weights))
    return out


def _fused(flow: Flow) -> list[Op]:
    """One kernel for all gradients of fused attention: five products of the forward pass's two.

    Queries by keys once more, then three products as wide as keys (dq, dk and that one) and two as wide as values (dv
    and the gradient of the scores).
    """
    op, shape = flow.op, flow.op.shape
    if not (flow.inputs or flow.keys or flow.values):
        return []
    wider, share = _five(shape)
    moved = op.read + op.cache_read
    own = _bare(op, "grad")._replace(flops=op.flops * share, vector_flops=2.0 * op.vector_flops, shape=wider)
    return [own._replace(read=moved + 2.0 * op.write, write=moved, kernels=2.0 * op.kernels)]


def _five(shape: object) -> tuple[AttentionShape | SelectedAttentionShape | DenseAttentionShape, Num]:
    """The shape of a kernel as wide as five products, and its FLOPs over those of the two."""
    if isinstance(shape, DenseAttentionShape):
        return shape._replace(dim=2.5 * shape.dim), 2.5
    assert isinstance(shape, (AttentionShape, SelectedAttentionShape))
    wide = 3.0 * shape.key_dim + 2.0 * shape.value_dim
    share = wide / (shape.key_dim + shape.value_dim)
    return shape._replace(key_dim=3.0 * shape.key_dim, value_dim=2.0 * shape.value_dim), share


def _scanned(flow: Flow, accumulated: Accumulated) -> list[Op]:
    """A recurrence backwards: through the tokens twice, once to have the states again and once for their gradients."""
    op = flow.op
    if not (flow.inputs or flow.weights):
        return []
    own = _bare(op, "grad")._replace(count=2.0 * op.count, shape=op.shape, kernels=op.kernels)
    own = own._replace(flops=op.flops, vector_flops=op.vector_flops, read=op.read + op.write / 2.0, write=op.read / 2.0)
    return [accumulated.onto(own, op.weights / 2.0) if flow.weights else own]


def _rows(flow: Flow, accumulated: Accumulated) -> list[Op]:
    """Element-wise work, norms and look-ups: dx from dy and what was kept; twice the work of the forward pass.

    The gradient of a sum passes as it is; what is summed is the gradients where the stream had parted.
    """
    op, shape = flow.op, flow.op.shape
    if not flow.inputs and not (flow.weights and op.params):
        return []
    own = _bare(op, "grad")._replace(shape=op.shape, kernels=op.kernels)
    if isinstance(shape, RowShape) and shape.style == "add":
        return [own._replace(vector_flops=op.vector_flops, read=op.read, write=op.write)]
    if op.kind == "gather":
        return [accumulated.onto(own._replace(read=op.write), op.weights)] if flow.weights and op.params else []
    own = own._replace(flops=2.0 * op.flops, vector_flops=2.0 * op.vector_flops, weights=op.weights)
    own = own._replace(read=op.read + op.write, write=op.read)
    own = own._replace(read_fp32=op.read_fp32 + op.write_fp32, write_fp32=op.read_fp32)
    return [accumulated.onto(own, op.weights) if flow.weights else own]
