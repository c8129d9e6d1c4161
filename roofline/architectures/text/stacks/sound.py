"""Seconds of sound to what the layers of an encoder see: convolutions over the steps of a spectrum, or over samples."""

from __future__ import annotations

from roofline.architectures.text.sublayer import Sublayer
from roofline.num import Num, ceil, floor, maximum
from roofline.specs.text.stacks import SoundConvolution, SoundInput
from roofline.specs.text.transformer import TransformerSpec
from roofline.workload import constructors as make
from roofline.workload.op import Op
from roofline.workload.shapes import Span


def heard(sound: SoundInput, seconds: Num) -> list[Num]:
    """Steps before and behind each convolution."""
    found = [floor((sound.window or seconds) * float(sound.rate) + 0.0)]
    for convolution in sound.convolutions:
        steps, stride = found[-1], float(convolution.stride)
        last = ceil(steps / stride) if convolution.padded else floor((steps - convolution.kernel) / stride) + 1.0
        found.append(maximum(last, 1.0))
    return found


def heard_tokens(sound: SoundInput, seconds: Num) -> Num:
    """What the layers of the encoder see of so many seconds."""
    return heard(sound, seconds)[-1]


def sound_ops(spec: TransformerSpec, sound: SoundInput, batch: Num, seconds: Num) -> list[Op]:
    """Each convolution as a product [t, k i] @ [k i, o]; then positions, where the encoder adds any.

    Source: Radford et al. 2022 (arXiv:2212.04356), section 2.2; the model code of whisper, moonshine and
    speech_to_text in transformers 5.24.0.
    """
    steps, inputs, ops = heard(sound, seconds), float(sound.bands), list[Op]()
    for index, (convolution, before, after) in enumerate(zip(sound.convolutions, steps, steps[1:], strict=False)):
        span = Span(batch, after, 0.0)
        layer = Sublayer("encoder.sound", 1.0, span, span.tokens)
        ops += _convolution(f"convolution_{index + 1}", convolution, inputs, batch * before, layer)
        inputs = float(convolution.outputs) / (2.0 if convolution.gated else 1.0)
    width, new = float(spec.width), steps[-1]
    if spec.positions.size is not None:
        size = float(spec.positions.size)
        ops.append(make.embedding("encoder_position_embedding", "encoder", new, size, width))
    if spec.positions.kind in ("learned", "sinusoidal"):
        ops.append(make.add("position_add", "encoder", batch * new, width, shared_rows=new))
    return ops


def _convolution(name: str, convolution: SoundConvolution, inputs: float, rows: Num, layer: Sublayer) -> list[Op]:
    """A convolution over `rows` steps of `inputs` values, each read once."""
    outputs, function = float(convolution.outputs), str(convolution.activation)
    product = layer.linear(name, convolution.kernel * inputs, outputs, bias=convolution.bias)
    ops = [product._replace(read=rows * inputs)]
    if convolution.norm:
        ops.append(layer.norm(f"{name}_norm", outputs, style="layer", bias=True))
    if convolution.gated:
        ops.append(layer.activate(f"{name}_activation", outputs / 2.0, function="sigmoid", gated=True))
    elif function != "none":
        function = "sigmoid" if function == "tanh" else function
        ops.append(layer.activate(f"{name}_activation", outputs, function=function))
    return ops
