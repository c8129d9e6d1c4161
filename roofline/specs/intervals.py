"""What an engine's file says of its 80 % intervals."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Share, Spec

#: Low and high end of an 80 % interval, as multiples of the expected time.
Interval = Annotated[tuple[Share, Annotated[float, Field(ge=1, le=100)]], AsTuple]
_QUALITIES: Final = ("measured", "sibling", "other")
#: Whose interval stands in where one is not stated, nearest first.
_STAND_INS: Final = {
    "prefill": ("whole", "step", "decode", "served"),
    "decode": ("served", "whole", "step", "prefill"),
    "whole": ("step", "prefill", "decode", "served"),
    "first": ("prefill", "whole", "step", "served", "decode"),
    "served": ("decode", "whole", "step", "prefill"),
    "step": ("whole", "prefill", "decode", "served"),
}


class SpansSpec(Spec):
    """80 % of runs lie between these multiples of the expected time, by how the chip is known.

    `measured`: its kernels were measured; `sibling`: those of a chip of its generation were; `other`: neither.
    """

    measured: Interval
    sibling: Interval
    other: Interval


class IntervalsSpec(Spec):
    """80 % of runs lie between these multiples of the expected time, by what was timed and by how the chip is known.

    One that is not stated is that of what is nearest to it. `measured`, `sibling` and `other` without a phase around
    them are those of all that is not stated.
    """

    prefill: SpansSpec | None = Field(None, description="of reading a prompt, to the first token")
    decode: SpansSpec | None = Field(None, description="of a decode step")
    whole: SpansSpec | None = Field(None, description="of a whole picture; a whole request is the sum of its phases")
    first: SpansSpec | None = Field(None, description="of the first token behind a server that others use")
    served: SpansSpec | None = Field(None, description="of a token behind such a server")
    step: SpansSpec | None = Field(None, description="of a step of an image model's denoiser")
    measured: Interval | None = Field(None, description="of all, where its kernels were measured")
    sibling: Interval | None = Field(None, description="of all, where those of a chip of its generation were")
    other: Interval | None = Field(None, description="of all, where neither were")

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        """All three without a phase around them, or none; and anything at all."""
        missing = [name for name in _QUALITIES if getattr(self, name) is None]
        if 0 < len(missing) < len(_QUALITIES):
            told = {"missing": " and ".join(missing)}
            raise PydanticCustomError("interval", "{missing} missing: measured, sibling and other go together", told)
        if missing and all(getattr(self, name) is None for name in _STAND_INS):
            known = ", ".join(_STAND_INS)
            text = "is empty: give measured, sibling and other, for all or under {known}"
            raise PydanticCustomError("interval", text, {"known": known})
        return self

    def spans(self, timed: str) -> tuple[Any, Any, Any]:
        """The intervals of what was timed, as stated or of what is nearest to it: measured, sibling, other."""
        own = getattr(self, timed)
        if own is None and self.measured is not None:
            own = self
        if own is None:
            own = next(each for name in _STAND_INS[timed] if (each := getattr(self, name)) is not None)
        return own.measured, own.sibling, own.other
