"""Families with multi-head latent attention: DeepSeek V2 and V3, Kimi K2, GLM 4.7 Flash, Youtu, Mistral 4, A.X K1.

Source: the config classes and model code of transformers 5.23.0; DeepSeek-V3's and Kimi K2's own config.json.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import FeedForward, dense_block, experts_block, mixed, softmax, with_shared
from roofline.importers.huggingface.defaults import defaults_of

#: Types of which `moe_layer_freq` is read; other classes have experts in every layer behind the first ones.
_WITH_FREQUENCY: Final = ("axk1", "axk2", "dots3_note_text", "kimi_k3")


def deepseek(config: Config) -> dict[str, Any]:
    """DeepSeek V2, V3, R1 and Kimi K2: latent attention, dense layers first, experts with shared ones behind."""
    if not config.defaults:
        config.defaults = defaults_of("deepseek_v3")
    if config.data["model_type"] == "glm4_moe_lite":
        config.defaults = {**config.defaults, "first_k_dense_replace": 1}
    layers = config.whole("num_hidden_layers")
    latent = config.flag("use_mla", default=True)
    attention = latent_attention(config) if latent else _plain_attention(config)
    feed_forward = sparse_after_dense(config, layers)
    return latent_body(config, [attention] * layers, feed_forward, mtp_layers(config))


def _plain_attention(config: Config) -> dict[str, Any]:
    """Attention without latents, where `use_mla` is false (DeepSeek-VL2 tiny, DeepSeek-OCR)."""
    heads, kv_heads = parts.heads_of(config)
    width = config.divides("hidden_size", config.whole("hidden_size"), "of width", heads)
    config.ignore("q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "head_dim")
    return softmax(heads, kv_heads, width, **parts.attention_biases(config))


def brings_code(config: Config) -> bool:
    """Whether the file names code of its own, which runs in the place of the library's class."""
    return "auto_map" in (config.outer or config).data


def not_read(config: Config, key: str) -> None:
    """Read over a flag that the class of transformers does not read: with a note, where it is set."""
    if config.flag(key, default=False):
        if brings_code(config):
            config.unsupported(key, "true is not modelled", "The file brings code of its own, which may read it.")
        config.notes.append(f"ignored, since the class of transformers does not read it: {key}")


def axk1(config: Config) -> dict[str, Any]:
    """A.X K1: DeepSeek V3 with a norm of what the experts give."""
    layers = config.whole("num_hidden_layers")
    if not config.whole_or_none("q_lora_rank", least=0):
        config.refuse("q_lora_rank", "the class has no queries without a latent of their own")
    if not config.has("first_k_dense_replace"):
        config.defaults = {**config.defaults, "first_k_dense_replace": 1}
    normed = {"output_norm": True}
    feed_forward = sparse_after_dense(config, layers, **normed)
    return latent_body(config, [latent_attention(config)] * layers, feed_forward, mtp_layers(config))


def youtu(config: Config) -> dict[str, Any]:
    """Latent attention with dense layers."""
    layers = config.whole("num_hidden_layers")
    block = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_act"))
    return latent_body(config, [latent_attention(config)] * layers, lambda index: block, 0)


def minicpm3(config: Config) -> dict[str, Any]:
    """MiniCPM 3: latent attention with dense layers, tied embeddings; a null `v_head_dim` is width / heads."""
    layers, bias = config.whole("num_hidden_layers"), config.flag("mlp_bias", default=False)
    block = dense_block(config.whole("intermediate_size"), parts.activation(config, "hidden_act"), bias=bias)
    if config.whole_or_none("v_head_dim") is None:
        heads = config.whole("num_attention_heads")
        width = config.divides("hidden_size", config.whole("hidden_size"), "of width", heads)
        config.data = {**config.data, "v_head_dim": width}
    return latent_body(config, [latent_attention(config)] * layers, lambda index: block, 0)


def latent_attention(config: Config) -> dict[str, Any]:
    """The fields of latent attention. A null or zero `q_lora_rank` means queries without a latent of their own.

    `num_key_value_heads` and `head_dim` say nothing about its shapes; `qk_head_dim`, where given, is their sum.
    """
    key_dim, rope = config.whole("qk_nope_head_dim"), config.whole("qk_rope_head_dim")
    config.ignore("num_key_value_heads", "head_dim", "indexer_rope_interleave")
    if config.given("qk_head_dim") and config.whole("qk_head_dim") != key_dim + rope:
        config.refuse("qk_head_dim", f"is not qk_nope_head_dim + qk_rope_head_dim = {key_dim + rope}")
    heads, kv_rank = config.whole("num_attention_heads"), config.whole("kv_lora_rank")
    attention: dict[str, Any] = {"kind": "latent", "heads": heads, "kv_rank": kv_rank}
    rank = config.whole_or_none("q_lora_rank", least=0)
    if rank:
        attention["query_rank"] = rank
    attention |= {"key_dim": key_dim, "rope_dim": rope, "value_dim": config.whole("v_head_dim")}
    if config.flag("attention_bias", default=False):
        attention["bias"] = True
    return attention


