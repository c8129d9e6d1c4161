"""Kin of BERT: learned positions and token types, biases everywhere, and where each differs.

Source of every function: the config and model classes of transformers 5.24.0 that its model types name.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.decoder import Style, dense_block, layer, norm_of

POST: Final = Style(norm="layer", norm_bias=True, placement="post")
PRE: Final = Style(norm="layer", norm_bias=True)


class _Kin(NamedTuple):
    """Where a type differs from BERT.

    `offset`: rows of the table of positions that no token takes. `ignored`: keys that change no shape.
    """

    style: Style = POST
    embedding_norm: bool = True
    final_norm: bool = False
    pooler: bool = True
    types: bool = True
    offset: int = 0
    ignored: str = ""


_KIN: Final[dict[str, _Kin]] = {
    "ernie": _Kin(),
    "data2vec-text": _Kin(offset=2),
    "splinter": _Kin(pooler=False),
    "mpnet": _Kin(types=False, offset=2),
    "megatron-bert": _Kin(PRE, embedding_norm=False, final_norm=True),
    "xlm-roberta-xl": _Kin(PRE, embedding_norm=False, final_norm=True, offset=2),
    "roberta-prelayernorm": _Kin(PRE, final_norm=True, offset=2),
}


def kin(config: Config) -> dict[str, Any]:
    """ERNIE, Data2Vec, Splinter, MPNet, Megatron-BERT, XLM-RoBERTa-XL, RoBERTa with norms before its layers."""
    model_type = config.data["model_type"]
    own = _KIN[model_type]
    refuse_decoder(config)
    width, style = config.whole("hidden_size"), own.style
    rows = config.whole("max_position_embeddings")
    positions: dict[str, Any] = {"kind": "learned", "size": rows}
    if model_type == "mpnet":
        positions["buckets"] = config.whole("relative_attention_num_buckets")
    block = layer(biased_attention(config, width), biased_feed_forward(config), style)
    body = encoder_body(config, width, positions, [{"layers": config.whole("num_hidden_layers"), **block}], style)
    body |= {"max_context": rows - own.offset if rows > own.offset else rows, "final_norm": own.final_norm}
    body |= {"embedding_norm": own.embedding_norm, "pooler": own.pooler, **_types(config, own.types)}
    if model_type == "ernie" and config.flag("use_task_id", default=False):
        config.unsupported("use_task_id", "a table of tasks is not modelled")
    config.ignore("task_type_vocab_size", "use_task_id", "question_token_id")
    return body | {"notes": ["The encoder with its pooler; no head." if own.pooler else "The encoder; no head."]}


def longformer(config: Config) -> dict[str, Any]:
    """Longformer: RoBERTa whose tokens see a window; input is padded to a multiple of the widest.

    Global tokens would go through projections of their own, which are held and, without such tokens, not run.
    """
    refuse_decoder(config)
    width, layers = config.whole("hidden_size"), config.whole("num_hidden_layers")
    rows, windows = config.whole("max_position_embeddings"), parts.windows_of_layers(config, layers)
    attention = biased_attention(config, width) | {"reference_window": "chunks", "global_projections": True}
    feed_forward = biased_feed_forward(config)
    blocks = [layer(attention | {"window": window // 2 + 1}, feed_forward, POST) for window in windows]
    config.ignore("onnx_export attention_mode ignore_attention_mask attention_dilation autoregressive")
    body = encoder_body(config, width, {"kind": "learned", "size": rows}, parts.merged(blocks), POST)
    return (
        body
        | _types(config, has=True)
        | {
            "max_context": rows - 2 if rows > 2 else rows,
            "embedding_norm": True,
            "pooler": True,
            "multiple_of": max(windows),
            "notes": [
                "With its pooler; no head. No token is global: the projections of global tokens are held and not run."
            ],
        }
    )


def big_bird(config: Config) -> dict[str, Any]:
    """BigBird: BERT whose blocks of tokens attend to some blocks, or to all."""
    refuse_decoder(config)
    width, rows = config.whole("hidden_size"), config.whole("max_position_embeddings")
    attention = biased_attention(config, width)
    if not config.flag("use_bias"):
        del attention["qkv_bias"]
    pattern = {"block": config.whole("block_size"), "random": config.whole("num_random_blocks", least=0)}
    if config.text("attention_type", choices=("block_sparse", "original_full")) == "block_sparse":
        attention["pattern"] = pattern
    block = layer(attention, biased_feed_forward(config), POST)
    blocks = [{"layers": config.whole("num_hidden_layers"), **block}]
    config.ignore("rescale_embeddings")
    body = encoder_body(config, width, {"kind": "learned", "size": rows}, blocks, POST)
    more = {"max_context": rows, "embedding_norm": True, "pooler": True}
    return body | _types(config, has=True) | more | {"notes": ["The encoder with its pooler; no head."]}


def _types(config: Config, has: bool) -> dict[str, Any]:
    number = config.whole("type_vocab_size", least=0) if has else 0
    return {"token_types": number} if number else {}


def albert(config: Config) -> dict[str, Any]:
    """ALBERT: layers that share their weights in groups, and narrower tables with a projection behind them.

    Layer i of n belongs to group floor(i / (n / groups)); a group is `inner_group_num` layers, run one after another.
    """
    width, layers = config.whole("hidden_size"), config.whole("num_hidden_layers")
    groups, inner = config.whole("num_hidden_groups"), config.whole("inner_group_num")
    rows = config.whole("max_position_embeddings")
    block = layer(biased_attention(config, width), biased_feed_forward(config), POST)
    blocks: list[dict[str, Any]] = []
    times = [0] * groups
    for index in range(layers):
        times[int(index / (layers / groups))] += 1
    for group, number in enumerate(times):
        blocks.append({"name": f"group-{group}", "layers": inner, **block})
        if number > 1:
            blocks.append({"name": f"group-{group}-again", "layers": inner * (number - 1), "held": False, **block})
    body = encoder_body(config, width, {"kind": "learned", "size": rows}, blocks, POST)
    config.ignore("down_scale_factor gap_size net_structure_type num_memory_blocks")
    note = f"{groups * inner} layers hold weights and are run again: {layers * inner} in all. With its pooler; no head."
    return body | {
        "max_context": rows,
        "embedding_norm": True,
        "pooler": True,
        **narrow_tables(config, width, always=True),
        **_types(config, has=True),
        "notes": [note],
    }


def narrow_tables(config: Config, width: int, *, always: bool = False) -> dict[str, Any]:
    """Tables of `embedding_size` with a projection of all that is embedded; nothing where they are the model's width.

    ALBERT projects `always`.
    """
    inner = config.whole("embedding_size", default=width, null=width)
    if inner == width and not always:
        return {}
    return {"embedding_width": inner, "embedding_projected": "normed", "embedding_bias": True}


def encoder_body(
    config: Config, width: int, positions: dict[str, Any], blocks: list[dict[str, Any]], style: Style
) -> dict[str, Any]:
    """What the bodies of all encoders have: no head, and no norm at the end but where a family adds it."""
    config.ignore("tie_word_embeddings")
    return {
        "vocabulary": parts.vocabulary(config),
        "width": width,
        "positions": positions,
        "norm": norm_of(style),
        "final_norm": False,
        "head": False,
        "blocks": blocks,
    }


def biased_attention(config: Config, width: int) -> dict[str, Any]:
    """Every position sees every other, and all projections have biases."""
    heads = config.whole("num_attention_heads")
    head_dim = config.divides("hidden_size", width, "of width", heads)
    return mutual(heads, heads, head_dim, qkv_bias=True, output_bias=True)


def mutual(heads: int, kv_heads: int, head_dim: int, **more: Any) -> dict[str, Any]:
    """Softmax attention without a causal mask, with `more` of its fields where they are not false."""
    block = {"kind": "softmax", "heads": heads, "kv_heads": kv_heads, "head_dim": head_dim, "causal": False}
    return block | {key: value for key, value in more.items() if value}


def biased_feed_forward(config: Config, key: str = "hidden_act") -> dict[str, Any]:
    """Two matrices with biases."""
    return dense_block(config.whole("intermediate_size"), parts.activation(config, key), gated=False, bias=True)


def refuse_decoder(config: Config) -> None:
    """Refuse an encoder whose file makes a decoder of it."""
    config.must_be("position_embedding_type", "absolute", None, "rotary", "rope", default="absolute")
    config.must_be("is_decoder", False, default=False)
    config.must_be("add_cross_attention", False, default=False)
