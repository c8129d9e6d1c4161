"""What stands around the layers: embeddings and distances, an encoder and the decoder behind it."""
