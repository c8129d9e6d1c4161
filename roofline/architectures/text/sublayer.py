"""Where in a model an op stands: the constructors of the ledger, with what all ops of a sublayer have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from roofline.num import Num
from roofline.workload import constructors as make
from roofline.workload import constructors_state as make_state
from roofline.workload.constructors_state import CacheUse
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, ScanShape, SelectedAttentionShape, Span


@dataclass(slots=True)
class Sublayer:
    """One sublayer (an attention, a feed-forward) of a group of layers, for the tokens of a phase.

    block   its name in the ledger
    layers  how many layers have it
    span    the tokens of the phase
    tokens  rows that its matrices take: the tokens of a step, over the batch
    stream  elements that stay in memory meanwhile: `live` of an op where nothing else is said

    The methods are the constructors of those names, over `tokens` rows. Not frozen, which would make it slower to make.
    """

    block: str
    layers: float
    span: Span
    tokens: Num
    stream: Num = 0.0

    def over(self, rows: Num) -> Sublayer:
        """The same sublayer, for ops over another number of rows."""
        return Sublayer(self.block, self.layers, self.span, rows, self.stream)

    def beside(self, stream: Num) -> Sublayer:
        """The same sublayer, while another number of elements stays in memory."""
        return Sublayer(self.block, self.layers, self.span, self.tokens, stream)

    def linear(
        self,
        name: str,
        d_in: float,
        d_out: float,
        *,
        bias: bool = False,
        joined: bool = False,
        live: Num | None = None,
    ) -> Op:
        """A dense layer."""
        block, rows, live = self.block, self.tokens, self.stream if live is None else live
        return make.linear(name, block, rows, d_in, d_out, bias=bias, joined=joined, count=self.layers, live=live)

    def heads_linear(
        self, name: str, heads: float, d_in: float, d_out: float, *, bias: bool = False, live: Num | None = None
    ) -> Op:
        """A matrix for each head."""
        block, rows, live = self.block, self.tokens, self.stream if live is None else live
        return make.heads_linear(name, block, rows, heads, d_in, d_out, bias=bias, count=self.layers, live=live)

    def norm(
        self,
        name: str,
        width: float,
        *,
        style: Literal["rms", "layer"] = "rms",
        weight: bool = True,
        bias: bool = False,
        live: Num | None = None,
    ) -> Op:
        """A normalisation of rows."""
        return make.norm(
            name,
            self.block,
            self.tokens,
            width,
            style=style,
            weight=weight,
            bias=bias,
            count=self.layers,
            live=self.stream if live is None else live,
        )

    def gated_norm(self, name: str, width: float, weights: float, *, function: str = "silu") -> Op:
        """An RMS norm of rows times a function of their gates."""
        block, count, rows, live = self.block, self.layers, self.tokens, self.stream
        return make_state.gated_norm(name, block, rows, width, weights, function=function, count=count, live=live)

    def add(self, name: str, width: float) -> Op:
        """A residual."""
        return make.add(name, self.block, self.tokens, width, count=self.layers)

    def activate(self, name: str, width: float, *, function: str, gated: bool = False, live: Num | None = None) -> Op:
        """An activation."""
        block, rows, live = self.block, self.tokens, self.stream if live is None else live
        return make.activate(name, block, rows, width, function=function, gated=gated, count=self.layers, live=live)

    def rotary(self, name: str, query_width: float, key_width: float, *, live: Num | None = None) -> Op:
        """A rotation of queries and keys."""
        live = self.stream if live is None else live
        return make.rotary(name, self.block, self.tokens, query_width, key_width, count=self.layers, live=live)

    def pointwise(
        self,
        name: str,
        width: float,
        *,
        reads: float,
        each: float,
        writes: float = 1.0,
        params: float = 0.0,
        live: Num | None = None,
    ) -> Op:
        """Element-wise work."""
        return make_state.pointwise(
            name,
            self.block,
            self.tokens,
            width,
            reads=reads,
            each=each,
            writes=writes,
            params=params,
            count=self.layers,
            live=self.stream if live is None else live,
        )

    def depthwise(
        self,
        channels: float,
        kernel: float,
        *,
        bias: bool = False,
        function: str | None = "silu",
        kept: float | None = None,
        live: Num | None = None,
    ) -> Op:
        """A causal convolution over the tokens of each sequence."""
        return make_state.depthwise(
            "conv",
            self.block,
            self.span,
            channels,
            kernel,
            bias=bias,
            function=function,
            kept=kept,
            count=self.layers,
            live=self.stream if live is None else live,
        )

    def scan(
        self,
        shape: ScanShape,
        *,
        read: float,
        write: float,
        params: float = 0.0,
        fp32: bool = True,
        states: float = 1.0,
        live: Num | None = None,
    ) -> Op:
        """A recurrence over the tokens of each sequence."""
        return make_state.scan(
            "scan",
            self.block,
            shape,
            read=read,
            write=write,
            params=params,
            fp32=fp32,
            states=states,
            count=self.layers,
            live=self.stream if live is None else live,
        )

    def attention(self, shape: AttentionShape, *, cached: bool = True) -> Op:
        """Fused attention to all keys or those of a window."""
        return make.attention("attention", self.block, shape, cached=cached, count=self.layers, live=self.stream)

    def selected_attention(
        self,
        name: str,
        shape: SelectedAttentionShape,
        cache: CacheUse,
        *,
        fresh: Num,
        chosen: Num,
        params: float = 0.0,
    ) -> Op:
        """Fused attention to chosen keys."""
        return make_state.selected_attention(
            name,
            self.block,
            shape,
            cache,
            fresh=fresh,
            chosen=chosen,
            params=params,
            count=self.layers,
            live=self.stream,
        )
