"""How each op shards over the devices of a tensor-parallel group.

A rule is a word. Ops are looked up by name; an op whose name is not here must say so by its kind (a norm, a sum or a
look-up outside of attention and feed-forward stays whole) or is refused: a wrong split would be worse.

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
from roofline.workload.shapes import AttentionShape, SelectedAttentionShape

_RULES: Final[dict[str, tuple[str, ...]]] = {
    "column": ("q_proj", "q_b_proj", "kv_b_proj", "gate_proj", "up_proj", "shared_gate_proj", "shared_up_proj",
               "relative_projection"),
    "kv": ("k_proj", "v_proj"),
    "heads": ("k_up_proj", "v_up_proj"),
    "row": ("o_proj", "down_proj", "shared_down_proj"),
    "vocabulary": ("embedding",),
    "logits": ("head",),
    "inner": ("activation", "shared_activation", "q_norm", "output_gate", "output_norm", "inner_norm",
              "shared_inner_norm", "relative_scores"),
    "key_inner": ("k_norm", "v_norm"),
    "rotary": ("rotary",),
    "experts": ("experts",),
    "whole": ("router", "kv_a_proj", "kv_a_norm", "q_a_proj", "q_a_norm", "shared_gate", "latent_down_proj",
              "latent_up_proj", "attention_norm", "feed_forward_norm", "attention_post_norm", "feed_forward_post_norm",
              "attention_residual", "feed_forward_residual", "embedding_projection", "head_projection",
              "position_embedding", "position_add"),
}  # fmt: skip
RULE_OF: Final = {name: rule for rule, names in _RULES.items() for name in names}
#: Blocks whose element-wise ops are over the model's width.
_OUTSIDE: Final = ("embedding", "head")


def rule_of(op: Op) -> str:
    """The rule of an op. Raises UnsupportedError where it declares none."""
    known = RULE_OF.get(op.name)
    if known is not None:
        return known
    if op.kind == "attention" and isinstance(op.shape, (AttentionShape, SelectedAttentionShape)):
        return "whole" if op.name.startswith("indexer") else "core"
    if op.kind == "collective":
        return "whole" if op.block.endswith("feed_forward") else "shared"
    if op.name.startswith("indexer") or (op.block in _OUTSIDE and op.kind in ("norm", "pointwise", "gather")):
        return "whole"
    raise UnsupportedError(
        f"{op.name} ({op.kind}, in {op.block}) does not say how it is split over tensor-parallel devices; "
        "use --pp, --dp or --ep instead of --tp for this model"
    )
