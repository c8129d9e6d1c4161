"""UNets and autoencoders: the stream `x` of feature maps, `h` inside a layer, tokens `t` inside a stack.

Source: diffusers 0.42.1, resnet.py, attention.py, attention_processor.py, transformer_2d.py, vae.py;
explainingai-code/StableDiffusion-PyTorch @f562b158 models/blocks.py.
"""

from __future__ import annotations

from typing import Final

_H: Final = "h > h"
_X: Final = "x > x"

_RESIDUAL: Final[dict[str, str]] = {
    "concat": _X,
    "resnet.copy": _X,
    "resnet.norm1": "x > h",
    "resnet.silu1": _H,
    "resnet.resample": "h > h; x > x",
    "resnet.conv1": _H,
    "resnet.time_silu": "temb > ts",
    "resnet.time_emb_proj": "ts > tp",
    "resnet.time": "ts > tp",
    "resnet.time_add": "h tp > h",
    "resnet.norm2": _H,
    "resnet.time_one": "tp > one",
    "resnet.time_scale": "h one * h",
    "resnet.time_shift": "h tp > h",
    "resnet.silu2": _H,
    "resnet.conv2": _H,
    "resnet.shortcut": _X,
    "resnet.add": "x h > x",
    "resnet.rescale": _X,
    "control.add": "x control > x",
    "downsample.pad": _X,
    "downsample": _X,
    "upsample": _X,
    "upsample.conv": _X,
}

_STACK: Final[dict[str, str]] = {
    "transformer.norm": "x > h",
    "proj_in.copy": _H,
    "proj_in": "h > t",
    "proj_in.bias": "t > t",
    "norm1": "t > h",
    "attn1.to_q": "h > q",
    "attn1.to_k": "h > k",
    "attn1.to_v": "h > v",
    "attn1": "q k v > h",
    "attn1.to_out": _H,
    "attn1.rescale": _H,
    "attn1.residual": "h t > t",
    "norm2": "t > h",
    "attn2.to_q": "h > q",
    "attn2.to_k": "text > k",
    "attn2.to_v": "text > v",
    "attn2": "q k v > h",
    "attn2.to_out": _H,
    "attn2.rescale": _H,
    "attn2.residual": "h t > t",
    "norm3": "t > h",
    "ff.proj": "h > both",
    "ff.gelu": "both > gate",
    "ff.gate": "both gate * h",
    "ff.out": _H,
    "ff.residual": "h t > t",
    "proj_out.copy": "t > t",
    "proj_out": "t > h",
    "transformer.residual": "h x > x",
}

_PIXELS: Final[dict[str, str]] = {
    "attention.norm": "x > h",
    "attention.copy": "h > hq; h > hk; h > hv",
    "attention.qkv": "hq > q; hk > k; hv > v",
    "attention.bias": "q > q; k > k; v > v",
    "text.norm": "text > normed",
    "attention.to_q": "h > q",
    "attention.add_kv": "normed|text > words_k; normed|text > words_v",
    "attention.to_kv": "h > k; h > v",
    "attention.join": "k words_k > k; v words_v > v",
    "attention": "q k v > h",
    "attention.to_out": _H,
    "attention.residual": "x h > x",
    "attention.rescale": _X,
}

_PLAIN: Final[dict[str, str]] = {
    "picture.resize": "> picture",
    "cond_conv_in": "picture > picture",
    "picture.concat": "picture > latents",
    "self.norm": "x > h",
    "self.order": _H,
    "self.qkv": "h > all",
    "self.bias": "all > all",
    "self.split": "all > all",
    "self.scale": "all > q",
    "self.scores": "q all * s",
    "self.softmax": "s > s",
    "self.values": "s all * h",
    "self.merge": _H,
    "self.out": _H,
    "self.mean": "> mean",
    "self.residual": "x h > x",
    "cross.norm": "x > h",
    "cross.text": "text > words",
    "cross.order": _H,
    "cross.q": "h > q",
    "cross.q_bias": "q > q",
    "cross.order_text": "words > words",
    "cross.kv": "words > all",
    "cross.kv_bias": "all > all",
    "cross.split": "all > all",
    "cross.scale": "q > q",
    "cross.scores": "q all * s",
    "cross.softmax": "s > s",
    "cross.values": "s all * h",
    "cross.merge": _H,
    "cross.out": _H,
    "cross.mean": "> mean",
    "cross.residual": "x h > x",
    "norm_out": _X,
    "silu_out": _X,
}

#: Between an encoder and a decoder, and at their ends.
_ENDS: Final[dict[str, str]] = {
    "conv_in": "latents > x",
    "conv_in_concat": "latents > x",
    "decoder.conv_in/conv_in": _X,
    "decoder_conv_in/conv_in": _X,
    "conv_norm_out.copy": _X,
    "conv_norm_out": _X,
    "conv_act": _X,
    "conv_out": _X,
    "quant_conv": _X,
    "pre_quant_conv": _X,
    "post_quant_conv": _X,
    "posterior": "x % x",
    "quantise.order": "x > ordered",
    "quantise.repeat": "> codes",
    "quantise.distances": "> distances",
    "quantise.nearest": "> distances",
    "quantise.select": "> nearest",
    "quantise.differences": "nearest x > difference",
    "quantise.squares": "difference ^ difference",
    "quantise.losses": "difference > loss",
    "quantise.through": _X,
    "sample.deviation": "x $ deviation",
    "sample.noise": "> noise",
    "sample.noise_copy": "> noise",
    "sample.mix": "deviation noise * x",
}

CONVOLUTIONS: Final[dict[str, str]] = _RESIDUAL | _STACK | _PIXELS | _PLAIN | _ENDS

#: The way of a ControlNet's picture, and its outputs, which other gradients join.
CONTROL: Final[dict[str, str]] = {
    "hint.conv_in": "hint > hint",
    "hint.silu": "hint > hint",
    "hint.conv": "hint > hint",
    "hint.down": "hint > hint",
    "hint.conv_out": "hint > hint",
    "hint.add": "x hint > x",
    "zero_convolution": "x > control",
    "scale": "control > control",
}
