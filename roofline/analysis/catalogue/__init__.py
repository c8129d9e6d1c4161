"""What there is: models, GPUs, nodes, engines, schedulers, precisions."""
