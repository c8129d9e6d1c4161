"""The shape behind each op: what a kernel is called with, and what a pass or an efficiency model needs to know."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from roofline.num import Num, floor, is_nothing, maximum, minimum, where
from roofline.workload.sums.positions import in_chunks, mean_minimum, piece_keys, triangle


class Span(NamedTuple):
    """Which tokens a phase runs: `new` tokens of `batch` sequences after `past` cached ones, `steps` times in a row.

    Prefill is `new = prompt, past = 0, steps = 1`; decode is `new = 1, past = prompt, steps = generate - 1`. Quantities
    of an op are the mean over the steps, which for full attention is the step at the mean context. `absorbed` says that
    latent attention folds its up-projections into queries and outputs instead of expanding the cache (a decode step).
    `media` tokens per sequence, of pictures, stand beside them for layers that attend to such; `reads_media`: the
    phase projects these to keys and values, later ones find them in the cache.
    """

    batch: Num
    new: Num
    past: Num
    steps: Num = 1.0
    absorbed: bool = False
    piece: Num = 0.0
    media: Num = 0.0
    reads_media: bool = False

    @property
    def tokens(self) -> Num:
        """Tokens per step, over the batch."""
        return self.batch * self.new

    @property
    def mean_past(self) -> Num:
        """Cached tokens before a step, mean over the steps; of pieces, mean over the tokens that see them."""
        if not is_nothing(self.piece):
            return self._piece_keys(None)
        return self.past + self.new * maximum(self.steps - 1.0, 0.0) / 2.0

    def _piece_keys(self, limit: float | None) -> Num:
        return piece_keys(self.past, self.new * self.steps, self.piece, limit) - self.new

    @property
    def end(self) -> Num:
        """Cached tokens per sequence when the last step is done."""
        return self.past + self.new * self.steps

    def causal_pairs(self, window: float | None = None) -> Num:
        """Query-key pairs per sequence and step under a causal mask: the i-th query sees itself and all before it.

        sum over queries of min(position + 1, window), in closed form, so that a prefill of n tokens equals the sum of
        its n decode steps.
        """
        queries = self.new * self.steps
        total = triangle(self.past, queries, window)
        return total / maximum(self.steps, 1.0)

    def mutual_pairs(self, window: float | None = None) -> Num:
        """Query-key pairs per sequence and step where a query sees what is before and behind it.

        With a window, itself and `window - 1` keys on each side.
        """
        if window is None:
            return self.new * (self.past + self.new)
        return self.causal_pairs(window) + triangle(0.0, self.new, window) - self.new

    def chunk_pairs(self, chunk: float) -> Num:
        """Query-key pairs per sequence and step where a query sees the keys of its own chunk up to itself.

        sum over positions p of (p mod chunk) + 1, in closed form.
        """
        last = self.past + self.new * self.steps
        return (in_chunks(last, chunk) - in_chunks(self.past, chunk)) / maximum(self.steps, 1.0)

    def chunk_keys(self, chunk: float) -> Num:
        """Keys per sequence that a step reads from the cache: those of the chunk in which its first token lies."""
        first = self.past - floor(self.past / chunk) * chunk
        return where(self.steps > 1.0, self.chunk_pairs(chunk) - 1.0, first)

    def rectangle_pairs(self, window: float | None = None) -> Num:
        """Query-key pairs per sequence and step without a mask: every query against every key, as eager code computes.

        Source: transformers' eager attention; a cache of a window keeps `window - 1` keys beside the new ones, but a
        prefill still computes its full square.
        """
        past = self.mean_past
        if window is not None:
            past = self.cached_keys(window)
        return self.new * (past + self.new)

    def cached_keys(self, window: float | None = None) -> Num:
        """Keys per sequence that a step reads from the cache, mean over the steps; its own keys are not among them."""
        if window is None:
            return self.mean_past
        if not is_nothing(self.piece):
            return self._piece_keys(window - 1.0)
        return mean_minimum(self.past, self.steps, self.new, window - 1.0)

    def held_keys(self, window: float | None = None) -> Num:
        """Keys per sequence held when the phase ends."""
        return self.end if window is None else minimum(self.end, window)

    def grows(self, window: float | None = None) -> Num:
        """Keys per sequence that one token more adds to those held: 1, or 0 where a window is full."""
        return 1.0 if window is None else where(self.end < window, 1.0, 0.0)


class MatmulShape(NamedTuple):
    """`groups` products of [m / groups, k] by [k, n]; a linear layer has one group, a bias where `bias`."""

    m: Num
    k: Num
    n: Num
    bias: bool = False
    groups: Num = 1.0


class AttentionShape(NamedTuple):
    """Softmax attention over a span: query heads, key-value heads, their widths, window and mask.

    Habits of the reference code: `packed`, queries, keys and values are slices of one product; `softmax_fp32`, scores
    are widened to 4 bytes for the softmax; `tiling`, a window is computed in overlapping `chunks` or in `blocks`.
    `chunked`: a query sees the keys of its own chunk of `window` positions, not the last `window` keys. `pairs` of
    queries and keys per sequence, where a pattern of blocks says how many. `ring`: as many devices share the
    queries of a prompt, each with queries from both ends, whose span is the mean one.
    """

    span: Span
    heads: float
    kv_heads: float
    key_dim: float
    value_dim: float
    window: float | None = None
    causal: bool = True
    packed: bool = False
    softmax_fp32: bool = True
    chunked: bool = False
    tiling: str | None = None
    pairs: Num | None = None
    ring: float = 1.0

    @property
    def whole(self) -> Span:
        """The span of all devices of the ring: its keys are those that unfused code multiplies every query with."""
        if self.ring == 1.0:
            return self.span
        new = self.span.new * self.ring
        return self.span._replace(new=new, past=self.span.mean_past - (new - self.span.new) / 2.0, steps=1.0)


class SelectedAttentionShape(NamedTuple):
    """Attention over keys that are latent, selected or compressed, so that pairs do not follow from a span alone.

    `pairs` are the query-key pairs per sequence and query head that must be computed, `rectangle` those that unfused
    code computes, `keys` the keys per sequence that it computes them with. `groups` heads of keys serve `heads` heads
    of queries. `scores_only`: the indexer, whose scores choose keys and are multiplied with no values.
    """

    span: Span
    heads: float
    groups: float
    key_dim: float
    value_dim: float
    pairs: Num
    rectangle: Num
    keys: Num
    scores_only: bool = False


class ScanShape(NamedTuple):
    """A recurrence with a state of [heads, key_dim, value_dim] per sequence; `rule` says how a token changes it."""

    span: Span
    heads: float
    key_dim: float
    value_dim: float
    rule: Literal["selective", "decay", "delta", "gated", "mlstm", "rwkv"]


class DepthwiseShape(NamedTuple):
    """A causal convolution over time, each channel for itself, with `kernel` taps."""

    tokens: Num
    channels: float
    kernel: float


class MaskShape(NamedTuple):
    """The mask [b, 1, n, s] of a span, of all keys or those of a window."""

    span: Span
    window: float | None = None


class ExpertsShape(NamedTuple):
    """Routed feed-forwards: tokens, experts, how many each token visits, and the widths of one expert."""

    tokens: Num
    experts: float
    top_k: float
    touched: Num
    width: float
    hidden: float
    gated: bool
    function: str = "silu"


RowStyle: TypeAlias = (
    Literal["rms", "layer", "add", "rotary", "gated", "activation", "embedding", "lookup"]
    | Literal["scale", "mask", "softmax", "append", "copy", "positions", "rotary_table", "other"]
)


class RowShape(NamedTuple):
    """Element-wise and row-wise work: rows of `width`; `style` names the function (rms, layer, add, rotary …).

    `operand` is the number of elements of an operand that many rows share (the cosines of a rotation, a mask).
    """

    rows: Num
    width: Num
    style: RowStyle
    detail: str = ""
    operand: Num = 0.0


class ConvolutionShape(NamedTuple):
    """A convolution over the batch: `pixels` of output, channels in and out, the side of its square kernel.

    `batch` is over how many pictures.
    """

    pixels: Num
    channels_in: float
    channels_out: float
    kernel: float
    bias: bool = True
    batch: Num = 1.0


class DenseAttentionShape(NamedTuple):
    """Attention of every query with every key: `queries` by `keys` per image, `heads` heads of `dim`.

    `bias` counts the elements of a mask or bias that is added to the scores; `wide_softmax`: code that stores the
    scores widens them to fp32 for the softmax.
    """

    batch: Num
    heads: float
    queries: Num
    keys: Num
    dim: float
    bias: Num = 0.0
    wide_softmax: bool = False


class FieldShape(NamedTuple):
    """Element-wise or row-wise work over `elements`; `style` names a row of the table in constructors_image."""

    elements: Num
    style: str
    detail: str = ""


class CollectiveShape(NamedTuple):
    """An exchange of `elements` among `devices` that stand `stride` apart.

    `place` is where a load comes from, `share` how much of what its op needs is there.
    """

    operation: Literal["all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send", "load"]
    elements: Num
    devices: float
    stride: float = 1.0
    place: Literal["device", "host", "disk"] = "device"
    share: float = 0.0


Shape: TypeAlias = (
    MatmulShape
    | AttentionShape
    | ExpertsShape
    | RowShape
    | ConvolutionShape
    | DenseAttentionShape
    | FieldShape
    | SelectedAttentionShape
    | ScanShape
    | DepthwiseShape
    | CollectiveShape
    | MaskShape
)
