"""What the config class of each model type gives a key that a config.json leaves out, and other spellings of keys.

A table of facts, a line per model type: only keys that may change a shape, none that `harmless.py` lists.

Source: the config classes of transformers 5.23.0, read off their fields and attribute maps.
"""

from __future__ import annotations

from typing import Any, Final

DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "gpt2": {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner":
        None, "activation_function": "gelu_new", "tie_word_embeddings": True},
    "gptj": {"vocab_size": 50400, "n_positions": 2048, "n_embd": 4096, "n_layer": 28, "n_head": 16,
        "rotary_dim": 64, "n_inner": None, "activation_function": "gelu_new", "tie_word_embeddings": False},
    "gpt_neo": {"vocab_size": 50257, "max_position_embeddings": 2048, "hidden_size": 2048, "num_layers": 24,
        "attention_types": None, "num_heads": 16, "intermediate_size": None, "window_size": 256,
        "activation_function": "gelu_new", "tie_word_embeddings": True},
    "gpt_neox": {"vocab_size": 50432, "hidden_size": 6144, "num_hidden_layers": 44, "num_attention_heads": 64,
        "intermediate_size": 24576, "hidden_act": "gelu", "max_position_embeddings": 2048,
        "tie_word_embeddings": False, "use_parallel_residual": True, "attention_bias": True},
    "gpt_bigcode": {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12,
        "n_inner": None, "activation_function": "gelu_pytorch_tanh", "multi_query": True, "tie_word_embeddings":
        True},
    "opt": {"vocab_size": 50272, "hidden_size": 768, "num_hidden_layers": 12, "ffn_dim": 3072,
        "max_position_embeddings": 2048, "do_layer_norm_before": True, "word_embed_proj_dim": None,
        "num_attention_heads": 12, "activation_function": "relu", "enable_bias": True,
        "layer_norm_elementwise_affine": True, "tie_word_embeddings": True},
    "bloom": {"vocab_size": 250880, "hidden_size": 64, "n_layer": 2, "n_head": 8, "tie_word_embeddings": True},
    "falcon": {"vocab_size": 65024, "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71,
        "num_ln_in_parallel_attn": None, "num_kv_heads": None, "alibi": False, "new_decoder_architecture":
        False, "multi_query": True, "parallel_attn": True, "bias": False, "max_position_embeddings": 2048,
        "ffn_hidden_size": None, "activation": "gelu", "tie_word_embeddings": True},
    "mpt": {"d_model": 2048, "n_heads": 16, "n_layers": 24, "expansion_ratio": 4, "max_seq_len": 2048,
        "vocab_size": 50368, "learned_pos_emb": True, "attn_config": None, "no_bias": True,
        "embedding_fraction": 1.0, "norm_type": "low_precision_layernorm", "tie_word_embeddings": True},
    "codegen": {"vocab_size": 50400, "n_positions": 2048, "n_ctx": 2048, "n_embd": 4096, "n_layer": 28,
        "n_head": 16, "rotary_dim": 64, "n_inner": None, "activation_function": "gelu_new",
        "tie_word_embeddings": False},
    "llama": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        2048, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False, "head_dim": None},
    "llama4_text": {"vocab_size": 202048, "hidden_size": 5120, "intermediate_size": 8192,
        "intermediate_size_mlp": 16384, "num_hidden_layers": 48, "num_attention_heads": 40,
        "num_key_value_heads": 8, "head_dim": 128, "hidden_act": "silu", "max_position_embeddings": 131072,
        "tie_word_embeddings": False, "num_experts_per_tok": 1, "num_local_experts": 16, "moe_layers": None,
        "interleave_moe_layer_step": 1, "use_qk_norm": True, "no_rope_layers": None, "attention_chunk_size":
        8192, "layer_types": None, "attention_bias": False},
    "mistral": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": None, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "sliding_window": 4096},
    "ministral": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": None, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "sliding_window": 4096, "layer_types":
        None},
    "ministral3": {"vocab_size": 131072, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers":
        34, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "hidden_act": "silu",
        "max_position_embeddings": 262144, "tie_word_embeddings": False, "sliding_window": None},
    "mixtral": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": None, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "sliding_window": None,
        "num_experts_per_tok": 2, "num_local_experts": 8},
    "qwen2": {"vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "hidden_act": "silu", "max_position_embeddings":
        32768, "tie_word_embeddings": False, "use_sliding_window": False, "sliding_window": 4096,
        "max_window_layers": 28, "layer_types": None},
    "qwen2_moe": {"vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers": 24,
        "num_attention_heads": 16, "num_key_value_heads": 16, "hidden_act": "silu", "max_position_embeddings":
        32768, "tie_word_embeddings": False, "use_sliding_window": False, "sliding_window": 4096,
        "max_window_layers": 28, "decoder_sparse_step": 1, "moe_intermediate_size": 1408,
        "shared_expert_intermediate_size": 5632, "num_experts_per_tok": 4, "num_experts": 60, "mlp_only_layers":
        None, "qkv_bias": True, "layer_types": None},
    "qwen3": {"vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 128, "hidden_act": "silu",
        "max_position_embeddings": 32768, "tie_word_embeddings": False, "attention_bias": False,
        "use_sliding_window": False, "sliding_window": 4096, "max_window_layers": 28, "layer_types": None},
    "qwen3_moe": {"vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 24,
        "num_attention_heads": 32, "num_key_value_heads": 4, "hidden_act": "silu", "max_position_embeddings":
        32768, "tie_word_embeddings": False, "attention_bias": False, "use_sliding_window": False,
        "sliding_window": 4096, "decoder_sparse_step": 1, "moe_intermediate_size": 768, "num_experts_per_tok":
        8, "num_experts": 128, "mlp_only_layers": None},
    "qwen3_vl_text": {"vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 128000, "attention_bias": False},
    "qwen3_vl_moe_text": {"vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 5632,
        "num_hidden_layers": 24, "num_attention_heads": 16, "num_key_value_heads": 16, "hidden_act": "silu",
        "max_position_embeddings": 128000, "tie_word_embeddings": True, "attention_bias": False,
        "decoder_sparse_step": 1, "moe_intermediate_size": 1408, "num_experts_per_tok": 4, "num_experts": 60,
        "mlp_only_layers": None, "head_dim": None},
    "qwen3_omni_moe_text": {"vocab_size": 3584, "hidden_size": 2048, "intermediate_size": 18944,
        "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4, "hidden_act": "silu",
        "max_position_embeddings": 32768, "attention_bias": False, "sliding_window": None,
        "decoder_sparse_step": 1, "moe_intermediate_size": 768, "num_experts_per_tok": 8, "num_experts": 128,
        "mlp_only_layers": None},
    "qwen2_vl_text": {"vocab_size": 152064, "hidden_size": 8192, "intermediate_size": 29568,
        "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "hidden_act": "silu",
        "max_position_embeddings": 32768, "use_sliding_window": False, "sliding_window": 4096,
        "max_window_layers": 80, "layer_types": None},
    "qwen2_5_vl_text": {"vocab_size": 152064, "hidden_size": 8192, "intermediate_size": 29568,
        "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8, "hidden_act": "silu",
        "max_position_embeddings": 32768, "use_sliding_window": False, "sliding_window": 4096,
        "max_window_layers": 80, "layer_types": None},
    "qwen2_5_omni_text": {"vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944,
        "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4, "hidden_act": "silu",
        "max_position_embeddings": 32768, "use_sliding_window": False, "sliding_window": 32768,
        "max_window_layers": 28, "layer_types": None, "tie_word_embeddings": True},
    "qwen3_next": {"vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 5632, "num_hidden_layers":
        48, "num_attention_heads": 16, "num_key_value_heads": 2, "hidden_act": "silu",
        "max_position_embeddings": 32768, "tie_word_embeddings": False, "attention_bias": False, "head_dim":
        256, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
        "linear_num_key_heads": 16, "linear_num_value_heads": 32, "decoder_sparse_step": 1,
        "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512, "num_experts_per_tok": 10,
        "num_experts": 512, "mlp_only_layers": None, "layer_types": None},
    "qwen3_5_text": {"vocab_size": 248320, "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers":
        32, "num_attention_heads": 16, "num_key_value_heads": 4, "hidden_act": "silu",
        "max_position_embeddings": 32768, "tie_word_embeddings": False, "attention_bias": False, "head_dim":
        256, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
        "linear_num_key_heads": 16, "linear_num_value_heads": 32, "layer_types": None},
    "qwen3_5_moe_text": {"vocab_size": 248320, "hidden_size": 2048, "num_hidden_layers": 40,
        "num_attention_heads": 16, "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings":
        32768, "tie_word_embeddings": False, "attention_bias": False, "head_dim": 256, "linear_conv_kernel_dim":
        4, "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_num_key_heads": 16,
        "linear_num_value_heads": 32, "moe_intermediate_size": 512, "shared_expert_intermediate_size": 512,
        "num_experts_per_tok": 8, "num_experts": 256, "layer_types": None},
    "gemma": {"vocab_size": 256000, "hidden_size": 3072, "intermediate_size": 24576, "num_hidden_layers": 28,
        "num_attention_heads": 16, "num_key_value_heads": 16, "head_dim": 256, "hidden_act":
        "gelu_pytorch_tanh", "max_position_embeddings": 8192, "tie_word_embeddings": True, "attention_bias":
        False},
    "gemma2": {"vocab_size": 256000, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
        "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "hidden_activation":
        "gelu_pytorch_tanh", "max_position_embeddings": 8192, "tie_word_embeddings": True, "attention_bias":
        False, "sliding_window": 4096, "layer_types": None},
    "gemma3_text": {"vocab_size": 262208, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers":
        26, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "hidden_activation":
        "gelu_pytorch_tanh", "max_position_embeddings": 131072, "tie_word_embeddings": True, "attention_bias":
        False, "sliding_window": 4096, "layer_types": None},
    "gemma3n_text": {"vocab_size": 262400, "hidden_size": 2048, "intermediate_size": 16384, "num_hidden_layers":
        35, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 256, "hidden_activation":
        "gelu_pytorch_tanh", "max_position_embeddings": 32768, "tie_word_embeddings": True, "attention_bias":
        False, "sliding_window": 512, "layer_types": None, "vocab_size_per_layer_input": 262144,
        "hidden_size_per_layer_input": 256, "altup_active_idx": 0, "altup_num_inputs": 4,
        "num_kv_shared_layers": 15, "laurel_rank": 64},
    "gemma4_text": {"vocab_size": 262144, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers":
        30, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "hidden_activation":
        "gelu_pytorch_tanh", "max_position_embeddings": 131072, "tie_word_embeddings": True, "attention_bias":
        False, "sliding_window": 512, "layer_types": None, "vocab_size_per_layer_input": 262144,
        "hidden_size_per_layer_input": 256, "attention_k_eq_v": False, "num_kv_shared_layers": 0,
        "enable_moe_block": False, "use_double_wide_mlp": False, "num_experts": None, "top_k_experts": None,
        "moe_intermediate_size": None},
    "phi": {"vocab_size": 51200, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 24,
        "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "gelu_new",
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "qk_layernorm": False},
    "phi3": {"vocab_size": 32064, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        4096, "tie_word_embeddings": False, "sliding_window": None},
    "phimoe": {"vocab_size": 32064, "hidden_size": 4096, "intermediate_size": 6400, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_act": "silu", "max_position_embeddings":
        131072, "tie_word_embeddings": False, "sliding_window": None, "num_experts_per_tok": 2,
        "num_local_experts": 16, "attention_bias": False, "lm_head_bias": False},
    "persimmon": {"vocab_size": 262144, "hidden_size": 4096, "intermediate_size": 16384, "num_hidden_layers":
        36, "num_attention_heads": 64, "hidden_act": "relu2", "max_position_embeddings": 16384,
        "tie_word_embeddings": False, "qk_layernorm": True},
    "deepseek_v2": {"vocab_size": 102400, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers":
        32, "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu",
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias":
        False, "head_dim": None, "first_k_dense_replace": 0, "kv_lora_rank": 512, "q_lora_rank": 1536,
        "n_routed_experts": 64, "n_shared_experts": 2, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
        "v_head_dim": 128, "num_experts_per_tok": None, "moe_intermediate_size": 1407},
    "deepseek_v3": {"vocab_size": 129280, "hidden_size": 7168, "intermediate_size": 18432,
        "moe_intermediate_size": 2048, "num_hidden_layers": 61, "num_attention_heads": 128,
        "num_key_value_heads": 128, "n_shared_experts": 1, "n_routed_experts": 256, "kv_lora_rank": 512,
        "q_lora_rank": 1536, "qk_rope_head_dim": 64, "v_head_dim": 128, "qk_nope_head_dim": 128,
        "num_experts_per_tok": 8, "first_k_dense_replace": 3, "hidden_act": "silu", "max_position_embeddings":
        4096, "tie_word_embeddings": False, "attention_bias": False, "num_mtp_layers": 1},
    "deepseek_v32": {"vocab_size": 129280, "hidden_size": 7168, "intermediate_size": 18432,
        "moe_intermediate_size": 2048, "num_hidden_layers": 61, "num_attention_heads": 128,
        "num_key_value_heads": 128, "n_shared_experts": 1, "n_routed_experts": 256, "kv_lora_rank": 512,
        "q_lora_rank": 1536, "qk_rope_head_dim": 64, "v_head_dim": 128, "qk_nope_head_dim": 128,
        "num_experts_per_tok": 8, "hidden_act": "silu", "max_position_embeddings": 163840,
        "tie_word_embeddings": False, "mlp_layer_types": None, "attention_bias": False, "index_topk": 2048,
        "index_head_dim": 128, "index_n_heads": 64, "mlp_bias": False, "head_dim": 64, "first_k_dense_replace":
        3, "layer_types": None},
    "deepseek_v4": {"vocab_size": 129280, "hidden_size": 4096, "moe_intermediate_size": 2048,
        "num_hidden_layers": 43, "num_attention_heads": 64, "num_key_value_heads": 1, "head_dim": 512,
        "q_lora_rank": 1024, "num_experts_per_tok": 6, "n_routed_experts": 256, "n_shared_experts": 1,
        "max_position_embeddings": 1048576, "layer_types": None, "compress_rates": None, "hc_mult": 4,
        "hc_sinkhorn_iters": 20, "mlp_layer_types": None, "sliding_window": 128, "o_groups": 8, "o_lora_rank":
        1024, "index_n_heads": 64, "index_head_dim": 128, "index_topk": 512, "num_nextn_predict_layers": 1,
        "hidden_act": "silu", "tie_word_embeddings": False, "partial_rotary_factor": None, "attention_bias":
        False, "mlp_bias": False},
    "glm": {"vocab_size": 151552, "hidden_size": 4096, "intermediate_size": 13696, "num_hidden_layers": 40,
        "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "attention_bias": True},
    "glm4": {"vocab_size": 151552, "hidden_size": 4096, "intermediate_size": 13696, "num_hidden_layers": 40,
        "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "attention_bias": True},
    "glm4_moe": {"vocab_size": 151552, "hidden_size": 4096, "intermediate_size": 10944, "num_hidden_layers": 46,
        "num_attention_heads": 96, "num_key_value_heads": 8, "hidden_act": "silu", "max_position_embeddings":
        131072, "tie_word_embeddings": False, "attention_bias": False, "moe_intermediate_size": 1408,
        "num_experts_per_tok": 8, "n_shared_experts": 1, "n_routed_experts": 128, "first_k_dense_replace": 1,
        "use_qk_norm": False, "num_mtp_layers": 1},
    "glm4v_text": {"vocab_size": 151552, "hidden_size": 4096, "intermediate_size": 13696, "num_hidden_layers":
        40, "num_attention_heads": 32, "num_key_value_heads": 2, "hidden_act": "silu",
        "max_position_embeddings": 32768},
    "glm4v_moe_text": {"vocab_size": 151424, "hidden_size": 4096, "intermediate_size": 10944,
        "num_hidden_layers": 46, "num_attention_heads": 96, "num_key_value_heads": 8, "hidden_act": "silu",
        "max_position_embeddings": 65536, "tie_word_embeddings": False, "attention_bias": True,
        "moe_intermediate_size": 1408, "num_experts_per_tok": 8, "n_shared_experts": 1, "n_routed_experts": 128,
        "first_k_dense_replace": 1},
    "glm4_moe_lite": {"vocab_size": 154880, "hidden_size": 2048, "intermediate_size": 10240,
        "moe_intermediate_size": 1536, "num_hidden_layers": 47, "num_attention_heads": 20,
        "num_key_value_heads": 20, "n_shared_experts": 1, "n_routed_experts": 64, "kv_lora_rank": 512,
        "q_lora_rank": 768, "qk_rope_head_dim": 64, "v_head_dim": 256, "qk_nope_head_dim": 192,
        "num_experts_per_tok": 4, "hidden_act": "silu", "max_position_embeddings": 202752,
        "tie_word_embeddings": False, "mlp_layer_types": None, "attention_bias": False},
    "glm_moe_dsa": {"vocab_size": 154880, "hidden_size": 6144, "intermediate_size": 12288,
        "moe_intermediate_size": 2048, "num_hidden_layers": 78, "num_attention_heads": 64,
        "num_key_value_heads": 64, "n_shared_experts": 1, "n_routed_experts": 256, "kv_lora_rank": 512,
        "q_lora_rank": 2048, "qk_rope_head_dim": 64, "v_head_dim": 256, "qk_nope_head_dim": 192,
        "num_experts_per_tok": 8, "hidden_act": "silu", "max_position_embeddings": 202752,
        "tie_word_embeddings": False, "mlp_layer_types": None, "attention_bias": False, "index_topk": 2048,
        "index_head_dim": 128, "index_n_heads": 32, "mlp_bias": False, "head_dim": 64, "first_k_dense_replace":
        3, "layer_types": None, "indexer_types": None},
    "gpt_oss": {"num_hidden_layers": 36, "num_local_experts": 128, "vocab_size": 201088, "hidden_size": 2880,
        "intermediate_size": 2880, "head_dim": 64, "num_attention_heads": 64, "num_key_value_heads": 8,
        "sliding_window": 128, "tie_word_embeddings": False, "hidden_act": "silu", "max_position_embeddings":
        131072, "num_experts_per_tok": 4, "layer_types": None, "attention_bias": True},
    "minimax": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": None, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "sliding_window": None,
        "num_experts_per_tok": 2, "num_local_experts": 8, "layer_types": None, "block_size": 256,
        "full_attn_alpha_factor": 1, "full_attn_beta_factor": 1, "linear_attn_alpha_factor": 1,
        "linear_attn_beta_factor": 1, "mlp_alpha_factor": 1, "mlp_beta_factor": 1},
    "minimax_m2": {"vocab_size": 200064, "hidden_size": 3072, "intermediate_size": 1536, "num_hidden_layers":
        62, "num_attention_heads": 48, "num_key_value_heads": 8, "head_dim": 128, "hidden_act": "silu",
        "max_position_embeddings": 196608, "tie_word_embeddings": False, "num_experts_per_tok": 8,
        "num_local_experts": 256},
    "minimax_m3_vl_text": {"vocab_size": 200064, "hidden_size": 6144, "intermediate_size": 3072,
        "num_hidden_layers": 60, "num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 128,
        "hidden_act": "silu", "max_position_embeddings": 524288, "tie_word_embeddings": False,
        "num_experts_per_tok": 4, "num_local_experts": 128, "dense_intermediate_size": 12288,
        "shared_intermediate_size": 3072, "rotary_dim": 64, "mlp_layer_types": None, "index_n_heads": 4,
        "index_head_dim": 128, "index_block_size": 128, "index_topk_blocks": 16, "index_local_blocks": 1,
        "layer_types": None},
    "mamba": {"vocab_size": 50280, "hidden_size": 768, "state_size": 16, "num_hidden_layers": 32, "expand": 2,
        "conv_kernel": 4, "use_bias": False, "use_conv_bias": True, "hidden_act": "silu", "time_step_rank":
        "auto", "time_step_scale": 1.0, "time_step_min": 0.001, "time_step_max": 0.1, "time_step_init_scheme":
        "random", "time_step_floor": 0.0001, "use_associative_scan": True, "tie_word_embeddings": True},
    "mamba2": {"num_heads": 128, "head_dim": 64, "vocab_size": 32768, "hidden_size": 4096, "state_size": 128,
        "num_hidden_layers": 64, "expand": 2, "conv_kernel": 4, "n_groups": 8, "use_bias": False,
        "use_conv_bias": True, "hidden_act": "silu", "time_step_rank": "auto", "time_step_min": 0.001,
        "time_step_max": 0.1, "time_step_floor": 0.0001, "chunk_size": 256, "tie_word_embeddings": False},
    "falcon_mamba": {"vocab_size": 50280, "hidden_size": 768, "state_size": 16, "num_hidden_layers": 32,
        "expand": 2, "conv_kernel": 4, "use_bias": False, "use_conv_bias": True, "hidden_act": "silu",
        "time_step_rank": "auto", "time_step_scale": 1.0, "time_step_min": 0.001, "time_step_max": 0.1,
        "time_step_init_scheme": "random", "time_step_floor": 0.0001, "use_associative_scan": True,
        "tie_word_embeddings": True},
    "falcon_h1": {"vocab_size": 128000, "tie_word_embeddings": False, "hidden_size": 4096, "intermediate_size":
        14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_act":
        "silu", "max_position_embeddings": 8192, "mamba_d_ssm": 1024, "mamba_n_heads": 128, "mamba_d_head":
        "auto", "mamba_n_groups": 1, "mamba_d_state": 256, "mamba_d_conv": 4, "mamba_expand": 2,
        "mamba_chunk_size": 256, "mamba_conv_bias": True, "mamba_proj_bias": False, "mamba_norm_before_gate":
        True, "mamba_rms_norm": False, "projectors_bias": False, "mlp_multipliers": None, "ssm_multipliers":
        None, "attention_bias": False, "mlp_bias": False},
    "jamba": {"vocab_size": 65536, "tie_word_embeddings": False, "hidden_size": 4096, "intermediate_size":
        14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_act":
        "silu", "max_position_embeddings": 262144, "num_experts_per_tok": 2, "num_experts": 16,
        "expert_layer_period": 2, "expert_layer_offset": 1, "attn_layer_period": 8, "attn_layer_offset": 4,
        "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_dt_rank": "auto", "mamba_conv_bias":
        True, "mamba_proj_bias": False, "use_associative_scan": True},
    "bamba": {"vocab_size": 128000, "tie_word_embeddings": False, "hidden_size": 4096, "intermediate_size":
        14336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "hidden_act":
        "silu", "max_position_embeddings": 262144, "attn_layer_indices": None, "mamba_n_heads": 128,
        "mamba_d_head": "auto", "mamba_n_groups": 1, "mamba_d_state": 256, "mamba_d_conv": 4, "mamba_expand": 2,
        "mamba_chunk_size": 256, "mamba_conv_bias": True, "mamba_proj_bias": False, "z_loss_coefficient": 0.0,
        "attention_bias": False, "mlp_bias": False},
    "zamba2": {"vocab_size": 32000, "max_position_embeddings": 4096, "hidden_size": 2560, "num_hidden_layers":
        54, "layers_block_type": None, "mamba_d_state": 64, "mamba_d_conv": 4, "mamba_expand": 2,
        "mamba_ngroups": 1, "time_step_min": 0.001, "time_step_max": 0.1, "time_step_floor": 0.0001,
        "n_mamba_heads": 8, "use_conv_bias": True, "chunk_size": 256, "use_mem_eff_path": False,
        "add_bias_linear": False, "intermediate_size": None, "hidden_act": "gelu", "num_attention_heads": 32,
        "num_key_value_heads": None, "num_mem_blocks": 1, "use_shared_attention_adapter": False, "adapter_rank":
        128, "use_mem_rope": False, "use_long_context": False, "tie_word_embeddings": True},
    "nemotron": {"vocab_size": 256000, "hidden_size": 6144, "intermediate_size": 24576, "num_hidden_layers": 32,
        "num_attention_heads": 48, "head_dim": None, "num_key_value_heads": None, "hidden_act": "relu2",
        "max_position_embeddings": 4096, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias":
        False},
    "nemotron_h": {"vocab_size": 131072, "hidden_size": 4096, "layers_block_type": None, "tie_word_embeddings":
        False, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "max_position_embeddings":
        4096, "attention_bias": False, "sliding_window": None, "intermediate_size": 21504, "mlp_hidden_act":
        "relu2", "mlp_bias": False, "ssm_state_size": 128, "mamba_num_heads": 128, "mamba_head_dim": 64,
        "mamba_hidden_act": "silu", "n_groups": 8, "conv_kernel": 4, "expand": 2, "time_step_min": 0.001,
        "time_step_max": 0.1, "time_step_floor": 0.0001, "use_conv_bias": True, "chunk_size": 128,
        "mamba_proj_bias": False, "mamba_ssm_cache_dtype": "float32", "n_routed_experts": 8, "n_shared_experts":
        1, "moe_intermediate_size": 7688, "moe_shared_expert_intermediate_size": 7688, "moe_latent_size": None,
        "num_experts_per_tok": 2, "num_nextn_predict_layers": 0, "mtp_layers_block_type": None, "use_bias":
        False},
    "granite": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        2048, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False},
    "granitemoe": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers":
        32, "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu",
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "attention_bias": False,
        "num_local_experts": 8, "num_experts_per_tok": 2},
    "granitemoeshared": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu",
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "attention_bias": False,
        "num_local_experts": 8, "num_experts_per_tok": 2, "shared_intermediate_size": 0},
    "granitemoehybrid": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu",
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "attention_bias": False,
        "num_local_experts": 8, "num_experts_per_tok": 2, "shared_intermediate_size": 1024,
        "position_embedding_type": None, "layer_types": None, "mamba_n_heads": 128, "mamba_n_groups": 1,
        "mamba_d_state": 256, "mamba_d_head": "auto", "mamba_d_conv": 4, "mamba_expand": 2, "mamba_chunk_size":
        256, "mamba_conv_bias": True, "mamba_proj_bias": False},
    "olmo": {"vocab_size": 50304, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        2048, "tie_word_embeddings": False, "attention_bias": False, "clip_qkv": None},
    "olmo2": {"vocab_size": 50304, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        2048, "tie_word_embeddings": False, "attention_bias": False},
    "olmo3": {"vocab_size": 50304, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        2048, "tie_word_embeddings": False, "attention_bias": False, "sliding_window": 4096, "layer_types":
        None},
    "olmoe": {"vocab_size": 50304, "hidden_size": 2048, "intermediate_size": 2048, "num_hidden_layers": 16,
        "num_attention_heads": 16, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        4096, "tie_word_embeddings": False, "attention_bias": False, "clip_qkv": None, "num_experts_per_tok": 8,
        "num_experts": 64},
    "internlm3": {"vocab_size": 128512, "hidden_size": 4096, "intermediate_size": 10240, "num_hidden_layers":
        48, "num_attention_heads": 32, "num_key_value_heads": 2, "hidden_act": "silu",
        "max_position_embeddings": 32768, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias":
        False, "head_dim": 128},
    "olmo_hybrid": {"vocab_size": 100352, "hidden_size": 3840, "intermediate_size": 11008, "num_hidden_layers":
        32, "num_attention_heads": 30, "num_key_value_heads": None, "hidden_act": "silu",
        "max_position_embeddings": 65536, "tie_word_embeddings": False, "attention_bias": False, "layer_types":
        None, "linear_num_key_heads": None, "linear_num_value_heads": None, "linear_key_head_dim": None,
        "linear_value_head_dim": None, "linear_a_log_min": 0.0, "linear_a_log_max": 16.0, "linear_dt_min":
        0.001, "linear_dt_max": 0.1, "linear_dt_init_floor": 0.0001, "linear_conv_kernel_dim": 4,
        "linear_allow_neg_eigval": True},
    "stablelm": {"vocab_size": 50304, "intermediate_size": 6912, "hidden_size": 2560, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "hidden_act": "silu", "max_position_embeddings":
        4096, "tie_word_embeddings": False, "use_qkv_bias": False, "qk_layernorm": False,
        "use_parallel_residual": False},
    "cohere": {"vocab_size": 256000, "hidden_size": 8192, "intermediate_size": 22528, "num_hidden_layers": 40,
        "num_attention_heads": 64, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        8192, "tie_word_embeddings": True, "attention_bias": False, "use_qk_norm": False},
    "cohere2": {"vocab_size": 256000, "hidden_size": 8192, "intermediate_size": 22528, "num_hidden_layers": 40,
        "num_attention_heads": 64, "num_key_value_heads": None, "hidden_act": "silu", "max_position_embeddings":
        8192, "tie_word_embeddings": True, "attention_bias": False, "sliding_window": 4096, "layer_types":
        None},
    "starcoder2": {"vocab_size": 49152, "hidden_size": 3072, "intermediate_size": 12288, "num_hidden_layers":
        30, "num_attention_heads": 24, "num_key_value_heads": 2, "hidden_act": "gelu_pytorch_tanh",
        "max_position_embeddings": 4096, "sliding_window": None, "use_bias": True, "tie_word_embeddings": True},
    "dbrx": {"d_model": 2048, "n_heads": 16, "n_layers": 24, "max_seq_len": 2048, "vocab_size": 32000,
        "attn_config": None, "ffn_config": None, "tie_word_embeddings": False},
    "kimi_linear": {"vocab_size": 163840, "hidden_size": 2304, "intermediate_size": 9216,
        "moe_intermediate_size": 1024, "num_hidden_layers": 27, "num_attention_heads": 32,
        "num_key_value_heads": 32, "n_shared_experts": 1, "kv_lora_rank": 512, "q_lora_rank": None,
        "qk_rope_head_dim": 64, "v_head_dim": 128, "qk_nope_head_dim": 128, "num_experts_per_tok": 8,
        "hidden_act": "silu", "max_position_embeddings": 1048576, "tie_word_embeddings": False,
        "attention_bias": False, "num_local_experts": 256, "mlp_layer_types": None, "layer_types": None,
        "linear_head_dim": 128, "linear_num_heads": 32, "linear_conv_kernel_dim": 4},
    "mimo_v2_flash": {"vocab_size": 152576, "hidden_size": 4096, "intermediate_size": 16384,
        "num_hidden_layers": 48, "num_attention_heads": 64, "num_key_value_heads": 4, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": False, "attention_bias": False,
        "moe_intermediate_size": 2048, "num_experts_per_tok": 8, "n_routed_experts": 256, "head_dim": 192,
        "v_head_dim": 128, "sliding_window": 129, "layer_types": None, "mlp_layer_types": None},
    "smollm3": {"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36,
        "num_attention_heads": 16, "num_key_value_heads": 4, "hidden_act": "silu", "max_position_embeddings":
        32768, "use_sliding_window": False, "sliding_window": None, "no_rope_layers": None, "layer_types": None,
        "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": True},
    "exaone4": {"vocab_size": 102400, "hidden_size": 4096, "intermediate_size": 16384, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "hidden_act": "silu", "max_position_embeddings":
        2048, "tie_word_embeddings": False, "sliding_window": 4096, "sliding_window_pattern": 4, "layer_types":
        None},
    "ernie4_5": {"vocab_size": 103424, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 18,
        "num_attention_heads": 16, "num_key_value_heads": 2, "hidden_act": "silu", "max_position_embeddings":
        131072, "tie_word_embeddings": True, "use_bias": False, "head_dim": 128},
    "ernie4_5_moe": {"vocab_size": 103424, "hidden_size": 2560, "intermediate_size": 12288, "num_hidden_layers":
        28, "num_attention_heads": 20, "num_key_value_heads": 4, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": True, "use_bias": False,
        "moe_intermediate_size": 1536, "moe_k": 6, "moe_num_experts": 64, "moe_num_shared_experts": 2,
        "moe_layer_start_index": 1, "moe_layer_end_index": -1, "moe_layer_interval": 1},
    "hunyuan_v1_dense": {"vocab_size": 290943, "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu",
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "attention_bias": False, "head_dim":
        None},
    "hunyuan_v1_moe": {"vocab_size": 290943, "hidden_size": 4096, "intermediate_size": 11008,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu",
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "attention_bias": False, "num_experts":
        1, "moe_topk": 1, "head_dim": None},
    "lfm2": {"vocab_size": 65536, "hidden_size": 2560, "intermediate_size": 12288, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 128000,
        "tie_word_embeddings": True, "conv_bias": False, "conv_L_cache": 3, "block_multiple_of": 256,
        "block_auto_adjust_ff_dim": True, "full_attn_idxs": None, "layer_types": None},
    "lfm2_moe": {"vocab_size": 65536, "hidden_size": 2048, "intermediate_size": 7168, "moe_intermediate_size":
        1792, "num_hidden_layers": 32, "tie_word_embeddings": True, "max_position_embeddings": 128000,
        "num_attention_heads": 32, "num_key_value_heads": 8, "conv_bias": False, "conv_L_cache": 3,
        "num_dense_layers": 2, "num_experts_per_tok": 4, "num_experts": 32, "layer_types": None},
    "bitnet": {"vocab_size": 128256, "hidden_size": 2560, "intermediate_size": 6912, "num_hidden_layers": 30,
        "num_attention_heads": 20, "num_key_value_heads": 5, "hidden_act": "relu2", "max_position_embeddings":
        2048, "tie_word_embeddings": False, "attention_bias": False},
    "recurrent_gemma": {"num_hidden_layers": 26, "vocab_size": 256000, "hidden_size": 2560, "intermediate_size":
        7680, "num_attention_heads": 10, "lru_width": None, "attention_window_size": 2048, "conv1d_width": 4,
        "logits_soft_cap": 30.0, "hidden_activation": "gelu_pytorch_tanh", "block_types": ["recurrent",
        "recurrent", "attention"], "num_key_value_heads": None, "attention_bias": False,
        "w_init_variance_scale": 0.01, "tie_word_embeddings": True},
    "rwkv": {"vocab_size": 50277, "context_length": 1024, "hidden_size": 4096, "num_hidden_layers": 32,
        "attention_hidden_size": None, "intermediate_size": None, "rescale_every": 6, "tie_word_embeddings":
        False},
    "xlstm": {"vocab_size": 50304, "hidden_size": 4096, "embedding_dim": None, "num_hidden_layers": 32,
        "num_blocks": None, "num_heads": 8, "use_bias": False, "norm_reduction_force_float32": True,
        "tie_word_embeddings": False, "add_out_norm": True, "qk_dim_factor": 0.5, "v_dim_factor": 1.0,
        "chunkwise_kernel": "chunkwise--native_autograd", "sequence_kernel": "native_sequence__native",
        "step_kernel": "native", "chunk_size": 64, "return_last_states": True, "autocast_kernel_dtype":
        "bfloat16", "eps": 1e-06, "inference_state_dtype": "float32", "ffn_proj_factor": 2.667,
        "ffn_round_up_to_multiple_of": 64, "gate_soft_cap": 15.0, "output_logit_soft_cap": 30.0, "weight_mode":
        "single", "max_inference_chunksize": 16384},
    "arcee": {"vocab_size": 32000, "hidden_size": 2560, "intermediate_size": 18432, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "relu2",
        "max_position_embeddings": 4096, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias":
        False, "head_dim": None},
    "seed_oss": {"vocab_size": 155136, "hidden_size": 4096, "intermediate_size": 27648, "num_hidden_layers": 64,
        "num_attention_heads": 80, "num_key_value_heads": 8, "hidden_act": "silu", "max_position_embeddings":
        524288, "tie_word_embeddings": False, "attention_bias": True, "attention_out_bias": False, "mlp_bias":
        False, "head_dim": 128},
    "dots1": {"vocab_size": 152064, "hidden_size": 4608, "intermediate_size": 10944, "moe_intermediate_size":
        1408, "num_hidden_layers": 62, "num_attention_heads": 32, "num_key_value_heads": 32, "n_shared_experts":
        None, "n_routed_experts": None, "num_experts_per_tok": None, "first_k_dense_replace": 0, "hidden_act":
        "silu", "max_position_embeddings": 2048, "tie_word_embeddings": False, "attention_bias": False,
        "sliding_window": 4096, "max_window_layers": 62, "layer_types": None},
    "helium": {"vocab_size": 48000, "hidden_size": 2560, "intermediate_size": 7040, "num_hidden_layers": 24,
        "num_attention_heads": 20, "num_key_value_heads": 20, "head_dim": 128, "hidden_act": "silu",
        "max_position_embeddings": 4096, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias":
        False},
    "cwm": {"vocab_size": 128256, "hidden_size": 6144, "intermediate_size": 21504, "num_hidden_layers": 64,
        "num_attention_heads": 48, "num_key_value_heads": 8, "hidden_act": "silu", "max_position_embeddings":
        131072, "tie_word_embeddings": False, "mlp_bias": False, "head_dim": 128, "sliding_window": 8192,
        "layer_types": None},
    "vaultgemma": {"vocab_size": 256000, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers":
        26, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "hidden_activation":
        "gelu_pytorch_tanh", "max_position_embeddings": 8192, "tie_word_embeddings": True, "attention_bias":
        False, "sliding_window": 4096, "layer_types": None},
    "bert": {"vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072, "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2,
        "tie_word_embeddings": True},
    "roberta": {"vocab_size": 50265, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072, "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2,
        "tie_word_embeddings": True},
    "xlm-roberta": {"vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072, "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2,
        "tie_word_embeddings": True},
    "distilbert": {"vocab_size": 30522, "max_position_embeddings": 512, "sinusoidal_pos_embds": False,
        "n_layers": 6, "n_heads": 12, "dim": 768, "hidden_dim": 3072, "activation": "gelu",
        "tie_word_embeddings": True},
    "electra": {"vocab_size": 30522, "embedding_size": 128, "hidden_size": 256, "num_hidden_layers": 12,
        "num_attention_heads": 4, "intermediate_size": 1024, "hidden_act": "gelu", "max_position_embeddings":
        512, "type_vocab_size": 2, "tie_word_embeddings": True},
    "t5": {"vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_decoder_layers":
        None, "num_heads": 8, "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128,
        "feed_forward_proj": "relu"},
    "mt5": {"vocab_size": 250112, "d_model": 512, "d_kv": 64, "d_ff": 1024, "num_layers": 8,
        "num_decoder_layers": None, "num_heads": 6, "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": True},
    "bart": {"vocab_size": 50265, "max_position_embeddings": 1024, "encoder_layers": 12, "encoder_ffn_dim":
        4096, "encoder_attention_heads": 16, "decoder_layers": 12, "decoder_ffn_dim": 4096,
        "decoder_attention_heads": 16, "activation_function": "gelu", "d_model": 1024, "scale_embedding": False,
        "tie_word_embeddings": True},
    "mbart": {"vocab_size": 50265, "max_position_embeddings": 1024, "encoder_layers": 12, "encoder_ffn_dim":
        4096, "encoder_attention_heads": 16, "decoder_layers": 12, "decoder_ffn_dim": 4096,
        "decoder_attention_heads": 16, "activation_function": "gelu", "d_model": 1024, "scale_embedding": False,
        "tie_word_embeddings": True},
    "jais2": {"vocab_size": 150272, "hidden_size": 3328, "intermediate_size": 26624, "num_hidden_layers": 32,
        "num_attention_heads": 26, "num_key_value_heads": None, "hidden_act": "relu2",
        "max_position_embeddings": 8192, "tie_word_embeddings": False, "attention_bias": True, "mlp_bias": True,
        "head_dim": None},
    "youtu": {"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 32,
        "num_attention_heads": 16, "num_key_value_heads": 16, "kv_lora_rank": 512, "q_lora_rank": 1536,
        "qk_rope_head_dim": 64, "v_head_dim": 128, "qk_nope_head_dim": 128, "hidden_act": "silu",
        "max_position_embeddings": 131072, "tie_word_embeddings": True, "attention_bias": False},
    "solar_open": {"vocab_size": 196608, "hidden_size": 4096, "num_hidden_layers": 48, "num_attention_heads":
        64, "num_key_value_heads": 8, "hidden_act": "silu", "max_position_embeddings": 131072,
        "tie_word_embeddings": False, "attention_bias": False, "moe_intermediate_size": 1280,
        "num_experts_per_tok": 8, "n_shared_experts": 1, "n_routed_experts": 128, "head_dim": 128},
    "hyperclovax": {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers":
        32, "num_attention_heads": 32, "num_key_value_heads": None, "hidden_act": "silu",
        "max_position_embeddings": 2048, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias":
        False, "head_dim": None, "use_post_norm": True},
}  # fmt: skip

