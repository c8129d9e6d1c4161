"""What a forward pass keeps for its backward pass, storage by storage."""
