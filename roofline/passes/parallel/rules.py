"""How each op shards over the devices of a tensor-parallel group.

A rule is a word. Ops are looked up by name; an op whose name is not here must say so by its kind (a norm, a sum or a
look-up outside of attention and feed-forward stays whole) or is refused: a wrong split would be worse.

    partial     as row, with a collective of its own: a small product within a recurrence
    column      the outputs of a matrix are split: x is read whole, the share of the output is written
    kv          as column, by key-value heads, which are replicated where there are more devices than heads
    heads       a matrix for each head: all of it is split
    row         the inputs are split; every device has a partial sum of the whole output, summed by a collective
    vocabulary  rows of the embedding are split, the looked-up rows summed by a collective
    logits      columns of the head are split, the logits gathered by a collective
    inner       element-wise work on what a column split made
    key_inner   the same, by key-value heads
    rotary      queries and keys
    core        attention: by heads
    scan        a recurrence: by heads or channels, with its state
    mixed       of a recurrence: what belongs to heads is split; input and output vectors that all heads share are
                replicated, or split by groups where these are as many as devices
    experts     the width of each expert is split
    shared      an exchange of another group, by heads
    whole       replicated: every device does and holds all of it

Source: Shoeybi et al. 2019, Megatron-LM (arXiv:1909.08053), section 3; vLLM and Megatron-LM replicate the latents of
DeepSeek's attention, routers, and key-value heads beyond their number.
"""

from __future__ import annotations

from typing import Final

from roofline.errors import UnsupportedError
from roofline.workload.op import Op
from roofline.workload.shapes import AttentionShape, ScanShape, SelectedAttentionShape

_RULES: Final[dict[str, str]] = {
    "column": """
        q_proj cross_q_proj q_b_proj kv_b_proj gate_proj up_proj shared_gate_proj shared_up_proj relative_projection
        decay_b_proj rate_proj gate_b_proj dt_proj y_proj receptance_proj channel_key_proj gate_up_proj
        gate_up_adapter_b q_adapter_b in_proj_z in_proj_ba output_gate_proj distance_q_proj distance_k_proj
    """,
    "kv": "k_proj v_proj cross_k_proj cross_v_proj k_adapter_b v_adapter_b",
    "heads": "k_up_proj v_up_proj o_a_proj recurrence_gate",
    "mixed": "qkv_proj in_proj_qkv in_proj conv",
    "row": "o_proj cross_o_proj o_b_proj out_proj down_proj shared_down_proj channel_value_proj",
    "vocabulary": "embedding per_layer_embedding",
    "logits": "head",
    "inner": """
        activation shared_activation q_norm output_gate output_norm inner_norm shared_inner_norm relative_scores
        q_b_norm output_rotary unit_length gated_norm qkv_activation y_activation gate adapter_add
        distance_keys_scores distance_queries_scores
    """,
    "key_inner": "k_norm v_norm",
    "rotary": "rotary",
    "experts": "experts",
    "whole": """
        router kv_a_proj kv_a_norm q_a_proj q_a_norm shared_gate latent_down_proj latent_up_proj attention_norm
        feed_forward_norm attention_post_norm feed_forward_post_norm attention_residual feed_forward_residual
        embedding_projection head_projection position_embedding position_add kv_proj kv_norm decay_a_proj gate_a_proj
        vector_norms time_shift channel_shift channel_receptance channel_gate block_norm block_proj q_adapter_a
        k_adapter_a v_adapter_a gate_up_adapter_a experts_norm scales plain_matrix classifier classifier_inner
    """,
}
RULE_OF: Final = {name: rule for rule, names in _RULES.items() for name in names.split()}
#: Rules of single ops of a recurrence, by the rule of its scan, where a name means something else elsewhere.
_IN_SCAN: Final[dict[str, dict[str, str]]] = {
    "selective": {"x_proj": "partial"},
    "gated": {"x_proj": "column", "input_gate": "heads"},
    "none": {"input_gate": "inner"},
    "delta": {"k_proj": "column", "v_proj": "column"},
    "rwkv": {"k_proj": "column", "v_proj": "column"},
    "mlstm": {"k_proj": "column", "v_proj": "column", "input_gate": "column", "forget_gate": "column"},
}
#: Low-rank adapters beside a matrix, by its rule: where that is split by rows A is too and its small output summed.
_OUTPUTS: Final = {"column": "column", "kv": "kv", "mixed": "column"}
_ADAPTERS: Final[dict[str, dict[str, str]]] = {
    "lora_a": {"row": "partial"},
    "lora_b": _OUTPUTS,
    "lora_add": {"column": "inner", "kv": "key_inner", "mixed": "inner"},
}
#: Recurrences whose ops are all in the tables.
_SCANS: Final = ("selective", "decay", "delta", "gated", "rwkv", "mlstm")
#: Beginnings of names of ops that every device does alike: an indexer of keys, a compressor, residual streams, norms,
#: side paths of small rank.
_WHOLE_NAMES: Final = """
    indexer compressor attention_streams feed_forward_streams streams per_layer altup laurel attention_norm
    attention_gate feed_forward_gate distance_ token_convolution convolution_
    attention_post feed_forward_norm feed_forward_post type_ pooler mtp eagle encoder_ decoder_ cross_norm
    cross_residual cross_post
"""
_WHOLE: Final = tuple(_WHOLE_NAMES.split())
#: What of a tower stands around its layers: patches, mergers and projectors, which are small.
_AROUND: Final = (".before", ".after")
#: Blocks whose element-wise ops are over the model's width.
_OUTSIDE: Final = ("embedding", "head")


def rule_of(op: Op, scan: str = "none") -> str:
    """The rule of an op, in a block whose recurrence follows `scan`. Raises UnsupportedError where it declares none."""
    if op.block.endswith(_AROUND):
        return "whole"
    known = _adapter_rule(op, scan) or _IN_SCAN.get(scan, {}).get(op.name) or RULE_OF.get(op.name)
    if known is not None:
        return known
    if op.kind == "attention" and isinstance(op.shape, (AttentionShape, SelectedAttentionShape)):
        return "whole" if op.name.startswith(_WHOLE) else "core"
    if isinstance(op.shape, ScanShape) and op.shape.rule in _SCANS:
        return "scan"
    if op.kind == "collective":
        return "whole" if op.block.endswith("feed_forward") else "shared"
    if op.name.startswith(_WHOLE) or (op.block in _OUTSIDE and op.kind in ("norm", "pointwise", "gather")):
        return "whole"
    raise UnsupportedError(
        f"{op.name} ({op.kind}, in {op.block}) does not say how it is split over tensor-parallel devices; "
        "use --pp, --dp or --ep instead of --tp for this model"
    )


def _adapter_rule(op: Op, scan: str) -> str | None:
    """The rule of an op of a low-rank adapter, by that of its matrix; None of other ops."""
    base, _, adapter = op.name.rpartition(".")
    if adapter not in _ADAPTERS:
        return None
    return _ADAPTERS[adapter].get(rule_of(op._replace(name=base), scan), "whole")
