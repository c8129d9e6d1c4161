"""Names of a checkpoint's tensors, and the operations of the ledger whose parameters they hold.

Source: the state dictionaries of the model classes of transformers 5.23.0; suffixes of scales and packed weights as
AutoGPTQ, AutoAWQ, compressed-tensors, bitsandbytes and modelopt write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from roofline.importers.safetensors.header import BITS, Tensor
from roofline.importers.stored.tensor import StoredTensor

_A, _F = "attention.", "feed_forward."
_QKV: Final = (f"{_A}q_proj", f"{_A}k_proj", f"{_A}v_proj")
_ATTENTION: Final = r"(?:self_attn|attn|attention|self_attention|mixer|linear_attn|mamba)\."
_FORWARD: Final = r"(?:mlp|ffn|feed_forward|mixer)\."
_SHARED: Final = r"(?:\w+\.)?shared_(?:experts?|mlp)\."
#: What follows the layer's number, up to the last word, and the operations that may hold it.
_TAILS: Final = [
    (re.compile(pattern), operations)
    for pattern, operations in (
        (_SHARED + r"(?:gate_proj|w1)", (f"{_F}shared_gate_proj",)),
        (_SHARED + r"(?:up_proj|w3)", (f"{_F}shared_up_proj",)),
        (_SHARED + r"(?:down_proj|w2)", (f"{_F}shared_down_proj",)),
        (_SHARED + r"gate_up_proj", (f"{_F}shared_gate_proj", f"{_F}shared_up_proj")),
        (r"(?:\w+\.)?shared_expert_gate", (f"{_F}shared_gate",)),
        (r"(?:\w+\.)?experts(?:\..*)?", (f"{_F}experts",)),
        (r"(?:mlp|block_sparse_moe|feed_forward|moe|ffn)\.(?:gate|router)", (f"{_F}router",)),
        (_ATTENTION + r"(?:q_proj|wq)", (f"{_A}q_proj", f"{_A}output_gate_proj")),
        (_ATTENTION + r"(?:k_proj|wk)", (f"{_A}k_proj",)),
        (_ATTENTION + r"(?:v_proj|wv)", (f"{_A}v_proj",)),
        (_ATTENTION + r"(?:qkv_proj|c_attn|query_key_value|qkv|Wqkv)", _QKV),
        (_ATTENTION + r"(?:o_proj|wo|out_proj|dense|c_proj)", (f"{_A}o_proj", f"{_A}out_proj")),
        (_ATTENTION + r"(?:q_a_proj|wq_a)", (f"{_A}q_a_proj",)),
        (_ATTENTION + r"(?:q_b_proj|wq_b)", (f"{_A}q_b_proj",)),
        (_ATTENTION + r"(?:kv_a_proj_with_mqa|wkv_a)", (f"{_A}kv_a_proj",)),
        (_ATTENTION + r"(?:kv_b_proj|wkv_b)", (f"{_A}kv_b_proj",)),
        (_ATTENTION + r"in_proj_qkvz", (f"{_A}in_proj_qkv", f"{_A}in_proj_z")),
        (_ATTENTION + r"in_proj_qkv", (f"{_A}in_proj_qkv",)),
        (_ATTENTION + r"in_proj_z", (f"{_A}in_proj_z",)),
        (_ATTENTION + r"in_proj_(?:ba|a|b)", (f"{_A}in_proj_ba",)),
        (_ATTENTION + r"in_proj", (f"{_A}in_proj",)),
        (_ATTENTION + r"x_proj", (f"{_A}x_proj",)),
        (_ATTENTION + r"dt_proj", (f"{_A}dt_proj",)),
        (_ATTENTION + r"conv1d", (f"{_A}conv",)),
        (_ATTENTION + r"sinks", (f"{_A}attention",)),
        (_FORWARD + r"(?:gate_proj|w1)", (f"{_F}gate_proj",)),
        (_FORWARD + r"(?:up_proj|w3|fc1|c_fc|dense_h_to_4h|fc_in)", (f"{_F}up_proj",)),
        (_FORWARD + r"(?:down_proj|w2|fc2|c_proj|dense_4h_to_h|fc_out)", (f"{_F}down_proj",)),
        (_FORWARD + r"gate_up_proj", (f"{_F}gate_proj", f"{_F}up_proj")),
    )
]
_LAYER: Final = re.compile(r"(?:.*\.)?(?:layers|h|blocks|block)\.(\d+)\.(.+)")
_EMBEDDING: Final = re.compile(r"(?:.*\.)?(?:embed_tokens|wte|word_embeddings|tok_embeddings|embed_in|embeddings)")
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
    layer = _LAYER.fullmatch(name)
    if re.match(r"(?:model\.)?mtp\.", name) or (layer is not None and int(layer[1]) >= layers):
        return FURTHER
    if tied and _HEAD.fullmatch(name.rpartition(".")[0]):
        return "a copy of the embedding as the head, which is tied"
    return None


def operations(module: str) -> tuple[str, ...]:
    """The operations that may hold a module's tensors; none where only the sum of the rest can be compared."""
    layer = _LAYER.fullmatch(f"{module}")
    if layer is None:
        if _HEAD.fullmatch(module):
            return ("head.head",)
        return ("embedding.embedding",) if _EMBEDDING.fullmatch(module) else ()
    return next((found for pattern, found in _TAILS if pattern.fullmatch(layer[2])), ())


def stored(tensors: Iterable[Tensor], layers: int, tied: bool) -> list[StoredTensor]:
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
            operations(module),
            extra(tensor.name, layers, tied),
        )
        out.append(found._replace(format="packed") if packed else found)
    return out
