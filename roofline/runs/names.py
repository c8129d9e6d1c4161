"""Names of options: what other programs call them, and what may have been meant by one that there is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from roofline.errors import UsageError, nearest
from roofline.runs.options import KEYWORDS

#: What other programs call these options and mean exactly the same by: the command line takes them.
_SAME: Final[dict[str, str]] = {
    "guidance": "cfg cfg_scale guidance_scale",
    "steps": "num_inference_steps num_steps sampling_steps",
    "scheduler": "sampler sampler_name sampling_method",
    "batch": "bs batch_size",
    "weights": "quant quantization quantisation quantize",
    "kv_cache": "kv kv_cache_dtype kv_dtype",
    "tp": "tensor_parallel_size tensor_parallel tp_size",
    "pp": "pipeline_parallel_size pipeline_parallel pp_size",
    "dp": "data_parallel_size data_parallel dp_size",
    "gpus": "num_gpus n_gpus",
    "generate": "max_tokens max_new_tokens output_len n_predict num_predict",
    "prompt": "input_len",
    "utilisation": "utilization gpu_memory_utilization gpu_memory_utilisation",
    "max_sequences": "max_num_seqs max_running_requests",
}
#: What other programs call something near to these options: one of them may be meant.
_NEAR: Final[dict[str, str]] = {
    "height width": "resolution size image_resolution img_size",
    "prompt generate": "context ctx c ctx_size num_ctx n_ctx context_length max_context_len max_model_len max_seq_len "
    "max_total_tokens",
    "prompt": "seq_len sequence_length prompt_len prompt_tokens input_length input_tokens max_input_tokens isl",
    "generate": "tokens gen_len new_tokens min_new_tokens output_tokens output_length output osl",
    "weights activations": "dtype torch_dtype precision",
    "weights": "load_in_4bit load_in_8bit load_format fp8 fp16 bf16 int8 int4 no_half precision_full",
    "batch users": "concurrency max_concurrency num_prompts num_requests num_images num_images_per_prompt "
    "n_samples n_iter parallel n_parallel num_parallel np",
    "kv_cache": "cache_type_k cache_type_v ctk ctv",
    "chunk": "max_num_batched_tokens chunked_prefill_size max_num_tokens ubatch ubatch_size ub enable_chunked_prefill "
    "max_batch_prefill_tokens",
    "utilisation": "mem_fraction_static",
    "max_sequences": "max_batch_size",
    "fusion": "attention flash_attn fa attn_implementation attention_backend compile torch_compile "
    "enable_torch_compile enforce_eager xformers enable_xformers enable_xformers_memory_efficient_attention "
    "opt_sdp_attention",
    "gpus offload": "num_gpu",
    "offload": "n_gpu_layers num_gpu_layers ngl gpu_layers cpu_offload device_map enable_model_cpu_offload "
    "cpu_offload_gb sequential_cpu_offload enable_sequential_cpu_offload lowvram medvram novram n_cpu_moe cpu_moe "
    "override_tensor ot",
    "draft": "speculative_model draft_model model_draft assistant_model",
    "draft_tokens": "num_speculative_tokens draft_max",
    "tiling": "vae_tiling enable_vae_tiling",
    "slicing": "vae_slicing enable_vae_slicing",
    "gpu": "device accelerator card hardware gpu_name gpu_type",
    "memory": "vram",
    "host": "ram cpu_ram cpu",
    "price": "cost cost_per_hour gpu_price",
    "tp": "num_shard sharded tensor_split split_mode",
    "ep": "ep_size expert_parallel expert_parallel_size enable_expert_parallel",
    "cp": "cp_size context_parallel context_parallel_size",
    "node": "nnodes num_nodes",
    "model": "model_id model_name model_path checkpoint ckpt",
    "engine": "backend framework runtime",
    "global_batch micro_batch": "batch batch_size bs train_batch_size per_device_train_batch_size",
    "micro_batch": "micro_batch_size",
    "global_batch": "global_batch_size",
    "sequence": "seq_length seq_len max_seq_length prompt",
    "zero": "zero_stage",
    "recompute": "gradient_checkpointing activation_checkpointing",
}
#: Options of other programs that change neither time nor memory, as they are counted here.
_UNCOUNTED: Final = (
    "temperature temp top_k top_p min_p seed repeat_penalty repetition_penalty do_sample negative_prompt "
    "served_model_name trust_remote_code keep_alive mlock no_mmap schedule_policy verbose quiet"
)
UNCOUNTED: Final = frozenset(_UNCOUNTED.split())
#: What is asked for most, for those who named none.
LIKELY_MODELS: Final = ("llama-3.1-8b", "qwen3-8b", "sdxl")
LIKELY_GPUS: Final = ("a100", "h100", "rtx-4090")
SAME: Final = {other: name for name, others in _SAME.items() for other in others.split()}


def meant_options(name: str, known: Collection[str] = KEYWORDS) -> list[str]:
    """The options, of those `known`, that may be meant by a name that is none: what others call so, else the nearest.

    Several only where all of them belong to what others call so.
    """
    asked = name.lower().replace("-", "_")
    return called_elsewhere(asked, known) or nearest(asked, known, 1)


def called_elsewhere(name: str, known: Collection[str] = KEYWORDS) -> list[str]:
    """The options, of those `known`, that other programs call so, in lower case and with `_`."""
    if SAME.get(name) in known:
        return [SAME[name]]
    for names, others in _NEAR.items():
        found = [each for each in names.split() if each in known]
        if name in others.split() and found:
            return found
    return []


def check_names(names: Iterable[str], known: Collection[str] = KEYWORDS) -> None:
    """Raises UsageError for the first name that is no option, with the option that is meant."""
    for name in names:
        if name not in known:
            meant = meant_options(name, [*known, "model", "gpu"])
            hint = f"did you mean {' and '.join(meant)}?" if meant else f"there are: {', '.join(known)}"
            raise UsageError(f"unknown option {name}; {hint}")


def no_gpu(beside: str = "") -> UsageError:
    """That no accelerator was named, with those that are asked for most."""
    likely = f"{', '.join(LIKELY_GPUS[:-1])} or {LIKELY_GPUS[-1]}"
    return UsageError(f"no GPU given{beside}: --gpu NAME, for example {likely}. `roofline list gpus` lists all.")
