"""Fusion, parallelism, training: workload to workload."""
