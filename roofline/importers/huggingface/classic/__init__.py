"""Families before Llama: GPT, Falcon, BERT, T5 and their kin."""
