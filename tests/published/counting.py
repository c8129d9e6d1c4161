"""Counts of parameters and FLOPs: Casson, Chinchilla and nanoGPT, llm-foundry, and model configurations."""

from __future__ import annotations

from functools import partial
from typing import Final

import roofline as rl

from .ask import Check, elements, equal, flops, in_blocks, matrix_flops, params, pick, run, step

A100: Final = "a100-sxm-80gb"
H100: Final = "h100-sxm"
#: Forward and backward over forward: the backward pass computes two products for each one of the forward pass.
TRAINING: Final = 3.0
TRIPLE: Final = "our forward pass, times the article's 3 for forward and backward"


def _forward(model: str, tokens: int) -> rl.Estimate:
    """One sequence with the full square of attention and the logits of all tokens, as the notebooks count."""
    return run(model, A100, prompt=tokens, generate=1, fusion="eager", logits="all")


def _matrices(model: str) -> float:
    """Parameters of the layers' matrices: half of the FLOPs of one token."""
    return matrix_flops(step(model, A100), "decode") / 2


def _openai_gpt3() -> float:
    """Casson's openai_flops_per_token: matrices and head as here, q k^T without the product with v, 4 d to embed."""
    est = step("gpt-3-175b", A100, context=2047)
    matrices = matrix_flops(est, "decode") + flops(pick(est, "head", phase="decode"))
    attention = flops(pick(est, "attention", phase="decode"))
    return matrices + attention / 2 + 4 * elements(run("gpt-3-175b", A100, prompt=1, generate=1), "embedding", "write")


CASSON: Final[dict[str, Check]] = {
    "casson_openai_fpt_gpt3": equal(
        _openai_gpt3,
        "matrices and head exactly as he counts; attention halved, since he counts q k^T alone, where the ledger "
        "counts the product with v as well; 4 d added for the embedding, a look-up without FLOPs here",
    )
} | {
    f"casson_opt_{size}": equal(partial(_matrices, f"opt-{size.lower()}"), "no biases, norms and embeddings")
    for size in ("350M", "1.3B", "2.7B", "6.7B", "13B", "30B", "66B", "175B")
}


def _parameters(size: str) -> float:
    return _forward(f"chinchilla-{size.lower()}", 2048).parameters.total


def _chinchilla_flops(size: str) -> float:
    """Training FLOPs of a sequence as in the paper's appendix, without embedding, logits and relative positions.

    The paper counts 3 operations per score for the softmax, which the ledger keeps among the vector FLOPs.
    """
    est = _forward(f"chinchilla-{size.lower()}", 2048)
    counted = [row for row in in_blocks(est) if not row.name.startswith("relative")]
    layers = pick(est, "attention.scores")[0].count
    softmax = 3.0 * layers * elements(est, "attention.scores", "write")
    return TRAINING * (flops(counted) + softmax)


def _chinchilla_ratio(size: str) -> float:
    return _chinchilla_flops(size) / (6 * 2048 * _parameters(size))


_APPENDIX: Final = f"{TRIPLE}; 3 per score for the softmax; none of embedding, logits and relative positions"

CHINCHILLA: Final[dict[str, Check]] = (
    {f"chin_nb_N_{size}": equal(partial(_parameters, size)) for size in ("73M", "305M", "1.1B", "1.6B", "6.8B")}
    | {
        f"chin_nb_F_{size}": equal(partial(_chinchilla_flops, size), _APPENDIX)
        for size in ("73M", "305M", "552M", "6.8B")
    }
    | {
        f"chin_a4_{size}": equal(partial(_chinchilla_ratio, size))
        for size in ("73M", "305M", "552M", "1.1B", "1.6B", "6.8B")
    }
    | {f"chin_nb_ratio_{size}": equal(partial(_chinchilla_ratio, size)) for size in ("1.6B", "6.8B")}
)


def _nano() -> rl.Estimate:
    return _forward("nanogpt-124m", 1024)


def _per_layer(*names: str) -> float:
    return sum(float(row.flops) / row.count for row in pick(_nano(), *names))


def _nano_training() -> float:
    return TRAINING * float(_nano().phase("prefill").flops)


def _nano_palm() -> float:
    """6 FLOPs per parameter and token, positions left out, and attention as the ledger counts it."""
    est = _nano()
    matrices = est.parameters.total - params(pick(est, "position_embedding"))
    return TRAINING * (2 * matrices * 1024 + flops(pick(est, "attention.scores", "attention.values")))


NANOGPT: Final[dict[str, Check]] = {
    "nano_params": equal(lambda: _nano().parameters.total),
    "nano_params_pos": equal(lambda: params(pick(_nano(), "position_embedding"))),
    "nano_params_block": equal(lambda: params(in_blocks(_nano())) / 12),
    "nano_f_scores": equal(partial(_per_layer, "attention.scores")),
    "nano_f_reduce": equal(partial(_per_layer, "attention.values")),
    "nano_f_proj": equal(partial(_per_layer, "o_proj")),
    "nano_f_ffw": equal(partial(_per_layer, "up_proj")),
    "nano_f_block": equal(lambda: flops(in_blocks(_nano())) / 12),
    "nano_f_dense": equal(lambda: flops(pick(_nano(), "head"))),
    "nano_f_bwd_total": equal(_nano_training, TRIPLE),
    "nano_palm_flops": equal(_nano_palm, TRIPLE),
    "nano_mfu": equal(
        lambda: 100 * 20 * 5 * _nano_training() / 0.755 / _nano().machine["peak_flops"],
        f"{TRIPLE}; the measured 0.755 s",
    ),
}

#: Tokens per second and GPU of llm-foundry's table, sequences of 2048 tokens.
_RATES: Final = {"1b": 44123, "3b": 23422, "7b": 10475, "13b": 5080, "30b": 2199, "70b": 1007}


def _mfu(size: str) -> float:
    est = run(f"mpt-{size}", H100, prompt=2048, generate=1, fusion="eager", logits="all")
    per_token = TRAINING * float(est.phase("prefill").flops) / 2048
    return 100 * per_token * _RATES[size] / float(est.machine["peak_flops"])


FOUNDRY: Final[dict[str, Check]] = {
    f"foundry_{size}": equal(partial(_mfu, size), f"{TRIPLE}; the measured rate") for size in _RATES
} | {
    f"foundry_{size}_params": equal(partial(lambda s: run(f"mpt-{s}", H100).parameters.total, size))
    for size in ("1b", "13b", "30b", "70b")
}

CONFIGURATIONS: Final[dict[str, Check]] = {
    "mistral7b_kv": equal(lambda: step("mistral-7b", A100).memory.kv_cache_bytes_per_token),
    "llama2_7b_params": equal(lambda: step("llama-2-7b", A100).parameters.total),
}

CHECKS: Final = CASSON | CHINCHILLA | NANOGPT | FOUNDRY | CONFIGURATIONS
