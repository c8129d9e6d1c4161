"""The page that lists every recorded run of an image model beside its count here: `python -m diffusion.document`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .counts import DATA, MODELS, element_bytes, ops_of, peak, row

TARGET: Final = Path(__file__).resolve().parent.parent.parent / "docs" / "image_models.md"
_HEAD: Final = """# Image models against a framework's counter

Every row is one forward pass. Kernels, FLOPs and bytes were recorded with {source}, and are counted here from the
model's file; `exact` means that all of them are equal to the last digit. FLOPs count a multiply-add as 2, in
convolutions, matrix products and attention; bytes are each kernel's distinct inputs and its outputs, attention fused. A
table that is looked up counts as a whole here, as the recorder charges it; elsewhere only the rows that are read.
The peak is the activation memory in use at the fullest moment, in blocks of 512 bytes; where it differs, it does so by
the rounding of tensors of odd sizes or of fp32, and is stated.

This page is written by `python -m diffusion.document` in `tests/` and checked by a test.

**{exact} of {total} runs exact** in kernels, FLOPs and bytes; {peaks} of {total} in peak memory.

| model | run | kernels | GFLOP | GB moved | peak MB | |
|---|---|--:|--:|--:|--:|---|
"""


def document() -> str:
    """The page."""
    lines, exact, peaks = [], 0, 0
    for name, facts in MODELS.items():
        for run, recorded in facts["runs"].items():
            width = element_bytes(run)
            ops = ops_of(name, run)
            found, top = row(ops, width), peak(ops, width)
            same = found == recorded["total"]
            short = recorded["peak"] - top
            exact, peaks = exact + same, peaks + (short == 0)
            verdict = "exact" if same else "DIFFERS"
            verdict += f", peak {-short:+,.0f} B" if short else ""
            kernels, flops, read, written = found
            lines.append(
                f"| {name} | {run} | {kernels:,.0f} | {flops / 1e9:,.3f} | {(read + written) / 1e9:,.3f} | "
                f"{top / 1e6:,.1f} | {verdict} |"
            )
    source = DATA["source"].partition(";")[0]
    head = _HEAD.format(source=source, exact=exact, total=len(lines), peaks=peaks)
    return head + "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    print(f"wrote {TARGET}")
