"""The table of published ways of counting: name, formula in words, source, what each counts and leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from roofline.analysis.training.conventions import readings as read
from roofline.analysis.training.conventions.terms import Counted, Terms


class Convention(NamedTuple):
    """A way of counting. `terms` gives its terms of a model, `unsaid` why it says nothing of one (empty where it does).

    `hardware`: it counts what is computed again, so that a rate over it is an HFU. `repeats`: its source has a second
    figure with recomputation, four passes in place of three.
    """

    key: str
    title: str
    formula: str
    source: str
    counts: str
    leaves_out: str
    terms: Callable[[Counted], Terms]
    unsaid: Callable[[Counted], str] = read.none_said
    hardware: bool = False
    repeats: bool = False


_KAPLAN = "Kaplan et al. 2020, arXiv:2001.08361, table 1 and section 2.1"
_HOFFMANN = "Hoffmann et al. 2022, arXiv:2203.15556, appendix F"
_MEGATRON = "NVIDIA/Megatron-LM, megatron/training/training.py, num_floating_point_operations"
_LEDGER = "this program's ledger, three times its forward pass"

LEDGER_FULL: Final = Convention(
    "ledger_full",
    "ledger, full",
    "3 x (2 m n k of every product, every query against every key)",
    _LEDGER + "; equal to a framework's counter of unfused code",
    "every product: projections, experts visited, attention in full, logits",
    "look-ups, norms, biases, softmax, the optimizer",
    read.full,
)
LEDGER_CAUSAL: Final = Convention(
    "ledger_causal",
    "ledger, causal",
    "3 x (2 m n k of every product, of attention the pairs that masks let through)",
    _LEDGER,
    "every product: projections, experts visited, attention under its masks, logits",
    "look-ups, norms, biases, softmax, the optimizer",
    read.causal,
)

CONVENTIONS: Final = (
    LEDGER_CAUSAL,
    LEDGER_FULL,
    Convention(
        "six_n",
        "6 N, all",
        "6 x parameters",
        "Hoffmann et al. 2022, arXiv:2203.15556, C = 6 N D with N of all parameters",
        "every parameter, tables of vocabulary and positions and all experts too",
        "attention's products",
        read.six_n,
        read.one_stack,
    ),
    Convention(
        "six_n_active",
        "6 N, active",
        "6 x parameters that a token uses",
        "as 6 N, with the experts that a token visits: the usual reading for mixtures of experts",
        "every parameter that a token uses, tables too",
        "attention's products, experts not visited",
        read.six_n_active,
        read.one_stack,
    ),
    Convention(
        "six_n_no_embedding",
        "6 N, no embeddings",
        "6 x (parameters - tables of vocabulary and positions - head)",
        _KAPLAN + ": N without embeddings",
        "parameters of the layers and norms",
        "attention's products, embedding, logits",
        read.six_n_matrices,
        read.one_stack,
    ),
    Convention(
        "kaplan",
        "Kaplan / OpenAI",
        "3 x (2 N + 2 L s d_attn), N the matrices of the layers; both products of attention at their causal half",
        _KAPLAN + ": C_forward = 2 N + 2 n_layer n_ctx d_attn",
        "matrices of the layers, half of attention's square",
        "embedding, logits",
        read.kaplan,
        read.dense,
    ),
    Convention(
        "kaplan_qk",
        "Kaplan, q kT alone",
        "3 x (2 N + 2 L s d_attn), read as queries by keys in full and no product with values",
        _KAPLAN + ": the row 'Attention: Mask' of table 1",
        "matrices of the layers, queries by keys in full",
        "the product with values, embedding, logits",
        read.kaplan_qk,
        read.dense,
    ),
    Convention(
        "casson",
        "Casson",
        "3 x (4 d + 2 N + 2 L s d_attn + 2 d V): every row of OpenAI's table, the embedding as 4 d",
        "Casson, Transformer FLOPs (adamcasson.com), openai_flops_per_token, times 3",
        "matrices of the layers, queries by keys in full, logits, 4 d to embed",
        "the product with values",
        read.casson,
        read.dense,
    ),
    Convention(
        "kipply",
        "kipp.ly",
        "3 x 24 L d^2: P = 12 L d^2 and 2 P forward",
        "kipply, Transformer Inference Arithmetic",
        "four projections of d x d and a feed-forward of 4 d",
        "attention's products, embedding, logits; other widths",
        read.kipply,
        read.dense,
    ),
    Convention(
        "chinchilla",
        "Chinchilla, printed",
        "3 x (2 d V + L (projections + 4 s d_attn + 3 a s + feed-forward) + 2 d V)",
        _HOFFMANN + ", formula",
        "projections, attention in full, softmax, embedding and logits as products",
        "norms, biases, relative positions",
        read.chinchilla,
        read.dense,
    ),
    Convention(
        "chinchilla_tabled",
        "Chinchilla, tabled",
        "3 x L (projections + 4 s d_attn + 3 a s + feed-forward)",
        _HOFFMANN + ", table A4, which these terms give to the unit",
        "projections, attention in full, softmax",
        "embedding and logits, norms, biases, relative positions",
        read.chinchilla_tabled,
        read.dense,
    ),
    Convention(
        "palm",
        "PaLM",
        "6 N + 12 L H Q T, N of all parameters, H Q the width of all heads",
        "Chowdhery et al. 2022, arXiv:2204.02311, appendix B",
        "every parameter, attention in full",
        "what is computed again",
        read.palm,
        read.one_width,
    ),
    Convention(
        "llm_foundry",
        "llm-foundry",
        "3 x (2 P + 4 L d s), P the parameters that a token uses; 4 in place of 3 with checkpoints (HFU)",
        "mosaicml/llm-foundry, flops_per_batch and scripts/train/benchmarking",
        "every parameter that a token uses, attention in full at the width of the model",
        "what is computed again",
        read.foundry,
        read.attends,
        repeats=True,
    ),
    Convention(
        "megatron_2021",
        "Megatron 2021",
        "96 L h^2 (1 + s / 6h + V / 16 L h)",
        "Narayanan et al. 2021, arXiv:2104.04473, section 5.1",
        "layers of 12 h^2, attention in full, logits, and all layers forward once more",
        "feed-forwards other than 4 h, shared keys and values, embedding",
        read.megatron_2021,
        read.dense,
        hardware=True,
    ),
    Convention(
        "megatron_2022",
        "Megatron 2022",
        "72 L h^2 (1 + s / 6h + V / 12 L h)",
        "Korthikanti et al. 2022, arXiv:2205.05198, appendix A",
        "layers of 12 h^2, attention in full, logits",
        "feed-forwards other than 4 h, shared keys and values, embedding",
        read.megatron_2022,
        read.dense,
    ),
    Convention(
        "megatron",
        "Megatron-LM today",
        "6 x (projections + experts visited + logits) + 6 L s d_attn",
        _MEGATRON + " (2025 and later); Megatron-Bridge",
        "projections, experts visited and shared, half of attention's square, logits",
        "routers, embedding, heads of further tokens, windows",
        read.megatron,
        read.megatron_knows,
    ),
    Convention(
        "nemo",
        "NeMo up to 25",
        "6 x (projections + experts visited + logits) + 12 L s d_attn",
        "NVIDIA/Megatron-LM, examples/llama; NeMo up to 25.x",
        "projections, experts visited and shared, attention in full, logits",
        "routers, embedding, heads of further tokens",
        read.megatron_full,
        read.megatron_knows,
    ),
    Convention(
        "maxtext",
        "MaxText",
        "6 x matrices + 6 L s d_attn; in layers with windows 6 min(s, window) d_attn, in chunks theirs",
        "AI-Hypercomputer/maxtext, calculate_tflops_training_per_device, since July 2025",
        "matrices, routers, experts visited, logits, half of attention's square",
        "embedding, norms",
        read.maxtext,
        read.maxtext_knows,
    ),
    Convention(
        "maxtext_2024",
        "MaxText to 2025",
        "6 x matrices + 12 L s d_attn",
        "AI-Hypercomputer/maxtext, calculate_tflops_training_per_device, before July 2025",
        "matrices, routers, experts visited, logits, attention in full",
        "embedding, norms",
        read.maxtext_before,
        read.maxtext_knows,
    ),
    Convention(
        "torchtitan",
        "torchtitan",
        "6 x (active parameters - input embedding) + 6 L H (key + value width) s",
        "pytorch/torchtitan, get_dense_model_nparams_and_flops and its counterpart for experts",
        "parameters that a token uses, attention in full",
        "the input embedding, what is computed again",
        read.torchtitan,
        read.attends,
    ),
    Convention(
        "hf_trainer",
        "HF Trainer",
        "6 x (parameters - tables of nn.Embedding)",
        "huggingface/transformers, floating_point_ops",
        "parameters without embedding modules, all experts",
        "attention's products; a head that shares its table",
        read.trainer,
    ),
    Convention(
        "litgpt",
        "lit-gpt",
        "3 x (2 P + 4 L d s), P all parameters",
        "Lightning-AI/litgpt, estimate_flops (MFU); its HFU is PyTorch's FlopCounterMode: ledger_full",
        "every parameter, all experts, attention in full at the width of the model",
        "what is computed again",
        read.litgpt,
        read.attends,
    ),
    Convention(
        "hardware_full",
        "hardware, full",
        "ledger_full + one forward pass of all layers",
        _LEDGER + ", with checkpoints of whole layers",
        "every product, and all layers again",
        "the scores that fused attention computes once more",
        read.hardware_full,
        hardware=True,
    ),
    Convention(
        "hardware_causal",
        "hardware, causal",
        "ledger_causal + one forward pass of all layers",
        _LEDGER + ", with checkpoints of whole layers",
        "every product under masks, and all layers again",
        "the scores that fused attention computes once more",
        read.hardware_causal,
        hardware=True,
    ),
)
BY_KEY: Final = {convention.key: convention for convention in CONVENTIONS}
