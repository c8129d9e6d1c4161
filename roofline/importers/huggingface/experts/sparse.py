"""Families whose attention sees a part of the keys: DeepSeek V3.2 and V4, GLM-5, MiniMax M3.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import dense_block, mixed, routed, softmax
from roofline.importers.huggingface.defaults import defaults_of
from roofline.importers.huggingface.experts.latent import (
    latent_attention,
    latent_body,
    mtp_layers,
    not_read,
    sparse_after_dense,
)

_SLIDING: Final = "sliding_attention"
_SPARSE: Final = "compressed_sparse_attention"
_HEAVY: Final = "heavily_compressed_attention"
_NAMES: Final = {_SLIDING: "window", _SPARSE: "compressed-sparse", _HEAVY: "compressed-heavily"}
#: The legacy `compress_ratios` in the words of `layer_types`.
_RATIOS: Final = {0: _SLIDING, 4: _SPARSE, 128: _HEAVY}


def indexed(config: Config) -> dict[str, Any]:
    """DeepSeek V3.2 and GLM-5: latent attention to the keys that an indexer chooses.

    GLM-5.1 and 5.2 say by `indexer_types` (or a frequency) which layers have an indexer and which take over the choice
    of an earlier layer.
    """
    layers = config.whole("num_hidden_layers")
    config.texts("layer_types", length=layers, choices=("indexed_attention",))
    attention = latent_attention(config)
    if "query_rank" not in attention:
        config.unsupported("q_lora_rank", "an indexer without a latent of the queries is not modelled")
    indexer = _indexer(config)
    own = {**attention, "indexer": indexer}
    shared = {**attention, "indexer": {**indexer, "own": False}}
    attentions = [own if full else shared for full in _own_indexers(config, layers)]
    config.ignore("index_share_for_mtp_iteration")
    body = latent_body(config, attentions, sparse_after_dense(config, layers), mtp_layers(config))
    if "mtp" in body:
        body["mtp"] = {**body["mtp"], "attention": own}
    return body


def axk2(config: Config) -> dict[str, Any]:
    """A.X K2: DeepSeek V3.2 with a gate beside the queries, and gates of the norms before attention and experts."""
    layers = config.whole("num_hidden_layers")
    config.texts("layer_types", length=layers, choices=("indexed_attention",))
    attention = latent_attention(config)
    if "query_rank" not in attention:
        config.refuse("q_lora_rank", "the class has no queries without a latent of their own")
    if not config.has("first_k_dense_replace"):
        config.defaults = {**config.defaults, "first_k_dense_replace": 1}
    rank = config.whole("gated_norm_rank")
    attention |= {"joint_gate": True, "indexer": _indexer(config)}
    body = latent_body(config, [attention] * layers, sparse_after_dense(config, layers), mtp_layers(config))
    for block in body["blocks"]:
        gates = 2 if block["feed_forward"]["kind"] == "experts" else 1
        block |= {"norm_gates": gates, "norm_gate_rank": rank}
    return body


def hy_v4(config: Config) -> dict[str, Any]:
    """Hunyuan V4: GLM-5's attention with a gate per element and sinks, several residual streams without a mix."""
    layers = config.whole("num_hidden_layers")
    config.texts("layer_types", length=layers, choices=("indexed_attention",))
    config.ignore("hc_magnitude", "learnable_sink_init", "swiglu_limit", "first_k_dense_replace", "moe_layer_freq")
    attention = latent_attention(config) | {"output_gate": True, "sinks": True}
    if "query_rank" not in attention:
        config.refuse("q_lora_rank", "the class has no queries without a latent of their own")
    indexer = _indexer(config)
    kinds = config.texts("indexer_types", length=layers, choices=("full", "shared"))
    own = [kind == "full" for kind in kinds] if kinds else [not index or index % 4 == 1 for index in range(layers)]
    if not own[0]:
        config.refuse("indexer_types", "the first layer has no earlier choice to take over")
    attentions = [{**attention, "indexer": indexer if full else {**indexer, "own": False}} for full in own]
    config.defaults = {**config.defaults, "first_k_dense_replace": 1}
    body = latent_body(config, attentions, sparse_after_dense(config, layers), mtp_layers(config))
    return body | {"residual_streams": config.whole("hc_mult", least=2), "streams_mix": False}


def _indexer(config: Config) -> dict[str, Any]:
    return {
        "heads": config.whole("index_n_heads"),
        "dim": config.whole("index_head_dim"),
        "top_k": config.whole("index_topk"),
    }


