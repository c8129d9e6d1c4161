"""Pictures, frames and sound in a prompt: what is asked of them, and the towers that read them as phases."""
