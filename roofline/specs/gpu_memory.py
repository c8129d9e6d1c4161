"""What a file in `hardware/` says about memory: what counts, its label, and what of it a system lets its GPU have."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from roofline.specs.base import AsTuple, Bandwidth, Bytes, Spec, Text

_GIB: Final = 2.0**30
#: What macOS lets a GPU have of memory of a size (bytes, from it upwards): recommendedMaxWorkingSetSize over the size.
#: Read in public logs of llama.cpp: 2/3 at 16, 24 and 32 GB (10922 to 21845 MiB; ollama issue 434); 75 % at 36 GB
#: (28991.03 MB, M4 Max), 48 GB (38654.71 MB, M3 Max) and 96 GB (73728 MiB, issue 3213); 81 % at 64 GB (53084 MiB); 84 %
#: at 128 GB (110100 MiB; antirez/ds4 pull 893: 107.52 GiB on two machines); 464 of 512 GiB (498216.21 MB, M3 Ultra).
#: Of two systems' parts the smaller: recent ones leave 74 % of 16 GB (12713.12 MB) and 78 % of 32 and 48 GB (26800.60
#: and 40200.90 MB), older ones 75 % of 64 GB and more. 192 GB, 256 GB and sizes between are unverified.
MACOS_SHARES: Final[tuple[tuple[float, float], ...]] = (
    (0.0, 2 / 3),
    (36 * _GIB, 0.75),
    (64 * _GIB, 0.81),
    (96 * _GIB, 0.75),
    (128 * _GIB, 0.84),
    (192 * _GIB, 0.75),
    (256 * _GIB, 0.84),
    (512 * _GIB, 464 / 512),
)


class Unified(Spec):
    """Memory that the processor shares: `sizes` that machines are sold with; `system` says what part the GPU may have.

    Without one, the part is that of the file: capacity over the largest size.
    """

    sizes: Annotated[tuple[Bytes, ...], AsTuple, Field(min_length=1, max_length=64)]
    system: Literal["macos"] | None = None


class Memory(Spec):
    """Device memory.

    `capacity` is what counts: what the chip's driver reports, of unified memory what the system lets the GPU have of
    the largest size. `label` is the size by which people call it, `source` says who reported the capacity.
    """

    capacity: Bytes
    bandwidth: Bandwidth
    label: Text | None = None
    source: Text | None = None
    unified: Unified | None = None

    @model_validator(mode="after")
    def _within(self) -> Memory:
        if self.capacity > self.size:
            said = "capacity, which the GPU may have, is more than the largest of the machine's unified sizes"
            raise PydanticCustomError("capacity", "{reason}", {"reason": said})
        return self

    @property
    def size(self) -> float:
        """Bytes in all: of unified memory what the machine has, else the capacity."""
        return max(self.unified.sizes) if self.unified is not None else self.capacity

    @property
    def share(self) -> float:
        """The part of it that counts."""
        return self.capacity / self.size

    def sized(self, size: float) -> Memory:
        """The same memory in another size [bytes]: of unified memory the machine's, whose part for the GPU counts."""
        if self.unified is None:
            return self.model_copy(update={"capacity": size, "label": None, "source": None})
        part = macos_share(size) if self.unified.system == "macos" else self.share
        unified = self.unified.model_copy(update={"sizes": (size,)})
        changes = {"capacity": float(round(size * part)), "label": None, "source": None, "unified": unified}
        return self.model_copy(update=changes)


def macos_share(size: float) -> float:
    """What macOS lets a GPU have of memory of a size [bytes]; see MACOS_SHARES."""
    return [share for start, share in MACOS_SHARES if size >= start][-1]
