"""A training row as a question of `roofline train`: what it states, and what its framework does where it does not.

Rules are of frameworks, never of rows. A row whose conditions cannot be asked is refused with the reason.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from roofline.evidence.training.rows import TrainingRow
from roofline.evidence.training.shapes import model_of
from roofline.runs.load import load_gpu
from roofline.specs.base import Spec
from roofline.specs.gpu import GPUSpec

#: Engines by what rows call a framework.
ENGINES: Final = {
    "composer-fsdp": "llm-foundry",
    "composer": "composer-diffusion",
    "megatron-bridge": "megatron-bridge",
    "megatron-lm": "megatron",
    "megatron-core": "megatron",
    "megatron-deepspeed": "megatron-deepspeed",
    "torchtitan": "torchtitan",
    "internevo": "internevo",
    "hf-transformers-peft": "hf-trainer",
    "hf-peft": "hf-trainer",
    "hf-diffusers": "pytorch-eager",
    "simpletuner": "simpletuner",
    "litgpt": "litgpt",
    "torchtune": "torchtune",
    "nemo": "nemo",
    "nanogpt": "nanogpt",
    "": "meta-llama",
}
#: Older versions of frameworks whose steps took clearly longer, by the date before which they were current.
VERSIONS: Final = {
    "megatron": (("2023", "megatron@2021"),),
    "megatron-bridge": (("26.04", "megatron-bridge@25"), ("26.06", "megatron-bridge@26.04")),
}
#: Repeated in the backward pass where a source does not say: Megatron-Bridge's and NeMo's recipes keep all but what
#: flash attention repeats anyway; Megatron-LM's runs of 2024 and 2025 repeat core attention, which flash does.
_RECOMPUTE: Final = {"": "none", "unknown": "none", "none": "none", "full": "full", "selective": "selective"}
#: Matrices with an adapter, by the source's words: torchtune's recipes of Llama (lora_attn_modules q, v, output and
#: the feed-forward), NeMo's LoRA (linear_qkv, linear_proj, linear_fc1, linear_fc2) where nothing is said.
_TARGETS: Final = {
    "c_attn,attn c_proj,w1,w2": "qkv_proj,o_proj,gate_proj,up_proj",
    "query,value": "q_proj,v_proj",
    "attention (q,k,v fused, output)": "q_proj,k_proj,v_proj,o_proj",
    "to_q, to_k, to_v, to_out.0": "to_q,to_k,to_v,to_out.0",
}
_OWN_TARGETS: Final = {
    "torchtune": "q_proj,v_proj,o_proj,gate_proj,up_proj,down_proj",
    "megatron-bridge": "all-linear",
    "megatron-bridge@26.04": "all-linear",
}
#: Rank of adapters where nothing is said: NVIDIA-NeMo/Megatron-Bridge, peft/lora.py: dim 32.
_RANK: Final = 32
_BASES: Final = {"": None, "bf16": "bf16", "fp8": "fp8", "int8": "int8", "nf4": "nf4", "nf4-dq": "nf4-dq"}
#: Weights of 4 bits in groups of 128 with a scale and a zero of 16 bits are 4.25 bits each: as nf4-dq within 3 %.
_BASES_LIKE: Final = {"gptq-int4": "nf4-dq"}
_PRECISIONS: Final = {
    "bf16": "bf16",
    "fp16": "fp16",
    "fp16 (amp)": "amp-fp16",
    "fp8": "fp8",
    "fp8-rowwise": "fp8",
    "mxfp8": "mxfp8",
    "nvfp4": "nvfp4",
}
_OPTIMIZERS: Final = {
    "": "adamw",
    "adam": "adamw",
    "adamw": "adamw",
    "decoupled_adamw": "adamw",
    "adamw-8bit": "adamw-8bit",
    "paged-adamw-8bit": "adamw-8bit",
    "adamw_bf16": "adamw-bf16",
}
#: What a torchtitan row ran on, by its notes: an H100 of 96 GB HBM2e at 2.4 TB/s.
_TITAN_BANDWIDTH: Final = 2.4e12
_TITAN_CAPACITY: Final = 96.0 * 2.0**30
#: Nodes with links as notes tell them: four of 100 Gb/s each on eight A100, be they Omni-Path, RoCE or EFA.
_NODES: Final = {"4 Omni-Path links": "aws-p4de.24xlarge", "4 × 100 Gb RoCE": "aws-p4de.24xlarge"}
#: GPUs of the runs of model cards, which name none: Touvron et al. 2023 (arXiv:2307.09288), section 2.2, and Llama
#: team 2024 (arXiv:2407.21783), section 3.3. Beyond 30 B parameters layers are split over a node.
_CARD_GPUS: Final = {"a100-sxm-80gb": 1024, "h100-sxm": 2048}
_CARD_BATCH: Final = {"a100-sxm-80gb": 4_194_304, "h100-sxm": 16_777_216}


class Asked(NamedTuple):
    """A row as a question: a model, an accelerator and options of `train_question`; `apart` is why its figure takes no
    part in a fit though it can be asked.
    """

    row: TrainingRow
    model: str | Spec
    gpu: str | GPUSpec
    options: dict[str, Any]
    apart: str = ""


def ask(row: TrainingRow) -> Asked:
    """The question of a row. Raises LookupError with the reason where it cannot be asked."""
    _askable(row)
    engine = engine_of(row)
    options: dict[str, Any] = {"engine": engine}
    options |= _plan(row)
    options |= _sizes(row)
    options |= _ways(row, engine)
    return Asked(row, model_of(row), _gpu(row), options, _apart(row))


def engine_of(row: TrainingRow) -> str:
    """The framework of a row, in the version of its date: the first of VERSIONS that it is older than."""
    engine = ENGINES[row.framework]
    if row.framework == "megatron-core" and "overlap of communication off" in row.notes:
        return "megatron@serial"
    if engine == "hf-trainer" and row.framework != "hf-peft" and (row.method == "full-finetune" or (row.gpus or 1) > 1):
        return "hf-deepspeed"  # scripts of Qwen's repository: finetune_ds.sh, finetune_lora_ds.sh, finetune_qlora_ds.sh
    return next((version for before, version in VERSIONS.get(engine, ()) if row.date < before), engine)


def _askable(row: TrainingRow) -> None:
    """Raises LookupError for what no option says."""
    refused = {
        "the GPU is not stated": not row.gpu,
        "weights and optimizer are kept by the host": "cpu" in row.offload,
        "adapters that are no LoRA": row.method.startswith("adapter"),
        "embedding and head are trained beside the adapters": "plus embedding" in row.lora_targets,
        "only some blocks are repeated": row.activation_checkpointing.startswith("partial"),
        "activations are kept by the host": "activations" in row.offload and row.of_memory,
        "the optimizer steps within the backward pass": "optimizer" in row.notes
        and "backward" in row.notes
        and row.of_memory,
        "blocks are repeated in segments": "segments" in row.activation_checkpointing and row.of_memory,
        "the number of GPUs of that run is not stated": row.framework == "nanogpt",
    }
    for reason, found in refused.items():
        if found:
            raise LookupError(reason)


def _apart(row: TrainingRow) -> str:
    """Why a figure says nothing of its framework."""
    if row.gpu == "a6000":
        return "78 to 94 % of the peak of such a card: probably another one"
    if row.family == "BLM" and row.global_batch == 1568:
        return "the batch in the table contradicts its time"
    if "known regression" in row.notes:
        return "a regression of the container, says the source"
    return ""


def _gpu(row: TrainingRow) -> str | GPUSpec:
    if "HBM2e" not in row.notes:
        return row.gpu
    whole = load_gpu(row.gpu)
    memory = whole.memory.model_copy(update={"bandwidth": _TITAN_BANDWIDTH, "capacity": _TITAN_CAPACITY})
    return whole.model_copy(update={"memory": memory})


def _plan(row: TrainingRow) -> dict[str, Any]:
    if row.metric == "gpu_hours":
        return _card_plan(row)
    gpus, dp = row.gpus or 1, row.dp
    found = {name: getattr(row, name) or 1 for name in ("tp", "pp", "cp", "ep")}
    if row.tp is None and dp and gpus > dp:  # the size of a replica is stated, and not how it is split
        each = gpus // dp
        found["tp"] = min(each, 4)
        found["cp"] = each // found["tp"]
    plan: dict[str, Any] = {name: size for name, size in found.items() if size > 1}
    plan["gpus"] = gpus
    if (row.vpp or 1) > 1:
        plan["vpp"] = row.vpp
    if "interleaved 1F1B" in row.notes:
        plan["vpp"] = 2
    if gpus > 1:
        plan |= next(({"node": node} for words, node in _NODES.items() if words in row.notes), {})
    if row.zero_stage is not None:
        plan["zero"] = row.zero_stage
    if row.sequence_parallel == "no" and found["tp"] > 1:
        plan["no_sequence_parallel"] = True
    return plan


def _card_plan(row: TrainingRow) -> dict[str, Any]:
    """A run of which only its GPU-hours are told: replicas, each within a node beyond 30 B parameters."""
    plan: dict[str, Any] = {"gpus": _CARD_GPUS[row.gpu], "zero": 3}
    large = row.model.rpartition("-")[2].rstrip("b")
    if float(large) > 30.0:
        plan |= {"tp": 8, "zero": 1, "pp": 4}
    if float(large) > 100.0:
        plan |= {"pp": 16}
    return plan


def _sizes(row: TrainingRow) -> dict[str, Any]:
    if row.metric == "gpu_hours":
        sequence = row.sequence_length or 4096
        batch = _CARD_BATCH[row.gpu] // sequence
        return {"sequence": sequence, "global_batch": batch, "micro_batch": 1, "tokens": row.tokens_total}
    whole, micro = row.global_batch, row.micro_batch
    replicas = _replicas(row)
    if micro is None and whole is not None:
        micro = _micro(row, whole, replicas)
    micro = micro or 1
    if whole is None:
        whole = micro * (row.grad_accumulation or 1) * replicas
    if row.framework == "torchtitan" and (row.pp or 1) > 1:
        micro = max(1, micro // (row.pp or 1))  # the batch of a replica is cut into as many parts as there are stages
    sizes: dict[str, Any] = {"micro_batch": micro, "global_batch": whole}
    if row.image_px is not None:
        return sizes | {"height": row.image_px, "width": row.image_px}
    return sizes | {"sequence": row.sequence_length}


def _replicas(row: TrainingRow) -> int:
    split = (row.tp or 1) * (row.pp or 1) * (row.cp or 1)
    return row.dp or max(1, (row.gpus or 1) // split)


#: Pictures at once where a source does not say: as many as a card of 80 GB takes of 512² (32) or of 256² (128).
_PICTURES: Final = 32 * 512**2
#: Micro-batches for each stage of a pipeline that a source leaves where it does not say how large they are.
_PER_STAGE: Final = 4


def _micro(row: TrainingRow, whole: int, replicas: int) -> int:
    """The largest micro-batch of which a step has four for each stage; of pictures, what a card takes."""
    each = max(1, whole // replicas)
    most = _PICTURES // row.image_px**2 if row.image_px else each // (_PER_STAGE * (row.pp or 1))
    return max(size for size in range(1, max(1, min(most, each)) + 1) if each % size == 0)


def _ways(row: TrainingRow, engine: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "precision": _of(_PRECISIONS, row.precision, "bf16"),
        "optimizer": _of(_OPTIMIZERS, row.optimizer, "adamw"),
        "recompute": _RECOMPUTE.get(row.activation_checkpointing.partition(":")[0], "none"),
    }
    if row.attention in ("unfused", "fused softmax, scores stored"):
        found["attention"] = "eager"
    if row.method in ("lora", "qlora"):
        found["lora"] = row.lora_rank or _RANK
        targets = _TARGETS.get(row.lora_targets) or _OWN_TARGETS.get(engine)
        if targets:
            found["targets"] = targets
        found["base"] = _BASES.get(row.base_weights) or _BASES_LIKE.get(row.base_weights)
        if row.precision.startswith("int8"):
            found["precision"] = "bf16"
    elif engine == "torchtune":
        found["precision"] = "bf16-pure"
    return {name: value for name, value in found.items() if value is not None}


def _of(known: dict[str, str], text: str, usual: str) -> str:
    return known.get(text, usual)
