"""What checkpoints call the modules of a layer: by kind of attention and of feed-forward, as data.

Of the names of an operation those hold whose first part the family uses (`CONTAINERS`). Source: the model code of
transformers 5.23.0, vLLM (fused names), and the checkpoints of DeepSeek and Kimi.
"""

from __future__ import annotations

from typing import Final

#: kind of attention -> operation -> names of its module.
ATTENTIONS: Final[dict[str, dict[str, str]]] = {
    "softmax": {
        "q_proj": """
            self_attn.q_proj self_attn.qkv_proj self_attn.query_key_value self_attn.W_pack attn.q_proj attn.c_attn
            attn.qkv_proj attn.Wqkv attn.attention.q_proj attention.query_key_value attention.self.query
            attention.q_lin self_attention.query_key_value mixer.q_proj temporal_block.q_proj
            norm_attn_norm.attn.Wqkv layer.0.SelfAttention.q mixer.Wqkv attention.wqkv
            self_attention.query
        """,
        "k_proj": """
            self_attn.k_proj self_attn.qkv_proj self_attn.query_key_value self_attn.W_pack attn.k_proj attn.c_attn
            attn.qkv_proj attn.Wqkv attn.attention.k_proj attention.query_key_value attention.self.key
            attention.k_lin self_attention.query_key_value mixer.k_proj temporal_block.k_proj
            norm_attn_norm.attn.Wqkv layer.0.SelfAttention.k mixer.Wqkv attention.wqkv
            self_attention.key_value
        """,
        "v_proj": """
            self_attn.v_proj self_attn.qkv_proj self_attn.query_key_value self_attn.W_pack attn.v_proj attn.c_attn
            attn.qkv_proj attn.Wqkv attn.attention.v_proj attention.query_key_value attention.self.value
            attention.v_lin self_attention.query_key_value mixer.v_proj temporal_block.v_proj
            norm_attn_norm.attn.Wqkv layer.0.SelfAttention.v mixer.Wqkv attention.wqkv
            self_attention.key_value
        """,
        "o_proj": """
            self_attn.o_proj self_attn.out_proj self_attn.dense attn.o_proj attn.c_proj attn.out_proj
            attn.attention.out_proj attention.dense attention.output.dense attention.out_lin self_attention.dense
            mixer.o_proj temporal_block.o_proj norm_attn_norm.attn.out_proj layer.0.SelfAttention.o mixer.out_proj
            attention.wo
        """,
        "output_gate_proj": "self_attn.g_proj self_attn.gate_proj",
    },
    "block_sparse": {
        "q_proj": "self_attn.q_proj self_attn.qkv_proj",
        "k_proj": "self_attn.k_proj self_attn.qkv_proj",
        "v_proj": "self_attn.v_proj self_attn.qkv_proj",
        "o_proj": "self_attn.o_proj",
        "indexer_q_proj": "self_attn.index_q_proj self_attn.indexer.q_proj",
        "indexer_k_proj": "self_attn.index_k_proj self_attn.indexer.k_proj",
    },
    "latent": {
        "q_proj": "self_attn.q_proj",
        "q_a_proj": "self_attn.q_a_proj self_attn.fused_qkv_a_proj attn.wq_a",
        "q_b_proj": "self_attn.q_b_proj attn.wq_b",
        "kv_a_proj": "self_attn.kv_a_proj_with_mqa self_attn.fused_qkv_a_proj attn.wkv_a",
        "kv_b_proj": "self_attn.kv_b_proj attn.wkv_b self_attn.embed_q self_attn.unembed_out",
        "o_proj": "self_attn.o_proj attn.wo",
        "output_gate_proj": "self_attn.g_proj self_attn.gate_proj",
        "indexer_q_proj": "self_attn.indexer.wq_b attn.indexer.wq_b",
        "indexer_k_proj": "self_attn.indexer.wk attn.indexer.wk",
        "indexer_weights": "self_attn.indexer.weights_proj attn.indexer.weights_proj",
    },
    "compressed": {
        "q_a_proj": "self_attn.q_a_proj attn.wq_a",
        "q_b_proj": "self_attn.q_b_proj attn.wq_b",
        "kv_proj": "self_attn.kv_proj attn.wkv",
        "o_a_proj": "self_attn.o_a_proj attn.wo_a",
        "o_b_proj": "self_attn.o_b_proj attn.wo_b",
        "compressor_kv_proj": "self_attn.compressor.kv_proj attn.compressor.wkv",
        "compressor_gate_proj": "self_attn.compressor.gate_proj attn.compressor.wgate",
        "indexer_kv_proj": "self_attn.compressor.indexer.kv_proj attn.indexer.compressor.wkv",
        "indexer_gate_proj": "self_attn.compressor.indexer.gate_proj attn.indexer.compressor.wgate",
        "indexer_q_proj": "self_attn.compressor.indexer.q_b_proj attn.indexer.wq_b",
        "indexer_weights": "self_attn.compressor.indexer.weights_proj attn.indexer.weights_proj",
    },
    "gated_delta": {
        "in_proj_qkv": "linear_attn.in_proj_qkv linear_attn.in_proj_qkvz linear_attn.q_proj",
        "in_proj_z": "linear_attn.in_proj_z linear_attn.in_proj_qkvz linear_attn.g_proj",
        "in_proj_ba": "linear_attn.in_proj_b linear_attn.in_proj_ba linear_attn.b_proj",
        "in_proj_ba+": "linear_attn.in_proj_a linear_attn.in_proj_ba linear_attn.a_proj",
        "out_proj": "linear_attn.out_proj linear_attn.o_proj",
    },
    "kimi_delta": {
        "q_proj": "self_attn.q_proj",
        "k_proj": "self_attn.k_proj",
        "v_proj": "self_attn.v_proj",
        "decay_a_proj": "self_attn.f_a_proj",
        "decay_b_proj": "self_attn.f_b_proj",
        "rate_proj": "self_attn.b_proj",
        "gate_a_proj": "self_attn.g_a_proj",
        "gate_b_proj": "self_attn.g_b_proj self_attn.g_proj",
        "o_proj": "self_attn.o_proj",
    },
    "lightning": {
        "qkv_proj": "self_attn.qkv_proj",
        "output_gate_proj": "self_attn.output_gate",
        "o_proj": "self_attn.out_proj self_attn.o_proj",
    },
    "mamba": {
        "in_proj": "mixer.in_proj mamba.in_proj",
        "x_proj": "mixer.x_proj mamba.x_proj",
        "dt_proj": "mixer.dt_proj mamba.dt_proj",
        "out_proj": "mixer.out_proj mamba.out_proj",
    },
    "mamba2": {
        "in_proj": "mixer.in_proj mamba.in_proj mamba_decoder.mamba.in_proj",
        "out_proj": "mixer.out_proj mamba.out_proj mamba_decoder.mamba.out_proj",
    },
    "short_conv": {"in_proj": "conv.in_proj", "out_proj": "conv.out_proj"},
    "gated_recurrence": {
        "x_proj": "temporal_block.linear_x",
        "y_proj": "temporal_block.linear_y",
        "out_proj": "temporal_block.linear_out",
    },
    "mlstm": {
        "q_proj": "mlstm_layer.q",
        "k_proj": "mlstm_layer.k",
        "v_proj": "mlstm_layer.v",
        "output_gate_proj": "mlstm_layer.ogate_preact",
        "input_gate": "mlstm_layer.igate_preact",
        "forget_gate": "mlstm_layer.fgate_preact",
        "o_proj": "mlstm_layer.out_proj",
    },
    "time_mix": {
        "k_proj": "attention.key",
        "v_proj": "attention.value",
        "receptance_proj": "attention.receptance",
        "o_proj": "attention.output",
    },
    "channel_mix": {
        "channel_key_proj": "feed_forward.key",
        "channel_value_proj": "feed_forward.value",
        "channel_receptance": "feed_forward.receptance",
    },
    "shared_block": {
        "q_proj": "shared_transformer.self_attn.q_proj",
        "k_proj": "shared_transformer.self_attn.k_proj",
        "v_proj": "shared_transformer.self_attn.v_proj",
        "o_proj": "shared_transformer.self_attn.o_proj",
        "gate_up_proj": "shared_transformer.feed_forward.gate_up_proj",
        "down_proj": "shared_transformer.feed_forward.down_proj",
        "gate_up_adapter_a": "shared_transformer.feed_forward.gate_up_proj_adapter_list.0.0",
        "gate_up_adapter_b": "shared_transformer.feed_forward.gate_up_proj_adapter_list.0.1",
        "block_proj": "linear",
    },
}

