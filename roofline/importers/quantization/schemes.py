"""Which reader understands which tool's description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from roofline.importers.json_document import JsonDocument
from roofline.importers.quantization.scheme import Description, Path, Scheme
from roofline.importers.quantization.tools import floats, integers
from roofline.importers.quantization.tools.compressed import compressed
from roofline.importers.quantization.tools.modelopt import modelopt
from roofline.importers.quantization.tools.quark import quark
from roofline.importers.quantization.tools.torchao import torchao

_READERS: Final[dict[str, Callable[[Description], Scheme | None]]] = {
    "modelopt": modelopt,
    "fp8": floats.fp8,
    "mxfp4": floats.mxfp4,
    "compressed-tensors": compressed,
    "gptq": integers.gptq,
    "awq": integers.awq,
    "auto-round": integers.autoround,
    "bitsandbytes": integers.bitsandbytes,
    "fbgemm_fp8": floats.fbgemm,
    "bitnet": floats.ternary,
    "quark": quark,
    "torchao": torchao,
    "hqq": integers.hqq,
    "exl2": floats.exllama,
    "exl3": floats.exllama,
    "mlx": floats.mlx,
    "quanto": integers.quanto,
    "eetq": integers.eetq,
}
#: Other names of tools.
_ALIASES: Final = {
    "modelopt_fp4": "modelopt",
    "modelopt_mxfp8": "modelopt",
    "modelopt_mixed": "modelopt",
    "intel/auto-round": "auto-round",
    "auto_round": "auto-round",
    "autoround": "auto-round",
    "inc": "auto-round",
    "compressed_tensors": "compressed-tensors",
    "gptq_marlin": "gptq",
    "awq_marlin": "awq",
    "deepseek_v4_fp8": "fp8",
}


def read_scheme(document: JsonDocument, path: Path, data: dict[str, Any]) -> Scheme | None:
    """What a `quantization_config` or a file beside it says; None where it names no format of weights.

    Raises UnsupportedError for a tool, a format or a key that is not known, SpecError for a value that cannot be.
    """
    description = Description(document, path, data)
    method = str(data.get("quant_method") or _unnamed(data)).lower()
    method = _ALIASES.get(method, method)
    if method not in _READERS:
        hint = f"Understood: {', '.join(_READERS)}. Remove quantization_config to read the unquantised model."
        description.unsupported("quant_method", f"{method[:40]!r} is not a known quantisation", hint)
    scheme = _READERS[method](description)
    notes = description.unread()
    return None if scheme is None else scheme._replace(notes=(*scheme.notes, *notes))


def _unnamed(data: dict[str, Any]) -> str:
    """The tool of a description that names none: MLX's has bits and groups, an old AWQ's other names for these."""
    if "quant_algo" in data or "config_groups" in data or "quantization" in data:
        return "modelopt"
    if "q_group_size" in data or "w_bit" in data:
        return "awq"
    return "mlx" if "bits" in data and "desc_act" not in data else "gptq" if "bits" in data else "modelopt"
