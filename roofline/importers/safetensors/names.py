"""Names of a checkpoint's tensors: modules with what stands beside them, and what is none of the language model's.

Source: the state dictionaries of the model classes of transformers 5.23.0; suffixes of scales and packed weights as
AutoGPTQ, AutoAWQ, compressed-tensors, bitsandbytes and modelopt write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from roofline.importers.quantization.modules import LAYER, ModuleNames
from roofline.importers.safetensors.header import BITS, Tensor
from roofline.importers.stored.tensor import StoredTensor

#: A head, which a tied one is a copy of.
_HEAD: Final = re.compile(r"(?:.*\.)?(?:lm_head|embed_out)")
#: What a tensor's name ends in beside its module: weights packed several to an element, and scales.
_ENDING: Final = re.compile(
    r"(?P<module>.+?)[._](?P<ending>weight|bias|blocks|qweight|weight_packed|weight_scale(?:_inv|_2)?|weight_shape|scales"
    r"|weight_zero_point|weight_g_idx|qzeros|g_idx|biases|zeros|input_scale|[kvq]_scale|absmax|quant_map"
    r"|weight\.(?:absmax|quant_map|nested_absmax|nested_quant_map|quant_state\..+))"
)
_PACKED: Final = frozenset(("blocks", "qweight", "weight_packed"))
_PLAIN: Final = frozenset(("weight", "bias"))
#: Formats of the ledger by the types that store one parameter to an element.
FORMATS: Final = {
    "F64": "fp64",
    "F32": "fp32",
    "F16": "fp16",
    "BF16": "bf16",
    "F8_E4M3": "fp8",
    "F8_E5M2": "fp8_e5m2",
    "I8": "int8",
}
#: Why tensors are none of the language model's, where it may have them all the same: beside its layers.
TOWERS: Final = "towers and projectors of other inputs"
FURTHER: Final = "heads that predict further tokens"
_BUFFERS: Final = re.compile(
    r".*\.(?:inv_freq|position_ids|num_batches_tracked|attn\.(?:bias|masked_bias)|attention\.(?:bias|masked_bias))"
)
_TOWERS: Final = re.compile(
    r"(?:model\.)?(?:visual|vision_\w+|vision|image_newline|multi_modal_projector|mm_projector|mlp1|audio_\w+|embed_vision"
    r"|embed_audio|connector|resampler|talker|code2wav)\..*|(?:model\.)?image_newline"
)


def extra(name: str, layers: int, tied: bool) -> str | None:
    """Why a tensor is none of the language model's parameters; None where it is one."""
    if _BUFFERS.fullmatch(name):
        return "buffers that code computes"
    if _TOWERS.fullmatch(name):
        return TOWERS
    if name.endswith("e_score_correction_bias"):
        return "corrections of the router's scores"
    layer = LAYER.fullmatch(name)
    if re.match(r"(?:model\.)?mtp\.", name) or (layer is not None and int(layer[1]) >= layers):
        return FURTHER
    if tied and _HEAD.fullmatch(name.rpartition(".")[0]):
        return "a copy of the embedding as the head, which is tied"
    return None


def stored(tensors: Iterable[Tensor], names: ModuleNames, layers: int, tied: bool) -> list[StoredTensor]:
    """The tensors of a checkpoint of `layers` layers. Scales count no elements, packed weights none that are known."""
    out = []
    for tensor in tensors:
        match = _ENDING.fullmatch(tensor.name)
        module, ending = (match["module"], match["ending"]) if match else (tensor.name, "weight")
        packed = ending in _PACKED or (ending == "weight" and tensor.dtype not in FORMATS)
        found = StoredTensor(
            tensor.name,
            tensor.elements if ending in _PLAIN and not packed else 0,
            tensor.bytes,
            FORMATS.get(tensor.dtype, f"{tensor.dtype.lower()} of {BITS[tensor.dtype]} bits"),
            names.operations(module),
            extra(tensor.name, layers, tied),
        )
        out.append(found._replace(format="packed") if packed else found)
    return out
