"""The config.json of state-spaces/mamba, written by its own library: no model_type, but `ssm_cfg`.

Source: state-spaces/mamba, mamba_ssm/models/config_mamba.py and the constructors of Mamba and Mamba2.
"""

from __future__ import annotations

from typing import Any

from roofline.importers.huggingface import parts
from roofline.importers.huggingface.config import Config
from roofline.importers.huggingface.recurrent.state_space import biases, step_rank


def mamba_ssm(config: Config) -> dict[str, Any]:
    """Mamba, or Mamba-2 where `ssm_cfg.layer` says so; the vocabulary is filled up to a multiple."""
    width, layers = config.whole("d_model"), config.whole("n_layer")
    config.must_be("rms_norm", True, default=True)
    config.must_be("attn_layer_idx", [], None, default=[])
    config.must_be("d_intermediate", 0, None, default=0)
    config.ignore("attn_cfg", "fused_add_norm", "residual_in_fp32")
    multiple = config.whole("pad_vocab_size_multiple", default=8)
    vocabulary = -(-config.whole("vocab_size") // multiple) * multiple
    section = config.section("ssm_cfg") or Config(config.document, {}, (*config.path, "ssm_cfg"))
    kind = section.text("layer", default="Mamba1", choices=("Mamba1", "Mamba2"))
    section.ignore("chunk_size")
    block = _mamba(section, width) if kind == "Mamba1" else _mamba2(section, width)
    block |= biases(section, "bias", "conv_bias")
    return {
        "vocabulary": vocabulary,
        "width": width,
        "positions": {"kind": "none"},
        "norm": {"kind": "rms"},
        "tied_embeddings": config.flag("tie_embeddings", default=True),
        "blocks": parts.merged([{"attention": block, "norms": 1}] * layers),
    }


def _mamba(section: Config, width: int) -> dict[str, Any]:
    return {
        "kind": "mamba",
        "inner": width * section.whole("expand", default=2),
        "state": section.whole("d_state", default=16),
        "rank": step_rank(section, width, "dt_rank"),
        "kernel": section.whole("d_conv", default=4),
    }


def _mamba2(section: Config, width: int) -> dict[str, Any]:
    inner = width * section.whole("expand", default=2)
    dim, groups = section.whole("headdim", default=64), section.whole("ngroups", default=1)
    heads = section.divides("headdim", inner, "channels", dim)
    section.divides("ngroups", heads, "heads", groups)
    section.must_be("rmsnorm", True, default=True)
    return {
        "kind": "mamba2",
        "heads": heads,
        "head_dim": dim,
        "state": section.whole("d_state", default=128),
        "groups": groups,
        "kernel": section.whole("d_conv", default=4),
    }
