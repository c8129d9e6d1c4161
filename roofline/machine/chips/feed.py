"""What the loads of a unit are built to feed, whatever rate a chip's maker lets its products run at.

Boards of one generation have the same units: a board whose products in 16 bit are held at half the rate (GeForce where
it sums in fp32, A10G, L20, L40, H20) loads operands as quickly as its siblings, so that it comes nearer to its peak.
"""

from __future__ import annotations

from typing import Final

from roofline.specs.gpu import GPUSpec

#: FLOP in 16 bit of one SM per clock with dense operands, by (memory in stacks, narrowest matrix format: 0 for 16 bit,
#: 1 for fp8, 2 for 4 bit). Sources: NVIDIA's whitepapers of GV100 (8 x 64 FMA), TU102 (8 x 64), GA100 (4 x 256), GA102
#: (4 x 128), AD102 (4 x 128), GH100 (4 x 512); of Blackwell, its datasheet rates over units and clock.
_BUILT: Final = {
    (False, 0): 1024.0,
    (False, 1): 1024.0,
    (False, 2): 1024.0,
    (True, 1): 4096.0,
    (True, 2): 8192.0,
}
#: Of those with stacked memory and no 8-bit floats: with bf16 GA100, without GV100.
_STACKED: Final = (1024.0, 2048.0)


def feed_gain(spec: GPUSpec, peak: float, half_gain: float, stacked: bool, narrow: int) -> float:
    """The rate that loads are built for over the peak in 16 bit, at least `half_gain`; 1 where nothing is known.

    `peak` is FLOP in 16 bit per clock of one unit, 0 where units or clock are not stated.
    """
    tensor = spec.peak.tensor
    if spec.vendor != "nvidia" or spec.kind != "gpu" or not peak or not (tensor.fp16 or tensor.bf16):
        return half_gain
    built = _BUILT.get((stacked, narrow), _STACKED[bool(tensor.bf16)])
    return max(half_gain, built / peak, 1.0)
