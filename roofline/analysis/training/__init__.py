"""Training: a step's time, memory and cost, the conventions by which its FLOPs are told, and scaling laws."""