#: Attention of a decoder to its encoder.
CROSS: Final[dict[str, str]] = {
    "cross_q_proj": "encoder_attn.q_proj layer.1.EncDecAttention.q",
    "cross_k_proj": "encoder_attn.k_proj layer.1.EncDecAttention.k",
    "cross_v_proj": "encoder_attn.v_proj layer.1.EncDecAttention.v",
    "cross_o_proj": "encoder_attn.out_proj layer.1.EncDecAttention.o",
}

_FUSED: Final = "mlp.gate_up_proj feed_forward.gate_up_proj"
DENSE: Final[dict[str, str]] = {
    "gate_proj": f"""
        mlp.gate_proj {_FUSED} feed_forward.gate_proj feed_forward.w1 mlp_block.gate_proj ffn.proj_up_gate
        shared_mlp.input_linear block_sparse_moe.w1 layer.{{last}}.DenseReluDense.wi_0 mlp.c_fc_0 mlp.c_fc2 mlp.w2
        mlp.dense_h_to_4h ffn.proj_1
    """,
    "up_proj": f"""
        mlp.up_proj {_FUSED} mlp.c_fc mlp.fc_in mlp.fc1 mlp.dense_h_to_4h fc1 ffn.up_proj ffn.proj_up ffn.lin1
        intermediate.dense mixer.up_proj feed_forward.up_proj feed_forward.w3 mlp_block.up_proj
        shared_mlp.input_linear block_sparse_moe.w3 layer.{{last}}.DenseReluDense.wi_1 layer.{{last}}.DenseReluDense.wi
        mlp.c_fc_1 mlp.w1 ffn.proj_1
    """,
    "down_proj": """
        mlp.down_proj mlp.c_proj mlp.fc_out mlp.fc2 mlp.dense_4h_to_h fc2 ffn.down_proj ffn.proj_down ffn.lin2
        output.dense mixer.down_proj feed_forward.down_proj feed_forward.w2 mlp_block.down_proj
        shared_mlp.output_linear block_sparse_moe.w2 layer.{last}.DenseReluDense.wo ffn.proj_2
    """,
}

