"""The encoder block of The Random Transformer in numpy, counting every multiply-add that it executes.

The matrices of head 1 and of the output projection are the article's: they give all its values to the last digit. Its
queries and keys of head 2 are not among the published values; the two matrices here are of the same kind (zeros and
ones), and give the head's output to the last digit too. The feed-forward's matrices are drawn at random in the article,
so any will do: nothing is published about its values.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .ask import Check, equal

Matrix = NDArray[np.float64]

#: "Hello World" with its positions as the article prints them, which is what all its later values come from.
EMBEDDED: Final = np.array([[1.0, 3.0, 3.0, 5.0], [2.84, 3.99, 4.0, 6.0]])
TOKENS: Final = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0]])
WQ: Final = (
    np.array([[0.0, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0]]),
    np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1]]),
)
WK: Final = (
    np.array([[1.0, 0, 1], [0, 1, 0], [1, 0, 1], [0, 1, 0]]),
    np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 1, 0]]),
)
WV: Final = (
    np.array([[0.0, 1, 1], [1, 0, 0], [1, 0, 1], [0, 1, 0]]),
    np.array([[1.0, 0, 0], [0, 1, 1], [0, 0, 1], [1, 0, 0]]),
)
WO: Final = np.array(
    [
        [0.79445237, 0.1081456, 0.27411536, 0.78394531],
        [0.29081936, -0.36187258, -0.32312791, -0.48530339],
        [-0.36702934, -0.76471963, -0.88058366, -1.73713022],
        [-0.02305587, -0.64315981, -0.68306653, -1.25393866],
        [0.29077448, -0.04121674, 0.01509932, 0.13149906],
        [0.57451867, -0.08895355, 0.02190485, 0.24535932],
    ]
)


@dataclass
class Calculator:
    """Arithmetic one number at a time: FLOPs of products and of everything else, by name of the op."""

    flops: Counter[str] = field(default_factory=Counter)
    vector_flops: Counter[str] = field(default_factory=Counter)

    def matmul(self, name: str, a: Matrix, b: Matrix) -> Matrix:
        """a [m, k] @ b [k, n], multiply-add by multiply-add."""
        out = np.zeros((a.shape[0], b.shape[1]))
        for i, j in np.ndindex(*out.shape):
            for k in range(a.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
                self.flops[name] += 2
        return out

    def add(self, name: str, a: Matrix, b: Matrix) -> Matrix:
        """a + b, number by number."""
        out = np.empty_like(a)
        second = np.broadcast_to(b, a.shape)
        for place in np.ndindex(*a.shape):
            out[place] = a[place] + second[place]
            self.vector_flops[name] += 1
        return out

    def relu(self, name: str, a: Matrix) -> Matrix:
        """max(a, 0), number by number."""
        out = np.empty_like(a)
        for place in np.ndindex(*a.shape):
            out[place] = max(float(a[place]), 0.0)
            self.vector_flops[name] += 1
        return out


def softmax(x: Matrix) -> Matrix:
    """Over the last axis."""
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def layer_norm(x: Matrix) -> Matrix:
    """Over the last axis, without weight and bias."""
    return np.asarray((x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + 1e-6))


def positions(tokens: int = 2, width: int = 4) -> Matrix:
    """sin and cos by the formula that the article quotes (Vaswani et al. 2017, section 3.5)."""
    position, pair = np.mgrid[0:tokens, 0:width]
    angle = position / 10000.0 ** (2 * (pair // 2) / width)
    return np.asarray(np.where(pair % 2, np.cos(angle), np.sin(angle)))


def head(index: int, scale: float, calculator: Calculator, x: Matrix = EMBEDDED) -> dict[str, Matrix]:
    """One attention head without a mask; `scale` divides the scores."""
    q = calculator.matmul("q_proj", x, WQ[index])
    k = calculator.matmul("k_proj", x, WK[index])
    v = calculator.matmul("v_proj", x, WV[index])
    scores = calculator.matmul("attention.scores", q, k.T)
    out = calculator.matmul("attention.values", softmax(scores / scale), v)
    return {"q": q, "k": k, "v": v, "scores": scores, "scaled": scores / scale, "out": out}


def attention(calculator: Calculator, x: Matrix = EMBEDDED, scale: float = 30.0) -> Matrix:
    """Both heads and the output projection."""
    heads = [head(index, scale, calculator, x)["out"] for index in (0, 1)]
    return calculator.matmul("o_proj", np.hstack(heads), WO)


def encoder_block(calculator: Calculator) -> Matrix:
    """Positions, attention and feed-forward with residuals, each followed by its norm."""
    rng = np.random.default_rng(4)
    w1, b1, w2, b2 = rng.normal(size=(4, 8)), rng.normal(size=8), rng.normal(size=(8, 4)), rng.normal(size=4)
    x = calculator.add("position_add", TOKENS, positions())
    x = layer_norm(calculator.add("attention_residual", x, attention(calculator, x)))
    hidden = calculator.add("up_proj", calculator.matmul("up_proj", x, w1), b1)
    hidden = calculator.relu("activation", hidden)
    out = calculator.add("down_proj", calculator.matmul("down_proj", hidden, w2), b2)
    return layer_norm(calculator.add("feed_forward_residual", x, out))


def _head(index: int, scale: float, what: str) -> list[list[float]]:
    return head(index, scale, Calculator())[what].tolist()  # type: ignore[no-any-return]


_ROOT: Final = float(np.sqrt(3.0))
_NUMPY: Final = "the forward pass in numpy, whose products the ledger counts"

CHECKS: Final[dict[str, Check]] = {
    "rt_embed_plus_pos": equal(
        lambda: Calculator().add("position_add", TOKENS, positions()).tolist(),
        "by the formula; the printed matrix is what the heads below are computed from",
    ),
    "rt_k1": equal(partial(_head, 0, _ROOT, "k"), _NUMPY),
    "rt_v1": equal(partial(_head, 0, _ROOT, "v"), _NUMPY),
    "rt_q1": equal(partial(_head, 0, _ROOT, "q"), _NUMPY),
    "rt_scores1": equal(partial(_head, 0, _ROOT, "scores"), _NUMPY),
    "rt_scores1_scaled": equal(partial(_head, 0, _ROOT, "scaled"), _NUMPY),
    "rt_attn1_saturated": equal(partial(_head, 0, _ROOT, "out"), _NUMPY),
    "rt_attn1_div30": equal(partial(_head, 0, 30.0, "out"), _NUMPY),
    "rt_attn2_div30": equal(partial(_head, 1, 30.0, "out"), _NUMPY),
    "rt_attn_out_proj": equal(lambda: attention(Calculator()).tolist(), _NUMPY),
    "rt_softmax123": equal(lambda: softmax(np.array([1.0, 2.0, 3.0])).tolist(), _NUMPY),
}
