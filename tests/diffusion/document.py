"""The page that lists every recorded run of an image model beside its count here: `python -m diffusion.document`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from roofline.passes.image.levels import image_level
from roofline.workload.workload import Phase, Workload

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


#: GB and kernels that were recorded or derived: classic attention, fused attention, what CUDA adds, a compiler.
_LEVELS: Final = {
    ("sd15-unet", "64x64_b1"): ((11.74, 824), (4.325, 728), (4.661, 826), (3.845, 555)),
    ("sd15-unet", "64x64_b2"): ((22.15, 920), (6.931, 728), (7.604, 826), (6.210, 676)),
    ("sd2-unet", "96x96_b2"): ((64.18, 952), (13.849, 760), (14.945, 826), (11.305, 614)),
    ("sdxl-unet", "128x128_b1"): ((54.90, 2275), (23.443, 1855), None, (19.963, 1396)),
    ("sdxl-unet", "128x128_b2"): ((108.30, 2706), (41.919, 1866), (43.750, 1917), (34.807, 1439)),
    ("sd-vae", "decode_64x64_b1"): ((8.88, 144), (8.439, 140), (11.500, 176), (7.133, 138)),
    ("sd-vae", "decode_128x128_b1"): ((40.44, 144), (33.459, 140), (45.702, 176), (27.711, 138)),
}
_COLUMNS: Final = ("classic", "flash", "cuda", "compiled", "operands")
_LEVEL_HEAD: Final = """
## Levels of execution

GB and kernels of one forward pass in fp16, recorded → counted here. *classic*: attention with its scores in memory.
*flash*: attention fused, the rest as eager code runs it. *cuda*: with the second read of every group norm and the
kernels that add the biases of convolutions, which operator-level counters do not see. *compiled*: element-wise ops in
a row become one kernel, as do those behind a norm; a layer norm, and the statistics of a group norm, join what stands
before them; convolutions, matrix products and attention stay library calls. Its recorded figures are a guide only: they
are of a compiler's CPU target. *operands*: what the products alone must move.

| model | run | classic | flash | cuda | compiled | operands |
|---|---|--:|--:|--:|--:|--:|
"""


def _level_cell(name: str, run: str, level: str, recorded: tuple[float, int] | None) -> str:
    workload = image_level(Workload((Phase("run", tuple(ops_of(name, run))),)), level)  # type: ignore[arg-type]
    found = row(list(workload.phases[0].ops))
    here = f"{(found[2] + found[3]) / 1e9:,.3f}, {found[0]:,.0f}"
    return f"{recorded[0]:,.3f}, {recorded[1]:,} → {here}" if recorded else here


def _level_table() -> str:
    lines = []
    for (name, run), recorded in _LEVELS.items():
        cells = [_level_cell(name, run, level, known) for level, known in zip(_COLUMNS, (*recorded, None), strict=True)]
        lines.append(f"| {name} | {run} | {' | '.join(cells)} |")
    return _LEVEL_HEAD + "\n".join(lines) + "\n"


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
    return head + "\n".join(lines) + "\n" + _level_table()


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
    print(f"wrote {TARGET}")
