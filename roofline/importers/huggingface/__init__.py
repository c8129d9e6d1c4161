"""A Hugging Face config.json to a spec."""
