"""What an estimate says about its spread over devices: inputs, assumptions, links, sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roofline.analysis.result import plain

if TYPE_CHECKING:
    from roofline.analysis.images.question import ImageQuestion
    from roofline.analysis.question import Question
    from roofline.analysis.spread.spread import Spread


def placement(question: Question | ImageQuestion) -> dict[str, Any]:
    """The part of `inputs` that says where the run happens."""
    spread = question.spread
    if spread is None:
        return {"batch_in_all": plain(question.run.batch),
                "gpus": 1, "tp": 1, "pp": 1, "cp": 1, "dp": 1, "ep": 1, "node": None, "overlap": "none",
                "offload": None, "runtime_reserve_bytes": 0}  # fmt: skip
    plan = spread.plan
    return {
        "batch_in_all": plain(question.run.batch * plan.dp),
        "gpus": plan.devices, "tp": plan.tp, "pp": plan.pp, "cp": plan.cp, "dp": plan.dp, "ep": plan.ep,
        "node": spread.node.name if spread.node else None, "overlap": "full" if spread.overlap else "none",
        "offload": spread.offload.text() if spread.offload else None, "runtime_reserve_bytes": spread.reserve,
    }  # fmt: skip


def spread_notes(question: Question) -> list[str]:
    """What was assumed about several devices, offload and the runtime; nothing for one device as it is."""
    spread = question.spread
    if spread is None:
        return []
    plan, notes = spread.plan, list(spread.notes)
    if not plan.single:
        notes.append(f"{plan.devices} devices: {plan.text()}; counts, times and memory are those of the busiest one")
        notes += _plan_notes(question)
        notes += link_notes(spread)
    if spread.offload is not None:
        hidden = "hidden behind work" if spread.overlap else "not hidden (--overlap full hides it)"
        notes.append(f"offload {spread.offload.text()}: fetched in every step, {hidden}; a buffer for one layer stays")
    reserve = "no memory reserved for the runtime (--runtime-reserve)"
    if spread.reserve:
        reserve = f"{spread.reserve / 1e9:.3g} GB reserved for the runtime: {spread.reserve_source}"
    return [*notes, reserve]


def _plan_notes(question: Question) -> list[str]:
    spread = question.spread
    assert spread is not None
    plan, notes = spread.plan, []
    if plan.tp > 1:
        notes.append("replicated over tp: norms, routers, latents, and key-value heads beyond their number")
        notes.append("no engine is taken to pad heads" if not plan.pad_heads else "heads padded to a multiple of tp")
    if plan.pp > 1:
        cut = f"{spread.microbatches} microbatches" if spread.microbatches else "as many microbatches as stages"
        notes.append(f"pipeline: {cut}, or sequences if these are fewer; layers spread evenly")
    if plan.dp > 1:
        notes.append(f"the batch is that of each of {plan.dp} replicas; throughput is that of all")
    if plan.ep > 1:
        notes.append("experts: uniform routing; a token is sent once to each device that holds one of its experts")
    if plan.cp > 1:
        notes.append("context: the prompt dealt out evenly; a decode step runs all but attention on every device")
    return notes


def link_notes(spread: Spread) -> list[str]:
    """Which links the devices have, and what is made of them."""
    fabric = spread.fabric
    if fabric is None or fabric.scale_up is None:
        return []
    up, out = fabric.scale_up, fabric.scale_out
    where = f"node {fabric.name}" if spread.node else f"no node described for {fabric.name}; its own links"
    text = f"{where}: {fabric.node} devices on {up.name}, {_speed(up.bandwidth)} and {up.latency * 1e6:g} µs"
    if out is not None and spread.plan.devices > fabric.node:
        text += f"; between nodes {out.name}, {_speed(out.bandwidth)} and {out.latency * 1e6:g} µs"
    overlap = "hidden behind work as far as it can be" if spread.overlap else "not hidden behind work"
    return [text, f"collectives at nominal bandwidth, the fastest algorithm that the links allow; {overlap}"]


def _speed(bandwidth: Any) -> str:
    return f"{float(bandwidth) / 1e9:g} GB/s per direction"


def links(question: Question | ImageQuestion) -> dict[str, Any]:
    """The links in use, for the machine's figures."""
    spread = question.spread
    if spread is None or spread.fabric is None:
        return {"gpus_per_node": None, "links": {}}
    named = {name: getattr(spread.fabric, name) for name in ("scale_up", "scale_out", "host", "disk")}
    return {
        "gpus_per_node": spread.fabric.node,
        "links": {
            name: {"name": link.name, "bandwidth_bytes_per_s": float(link.bandwidth), "latency_s": link.latency,
                   "topology": link.topology}
            for name, link in named.items() if link is not None
        },
    }  # fmt: skip


def spread_sources(question: Question) -> tuple[str, ...]:
    """Where the links come from."""
    node = question.spread.node if question.spread is not None else None
    return node.sources if node is not None else ()
