"""What each op of a language model reads and writes: enough to know which gradients a backward pass must give.

Values have short names and stand for all elements of their kind in one layer: `x` the residual stream, `n` what the
norm before a sublayer made of it, `q` `k` `v`, `o` the output of attention, `a` and `f` those of the sublayers. A row
is `op: what it reads -> what it writes`. A name `a|b` is the first of those that the layer has written. `BLOCK/op` is a
row for ops of blocks whose name ends so.

Source: the model code of transformers 5.24.0, and the builders of ops in `roofline.architectures.text`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from roofline.errors import UnsupportedError
from roofline.workload.op import Op

#: Names that layers do not start anew: the streams of encoder and decoder, what embeddings gave, what pictures did.
LASTING: Final = frozenset(("x", "embedded", "encoded", "media", "inputs", "distances", "bias"))

_TABLE: Final = """
    embedding: -> x embedded
    position_embedding: -> x embedded
    type_embedding: -> x embedded
    position_add: x -> x embedded
    type_add: x -> x embedded
    embedding_norm: x -> x embedded
    embedding_projection: x -> x embedded
    embedding_residual: x -> x
    per_layer_embedding: -> inputs
    per_layer_model_projection: x -> inputs
    per_layer_norm: inputs -> inputs
    per_layer_add: inputs -> inputs
    altup_projections: x -> x
    distance_embedding: -> distances
    distance_norm: distances -> distances
    distance_bias: -> bias

    attention_streams_norm: x -> s
    attention_streams_weights: s -> s
    attention_streams_sinkhorn: s -> s
    attention_streams_collapse: x s -> u
    feed_forward_streams_norm: x -> s
    feed_forward_streams_weights: s -> s
    feed_forward_streams_sinkhorn: s -> s
    feed_forward_streams_collapse: x s -> u
    attention_norm: x u -> n
    feed_forward_norm: x u -> n
    cross_norm: x -> n
    attention_norm_gate_down: n -> ng
    attention_norm_gate_activation: ng -> ng
    attention_norm_gate_up: ng -> ng
    attention_norm_gate: n ng -> n
    feed_forward_norm_gate_down: n -> ng
    feed_forward_norm_gate_activation: ng -> ng
    feed_forward_norm_gate_up: ng -> ng
    feed_forward_norm_gate: n ng -> n

    q_proj: x n -> q
    k_proj: x n -> k
    v_proj: x n -> v
    qkv_proj: x n -> q k v
    qkv_activation: q k v -> q k v
    q_norm: q -> q
    k_norm: k -> k
    v_norm: v|k -> v
    rotary: q k|c -> turned
    attention: q|n k|kv|c|n v|kv|k|c|n -> o
    relative_projection: -> r
    relative_scores: q r -> scores
    distance_k_proj: distances -> dk
    distance_q_proj: distances -> dq
    distance_keys_scores: q dk -> scores
    distance_queries_scores: k dq -> scores
    output_gate_proj: x n -> g
    output_gate: o m g -> o
    output_norm: o -> o
    output_rotary: o -> o
    o_proj: o -> a
    o_a_proj: o -> o
    o_b_proj: o -> a
    out_proj: o -> a
    attention_gate: a -> a
    attention_post_norm: a -> a
    attention_residual: x a -> x
    scales: x -> x

    kv_a_proj: x n -> c
    kv_a_norm: c -> c
    kv_b_proj: c -> kv
    q_a_proj: x n -> qa
    q_a_norm: qa -> qa
    q_b_proj: qa -> q
    q_b_norm: q -> q
    k_up_proj: q -> q
    v_up_proj: o -> o
    kv_proj: x n -> c
    kv_norm: c -> c
    compressor_kv_proj: x n -> c
    compressor_gate_proj: x n -> c
    compressor_pool: c -> c
    compressor_norm: c -> c
    compressor_rotary: c -> c

    cross_q_proj: x n -> cq
    cross_k_proj: encoded|media -> ck
    cross_v_proj: encoded|media -> cv
    cross_attention: cq ck cv -> co
    cross_o_proj: co -> a
    cross_post_norm: a -> a
    cross_residual: x a -> x

    in_proj: x n -> m
    in_proj_qkv: x n -> m
    in_proj_z: x n -> z
    in_proj_ba: x n -> rates
    x_proj: m|x m|n -> rates m2
    y_proj: x n -> y
    y_activation: y -> y
    vector_norms: rates -> rates
    dt_proj: rates -> rates
    input_gate: m|x m|n -> gates m3
    recurrence_gate: m -> gates
    forget_gate: x n -> gates
    conv: m3|m2|m|q k v -> m
    unit_length: m -> m
    decay_a_proj: x n -> d
    decay_b_proj: d|x d|n -> rates
    rate_proj: x n -> rates
    gate_a_proj: x n -> za
    gate_b_proj: za|x za|n -> z
    scan: m q k v rates gates -> o
    gated_norm: o z g m -> o
    gate: o y m -> o
    time_shift: x n -> n
    receptance_proj: x n -> q
    channel_shift: x n -> n
    channel_key_proj: x n -> h
    channel_value_proj: h -> a
    channel_receptance: x n -> g
    channel_gate: a g -> a
    plain_matrix: x n -> a

    block_norm: x embedded -> n
    q_adapter_a: x embedded n -> ad
    k_adapter_a: x embedded n -> ad
    v_adapter_a: x embedded n -> ad
    q_adapter_b: ad -> q
    k_adapter_b: ad -> k
    v_adapter_b: ad -> v
    attention/feed_forward_norm: a -> n2
    attention/gate_up_proj: n2 -> gate up
    gate_up_proj: x n -> gate up
    gate_up_adapter_a: n2 -> ad
    gate_up_adapter_b: ad -> gate up
    adapter_add: gate up -> gate up
    block_proj: f -> a

    gate_proj: x n -> gate
    up_proj: x n -> up
    activation: gate up h -> h
    inner_norm: h -> h
    down_proj: h -> f
    router: x n -> r
    attention/experts: x n o -> a
    experts: latent|x latent|n -> f
    latent_down_proj: x n -> latent
    latent_up_proj: f -> f
    shared_gate_proj: x n -> sgate
    shared_up_proj: x n -> sup
    shared_activation: sgate sup -> sh
    shared_inner_norm: sh -> sh
    shared_down_proj: sh -> f
    shared_gate: x n -> f
    experts_norm: f -> f
    feed_forward_norm_2: f -> f
    feed_forward_norm_3: f -> f
    feed_forward_norm_4: f -> f
    feed_forward_gate: f -> f
    feed_forward_post_norm: f -> f
    feed_forward_residual: x f -> x

    altup_router_norm: entered -> ar
    altup_router: ar -> ar
    altup_prediction_coefs: ar -> ar
    altup_predict: entered ar -> predicted
    altup_router_again: x -> ag
    altup_correction_coefs: ag -> ag
    altup_scale: x -> x
    altup_correct: x predicted ag -> x
    laurel_left: entered -> laurel
    laurel_right: laurel -> laurel
    laurel_norm: laurel -> laurel
    laurel_residual: entered laurel -> x
    per_layer_gate: x -> pg
    per_layer_activation: pg inputs -> pg
    per_layer_projection: pg -> pg
    per_layer_post_norm: pg -> pg
    per_layer_residual: x pg -> x
    altup_unembed_projections: x -> x
    altup_mean: x -> x

    token_convolution: embedded -> tc
    token_convolution_activation: tc -> tc
    token_convolution_add: x tc -> x
    token_convolution_norm: x -> x
    streams_norm: x -> s
    streams_weights: s -> s
    streams_collapse: x s -> x
    encoder_norm: x -> x
    final_norm: x -> x
    head_projection: x -> x
    pooler: x -> x
    masked_transform: x -> x
    masked_activation: x -> x
    masked_norm: x -> x
    classifier_inner: x -> x
    classifier_activation: x -> x
    classifier: x -> x
    head_transform: x -> x
    head_activation: x -> x
    head_norm: x -> x
    head: x -> x
    loss: x -> x
