"""Encoders: what sees a whole sequence at once and generates nothing."""
