"""Keys of a config.json that change no shape, by a list that says so.

A key that a mapping function did not read is harmless if it stands here, or if it is null or false under a name that
says nothing about a shape. Everything else is refused, because it may change the numbers.
"""

from __future__ import annotations

import re
from typing import Any, Final

#: Groups of names, by the reason why they are harmless.
HARMLESS: Final[frozenset[str]] = frozenset(
    """
    _name_or_path name_or_path architectures auto_map transformers_version model_type _commit_hash custom_pipelines
    torch_dtype dtype _attn_implementation _attn_implementation_autoset attn_implementation _experts_implementation
    transformers.js_config is_llama_config _diffusers_version model_version version creation_time language framework

    tokenizer_class tokenizer_model processor_class bos_token eos_token pad_token unk_token ignore_index vision_tokens
    image_placeholder video_placeholder prefix im_start im_end chat_template use_unified_vision_chunk num_reward_heads

    use_cache return_dict output_attentions output_hidden_states output_scores output_router_logits torchscript
    use_bfloat16 tf_legacy_loss pruned_heads is_encoder_decoder finetuning_task
    problem_type id2label label2id num_labels task_specific_params chunk_size_feed_forward gradient_checkpointing
    cross_attention_hidden_size cache_implementation num_logits_to_keep logits_to_keep
    keys_to_ignore_at_inference return_dict_in_generate use_return_dict summary_type summary_use_proj summary_activation
    summary_proj_to_labels summary_first_dropout classifier_activation
    max_length min_length do_sample early_stopping num_beams num_beam_groups temperature top_k top_p typical_p
    repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids
    num_return_sequences diversity_penalty exponential_decay_length_penalty suppress_tokens begin_suppress_tokens
    remove_invalid_values force_words_ids max_new_tokens min_new_tokens generation_config

    initializer_range initializer_factor initializer_cutoff_factor init_std init_device init_config init_method_std
    use_depth_scaled_init rescale_prenorm_residual mup_base_width use_mup scale_init embedding_init_std
    layerdrop layer_dropout drop_path_rate gradient_clipping label_smoothing z_loss_coeff pretraining_tp
    slow_but_exact apply_residual_connection_post_layernorm masked_softmax_fusion bias_dropout_fusion
    hidden_dropout_prob
    distributed_strategy skip_bias_add skip_bias_add_qkv unk_token_id seq_length_training training_seq_length
    ep_size tensor_parallel_size tp_size moe_shared_expert_overlap seq_aux moe_layer_recompute router_jitter_noise
    moe_loss_weight ffn_act_loss input_jitter_noise moe_use_aux_free moe_aux_loss moe_group moe_grouped_gemm
    use_flash_attn use_flash_attn_2 flash_attention use_fused_rms_norm use_fused_cross_entropy use_fused_rope
    moe_norm_min embedding_initializer_range num_image_tokens image_size patch_size
    moe_capacity moe_gate sinkhorn_2gate sinkhorn_temp weight_share_add_bias class_num dense_list cla_share_factor
    order_of_interleaved_layers use_parallel_embedding output_gate_type sentence_transformers pp_seg_method output_past
    enable_lm_head_fp32 embd_layer img_processor predict_special_tokens n_special
    make_vocab_size_divisible_by output_layer_parallelism
    use_cuda_graph use_mamba_kernels use_triton use_mambapy use_kernels fused_kernels

    max_position_embeddings_training original_max_position_embeddings initial_context_length context_window_size
    tokenizer_max_length model_max_length max_window_layers_training longrope_scaling

    norm_topk_prob norm_topk scoring_func topk_method n_group topk_group num_expert_group use_grouped_topk router_dtype
    routed_scaling_factor router_scaling_factor moe_router_scaling_factor moe_renormalize moe_router_activation_func
    moe_router_dtype moe_router_enable_expert_bias normalize_expert_weights moe_normalize_expert_weights
    uniform_expert_assignment
    moe_router_topk_scaling_factor use_expert_bias router_logit_softcapping route_scale score_func

    logit_scale logits_scaling attention_multiplier residual_multiplier embedding_multiplier query_pre_attn_scalar
    attn_logit_softcapping final_logit_softcapping attention_logits_soft_cap attn_temperature_tuning attn_scale
    floor_scale attention_value_scale scale_attn_weights scale_attn_by_inverse_layer_idx reorder_and_upcast_attn
    scale_attention_softmax_in_fp32 attention_softmax_in_fp32 softmax_scale clip_qkv scale_emb scale_depth
    dim_model_base
    mup_denominator mup_width_multiplier mup_attn_multiplier mup_embedding_multiplier mup_use_scaling
    swiglu_limit swiglu_alpha swiglu_limits swiglu_limits_shared activation_situ_beta activation_situ_linear_beta
    activation_sparsity_pattern altup_coef_clip altup_correct_scale use_gemma_norm
    residual_in_fp32 fp32_residual_connection layernorm_zero_centered
    residual_scale norm_after_embedding_scale embedding_scale no_rope_scale nope_layer_interval no_rope_layers
    no_rope_layer_interval query_scale qk_layernorm_scale use_scaled_rope

    rotary_emb_base rotary_base rope rope_theta rope_theta_base rope_scaling rope_parameters rope_local_base_freq
    rope_local_theta rope_interleave rope_interleaved rotary_interleaved rope_pct rotary_emb_fraction
    rotary_emb_scale_base
    rotary_emb_interleaved partial_rotary_factor rotary_pct rotary_percentage rotary_dim rotary original_rope_theta
    swa_rope_theta full_attention_rope_theta global_rope_theta sliding_rope_theta alibi_bias_max use_mrope mrope_section
    mscale mscale_all_dim max_context_len_to_capture

    processor_config preprocessor_config projector_type projector_hidden_act projector_hidden_size mm_tokens_per_image
    mm_projector_type multimodal_projector_bias downsample_ratio select_layer image_aspect_ratio spatial_merge_size
    image_grid_pinpoints image_seq_length process_image_mode img_token_compression_config vision_soft_tokens_per_image
    vision_select_layer vision_use_head_dim projector_bias ps_version dynamic_image_size force_image_size use_thumbnail
    use_image_start_end_token understand_projector_stride min_dynamic_patch max_dynamic_patch template
    use_bidirectional_attention use_vision_tower talker_config thinker_config audio_ms_per_token has_vision has_audio
    """.split()  # noqa: SIM905
)

