"""What checkpoints call the modules of attention, and of what stands in its place, as data.

Source: as `names.py` beside this file.
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
        "q_b_proj": "self_attn.q_b_proj self_attn.q_gate_proj attn.wq_b",
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
        "decay_a_proj": "self_attn.f_a_proj self_attn.forget_gate.f_a_proj",
        "decay_b_proj": """
            self_attn.f_b_proj self_attn.f_proj self_attn.forget_gate.f_b_proj self_attn.forget_gate.f_proj
        """,
        "rate_proj": "self_attn.b_proj",
        "gate_a_proj": "self_attn.g_a_proj",
        "gate_b_proj": "self_attn.g_b_proj self_attn.g_proj",
        "o_proj": "self_attn.o_proj",
    },
    "lightning": {
        "qkv_proj": "self_attn.qkv_proj attention.query_key_value",
        "output_gate_proj": "self_attn.output_gate attention.g_proj",
        "o_proj": "self_attn.out_proj self_attn.o_proj attention.dense",
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
    "linear": {"plain_matrix": "self_attn.linear_attn mlp.linear_mlp"},
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
    "routed_heads": {"k_proj": "self_attention.kv_proj", "v_proj": "self_attention.kv_proj"},
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
