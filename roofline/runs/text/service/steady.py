"""The steady load of a closed group of users: how long each waits for a token, for the first one, and for all.

Each user sends the next request when the last is answered, so `running` requests are always at work in a replica. While
one of them writes its `generate` tokens, each of the others ends once on average, and the next prompt is read. Where
the engine mixes, a prompt rides in a decode step: that step reads the weights once, and of the decode only attention is
left beside the prompt. Else prompts run between the steps.

Every function takes floats or arrays that broadcast. Source: docs/serving.md.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Final, NamedTuple

from roofline.num import Num, maximum, minimum, power
from roofline.workload.workload import Phase

#: What is left of a decode step beside a prompt that rides in it.
_BESIDE: Final = ("attention", "scan")


class Shares(NamedTuple):
    """What one output token takes in a steady load: so many plain decode steps, prompts of others, and decode steps of
    which only attention is left, because a prompt's pass reads the weights.
    """

    steps: Num
    prompts: Num
    riding: Num


def shares_of(running: Num, generate: Num, *, mixes: bool) -> Shares:
    """The shares of a token among `running` requests of `generate` tokens each."""
    prompts = (running - 1.0) / maximum(generate, 1.0)
    riding = minimum(prompts, minimum(maximum(generate - 1.0, 0.0), 1.0)) if mixes else 0.0
    return Shares(1.0 - riding, prompts, riding)


def beside_prompt(step: Phase) -> Phase:
    """What is left of a decode step in whose pass a prompt is read."""
    return replace(step, ops=tuple(op for op in step.ops if op.kind in _BESIDE))


def served_step(shares: Shares, step: Num, prompt: Num, beside: Num) -> Num:
    """Seconds per output token: a decode step and its share of others' prompts; never below the step alone."""
    return maximum(shares.steps * step + shares.prompts * prompt + shares.riding * beside, step)


class Cycle(NamedTuple):
    """One request in a steady load, in seconds.

    alone    the same request with nobody else: its prompt, then its steps
    own      its prompt beside the decodes of others
    half     half a running step, which a new request waits for
    step     a decode step of all
    served   seconds per output token
    riding   the share of steps that carry a prompt
    """

    alone: Num
    own: Num
    half: Num
    step: Num
    served: Num
    riding: Num = 0.0

    def waits(self, running: Num, generate: Num) -> Num:
        """Seconds that a prompt waits behind those of others.

        Others' prompts take a share r of the time, and the wait is r / (2 (1 - r)) prompts (M/D/1). In a closed group r
        follows from the time of the request, which has the wait in it: the root of a quadratic. At least the prompts
        that arrive in the time of a token are waited for, and of a step that carries one the whole, so that no work is
        left out; at most as much as makes requests as slow as one after the other.
        """
        others = self.others(generate)
        rest = self.own + self.half + maximum(generate - 1.0, 0.0) * self.served
        open_s = rest - others
        waits = 0.5 * (root(open_s * open_s + 2.0 * self.own * others) - open_s)
        least = self.served - self.step + self.riding * (self.step - self.half)
        return maximum(least, minimum(waits, maximum(running * self.alone - rest, 0.0)))

    def others(self, generate: Num) -> Num:
        """Seconds that the prompts of others take while a request is at work."""
        return maximum(generate, 1.0) * (self.served - self.step)


def root(value: Num) -> Num:
    """The square root."""
    return sqrt(value) if type(value) is float else power(value, 0.5)
