"""Decoders with keys of their own and one matrix for queries, keys and values, in files that bring their code.

Source: the configuration and modelling code beside each family's released files; vLLM's classes of the same names. The
totals of released models are checked in `tests/importers/test_own_families.py`.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.classic.decoders import head_width, plain_attention
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, body_of, dense_block, layer, norm_of, softmax

_PACKED: Final = {"packed": True}
_LAYER_NORM: Final = Style(norm="layer", norm_bias=True)


def qwen(config: Config) -> dict[str, Any]:
    """Qwen 1: biases on queries, keys and values, each of gate and up half as wide as `intermediate_size`."""
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    both = config.whole("intermediate_size")
    inner = config.divides("intermediate_size", both, "of gate and up together", 2)
    bias = not config.flag("no_bias", default=True)
    head_dim = config.whole("kv_channels", default=None, null=0, least=0) or head_width(
        config, "hidden_size", width, heads
    )
    attention = plain_attention(heads, heads, head_dim, qkv_bias=True, output_bias=bias)
    style = Style(rotary_keys=("rotary_pct",))
    config.ignore(
        "use_dynamic_ntk use_logn_attn use_cache_quantization use_cache_kernel softmax_in_fp32 bf16 fp16 fp32"
    )
    config.ignore("scale_attn_weights apply_residual_connection_post_layernorm onnx_safe")
    blocks = [{"layers": config.whole("num_hidden_layers"), **layer(attention, _silu(inner, bias), style)}]
    positions = parts.rotary(config, head_dim, 1.0, "rotary_pct")
    return body_of(config, width, positions, blocks, context=("seq_length", "max_position_embeddings"))


def _silu(width: int, bias: bool) -> dict[str, Any]:
    return dense_block(width, "silu", bias=bias)


def chatglm(config: Config) -> dict[str, Any]:
    """ChatGLM 2 and 3, GLM-4 9B with its own code: half of a head rotated, RMS norms, a head of its own.

    The first ChatGLM is another model under the same type.
    """
    if config.given("position_encoding_2d", "inner_hidden_size"):
        return _first_chatglm(config)
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    head_dim = config.whole("kv_channels", default=None, null=0, least=0) or head_width(
        config, "hidden_size", width, heads
    )
    config.ignore("multi_query_group_num")
    grouped = config.flag("multi_query_attention", default=False)
    kv_heads = config.whole("multi_query_group_num", default=1) if grouped else heads
    config.divides("multi_query_group_num", heads, "heads", kv_heads)
    bias = config.flag("add_bias_linear", default=False)
    rms = config.flag("rmsnorm", default=True)
    qkv_bias = config.flag("add_qkv_bias", default=False) or bias
    style = Style(norm="rms" if rms else "layer", norm_bias=not rms)
    attention = plain_attention(heads, kv_heads, head_dim, qkv_bias=qkv_bias, output_bias=bias)
    feed_forward = dense_block(config.whole("ffn_hidden_size"), "silu", bias=bias)
    config.must_be("pre_seq_len", None, 0)
    config.must_be("quantization_bit", 0, None)
    config.ignore("apply_query_key_layer_scaling apply_residual_connection_post_layernorm rope_ratio original_rope")
    config.ignore("vocab_size prefix_projection interleaved_qkv tie_word_embeddings")
    blocks = [{"layers": config.whole("num_hidden_layers"), **layer(attention, feed_forward, style)}]
    final = config.flag("post_layer_norm", default=True)
    return {
        "vocabulary": config.whole("padded_vocab_size"),
        "width": width,
        "max_context": parts.context(config, "seq_length"),
        "positions": {"kind": "rotary", "rotary_dim": max(head_dim // 2, 2)},
        "norm": norm_of(style),
        "blocks": blocks,
        **({} if final else {"final_norm": False}),
    }


def _first_chatglm(config: Config) -> dict[str, Any]:
    """ChatGLM 6B: layer norms, biases, gelu, rotation by two positions, embedding and head in one.

    A prompt attends to all of itself, which is counted as if it were causal.
    """
    width, heads = config.whole("hidden_size"), config.whole("num_attention_heads")
    config.must_be("position_encoding_2d", True)
    config.must_be("pre_seq_len", None, 0)
    config.must_be("quantization_bit", 0, None)
    head_dim = head_width(config, "hidden_size", width, heads)
    attention = plain_attention(heads, heads, head_dim, qkv_bias=True, output_bias=True)
    feed_forward = dense_block(config.whole("inner_hidden_size"), "gelu_tanh", gated=False, bias=True)
    config.notes.append("a prompt attends to all of itself: that attention is counted as a causal one, half as much")
    config.ignore("prefix_projection tie_word_embeddings max_sequence_length")
    blocks = [{"layers": config.whole("num_hidden_layers"), **layer(attention, feed_forward, _LAYER_NORM)}]
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "max_context": parts.context(config, "max_sequence_length"),
        "positions": {"kind": "rotary"},
        "norm": norm_of(_LAYER_NORM),
        "tied_embeddings": True,
        "blocks": blocks,
    }


def phi_msft(config: Config) -> dict[str, Any]:
    """Phi-1 to Phi-2 with their first code (`phi-msft`, `mixformer-sequential`): keys as those of GPT-2."""
    width, heads = config.whole("n_embd"), config.whole("n_head")
    kv_heads = config.whole("n_head_kv", default=heads, null=heads)
    config.divides("n_head_kv", heads, "heads", kv_heads)
    head_dim = head_width(config, "n_embd", width, heads)
    inner = config.whole("n_inner", default=4 * width, null=4 * width)
    style = Style(norm="layer", norm_bias=True, norms=1, parallel=True)
    attention = plain_attention(heads, kv_heads, head_dim, qkv_bias=True, output_bias=True)
    feed_forward = dense_block(inner, parts.activation(config, "activation_function"), gated=False, bias=True)
    config.ignore("architecture fused_dense flash_rotary flash_attn phyagi_version")
    rotated = min(config.whole("rotary_dim", default=32, null=32, least=2), head_dim)
    blocks = [{"layers": config.whole("n_layer"), **layer(attention, feed_forward, style)}]
    positions = {"kind": "rotary", "rotary_dim": rotated}
    body = body_of(config, width, positions, blocks, norm=norm_of(style), context=("n_positions",))
    return body | {"head_bias": True}


def jais(config: Config) -> dict[str, Any]:
    """Jais: GPT-2 with ALiBi and a gate; learned positions where the file says so."""
    width, heads = config.whole("n_embd"), config.whole("n_head")
    head_dim = head_width(config, "n_embd", width, heads)
    inner = config.whole("n_inner", default=4 * width, null=4 * width)
    gated = config.text("activation_function", default="gelu") == "swiglu"
    activation = "silu" if gated else parts.activation(config, "activation_function")
    attention = plain_attention(heads, heads, head_dim, qkv_bias=True, output_bias=True, softmax_fp32=False)
    feed_forward = dense_block(inner, activation, gated=gated, bias=True)
    alibi = config.text("position_embedding_type", default="learned", choices=("alibi", "learned")) == "alibi"
    context = config.whole("n_positions")
    config.ignore("scale_qk_dot_by_d embeddings_scale width_scale alibi_scaling")
    config.ignore("mup_embeddings_scale mup_output_alpha mup_width_scale mup_scale_qk_dot_by_d")
    positions = {"kind": "alibi"} if alibi else {"kind": "learned", "size": context}
    blocks = [{"layers": config.whole("n_layer"), **layer(attention, feed_forward, _LAYER_NORM)}]
    return body_of(config, width, positions, blocks, norm=norm_of(_LAYER_NORM), context=("n_positions",))


def codeshell(config: Config) -> dict[str, Any]:
    """CodeShell: GPT-2 with rotary positions and groups of queries."""
    width, heads = config.whole("n_embd"), config.whole("n_head")
    grouped = config.flag("group_query_attention", default=True)
    kv_heads = config.whole("num_query_groups") if grouped else heads
    config.divides("num_query_groups", heads, "heads", kv_heads)
    config.text("position_embedding_type", default="rope", choices=("rope",))
    head_dim = head_width(config, "n_embd", width, heads)
    inner = config.whole("n_inner", default=4 * width, null=4 * width)
    attention = plain_attention(heads, kv_heads, head_dim, qkv_bias=True, output_bias=True)
    activation = parts.activation(config, "activation_function", default="gelu_pytorch_tanh")
    feed_forward = dense_block(inner, activation, gated=False, bias=True)
    blocks = [{"layers": config.whole("n_layer"), **layer(attention, feed_forward, _LAYER_NORM)}]
    return body_of(config, width, {"kind": "rotary"}, blocks, norm=norm_of(_LAYER_NORM), context=("n_positions",))


def openelm(config: Config) -> dict[str, Any]:
    """OpenELM: heads and feed-forward of a size of their own in each layer."""
    width, layers = config.whole("model_dim"), config.whole("num_transformer_layers")
    head_dim, divisor = config.whole("head_dim"), config.whole("ffn_dim_divisor", default=256)
    heads = _per_layer(config, "num_query_heads", layers)
    kv_heads = _per_layer(config, "num_kv_heads", layers)
    multipliers = config.items("ffn_multipliers", length=layers)
    if multipliers is None:
        config.refuse("ffn_multipliers", "is missing: it gives the width of each layer's feed-forward")
    normed = {"qk_norm": "head"} if config.flag("normalize_qk_projections", default=True) else {}
    gated = config.flag("ffn_with_glu", default=True)
    config.must_be("normalization_layer_name", "rms_norm")
    config.must_be("activation_fn_name", "swish")
    config.ignore("qkv_multipliers num_gqa_groups rope_freq_constant rope_max_length")
    blocks = []
    for index, multiplier in enumerate(multipliers):
        if isinstance(multiplier, bool) or not isinstance(multiplier, (int, float)) or not 0 < multiplier < 1e6:
            config.refuse("ffn_multipliers", f"must be positive numbers, not {multiplier!r}"[:100])
        config.divides("num_kv_heads", heads[index], "heads", kv_heads[index])
        attention = softmax(heads[index], kv_heads[index], head_dim, **_PACKED, **normed)
        inner = _divisible(multiplier * width, divisor)
        blocks.append(layer(attention, dense_block(inner, "silu", gated=gated), Style()))
    positions = {"kind": "rotary"}
    tied = config.flag("share_input_output_layers", default=True)
    config.ignore("tie_word_embeddings")
    return body_of(config, width, positions, parts.merged(blocks), context=("max_context_length",), tied=tied)


def _per_layer(config: Config, key: str, layers: int) -> list[int]:
    found = config.wholes(key, length=layers, least=1)
    return found if found is not None else config.refuse(key, "is missing: it gives the heads of each layer")


def _divisible(value: float, divisor: int) -> int:
    """The nearest multiple of a divisor that is not more than a tenth below the value."""
    near = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * value else near
