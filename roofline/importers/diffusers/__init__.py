"""A diffusers folder to a spec."""
