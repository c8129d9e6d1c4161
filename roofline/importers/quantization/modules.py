"""The modules of a model by the names that checkpoints give them, layer by layer.

`modules_of` gives one `Slot` for each matrix of a group of layers: the operation of our ledger that it is, and all
names that tools use for it inside a layer; `Layout` puts the layer before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from roofline.importers.quantization import attention_names, layouts
from roofline.importers.quantization import names as table
from roofline.importers.quantization.named import Alias

#: Key under which a mapping function says at which layers of the checkpoint the layers of a group stand.
AT: Final = "at"
#: A name with the number of its layer, and what stands behind it.
LAYER: Final = re.compile(r"(?:.*?\.)?(?:layers|layer|h|blocks|block)\.(\d+)\.(.+)")
_LETTER: Final = re.compile(r"\.w\d$")
_EXPERT: Final = re.compile(r"(?<=\.experts)\.\d+\.")


class Slot(NamedTuple):
    """A module inside a layer, or outside of all.

    `op` is the operation that it is, or a part of it (of equal parts, where several slots have one `op`). `names`: what
    the module may be called, `{e}` standing for the number of an expert of which there are `experts`. `kind` says which
    tools touch it: linear, router, head, embedding. `aliases` are names that it shares, or that checkpoints do not use.
    """

    op: str
    names: tuple[str, ...]
    kind: str = "linear"
    experts: int = 0
    aliases: tuple[Alias, ...] = ()


class ModuleNames(NamedTuple):
    """Operations by the names of their modules: inside a layer behind its number, and outside of all layers."""

    inside: Mapping[str, tuple[str, ...]]
    outside: Mapping[str, tuple[str, ...]]

    def operations(self, name: str) -> tuple[str, ...]:
        """The operations that a module is, or is a part of; none where the name says nothing."""
        layer = LAYER.fullmatch(name)
        if layer is not None:
            tail = _EXPERT.sub(".{e}.", f".{layer[2]}")[1:]
            if found := self.inside.get(tail):
                return found
            if ".experts." in f".{tail}.":
                return tuple(table.EXPERTS)
        parts = name.split(".")
        ends = (".".join(parts[at:]) for at in range(len(parts)))
        return next((found for end in ends if (found := self.outside.get(end))), table.BESIDE.get(parts[-1], ()))


class Layout(NamedTuple):
    """Where the layers of a model stand in a checkpoint, and the first parts of names inside them."""

    prefixes: tuple[str, ...]
    containers: tuple[str, ...]
    encoder: tuple[str, ...] = ()


def layout_of(model_type: str, multimodal: bool = False) -> Layout:
    """How a family names its layers."""
    prefixes = _found(layouts.PREFIXES, model_type) or ("model.layers",)
    if multimodal and prefixes == ("model.layers",):
        prefixes = layouts.MULTIMODAL
    containers = _found(layouts.CONTAINERS, model_type) or tuple(layouts.USUAL)
    return Layout(prefixes, containers, _found(layouts.ENCODERS, model_type))


def _found(rows: Mapping[str, str], model_type: str) -> tuple[str, ...]:
    return next((tuple(value.split()) for key, value in rows.items() if model_type in key.split()), ())


def layers_of(block: Mapping[str, Any]) -> tuple[int, ...]:
    """The layers of the checkpoint that a group is made of: what the family says, else as many from the first."""
    return tuple(block.get(AT) or range(int(block["layers"])))


def modules_of(
    block: Mapping[str, Any], layout: Layout, model: Mapping[str, Any], model_type: str = ""
) -> tuple[Slot, ...]:
    """The matrices of a layer of this group. `model` says what stands beside every layer."""
    slots = [
        *_attention(block.get("attention") or {}, model_type),
        *_feed_forward(block.get("feed_forward") or {}, bool(block.get("cross_attention"))),
        *(_slots(attention_names.CROSS) if block.get("cross_attention") else ()),
        *(_slots(table.PER_LAYER) if model.get("per_layer_input") else ()),
        *(_slots(table.LAUREL) if model.get("laurel") else ()),
        *(_slots(table.ALTUP) if model.get("altup") else ()),
    ]
    own: Mapping[str, tuple[str, ...]] = model.get("modules", {})
    return _told_apart([_with_names(slot, own, layout) for slot in slots], model_type)


def _told_apart(slots: list[Slot], model_type: str) -> tuple[Slot, ...]:
    """Modules whose names say which are their own, and which are shared or not of the checkpoint."""
    sharing: dict[str, list[int]] = {}
    for at, slot in enumerate(slots):
        for name in slot.names:
            sharing.setdefault(name, []).append(at)
    fused = _found(table.STORED_FUSED, model_type)
    lettered = model_type in table.LETTERED.split()
    own = [_own_names(slot, sharing, fused, lettered) for slot in slots]
    everything = range(len(slots))
    told = []
    for at, slot in enumerate(slots):
        others = [name for name in slot.names if name not in own[at]]
        apart = {name: everything if lettered and slot.experts else sharing[name] for name in others}
        aliases = (Alias(name, tuple(rival for of in those for rival in own[of])) for name, those in apart.items())
        told.append(slot._replace(aliases=tuple(aliases)))
    return tuple(told)


def _own_names(
    slot: Slot, sharing: Mapping[str, Sequence[int]], fused: tuple[str, ...], lettered: bool
) -> tuple[str, ...]:
    stored = tuple(name for name in slot.names if name.rpartition(".")[2] in fused)
    if not stored and lettered and slot.experts:
        stored = tuple(name for name in slot.names if _LETTER.search(name))
    return stored or tuple(name for name in slot.names if len(sharing[name]) == 1)


def outside(model: Mapping[str, Any]) -> tuple[Slot, ...]:
    """The modules that stand outside of the layers."""
    slots = [Slot("embedding", _split(table.EMBEDDINGS), "embedding")]
    if model.get("head", True):
        slots.append(Slot("head", _split(table.HEADS), "head"))
    if model.get("per_layer_input"):
        slots.append(Slot("per_layer_model_projection", _split(table.OUTSIDE["per_layer_model_projection"])))
        slots.append(Slot("per_layer_embedding", ("model.embed_tokens_per_layer",), "embedding"))
    if model.get("altup"):
        slots += [Slot(op, _split(table.OUTSIDE[op])) for op in ("altup_projections", "altup_unembed_projections")]
    if model.get("embedding_width"):
        slots.append(Slot("embedding_projection", ("model.decoder.project_in", "embeddings_project")))
        slots += [Slot("head_projection", ("model.decoder.project_out",))] if model.get("head", True) else []
    if model.get("classifier"):
        slots.append(Slot("classifier", ("score", "classifier", "qa_outputs"), "head"))
    if model.get("pooler"):
        slots.append(Slot("pooler", ("pooler.dense", "bert.pooler.dense", "roberta.pooler.dense")))
    return (*slots, *(Slot(op, (name,), "embedding") for op, name in _tables(model)))


def _tables(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tables beside the embedding, and small matrices that stay as they are like these."""
    positions, stacks = model.get("positions") or {}, ("encoder_", "decoder_") if model.get("encoder") else ("",)
    for stack in stacks:
        if positions.get("size"):
            yield f"{stack}position_embedding", "embed_positions"
        if positions.get("buckets"):
            yield f"{stack}distance_bias", "relative_attention_bias"
    if model.get("token_types"):
        yield "type_embedding", "embeddings.token_type_embeddings"
    if model.get("residual_streams"):
        yield "attention_streams_weights", "hc_attn_fn"
        yield "feed_forward_streams_weights", "hc_ffn_fn"
        yield "streams_weights", "hc_head_fn"


