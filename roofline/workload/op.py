"""The op: the one entry of the ledger from which every number of this package is summed."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from roofline.num import Num
from roofline.specs.formats.caches import Row
from roofline.workload.shapes import Shape

Kind: TypeAlias = Literal[
    "linear", "experts", "attention", "convolution", "scan", "norm", "pointwise", "gather", "collective"
]


class Op(NamedTuple):
    """One operation of a phase, `count` times per repeat of the phase.

    Every quantity is for one execution. FLOPs count a multiply-add as 2. Elements become bytes only when a Precision is
    applied: `weights`, `read`, `write`, `cache_*` and `communication` are in elements of the weight, activation and
    cache formats; `read_fp32` and `write_fp32` are activation elements that stay in 4 bytes whatever the precision.

    flops           tensor contractions (matmul, convolution, attention), as a framework's FLOP counter counts them
    vector_flops    everything else: norms, softmax, activations, residuals
    params          parameters that one instance holds; `active` those that one token uses
    weights         weight elements streamed from memory
    read, write     activation elements read from and written to memory
    cache_read, cache_write   elements of the KV-cache or state streamed
    cache_held      elements of the KV-cache or state held when the phase ends; `state_held` those that do not grow
    cache_grows     elements that one token more of a sequence adds to the cache at the end of the phase
    cache_before    elements by which more was held at the fullest moment of the phase than at its end
    row             what of a token is cached: how elements of the cache become bytes; None: they are a state
    state_held_fp32, state_moved_fp32   elements of state held, and read and written, in 4 bytes whatever the precision
    live            activation elements that must stay in memory meanwhile, beside its own inputs and outputs
    reused, reused_fp32   of an op of several kernels: elements that its reads and writes count but that are never in
                    memory at once with the rest, because one kernel reads what another wrote or writes where it was
    communication   elements that cross a link, per device
    kernels         launches
    held            share of its parameters that this device holds, where the rest is elsewhere
    runs_on         what runs it: the device, or the cores of its host beside what they hold
    source          of a load, the op that needs what is fetched

    A named tuple, because a large model has hundreds of ops and a frozen dataclass takes four times as long to make.
    """

    name: str
    kind: Kind
    block: str
    count: float = 1.0  # type: ignore[assignment]  # of executions; tuple.count is not used
    flops: Num = 0.0
    vector_flops: Num = 0.0
    params: float = 0.0
    active: float = 0.0
    weights: Num = 0.0
    read: Num = 0.0
    write: Num = 0.0
    read_fp32: Num = 0.0
    write_fp32: Num = 0.0
    cache_read: Num = 0.0
    cache_write: Num = 0.0
    cache_held: Num = 0.0
    state_held: Num = 0.0
    live: Num = 0.0
    reused: Num = 0.0
    reused_fp32: Num = 0.0
    communication: Num = 0.0
    kernels: Num = 1.0
    shape: Shape | None = None
    state_held_fp32: Num = 0.0
    state_moved_fp32: Num = 0.0
    cache_grows: Num = 0.0
    cache_before: Num = 0.0
    row: Row | None = None
    held: float = 1.0
    runs_on: Literal["device", "host"] = "device"
    source: Op | None = None
