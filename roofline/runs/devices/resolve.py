"""How a run is spread over devices: the plan, the node and its links, what is away, what the runtime keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from roofline.errors import UnknownNameError, UsageError
from roofline.machine.collectives import Fabric, Link
from roofline.machine.engine import IDEAL, find_engine, read_engine
from roofline.machine.engine_lookup import backend_of
from roofline.passes.offload import Offload, read_offload
from roofline.runs.checks import one_of
from roofline.runs.devices.hosts import cores_of, find_host, placed
from roofline.runs.devices.spread import ALONE, AXES, Reserve, Spread
from roofline.runs.load import Origin, is_path
from roofline.runs.options import asked
from roofline.specs.engine import Split
from roofline.specs.files.library import find, folders, stamp_of
from roofline.specs.files.paths import beginning, expanded
from roofline.specs.files.reader import read_node
from roofline.specs.gpu import GPUSpec
from roofline.specs.node import NodeSpec
from roofline.units import parse_quantity
from roofline.workload.plan import Plan, check_plan

_TENSORS: Final = Split()
OVERLAPS: Final = ("none", "full")
#: What a runtime that is no engine here keeps beside weights, cache and activations.
TRANSFORMERS: Final = Reserve(
    37 * 2.0**20, "Qwen3 speed benchmark @7a2f61ff: Qwen3-8B, measured less weights and cache"
)
_PERCENT: Final = re.compile(r"\d+(\.\d+)?%")
_GPU_LINE: Final = re.compile(r"^gpu:\s*([^\s#]+)", re.MULTILINE)
#: What a node says that must be named: a cloud's instance, cards whose links vary.
_NAMED_ONLY: Final = re.compile(r"^default:\s*false\b", re.MULTILINE)


def resolve_spread(gpu: GPUSpec, options: Mapping[str, Any], spec_dir: str | None) -> Spread:
    """The spread that some options ask for; ALONE where all is one device with nothing set."""
    plan, notes = plan_of(options, split_of(engine_on(gpu, options, spec_dir)))
    overlap = one_of("overlap", options.get("overlap") or "none", OVERLAPS) == "full"
    away = _away(gpu, options, spec_dir)
    reserve = read_reserve(options.get("runtime_reserve"), gpu.memory.capacity, spec_dir, plan.devices > plan.dp)
    if reserve.engine and reserve.engine == engine_on(gpu, options, spec_dir):
        reserve = Reserve()  # what it keeps is part of its own budget
    micro = _microbatches(options.get("microbatches"), plan)
    if overlap and plan.single and away is None:
        raise UsageError("--overlap full: one GPU with everything in its memory has no communication to hide")
    if plan.single and away is None and not reserve.bytes and not options.get("node"):
        return ALONE
    node, fabric = links_of(gpu, options.get("node"), spec_dir)
    alone = options.get("gpus") is not None and all(options.get(name) is None for name in (*AXES, "ep"))
    host = find_host(gpu, options.get("host"), node, spec_dir) if away is not None and away.on_host else None
    engine = engine_on(gpu, options, spec_dir)
    cores = cores_of(host, engine, plan, fabric) if host is not None and away is not None and away.computed else None
    return Spread(plan, fabric, node, overlap, away, reserve, micro, notes, alone, host=host, cores=cores)


def _away(gpu: GPUSpec, options: Mapping[str, Any], spec_dir: str | None) -> Offload | None:
    """What is away, and how the engine deals with it. Raises UsageError for a host of nothing, and where the host has
    no memory of its own.
    """
    away = read_offload(options["offload"]) if options.get("offload") else None
    if options.get("host") is not None and (away is None or not away.on_host):
        named = str(options["host"])[:80]
        raise UsageError(f"--host {named}: nothing stays with the host; say what does, as --offload experts@cpu")
    if away is not None and away.on_host and gpu.memory.unified is not None:
        raise UsageError(
            f"--offload {away.text()}: {gpu.name} has one memory for GPU and processor (unified memory), so nothing "
            "gets room by going to the host; leave it out, or say @disk"
        )
    return placed(away, engine_on(gpu, options, spec_dir)) if away is not None else None


def engine_on(gpu: GPUSpec, options: Mapping[str, Any], spec_dir: str | None) -> str:
    """The engine that is asked for, as it is on an accelerator: its backend for chips of that maker, where it has one.

    Raises UnknownNameError.
    """
    found = find_engine(asked(options, "engine"), spec_dir)
    return found if gpu.kind == "cpu" else backend_of(found, gpu.vendor)


def _microbatches(value: Any, plan: Plan) -> int | None:
    if value is None:
        return None
    micro = _size("microbatches", value)
    if plan.pp == 1 and micro > 1:
        raise UsageError(f"--microbatches {micro} fill a pipeline; name its stages with --pp")
    return micro


def links_of(gpu: GPUSpec, named: str | None, spec_dir: str | None) -> tuple[NodeSpec | None, Fabric | None]:
    """The node of a name, else the first one made of this accelerator; and its links, else the accelerator's own.

    Raises UsageError where the named node is made of another.
    """
    node = locate_node(named, spec_dir)[0] if named else default_node(gpu, spec_dir)
    if node is not None and named and node.gpu not in (gpu.name, *gpu.aliases):
        raise UsageError(f"--node {node.name} has {node.gpu}, not {gpu.name}")
    return node, Fabric.of(node) if node is not None else own_links(gpu)


def split_of(engine: str) -> Split:
    """By what an engine lays a model over a number of devices where nothing else is said."""
    return read_engine(engine).split if engine != IDEAL else _TENSORS


def plan_of(options: Mapping[str, Any], split: Split = _TENSORS) -> tuple[Plan, tuple[str, ...]]:
    """The plan that `gpus`, `tp`, `pp`, `cp`, `dp` and `ep` name together, and what was inferred; `gpus` alone are
    taken as the engine does.

    Raises UsageError where they contradict each other.
    """
    given = {name: _size(name, options[name]) for name in (*AXES, "ep", "gpus") if options.get(name) is not None}
    gpus, ep = given.pop("gpus", None), given.pop("ep", 1)
    notes: tuple[str, ...] = ()
    if not any(given.values()) and (gpus or ep > 1):
        if ep > 1:
            given["dp"] = gpus or ep
            notes = (f"attention is data-parallel over the {given['dp']} devices (--ep alone; --tp splits it)",)
        elif split.by == "layers" and gpus and gpus > 1:
            given["pp"] = gpus
            own = f" ({split.option})" if split.option else ""
            notes = (f"--gpus {gpus} is --pp {gpus}: the engine lays layers over GPUs{own}; --tp splits tensors",)
        else:
            given["tp"] = gpus or 1
    plan = Plan(**given, ep=ep, pad_heads=bool(options.get("pad_heads")))
    if gpus is not None and plan.devices != gpus:
        product = " × ".join(f"{name} {getattr(plan, name)}" for name in AXES)
        raise UsageError(f"--gpus {gpus} does not match {product} = {plan.devices}")
    check_plan(plan)
    return plan, notes


def _size(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= 10**6 or value != int(value):
        raise UsageError(f"--{name} must be a whole number from 1 to 1,000,000, not {value!r}")
    return int(value)


def read_reserve(value: Any, capacity: float, spec_dir: str | None = None, several: bool = False) -> Reserve:
    """What the runtime keeps on each device, one of `several` that exchange or one alone.

    A number of bytes, a quantity such as `2 GB`, a share of the memory such as `10%`, the name of an engine, whose file
    says it, or `transformers`. Raises UsageError.
    """
    if value is None:
        return Reserve()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return Reserve(float(value), "as asked")
    text = str(value).strip().lower()
    if text == "transformers":
        return TRANSFORMERS
    if text.endswith("%"):
        if not _PERCENT.fullmatch(text) or float(text[:-1]) > 100:
            raise UsageError(f"--runtime-reserve {text[:40]}: a share of the memory is between 0% and 100%")
        return Reserve(capacity * float(text[:-1]) / 100, "as asked")
    try:
        return Reserve(parse_quantity(value, "bytes"), "as asked")
    except ValueError as error:
        reason = f"--runtime-reserve: {error}; or 10%, transformers, or an engine (`roofline list engines`)"
    try:
        engine = find_engine(str(value), spec_dir)
    except UnknownNameError:
        raise UsageError(reason) from None
    return _reserve_of(engine, several)


def _reserve_of(engine: str, several: bool) -> Reserve:
    """What the file of an engine says of its runtime. Raises UsageError where it says nothing."""
    memory = read_engine(engine).memory if engine != IDEAL else None
    if memory is None or not memory.runtime:
        raise UsageError(f"--runtime-reserve {engine}: what it keeps is not known; give bytes, for example '0.5 GB'")
    kept = memory.runtime + (memory.linked if several else 0.0)
    return Reserve(kept, f"what engine {engine} keeps: {'; '.join(memory.sources)}", engine)


def locate_node(name: str, spec_dir: str | None = None) -> tuple[NodeSpec, Origin]:
    """The node of a name, an alias or a file. Raises UnknownNameError or SpecError."""
    path = expanded(name) if is_path(name) else None
    if path is None:
        found = find("nodes", name, spec_dir)
        return _read(found.path, _written(found.path)), Origin(str(found.path), found.alias)
    return read_node(path), Origin(str(path))


def _written(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=64)
def _read(path: Path, stamp: tuple[int, int]) -> NodeSpec:
    return read_node(path)


def default_node(gpu: GPUSpec, spec_dir: str | None = None, *, named: bool = False) -> NodeSpec | None:
    """The first node of the library that is made of this accelerator and does not say `default: false`; `named`: of
    all, those that must be named too.
    """
    for folder in folders("nodes", spec_dir):
        made_of = _made_of(folder, stamp_of(folder), named)
        found = [made_of[name] for name in (gpu.name, *gpu.aliases) if name in made_of]
        if found:
            return _read(min(found), _written(min(found)))
    return None


@lru_cache(maxsize=32)
def _made_of(folder: Path, changed: int, named: bool) -> dict[str, Path]:
    """The first node of a folder by the accelerator that it is made of; without those that must be `named`, or all."""
    table: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml")):
        text = beginning(path, 100_000)
        match = _GPU_LINE.search(text)
        if match is not None and (named or not _NAMED_ONLY.search(text)):
            table.setdefault(match[1].strip("'\""), path)
    return table


def own_links(gpu: GPUSpec) -> Fabric | None:
    """Links where no node is described: those of the accelerator itself, eight of them, nominal latencies."""
    links = gpu.links
    if links is None:
        return Fabric(gpu.name, 8)
    up = links.scale_up
    host = Link(f"PCIe {links.pcie.generation}", links.pcie.bandwidth) if links.pcie else None
    if up is not None:
        return Fabric(gpu.name, 8, Link(up.name, up.bandwidth, 2e-6), None, host)
    if links.pcie is not None:
        pcie = Link(f"PCIe {links.pcie.generation}", links.pcie.bandwidth, 4e-6, "ring")
        return Fabric(gpu.name, 8, pcie, None, host)
    return Fabric(gpu.name, 8)
