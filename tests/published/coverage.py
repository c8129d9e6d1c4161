"""Every row, and why: recomputed here, or what it needs that is not there yet, or why there is nothing to compute."""

from __future__ import annotations

from typing import Final, NamedTuple

from . import counting, kipply, machines, parallel, pictures, serving, tiny_transformer
from .ask import Check

CHECKS: Final[dict[str, Check]] = (
    tiny_transformer.CHECKS
    | kipply.CHECKS
    | counting.CHECKS
    | serving.CHECKS
    | machines.CHECKS
    | pictures.CHECKS
    | parallel.CHECKS
)


class Open(NamedTuple):
    """Rows that are not recomputed: `status` is what they wait for, or that nothing is to be computed."""

    status: str
    reason: str
    ids: tuple[str, ...]


TRAINING: Final = "needs training"
NOTHING: Final = "nothing to compute"
STATUSES: Final = (TRAINING, NOTHING)

_GOPHER: Final = (
    "FLOPs of training; neither figure follows from Gopher's shapes, whose matrices and attention as kipp.ly gives "
    "them, times 3, are 4.74e23"
)
_CHECKPOINT: Final = (
    "parameters beside a README's word on memory, without batch or format; sd1_unet_params and sd1_text hold the "
    "parameters"
)
#: Rows by what of training they need.
_TRAINING: Final = {
    "FLOPs of forward and backward, their days and their MFU": "casson_c_approx nano_train_days sb_l70_train "
    "sb_l70_days sb_dsv3_mfu tm101_c6pd tm101_d20p palm_mfu_gpt-3 palm_mfu_gopher palm_mfu_mt-nlg palm_mfu_palm",
    _GOPHER: "chin_gopher",
    "recomputation": "sb_remat stas_mfu_hfu",
    "optimizer state, and activations kept for the backward pass": "nano_ckpt_est nano_ckpt_meas tm101_adam8 "
    "tm101_sgdm tm101_act_none tm101_act_sel",
    "dropout and the mask that it keeps, which inference leaves out": "a1_softmax_out a1_dropout_time a1_dropout2_time",
    "a measured training throughput": "tm101_neox",
    "days and cost of training Stable Diffusion, from measured images per second": "msd_8_days msd_8_cost msd_16_cost "
    "msd_32_days msd_32_cost msd_64_days msd_64_cost msd_128_days msd_128_cost",
}
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
}
OPEN: Final = (
    *(Open(TRAINING, reason, tuple(ids.split())) for reason, ids in _TRAINING.items()),
    *(Open(NOTHING, reason, tuple(ids.split())) for reason, ids in _NOTHING.items()),
)


def open_rows() -> dict[str, Open]:
    """The rows that are not recomputed, by id."""
    return {row: group for group in OPEN for row in group.ids}
