"""Training of denoisers and autoencoders: what reads what, which gradients that takes, what is kept and repeated."""
