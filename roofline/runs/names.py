"""Names of options: what other programs call them, and what may have been meant by one that there is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from roofline.errors import UsageError, nearest
from roofline.runs.options import KEYWORDS

#: What other programs call these options.
_CALLED: Final[dict[str, tuple[str, ...]]] = {
    "guidance": ("cfg", "cfg_scale"),
    "steps": ("num_inference_steps",),
    "scheduler": ("sampler",),
    "batch": ("bs",),
    "weights": ("dtype", "precision", "quantization", "quant"),
    "kv_cache": ("kv",),
    "tp": ("tensor_parallel_size", "tensor_parallel"),
    "pp": ("pipeline_parallel_size",),
    "dp": ("data_parallel_size",),
    "gpus": ("num_gpus", "n_gpus"),
    "generate": ("max_tokens", "max_new_tokens", "output_len"),
    "chunk": ("max_num_batched_tokens", "chunked_prefill_size", "max_num_tokens", "ubatch", "ubatch_size"),
    "utilisation": ("utilization", "gpu_memory_utilization", "mem_fraction_static", "gpu_memory_utilisation"),
    "max_sequences": ("max_num_seqs", "max_running_requests", "max_batch_size"),
    "prompt": ("input_len", "seq_len", "context"),
    "fusion": ("attention",),
}
ELSEWHERE: Final = {other: name for name, others in _CALLED.items() for other in others}


def check_names(names: Iterable[str]) -> None:
    """Raises UsageError for the first name that is no option, with the option that is meant."""
    for name in names:
        if name not in KEYWORDS:
            known = ELSEWHERE.get(name.lower())
            meant = [known] if known else nearest(name, list(KEYWORDS), 1)
            hint = f"did you mean {meant[0]}?" if meant else f"there are: {', '.join(KEYWORDS)}"
            raise UsageError(f"unknown option {name}; {hint}")
