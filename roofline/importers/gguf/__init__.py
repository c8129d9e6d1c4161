"""GGUF files as models: their header alone, never the weights."""
