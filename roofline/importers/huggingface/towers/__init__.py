"""Encoders of pictures and sound in a config.json: their sections to the towers of a spec."""
