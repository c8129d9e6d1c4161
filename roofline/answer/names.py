"""Names of what an answer has: which is meant by one that it has not, and how to say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from roofline.errors import UnknownPartError, nearest

#: How names end where people leave the unit out.
UNITS: Final = ("_s", "_bytes", "_per_s", "_px")
#: So many names are listed beside a hint, and so many without one.
_FEW: Final = 8
_MANY: Final = 60
#: What quantities and parts are called elsewhere.
_ELSEWHERE: Final = {
    "tbt": "tpot",
    "itl": "tpot",
    "inter_token_latency": "tpot",
    "time_between_tokens": "tpot",
    "time_per_output_token": "tpot",
    "time_per_token": "tpot",
    "time_to_first_token": "ttft",
    "first_token": "ttft",
    "e2e": "total",
    "e2el": "total",
    "end_to_end": "total",
    "latency": "total",
    "time": "total",
    "seconds": "total",
    "throughput": "output_tokens",
    "tps": "output_tokens",
    "tok_s": "output_tokens",
    "tokens_per_second": "tokens",
    "images_per_second": "images",
    "cache": "kv_cache",
    "kv": "kv_cache",
    "kvcache": "kv_cache",
    "vram": "total_bytes",
    "memory": "total_bytes",
    "encode": "prefill",
    "prompt": "prefill",
    "unet": "denoise",
    "transformer": "denoise",
    "dit": "denoise",
    "mmdit": "denoise",
    "denoiser": "denoise",
    "denoising": "denoise",
    "diffusion": "denoise",
    "sampling": "denoise",
    "vae": "vae_decode",
    "vae_decoder": "vae_decode",
    "autoencoder": "vae_decode",
    "decoder": "vae_decode",
    "clip": "text_encode",
    "t5": "text_encode",
    "text_encoder": "text_encode",
    "vision": "vision_encode",
    "audio": "audio_encode",
    "generation": "decode",
    "generate": "decode",
}


def meant(name: str, known: Iterable[str]) -> str:
    """Which of the known names is meant: that with a unit behind it, what others call so, the most alike; or empty."""
    names = list(dict.fromkeys(known))
    bare = name.lower().replace("-", "_").replace(" ", "_")
    for said in (bare, _ELSEWHERE.get(bare, bare), _ELSEWHERE.get(without_unit(bare), bare)):
        for full in (said, *(said + unit for unit in UNITS), without_unit(said)):
            if full in names and full != name:
                return full
    others = [each for each in names if each != name]
    spelt = {without_unit(each): each for each in others} | {each: each for each in others}
    return next(iter(nearest(name, spelt, 1, meant=spelt)), "")


def without_unit(name: str) -> str:
    """A name without the unit at its end."""
    unit = next((unit for unit in ("_per_s", *UNITS) if name.endswith(unit) and name != unit), "")
    return name.removesuffix(unit)


def unknown(what: str, name: object, known: Iterable[str]) -> UnknownPartError:
    """That there is no such column, phase or quantity, what may be meant, and what there is, where that is little or
    the only help.
    """
    names = list(dict.fromkeys(known))
    close = meant(str(name), names)
    hint = f" did you mean {close!r}?" if close else ""
    more = f", and {len(names) - _MANY} more" if len(names) > _MANY else ""
    begins = " There" if close else " there"
    there = f"{begins} are: {', '.join(names[:_MANY])}{more}" if not close or len(names) <= _FEW else ""
    return UnknownPartError(f"no {what} {str(name)[:60]!r};{hint}{there}")
