"""Llama with other names of its keys, other norms or biases, in files that bring code of their own.

Source: the configuration and modelling code beside each family's released files; vLLM's classes of the same names. The
totals of released models are checked in `tests/importers/test_own_families.py`.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import FeedForward, Style, decoder, dense, dense_block, routed, with_shared
from roofline.importers.huggingface.dense.llama import phi3
from roofline.importers.huggingface.experts.latent import sparse_layers

#: Baichuan 7B rotates, 13B has ALiBi: the code of the first has this width where the file does not say.
_ROTATED: Final = 4096
_PACKED: Final = {"packed": True}


def internlm(config: Config) -> dict[str, Any]:
    """InternLM: biases of all four projections by `bias`; InternLM 2 packs queries, keys and values."""
    bias = config.flag("bias", default=True)
    packed = _PACKED if config.data["model_type"] == "internlm2" else {}
    return decoder(config, Style(qkv_bias=bias, output_bias=bias, attention=packed), dense(config))


def baichuan(config: Config) -> dict[str, Any]:
    """Baichuan 1 and 2: 7B rotates and states `max_position_embeddings`, 13B has ALiBi and `model_max_length`.

    Baichuan 2 norms the rows of its head, which are as many.
    """
    rotary = config.given("max_position_embeddings")
    if not rotary and not config.given("model_max_length"):
        rotary = config.whole("hidden_size") == _ROTATED
        config.notes.append(
            "neither max_position_embeddings nor model_max_length is given: "
            + ("rotary positions, as 7B has" if rotary else "ALiBi, as 13B has")
        )
    body = decoder(config, Style(attention=_PACKED), dense(config))
    config.ignore("z_loss_weight", "tokenizer_max_length")
    if config.given("model_max_length") and body["max_context"] is None:
        body["max_context"] = config.whole("model_max_length")
    config.ignore("model_max_length")
    return body if rotary else body | {"positions": {"kind": "alibi"}}


def orion(config: Config) -> dict[str, Any]:
    """Orion: Llama with layer norms."""
    config.must_be("attention_bias", False, default=False)
    return decoder(config, Style(norm="layer", norm_bias=True), dense(config))


def minicpm(config: Config) -> dict[str, Any]:
    """MiniCPM 1, 2 and 4, with experts where the file says so: Llama with scaled residuals."""
    bias = config.flag("attention_bias", default=False)
    if config.given("num_experts"):
        block = routed(config, width="intermediate_size", experts="num_experts")
        feed_forward: FeedForward = lambda index: block  # noqa: E731
    else:
        feed_forward = dense(config)
    if config.section("sparse_config") is not None:
        config.children.pop()
        config.notes.append(
            "attention is counted to all keys: the blocks that sparse_config would choose are not modelled"
        )
    return decoder(config, Style(qkv_bias=bias, output_bias=bias), feed_forward)


def deepseek(config: Config) -> dict[str, Any]:
    """DeepSeek MoE 16B (DeepSeek V1): softmax attention, dense layers first, experts with shared ones behind."""
    bias, layers = config.flag("attention_bias", default=False), config.whole("num_hidden_layers")
    style = Style(qkv_bias=bias, output_bias=bias)
    if not config.given("n_routed_experts"):
        config.ignore("n_routed_experts", "n_shared_experts", "moe_intermediate_size", "num_experts_per_tok")
        config.ignore("moe_layer_freq", "first_k_dense_replace")
        return decoder(config, style, dense(config))
    block = routed(config, experts="n_routed_experts")
    block = with_shared(block, config.whole("n_shared_experts", default=0, null=0, least=0))
    plain = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_act"))
    sparse = sparse_layers(config, layers)
    return decoder(config, style, lambda index: block if sparse[index] else plain)


def plamo(config: Config) -> dict[str, Any]:
    """PLaMo: one norm, attention and feed-forward side by side; `n_shared_head` query heads share a key-value head."""
    heads = config.whole("num_attention_heads")
    shared = config.whole("n_shared_head", default=1, null=1)
    config.data = {**config.data, "num_key_value_heads": config.divides("n_shared_head", heads, "heads", shared)}
    return decoder(config, Style(norms=1, parallel=True), dense(config))


def solar(config: Config) -> dict[str, Any]:
    """Solar Pro: Llama with a few weighted sums over blocks of layers, which are left out."""
    bias = config.flag("attention_bias", default=False)
    config.ignore("bskcn_1", "bskcn_2", "bskcn_3", "bskcn_4", "bskcn_tv")
    if config.whole_or_none("sliding_window") is not None:
        config.notes.append("sliding_window limits no layer, as in vLLM's class of Solar")
    config.notes.append(
        "the weighted sums over blocks of layers (bskcn) are left out: element-wise work in a few layers"
    )
    feed_forward = dense(config, bias=config.flag("mlp_bias", default=False))
    return decoder(config, Style(qkv_bias=bias, output_bias=bias), feed_forward)


def phi4mm(config: Config) -> dict[str, Any]:
    """Phi-4 multimodal with its own code: Phi-3, with towers in keys of their own and an adapter for each of them."""
    for flag in ("attention_bias", "mlp_bias", "lm_head_bias"):
        config.must_be(flag, False)
    body = phi3(config)
    attention, inner = body["blocks"][0]["attention"], body["blocks"][0]["feed_forward"]["width"]
    width, heads = body["width"], attention["heads"] * attention["head_dim"]
    packed = heads + 2 * attention["kv_heads"] * attention["head_dim"]
    edges = (width + packed) + (heads + width) + (width + 2 * inner) + (inner + width)
    rank = 0
    for key in ("vision_lora", "speech_lora"):
        adapter = config.section(key)
        if adapter is not None:
            config.children.pop()
            rank += adapter.whole("r", default=0, null=0, least=0)
    layers = sum(block["layers"] for block in body["blocks"])
    body["left_out"] = [f"low-rank adapters beside its layers: {rank * edges * layers:,} parameters"] if rank else []
    if config.given("embd_layer") and not config.given("audio_processor"):
        body["left_out"].append("embd_layer of phi4mm: the file does not state the sizes of its audio encoder")
    config.ignore("audio_processor embd_layer img_processor")
    return body


def telechat(config: Config) -> dict[str, Any]:
    """TeleChat 1 and 2: keys and values in one matrix; biases of the attention's output and the last matrix alone."""
    block = dense(config)(0) | {"down_bias": True}
    config.must_be("embed_layernorm", False, default=False)
    config.must_be("add_bias_linear", False, default=False)
    config.must_be("use_RMSNorm", True, default=True)
    config.ignore("base_seqlen training_seqlen logn flash_attn use_flash_attn unk_token_id")
    return decoder(config, Style(output_bias=True), lambda index: block)


def deci(config: Config) -> dict[str, Any]:
    """DeciLM: Llama with a number of key-value heads for each layer."""
    layers, heads = config.whole("num_hidden_layers"), config.whole("num_attention_heads")
    bias = config.flag("attention_bias", default=False)
    numbers = config.wholes("num_key_value_heads_per_layer", length=layers, least=1) or []
    if not numbers:
        config.refuse("num_key_value_heads_per_layer", "is missing: it gives the key-value heads of each layer")
    for number in numbers:
        config.divides("num_key_value_heads_per_layer", heads, "heads", number)
    config.data = {**config.data, "num_key_value_heads": None}
    body = decoder(config, Style(qkv_bias=bias, output_bias=bias), dense(config))
    pattern = body["blocks"][0]
    blocks = [
        {key: value for key, value in pattern.items() if key not in ("layers", "at")}
        | {"attention": pattern["attention"] | {"kv_heads": number}}
        for number in numbers
    ]
    return body | {"blocks": parts.merged(blocks)}