"""


class Reads(NamedTuple):
    """Names of the values that an op reads, each as alternatives, and of those that it writes."""

    reads: tuple[tuple[str, ...], ...]
    writes: tuple[str, ...]


def _parsed() -> dict[str, Reads]:
    found = {}
    for line in _TABLE.split("\n"):
        name, _, flow = line.strip().partition(":")
        if name:
            reads, _, writes = flow.partition("->")
            found[name] = Reads(tuple(tuple(one.split("|")) for one in reads.split()), tuple(writes.split()))
    return found


READS: Final = _parsed()
#: What is written out of constants before all layers, and exchanges between stages.
_CONSTANT: Final = ("positions", "rotary.table", "mask")
#: What some models call by the stack it stands in: `encoder_position_embedding`.
_STACKS: Final = ("encoder_", "decoder_")


def reads_of(op: Op) -> Reads:
    """What an op reads and writes. Raises UnsupportedError where nobody has said it of an op of this name."""
    name, where = op.name, op.block.rsplit(".", 1)[-1]
    if name in _CONSTANT or name.startswith("indexer"):
        return Reads((), ())
    if name.startswith(_STACKS) and name not in READS:
        name = name.split("_", 1)[1]
    found = READS.get(f"{where}/{name}") or READS.get(name) or READS.get(name.split(".", 1)[0])
    if found is None:
        raise UnsupportedError(
            f"{name} ({op.kind}, in {op.block}): not known what it reads, so which gradients it needs"
        )
    return found
