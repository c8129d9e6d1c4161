"""Constructors of ops that move data between devices, or between a device and its host."""

from __future__ import annotations

from typing import Final, Literal

from roofline.num import Num
from roofline.workload.op import Op
from roofline.workload.shapes import CollectiveShape

Operation = Literal["all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send", "load"]
OPERATIONS: Final = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send", "load")


def wire_share(operation: str, devices: Num) -> Num:
    """Elements that must cross each device's link, per element of the message.

    (n - 1) / n for an all-gather, a reduce-scatter or an all-to-all, twice that for an all-reduce, which is one of each
    of the first two; all of it for a send or a load.

    Source: Thakur, Rabenseifner, Gropp 2005, Optimization of Collective Communication Operations in MPICH.
    """
    if operation in ("send", "load"):
        return 1.0
    share = (devices - 1.0) / devices
    return 2.0 * share if operation == "all_reduce" else share


def collective(
    name: str,
    block: str,
    operation: Operation,
    elements: Num,
    devices: float,
    *,
    stride: float = 1.0,
    count: float = 1.0,
    live: Num = 0.0,
) -> Op:
    """A collective among `devices` that stand `stride` apart.

    `elements` is the message: what each device reduces; the whole that is gathered or scattered; all that one device
    sends to the others, its own share included; what is sent. Each device reads and writes its own memory too.
    """
    share = 1.0 / devices if operation in ("all_gather", "reduce_scatter") else 1.0
    read = elements * share if operation == "all_gather" else elements
    write = elements * share if operation == "reduce_scatter" else elements
    wire = elements * wire_share(operation, devices)
    shape = CollectiveShape(operation, elements, devices, stride)
    return Op(name, "collective", block, count, read=read, write=write, live=live, communication=wire, shape=shape)


def load(source: Op, share: float, place: Literal["host", "disk"], what: Literal["weights", "cache"]) -> Op:
    """A share of the weights that an op streams, or of its cache, fetched from host memory or disk before it runs.

    It knows the op, whose format it has. New cache elements are written back. What comes in is written to device
    memory once, to a buffer for one layer, from where the op reads it; of a table only the rows looked up.
    """
    name, shape = f"load.{source.name}", CollectiveShape("load", 0.0, 1.0, 1.0, place, share)
    if what == "weights":
        ledger = Op(
            name, "collective", source.block, source.count, weights=source.weights * share, shape=shape, source=source
        )
        buffer = 0.0 if source.kind == "gather" else share / source.count
        return ledger._replace(params=source.params, held=buffer) if buffer else ledger
    return Op(
        f"{name}.cache",
        "collective",
        source.block,
        source.count,
        cache_read=source.cache_read * share,
        cache_write=source.cache_write * share,
        cache_held=source.cache_held * share / source.count,
        shape=shape,
        cache_grows=source.cache_grows * share / source.count,
        cache_before=source.cache_before * share / source.count,
        row=source.row,
        source=source,
    )


def crossing(name: str, block: str, count: float, elements: Num) -> Op:
    """Activations on their way between a device and its host, `count` times for the ops that the host runs."""
    shape = CollectiveShape("load", 0.0, 1.0, 1.0, "host")
    return Op(f"cross.{name}", "collective", block, count, communication=elements, shape=shape)
