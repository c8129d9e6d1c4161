"""A quantisation applied to the modules of every layer: a format per operation and group of layers.

Layers whose formats differ become groups of their own. What tools never touch (norms, convolutions, decays) has no
module here and stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from roofline.importers.quantization import attention_names
from roofline.importers.quantization import names as table
from roofline.importers.quantization.modules import AT, Layout, Slot, layers_of, modules_of, outside
from roofline.importers.quantization.named import Named
from roofline.importers.quantization.rules import Matcher
from roofline.importers.quantization.scheme import Scheme

#: Operation -> format.
Formats = dict[str, str]
_EXPERTS: Final = tuple(table.EXPERTS)
#: Operations of the attention or of what stands in its place.
_ATTENTION: Final = frozenset(op.rstrip("+") for rows in attention_names.ATTENTIONS.values() for op in rows) - set(
    table.DENSE
)
_MOST_TOLD: Final = 5
#: What no tool narrows, so that a rule that leaves it alone says nothing.
_VECTOR: Final = re.compile(r"(norm|bias|conv1d|A_log|sinks|\.D)\W*$")


class Resolved(NamedTuple):
    """The main format, operations with another in all groups, groups of layers with formats of their own, formats of
    the head that predicts further tokens where rules name it, notes.
    """

    dtype: str
    overrides: Formats
    blocks: list[dict[str, Any]]
    encoder: list[dict[str, Any]]
    mtp: Formats
    notes: tuple[str, ...]


def resolve(scheme: Scheme, base: str, body: Mapping[str, Any], layout: Layout, model_type: str) -> Resolved:
    """Raises UnmatchableError for a rule that cannot be matched."""
    matcher = Matcher(scheme.rules)
    applied = _Applied(scheme, base, matcher)
    stacks = []
    for key, prefixes in (("blocks", layout.prefixes), ("encoder", layout.encoder or layout.prefixes)):
        groups = []
        for block in body.get(key, ()):
            slots = modules_of(block, layout, body, model_type)
            groups += _split(block, [(layer, applied.of_layer(slots, layer, prefixes)) for layer in layers_of(block)])
        stacks.append(_renamed(groups))
    further = _of_mtp(applied, body, layout, model_type)
    ends = {slot.op: applied.format_of(slot, Named(-1, slot.kind, slot.names)) for slot in outside(body)}
    main = scheme.dtype or _most_common(stacks[0]) or base
    overrides, blocks, encoder = _shared(stacks, main, base)
    overrides |= ends | ({"head": ends["embedding"]} if body.get("tied_embeddings") and "head" in ends else {})
    told = {name: dtype for name, dtype in overrides.items() if dtype != main}
    return Resolved(main, told, blocks, encoder, further, _unmatched(matcher))


def _of_mtp(applied: _Applied, body: Mapping[str, Any], layout: Layout, model_type: str) -> Formats:
    """The formats of the head that predicts further tokens, under either of its names: in `mtp`, or behind the layers;
    none where no rule names it.
    """
    mtp = body.get("mtp")
    if not mtp:
        return {}
    layers = sum(int(block["layers"]) for block in body["blocks"])
    slots = [*modules_of(mtp, layout, body, model_type), Slot("mtp_projection", ("eh_proj", "fc"))]
    for first, prefixes in ((0, ("mtp.layers", "model.mtp.layers")), (layers, layout.prefixes)):
        before = set(applied.matcher.matched)
        found = applied.of_layer(slots, first, prefixes)
        if applied.matcher.matched - before:
            return _joined(found) if len({found[op] for op in _EXPERTS if op in found}) == 1 else found
    return {}


class _Applied(NamedTuple):
    scheme: Scheme
    base: str
    matcher: Matcher

    def of_layer(self, slots: Iterable[Slot], layer: int, prefixes: tuple[str, ...]) -> Formats:
        """The format of every operation of a layer."""
        found: dict[str, Counter[str]] = {}
        for slot in slots:
            counted = found.setdefault(slot.op, Counter())
            module = Named(layer, slot.kind, slot.names, prefixes, aliases=slot.aliases)
            for expert, number in self._experts(layer, slot.experts):
                counted[self.format_of(slot, module._replace(expert=expert))] += number
        return {op: _mean(counted) for op, counted in found.items()}

    def _experts(self, layer: int, experts: int) -> list[tuple[int, int]]:
        """Experts to ask about, and how many each stands for: of those that no rule tells apart one for all."""
        if self.matcher.numbers_experts and experts:
            return [(expert, 1) for expert in range(experts)]
        named = self.matcher.numbered.get(layer, set())
        told = [expert for expert in sorted(named) if expert < experts]
        rest = max(experts, 1) - len(told)
        other = next((expert for expert in range(experts) if expert not in named), 0)
        return [*((expert, 1) for expert in told), *([(other, rest)] if rest else [])]

    def format_of(self, slot: Slot, module: Named) -> str:
        """The format of one module: that of the first rule that names it, else what its kind takes."""
        scheme = self.scheme
        rule = self.matcher.first(module)
        if slot.kind == "head" and scheme.head is False and rule is not None and not rule.forced:
            return self.base
        if rule is not None:
            return rule.dtype or self.base
        if slot.kind == "head" and isinstance(scheme.head, str):
            return scheme.head
        takes = {"linear": not scheme.experts_only, "head": scheme.head, "embedding": scheme.embedding}
        wanted = takes.get(slot.kind, scheme.router) or slot.op in _EXPERTS
        return (scheme.dtype if wanted else None) or self.base


def _mean(counted: Counter[str]) -> str:
    """The format of parts of equal size, counted by format."""
    if len(counted) == 1:
        return next(iter(counted))
    return "+".join(f"{number}*{dtype}" for dtype, number in counted.most_common())


def _split(block: Mapping[str, Any], layers: Sequence[tuple[int, Formats]]) -> list[dict[str, Any]]:
    """Groups of layers of one group that agree in their formats, in the order of their first layers."""
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for layer, formats in layers:
        groups.setdefault(tuple(formats.items()), []).append(layer)
    plain = {key: value for key, value in block.items() if key != AT}
    return [{**plain, "layers": len(found), "dtypes": dict(formats)} for formats, found in groups.items()]


def _renamed(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups that one became, with distinct names."""
    if len(groups) == 1:
        return groups
    taken: Counter[str] = Counter()
    everyone = {str(group.get("name")) for group in groups}
    out = []
    for group in groups:
        name = str(group.get("name") or "layers")
        taken[name] += 1
        while taken[name] > 1 and f"{name}-{taken[name]}" in everyone:
            taken[name] += 1
        own = name if taken[name] == 1 else f"{name}-{taken[name]}"
        out.append({"name": own, **{key: value for key, value in group.items() if key != "name"}})
    return out


