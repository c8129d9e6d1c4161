"""Every row: recomputed here, or why there is nothing to compute."""

from __future__ import annotations

from typing import Final, NamedTuple

from . import counting, kipply, machines, parallel, pictures, serving, tiny_transformer, training
from .ask import Check

CHECKS: Final[dict[str, Check]] = (
    tiny_transformer.CHECKS
    | kipply.CHECKS
    | counting.CHECKS
    | serving.CHECKS
    | machines.CHECKS
    | pictures.CHECKS
    | parallel.CHECKS
    | training.CHECKS
)


class Open(NamedTuple):
    """Rows that are not recomputed: `status` says that nothing is to be computed."""

    status: str
    reason: str
    ids: tuple[str, ...]


NOTHING: Final = "nothing to compute"
STATUSES: Final = (NOTHING,)

_GOPHER: Final = (
    "FLOPs of training; neither figure follows from Gopher's shapes, whose matrices and attention as kipp.ly gives "
    "them, times 3, are 4.74e23"
)
_SIX_N: Final = (
    "a formula in symbols; tests/analysis/training/test_flops_conventions.py holds the convention of 6 FLOPs per "
    "parameter and token"
)
_TWENTY: Final = (
    "a rule of thumb in symbols; tests/analysis/training/test_scaling.py holds what scaling laws say, about 20 by "
    "Epoch's refit"
)
_KEPT: Final = (
    "a formula in symbols; tests/oracle/test_training_kept.py holds what a layer of fused kernels keeps, with the "
    "scores of attention and without"
)
_WRITES: Final = (
    "what code writes that keeps scores, mask and dropped scores apart; the ledger has no op of dropout, whose mask "
    "the memory of training counts in bytes"
)
_RECALLED: Final = "a measured share of the peak, recalled, without the tokens per second that it follows from"
_CHECKPOINT: Final = (
    "parameters beside a README's word on memory, without batch or format; sd1_unet_params and sd1_text hold the "
    "parameters"
)
#: Rows by why there is nothing to compute.
_NOTHING: Final = {
    "element-wise work of a TFLite graph is counted too, 6.7 % above the products": "mlc_unet",
    _CHECKPOINT: "sd_ckpt",
    "a model whose shapes are not given": "lw_ddpm_50k_hours",
    "a GPU that is not on the shelf": "onnx_vega56 onnx_rx480 onnx_5600xt",
    "a ratio of two measured image times, which no bound limits": "onnx_fp32_gain baseten_sdxl_trt_h100 "
    "baseten_sdxl_trt_a100",
    "a constant of a schedule, a loss or a training run": "lw_beta_linear lw_cosine_clip lw_lambda_vlb eai_sched "
    "eai_seed eai_train",
    "dimensions as stated, an input of the calculator": "rt_paper_dims lw_tf_dmodel eai_ldm",
    "a GAN, which is no model of this calculator": "lw_gan_50k_minutes",
    "a rule of thumb scaled from measured shares": "kipply_intermediates_share tm101_inf12",
    "not found in the article": "baseten_brief_134ms",
    "measured, and the article's readable part does not name the GPU": "baseten_mistral_ttft baseten_mistral_tps "
    "baseten_mistral_100tok db_batch64",
    "measured under load, with queues": "baseten_mistral_b96_ttft baseten_mistral_b72",
    "a ratio of two measurements, which no bound limits": "baseten_prefill_h100 baseten_mixtral_ttft "
    "baseten_mixtral_thr fuse_x",
    "a price": "baseten_h100_price",
    "time to compile": "baseten_compile_start",
    "the kernels that a tracer makes of code that is no model": "pt2_graph fuse_kernels",
    "an identity of trigonometry": "pt2_ident",
    "a formula in symbols; tests/analysis holds that a request is its prefill and its steps": "db_formula",
    _SIX_N: "casson_c_approx tm101_c6pd",
    _TWENTY: "tm101_d20p",
    _KEPT: "tm101_act_none tm101_act_sel",
    _WRITES: "a1_softmax_out",
    _GOPHER: "chin_gopher",
    _RECALLED: "palm_mfu_gpt-3 palm_mfu_gopher palm_mfu_mt-nlg palm_mfu_palm",
}
OPEN: Final = tuple(Open(NOTHING, reason, tuple(ids.split())) for reason, ids in _NOTHING.items())


def open_rows() -> dict[str, Open]:
    """The rows that are not recomputed, by id."""
    return {row: group for group in OPEN for row in group.ids}
