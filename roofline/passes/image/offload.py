"""Parts, blocks or leaves of an image model that wait in host memory, and what of their weights is on the GPU.

model   all parts but the one at work wait in host memory; each is fetched once per run and taken back
leaf    every module without children is fetched when it runs, in every call: sequential offload
group   N blocks at a time; with pinned memory the next group is fetched by a stream of its own while one works

Pageable memory is what a program gets: the driver copies it through a buffer of its own, and modules that were moved to
the GPU are copied back. Pinned memory is read by the GPU itself, at the rate of the link.

Source: accelerate 1.x, hooks.py (CpuOffload, AlignDevicesHook); diffusers 0.42.1, hooks/group_offloading.py.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal, NamedTuple, cast

from roofline.errors import UsageError, did_you_mean
from roofline.workload.op import Op
from roofline.workload.precision import Precision
from roofline.workload.workload import Phase

Mode = Literal["model", "leaf", "group"]
Copies = Literal["pageable", "pinned"]
#: Modes, and how each copies where nothing is said, as the libraries do.
MODES: Final[dict[Mode, Copies]] = {"model": "pageable", "leaf": "pageable", "group": "pinned"}
_CALLED: Final = {"sequential": "leaf", "leaf_level": "leaf", "block_level": "group"}
SYNTAX: Final = "none, model, leaf or group[=BLOCKS], each with @pageable or @pinned"
#: Bytes per second that pageable memory is copied at. Found from two ways of offload of FLUX.1-dev on one machine (an
#: L20 at PCIe 4.0 x16): by leaves 28 × 23.8 GB in 311.6 s, by parts 33.7 GB there and back in 32.6 s.
#: Source: vipshop/cache-dit @f86744af, docs/user_guide/OFFLOAD.md. Other hosts may be several times faster.
PAGEABLE: Final = 2.1e9


class PictureOffload(NamedTuple):
    """What waits in host memory, and how it is copied; `blocks` of a group."""

    mode: Mode
    copies: Copies
    blocks: int = 1

    def text(self) -> str:
        """As the option takes it."""
        size = f"={self.blocks}" if self.blocks > 1 else ""
        how = f"@{self.copies}" if self.copies != MODES[self.mode] else ""
        return f"{self.mode}{size}{how}"

    @property
    def hidden(self) -> bool:
        """Whether copies go on while kernels run: by a stream, from pinned memory."""
        return self.mode == "group" and self.copies == "pinned"


def read_picture_offload(text: str) -> PictureOffload | None:
    """Read `MODE[=BLOCKS][@pageable|@pinned]`; None for `none`. Raises UsageError with what is accepted."""
    if text == "none":
        return None
    body, _, copies = text.strip().partition("@")
    name, equals, size = body.partition("=")
    mode = _CALLED.get(name, name)
    if mode not in MODES:
        hint = did_you_mean(mode, list(MODES))
        raise UsageError(f"--offload {text[:40]!r}: pictures take {SYNTAX}. {hint}".rstrip())
    if copies not in ("", "host", "pageable", "pinned"):
        raise UsageError(f"--offload {text[:40]!r}: {copies!r} is neither pageable nor pinned")
    if equals and (mode != "group" or not (size.isdecimal() and 1 <= int(size) <= 10**4)):
        raise UsageError(f"--offload {text[:40]!r}: a number of blocks, from 1, goes with group alone: group=4")
    how = cast("Copies", copies) if copies in ("pageable", "pinned") else MODES[mode]
    return PictureOffload(mode, how, int(size) if size else 1)


def on_gpu(away: PictureOffload, phase: Phase, precision: Precision) -> float:
    """Bytes of a part's weights that are on the GPU at once while one of its phases runs."""
    return phase.kept(("on_gpu", away, precision), lambda: _on_gpu(away, phase, precision))


def _on_gpu(away: PictureOffload, phase: Phase, precision: Precision) -> float:
    whole = sum(op.count * precision.held_bytes(op) for op in phase.ops if op.params)
    used = [op for op in phase.ops if op.params and op.kernels]
    if away.mode == "model" or not used:
        return whole
    if away.mode == "leaf":
        return max(precision.held_bytes(op) for op in used)
    groups = 2.0 if away.hidden else 1.0
    return min(whole, groups * away.blocks * max(_one_block(ops, precision) for ops in _by_block(used)))


def _by_block(ops: list[Op]) -> list[list[Op]]:
    """The ops of each block, or of each stack of blocks alike, which has no number in its name."""
    found: dict[str, list[Op]] = {}
    for op in ops:
        found.setdefault(op.block, []).append(op)
    return list(found.values())


def _one_block(ops: list[Op], precision: Precision) -> float:
    """Bytes of one block: of a stack, what most of its blocks hold."""
    name = ops[0].block
    alone = name[-1].isdigit() or name.endswith("mid_block")
    alike = 1.0 if alone else Counter(op.count for op in ops).most_common(1)[0][0]
    return sum(op.count * precision.held_bytes(op) for op in ops if op.count >= alike) / alike


def copied_bytes(away: PictureOffload, phase: Phase, precision: Precision) -> float:
    """Bytes of weights that one call of a phase fetches by leaves or groups: those that it uses."""
    return sum(op.count * precision.held_bytes(op) for op in phase.ops if op.params and op.kernels)


def rate(away: PictureOffload, link: float, host: float = 1.0) -> float:
    """Bytes per second at which weights are expected to come over a link of so many, from a host so many times as fast
    as the one that was measured.
    """
    return link if away.copies == "pinned" else min(link, PAGEABLE * host)