def _own_indexers(config: Config, layers: int) -> list[bool]:
    """Whether each layer has an indexer of its own: listed, by a pattern of F and S, or by frequency and offset."""
    kinds = config.texts("indexer_types", length=layers, choices=("full", "shared"))
    pattern = config.raw("index_topk_pattern", default=None)
    every = config.whole("index_topk_freq", default=1, null=1)
    offset = config.whole("index_skip_topk_offset", default=2, null=2, least=0)
    if kinds is not None:
        found = [kind == "full" for kind in kinds]
    elif pattern is not None:
        if not isinstance(pattern, str) or len(pattern) != layers or set(pattern) - set("FS"):
            config.refuse("index_topk_pattern", f"must be a letter, F or S, for each of {layers} layers")
        found = [letter == "F" for letter in pattern]
    else:
        found = [max(index - offset + 1, 0) % every == 0 for index in range(layers)]
    if not found[0]:
        config.refuse("indexer_types", "the first layer has no earlier choice to take over")
    return found


def deepseek_v4(config: Config) -> dict[str, Any]:
    """DeepSeek V4: a window and, by layer, entries for every 4 or 128 tokens; several residual streams."""
    if not config.defaults:
        config.defaults = defaults_of("deepseek_v4")
    layers = config.whole("num_hidden_layers")
    mtp = mtp_layers(config)
    kinds = _compression(config, layers, mtp)
    rates = _rates(config)
    heads, dim = config.whole("num_attention_heads"), config.whole("head_dim")
    config.must_be("num_key_value_heads", 1)
    not_read(config, "attention_bias")
    config.must_be("mlp_bias", False, default=False)
    config.ignore("hc_sinkhorn_iters", "expert_dtype", "num_hash_layers")
    config.texts("mlp_layer_types", length=layers, choices=("hash_moe", "moe"))
    of_kind = _compressed(config, heads, dim, rates)
    width = config.whole("moe_intermediate_size")
    shared = config.whole_or_none("n_shared_experts", default=1, least=0) or 0
    if shared != 1:
        config.unsupported("n_shared_experts", f"{shared} is not modelled: the reference code builds one")
    experts = routed(config, experts="n_routed_experts", shared_width=width)
    names, attentions = [_NAMES[kind] for kind in kinds[:layers]], [of_kind[kind] for kind in kinds[:layers]]
    body = latent_body(config, attentions, lambda index: experts, 0, names=names)
    body["residual_streams"] = config.whole("hc_mult", least=2)
    if mtp:
        last = kinds[layers] if len(kinds) > layers else _SLIDING
        body["mtp"] = {"layers": mtp, "attention": of_kind[last], "feed_forward": experts}
    return body


def _compressed(config: Config, heads: int, dim: int, rates: dict[str, int]) -> dict[str, dict[str, Any]]:
    """The attention of each kind of layer."""
    groups = config.whole("o_groups")
    config.divides("o_groups", heads * dim, "elements of the heads", groups)
    base: dict[str, Any] = {
        "kind": "compressed",
        "heads": heads,
        "head_dim": dim,
        "rope_dim": _rope_dim(config, dim),
        "query_rank": config.whole("q_lora_rank"),
        "window": config.whole("sliding_window"),
        "output_groups": groups,
        "output_rank": config.whole("o_lora_rank"),
    }
    return {
        _SLIDING: base,
        _SPARSE: {**base, "rate": rates[_SPARSE], "overlap": True, "indexer": _indexer(config)},
        _HEAVY: {**base, "rate": rates[_HEAVY]},
    }


def _compression(config: Config, layers: int, mtp: int) -> list[str]:
    """The kind of each layer: `layer_types`, else the legacy `compress_ratios` (which also count the layers of further
    predictions), else as the class has it.
    """
    kinds = config.items("layer_types")
    ratios = config.wholes("compress_ratios")
    if kinds is not None:
        found = config.texts("layer_types", choices=tuple(_RATIOS.values())) or []
    elif ratios is not None:
        strange = next((ratio for ratio in ratios if ratio not in _RATIOS), None)
        if strange is not None:
            config.unsupported("compress_ratios", f"{strange} is not modelled", "Understood: 0, 4, 128.")
        found = [_RATIOS[ratio] for ratio in ratios]
    else:
        found = [_HEAVY if index < 2 or index % 2 == 0 else _SPARSE for index in range(layers)]
    if len(found) not in (layers, layers + max(mtp, 1)):
        key = "layer_types" if kinds is not None else "compress_ratios"
        config.refuse(key, f"has {len(found)} items for {layers} layers")
    return found


def _rates(config: Config) -> dict[str, int]:
    rates = {_SPARSE: 4, _HEAVY: 128}
    section = config.section("compress_rates")
    if section is not None:
        rates = {kind: section.whole(kind, default=rate) for kind, rate in rates.items()}
    return {
        _SPARSE: config.whole("compress_rate_csa", default=rates[_SPARSE]),
        _HEAVY: config.whole("compress_rate_hca", default=rates[_HEAVY]),
    }


