"""Where checkpoints keep the layers of a model, and how names inside a layer begin: by family, as data.

Source: the model code of transformers 5.23.0 and 5.24.0, and of files that bring their own.
"""

from __future__ import annotations

from typing import Final

#: The first parts of names inside a layer, of families that are not like Llama.
CONTAINERS: Final[dict[str, str]] = {
    "gpt2 gpt_bigcode gptj codegen gpt_neo openai-gpt qwen jais codeshell": "attn mlp",
    "gpt_neox gpt_neox_japanese": "attention mlp",
    "opt xglm biogpt": "self_attn fc1 fc2",
    "exaone": "attn self_attn mlp",
    "phi-msft": "mixer mlp",
    "internlm2": "attention feed_forward",
    "chatglm telechat": "self_attention mlp",
    "openelm": "attn ffn",
    "bloom falcon": "self_attention mlp",
    "mpt": "attn ffn",
    "bert roberta xlm-roberta electra distilbert": "attention intermediate output ffn",
    "t5 mt5": "layer",
    "bart mbart": "self_attn encoder_attn fc1 fc2",
    "dbrx": "norm_attn_norm ffn",
    "mixtral phimoe minimax_m2 minimax minimax_text_01 minimax_m3 minimax_m3_vl_text": "self_attn block_sparse_moe mlp",
    "granitemoe granitemoeshared granitemoehybrid granitemoe_swa": "self_attn mamba block_sparse_moe shared_mlp mlp",
    "llama4_text": "self_attn feed_forward",
    "jamba bamba falcon_h1": "self_attn mamba feed_forward",
    "nemotron_h mamba falcon_mamba mamba2 mamba_ssm": "mixer",
    "lfm2 lfm2_moe lfm3": "self_attn conv feed_forward",
    "jetmoe": "self_attention mlp",
    "bailing_moe bailing_moe_v2 bailing_moe_linear bailing_moe_linear_v2": "attention mlp",
    "longcat_flash": "self_attn mlps mlp",
    "recurrent_gemma": "temporal_block mlp_block",
    "rwkv": "attention feed_forward",
    "xlstm": "mlstm_layer ffn",
    "step3p5 step3p7": "self_attn mlp moe share_expert",
    "deepseek_v4 deepseek_ref": "self_attn mlp attn ffn",
    "deepseek_v3 deepseek_v32 kimi_k2": "self_attn mlp",
    "kimi_linear kimi_k3": "self_attn mlp block_sparse_moe",
    "zamba zamba2": "mamba mamba_decoder shared_transformer linear",
    "gemma4_text": "self_attn mlp experts moe router per_layer_input_gate per_layer_projection",
}
USUAL: Final = "self_attn linear_attn mlp per_layer_input_gate per_layer_projection laurel altup".split()  # noqa: SIM905

#: Where layers stand in a checkpoint, of families that are not like Llama.
PREFIXES: Final[dict[str, str]] = {
    "gpt2 gpt_bigcode gptj codegen gpt_neo bloom falcon": "transformer.h",
    "openai-gpt qwen jais codeshell phi-msft telechat": "transformer.h",
    "exaone": "transformer.h model.layers",
    "chatglm": "transformer.encoder.layers",
    "openelm": "transformer.layers",
    "plamo": "model.layers.layers",
    "biogpt": "biogpt.layers",
    "gpt_neox": "gpt_neox.layers",
    "gpt_neox_japanese": "gpt_neox_japanese.layers",
    "opt": "model.decoder.layers",
    "mpt dbrx": "transformer.blocks",
    "bert electra": "encoder.layer bert.encoder.layer electra.encoder.layer",
    "roberta xlm-roberta": "encoder.layer roberta.encoder.layer",
    "distilbert": "transformer.layer distilbert.transformer.layer",
    "mamba falcon_mamba mamba2 mamba_ssm": "backbone.layers",
    "nemotron_h": "backbone.layers model.layers",
    "rwkv": "rwkv.blocks",
    "xlstm": "backbone.blocks",
    "t5 mt5": "decoder.block",
    "bart mbart": "model.decoder.layers",
    "deepseek_v4 deepseek_ref": "model.layers layers",
}
#: Where layers of an encoder before a decoder stand.
ENCODERS: Final[dict[str, str]] = {"t5 mt5": "encoder.block", "bart mbart": "model.encoder.layers"}
#: Where the layers of the text model of a multimodal one stand.
MULTIMODAL: Final = ("model.language_model.layers", "language_model.model.layers", "model.layers")
