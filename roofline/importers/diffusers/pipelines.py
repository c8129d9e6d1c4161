"""What the pipelines of diffusers do by default: steps, guidance, what they start from, text tokens.

Source: diffusers 0.42.1, defaults of each pipeline's `__call__`.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Facts: TypeAlias = dict[str, Any]

_WO: Final = ["wo"]


def _from_picture(steps: int, guidance: float, strength: float, **more: Any) -> Facts:
    return {"steps": steps, "guidance": guidance, "task": "image-to-image", "strength": strength, **more}


def _filled(steps: int, guidance: float, strength: float, **more: Any) -> Facts:
    return {"steps": steps, "guidance": guidance, "task": "inpaint", "strength": strength, **more}


def _plain(steps: int, guidance: float, **more: Any) -> Facts:
    return {"steps": steps, "guidance": guidance, **more}


_SD: Final = {
    "StableDiffusionPipeline": _plain(50, 7.5),
    "StableDiffusionImg2ImgPipeline": _from_picture(50, 7.5, 0.8),
    "StableDiffusionInpaintPipeline": _filled(50, 7.5, 1.0),
    "StableDiffusionInstructPix2PixPipeline": _plain(100, 7.5, task="edit", passes=3),
    "StableDiffusionControlNetPipeline": _plain(50, 7.5),
    "StableDiffusionControlNetImg2ImgPipeline": _from_picture(50, 7.5, 0.8),
    "StableDiffusionControlNetInpaintPipeline": _filled(50, 7.5, 1.0),
    "StableDiffusionAdapterPipeline": _plain(50, 7.5),
    "StableDiffusionGLIGENPipeline": _plain(50, 7.5),
    "StableDiffusionPAGPipeline": _plain(50, 7.5, passes=3),
    "StableDiffusionPanoramaPipeline": _plain(50, 7.5),
    "StableDiffusionDepth2ImgPipeline": _from_picture(50, 7.5, 0.8),
    "StableDiffusionImageVariationPipeline": _plain(50, 7.5),
    "StableDiffusionUpscalePipeline": _plain(75, 9.0),
    "StableUnCLIPImg2ImgPipeline": _plain(20, 10.0),
    "LatentConsistencyModelPipeline": _plain(4, 8.5, embedded_guidance=True),
    "LatentConsistencyModelImg2ImgPipeline": _from_picture(4, 8.5, 0.8, embedded_guidance=True),
}
_XL: Final = {
    "StableDiffusionXLPipeline": _plain(50, 5.0),
    "StableDiffusionXLImg2ImgPipeline": _from_picture(50, 5.0, 0.3),
    "StableDiffusionXLInpaintPipeline": _filled(50, 7.5, 0.9999),
    "StableDiffusionXLInstructPix2PixPipeline": _plain(100, 5.0, task="edit", passes=3),
    "StableDiffusionXLControlNetPipeline": _plain(50, 5.0),
    "StableDiffusionXLControlNetImg2ImgPipeline": _from_picture(50, 5.0, 0.8),
    "StableDiffusionXLControlNetInpaintPipeline": _filled(50, 5.0, 0.9999),
    "StableDiffusionXLAdapterPipeline": _plain(50, 5.0),
    "StableDiffusionXLPAGPipeline": _plain(50, 5.0, passes=3),
}
_OF_TRANSFORMERS: Final = {
    "StableDiffusion3Pipeline": _plain(28, 7.0, keep_fp32=_WO),
    "StableDiffusion3Img2ImgPipeline": _from_picture(50, 7.0, 0.6, keep_fp32=_WO),
    "StableDiffusion3InpaintPipeline": _filled(50, 7.0, 0.6, keep_fp32=_WO),
    "StableDiffusion3ControlNetPipeline": _plain(28, 7.0, keep_fp32=_WO),
    "FluxPipeline": _plain(28, 3.5, embedded_guidance=True, keep_fp32=_WO),
    "FluxImg2ImgPipeline": _from_picture(28, 7.0, 0.6, embedded_guidance=True, keep_fp32=_WO),
    "FluxInpaintPipeline": _filled(28, 7.0, 0.6, embedded_guidance=True, keep_fp32=_WO),
    "FluxFillPipeline": _filled(50, 30.0, 1.0, embedded_guidance=True, keep_fp32=_WO),
    "FluxControlPipeline": _plain(28, 3.5, task="edit", embedded_guidance=True, keep_fp32=_WO),
    "FluxControlNetPipeline": _plain(28, 7.0, task="edit", embedded_guidance=True, keep_fp32=_WO),
    "PixArtAlphaPipeline": _plain(20, 4.5, keep_fp32=_WO),
    "PixArtSigmaPipeline": _plain(20, 4.5, keep_fp32=_WO),
    "DiTPipeline": _plain(50, 4.0),
}
_WITHOUT_TEXT: Final = {
    "DDPMPipeline": _plain(1000, 1.0),
    "DDIMPipeline": _plain(50, 1.0),
    "LDMPipeline": _plain(50, 1.0),
}
_OF_PIXELS: Final = {"IFPipeline": _plain(100, 7.0, keep_fp32=_WO)}
#: Per pipeline class: steps, guidance and other keys of the pipeline that its call has by default.
PIPELINES: Final[dict[str, Facts]] = {**_SD, **_XL, **_OF_TRANSFORMERS, **_WITHOUT_TEXT, **_OF_PIXELS}
#: Pipelines whose denoiser works on pixels.
IN_PIXELS: Final = frozenset({"DDPMPipeline", "DDIMPipeline", *_OF_PIXELS})
#: Text tokens per prompt that the pipelines give to T5.
_T5: Final = {"StableDiffusion3": 256, "Flux": 512, "PixArtAlpha": 120, "PixArtSigma": 300, "IF": 77}
#: Parts that a pipeline may name, and that are not counted: they run once, beside the steps.
BESIDE: Final = (
    "image_encoder",
    "image_normalizer",
    "depth_estimator",
    "watermarker",
)


def family_of(kind: str) -> str:
    """The start of a pipeline's name that says which models it runs."""
    return next((start for start in _T5 if kind.startswith(start)), "")


def t5_tokens(kind: str) -> int | None:
    """Tokens that a pipeline gives to T5."""
    return _T5.get(family_of(kind))