def sparse_after_dense(config: Config, layers: int, **more: Any) -> FeedForward:
    """`first_k_dense_replace` dense layers, then experts in every `moe_layer_freq`-th; or `mlp_layer_types`.

    `more` are further fields of the experts.
    """
    activation = parts.activation(config, "hidden_act")
    biased = config.data["model_type"] == "deepseek_v2" and config.flag("mlp_bias", default=False)
    if not biased:
        not_read(config, "mlp_bias")
    experts = config.whole_or_none("n_routed_experts")
    if experts is None:
        dense = dense_block(config.whole("intermediate_size"), activation, bias=biased)
        return lambda index: dense
    sparse = sparse_layers(config, layers)
    width = config.whole("moe_intermediate_size")
    shared = config.whole_or_none("n_shared_experts", default=0, least=0) or 0
    top_k = config.whole("num_experts_per_tok")
    block = with_shared(experts_block(config, width, experts, top_k, activation, **more), shared)
    if biased and shared:
        block["shared_bias"] = True
    if all(sparse):
        config.ignore("intermediate_size")
        return lambda index: block
    return mixed(dense_block(config.whole("intermediate_size"), activation, bias=biased), block, sparse)


def sparse_layers(config: Config, layers: int) -> list[bool]:
    """Which layers have experts: by name, else those behind the first, of these each `moe_layer_freq`-th or as it
    lists, where the class or the file's own code reads that.
    """
    kinds = config.texts("mlp_layer_types", length=layers, choices=("dense", "sparse"))
    first = config.whole_or_none("first_k_dense_replace", default=0, least=0) or 0
    every = config.raw("moe_layer_freq", default=1)
    listed = config.wholes("moe_layer_freq", length=layers) if isinstance(every, list) else None
    period = 1 if listed is not None or every is None else config.whole("moe_layer_freq", default=1)
    if kinds is not None:
        return [kind == "sparse" for kind in kinds]
    if config.data["model_type"] not in _WITH_FREQUENCY and not brings_code(config):
        unread = {"moe_layer_freq": every not in (1, None)}
        if config.data["model_type"] in ("glm4_moe_lite", "hy_v4"):
            unread["first_k_dense_replace"], first = first != 1, 1
        for key in (key for key, matters in unread.items() if matters):
            config.notes.append(f"ignored, since the class of transformers does not read it: {key}")
        return [index >= first for index in range(layers)]
    if listed is not None:
        return [bool(flag) for flag in listed]
    return [index >= first and index % period == 0 for index in range(layers)]


def mtp_layers(config: Config, *keys: str) -> int:
    """Layers of the heads that predict further tokens, where the file says so; its class builds none."""
    names = keys or ("num_nextn_predict_layers", "num_mtp_layers")
    return (config.whole_or_none(*names, default=0, least=0) or 0) if config.has(*names) else 0


def latent_body(
    config: Config,
    attentions: list[dict[str, Any]],
    feed_forward: FeedForward,
    mtp: int,
    *,
    rotary: bool = True,
    names: list[str] | None = None,
) -> dict[str, Any]:
    """The body of a spec with these layers; a head that predicts further tokens is like the last layer."""
    layers = [
        {"attention": attention, "feed_forward": feed_forward(index)} for index, attention in enumerate(attentions)
    ]
    named = layers if names is None else [{"name": name, **layer} for name, layer in zip(names, layers, strict=True)]
    body: dict[str, Any] = {
        "vocabulary": parts.vocabulary(config),
        "width": config.whole("hidden_size"),
        "max_context": parts.context(config, "max_position_embeddings", "model_max_length"),
        "positions": {"kind": "rotary" if rotary else "none"},
        "norm": {"kind": "rms"},
        "tied_embeddings": parts.tied(config),
        "blocks": parts.merged(named),
    }
    if mtp:
        body["mtp"] = {"layers": mtp, **layers[-1]}
    return body
