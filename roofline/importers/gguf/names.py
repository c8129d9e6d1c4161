"""Names of GGUF's tensors, and the operations of the ledger whose parameters they hold.

Source: the tables TENSOR_NAMES and MODEL_TENSORS of the Python library `gguf` 0.19.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from roofline.importers.gguf.header import Tensor
from roofline.importers.stored.tensor import StoredTensor

#: Operations are named `part.operation`, the part being the last word of its block in the ledger.
_QKV: Final = ("attention.q_proj", "attention.k_proj", "attention.v_proj")
_UP: Final = "feed_forward.up_proj"
_EXPERTS: Final = ("feed_forward.experts",)
#: Of these operations those that the model has hold a tensor of the layers; several share one that is fused.
IN_LAYERS: Final[dict[str, tuple[str, ...]]] = {
    "attn_q": ("attention.q_proj", "attention.output_gate_proj"),
    "attn_k": ("attention.k_proj",),
    "attn_v": ("attention.v_proj",),
    "attn_qkv": ("attention.qkv_proj", "attention.in_proj_qkv", *_QKV),
    "attn_output": ("attention.o_proj",),
    "attn_gate": ("attention.in_proj_z", "attention.output_gate_proj"),
    "attn_sinks": ("attention.attention",),
    "attn_q_a": ("attention.q_a_proj",),
    "attn_q_b": ("attention.q_b_proj",),
    "attn_kv_a_mqa": ("attention.kv_a_proj",),
    "attn_kv_b": ("attention.kv_b_proj",),
    "attn_k_b": ("attention.kv_b_proj",),
    "attn_v_b": ("attention.kv_b_proj",),
    "ffn_gate": ("feed_forward.gate_proj",),
    "ffn_up": (_UP,),
    "ffn_down": ("feed_forward.down_proj",),
    "ffn_gate_inp": ("feed_forward.router",),
    "ffn_gate_exps": _EXPERTS,
    "ffn_up_exps": _EXPERTS,
    "ffn_gate_up_exps": _EXPERTS,
    "ffn_down_exps": _EXPERTS,
    "ffn_gate_shexp": ("feed_forward.shared_gate_proj",),
    "ffn_up_shexp": ("feed_forward.shared_up_proj",),
    "ffn_down_shexp": ("feed_forward.shared_down_proj",),
    "ffn_gate_inp_shexp": ("feed_forward.shared_gate",),
    "ssm_in": ("attention.in_proj", "attention.in_proj_qkv", "attention.in_proj_z"),
    "ssm_x": ("attention.x_proj",),
    "ssm_dt": ("attention.dt_proj",),
    "ssm_out": ("attention.out_proj",),
    "ssm_conv1d": ("attention.conv",),
    "ssm_ba": ("attention.in_proj_ba",),
    "ssm_alpha": ("attention.in_proj_ba",),
    "ssm_beta": ("attention.in_proj_ba",),
    "shortconv.in_proj": ("attention.in_proj",),
    "shortconv.out_proj": ("attention.out_proj",),
    "shortconv.conv": ("attention.conv",),
    "inp_gate": ("side.per_layer_gate",),
    "proj": ("side.per_layer_projection",),
    "laurel_l": ("side.laurel_left",),
    "laurel_r": ("side.laurel_right",),
    "altup_router": ("side.altup_router",),
    "altup_predict_coef": ("side.altup_prediction_coefs",),
    "altup_correct_coef": ("side.altup_correction_coefs",),
}
#: Tensors outside the layers.
OUTSIDE: Final[dict[str, tuple[str, ...]]] = {
    "token_embd": ("embedding.embedding",),
    "position_embd": ("embedding.position_embedding",),
    "token_types": ("embedding.type_embedding",),
    "output": ("head.head",),
    "per_layer_token_embd": ("embedding.per_layer_embedding",),
    "per_layer_model_proj": ("embedding.per_layer_model_projection",),
    "altup_proj": ("embedding.altup_projections",),
    "altup_unembd_proj": ("head.altup_unembed_projections",),
}
#: Gemma 4's dense feed-forward beside experts is what every token visits, and its router has scales.
_GEMMA4: Final = {
    "ffn_gate.weight": ("feed_forward.shared_gate_proj",),
    "ffn_up.weight": ("feed_forward.shared_up_proj",),
    "ffn_down.weight": ("feed_forward.shared_down_proj",),
    "ffn_gate_inp.scale": ("feed_forward.router",),
    "ffn_down_exps.scale": ("feed_forward.router",),
}
#: AFMoE's corrections of the router's scores are parameters of its class.
_AFMOE: Final = {"exp_probs_b.bias": ("feed_forward.router",)}
#: Tensors that are no parameters of the model as it is counted, and why.
_EXTRA: Final = re.compile(
    r"(?P<rope>rope_(freqs|factors_\w+)\.weight)"
    r"|(?P<correction>blk\.\d+\.exp_probs_b(\.bias)?)"
    r"|(?P<layer>blk\.\d+\.layer_output_scale\.weight)"
    r"|(?P<scale>.*\.(scale|input_scale))"
    r"|(?P<mtp>blk\.\d+\.nextn\..*)"
)
WHY: Final = {
    "rope": "factors of the rotation",
    "correction": "corrections of the router's scores",
    "layer": "scales of whole layers",
    "scale": "scales beside a matrix",
    "mtp": "heads that predict further tokens",
}
_LAYER: Final = re.compile(r"blk\.(\d+)\.(.+?)(?:\.(\d+))?\.(weight|bias)")


def extra(name: str, layers: int) -> str | None:
    """Why a tensor is none of the model's parameters; None where it is one."""
    match = _EXTRA.fullmatch(name)
    if match is not None:
        return WHY[str(match.lastgroup)]
    layer = re.match(r"blk\.(\d+)\.", name)
    return WHY["mtp"] if layer is not None and int(layer[1]) >= layers else None


def operations(name: str, fused: bool = False) -> tuple[str, ...]:
    """The operations that may hold a tensor; none where only the sum of the rest can be compared.

    `ffn_up.3` is expert 3 of files from before experts were one tensor; where `fused`, `ffn_up` holds the gate too.
    """
    match = _LAYER.fullmatch(name)
    if match is None:
        return OUTSIDE.get(name.rpartition(".")[0], ())
    if match[3] is not None and match[2] in ("ffn_gate", "ffn_up", "ffn_down"):
        return _EXPERTS
    found = IN_LAYERS.get(match[2], ())
    return (*found, "feed_forward.gate_proj") if fused and match[2] == "ffn_up" else found


def stored(tensors: Iterable[Tensor], layers: int, arch: str) -> list[StoredTensor]:
    """The tensors of a file of a model of `layers` layers and of an architecture."""
    listed = list(tensors)
    fused = not any(tensor.name.endswith(".ffn_gate.weight") for tensor in listed)
    mixed = arch == "gemma4" and any(".ffn_down_exps." in tensor.name for tensor in listed)
    out = []
    for tensor in listed:
        owned = _GEMMA4 if mixed else _AFMOE if arch == "afmoe" else {}
        own = owned.get(tensor.name.split(".", 2)[-1])
        why = None if own else extra(tensor.name, layers)
        held = own or operations(tensor.name, fused)
        out.append(StoredTensor(tensor.name, tensor.elements, tensor.bytes, tensor.type.name, held, why))
    return out
