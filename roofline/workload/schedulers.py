"""How often a scheduler calls the denoiser: not once per step for all of them.

Source: diffusers 0.42.1, lengths of `timesteps` after `set_timesteps`; k-diffusion, sampling.py, for what user
interfaces call by its names.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from roofline.errors import UnknownNameError
from roofline.num import Num, floor, maximum, minimum

#: Calls as (calls per step, calls added once where there is more than one step).
_CALLS: Final[dict[str, tuple[float, float]]] = {
    "pndm": (1.0, 1.0),  # one step is repeated by the linear multi-step method
    "pndm-prk": (1.0, 9.0),  # its first three steps are of fourth order
    "heun": (2.0, -1.0),  # second order: two calls per step but for the last
    "kdpm2": (2.0, -1.0),
    "kdpm2-ancestral": (2.0, -1.0),
    "dpm++-sde": (2.0, -1.0),
    "dpm++-2s-ancestral": (2.0, -1.0),  # of k-diffusion; the class of diffusers, dpm++-2s, calls once per step
    "flow-heun": (2.0, -1.0),
    "seeds-2": (2.0, -1.0),  # exponential integrators of two and three stages
    "seeds-3": (3.0, -2.0),
    "heun++": (3.0, -3.0),  # three calls per step, two in the last but one, one in the last
    "sa-solver-pece": (2.0, -1.0),  # predicts, evaluates, corrects, evaluates
    "ddim": (1.0, 0.0),
    "ddpm": (1.0, 0.0),
    "euler": (1.0, 0.0),
    "euler-ancestral": (1.0, 0.0),
    "lms": (1.0, 0.0),
    "dpm++-2m": (1.0, 0.0),
    "dpm++-2s": (1.0, 0.0),
    "unipc": (1.0, 0.0),
    "deis": (1.0, 0.0),
    "lcm": (1.0, 0.0),
    "tcd": (1.0, 0.0),
    "edm-euler": (1.0, 0.0),
    "flow-euler": (1.0, 0.0),
    "ipndm": (1.0, 0.0),
    "dpm-fast": (1.0, 0.0),  # its steps are calls, of which it makes steps of up to third order
    "res-multistep": (1.0, 0.0),
    "er-sde": (1.0, 0.0),
    "sa-solver": (1.0, 0.0),
    "gradient-estimation": (1.0, 0.0),
    "consistency": (1.0, 0.0),
}
_OTHER_NAMES: Final[dict[str, str]] = {
    "pndm": "pndmscheduler plms",
    "heun": "heundiscretescheduler k-heun",
    "heun++": "heunpp2 heunpp",
    "kdpm2": "kdpm2discretescheduler dpm2 dpm-2",
    "kdpm2-ancestral": "kdpm2ancestraldiscretescheduler dpm2-a kdpm2-a dpm-2-ancestral",
    "dpm++-sde": "dpmsolversdescheduler dpmpp-sde",
    "dpm++-2s-ancestral": "dpm++-2s-a dpmpp-2s-ancestral",
    "flow-heun": "flowmatchheundiscretescheduler",
    "ddim": "ddimscheduler ddimparallelscheduler ddiminversescheduler",
    "ddpm": "ddpmscheduler ddpmparallelscheduler unclipscheduler",
    "euler": "eulerdiscretescheduler",
    "euler-ancestral": "eulerancestraldiscretescheduler euler-a",
    "lms": "lmsdiscretescheduler",
    "dpm++-2m": "dpmsolvermultistepscheduler dpmsolver++ dpmpp-2m dpm++ dpmpp dpm++-2m-sde dpmpp-2m-sde "
    "dpm++-2m-sde-heun dpm++-2m-v2 dpm++-3m dpm++-3m-sde dpmpp-3m-sde edmdpmsolvermultistepscheduler "
    "dpmsolvermultistepinversescheduler cosinedpmsolvermultistepscheduler",
    "dpm++-2s": "dpmpp-2s dpmsolversinglestepscheduler",
    "unipc": "unipcmultistepscheduler uni-pc uni-pc-bh2",
    "deis": "deismultistepscheduler",
    "lcm": "lcmscheduler flowmatchlcmscheduler",
    "tcd": "tcdscheduler",
    "edm-euler": "edmeulerscheduler",
    "flow-euler": "flowmatcheulerdiscretescheduler",
    "ipndm": "ipndmscheduler ipndm-v",
    "seeds-2": "exp-heun-2-x0 exp-heun-2-x0-sde",
    "res-multistep": "res-multistep-ancestral",
    "sa-solver": "sasolverscheduler",
    "consistency": "cmstochasticiterativescheduler",
}
_ALIASES: Final = {alias: name for name, aliases in _OTHER_NAMES.items() for alias in aliases.split()}
SCHEDULERS: Final = tuple(_CALLS)
#: How user interfaces end a name: by the noise levels between which steps lie, by how guidance is applied, by where it
#: runs. No step more or less.
_SPACED: Final = re.compile(
    "(?<=.)(k|karras|exponential|polyexponential|sgmuniform|ddimuniform|uniform|simple|normal|beta|trailing|gpu|turbo"
    "|kloptimal|linearquadratic|alignyoursteps|ays|cfgpp|sampler|scheduler|flow)$"
)
_LIBRARY: Final = "k"


def _squeezed(name: str) -> str:
    """A name without case and punctuation; a plus is a p, as in `dpmpp`."""
    return re.sub("[^a-z0-9]", "", name.lower().replace("+", "p"))


_SQUEEZED: Final = {_squeezed(name): name for name in _CALLS} | {_squeezed(a): name for a, name in _ALIASES.items()}
#: Time steps at which models of noise are trained (`num_train_timesteps`).
TRAINED_STEPS: Final = 1000
#: Schedulers that can be told to follow flows (`use_flow_sigmas`), besides those that do nothing else.
_EITHER: Final = frozenset({"dpm++-2m", "dpm++-2s", "dpm++-sde", "unipc", "deis"})


def find_scheduler(name: str) -> str:
    """The scheduler of that name, of that diffusers class, or as user interfaces write it: `DPM++ 2M Karras`.

    Raises UnknownNameError with the nearest names.
    """
    key = _squeezed(name[:100])
    for _ in range(4):
        for known in (key, key.removeprefix(_LIBRARY)):
            if known in _SQUEEZED:
                return _SQUEEZED[known]
        key = _SPACED.sub("", key)
    names = {known: known for known in SCHEDULERS} | _ALIASES
    raise UnknownNameError("scheduler", name, names, "roofline list schedulers")


def scheduler_aliases(name: str) -> tuple[str, ...]:
    """The other names of a scheduler."""
    return tuple(alias for alias, known in _ALIASES.items() if known == name)


def flow_state(name: str) -> Literal["only", "either", "never"]:
    """Whether a scheduler integrates flows (FLUX, Stable Diffusion 3), noise, or either."""
    if name.startswith("flow-"):
        return "only"
    return "either" if name in _EITHER else "never"


def denoiser_calls(scheduler: str, steps: Num) -> Num:
    """Calls of the denoiser for that many steps: 50 steps of PNDM are 51 calls, 20 of Heun 39."""
    per_step, more = _CALLS[find_scheduler(scheduler)]
    return maximum(per_step * steps + (more * minimum(steps - 1.0, 1.0) if more > 0 else more), minimum(steps, 1.0))


def steps_of_strength(steps: Num, strength: float) -> Num:
    """Steps that are left where a picture is noised to `strength` and denoised again: int(steps · strength)."""
    return floor(steps * strength + 1e-9)
