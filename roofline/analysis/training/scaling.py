"""Scaling laws: how large a model a budget trains best, on how many tokens, and back.

A law says N = g (C / 6)^a for a budget of C FLOPs, and D = C / 6 N: budgets are told as 6 N D.

Sources: Hoffmann et al. 2022, arXiv:2203.15556 (Chinchilla), sections 3 and D.3; Besiroglu et al. 2024,
arXiv:2404.10102 (Epoch).
"""

from __future__ import annotations

from math import exp, log
from typing import Final, NamedTuple

from roofline.errors import UsageError

_SIX: Final = 6.0
#: Budgets, parameters and tokens beyond which no law is asked.
MOST: Final = 1e40


class Loss(NamedTuple):
    """The loss in nats per token of N parameters after D tokens: e + a / N^alpha + b / D^beta."""

    e: float
    a: float
    b: float
    alpha: float
    beta: float

    def at(self, parameters: float, tokens: float) -> float:
        """The loss of a model of so many parameters after so many tokens."""
        return float(self.e + self.a / parameters**self.alpha + self.b / tokens**self.beta)


class Optimum(NamedTuple):
    """What a law finds best: parameters, tokens and the budget 6 N D of both; the loss, where the law has one."""

    parameters: float
    tokens: float
    flops: float
    loss: float | None

    @property
    def tokens_per_parameter(self) -> float:
        """Tokens per parameter."""
        return self.tokens / self.parameters


class Law(NamedTuple):
    """A law: N = scale (C / 6)^exponent. `loss` is the function it is the optimum of, where it is one."""

    key: str
    title: str
    source: str
    scale: float
    exponent: float
    loss: Loss | None = None

    def of_budget(self, flops: float) -> Optimum:
        """The optimum for a budget of FLOPs."""
        parameters = self.scale * (_within("budget", flops) / _SIX) ** self.exponent
        return self._optimum(parameters, flops / (_SIX * parameters))

    def of_parameters(self, parameters: float) -> Optimum:
        """The budget for which a model of so many parameters is the best."""
        flops = _SIX * (_within("params", parameters) / self.scale) ** (1.0 / self.exponent)
        return self._optimum(parameters, flops / (_SIX * parameters))

    def of_tokens(self, tokens: float) -> Optimum:
        """The budget for which so many tokens are the best."""
        parameters = (self.scale * _within("tokens", tokens) ** self.exponent) ** (1.0 / (1.0 - self.exponent))
        return self._optimum(parameters, tokens)

    def _optimum(self, parameters: float, tokens: float) -> Optimum:
        loss = self.loss.at(parameters, tokens) if self.loss is not None else None
        return Optimum(parameters, tokens, _SIX * parameters * tokens, loss)


def _within(name: str, value: float) -> float:
    if not 1.0 <= value <= MOST:
        raise UsageError(f"--{name} must be a number from 1 to {MOST:.0e}, not {value:g}")
    return float(value)


#: Optimal parameters and FLOPs as printed, to three digits.
TABLE_3: Final = (
    (400e6, 1.92e19), (1e9, 1.21e20), (10e9, 1.23e22), (67e9, 5.76e23), (175e9, 3.85e24), (280e9, 9.90e24),
    (520e9, 3.43e25), (1e12, 1.27e26), (10e12, 1.30e28),
)  # fmt: skip
TABLE_A3: Final = (
    (400e6, 1.84e19), (1e9, 1.20e20), (10e9, 1.32e22), (67e9, 6.88e23), (175e9, 4.54e24), (280e9, 1.18e25),
    (520e9, 4.19e25), (1e12, 1.59e26), (10e12, 1.75e28),
)  # fmt: skip


def through(key: str, title: str, source: str, table: tuple[tuple[float, float], ...]) -> Law:
    """The power law through the rows (parameters, FLOPs) of a table: a line of logarithms, by least squares."""
    rows = [(log(flops / _SIX), log(parameters)) for parameters, flops in table]
    x, y = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    slope = sum((a - x) * (b - y) for a, b in rows) / sum((a - x) ** 2 for a, _ in rows)
    return Law(key, title, source, exp(y - slope * x), slope)


def minimum(key: str, title: str, source: str, loss: Loss) -> Law:
    """The optimum of a loss: N = G (C/6)^a with G = (alpha A / beta B)^(1 / (alpha + beta)), a = beta / (alpha + beta).

    Source: Hoffmann et al. 2022, equation 4.
    """
    whole = loss.alpha + loss.beta
    scale = (loss.alpha * loss.a / (loss.beta * loss.b)) ** (1.0 / whole)
    return Law(key, title, source, scale, loss.beta / whole, loss)


_CHINCHILLA: Final = "Hoffmann et al. 2022, arXiv:2203.15556, "
LAWS: Final = (
    through("approach_1", "approach 1: training curves", _CHINCHILLA + "the line through table 3", TABLE_3),
    through("approach_2", "approach 2: equal FLOPs", _CHINCHILLA + "the line through table A3", TABLE_A3),
    minimum(
        "approach_3",
        "approach 3: fitted loss, as printed",
        _CHINCHILLA + "equation 10",
        Loss(1.69, 406.4, 410.7, 0.34, 0.28),
    ),
    minimum(
        "approach_3_source",
        "approach 3, digits of its TeX source",
        _CHINCHILLA + "the unrounded constants of its TeX source",
        Loss(1.6934, 406.4, 410.7, 0.3392, 0.2849),
    ),
    minimum(
        "epoch",
        "Epoch's refit",
        "Besiroglu et al. 2024, arXiv:2404.10102, table 1",
        Loss(1.8172, 482.01, 2085.43, 0.3478, 0.3658),
    ),
)
BY_KEY: Final = {law.key: law for law in LAWS}