def module_names(model: Mapping[str, Any], model_type: str, multimodal: bool = False) -> ModuleNames:
    """The modules of a model whose body is given as plain data, before what it says for this module is taken out."""
    layout = layout_of(model_type, multimodal)
    groups = (*model["blocks"], *model.get("encoder", ()))
    return ModuleNames(
        _by_name(slot for block in groups for slot in modules_of(block, layout, model, model_type)),
        _by_name(outside(model)),
    )


def _by_name(slots: Iterable[Slot]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for slot in slots:
        for name in slot.names:
            found.setdefault(name, {})[slot.op] = None
    return {name: tuple(operations) for name, operations in found.items()}


@lru_cache(maxsize=256)
def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))


def _slots(rows: Mapping[str, str]) -> Iterator[Slot]:
    """A slot per row; a `+` behind an operation marks a further part of it."""
    for op, text in rows.items():
        yield Slot(op.rstrip("+"), _split(text))


def _with_names(slot: Slot, own: Mapping[str, tuple[str, ...]], layout: Layout) -> Slot:
    """Of the names those that the family uses, or all where it uses none of them."""
    if slot.op in own:
        return slot._replace(names=tuple(own[slot.op]))
    known = tuple(name for name in slot.names if name.partition(".")[0] in layout.containers)
    return slot._replace(names=known or slot.names)


