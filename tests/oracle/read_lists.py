"""What can be read, as lists for docs/models.md: model types by kind, multimodal ones, parts of image models, names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from roofline.importers.class_keys import class_keys
from roofline.importers.diffusers.components import COMPONENTS
from roofline.importers.huggingface.families import ALIASES, FAMILIES, TEXT_TYPES
from roofline.importers.huggingface.forms.wrappers import wrapped_type, wrappers_of
from roofline.importers.huggingface.towers.read import TOWERS
from roofline.importers.huggingface.towers.reading import READINGS
from roofline.specs.files.library import names

#: The folder of a family's function, in words.
_KINDS: Final = {
    "dense": "dense decoders",
    "experts": "mixtures of experts, latent and sparse attention",
    "recurrent": "state spaces, linear attention, hybrids",
    "classic": "earlier decoders, encoders and encoder-decoders",
    "encoders": "encoders",
    "seq2seq": "encoders with a decoder",
    "media": "models that hear or see by cross-attention",
    "own": "families with code of their own",
}
_HEAD: Final = """
## What is read

A `config.json` by its `model_type`; with * the class is not in transformers {version}, and is read as the code that its
files bring, or vLLM and SGLang, have it.

| kind | model types |
|---|---|
"""
_MEDIA: Final = """
Multimodal files hold one of these beside their encoders. Of encoders in **bold** the parameters, FLOPs, time and
tokens are counted, of those in *italics* the parameters alone; the others are left out with a warning that says so.

"""


def lists() -> str:
    """The section as Markdown."""
    known = class_keys("transformers", "llama")
    assert known is not None
    rows = "".join(f"| {what} | {_types(kind)} |\n" for kind, what in _KINDS.items() if _types(kind))
    aliases = ", ".join(f"`{name}` as {target}" for name, target in sorted(ALIASES.items()))
    return "".join(
        (
            _HEAD.format(version=known.version),
            rows,
            f"\nOther names of these: {aliases}.\n",
            _MEDIA,
            ", ".join(_media()),
            f".\n\nParts of image models, by the class of diffusers: {_listed(COMPONENTS)}.\n",
            f"\n## Models by name\n\n{_listed(names('models'))}.\n",
        )
    )


def _types(kind: str) -> str:
    found = sorted(name for name, place in FAMILIES.items() if place.partition(".")[0] == kind)
    return ", ".join(f"`{name}`{'' if class_keys('transformers', name) else '*'}" for name in found)


def _media() -> Iterator[str]:
    for name in sorted({*(key.partition("/")[0] for key in TEXT_TYPES), *wrappers_of(FAMILIES)}):
        mark = "**" if name in READINGS else "*" if name in TOWERS else ""
        text = wrapped_type(name) or TEXT_TYPES.get(name)
        yield f"{mark}`{name}`{mark}" + (f" ({text})" if text else "")


def _listed(found: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(found))