def _rope_dim(config: Config, dim: int) -> int:
    rope = config.whole_or_none("qk_rope_head_dim")
    return rope if rope is not None else int(dim * parts.rotary_fraction(config, 64 / 512))


def minimax_m3(config: Config) -> dict[str, Any]:
    """MiniMax M3: grouped-query attention, in most layers to the blocks that an indexer chooses; dense layers first."""
    config.defaults = defaults_of("minimax_m3_vl_text")
    layers, width = config.whole("num_hidden_layers"), config.whole("hidden_size")
    heads, kv_heads = parts.heads_of(config)
    head_dim = parts.head_dim_of(config, width, heads)
    for key in ("attention_output_gate", "attention_bias"):
        config.must_be(key, False, default=False)
    config.must_be("use_qk_norm", True, default=True)
    config.must_be("qk_norm_type", "per_head", default="per_head")
    config.ignore("use_routing_bias", "first_k_dense_replace")
    rotated = config.whole_or_none("rotary_dim", default=64) or head_dim
    section = config.section("sparse_attention_config")
    plain = softmax(heads, kv_heads, head_dim)
    full = {**plain, "qk_norm": "head"}
    sparse = {**plain, "kind": "block_sparse", "rotary_dim": rotated, **_blocks(config, section)}
    attentions = [sparse if chosen else full for chosen in _sparse_attention(config, section, layers)]
    dense, experts = _minimax_m3_blocks(config)
    body = latent_body(config, attentions, mixed(dense, experts, _routed(config, layers)), 0)
    if rotated != head_dim:
        body["positions"] = {"kind": "rotary", "rotary_dim": rotated}
    modules = mtp_layers(config, "num_mtp_modules") or mtp_layers(config)
    config.ignore("num_nextn_predict_layers", "mtp_transformer_layers", "use_mtp")
    if modules:
        body["mtp"] = {"layers": modules, "attention": full, "feed_forward": experts}
        body["unverified"] = ["mtp: modules taken to be a layer with full attention and experts each"]
    return body


def _minimax_m3_blocks(config: Config) -> tuple[dict[str, Any], dict[str, Any]]:
    """The feed-forward of dense layers, and of layers with experts."""
    swiglu = config.raw("hidden_act", default="silu") == "swigluoai"
    activation = "silu" if swiglu else parts.activation(config, "hidden_act")
    shared = config.whole("shared_intermediate_size", least=0)
    shared *= config.whole("n_shared_experts", default=1, null=1, least=0)
    width = config.whole("intermediate_size")
    if config.given("moe_intermediate_size") and config.whole("moe_intermediate_size") != width:
        config.refuse("moe_intermediate_size", f"contradicts intermediate_size = {width}")
    experts = routed(config, activation, width="intermediate_size", shared_width=shared)
    return dense_block(config.whole("dense_intermediate_size"), activation), experts


def _blocks(config: Config, section: Config | None) -> dict[str, int]:
    """The indexer's shapes: in `sparse_attention_config`, or flat."""
    names = {
        "block": ("sparse_block_size", "index_block_size"),
        "top_blocks": ("sparse_topk_blocks", "index_topk_blocks"),
        "index_heads": ("sparse_num_index_heads", "index_n_heads"),
        "index_dim": ("sparse_index_dim", "index_head_dim"),
    }
    if section is None:
        config.ignore("index_local_blocks")
        return {field: config.whole(flat) for field, (_, flat) in names.items()}
    section.must_be("use_sparse_attention", True, default=True)
    section.must_be("sparse_score_type", "max", default="max")
    section.ignore("sparse_attention_freq", "sparse_disable_index_value", "sparse_init_block", "sparse_local_block")
    config.ignore(*(flat for _, flat in names.values()), "index_local_blocks")
    return {field: section.whole(legacy, default=config.defaults[flat]) for field, (legacy, flat) in names.items()}


def _sparse_attention(config: Config, section: Config | None, layers: int) -> list[bool]:
    kinds = config.texts("layer_types", length=layers, choices=("full_attention", "minimax_m3_sparse"))
    if kinds is not None:
        return [kind == "minimax_m3_sparse" for kind in kinds]
    flags = None if section is None else section.wholes("sparse_attention_freq", length=layers)
    return [bool(flag) for flag in flags] if flags is not None else [False] * layers


def _routed(config: Config, layers: int) -> list[bool]:
    kinds = config.texts("mlp_layer_types", length=layers, choices=("dense", "sparse"))
    flags = config.wholes("moe_layer_freq", length=layers)
    if kinds is not None:
        return [kind == "sparse" for kind in kinds]
    return [True] * layers if flags is None else [bool(flag) for flag in flags]
