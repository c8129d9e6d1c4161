"""The questions: estimate, limits, ledger views, explanations."""