#: Modules that checkpoints of a family have fused, and families whose experts have matrices w1, w2 and w3.
STORED_FUSED: Final[dict[str, str]] = {
    "phi3 phi4mm": "qkv_proj gate_up_proj",
    "glm glm4": "gate_up_proj",
    "gpt_oss": "gate_up_proj",
    "baichuan": "W_pack",
    "qwen jais codeshell openai-gpt": "c_attn",
    "chatglm": "query_key_value dense_h_to_4h",
    "internlm2": "wqkv",
    "phi-msft": "Wqkv",
    "openelm": "qkv_proj proj_1",
    "qwen3_next": "in_proj_qkvz in_proj_ba",
}
LETTERED: Final = "mixtral phimoe minimax_m2 minimax minimax_text_01 kimi_linear deepseek_ref"

_ROUTED: Final = ("mlp", "block_sparse_moe", "ffn", "feed_forward", "mixer", "moe")


def _experts(matrix: str, letter: str, joined: str) -> str:
    """Names of one matrix of the experts: each expert's, those of all, and where gate and up are one tensor."""
    each = [f"{part}.experts.{{e}}.{name}" for part in _ROUTED for name in (matrix, letter)]
    whole = [f"{part}.experts.{name}" for part in _ROUTED for name in (matrix, joined, letter)]
    alone = [f"moe.{matrix}", f"experts.{{e}}.{matrix}", f"experts.{matrix}", f"experts.{joined}"]
    linear = "output_linear" if matrix == "down_proj" else "input_linear"
    return " ".join(dict.fromkeys([*each, *whole, *alone, f"block_sparse_moe.{linear}"]))


