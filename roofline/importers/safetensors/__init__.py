"""Safetensors files beside a config.json: their headers alone, never the weights."""
