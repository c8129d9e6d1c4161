"""How often a scheduler calls the denoiser: not once per step for all of them.

Source: diffusers 0.42.1, lengths of `timesteps` after `set_timesteps`.
"""

from __future__ import annotations

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
    "kdpm2": "kdpm2discretescheduler dpm2",
    "kdpm2-ancestral": "kdpm2ancestraldiscretescheduler",
    "dpm++-sde": "dpmsolversdescheduler dpm++sde dpmpp-sde",
    "flow-heun": "flowmatchheundiscretescheduler",
    "ddim": "ddimscheduler",
    "ddpm": "ddpmscheduler",
    "euler": "eulerdiscretescheduler",
    "euler-ancestral": "eulerancestraldiscretescheduler euler-a",
    "lms": "lmsdiscretescheduler",
    "dpm++-2m": "dpmsolvermultistepscheduler dpmsolver++ dpmpp-2m dpm++2m",
    "dpm++-2s": "dpm++2s dpmpp-2s dpmsolversinglestepscheduler",
    "unipc": "unipcmultistepscheduler",
    "deis": "deismultistepscheduler",
    "lcm": "lcmscheduler",
    "tcd": "tcdscheduler",
    "edm-euler": "edmeulerscheduler",
    "flow-euler": "flowmatcheulerdiscretescheduler",
}
_ALIASES: Final = {alias: name for name, aliases in _OTHER_NAMES.items() for alias in aliases.split()}
SCHEDULERS: Final = tuple(_CALLS)
#: Time steps at which models of noise are trained (`num_train_timesteps`).
TRAINED_STEPS: Final = 1000
#: Schedulers that can be told to follow flows (`use_flow_sigmas`), besides those that do nothing else.
_EITHER: Final = frozenset({"dpm++-2m", "dpm++-2s", "dpm++-sde", "unipc", "deis"})


def find_scheduler(name: str) -> str:
    """The scheduler of that name or of that diffusers class. Raises UnknownNameError with the nearest names."""
    key = name.strip().lower().replace("_", "-")
    key = _ALIASES.get(key, key)
    if key not in _CALLS:
        raise UnknownNameError("scheduler", name, [*SCHEDULERS, *_ALIASES], "roofline list schedulers")
    return key


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
