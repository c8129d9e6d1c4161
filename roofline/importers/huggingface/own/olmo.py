"""OLMo with its first code (`hf_olmo`): the keys of AI2's own trainer.

Source: allenai/OLMo, olmo/config.py and olmo/model.py.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface.classic.decoders import head_width, plain_attention
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, body_of, dense_block, layer, norm_of

#: What changes a shape and is modelled in one value alone.
_FIXED: Final[dict[str, tuple[Any, ...]]] = {
    "block_type": ("sequential",),
    "rope": (True,),
    "alibi": (False,),
    "attention_layer_norm": (False,),
    "layer_norm_with_affine": (False,),
    "bias_for_layer_norm": (False, None),
    "activation_type": ("swiglu",),
}
#: What its trainer and its kernels alone read.
_TRAINING: Final = (
    "vocab_size mlp_ratio block_group_size clip_qkv flash_attention low_precision layer_norm_type precision",
    "attention_layer_norm_with_affine alibi_bias_max init_cutoff_factor init_device init_fn init_std scale_logits",
    "rope_full_precision attention_dropout residual_dropout embedding_dropout tie_word_embeddings",
)


def hf_olmo(config: Config) -> dict[str, Any]:
    """OLMo 1B and 7B: layer norms without weights, gate and up in one matrix of `mlp_hidden_size`."""
    width, heads = config.whole("d_model"), config.whole("n_heads")
    for key, values in _FIXED.items():
        config.must_be(key, *values)
    multi = config.flag("multi_query_attention", default=False, null=False)
    kv_heads = config.whole("n_kv_heads", default=1 if multi else heads, null=1 if multi else heads)
    config.divides("n_kv_heads", heads, "heads", kv_heads)
    bias = config.flag("include_bias", default=False)
    both = config.whole("mlp_hidden_size", default=None, null=0, least=0) or config.whole("mlp_ratio") * width
    inner = config.divides("mlp_hidden_size", both, "of gate and up together", 2)
    style = Style(norm="layer", norm_weight=False)
    head_dim = head_width(config, "d_model", width, heads)
    attention = plain_attention(heads, kv_heads, head_dim, qkv_bias=bias, output_bias=bias)
    blocks = [{"layers": config.whole("n_layers"), **layer(attention, dense_block(inner, "silu", bias=bias), style)}]
    rows = config.whole("embedding_size", default=None, null=0, least=0) or config.whole("vocab_size")
    for keys in _TRAINING:
        config.ignore(keys)
    tied = config.flag("weight_tying", default=True)
    body = body_of(
        config, width, {"kind": "rotary"}, blocks, norm=norm_of(style), context=("max_sequence_length",), tied=tied
    )
    return body | {"vocabulary": rows}
