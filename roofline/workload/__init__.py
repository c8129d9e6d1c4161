"""The ledger: ops, phases, precision."""
