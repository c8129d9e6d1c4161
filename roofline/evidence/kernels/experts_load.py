"""How many rows and experts the busiest rank of a benchmark of routed experts has."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from roofline.evidence.kernels.tables import Array, Table, number

#: Ways of dealing experts to ranks that are averaged.
_DEALS: Final = 4


def rank_load(table: Table) -> tuple[Array, Array]:
    """Rows and touched experts of the busiest rank, from the columns of a table of measured experts.

    `distribution` is `balanced`, or `power_law_A`: loads drawn from a density falling as x^-A between one token and
    four fifths of all (between 0.01 and 2 where there are fewer rows than experts), here at its quantiles instead of
    random draws, rounded to whole tokens, then dealt to the ranks.
    """
    names = ("num_tokens", "topk", "num_experts", "moe_ep_size")
    shapes = np.stack([number(table, name) for name in names], axis=1)
    loads = [_load(*map(float, shape), str(kind)) for shape, kind in zip(shapes, table["distribution"], strict=True)]
    return np.asarray([rows for rows, _ in loads]), np.asarray([touched for _, touched in loads])


@cache
def _load(tokens: float, top_k: float, experts: float, ranks: float, distribution: str) -> tuple[float, float]:
    rows = tokens * top_k
    if distribution == "balanced":
        share = max(rows / ranks, 1.0)
        return share, max(min(experts / ranks, share), 1.0)
    power = 1.0 - float(distribution.rsplit("_", 1)[-1])
    least, most = (1.0, max(tokens * 0.8, 1.0001)) if rows > experts else (0.01, 2.0)
    quantile = (np.arange(experts) + 0.5) / experts
    draw = ((most**power - least**power) * quantile + least**power) ** (1.0 / power)
    load = _whole(draw / draw.sum() * rows, rows)
    busiest = [_busiest(load, int(ranks), seed) for seed in range(_DEALS)]
    held, touched = [part.sum() for part in busiest], [(part > 0.0).sum() for part in busiest]
    return max(float(np.mean(held)), 1.0), max(float(np.mean(touched)), 1.0)


def _whole(load: Array, rows: float) -> Array:
    """Loads in rising order rounded to whole tokens; what is then missing or too much goes to the largest first."""
    whole = np.round(load)
    over = int(whole.sum() - rows)
    if over < 0:
        extra = np.arange(len(whole))[::-1]
        whole += -over // len(whole) + (extra < -over % len(whole))
    while over > 0:
        held = np.flatnonzero(whole > 0.0)[::-1][:over]
        whole[held] -= 1.0
        over -= len(held)
    return np.asarray(whole, dtype=np.float64)


def _busiest(load: Array, ranks: int, seed: int) -> Array:
    dealt = load[np.random.default_rng(seed).permutation(len(load))].reshape(ranks, -1)
    return np.asarray(dealt[dealt.sum(axis=1).argmax()])
