"""What a question gives: times, quantities, memory, phases, derivations: plain data."""
