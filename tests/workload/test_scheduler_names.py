"""Schedulers by the names that libraries and user interfaces give them."""

from __future__ import annotations

import pytest

from roofline.errors import UnknownNameError
from roofline.workload.schedulers import SCHEDULERS, denoiser_calls, find_scheduler

#: Names of AUTOMATIC1111's and ComfyUI's menus, and calls of the denoiser in 20 steps.
#: Source: k-diffusion, sampling.py: of second order are heun, dpm_2, dpmpp_sde and dpmpp_2s, all but the last step.
_CALLS_OF_20_STEPS = {
    "DPM++ 2M": 20,
    "DPM++ 2M Karras": 20,
    "dpm++": 20,
    "DPM++ 2M SDE Exponential": 20,
    "DPM++ 3M SDE Karras": 20,
    "dpmpp_2m_sde_gpu": 20,
    "dpmpp_sde": 39,
    "DPM++ SDE Karras": 39,
    "DPM++ 2S a Karras": 39,
    "dpmpp_2s_ancestral": 39,
    "DPM2 a Karras": 39,
    "dpm_2": 39,
    "Euler a": 20,
    "k_euler_a": 20,
    "euler_ancestral": 20,
    "Euler": 20,
    "Heun": 39,
    "LMS Karras": 20,
    "DDIM": 20,
    "UniPC": 20,
    "uni_pc": 20,
    "LCM": 20,
    "PLMS": 21,
    "DPM++ 2M SDE Heun Karras": 20,
    "dpmpp_2m_cfg_pp": 20,
    "dpm++2mv2": 20,
    "dpm++2s_a": 39,
    "DPM++2S-a karras": 39,
    "DPM fast": 20,
    "ddim_trailing": 20,
    "DDIM CFG++": 20,
    "euler_ancestral_cfg_pp": 20,
    "EulerAncestralDiscreteScheduler": 20,
    "kdpm_2_a": 39,
    "dpmpp_sde_k": 39,
    "dpmpp_sde_gpu": 39,
    "heunpp2": 57,
    "ipndm_v": 20,
    "res_multistep_ancestral_cfg_pp": 20,
    "seeds_2": 39,
    "seeds_3": 58,
    "sa_solver_pece": 39,
    "UniPC Trailing": 20,
    "EDMDPMSolverMultistepScheduler": 20,
}


@pytest.mark.parametrize("name", _CALLS_OF_20_STEPS)
def test_names_of_user_interfaces_cost_what_they_do_there(name: str) -> None:
    assert denoiser_calls(find_scheduler(name), 20.0) == _CALLS_OF_20_STEPS[name]


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_goes_by_its_own_name_with_any_spacing_of_noise(name: str) -> None:
    assert find_scheduler(name) == find_scheduler(f"{name}_karras") == find_scheduler(name.upper()) == name


@pytest.mark.parametrize(("name", "near"), [("dpm++ 2n", "dpm++-2m"), ("eulr a", "euler"), ("heun3", "heun")])
def test_a_refusal_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownNameError, match=r"Nearest: .*" + near.replace("+", r"\+")):
        find_scheduler(name)


@pytest.mark.parametrize("name", ["dpm adaptive", "Restart", "karras", "", "k-"])
def test_what_calls_the_denoiser_at_its_own_discretion_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError):
        find_scheduler(name)
