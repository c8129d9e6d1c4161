"""Runs of encoders: the whole input at once, nothing generated and nothing cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from roofline.architectures.text.transformer import encodes_only
from roofline.runs.kind import Kind, Outcome
from roofline.runs.text.kind import Text
from roofline.specs.gpu import GPUSpec
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload.run import TextRun

_NOTE: Final = "an encoder: the whole prompt is one prefill, and nothing is generated or cached"


class Encoder(Text):
    """A batch of sequences that are read, each as a whole."""

    name: ClassVar[str] = "encoder"
    curves: ClassVar[Mapping[str, str]] = {"latency": "ttft_s", "throughput": "tokens_per_s"}

    def takes(self, spec: Any) -> bool:
        """Whether it is a language model without a head and without causal layers."""
        return isinstance(spec, TransformerSpec) and encodes_only(spec)

    def sized(self, run: TextRun) -> TextRun:
        """Nothing is generated, whatever was asked."""
        return replace(run, generate=0.0)

    def chunk(self, spec: TransformerSpec, engine: str, gpu: GPUSpec, asked: Any) -> float:
        """No chunks: an encoder sees its whole input at once."""
        return 0.0

    def assumptions(self, outcome: Outcome) -> list[str]:
        """Everything that was assumed rather than asked, and that it is an encoder."""
        from roofline.runs.text.notes import text_assumptions

        return text_assumptions(outcome, (_NOTE,))


KIND: Final[Kind] = Encoder()