def _attention(attention: Mapping[str, Any], model_type: str) -> Iterator[Slot]:
    absent = set()
    if attention.get("shared_cache"):
        absent |= {"k_proj", "v_proj"}
    if attention.get("keys_as_values"):
        absent.add("v_proj")
    kind = str(attention.get("kind"))
    if kind == "latent":
        absent |= {"q_proj"} if attention.get("query_rank") else {"q_a_proj", "q_b_proj"}
    if kind in ("softmax", "latent") and not attention.get("output_gate"):
        absent.add("output_gate_proj")
    if kind == "kimi_delta":
        absent |= {f"{of}_a_proj" for of in ("gate", "decay") if not attention.get(f"{of}_rank")}
    indexer = attention.get("indexer") or {}
    for slot in _slots(attention_names.ATTENTIONS.get(kind, {})):
        without = _without_indexer(slot.op, kind, indexer, attention)
        if slot.op in absent or without:
            continue
        if slot.op == "output_gate_proj" and model_type.startswith("qwen3"):
            yield slot._replace(names=("self_attn.q_proj", "self_attn.qkv_proj"))
        else:
            yield slot


def _without_indexer(op: str, kind: str, indexer: Mapping[str, Any], attention: Mapping[str, Any]) -> bool:
    """Whether this attention lacks the indexer or compressor that an operation belongs to."""
    if kind == "latent":
        return op.startswith("indexer") and not (indexer and indexer.get("own", True))
    if kind == "compressed":
        return (op.startswith("indexer") and not indexer) or (op.startswith("compressor") and not attention.get("rate"))
    return False


def _feed_forward(forward: Mapping[str, Any], behind_cross: bool) -> Iterator[Slot]:
    kind = forward.get("kind")
    if kind == "dense":
        last = "2" if behind_cross else "1"
        for slot in _slots(table.DENSE):
            if slot.op != "gate_proj" or forward.get("gated"):
                yield slot._replace(names=tuple(name.replace("{last}", last) for name in slot.names))
    if kind == "experts":
        gated = forward.get("gated", True)
        for slot in _slots(table.EXPERTS):
            if slot.op != "experts_gate" or gated:
                yield slot._replace(experts=int(forward["experts"]))
        yield Slot("router", _split(table.ROUTER), "router")
        for slot in _slots(table.SHARED) if forward.get("shared_width") else ():
            if slot.op != "shared_gate_proj" or gated:
                yield slot
        if forward.get("shared_gate"):
            yield Slot("shared_gate", (table.SHARED_GATE,))
        yield from _slots(table.LATENT) if forward.get("latent_width") else ()