EXPERTS: Final[dict[str, str]] = {
    "experts_gate": _experts("gate_proj", "w1", "gate_up_proj"),
    "experts_up": _experts("up_proj", "w3", "gate_up_proj"),
    "experts_down": _experts("down_proj", "w2", "down_proj"),
}
ROUTER: Final = """
    mlp.gate mlp.router block_sparse_moe.gate block_sparse_moe.router.layer ffn.gate ffn.router.layer mixer.gate
    feed_forward.router feed_forward.gate moe.gate router.proj mlp.gate.wg
"""


def _shared(matrix: str, letter: str, linear: str) -> str:
    inside = ("shared_experts", "shared_expert", "shared_mlp")
    names = [f"{part}.{module}.{name}" for part in _ROUTED for module in inside for name in (matrix, letter)]
    fused = [] if matrix == "down_proj" else [f"mlp.{module}.gate_up_proj" for module in inside]
    return " ".join([*names, *fused, f"share_expert.{matrix}", f"shared_mlp.{linear}"])


SHARED: Final[dict[str, str]] = {
    "shared_gate_proj": _shared("gate_proj", "w1", "input_linear"),
    "shared_up_proj": _shared("up_proj", "w3", "input_linear"),
    "shared_down_proj": _shared("down_proj", "w2", "output_linear"),
}
SHARED_GATE: Final = "mlp.shared_expert_gate"
LATENT: Final[dict[str, str]] = {
    "latent_down_proj": "mixer.fc1_latent_proj mlp.fc1_latent_proj",
    "latent_up_proj": "mixer.fc2_latent_proj mlp.fc2_latent_proj",
}
#: Paths beside the layers of Gemma 3n and Gemma 4.
PER_LAYER: Final[dict[str, str]] = {
    "per_layer_gate": "per_layer_input_gate",
    "per_layer_projection": "per_layer_projection",
}
LAUREL: Final[dict[str, str]] = {"laurel_left": "laurel.linear_left", "laurel_right": "laurel.linear_right"}
ALTUP: Final[dict[str, str]] = {
    "altup_router": "altup.modality_router",
    "altup_prediction_coefs": "altup.prediction_coefs",
    "altup_correction_coefs": "altup.correction_coefs",
}
#: What no tool narrows, by the last word of its name: convolutions, sinks.
BESIDE: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys("conv1d conv_1d conv q_conv1d k_conv1d v_conv1d".split(), ("conv",)),  # noqa: SIM905
    "sinks": ("attention",),
}
#: Modules outside of the layers: embeddings, heads, and matrices.
EMBEDDINGS: Final = """
    model.embed_tokens model.language_model.embed_tokens language_model.model.embed_tokens transformer.wte
    transformer.word_embeddings gpt_neox.embed_in model.decoder.embed_tokens backbone.embeddings backbone.embedding
    model.embed embed shared model.shared embeddings.word_embeddings rwkv.embeddings model.tok_embeddings
    transformer.embedding.word_embeddings transformer.token_embeddings transformer.embd.wte
"""
HEADS: Final = (
    "lm_head language_model.lm_head model.lm_head embed_out head output transformer.output_layer lm_head.linear"
)
OUTSIDE: Final[dict[str, str]] = {
    "per_layer_model_projection": "model.per_layer_model_projection model.language_model.per_layer_model_projection",
    "altup_projections": "model.altup_projections.0 model.language_model.altup_projections.0",
    "altup_unembed_projections": "model.altup_unembed_projections.0 model.language_model.altup_unembed_projections.0",
}
