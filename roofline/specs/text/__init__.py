"""What a file may say of a language model."""
