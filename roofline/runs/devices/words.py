"""What a question says about its devices: inputs, words, assumptions, links, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roofline.answer.plain import plain
from roofline.num import Num
from roofline.runs.devices.spread import Spread

if TYPE_CHECKING:
    from roofline.machine.collectives import Link

_LINKS = ("scale_up", "scale_out", "host", "disk")


def placement(spread: Spread, batch: Num) -> dict[str, Any]:
    """The part of `inputs` that says where the run happens."""
    plan = spread.plan
    return {
        "batch_in_all": plain(batch * plan.dp),
        "gpus": plan.devices,
        "tp": plan.tp,
        "pp": plan.pp,
        "cp": plan.cp,
        "dp": plan.dp,
        "ep": plan.ep,
        "node": spread.node.name if spread.node else None,
        "overlap": "full" if spread.overlap else "none",
        "offload": spread.away.text() if spread.away else None,
        "host": spread.host.text if spread.host else None,
        "runtime_reserve_bytes": plain(spread.reserve.bytes),
    }


def per_replica(spread: Spread) -> str:
    """Behind a batch, where it is that of each of several replicas."""
    return " per replica" if spread.plan.dp > 1 else ""


def where_words(spread: Spread, batch: Num) -> str:
    """Where a run is spread, in a line; empty for one GPU with all at home."""
    plan, parts = spread.plan, []
    if not plan.single:
        node = f" on {spread.node.name}" if spread.node else ""
        each = f"each with a batch of {batch:,.0f}: {batch * plan.dp:,.0f} in all"
        replicas = f"; {plan.dp:,} replicas, {each}" if plan.dp > 1 else ""
        parts.append(
            f"{plan.devices} GPUs ({plan.text()}){node}{replicas}; all that follows is per GPU, throughput that of all"
        )
    if spread.away is not None:
        computed = f", computed by {spread.host.text}" if spread.host is not None and spread.cores is not None else ""
        parts.append(f"offloaded: {spread.away.text()}{computed}")
    return "; ".join(parts)


def link_notes(spread: Spread) -> list[str]:
    """Which links the devices have, and what is made of them."""
    fabric = spread.fabric
    if fabric is None or fabric.scale_up is None:
        return []
    up, out = fabric.scale_up, fabric.scale_out
    where = f"node {fabric.name}" if spread.node else f"no node described for {fabric.name}; its own links"
    text = f"{where}: {fabric.node} devices on {up.name}, {_speed(up)}"
    if out is not None and spread.plan.devices > fabric.node:
        text += f"; between nodes {out.name}, {_speed(out)}"
    overlap = "hidden behind work as far as it can be" if spread.overlap else "not hidden behind work"
    return [text, f"collectives at nominal bandwidth, the fastest algorithm that the links allow; {overlap}"]


def _speed(link: Link) -> str:
    return f"{float(link.bandwidth) / 1e9:g} GB/s per direction and {link.latency * 1e6:g} µs"


def reserve_note(spread: Spread) -> str:
    """What the runtime keeps."""
    if not spread.reserve.bytes:
        return "no memory reserved for the runtime (--runtime-reserve)"
    return f"{spread.reserve.bytes / 1e9:.3g} GB reserved for the runtime: {spread.reserve.source}"


def links(spread: Spread) -> dict[str, Any]:
    """The links in use, for the machine's figures."""
    fabric = spread.fabric
    if fabric is None or spread.alone:
        return {"gpus_per_node": None, "links": {}}
    named = ((name, getattr(fabric, name)) for name in _LINKS)
    return {"gpus_per_node": fabric.node, "links": {name: _link(link) for name, link in named if link is not None}}


def _link(link: Link) -> dict[str, Any]:
    return {
        "name": link.name,
        "bandwidth_bytes_per_s": float(link.bandwidth),
        "latency_s": link.latency,
        "topology": link.topology,
    }


def spread_sources(spread: Spread) -> tuple[str, ...]:
    """Where the links and the host's figures come from."""
    node = spread.node.sources if spread.node is not None else ()
    return (*node, *(spread.host.spec.sources if spread.host is not None else ()))
