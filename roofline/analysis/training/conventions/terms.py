"""What the FLOPs of a training step are made of: terms, so that two ways of counting differ by named amounts.

Every way of counting here is a sum over the same terms, per token and in FLOPs of a whole step. The ledger's own are
three times those of the forward pass: a product costs two more of its size on the way back, one for its weights and one
for its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Final, Literal, NamedTuple, TypeAlias

from roofline.architectures.text.training import training_ops
from roofline.architectures.text.transformer import mtp_ops
from roofline.passes.fusion.eager import eager_ops
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, MatmulShape, SelectedAttentionShape, Span

Term: TypeAlias = Literal[
    "matrices", "experts", "scores", "values", "indexer", "recurrence", "head", "embedding", "positions", "vectors",
    "softmax", "repeated",
]  # fmt: skip
#: Terms in the order in which they are told.
TERMS: Final[tuple[Term, ...]] = Term.__args__  # type: ignore[attr-defined]
Terms: TypeAlias = dict[Term, float]
#: Passes of a whole step over those of its forward pass.
STEP: Final = 3.0
#: Matrices of relative positions.
_RELATIVE: Final = ("relative_", "distance_")
_TERM_OF: Final[dict[str, Term]] = {"scan": "recurrence", "convolution": "recurrence", "experts": "experts"}
_CORES: Final = (AttentionShape, SelectedAttentionShape)


class Core(NamedTuple):
    """Attention of `layers` layers: heads of queries, the width of a head's key and value, and its window, which is
    a chunk where `chunked`.
    """

    layers: float
    heads: float
    key_dim: float
    value_dim: float
    window: float | None
    causal: bool
    chunked: bool = False


class Counted:
    """A model at one length, as ways of counting see it. Quantities are per token; `tokens` are those of a batch.

    `causal` and `full` are the terms of the ledger: with the pairs of queries and keys that masks let through, and with
    all of them, as unfused code multiplies. `held` and `active` are parameters by term: all, and those that one token
    uses; a table that the head shares counts as the head's.
    """

    def __init__(self, spec: TransformerSpec, sequence: float, batch: float = 1.0, decoder: float = 0.0) -> None:
        self.spec, self.sequence, self.batch, self.decoder = spec, float(sequence), float(batch), float(decoder)
        self.ops = training_ops(spec, self.batch, self.sequence, self.decoder)
        self.tokens = self.batch * self.sequence

    @cached_property
    def causal(self) -> Terms:
        """FLOPs per token of a step, of attention what its mask lets through."""
        return self._worked(self.ops)

    @cached_property
    def full(self) -> Terms:
        """The same with every query against every key."""
        return self._worked(map(_unfused, self.ops))

    @cached_property
    def layers_forward(self) -> Terms:
        """FLOPs per token of one forward pass of all layers, every query against every key: what is repeated."""
        found = {term: value / STEP for term, value in self.full.items()}
        return found | {"head": 0.0}

    @cached_property
    def held(self) -> Terms:
        """Parameters, by term."""
        return self._parameters(lambda op: op.params)

    @cached_property
    def active(self) -> Terms:
        """Parameters that one token uses, by term."""
        return self._parameters(lambda op: op.active)

    @cached_property
    def cores(self) -> tuple[Core, ...]:
        """Attention, one entry for each op of it."""
        return tuple(_cores(self.ops))

    @cached_property
    def further(self) -> float:
        """FLOPs per token of a step of heads that predict further tokens, which no term holds: under masks, each with
        logits of its own.
        """
        if self.spec.mtp is None:
            return 0.0
        span = Span(self.batch, self.sequence, 0.0)
        once = float(sum(op.count * op.flops for op in mtp_ops(self.spec, span)))
        return STEP * once / self.tokens + self.causal["head"] * float(self.spec.mtp.layers)

    @property
    def layers(self) -> float:
        """Layers of the decoder, or of all there is."""
        return float(sum(group.layers for group in self.spec.blocks))

    @property
    def width(self) -> float:
        """Elements of a token."""
        return float(self.spec.width)

    @property
    def vocabulary(self) -> float:
        """Tokens that the head gives; 0 without a head."""
        return float(self.spec.logits) if self.spec.head else 0.0

    def attention(self, share: float = 1.0) -> Terms:
        """FLOPs per token of a step of so large a share of the full square: 6 s times the width of all heads."""
        each = 2.0 * STEP * share * self.sequence
        return {
            "scores": each * sum(core.layers * core.heads * core.key_dim for core in self.cores),
            "values": each * sum(core.layers * core.heads * core.value_dim for core in self.cores),
        }

    def _worked(self, ops: Iterable[Op]) -> Terms:
        found = dict.fromkeys(TERMS, 0.0)
        for op in ops:
            flops = float(op.count * op.flops) * STEP / self.tokens
            for term, share in _shares(op):
                found[term] += flops * share
        return found

    def _parameters(self, amount: Callable[[Op], float]) -> Terms:
        found = dict.fromkeys(TERMS, 0.0)
        for op in self.ops:
            number = op.count * amount(op)
            matrix = min(number, op.count * _matrix(op)) if op.kind == "linear" else number
            found["vectors"] += number - matrix
            found[_home(op, self.spec.tied_embeddings)] += matrix
        return found


def total(terms: Terms) -> float:
    """The sum of terms."""
    return float(sum(terms.values()))


def _matrix(op: Op) -> float:
    """Elements of the matrix of a linear op, without its bias."""
    shape = op.shape
    return float(shape.k * shape.n * shape.groups) if isinstance(shape, MatmulShape) else op.params


def _home(op: Op, tied: bool) -> Term:
    """The term of an op's parameters: a table of tokens that the head shares is the head's."""
    if op.kind in ("norm", "pointwise", "attention"):
        return "vectors"
    if op.kind != "gather":
        return _shares(op)[0][0]
    if op.name == "embedding":
        return "head" if tied else "embedding"
    return "positions" if "position" in op.name or "distance" in op.name else "embedding"


def _shares(op: Op) -> list[tuple[Term, float]]:
    """The terms of an op's FLOPs, with their shares."""
    if op.kind == "attention":
        return _of_attention(op)
    if op.kind == "linear" and op.name.startswith(_RELATIVE):
        return [("positions", 1.0)]
    if op.kind == "linear":
        return [("head" if op.block == "head" else "matrices", 1.0)]
    return [(_TERM_OF.get(op.kind, "vectors"), 1.0)]


