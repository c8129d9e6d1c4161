"""How many rows and experts the busiest rank of a benchmark of routed experts has."""

from __future__ import annotations

from functools import cache

import numpy as np

from roofline.analysis.kernels.tables import Array, Table, number


def rank_load(table: Table) -> tuple[Array, Array]:
    """Rows and touched experts of the busiest rank, from the columns of a table of measured experts.

    `distribution` is `balanced`, or `power_law_A`: loads drawn from a density falling as x^-A between one token and
    four fifths of all, here at its quantiles instead of random draws, then dealt to the ranks in a fixed order.
    """
    names = ("num_tokens", "topk", "num_experts", "moe_ep_size")
    shapes = np.stack([number(table, name) for name in names], axis=1)
    loads = [_load(*(float(v) for v in shape), str(kind))
             for shape, kind in zip(shapes, table["distribution"], strict=True)]  # fmt: skip
    return np.asarray([rows for rows, _ in loads]), np.asarray([touched for _, touched in loads])


@cache
def _load(tokens: float, top_k: float, experts: float, ranks: float, distribution: str) -> tuple[float, float]:
    rows = tokens * top_k
    if distribution == "balanced":
        share = max(rows / ranks, 1.0)
        return share, max(min(experts / ranks, share), 1.0)
    exponent = float(distribution.rsplit("_", 1)[-1])
    most = max(tokens * 0.8, 1.0001)
    quantile = (np.arange(experts) + 0.5) / experts
    draw = ((most ** (1 - exponent) - 1) * quantile + 1) ** (1 / (1 - exponent))
    load = np.minimum(draw / draw.sum() * rows, tokens)
    load = np.minimum(load * rows / load.sum(), tokens)
    dealt = load[np.random.default_rng(0).permutation(int(experts))].reshape(int(ranks), -1)
    busiest = dealt[dealt.sum(axis=1).argmax()]
    touched = float(np.where(busiest < 1.5, 1.0 - np.exp(-busiest), 1.0).sum())
    return max(float(busiest.sum()), 1.0), max(touched, 1.0)
