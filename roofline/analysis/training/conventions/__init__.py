"""How the FLOPs of a training step are counted: by the ledger, and by each published convention."""