#: Patterns of names: token ids, dropout, training losses, norms' epsilons, scales, rotation, encoders of other media.
_PATTERNS: Final = re.compile(
    r".*_token_(id|ids|index)|.*_token_ids?_.*|.*(dropout|_pdrop)(_\w+)?|.*_(eps|epsilon)"
    r"|.*_loss(_coef|_coeff|_weight)?|.*_(coef|coeff|theta|jitter|temperature|multiplier|penalty)|init_\w*std|initializer_\w+|\w*layerdrop"
    r"|(vision|audio|image|video|speech|projector|multi_modal|mm|visual|vit|vae|sound|perceiver|eagle|pixel)_\w+"
    r"|forced_\w+|encoder_no_repeat\w*|aux_loss\w*|router_(aux|z)_\w+|summary_\w+|_\w+"
    r"|\w*resampler\w*|\w+_mm_\w+|\w*(vision|audio|visual)_(config|tower|tokenizer)"
)

#: Words of names that say something about a shape even where the value is false or null.
_STRUCTURAL: Final = re.compile(r"bias|norm|tie|gate|expert|moe|mlp|ffn|head|attn|attention|layer|rotary|embed|glu")


def is_harmless(key: str, value: Any) -> bool:
    """Whether an unread key changes no shape."""
    if key in HARMLESS or _PATTERNS.fullmatch(key):
        return True
    return value is None or (value is False and not _STRUCTURAL.search(key)) or value in ("", [], {})
