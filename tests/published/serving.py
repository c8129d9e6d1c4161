"""Serving: Baseten and the JAX scaling book."""

from __future__ import annotations

from functools import partial
from typing import Final

from roofline.machine.machine import Machine
from roofline.workload import constructors as make
from roofline.workload.precision import Precision

from .ask import (
    Check,
    bandwidths,
    cost,
    differs,
    equal,
    flops,
    gpu,
    params,
    pick,
    prefill_floor,
    run,
    spare,
    step,
    step_floor,
    upper,
)

LLAMA: Final = "llama-2-7b"
NOMINAL: Final = "nominal-7b"
T4: Final = "baseten-t4"
A10: Final = "baseten-a10"
ROUND_7B: Final = "the article takes 7e9 parameters, and no attention, for Llama 2 7B's 6,738,415,616"


def _total(model: str, on: str) -> float:
    """Seconds for 350 tokens in and 150 steps, as the article adds them; here the prefill yields a token of its own."""
    return float(run(model, on, prompt=350, generate=151).latency.total.floor)


def _cached_tokens(model: str) -> float:
    return spare(step(model, A10)) / float(step(LLAMA, A10).memory.kv_cache_bytes_per_token)


def _attention_intensity() -> float:
    """Three kernels, scores, softmax and the product with v, each through memory."""
    head = run("attention-head", "a10", prompt=4096, generate=1, fusion="eager")
    kernels = pick(head, "attention.scores", "attention.softmax", "attention.values")
    return float(sum(row.flops + row.vector_flops for row in kernels) / sum(row.bytes for row in kernels))


def _throughput(on: str, batch: int) -> float:
    out = run("mistral-7b", on, batch=batch, prompt=300, generate=1000).throughput.output_tokens
    assert out is not None
    return float(out.floor)


_RATIO: Final = "a ratio of floors beside a ratio of measurements"

BASETEN: Final[dict[str, Check]] = {
    "baseten_ops_byte_a10": equal(lambda: step(LLAMA, "a10").machine["ridge_flops_per_byte"]),
    "baseten_a10g_ops_byte": equal(lambda: step(LLAMA, "a10g").machine["ridge_flops_per_byte"]),
    "baseten_attn_ai": equal(
        _attention_intensity, "4 vector operations per score in the softmax here, 3 in the article"
    ),
    "baseten_spare": differs(lambda: spare(step(LLAMA, A10)) / 1e9, lambda: spare(step(NOMINAL, A10)) / 1e9, ROUND_7B),
    "baseten_kv_token": equal(lambda: step(LLAMA, "a10").memory.kv_cache_bytes_per_token),
    "baseten_kv_tokens": differs(partial(_cached_tokens, LLAMA), partial(_cached_tokens, NOMINAL), ROUND_7B),
    "baseten_batch_4096": equal(
        lambda: float(run(LLAMA, "a10", prompt=4096, generate=1).memory.max_batch), "activations included"
    ),
    "baseten_t4_token": differs(partial(step_floor, LLAMA, T4), partial(step_floor, NOMINAL, T4), ROUND_7B),
    "baseten_t4_total": differs(partial(_total, LLAMA, T4), partial(_total, NOMINAL, T4), ROUND_7B),
    "baseten_a10_prefill": differs(
        partial(prefill_floor, LLAMA, "a10", 350), partial(prefill_floor, NOMINAL, "a10", 350), ROUND_7B
    ),
    "baseten_a10_total": differs(partial(_total, LLAMA, "a10"), partial(_total, NOMINAL, "a10"), ROUND_7B),
    "baseten_a100_token": equal(partial(step_floor, LLAMA, "a100")),
    "baseten_a100_prefill": differs(
        partial(prefill_floor, LLAMA, "a100", 350), partial(prefill_floor, NOMINAL, "a100", 350), ROUND_7B
    ),
    "baseten_a100_total": equal(partial(_total, LLAMA, "a100")),
    "baseten_h100_bw_ratio": equal(partial(bandwidths, "h100", "a100")),
    "baseten_mistral_a100_b32": upper(partial(_throughput, "a100", 32)),
    "baseten_mistral_h100_b32": equal(lambda: _throughput("h100", 32) / _throughput("a100", 32), _RATIO),
    "baseten_mistral_h100_b64": equal(lambda: _throughput("h100", 64) / _throughput("a100", 32), _RATIO),
    "baseten_mixtral_w": equal(lambda: float(step("mixtral-8x7b", "a100").memory.weights_bytes) / 1e9),
    "baseten_mistral_w": equal(lambda: float(step("mistral-7b", "a100").memory.weights_bytes) / 1e9),
}

V5E: Final = "scaling-book-v5e"
POOLED: Final = "the chips as one, without links between them, as the book has it here"
_FFW: Final = ("gate_proj", "up_proj", "down_proj")
_ATTENTION: Final = ("q_proj", "k_proj", "v_proj", "o_proj")


def _dot_product() -> float:
    """x [1, n] @ y [n, 1] over n = 4096."""
    op = make.linear("dot", "layers", 1.0, 4096.0, 1.0)
    return float(op.flops / cost(op, "tpu-v5e", "bf16").bytes)


def _critical_batch() -> float:
    """Tokens at which the products of a matrix take as long as streaming it in int8."""
    op, machine = make.linear("matrix", "layers", 1.0, 8192.0, 8192.0), Machine.of(gpu(V5E))
    precision = Precision.of("int8", "bf16")
    stream = precision.weight_bytes(op) / machine.bandwidth
    return float(stream / (op.flops / machine.tensor[precision.compute_dtype(op)]))