def _most_common(groups: Iterable[Mapping[str, Any]]) -> str | None:
    """The format of the experts of most layers, else of their feed-forward, where no format is the main one."""
    counted: Counter[str] = Counter()
    for group in groups:
        found = next((group["dtypes"][op] for op in ("experts_up", "up_proj") if op in group["dtypes"]), None)
        if found and "+" not in found:
            counted[found] += group["layers"]
    return counted.most_common(1)[0][0] if counted else None


def _shared(
    stacks: Sequence[list[dict[str, Any]]], main: str, base: str
) -> tuple[Formats, list[dict[str, Any]], list[dict[str, Any]]]:
    """What all groups agree in, and groups with what else they have that is not the main format."""
    groups = [group for stack in stacks for group in stack]
    if all(len({group["dtypes"][op] for op in _EXPERTS if op in group["dtypes"]}) <= 1 for group in groups):
        for group in groups:
            group["dtypes"] = _joined(group["dtypes"])
    everywhere: dict[str, set[str]] = {}
    for group in groups:
        for op, dtype in group["dtypes"].items():
            everywhere.setdefault(op, set()).add(dtype)
    agreed = {op: next(iter(found)) for op, found in everywhere.items() if len(found) == 1}
    attention = [op for op in everywhere if op in _ATTENTION]
    if base != main and attention and all(agreed.get(op) == base for op in attention):
        agreed = {"attention": base, **{op: dtype for op, dtype in agreed.items() if op not in _ATTENTION}}
        everywhere = {op: found for op, found in everywhere.items() if op not in _ATTENTION}
    differ = {op for op in everywhere if op not in agreed}
    blocks, encoder = ([_own(group, differ, main) for group in stack] for stack in stacks)
    return agreed, blocks, encoder


def _joined(formats: Formats) -> Formats:
    """The experts as one operation, whose matrices agree."""
    experts = {formats[op] for op in _EXPERTS if op in formats}
    if not experts:
        return formats
    return {"experts": experts.pop(), **{op: dtype for op, dtype in formats.items() if op not in _EXPERTS}}


def _own(group: dict[str, Any], differ: set[str], main: str) -> dict[str, Any]:
    """A group with the formats that are its own: by role where its whole attention or feed-forward has one."""
    formats = group.pop("dtypes")
    own = {op: dtype for op, dtype in formats.items() if op in differ}
    for role, ops in (("attention", _ATTENTION), ("feed_forward", frozenset(table.DENSE))):
        those = [op for op in formats if op in ops]
        if len(those) > 1 and all(own.get(op) == formats[those[0]] for op in those):
            own = {role: formats[those[0]], **{op: dtype for op, dtype in own.items() if op not in ops}}
    told = {op: dtype for op, dtype in own.items() if dtype != main}
    return {**group, "dtypes": told} if told else group


def _unmatched(matcher: Matcher) -> tuple[str, ...]:
    missing = [rule.shown for rule in matcher.unmatched() if rule.dtype or not _VECTOR.search(rule.pattern)]
    if not missing:
        return ()
    shown = ", ".join(text[:60] for text in missing[:_MOST_TOLD])
    more = f" and {len(missing) - _MOST_TOLD} more" if len(missing) > _MOST_TOLD else ""
    return (f"rules of the quantisation that name no module of what is counted: {shown}{more}",)