#: Other spelling -> the spelling of the class.
NAMES: Final[dict[str, dict[str, str]]] = {
    "gpt2": {"hidden_size": "n_embd", "max_position_embeddings": "n_positions", "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer"},
    "gptj": {"max_position_embeddings": "n_positions", "hidden_size": "n_embd", "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer"},
    "gpt_neo": {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"},
    "gpt_bigcode": {"hidden_size": "n_embd", "max_position_embeddings": "n_positions", "num_attention_heads":
        "n_head", "num_hidden_layers": "n_layer"},
    "bloom": {"num_hidden_layers": "n_layer", "num_attention_heads": "n_head"},
    "mpt": {"num_attention_heads": "n_heads", "hidden_size": "d_model", "num_hidden_layers": "n_layers"},
    "codegen": {"max_position_embeddings": "n_positions", "hidden_size": "n_embd", "num_attention_heads":
        "n_head", "num_hidden_layers": "n_layer"},
    "mixtral": {"num_experts": "num_local_experts"},
    "qwen3_moe": {"num_experts": "num_local_experts"},
    "qwen3_vl_moe_text": {"num_experts": "num_local_experts"},
    "deepseek_v2": {"num_experts": "n_routed_experts"},
    "deepseek_v3": {"num_local_experts": "n_routed_experts", "num_mtp_layers": "num_nextn_predict_layers"},
    "deepseek_v32": {"num_local_experts": "n_routed_experts"},
    "deepseek_v4": {"num_local_experts": "n_routed_experts", "intermediate_size": "moe_intermediate_size"},
    "glm4_moe": {"num_local_experts": "n_routed_experts", "num_mtp_layers": "num_nextn_predict_layers"},
    "glm4v_moe_text": {"num_local_experts": "n_routed_experts"},
    "glm4_moe_lite": {"num_local_experts": "n_routed_experts", "head_dim": "qk_rope_head_dim"},
    "glm_moe_dsa": {"num_local_experts": "n_routed_experts"},
    "gpt_oss": {"num_experts": "num_local_experts"},
    "minimax": {"num_experts": "num_local_experts"},
    "minimax_m2": {"num_experts": "num_local_experts"},
    "minimax_m3_vl_text": {"num_experts": "num_local_experts"},
    "falcon_h1": {"layer_types": "layers_block_type"},
    "jamba": {"num_local_experts": "num_experts"},
    "bamba": {"layer_types": "layers_block_type"},
    "zamba2": {"layer_types": "layers_block_type", "head_dim": "attention_head_dim"},
    "nemotron_h": {"layer_types": "layers_block_type", "num_local_experts": "n_routed_experts"},
    "granitemoehybrid": {"layers_block_type": "layer_types"},
    "olmoe": {"num_local_experts": "num_experts"},
    "internlm3": {"qkv_bias": "attention_bias", "bias": "mlp_bias"},
    "dbrx": {"num_attention_heads": "n_heads", "hidden_size": "d_model", "num_hidden_layers": "n_layers",
        "max_position_embeddings": "max_seq_len"},
    "kimi_linear": {"max_position_embeddings": "model_max_length", "norm_topk_prob": "moe_renormalize",
        "n_group": "num_expert_group", "num_local_experts": "num_experts", "num_experts_per_tok":
        "num_experts_per_token", "n_shared_experts": "num_shared_experts"},
    "mimo_v2_flash": {"num_local_experts": "n_routed_experts"},
    "ernie4_5_moe": {"num_experts": "moe_num_experts", "num_experts_per_tok": "moe_k"},
    "hunyuan_v1_moe": {"num_experts_per_tok": "moe_topk", "num_local_experts": "num_experts"},
    "recurrent_gemma": {"sliding_window": "attention_window_size", "layer_types": "layers_block_type"},
    "rwkv": {"max_position_embeddings": "context_length"},
    "dots1": {"num_local_experts": "n_routed_experts"},
    "distilbert": {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"},
    "t5": {"hidden_size": "d_model", "num_attention_heads": "num_heads", "num_hidden_layers": "num_layers",
        "head_dim": "d_kv"},
    "mt5": {"hidden_size": "d_model", "num_attention_heads": "num_heads", "num_hidden_layers": "num_layers",
        "head_dim": "d_kv"},
    "bart": {"num_attention_heads": "encoder_attention_heads", "hidden_size": "d_model", "num_hidden_layers":
        "encoder_layers"},
    "mbart": {"num_attention_heads": "encoder_attention_heads", "hidden_size": "d_model", "num_hidden_layers":
        "encoder_layers"},
    "solar_open": {"num_local_experts": "n_routed_experts"},
}  # fmt: skip