def _product(tokens: float) -> float:
    return float(cost(make.linear("product", "layers", tokens, 4096.0, 8192.0), "b200-sxm", "bf16").bound_s) * 1e6


def _gigabytes(model: str, batch: int, **options: str) -> float:
    memory = run(model, V5E, batch=batch, prompt=8192, generate=1, **options).memory
    return float(memory.weights_bytes + memory.kv_cache_bytes) / 1e9


def _slice_step(model: str, batch: int) -> float:
    return step_floor(model, gpu(V5E, 8), batch, 8192)


def _slice_rate(model: str, batch: int) -> float:
    return 1e3 * batch / _slice_step(model, batch)


def _quiz_bound() -> float:
    """The roofline op by op: attention takes the time of its cache, each matrix that of its products."""
    est = step("scaling-book-30b", gpu("scaling-book-v5e-810", 16), 256, 8192, weights="int8", kv_cache="int8")
    return float(sum(row.bound_s for row in est.ops("decode") if row.kind in ("linear", "attention"))) * 1e3


def _attention_equals_matrices() -> float:
    """Tokens per width at which the full square of attention takes the FLOPs of all matrices of a layer.

    Attention grows with the square of the tokens, matrices with the tokens.
    """
    tokens = 1024
    est = run("scaling-book-mha", V5E, prompt=tokens, generate=1, fusion="eager")
    attention = flops(pick(est, "attention.scores", "attention.values"))
    matrices = flops(pick(est, *_FFW, *_ATTENTION))
    return matrices / attention * tokens / 4096


_THIN: Final = "scaling-book-13b-gqa"
_WIDE: Final = "llama-2-13b"
_70B: Final = "llama-3-70b"

SCALING_BOOK: Final[dict[str, Check]] = (
    {
        "sb_h100_ridge": equal(lambda: step(LLAMA, "scaling-book-h100").machine["ridge_flops_per_byte"]),
        "sb_b200_ridge": equal(lambda: step(LLAMA, "b200-sxm").machine["ridge_flops_per_byte"]),
        "sb_dot_ai": equal(_dot_product),
        "sb_int8w": equal(_critical_batch),
        "sb_b200_mm64": equal(partial(_product, 64.0)),
        "sb_b200_mm512": equal(partial(_product, 512.0)),
        "sb_add_time": equal(
            lambda: float(cost(make.add("add", "layers", 2.0**30, 1.0), "scaling-book-h100", "fp32").bound_s) * 1e3
        ),
        "sb_l13_ffw": equal(lambda: params(pick(step(_WIDE, V5E), *_FFW))),
        "sb_l13_vocab": equal(lambda: params(pick(step(_WIDE, V5E), "embedding", "head"))),
        "sb_l13_attn": equal(lambda: params(pick(step(_WIDE, V5E), *_ATTENTION))),
        "sb_l13_kv8192": equal(lambda: float(run(_WIDE, V5E, prompt=8192, generate=1).memory.kv_cache_bytes) / 1e9),
        "sb_quiz30_bs4": equal(
            lambda: step_floor(
                "scaling-book-30b", gpu("scaling-book-v5e-810", 16), 4, 8192, weights="int8", kv_cache="int8"
            ),
            POOLED,
        ),
        "sb_quiz30_bs256": equal(_quiz_bound, f"the op-by-op bound of attention and matrices; {POOLED}"),
        "sb_l70_ffw": equal(lambda: params(pick(step(_70B, V5E), *_FFW))),
        "sb_l70_attn": equal(lambda: params(pick(step(_70B, V5E), *_ATTENTION))),
        "sb_l70_vocab": equal(lambda: params(pick(step(_70B, V5E), "embedding", "head"))),
        "sb_l70_total": equal(lambda: step(_70B, V5E).parameters.total),
        "sb_l70_kv": equal(lambda: float(step(_70B, V5E, kv_cache="int8").memory.kv_cache_bytes_per_token) / 1e3),
        "sb_l70_mem_bs32": equal(partial(_gigabytes, _70B, 32, weights="int8", kv_cache="int8")),
        "sb_l70_step": equal(lambda: step_floor(_70B, gpu(V5E, 8), 32, 8192, weights="int8", kv_cache="int8"), POOLED),
        "sb_v5e_hbm_scan": equal(lambda: gpu(V5E).memory.capacity / gpu(V5E).memory.bandwidth * 1e3),
        "sb_q1_kv": equal(
            lambda: float(step("scaling-book-mha", V5E, kv_cache="int8").memory.kv_cache_bytes_per_token) / 1e3
        ),
        "sb_attn_dominates": equal(_attention_equals_matrices),
    }
    | {f"sb_mha_{batch}_mem": equal(partial(_gigabytes, _WIDE, batch)) for batch in (8, 16, 32, 64)}
    | {f"sb_mha_{batch}_ms": equal(partial(_slice_step, _WIDE, batch), POOLED) for batch in (1, 64)}
    | {f"sb_mha_{batch}_tps": equal(partial(_slice_rate, _WIDE, batch), POOLED) for batch in (1, 8, 32, 64, 240)}
    | {f"sb_gqa_{batch}_ms": equal(partial(_slice_step, _THIN, batch), POOLED) for batch in (8, 16, 32, 64, 240)}
    | {f"sb_gqa_{batch}_tps": equal(partial(_slice_rate, _THIN, batch), POOLED) for batch in (1, 16, 32)}
)

CHECKS: Final = BASETEN | SCALING_BOOK
