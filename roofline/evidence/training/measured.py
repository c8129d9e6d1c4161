"""What a training row measured, as seconds of a step of its question, or bytes on one GPU."""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.evidence.training.asking import Asked
from roofline.runs.training.run import TrainQuestion
from roofline.specs.text.transformer import TransformerSpec

_TERA: Final = 1e12
_GIGA: Final = 1e9
_HOUR: Final = 3600.0
#: Sources of which it is known that their GB are GiB as they were printed; the file has them in GB already. Others
#: print what nvidia-smi or torch shows divided by 2**30 and call it GB.
_GIB: Final = ("BLM", "IEV", "QWN")


class Megatron(NamedTuple):
    """FLOPs of a step by Megatron-LM's formulas, for `tokens` of a GPT of a width, layers, vocabulary and sequence."""

    layers: float
    width: float
    vocabulary: float
    sequence: float

    def hardware(self, tokens: float) -> float:
        """Narayanan et al. 2021 (arXiv:2104.04473), eq. 2: with whole layers repeated."""
        return tokens * 96.0 * self.layers * self.width**2 * self._shape(16.0)

    def model(self, tokens: float) -> float:
        """Korthikanti et al. 2022 (arXiv:2205.05198), appendix A: without."""
        return tokens * 72.0 * self.layers * self.width**2 * self._shape(12.0)

    def _shape(self, head: float) -> float:
        scores = self.sequence / (6.0 * self.width)
        return 1.0 + scores + self.vocabulary / (head * self.layers * self.width)


def step_seconds(asked: Asked, question: TrainQuestion) -> float:
    """Seconds of a step that a row measured. Raises LookupError for one that is about memory."""
    row, run = asked.row, question.run
    value = row.value or 0.0
    each = run.tokens_per_step / question.gpus
    if row.metric == "step_s":
        return value
    if row.metric in ("tokens_per_s_per_gpu", "images_per_s_per_gpu"):
        return each / value
    if row.metric == "gpu_hours":
        return value * _HOUR / question.gpus / (run.steps or 1.0)
    if row.metric == "tflops_per_gpu":
        counted = _megatron(asked, question)
        flops = counted.hardware if row.convention == "megatron-2021" else counted.model
        return flops(run.tokens_per_step) / question.gpus / (value * _TERA)
    raise LookupError(f"{row.metric} is no time")


def _megatron(asked: Asked, question: TrainQuestion) -> Megatron:
    spec = question.spec
    if not isinstance(spec, TransformerSpec):
        raise LookupError("a convention of language models")
    layers = sum(group.layers for group in spec.blocks)
    return Megatron(float(layers), float(spec.width), float(spec.logits), question.run.sequence)


def peak_bytes(asked: Asked) -> float:
    """Bytes on one GPU at the fullest moment that a row measured."""
    row = asked.row
    each = (row.value or 0.0) / ((row.gpus or 1) if "sum over the GPUs" in row.notes else 1)
    return each * (2.0**30 if row.family in _GIB else _GIGA)
