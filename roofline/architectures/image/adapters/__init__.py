"""What stands beside a denoiser: ControlNets of transformers, adapters."""