def _of_attention(op: Op) -> list[tuple[Term, float]]:
    """Attention's two products by their widths; products with positions stand beside it."""
    shape = op.shape
    if not isinstance(shape, _CORES):
        return [("positions", 1.0)]
    if isinstance(shape, SelectedAttentionShape) and shape.scores_only:
        return [("indexer", 1.0)]
    whole = shape.key_dim + shape.value_dim
    return [("scores", shape.key_dim / whole), ("values", shape.value_dim / whole)]


def _unfused(op: Op) -> Op:
    """An op; attention as unfused code multiplies it: every query with every key."""
    if not isinstance(op.shape, _CORES):
        return op
    parts = [part for part in eager_ops((op,)) if part.kind == "attention"]
    return op._replace(flops=sum(part.count * part.flops for part in parts) / op.count)


def _cores(ops: Iterable[Op]) -> Iterator[Core]:
    for op in ops:
        shape = op.shape
        if isinstance(shape, AttentionShape):
            widths = (shape.key_dim, shape.value_dim)
            yield Core(op.count, shape.heads, *widths, shape.window, shape.causal, shape.chunked)
        elif isinstance(shape, SelectedAttentionShape) and not shape.scores_only:
            yield Core(op.count, shape.heads, shape.key_dim, shape.value_dim, None, True)
