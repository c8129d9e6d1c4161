"""Families of state spaces: Mamba, Falcon Mamba, Mamba-2.

Source: the config classes and model code of transformers 5.23.0.
"""

from __future__ import annotations

from typing import Any, Final

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config

_STEPS: Final = """
    time_step_scale time_step_min time_step_max time_step_init_scheme time_step_floor time_step_limit
    use_associative_scan fused_add_norm use_falcon_mambapy n_layer d_model pad_vocab_size_multiple
    chunk_size mamba_chunk_size ssm_cfg use_mem_eff_path d_inner d_intermediate
"""


def mamba(config: Config) -> dict[str, Any]:
    """Mamba and Falcon Mamba, which norms the vectors of its scan. `intermediate_size`, where given, rules."""
    ignore_steps(config)
    width = config.whole("hidden_size")
    inner = config.whole_or_none("intermediate_size") or width * config.whole("expand")
    config.ignore("expand")
    config.must_be("hidden_act", "silu", default="silu")
    config.must_be("rms_norm", True, default=True)
    block: dict[str, Any] = {
        "kind": "mamba",
        "inner": inner,
        "state": config.whole("state_size"),
        "rank": step_rank(config, width),
        "kernel": config.whole("conv_kernel"),
        **biases(config, "use_bias", "use_conv_bias"),
    }
    if config.data["model_type"] == "falcon_mamba":
        block["norms"] = "plain"
    return state_space_body(config, block)


def mamba2(config: Config) -> dict[str, Any]:
    """Mamba-2."""
    ignore_steps(config)
    width, heads, dim = config.whole("hidden_size"), config.whole("num_heads"), config.whole("head_dim")
    config.ignore("time_step_rank", "norm_before_gate")
    config.must_be("hidden_act", "silu", default="silu")
    config.must_be("rms_norm", True, default=True)
    if config.given("intermediate_size") and config.whole("intermediate_size") != heads * dim:
        config.refuse("intermediate_size", f"is not num_heads * head_dim = {heads * dim}")
    inner = width * config.number("expand")
    if inner != heads * dim:
        config.refuse("num_heads", f"{heads} heads of {dim} are not expand * hidden_size = {inner:g}")
    groups = config.whole("n_groups")
    config.divides("n_groups", heads, "heads", groups)
    block = {
        "kind": "mamba2",
        "heads": heads,
        "head_dim": dim,
        "state": config.whole("state_size"),
        "groups": groups,
        "kernel": config.whole("conv_kernel"),
        **biases(config, "use_bias", "use_conv_bias"),
    }
    return state_space_body(config, block)


def state_space_body(config: Config, block: dict[str, Any]) -> dict[str, Any]:
    """Layers of one norm and one state space each."""
    return {
        "vocabulary": parts.vocabulary(config),
        "width": config.whole("hidden_size"),
        "positions": {"kind": "none"},
        "norm": {"kind": "rms"},
        "tied_embeddings": parts.tied(config),
        "blocks": [{"layers": config.whole("num_hidden_layers"), "attention": block, "norms": 1}],
    }


def ignore_steps(config: Config) -> None:
    """Keys of step sizes, chunks and kernels, which change no shape."""
    config.ignore(_STEPS)


def step_rank(config: Config, width: int, key: str = "time_step_rank") -> int:
    """The bottleneck of the step sizes: `auto` is a sixteenth of the width, rounded up."""
    if config.raw(key, default="auto") == "auto":
        return -(-width // 16)
    return config.whole(key)


def biases(config: Config, projections: str, convolution: str) -> dict[str, bool]:
    """Biases of the projections and of the convolution, where they are not the default."""
    found = {}
    if config.flag(projections, default=False):
        found["bias"] = True
    if not config.flag(convolution, default=True):
        found["conv_bias"] = False
    return found
