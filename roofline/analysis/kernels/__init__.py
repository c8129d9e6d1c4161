"""Measured kernels: what each is, how its model is fitted, how far it is off."""
