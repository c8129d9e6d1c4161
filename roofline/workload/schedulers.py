"""How often a scheduler calls the denoiser: not once per step for all of them.

Source: diffusers 0.42.1, lengths of `timesteps` after `set_timesteps`; k-diffusion, sampling.py, for what user
interfaces call by its names.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from roofline.errors import UnknownNameError
from roofline.num import Num, floor, minimum

#: Calls as (calls per step, calls added once where there is more than one step).
_CALLS: Final[dict[str, tuple[float, float]]] = {
    "pndm": (1.0, 1.0),  # one step is repeated by the linear multi-step method
    "heun": (2.0, -1.0),  # second order: two calls per step but for the last
    "kdpm2": (2.0, -1.0),
    "kdpm2-ancestral": (2.0, -1.0),
    "dpm++-sde": (2.0, -1.0),
    "dpm++-2s-ancestral": (2.0, -1.0),  # of k-diffusion; the class of diffusers, dpm++-2s, calls once per step
    "flow-heun": (2.0, -1.0),
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
}
_OTHER_NAMES: Final[dict[str, str]] = {
    "pndm": "pndmscheduler plms",
    "heun": "heundiscretescheduler",
    "kdpm2": "kdpm2discretescheduler dpm2 dpm-2",
    "kdpm2-ancestral": "kdpm2ancestraldiscretescheduler dpm2-a dpm-2-ancestral",
    "dpm++-sde": "dpmsolversdescheduler dpm++sde dpmpp-sde",
    "dpm++-2s-ancestral": "dpm++-2s-a dpm++2s-a dpmpp-2s-ancestral",
    "flow-heun": "flowmatchheundiscretescheduler",
    "ddim": "ddimscheduler",
    "ddpm": "ddpmscheduler",
    "euler": "eulerdiscretescheduler",
    "euler-ancestral": "eulerancestraldiscretescheduler euler-a",
    "lms": "lmsdiscretescheduler",
    "dpm++-2m": "dpmsolvermultistepscheduler dpmsolver++ dpmpp-2m dpm++2m dpm++ dpmpp dpm++-2m-sde dpmpp-2m-sde "
    "dpm++-2m-sde-heun dpm++-3m dpm++-3m-sde dpmpp-3m-sde",
    "dpm++-2s": "dpm++2s dpmpp-2s dpmsolversinglestepscheduler",
    "unipc": "unipcmultistepscheduler uni-pc uni-pc-bh2",
    "deis": "deismultistepscheduler",
    "lcm": "lcmscheduler",
    "tcd": "tcdscheduler",
    "edm-euler": "edmeulerscheduler",
    "flow-euler": "flowmatcheulerdiscretescheduler",
}
_ALIASES: Final = {alias: name for name, aliases in _OTHER_NAMES.items() for alias in aliases.split()}
SCHEDULERS: Final = tuple(_CALLS)
#: How user interfaces end a name by the noise levels between which steps lie, and how they begin it by the library: no
#: step more or less.
_SPACED: Final = re.compile(
    "(-(k|karras|exponential|polyexponential|sgm-uniform|ddim-uniform|uniform|simple|normal|beta|trailing|gpu))+$"
)
_LIBRARY: Final = "k-"
#: Time steps at which models of noise are trained (`num_train_timesteps`).
TRAINED_STEPS: Final = 1000
#: Schedulers that can be told to follow flows (`use_flow_sigmas`), besides those that do nothing else.
_EITHER: Final = frozenset({"dpm++-2m", "dpm++-2s", "dpm++-sde", "unipc", "deis"})


def find_scheduler(name: str) -> str:
    """The scheduler of that name, of that diffusers class, or as user interfaces write it: `DPM++ 2M Karras`.

    Raises UnknownNameError with the nearest names.
    """
    key = re.sub("[ _-]+", "-", name.strip().lower())
    plain = _SPACED.sub("", key.removeprefix(_LIBRARY))
    for known in (key, plain):
        found = _ALIASES.get(known, known)
        if found in _CALLS:
            return found
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
    return per_step * steps + (more * minimum(steps - 1.0, 1.0) if more > 0 else more)


def steps_of_strength(steps: Num, strength: float) -> Num:
    """Steps that are left where a picture is noised to `strength` and denoised again: int(steps · strength)."""
    return floor(steps * strength + 1e-9)
