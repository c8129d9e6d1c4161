"""Collectives among the chips of one node: a quick protocol for small messages, a broad one for large ones."""

from __future__ import annotations

from typing import NamedTuple

from roofline.num import Num, minimum
from roofline.workload.constructors_collective import wire_share


class CollectiveCoefficients(NamedTuple):
    """Latency and bandwidth of one collective in its two protocols; the faster one is taken.

    quick_s      seconds of a small message between two chips; `quick_hop_s` what each further chip adds
    quick        fraction of the link that the quick protocol reaches
    broad_s      seconds of start of the protocol for large messages; `broad_hop_s` what each further chip adds
    broad        fraction of the link that it reaches
    """

    quick_s: Num
    quick_hop_s: Num
    quick: Num
    broad_s: Num
    broad_hop_s: Num
    broad: Num


def collective_time(operation: str, message: Num, chips: Num, link: Num, c: CollectiveCoefficients) -> Num:
    """Seconds of a collective of `message` bytes among `chips`, whose links carry `link` byte/s in each direction."""
    wire = wire_share(operation, chips) * message / link
    further = chips - 2.0
    quick = c.quick_s + further * c.quick_hop_s + wire / c.quick
    broad = c.broad_s + further * c.broad_hop_s + wire / c.broad
    return minimum(quick, broad)
