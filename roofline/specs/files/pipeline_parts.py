"""The parts of a pipeline that its file names: found beside that file, else on the shelves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from roofline.errors import SpecError, UnknownNameError
from roofline.specs.base import Spec
from roofline.specs.files.library import find
from roofline.specs.image.pipeline import PipelineSpec, TextPart

#: The reader of one model file.
Read: TypeAlias = Callable[[Path], Spec]
_KINDS: Final = {
    "denoiser": ("unet", "plain_unet", "dit", "pixart", "mmdit", "flux"),
    "autoencoder": ("autoencoder", "tiny_autoencoder", "vqvae", "deep_autoencoder"),
    "text_encoder": ("text_encoder",),
    "controlnet": ("controlnet", "mmdit_controlnet", "flux_controlnet"),
    "adapter": ("adapter",),
}


def resolve_parts(spec: PipelineSpec, path: Path, read: Read) -> PipelineSpec:
    """The pipeline of a file with every named part in place, read by `read`.

    Raises SpecError where one is missing or of another kind.
    """
    changes: dict[str, object] = {
        "denoiser": _part(spec.denoiser, "denoiser", path, read),
        "text_encoders": tuple(_text_part(part, path, read) for part in spec.text_encoders),
    }
    for what in ("autoencoder", "controlnet", "adapter"):
        part = getattr(spec, what)
        if part is not None:
            changes[what] = _part(part, what, path, read)
    if spec.refiner is not None:
        denoiser = _part(spec.refiner.denoiser, "denoiser", path, read)
        changes["refiner"] = spec.refiner.model_copy(update={"denoiser": denoiser})
    return spec.model_copy(update=changes)


def _text_part(part: TextPart, path: Path, read: Read) -> TextPart:
    return part.model_copy(update={"encoder": _part(part.encoder, "text_encoder", path, read)})


def _part(part: str | Spec, what: str, path: Path, read: Read) -> Spec:
    if not isinstance(part, str):
        return part
    try:
        found = find("models", part, str(path.parent))
    except UnknownNameError as error:
        raise SpecError(f"{path}: {what}: {error}") from None
    spec = read(found.path)
    family = str(getattr(spec, "family", ""))
    if family not in _KINDS[what]:
        raise SpecError(f"{path}: {what} {part!r} is a {family}; it must be one of {', '.join(_KINDS[what])}")
    return spec
