"""An encoder and the decoder behind it."""
